//! Why a condition never holds, as types and in words.

use alloc::format;
use alloc::string::String;

/// Why a condition never holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contradiction {
    /// A list of values to be among is empty.
    EmptyList {
        /// Whose value it is.
        subject: String,
    },
    /// No value passes all tests of one path or signal.
    NoValue {
        /// Whose value it is.
        subject: String,
    },
    /// A count is never missing and never below zero.
    NoCount {
        /// The signal.
        subject: String,
    },
    /// What is said to be a list of values to be among is none.
    NoList {
        /// Whose value it is.
        subject: String,
    },
    /// A count is compared with words.
    NoNumber {
        /// The signal.
        subject: String,
        /// The words.
        text: String,
    },
    /// The negation of something that always holds.
    NegatedTruth,
    /// None of the alternatives ever holds.
    NoAlternative,
}

impl Contradiction {
    /// Stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::EmptyList { .. } => "empty_list",
            Self::NoValue { .. } => "no_value",
            Self::NoCount { .. } => "no_count",
            Self::NoList { .. } => "no_list",
            Self::NoNumber { .. } => "no_number",
            Self::NegatedTruth => "negated_truth",
            Self::NoAlternative => "no_alternative",
        }
    }

    /// The same in words.
    pub fn text(&self) -> String {
        match self {
            Self::EmptyList { subject } => format!("{subject} would have to be in an empty list"),
            Self::NoValue { subject } => format!("no value of {subject} passes all its tests"),
            Self::NoCount { subject } => {
                format!("{subject} is a count, which is never missing and never below zero")
            }
            Self::NoList { subject } => {
                format!("the $in or $nin of {subject} has no list; a list of one value is written [\"x\"]")
            }
            Self::NoNumber { subject, text } => {
                format!("{subject} is a count and passes no test against the text \"{text}\"")
            }
            Self::NegatedTruth => String::from("it negates a condition that always holds"),
            Self::NoAlternative => String::from("none of its alternatives can hold"),
        }
    }
}
