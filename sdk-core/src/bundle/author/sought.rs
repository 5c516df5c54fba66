//! What a definition names and the compiler does not find.

use crate::condition::ConditionErrorKind;
use alloc::boxed::Box;

/// A name that was looked for in a list of definitions.
pub(super) struct Sought {
    pub list: &'static str,
    pub name: Box<str>,
}

impl Sought {
    pub fn of(list: &'static str, name: &str) -> Self {
        Self { list, name: Box::from(name) }
    }

    /// What a condition or a path has looked for in vain, where it is that which is wrong with it.
    pub fn of_condition(kind: &ConditionErrorKind) -> Option<Self> {
        let list = match kind {
            ConditionErrorKind::UnknownSignal(_) => "signals",
            ConditionErrorKind::UnknownSegment(_) => "segments",
            ConditionErrorKind::UnknownGroup(_) => "groups",
            ConditionErrorKind::UnknownModel(_) => "models",
            _ => return None,
        };
        kind.subject().map(|name| Self::of(list, name))
    }
}
