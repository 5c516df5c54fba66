//! One event from its own text, by the core's own JSON reader.

use crate::cut::fields;
use attune_core::filter::{Rejection, check_bounds};
use attune_core::id::{EventId, LaneId, MemberId, SessionId, Uuid, uuid_from_text};
use attune_core::limits::{MAX_EVENT_BYTES, MAX_SEQ};
use attune_core::time::Timestamp;
use attune_core::value::{parse, validate};
use attune_core::wire::{Event, LaneSeq};

/// Why an event cannot be taken in; its neighbours still can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventError {
    /// Text that is no JSON object.
    NotAnObject,
    /// More bytes than [`MAX_EVENT_BYTES`].
    TooLarge(usize),
    /// A field that every event needs.
    Missing(&'static str),
    /// A field of the wrong type or form.
    Invalid(&'static str),
    /// A bound that the event breaks.
    Refused(Rejection),
}

impl EventError {
    /// Stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotAnObject => "event_not_an_object",
            Self::TooLarge(_) => "event_too_large",
            Self::Missing(_) => "field_missing",
            Self::Invalid(_) => "field_invalid",
            Self::Refused(rejection) => rejection.code(),
        }
    }

    /// The field that is wrong; `event` where it is the whole.
    pub const fn field(self) -> &'static str {
        match self {
            Self::NotAnObject | Self::TooLarge(_) => "event",
            Self::Missing(field) | Self::Invalid(field) => field,
            Self::Refused(rejection) => rejection.field(),
        }
    }

    /// The same for people: what, where, the limit.
    pub fn message(self) -> String {
        match self {
            Self::NotAnObject => "the event is not a JSON object".into(),
            Self::TooLarge(bytes) => format!("the event has {bytes} bytes; the limit is {MAX_EVENT_BYTES}"),
            Self::Missing("anonymous_id") => "anonymous_id is missing, and so is user_id".into(),
            Self::Missing(field) => format!("{field} is missing"),
            Self::Invalid(field) => format!("{field} is not {}", expected(field)),
            Self::Refused(rejection) => rejection.message(),
        }
    }
}

/// Reads one event of the wire protocol that says itself whose it is. Unknown fields are passed over, `null` counts as
/// absent, ids that are no UUID are mapped to one, and of equal names the last counts.
///
/// # Errors
/// What is wrong with which field.
pub fn read_event(text: &str) -> Result<Event, EventError> {
    if text.len() > MAX_EVENT_BYTES {
        return Err(EventError::TooLarge(text.len()));
    }
    let fields = Fields(fields(text).ok_or(EventError::NotAnObject)?);
    let user_id = fields.text("user_id")?;
    let member = match (fields.text("anonymous_id")?, &user_id) {
        (Some(own), _) => MemberId(own),
        (None, Some(user)) => MemberId(format!("user:{user}").into()),
        (None, None) => return Err(EventError::Missing("anonymous_id")),
    };
    let event = Event {
        event_id: EventId(fields.id("event_id")?.ok_or(EventError::Missing("event_id"))?),
        event_type: fields.text("event_type")?.ok_or(EventError::Missing("event_type"))?,
        timestamp: fields.timestamp()?,
        member,
        lane: fields.lane()?,
        session: fields.id("session_id")?.map(SessionId),
        user_id,
        metadata: fields.metadata()?,
    };
    check_bounds(&event, event.metadata_bytes()).map_err(EventError::Refused)?;
    Ok(event)
}

/// The `event_id` as the sender wrote it, for the row of an event that was refused.
pub(crate) fn peek_event_id(text: &str) -> Option<Box<str>> {
    Fields(fields(text)?).text("event_id").ok().flatten()
}

struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Fields<'a> {
    fn raw(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().rev().find(|(other, _)| *other == name)?.1;
        (found != "null").then_some(found)
    }

    fn text(&self, name: &'static str) -> Result<Option<Box<str>>, EventError> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        let value = parse(raw).map_err(|_| EventError::Invalid(name))?;
        value.get().as_str().map(|text| Some(text.into())).ok_or(EventError::Invalid(name))
    }

    fn id(&self, name: &'static str) -> Result<Option<Uuid>, EventError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        uuid_from_text(&text).map(Some).ok_or(EventError::Invalid(name))
    }

    fn timestamp(&self) -> Result<Timestamp, EventError> {
        let text = self.text("timestamp")?.ok_or(EventError::Missing("timestamp"))?;
        Timestamp::parse(&text).ok_or(EventError::Invalid("timestamp"))
    }

    fn lane(&self) -> Result<Option<LaneSeq>, EventError> {
        let Some(seq) = self.raw("seq") else { return Ok(None) };
        let seq =
            seq.parse().ok().filter(|seq| (1..=MAX_SEQ).contains(seq)).ok_or(EventError::Invalid("seq"))?;
        let lane = self.id("lane")?.ok_or(EventError::Missing("lane"))?;
        Ok(Some(LaneSeq { lane: LaneId(lane), seq }))
    }

    fn metadata(&self) -> Result<Option<Box<str>>, EventError> {
        match self.raw("metadata") {
            None | Some("{}") => Ok(None),
            Some(text) if validate(text).is_ok() => Ok(Some(text.into())),
            Some(_) => Err(EventError::Invalid("metadata")),
        }
    }
}

fn expected(field: &str) -> &'static str {
    match field {
        "timestamp" => "an instant such as 2026-11-20T10:00:02.120Z",
        "seq" => "a whole number from 1 to 9007199254740991",
        "metadata" => "a JSON object",
        "event_id" | "lane" | "session_id" => "a text of 1 to 100 characters",
        _ => "a text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_core::id::derived_uuid;
    use proptest::prelude::*;

    const PLAIN: &str = r#"{"event_id":"order-1","event_type":"a","timestamp":"2026-11-20T10:00:02.120Z","anonymous_id":"m"}"#;

    fn with(fields: &str) -> Result<Event, EventError> {
        read_event(&PLAIN.replacen('}', &format!(",{fields}}}"), 1))
    }

    #[test]
    fn an_event_is_read_with_everything_it_says() {
        let fields =
            r#""lane":"l","seq":3,"session_id":"s","user_id":"\u00fc","x":[{}],"metadata":{"a":1.50}"#;
        let event = with(fields).unwrap();
        assert_eq!(event.event_id, EventId(derived_uuid("order-1")));
        assert_eq!(event.lane, Some(LaneSeq { lane: LaneId(derived_uuid("l")), seq: 3 }));
        assert_eq!((event.user_id.as_deref(), event.metadata.as_deref()), (Some("ü"), Some(r#"{"a":1.50}"#)));
        assert_eq!(event.session, Some(SessionId(derived_uuid("s"))));
    }

    #[test]
    fn a_sender_with_a_user_id_alone_is_a_member_of_its_own() {
        let event = with(r#""anonymous_id":null,"user_id":"u1""#).unwrap();
        assert_eq!(&*event.member.0, "user:u1");
        assert_eq!(with(r#""anonymous_id":null"#), Err(EventError::Missing("anonymous_id")));
    }

    #[test]
    fn a_bad_field_is_told_by_name() {
        for (fields, field) in [
            (r#""session_id":7"#, "session_id"),
            (r#""seq":1"#, "lane"),
            (r#""lane":"l","seq":0"#, "seq"),
            (r#""timestamp":"yesterday""#, "timestamp"),
            (r#""event_type":"""#, "event_type"),
            (r#""user_id":"\ud800""#, "user_id"),
            (r#""metadata":[]"#, "metadata"),
            (r#""metadata":{"a":1e400}"#, "metadata"),
        ] {
            assert_eq!(with(fields).map_err(EventError::field), Err(field), "{fields}");
        }
        assert_eq!(read_event("7"), Err(EventError::NotAnObject));
        assert_eq!(
            read_event(&" ".repeat(MAX_EVENT_BYTES + 1)).map_err(EventError::code),
            Err("event_too_large")
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = (read_event(&text), with(&text), peek_event_id(&text));
        }
    }
}
