//! What can be wrong with a condition's source, each with its place and a stable code.

use super::operators::{OperatorPlace, write_unknown};
use super::pattern::PatternError;
use crate::limits::{MAX_BROUGHT, MAX_CONDITION_DEPTH, MAX_CONDITION_TESTS, MAX_CONDITION_VALUES};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::fmt;

/// What is wrong with a condition, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionError {
    /// JSON pointer (RFC 6901) to the place.
    pub at: String,
    /// What is wrong there.
    pub kind: ConditionErrorKind,
}

/// The ways in which a condition can be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConditionErrorKind {
    /// An operator that does not exist where it stands.
    UnknownOperator {
        /// The operator.
        name: Box<str>,
        /// Where it stands.
        place: OperatorPlace,
    },
    /// A path that starts with no part of the document.
    UnknownPath(Box<str>),
    /// A path that is no field of an event, where a signal reads one.
    UnknownEventPath(Box<str>),
    /// A signal that no file defines.
    UnknownSignal(Box<str>),
    /// A segment that no file defines.
    UnknownSegment(Box<str>),
    /// A group that no file defines.
    UnknownGroup(Box<str>),
    /// A zone that the time zone database does not have.
    UnknownZone(Box<str>),
    /// A model that no file defines.
    UnknownModel(Box<str>),
    /// A score where none can be read.
    ScoreMisplaced,
    /// A field that this operator does not have.
    UnknownField(Box<str>),
    /// A signal with one value per key is read without a key.
    KeyMissing(Box<str>),
    /// A signal without `by` is read under a key.
    KeyUnexpected(Box<str>),
    /// A literal of the wrong kind; says what is expected.
    BadLiteral(&'static str),
    /// A regular expression where no host can be asked: in the `where` of a signal.
    MisplacedPattern,
    /// A regular expression that cannot be used.
    BadPattern(PatternError),
    /// Nesting beyond [`MAX_CONDITION_DEPTH`].
    TooDeep,
    /// More tests than [`MAX_CONDITION_TESTS`], or more values of groups than [`MAX_CONDITION_VALUES`].
    TooLarge,
    /// With it, segments and groups bring more than [`MAX_BROUGHT`] into all conditions.
    TooMuchBrought,
}

impl ConditionErrorKind {
    /// Stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownOperator { .. } => "unknown_operator",
            Self::UnknownPath(_) | Self::UnknownEventPath(_) => "unknown_path",
            Self::UnknownSignal(_) => "unknown_signal",
            Self::UnknownZone(_) => "unknown_zone",
            Self::UnknownModel(_) => "unknown_model",
            Self::ScoreMisplaced => "score_misplaced",
            Self::UnknownSegment(_) => "unknown_segment",
            Self::UnknownGroup(_) => "unknown_group",
            Self::UnknownField(_) => "unknown_field",
            Self::KeyMissing(_) => "signal_key_missing",
            Self::KeyUnexpected(_) => "signal_key_unexpected",
            Self::BadLiteral(_) => "bad_literal",
            Self::MisplacedPattern => "pattern_misplaced",
            Self::BadPattern(error) => error.code(),
            Self::TooDeep => "condition_too_deep",
            Self::TooLarge => "condition_too_large",
            Self::TooMuchBrought => "conditions_too_large",
        }
    }

    /// The name that is meant, where there is one.
    pub fn subject(&self) -> Option<&str> {
        match self {
            Self::UnknownOperator { name, .. } | Self::UnknownSignal(name) => Some(name),
            Self::UnknownPath(name) | Self::UnknownEventPath(name) => Some(name),
            Self::UnknownSegment(name) | Self::UnknownGroup(name) => Some(name),
            Self::UnknownZone(name) | Self::UnknownModel(name) => Some(name),
            Self::UnknownField(name) | Self::KeyMissing(name) | Self::KeyUnexpected(name) => Some(name),
            Self::BadLiteral(_)
            | Self::ScoreMisplaced
            | Self::MisplacedPattern
            | Self::BadPattern(_)
            | Self::TooDeep
            | Self::TooLarge
            | Self::TooMuchBrought => None,
        }
    }
}

impl fmt::Display for ConditionErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownOperator { name, place } => write_unknown(f, name, *place),
            Self::UnknownPath(name) => {
                write!(
                    f,
                    "{name} is no path of this document: rules read traits.*, signals.*, segments.*, experiments.*, context.* and event.*"
                )?;
                suggest(f, visitor_path(name))
            }
            Self::UnknownEventPath(name) => {
                write!(
                    f,
                    "{name} is no path of an event: event_id, event_type, timestamp, session_id, user_id and metadata.* are read here"
                )?;
                let is_plain = !name.is_empty() && !name.contains('.');
                suggest(f, is_plain.then(|| format!("metadata.{name}")))
            }
            Self::UnknownSignal(name) => write!(f, "no usable signal is named {name}"),
            Self::UnknownSegment(name) => write!(f, "no usable segment is named {name}"),
            Self::UnknownGroup(name) => write!(f, "no group is named {name}"),
            Self::UnknownZone(name) => {
                write!(f, "{name} is no zone of the time zone database, such as Europe/Rome, nor visitor")
            }
            Self::UnknownModel(name) => write!(f, "no usable model is named {name}"),
            Self::ScoreMisplaced => {
                f.write_str("a score is read by the conditions of rules and triggers alone")
            }
            Self::UnknownField(name) => {
                write!(
                    f,
                    "there is no field {name}; $signal has name, key and is, $score name and is, $bucket by, seed, version and in, $tod between and zone, $dow in and zone"
                )
            }
            Self::KeyMissing(name) => {
                write!(f, "signal {name} has one value per key and is read without one")
            }
            Self::KeyUnexpected(name) => write!(f, "signal {name} has no `by`, so it has no keys"),
            Self::MisplacedPattern => {
                f.write_str("a signal's where has no regular expressions, since an event is counted once")
            }
            Self::BadPattern(error) => error.fmt(f),
            Self::BadLiteral(expected) => write!(f, "expected {expected}"),
            Self::TooDeep => write!(f, "the condition is nested deeper than {MAX_CONDITION_DEPTH}"),
            Self::TooLarge => {
                write!(
                    f,
                    "the condition has more than {MAX_CONDITION_TESTS} tests, segments included, or more than {MAX_CONDITION_VALUES} values of groups"
                )
            }
            Self::TooMuchBrought => {
                write!(
                    f,
                    "up to here segments and groups bring more than {MAX_BROUGHT} tests and values into conditions"
                )
            }
        }
    }
}

fn suggest(f: &mut fmt::Formatter<'_>, path: Option<String>) -> fmt::Result {
    path.map_or(Ok(()), |path| write!(f, "; did you mean {path}?"))
}

/// What paths of the visitor begin with.
const ROOTS: [&str; 6] = ["traits", "signals", "segments", "experiments", "context", "event"];

/// The path of the visitor that a path without a root may have been meant to be.
fn visitor_path(name: &str) -> Option<String> {
    match name.split_once('.') {
        None if matches!(name, "" | "anonymous_id" | "user_id") || ROOTS.contains(&name) => None,
        None => Some(format!("traits.{name}")),
        Some(("trait" | "user" | "visitor" | "profile", rest)) => Some(format!("traits.{rest}")),
        Some((root @ ("signal" | "segment" | "experiment"), rest)) => Some(format!("{root}s.{rest}")),
        Some(("event", rest)) if !rest.is_empty() && !rest.contains('.') => {
            Some(format!("event.metadata.{rest}"))
        }
        Some(("events", rest)) => Some(format!("event.{rest}")),
        Some(("metadata", _)) => Some(format!("event.{name}")),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_path_is_followed_by_one_that_may_be_meant() {
        for (name, expected) in [
            ("plan", Some("traits.plan")),
            ("trait.plan", Some("traits.plan")),
            ("signal.views", Some("signals.views")),
            ("metadata.category", Some("event.metadata.category")),
            ("events.metadata.a", Some("event.metadata.a")),
            ("event.category", Some("event.metadata.category")),
            ("page.url", None),
            ("signals", None),
            ("", None),
        ] {
            assert_eq!(visitor_path(name).as_deref(), expected, "{name}");
        }
    }
}
