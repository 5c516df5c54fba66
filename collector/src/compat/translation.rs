//! Messages of other makers' libraries in our form, and what is wrong with those that have none.

use crate::ingest::Origin;
use crate::limits::MAX_SHARED_FIELD_BYTES;
use attune_core::id::{derived_uuid, write_uuid};
use attune_core::time::Timestamp;
use serde_json::value::RawValue;
use std::fmt;

/// What holds for all messages of a body.
#[derive(Clone, Copy, Debug)]
pub struct Arrived<'a> {
    /// When it arrived.
    pub now: Timestamp,
    /// Unlike that of any other request.
    pub request: &'a str,
}

/// The messages in our form.
#[derive(Debug, Default)]
pub struct Translation<'a> {
    /// Each as an event, as JSON.
    pub events: Vec<String>,
    /// Where each of them comes from.
    pub origins: Vec<Origin<'a>>,
    /// Those for which no event can stand.
    pub refused: Vec<Refusal>,
}

/// A message in our form.
#[derive(Debug)]
pub struct Translated<'a> {
    /// The event as JSON.
    pub event: String,
    /// Where it comes from.
    pub origin: Origin<'a>,
}

/// What no event can stand for: its stable code and what is wrong where.
pub type Problem = (&'static str, String);

/// A message for which no event can stand.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its place in the batch.
    pub index: usize,
    /// Its `messageId`, as far as it can be shown.
    pub message_id: String,
    /// Stable name for metrics.
    pub code: &'static str,
    /// What is wrong where, and the limit.
    pub message: String,
}

/// Why a body as a whole cannot be read; a bad message is never a reason.
#[derive(Debug, PartialEq, Eq)]
pub enum PostedError {
    /// Text that is not what it has to be; holds the reader's words.
    Unreadable(String),
    /// A batch without messages; holds the field that would have them.
    BatchMissing(&'static str),
    /// A field that counts for all messages and is too large for that; holds its name and its bytes.
    SharedTooLarge(&'static str, usize),
}

impl<'a> Translation<'a> {
    /// Adds an event.
    pub fn take(&mut self, translated: Translated<'a>) {
        self.events.push(translated.event);
        self.origins.push(translated.origin);
    }

    /// Adds a message for which no event can stand.
    pub fn refuse(&mut self, index: usize, message_id: String, (code, message): Problem) {
        self.refused.push(Refusal { index, message_id, code, message });
    }
}

/// Checks fields that count for all messages of a body.
///
/// # Errors
/// The first that is too large to be copied so often.
pub fn check_shared(fields: &[(&'static str, Option<&RawValue>)]) -> Result<(), PostedError> {
    let sizes = fields.iter().map(|(name, raw)| (*name, raw.map_or(0, |raw| raw.get().len())));
    match sizes.into_iter().find(|(_, bytes)| *bytes > MAX_SHARED_FIELD_BYTES) {
        Some((name, bytes)) => Err(PostedError::SharedTooLarge(name, bytes)),
        None => Ok(()),
    }
}

/// The id, as JSON, of the message at a place of a request that has none: by its text where that says when it was, so that
/// it is known when it is sent again; otherwise one of its own.
pub fn derived_id(timed_text: Option<&str>, request: &str, index: usize) -> String {
    let uuid = match timed_text {
        Some(text) => derived_uuid(text),
        None => derived_uuid(&format!("{request} {index}")),
    };
    let mut text = String::from("\"");
    write_uuid(uuid, &mut text);
    text.push('"');
    text
}

impl PostedError {
    /// Stable name for answers and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "batch_unreadable",
            Self::BatchMissing(_) => "batch_missing",
            Self::SharedTooLarge(..) => "batch_field_too_large",
        }
    }
}

impl fmt::Display for PostedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(what) => write!(f, "the body cannot be read: {what}"),
            Self::BatchMissing(field) => write!(f, "{field} is missing: a list of messages"),
            Self::SharedTooLarge(field, bytes) => write!(
                f,
                "{field} is {bytes} bytes; the limit of what counts for all messages is {MAX_SHARED_FIELD_BYTES}"
            ),
        }
    }
}

impl std::error::Error for PostedError {}
