//! One event as a document: what a signal's `where` and the `event.*` paths of rules read.

use super::{Document, Path, Reading, Root};
use crate::id::{SessionId, SignalId, Uuid, write_uuid};
use crate::time::Timestamp;
use crate::value::{Value, parse};
use crate::wire::Event;
use alloc::borrow::Cow;
use alloc::string::String;

/// An event with its metadata read once.
#[derive(Clone, Debug)]
pub struct EventDocument<'a> {
    /// The event.
    pub event: &'a Event,
    /// Its metadata; `null` where it has none.
    pub metadata: Value,
}

impl<'a> EventDocument<'a> {
    /// Reads the event's metadata; text that is no JSON counts as none.
    pub fn new(event: &'a Event) -> Self {
        let metadata = event.metadata.as_deref().and_then(|text| parse(text).ok());
        Self { event, metadata: metadata.unwrap_or(Value::Null) }
    }

    /// The value at a path below the event, such as `metadata.category` or `event_type`.
    pub fn at(&self, path: &str) -> Option<Cow<'_, Value>> {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        let event = self.event;
        Some(Cow::Owned(match first {
            "metadata" if rest.is_empty() => return Some(Cow::Borrowed(&self.metadata)),
            "metadata" => return self.metadata.at(rest).map(Cow::Borrowed),
            _ if !rest.is_empty() => return None,
            "event_type" => Value::string(&event.event_type),
            "timestamp" => Value::Number(event.timestamp.0 as f64),
            "event_id" => uuid_value(event.event_id.0),
            "session_id" => uuid_value(event.session?.0),
            "user_id" => Value::String(event.user_id.clone()?),
            _ => return None,
        }))
    }
}

impl Document for EventDocument<'_> {
    fn value(&self, path: &Path) -> Option<Cow<'_, Value>> {
        if matches!(path.root, Root::Bare | Root::Event) { self.at(&path.rest) } else { None }
    }

    fn signal(&self, _: SignalId, _: &str) -> Reading {
        Reading::Missing
    }

    fn signal_named(&self, _: &str) -> Option<SignalId> {
        None
    }

    fn now(&self) -> Timestamp {
        self.event.timestamp
    }

    fn session(&self) -> Option<SessionId> {
        self.event.session
    }
}

fn uuid_value(uuid: Uuid) -> Value {
    let mut text = String::new();
    write_uuid(uuid, &mut text);
    Value::String(text.into_boxed_str())
}
