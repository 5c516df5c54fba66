//! An event as a document: its fields by path, its metadata parsed once and only when asked for.

use super::tile::instant_text;
use crate::condition::{Document, Path, Reading, Root};
use crate::id::{SessionId, SignalId, Uuid, write_uuid};
use crate::time::Timestamp;
use crate::value::{Value, parse};
use crate::wire::Event;
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use core::cell::OnceCell;

/// An event whose fields conditions and signals can read.
#[derive(Clone, Debug)]
pub struct EventDocument {
    event: Event,
    metadata: OnceCell<Value>,
}

impl PartialEq for EventDocument {
    fn eq(&self, other: &Self) -> bool {
        self.event == other.event
    }
}

impl EventDocument {
    /// Makes the event readable.
    pub const fn new(event: Event) -> Self {
        Self { event, metadata: OnceCell::new() }
    }

    /// Makes an event readable whose metadata is known already.
    pub fn with_metadata(event: Event, metadata: Value) -> Self {
        Self { event, metadata: OnceCell::from(metadata) }
    }

    /// Moves the event in time.
    pub const fn shift(&mut self, ms: i64) {
        self.event.timestamp = self.event.timestamp.plus(ms);
    }

    /// The event.
    pub const fn event(&self) -> &Event {
        &self.event
    }

    /// The event, taken back.
    pub fn into_event(self) -> Event {
        self.event
    }

    /// The metadata object; null where the event has none or its text is no JSON.
    pub fn metadata(&self) -> &Value {
        self.metadata.get_or_init(|| {
            let text = self.event.metadata.as_deref();
            text.and_then(|text| parse(text).ok()).unwrap_or(Value::Null)
        })
    }

    /// The value of a field: `event_id`, `event_type`, `timestamp`, `anonymous_id`, `session_id`, `user_id`,
    /// `metadata` or a dotted path into it.
    pub fn field(&self, path: &str) -> Option<Cow<'_, Value>> {
        let text = |text: &str| Some(Cow::Owned(Value::string(text)));
        match path {
            "metadata" => Some(Cow::Borrowed(self.metadata())).filter(|metadata| **metadata != Value::Null),
            "event_type" => text(&self.event.event_type),
            "timestamp" => Some(Cow::Owned(Value::String(instant_text(self.event.timestamp)))),
            "event_id" => Some(uuid_value(self.event.event_id.0)),
            "session_id" => self.event.session.map(|session| uuid_value(session.0)),
            "anonymous_id" => text(&self.event.member.0),
            "user_id" => text(self.event.user_id.as_deref()?),
            _ => self.metadata().at(path.strip_prefix("metadata.")?).map(Cow::Borrowed),
        }
    }
}

impl Document for EventDocument {
    fn value(&self, path: &Path) -> Option<Cow<'_, Value>> {
        match path.root {
            Root::Bare | Root::Event => self.field(&path.rest),
            Root::Traits | Root::Signals | Root::Context => None,
        }
    }

    fn signal(&self, _signal: SignalId, _key: &str) -> Reading {
        Reading::Missing
    }

    fn signal_named(&self, _name: &str) -> Option<SignalId> {
        None
    }

    fn now(&self) -> Timestamp {
        self.event.timestamp
    }

    fn session(&self) -> Option<SessionId> {
        self.event.session
    }
}

fn uuid_value(uuid: Uuid) -> Cow<'static, Value> {
    let mut text = String::with_capacity(36);
    write_uuid(uuid, &mut text);
    Cow::Owned(Value::String(Box::from(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{EventId, MemberId};

    #[test]
    fn fields_are_found_by_their_wire_names() {
        let document = EventDocument::new(Event {
            event_id: EventId(Uuid::from_u128(7)),
            event_type: Box::from("click"),
            timestamp: Timestamp(0),
            member: MemberId(Box::from("m")),
            lane: None,
            session: None,
            user_id: None,
            metadata: Some(Box::from(r#"{"product":{"id":5}}"#)),
        });
        let text = |path: &str| document.field(path).and_then(|value| value.as_str().map(String::from));
        assert_eq!(text("event_type").as_deref(), Some("click"));
        assert_eq!(text("timestamp").as_deref(), Some("1970-01-01T00:00:00.000Z"));
        assert_eq!(text("anonymous_id").as_deref(), Some("m"));
        assert_eq!(document.field("metadata.product.id").as_deref(), Some(&Value::Number(5.0)));
        assert_eq!(document.field("metadata.product.price"), None);
        assert_eq!(document.field("user_id"), None);
        assert_eq!(document.field("nothing"), None);
    }
}
