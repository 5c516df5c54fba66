//! Records of one member from JSON: an event, numbers that will never come, a lane that has ended.

use crate::cut::fields;
use crate::event::{EventError, read_event};
use attune_core::id::{LaneId, MemberId, uuid_from_text};
use attune_core::limits::MAX_SEQ;
use attune_core::time::Timestamp;
use attune_core::value::{Value, parse};
use attune_core::wire::{Facts, Record};

/// Why a record cannot be taken in; its neighbours still can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordError {
    /// None of `event`, `void` and `close`, or several of them.
    NoKind,
    /// A field of the record that is missing or not what it has to be.
    Invalid(&'static str),
    /// Its event.
    Event(EventError),
    /// Its event is another member's.
    OtherMember,
}

impl RecordError {
    /// Stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoKind => "record_unknown",
            Self::Invalid(_) => "field_invalid",
            Self::Event(error) => error.code(),
            Self::OtherMember => "member_other",
        }
    }

    /// The field that is wrong.
    pub const fn field(self) -> &'static str {
        match self {
            Self::NoKind => "record",
            Self::Invalid(field) => field,
            Self::Event(error) => error.field(),
            Self::OtherMember => "anonymous_id",
        }
    }

    /// The same for people.
    pub fn message(self) -> String {
        match self {
            Self::NoKind => "expected an object with one of event, void and close".into(),
            Self::Invalid(field) => format!("{field} is not {}", expected(field)),
            Self::Event(error) => error.message(),
            Self::OtherMember => "the event is of another member than the state".into(),
        }
    }
}

fn expected(field: &str) -> &'static str {
    match field {
        "received_at" | "close.at" => "an instant such as 2026-11-20T10:00:02.120Z",
        "proven" => "true or false",
        "facts" => "an object with context, an object, and gpc and aside, true or false",
        "void.lane" | "close.lane" => "a text of 1 to 100 characters",
        _ => "a whole number from 1 to 9007199254740991, the first not above the last",
    }
}

/// Reads `{"event":{…},"received_at":…,"proven":…,"facts":{"context":{…},"gpc":…,"aside":…}}`, `{"void":{"lane":…,"from":…,"to":…}}` or
/// `{"close":{"lane":…,"count":…,"at":…}}` of a member. An event is received at its own time where nothing else is said,
/// and its user is not proven.
///
/// # Errors
/// What is wrong with which field.
pub(crate) fn read_record(text: &str, member: &MemberId) -> Result<Record, RecordError> {
    let found = fields(text).ok_or(RecordError::NoKind)?;
    let field = |name: &str| found.iter().rev().find(|(other, _)| *other == name).map(|(_, text)| *text);
    match (field("event"), field("void"), field("close")) {
        (Some(event), None, None) => {
            let event = read_event(event).map_err(RecordError::Event)?;
            if event.member != *member {
                return Err(RecordError::OtherMember);
            }
            let received_at = match field("received_at") {
                Some(text) => instant(&read(text, "received_at")?, "received_at")?,
                None => event.timestamp,
            };
            let proven = match field("proven") {
                None | Some("false") => false,
                Some("true") => true,
                Some(_) => return Err(RecordError::Invalid("proven")),
            };
            Ok(Record::Event { event, received_at, proven, facts: facts(field("facts"))? })
        }
        (None, Some(void), None) => {
            let void = read(void, "void")?;
            let (from, to) = (number(&void, "from", "void.from")?, number(&void, "to", "void.to")?);
            if from > to {
                return Err(RecordError::Invalid("void.to"));
            }
            Ok(Record::Void { member: member.clone(), lane: lane(&void, "void.lane")?, from, to })
        }
        (None, None, Some(close)) => {
            let close = read(close, "close")?;
            let at = instant(close.field("at").unwrap_or(&Value::Null), "close.at")?;
            let (lane, count) = (lane(&close, "close.lane")?, number(&close, "count", "close.count")?);
            Ok(Record::Close { member: member.clone(), lane, count, at })
        }
        _ => Err(RecordError::NoKind),
    }
}

/// What the collector has found out about where an event comes from.
fn facts(text: Option<&str>) -> Result<Option<Facts>, RecordError> {
    let Some(text) = text else { return Ok(None) };
    let invalid = RecordError::Invalid("facts");
    let found = fields(text).ok_or(invalid)?;
    let field = |name: &str| found.iter().rev().find(|(other, _)| *other == name).map(|(_, text)| *text);
    let is_set = |name: &str| match field(name) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(invalid),
    };
    let context =
        field("context").filter(|text| matches!(read(text, "facts"), Ok(Value::Object(_)))).ok_or(invalid)?;
    Ok(Some(Facts { context: context.into(), gpc: is_set("gpc")?, aside: is_set("aside")? }))
}

fn read(text: &str, field: &'static str) -> Result<Value, RecordError> {
    parse(text).map(|value| value.get().to_tree()).map_err(|_| RecordError::Invalid(field))
}

fn instant(value: &Value, field: &'static str) -> Result<Timestamp, RecordError> {
    value.as_str().and_then(Timestamp::parse).ok_or(RecordError::Invalid(field))
}

fn lane(of: &Value, field: &'static str) -> Result<LaneId, RecordError> {
    let id = of.field("lane").and_then(Value::as_str).and_then(uuid_from_text);
    id.map(LaneId).ok_or(RecordError::Invalid(field))
}

fn number(of: &Value, name: &str, field: &'static str) -> Result<u64, RecordError> {
    let number = of.field(name).and_then(Value::as_number).filter(|number| number.fract() == 0.0);
    let number = number.filter(|number| (1.0..=MAX_SEQ as f64).contains(number));
    number.map(|number| number as u64).ok_or(RecordError::Invalid(field))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Record, RecordError> {
        read_record(text, &MemberId("m".into()))
    }

    const EVENT: &str =
        r#"{"event_id":"e","event_type":"a","timestamp":"2026-11-20T10:00:00Z","anonymous_id":"m"}"#;

    #[test]
    fn what_the_collector_has_found_out_comes_with_the_event() {
        let facts = r#"{"context":{"geo":{"country":"DE"}},"aside":true}"#;
        let Ok(Record::Event { facts: Some(found), .. }) =
            read(&format!(r#"{{"event":{EVENT},"facts":{facts}}}"#))
        else {
            panic!("an event with facts")
        };
        let expected = Facts { context: r#"{"geo":{"country":"DE"}}"#.into(), gpc: false, aside: true };
        assert_eq!(found, expected);
    }

    #[test]
    fn an_event_is_received_at_its_time_and_unproven_unless_the_record_says_else() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let Ok(Record::Event { received_at, proven, .. }) = read(&format!(r#"{{"event":{EVENT}}}"#)) else {
            panic!("an event")
        };
        assert_eq!((received_at, proven), (at("2026-11-20T10:00:00Z"), false));
        let more = format!(r#"{{"proven":true,"event":{EVENT},"received_at":"2026-11-20T10:00:05Z"}}"#);
        let Ok(Record::Event { received_at, proven, .. }) = read(&more) else { panic!("an event") };
        assert_eq!((received_at, proven), (at("2026-11-20T10:00:05Z"), true));
    }

    #[test]
    fn a_bad_field_is_told_by_name() {
        for (text, field) in [
            ("[]", "record"),
            ("{}", "record"),
            (r#"{"event":{},"void":{}}"#, "record"),
            (r#"{"event":7}"#, "event"),
            (
                &EVENT.replace("\"m\"", "\"n\"").replacen('{', r#"{"event":{"#, 1).replacen('}', "}}", 1),
                "anonymous_id",
            ),
            (&format!(r#"{{"event":{EVENT},"proven":1}}"#), "proven"),
            (&format!(r#"{{"event":{EVENT},"facts":7}}"#), "facts"),
            (&format!(r#"{{"event":{EVENT},"facts":{{"context":[]}}}}"#), "facts"),
            (&format!(r#"{{"event":{EVENT},"facts":{{"context":{{}},"gpc":"on"}}}}"#), "facts"),
            (&format!(r#"{{"event":{EVENT},"received_at":"soon"}}"#), "received_at"),
            (r#"{"void":{"lane":"l","from":1.5,"to":2}}"#, "void.from"),
            (r#"{"void":{"lane":"l","from":3,"to":2}}"#, "void.to"),
            (r#"{"void":{"from":1,"to":2}}"#, "void.lane"),
            (r#"{"close":{"lane":"l","count":0,"at":"2026-11-20T10:00:00Z"}}"#, "close.count"),
            (r#"{"close":{"lane":"l","count":1}}"#, "close.at"),
        ] {
            assert_eq!(read(text).map_err(RecordError::field), Err(field), "{text}");
        }
        assert!(read(r#"{"void":{"lane":"l","from":1,"to":2}}"#).is_ok());
        assert!(read(r#"{"close":{"lane":"l","count":2,"at":"2026-11-20T10:00:00Z"}}"#).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in r#"\{?"(event|void|close)":[\[\]{}",:\\a1]{0,30}\}?"#) {
            let _ = read(&text);
        }
    }
}
