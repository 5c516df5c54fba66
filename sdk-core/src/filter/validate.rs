//! The bounds of one event.

use crate::wire::Event;
use alloc::string::String;
use core::fmt;

/// Why an event is refused, with the field and the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// `event_type` is empty.
    TypeMissing,
    /// `event_type` is longer than its limit.
    TypeTooLong(usize),
    /// `metadata` is larger than its limit.
    MetadataTooLarge(usize),
    /// `metadata` is not a JSON object.
    MetadataNotAnObject,
    /// `user_id` is longer than its limit.
    UserIdTooLong(usize),
    /// `anonymous_id` is empty or longer than its limit.
    AnonymousIdInvalid(usize),
}

/// Checks one event against the bounds of [`crate::limits`].
///
/// # Errors
/// The first bound that the event breaks.
pub fn validate_event(event: &Event) -> Result<(), Rejection> {
    let _ = event;
    todo!()
}

impl Rejection {
    /// Stable name for receipts and metrics.
    pub const fn code(self) -> &'static str {
        todo!()
    }

    /// The field that is wrong.
    pub const fn field(self) -> &'static str {
        todo!()
    }

    /// The same for people: what, where, the limit.
    pub fn message(self) -> String {
        todo!()
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}
