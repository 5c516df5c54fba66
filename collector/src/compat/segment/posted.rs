//! The body of a request to Segment's Tracking API: one message or a batch, each message read alone.

use super::message::{Around, Kind, Message};
use crate::compat::json::text;
use crate::compat::{Arrived, PostedError, Problem, Translated, Translation, check_shared};
use attune_core::limits::MAX_EVENT_BYTES;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

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
        let messages = raw.batch.ok_or(PostedError::BatchMissing("batch"))?;
        check_shared(&[
            ("sentAt", raw.sent_at),
            ("context", raw.context),
            ("integrations", raw.integrations),
        ])?;
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
            match self.translate_one(raw, &around) {
                Ok(translated) => translation.take(translated),
                Err((message_id, problem)) => translation.refuse(index, message_id, problem),
            }
        }
        translation
    }

    fn translate_one(&self, raw: &'a str, around: &Around<'a>) -> Result<Translated<'a>, (String, Problem)> {
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
        message.translate(kind, raw, around).map_err(named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_core::time::Timestamp;
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
