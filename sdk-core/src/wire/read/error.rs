//! Why an event or a whole batch cannot be read: what, where, the limit.

use crate::limits::{MAX_ID_CHARS, MAX_JSON_DEPTH};
use crate::value::JsonError;
use alloc::format;
use alloc::string::String;
use core::fmt;

/// A field of an event on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventField {
    /// `event_id`
    EventId,
    /// `event_type`
    EventType,
    /// `timestamp`
    Timestamp,
    /// `anonymous_id`
    AnonymousId,
    /// `lane`
    Lane,
    /// `seq`
    Seq,
    /// `session_id`
    SessionId,
    /// `user_id`
    UserId,
    /// `metadata`
    Metadata,
}

/// Why an event cannot be read; every other event of its batch still can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventError {
    /// Text that is no JSON, or that names a field twice; holds the reader's words.
    Unreadable(String),
    /// JSON, but no object.
    NotAnObject,
    /// A string, number or nesting that no reader downstream could take.
    Json {
        /// The field that holds it; absent for a field of unknown name.
        field: Option<EventField>,
        /// What and where.
        error: JsonError,
    },
    /// A field that every event needs.
    Missing(EventField),
    /// A field of the wrong type or form.
    Invalid(EventField),
}

impl EventField {
    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EventId => "event_id",
            Self::EventType => "event_type",
            Self::Timestamp => "timestamp",
            Self::AnonymousId => "anonymous_id",
            Self::Lane => "lane",
            Self::Seq => "seq",
            Self::SessionId => "session_id",
            Self::UserId => "user_id",
            Self::Metadata => "metadata",
        }
    }

    const fn missing_code(self) -> &'static str {
        match self {
            Self::EventId => "event_id_missing",
            Self::EventType => "event_type_missing",
            Self::Timestamp => "timestamp_missing",
            Self::AnonymousId => "anonymous_id_missing",
            Self::Lane => "lane_missing",
            Self::Seq => "seq_missing",
            Self::SessionId => "session_id_missing",
            Self::UserId => "user_id_missing",
            Self::Metadata => "metadata_missing",
        }
    }

    const fn invalid_code(self) -> &'static str {
        match self {
            Self::EventId => "event_id_invalid",
            Self::EventType => "event_type_invalid",
            Self::Timestamp => "timestamp_invalid",
            Self::AnonymousId => "anonymous_id_invalid",
            Self::Lane => "lane_invalid",
            Self::Seq => "seq_invalid",
            Self::SessionId => "session_id_invalid",
            Self::UserId => "user_id_invalid",
            Self::Metadata => "metadata_not_an_object",
        }
    }
}

impl EventError {
    /// Stable name for receipts and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "event_unreadable",
            Self::NotAnObject => "event_not_an_object",
            Self::Json { error, .. } => error.code(),
            Self::Missing(field) => field.missing_code(),
            Self::Invalid(field) => field.invalid_code(),
        }
    }

    /// The field that is wrong; `event` where no known one is.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Json { field: Some(field), .. } | Self::Missing(field) | Self::Invalid(field) => {
                field.name()
            }
            Self::Unreadable(_) | Self::NotAnObject | Self::Json { field: None, .. } => "event",
        }
    }

    /// The same for people: what, where, the limit.
    pub fn message(&self) -> String {
        let name = self.field();
        match self {
            Self::Unreadable(words) => format!("event is not readable: {words}"),
            Self::NotAnObject => "event is not a JSON object".into(),
            Self::Json { error, .. } => {
                format!("{name} {} at byte {} of the event", fault(*error), error.offset())
            }
            Self::Missing(EventField::AnonymousId) => {
                "anonymous_id is missing, and so is user_id; one of them says whose event it is".into()
            }
            Self::Missing(field) => format!("{} is missing", field.name()),
            Self::Invalid(field) => invalid_message(*field),
        }
    }
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl core::error::Error for EventError {}

/// Why a whole batch cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvelopeError {
    /// Text that is no JSON object of a batch; holds the reader's words, which name the place.
    Unreadable(String),
    /// No `events`.
    EventsMissing,
    /// A protocol version other than 1; holds what was sent.
    VersionUnsupported(String),
    /// A field of the wrong form.
    Invalid {
        /// Where, such as `void[3]`.
        field: String,
        /// What it has to be.
        expected: String,
    },
}

impl EnvelopeError {
    /// Stable name for answers and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "batch_unreadable",
            Self::EventsMissing => "events_missing",
            Self::VersionUnsupported(_) => "version_unsupported",
            Self::Invalid { .. } => "batch_invalid",
        }
    }
}

impl fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(words) => write!(f, "batch is not readable: {words}"),
            Self::EventsMissing => f.write_str("events is missing; it must be an array"),
            Self::VersionUnsupported(sent) => write!(f, "v is {sent}; the version spoken here is 1"),
            Self::Invalid { field, expected } => write!(f, "{field} is not {expected}"),
        }
    }
}

impl core::error::Error for EnvelopeError {}

fn fault(error: JsonError) -> String {
    match error {
        JsonError::BadEscape(_) => "holds an escape that names no character".into(),
        JsonError::NumberOutOfRange(_) => "holds a number outside the range of a double".into(),
        JsonError::TooDeep(_) => format!("is nested deeper than {MAX_JSON_DEPTH} levels"),
        JsonError::Unexpected(_) => "holds an unexpected character".into(),
        JsonError::EndsEarly(_) => "ends early".into(),
    }
}

fn invalid_message(field: EventField) -> String {
    let name = field.name();
    match field {
        EventField::EventId | EventField::Lane | EventField::SessionId => {
            format!("{name} is not a text of 1 to {MAX_ID_CHARS} characters")
        }
        EventField::Timestamp => {
            format!("{name} is not an RFC 3339 instant such as 2026-11-20T10:00:02.120Z")
        }
        EventField::Seq => format!("{name} is not a whole number from 1 to 9,007,199,254,740,991"),
        EventField::Metadata => format!("{name} is not a JSON object"),
        EventField::EventType | EventField::AnonymousId | EventField::UserId => {
            format!("{name} is not a text")
        }
    }
}
