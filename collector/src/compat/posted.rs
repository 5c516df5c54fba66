//! The body of a request to Segment's Tracking API: one message or a batch, each message read alone.

use super::json::text;
use super::message::{Around, Kind, Message, Problem};
use crate::ingest::Origin;
use attune_core::limits::MAX_EVENT_BYTES;
use attune_core::time::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// What a path takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Messages of every kind.
    Batch,
    /// One message of a kind.
    One(Kind),
}

/// A body as it arrived.
#[derive(Debug)]
pub struct Posted<'a> {
    /// The write key that the body names.
    pub write_key: Option<Cow<'a, str>>,
    call: Call,
    messages: Vec<&'a str>,
    sent_at: Option<&'a RawValue>,
    context: Option<&'a RawValue>,
    integrations: Option<&'a RawValue>,
}

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
    /// Text that is no JSON object; holds the reader's words.
    Unreadable(String),
    /// A batch without messages.
    BatchMissing,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawBatch<'a> {
    #[serde(borrow)]
    batch: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    write_key: Option<&'a RawValue>,
    #[serde(borrow)]
    sent_at: Option<&'a RawValue>,
    #[serde(borrow)]
    context: Option<&'a RawValue>,
    #[serde(borrow)]
    integrations: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawKey<'a> {
    #[serde(borrow)]
    write_key: Option<&'a RawValue>,
}

impl<'a> Posted<'a> {
    /// Reads a body; unknown fields are passed over and `null` counts as absent.
    ///
    /// # Errors
    /// Says what keeps it as a whole from being read.
    pub fn parse(body: &'a str, call: Call) -> Result<Self, PostedError> {
        let unreadable = |error: serde_json::Error| PostedError::Unreadable(error.to_string());
        if !body.trim_start().starts_with('{') {
            return Err(PostedError::Unreadable("it has to be a JSON object".into()));
        }
        if call != Call::Batch {
            let raw: RawKey<'a> = serde_json::from_str(body).map_err(unreadable)?;
            let (write_key, messages) = (text(raw.write_key), vec![body]);
            return Ok(Self { write_key, call, messages, sent_at: None, context: None, integrations: None });
        }
        let raw: RawBatch<'a> = serde_json::from_str(body).map_err(unreadable)?;
        let messages = raw.batch.ok_or(PostedError::BatchMissing)?;
        Ok(Self {
            write_key: text(raw.write_key),
            call,
            messages: messages.into_iter().map(RawValue::get).collect(),
            sent_at: raw.sent_at,
            context: raw.context,
            integrations: raw.integrations,
        })
    }

    /// Each message as text.
    pub fn messages(&self) -> &[&'a str] {
        &self.messages
    }

    /// Puts every message into our form, each alone.
    pub fn translate(&self, arrived: Arrived<'a>) -> Translation<'a> {
        let mut translation = Translation::default();
        for (index, raw) in self.messages.iter().enumerate() {
            let around = Around {
                now: arrived.now,
                sent_at: self.sent_at,
                context: self.context,
                integrations: self.integrations,
                request: arrived.request,
                index,
            };
            if let Err((message_id, (code, message))) = self.translate_one(raw, &around, &mut translation) {
                translation.refused.push(Refusal { index, message_id, code, message });
            }
        }
        translation
    }

    fn translate_one(
        &self,
        raw: &'a str,
        around: &Around<'a>,
        translation: &mut Translation<'a>,
    ) -> Result<(), (String, Problem)> {
        if raw.len() > MAX_EVENT_BYTES {
            let message = format!("the message is {} bytes; the limit is {MAX_EVENT_BYTES}", raw.len());
            return Err((String::new(), ("event_too_large", message)));
        }
        let message = if raw.starts_with('{') || self.call != Call::Batch {
            serde_json::from_str::<Message<'a>>(raw).map_err(|error| ("event_unreadable", error.to_string()))
        } else {
            Err(("event_not_an_object", "a message is a JSON object".to_owned()))
        };
        let message = message.map_err(|problem| (String::new(), problem))?;
        let named = |problem| (message.shown_id(), problem);
        let kind = match self.call {
            Call::Batch => message.kind().map_err(named)?,
            Call::One(kind) => kind,
        };
        let translated = message.translate(kind, raw, around).map_err(named)?;
        translation.events.push(translated.event);
        translation.origins.push(translated.origin);
        Ok(())
    }
}

impl PostedError {
    /// Stable name for answers and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "batch_unreadable",
            Self::BatchMissing => "batch_missing",
        }
    }
}

impl fmt::Display for PostedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(what) => write!(f, "the body cannot be read: {what}"),
            Self::BatchMissing => f.write_str("batch is missing: a list of messages"),
        }
    }
}

impl std::error::Error for PostedError {}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn arrived() -> Arrived<'static> {
        Arrived { now: Timestamp(1_763_632_802_120), request: "r" }
    }

    #[test]
    fn what_a_batch_says_counts_for_messages_that_say_nothing() {
        let body = json!({
            "context": {"timezone": "Asia/Tokyo", "userAgent": "phone"},
            "integrations": {"Attune": {"proof": "of the batch"}},
            "batch": [
                {"type": "identify", "userId": "u", "messageId": "a"},
                {"type": "identify", "userId": "u", "messageId": "b", "context": {"timezone": "Europe/Oslo"},
                 "integrations": {"Attune": {"proof": "own"}}},
            ],
        });
        let body = body.to_string();
        let translation = Posted::parse(&body, Call::Batch).unwrap().translate(arrived());
        let proof =
            |event: &String| serde_json::from_str::<Value>(event).unwrap()["metadata"]["proof"].clone();
        assert_eq!(translation.events.iter().map(proof).collect::<Vec<_>>(), ["of the batch", "own"]);
        let zones: Vec<_> = translation.origins.iter().map(|origin| origin.time_zone.as_deref()).collect();
        assert_eq!(zones, [Some("Asia/Tokyo"), Some("Europe/Oslo")]);
        let agents: Vec<_> = translation.origins.iter().map(|origin| origin.user_agent.as_deref()).collect();
        assert_eq!(agents, [Some("phone"), None]);
    }

    #[test]
    fn a_refusal_names_the_message_and_what_is_wrong_where() {
        let long = "x".repeat(200);
        let body =
            json!({"batch": [7, {"type": "rename", "messageId": long}, {"messageId": "c"}]}).to_string();
        let refused = Posted::parse(&body, Call::Batch).unwrap().translate(arrived()).refused;
        let told: Vec<_> =
            refused.iter().map(|refusal| (refusal.index, refusal.code, &*refusal.message)).collect();
        let list = "it has to be track, identify, page, screen, group or alias";
        assert_eq!(
            told,
            [
                (0, "event_not_an_object", "a message is a JSON object"),
                (1, "type_unknown", &*format!("type is \"rename\"; {list}")),
                (2, "type_unknown", &*format!("type is missing; {list}")),
            ]
        );
        assert_eq!(refused[1].message_id, "x".repeat(100));
        assert_eq!(refused[2].message_id, "c");
    }

    #[test]
    fn numbers_pass_to_the_last_digit() {
        let body = r#"{"batch":[{"type":"track","event":"e","userId":"u","properties":{"a":0.10,"b":12345678901234567890123}}]}"#;
        let translation = Posted::parse(body, Call::Batch).unwrap().translate(arrived());
        assert!(translation.events[0].ends_with(r#""metadata":{"a":0.10,"b":12345678901234567890123}}"#));
    }
}
