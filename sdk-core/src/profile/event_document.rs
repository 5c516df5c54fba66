//! An event as a document: its fields by path, its metadata packed, read from text only when asked for.

use crate::condition::{Document, PathRef, Reading, Root};
use crate::id::{SessionId, SignalId, write_uuid};
use crate::time::Timestamp;
use crate::value::{Packed, ValueRef, parse};
use crate::wire::Event;
use alloc::string::String;
use core::cell::OnceCell;

/// Length of a UUID's text, in bytes.
const UUID_BYTES: usize = 36;

/// An event whose fields conditions and signals can read.
#[derive(Clone, Debug)]
pub struct EventDocument {
    event: Event,
    metadata: OnceCell<Packed>,
    /// Reads the event's metadata; a page hands it in packed, and no JSON reader is linked there.
    read: fn(&Event) -> Packed,
    /// The ids of event and session as text, made when a condition asks for one.
    ids: OnceCell<String>,
}

impl PartialEq for EventDocument {
    fn eq(&self, other: &Self) -> bool {
        self.event == other.event
    }
}

impl EventDocument {
    /// Makes an event readable whose metadata is JSON text.
    pub const fn new(event: Event) -> Self {
        Self { event, metadata: OnceCell::new(), read: read_text, ids: OnceCell::new() }
    }

    /// Makes an event readable whose metadata is at hand; the one in the event is not looked at.
    pub fn packed(event: Event, metadata: Packed) -> Self {
        Self { event, metadata: OnceCell::from(metadata), read: |_| Packed::default(), ids: OnceCell::new() }
    }

    /// The event.
    pub const fn event(&self) -> &Event {
        &self.event
    }

    /// The event, taken back.
    pub fn into_event(self) -> Event {
        self.event
    }

    /// Moves the event in time by `ms` milliseconds.
    pub const fn shift(&mut self, ms: i64) {
        self.event.timestamp = self.event.timestamp.plus(ms);
    }

    /// The metadata object; null where the event has none or its text is no JSON.
    pub fn metadata(&self) -> ValueRef<'_> {
        self.metadata.get_or_init(|| (self.read)(&self.event)).get()
    }

    /// The value of a field: `event_id`, `event_type`, `timestamp`, `anonymous_id`, `session_id`, `user_id`,
    /// `metadata` or a dotted path into it; null where there is none.
    pub fn field(&self, path: &str) -> ValueRef<'_> {
        let text = match path {
            "metadata" => return self.metadata(),
            "timestamp" => return ValueRef::Instant(self.event.timestamp),
            "event_type" => Some(&*self.event.event_type),
            "event_id" => self.ids().get(..UUID_BYTES),
            "session_id" => self.ids().get(UUID_BYTES..).filter(|text| !text.is_empty()),
            "anonymous_id" => Some(&*self.event.member.0),
            "user_id" => self.event.user_id.as_deref(),
            _ => {
                let inside = path.strip_prefix("metadata.").and_then(|path| self.metadata().at(path));
                return inside.unwrap_or(ValueRef::Null);
            }
        };
        text.map_or(ValueRef::Null, ValueRef::Text)
    }

    #[inline(never)]
    fn ids(&self) -> &str {
        self.ids.get_or_init(|| {
            let mut ids = String::new();
            write_uuid(self.event.event_id.0, &mut ids);
            if let Some(session) = self.event.session {
                write_uuid(session.0, &mut ids);
            }
            ids
        })
    }
}

impl Document for EventDocument {
    fn value(&self, path: PathRef<'_>) -> ValueRef<'_> {
        match path.root {
            Root::Bare | Root::Event => self.field(path.rest),
            Root::Traits | Root::Signals | Root::Context | Root::Experiments => ValueRef::Null,
        }
    }

    fn signal(&self, _signal: SignalId, _key: &str) -> Reading<'_> {
        Reading::Missing
    }

    fn signal_named(&self, _name: &str, _key: &str) -> Reading<'_> {
        Reading::Missing
    }

    fn now(&self) -> Timestamp {
        self.event.timestamp
    }

    fn session(&self) -> Option<SessionId> {
        self.event.session
    }
}

fn read_text(event: &Event) -> Packed {
    event.metadata.as_deref().and_then(|text| parse(text).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{EventId, MemberId, Uuid};
    use alloc::boxed::Box;

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
        let text = |path: &str| document.field(path).as_str();
        assert_eq!(text("event_type"), Some("click"));
        assert_eq!(document.field("timestamp"), ValueRef::Text("1970-01-01T00:00:00.000Z"));
        assert_eq!(text("event_id"), Some("00000000-0000-0000-0000-000000000007"));
        assert_eq!(text("anonymous_id"), Some("m"));
        assert_eq!(document.field("metadata.product.id"), ValueRef::Number(5.0));
        for path in ["metadata.product.price", "session_id", "user_id", "nothing"] {
            assert!(document.field(path).is_null(), "{path}");
        }
        let packed = EventDocument::packed(document.event().clone(), parse(r#"{"a":1}"#).unwrap());
        assert_eq!(packed.field("metadata.a"), ValueRef::Number(1.0));
    }
}
