//! Why an event does not leave the page.

use super::schema::Expected;
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

/// Why an event is dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A program sent it.
    Bot,
    /// Its type is denied, or not among those allowed.
    DeniedType,
    /// Its visitor is not in the sample.
    SampledOut,
    /// A property is not what it has to be.
    SchemaMismatch {
        /// Its name.
        property: Box<str>,
        /// What it has to be.
        expected: Expected,
    },
    /// There have been too many within the last minute.
    RateLimited(RateScope),
}

/// Whose rate is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateScope {
    /// That of the event types one entry of the policy covers.
    Type,
    /// That of all events.
    Total,
}

impl Reason {
    /// Stable name for reports and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::DeniedType => "denied_type",
            Self::SampledOut => "sampled_out",
            Self::SchemaMismatch { .. } => "schema_mismatch",
            Self::RateLimited(_) => "rate_limited",
        }
    }

    /// The same for people.
    pub fn message(&self) -> String {
        let fixed = match self {
            Self::Bot => "the user agent is a program's",
            Self::DeniedType => "the policy does not keep events of this type",
            Self::SampledOut => "the visitor is not in the sample of this type",
            Self::RateLimited(RateScope::Type) => "more events of this type than a minute may have",
            Self::RateLimited(RateScope::Total) => "more events than a minute may have",
            Self::SchemaMismatch { property, expected } => {
                let mut out = String::from(&**property);
                out.push_str(" has to be ");
                expected.write(&mut out);
                return out;
            }
        };
        String::from(fixed)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}
