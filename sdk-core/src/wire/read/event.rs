//! One event from its own text.

use super::defaults::EventDefaults;
use super::error::{EventError, EventField};
use super::{direct, strict};
use crate::id::{EventId, LaneId, MemberId, SessionId, Uuid, uuid_from_text};
use crate::limits::{MAX_JSON_DEPTH, MAX_SEQ};
use crate::time::Timestamp;
use crate::wire::{Event, LaneSeq};
use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Every field as its own text: a field of the wrong type is then told by its name.
#[derive(Default, Deserialize)]
#[serde(default)]
struct RawEvent<'a> {
    #[serde(borrow)]
    event_id: Option<&'a RawValue>,
    #[serde(borrow)]
    event_type: Option<&'a RawValue>,
    #[serde(borrow)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    anonymous_id: Option<&'a RawValue>,
    #[serde(borrow)]
    lane: Option<&'a RawValue>,
    #[serde(borrow)]
    seq: Option<&'a RawValue>,
    #[serde(borrow)]
    session_id: Option<&'a RawValue>,
    #[serde(borrow)]
    user_id: Option<&'a RawValue>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
}

/// Reads one event. Unknown fields are passed over; `null` counts as absent; ids that are no UUID are mapped to one.
///
/// A sender with a user id alone is the member `user:<id>`.
///
/// # Errors
/// Says what is wrong with which field.
pub fn parse_event(raw: &str, defaults: EventDefaults<'_>) -> Result<Event, EventError> {
    direct::read(raw, defaults).map_or_else(|| parse_by_field(raw, defaults), Ok)
}

/// Reads each field from its own text, so that what is wrong is told by its name and place.
fn parse_by_field(raw: &str, defaults: EventDefaults<'_>) -> Result<Event, EventError> {
    let parsed: Result<RawEvent<'_>, _> = serde_json::from_str(raw);
    if !raw.trim_start().starts_with('{') && parsed.as_ref().err().is_none_or(serde_json::Error::is_data) {
        return Err(EventError::NotAnObject);
    }
    let fields = parsed.map_err(|error| EventError::Unreadable(error.to_string()))?;
    // The event itself is the first level, so its metadata has as many levels as anywhere else.
    strict::check(raw, MAX_JSON_DEPTH + 1)
        .map_err(|error| EventError::Json { field: fields.field_at(raw, error.offset()), error })?;

    let user_id = text(EventField::UserId, fields.user_id)?;
    let member = match (text(EventField::AnonymousId, fields.anonymous_id)?, defaults.member, &user_id) {
        (Some(own), _, _) => MemberId(own.into()),
        (None, Some(sender), _) => sender.clone(),
        (None, None, Some(user)) => MemberId(format!("user:{user}").into()),
        (None, None, None) => return Err(EventError::Missing(EventField::AnonymousId)),
    };
    Ok(Event {
        event_id: EventId(
            id(EventField::EventId, fields.event_id)?.ok_or(EventError::Missing(EventField::EventId))?,
        ),
        event_type: required(EventField::EventType, fields.event_type)?.into(),
        timestamp: Timestamp::parse(&required(EventField::Timestamp, fields.timestamp)?)
            .ok_or(EventError::Invalid(EventField::Timestamp))?,
        member,
        lane: lane_seq(&fields, defaults.lane)?,
        session: id(EventField::SessionId, fields.session_id)?.map(SessionId),
        user_id: user_id.map(Into::into),
        metadata: match fields.metadata.map(RawValue::get) {
            None | Some("{}") => None,
            Some(object) if object.starts_with('{') => Some(object.into()),
            Some(_) => return Err(EventError::Invalid(EventField::Metadata)),
        },
    })
}

/// The `event_id` as the sender wrote it, for the receipt row of an event that was refused.
pub fn peek_event_id(raw: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Peek<'a> {
        #[serde(borrow)]
        event_id: Cow<'a, str>,
    }
    serde_json::from_str(raw).ok().map(|peek: Peek<'_>| peek.event_id.into_owned())
}

impl RawEvent<'_> {
    /// The field whose text holds the byte at `offset` of `raw`.
    fn field_at(&self, raw: &str, offset: usize) -> Option<EventField> {
        let place = raw.as_ptr() as usize + offset;
        [
            (EventField::EventId, self.event_id),
            (EventField::EventType, self.event_type),
            (EventField::Timestamp, self.timestamp),
            (EventField::AnonymousId, self.anonymous_id),
            (EventField::Lane, self.lane),
            (EventField::Seq, self.seq),
            (EventField::SessionId, self.session_id),
            (EventField::UserId, self.user_id),
            (EventField::Metadata, self.metadata),
        ]
        .into_iter()
        .find(|(_, value)| {
            value.is_some_and(|value| {
                let start = value.get().as_ptr() as usize;
                (start..start + value.get().len()).contains(&place)
            })
        })
        .map(|(field, _)| field)
    }
}

fn lane_seq(fields: &RawEvent<'_>, sender: Option<LaneId>) -> Result<Option<LaneSeq>, EventError> {
    let own = id(EventField::Lane, fields.lane)?.map(LaneId);
    let Some(seq) = fields.seq else { return Ok(None) };
    let seq = seq.get().parse().ok().filter(|seq| (1..=MAX_SEQ).contains(seq));
    Ok(Some(LaneSeq {
        lane: own.or(sender).ok_or(EventError::Missing(EventField::Lane))?,
        seq: seq.ok_or(EventError::Invalid(EventField::Seq))?,
    }))
}

fn id(field: EventField, raw: Option<&RawValue>) -> Result<Option<Uuid>, EventError> {
    text(field, raw)?.map(|text| uuid_from_text(&text).ok_or(EventError::Invalid(field))).transpose()
}

fn required(field: EventField, raw: Option<&RawValue>) -> Result<Cow<'_, str>, EventError> {
    text(field, raw)?.ok_or(EventError::Missing(field))
}

fn text(field: EventField, raw: Option<&RawValue>) -> Result<Option<Cow<'_, str>>, EventError> {
    let Some(raw) = raw.map(RawValue::get) else { return Ok(None) };
    let inner = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inner.ok_or(EventError::Invalid(field))? {
        plain if !plain.as_bytes().contains(&b'\\') => Ok(Some(Cow::Borrowed(plain))),
        _ => serde_json::from_str(raw)
            .map(|text: String| Some(text.into()))
            .map_err(|_| EventError::Invalid(field)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::derived_uuid;
    use crate::wire::sample;
    use proptest::prelude::*;
    use std::vec::Vec;

    const PLAIN: &str = r#"{"event_id":"order-1","event_type":"a","timestamp":"2026-11-20T10:00:02.120Z"}"#;

    fn read(raw: &str) -> Result<Event, EventError> {
        parse_event(raw, EventDefaults { member: Some(&sample::member("m")), lane: Some(sample::lane(1)) })
    }

    fn with(fields: &str) -> Result<Event, EventError> {
        read(&PLAIN.replacen('{', &format!("{{{fields},"), 1))
    }

    #[test]
    fn reads_a_foreign_event_with_the_envelopes_defaults() {
        let event =
            with(r#""anonymous_id":null,"seq":3,"user_id":"\u00fc","unknown":[{"x":1}],"metadata":{"a":1}"#);
        let event = event.unwrap();
        assert_eq!(event.event_id, EventId(derived_uuid("order-1")));
        assert_eq!(
            (event.member, event.lane),
            (sample::member("m"), Some(LaneSeq { lane: sample::lane(1), seq: 3 }))
        );
        assert_eq!((event.user_id.as_deref(), event.metadata.as_deref()), (Some("ü"), Some(r#"{"a":1}"#)));
    }

    #[test]
    fn a_sender_with_a_user_id_alone_is_a_member_of_its_own() {
        let raw = PLAIN.replace("{", r#"{"user_id":"u1","#);
        assert_eq!(parse_event(&raw, EventDefaults::default()).unwrap().member, sample::member("user:u1"));
        let nobody = parse_event(PLAIN, EventDefaults::default()).unwrap_err();
        assert_eq!((nobody.code(), nobody.field()), ("anonymous_id_missing", "anonymous_id"));
    }

    #[test]
    fn a_bad_field_is_told_by_name() {
        let long = format!(r#""session_id":"{}""#, "x".repeat(101));
        let deep = format!(r#""metadata":{{"a":{}1{}}}"#, "[".repeat(200), "]".repeat(200));
        for (fields, code, field) in [
            (r#""session_id":7"#, "session_id_invalid", "session_id"),
            (&*long, "session_id_invalid", "session_id"),
            (r#""seq":0"#, "seq_invalid", "seq"),
            (r#""seq":1.5"#, "seq_invalid", "seq"),
            (r#""seq":9007199254740992"#, "seq_invalid", "seq"),
            (r#""lane":"""#, "lane_invalid", "lane"),
            (r#""user_id":{}"#, "user_id_invalid", "user_id"),
            (r#""user_id":"\udc00""#, "json_bad_escape", "user_id"),
            (r#""metadata":[]"#, "metadata_not_an_object", "metadata"),
            (r#""metadata":{"a":"\ud800"}"#, "json_bad_escape", "metadata"),
            (r#""metadata":{"a":1e400}"#, "json_number_out_of_range", "metadata"),
            (&*deep, "json_too_deep", "metadata"),
            (r#""other":"\ud800""#, "json_bad_escape", "event"),
            (r#""event_id":"twice""#, "event_unreadable", "event"),
        ] {
            let error = with(fields).unwrap_err();
            assert_eq!((error.code(), error.field()), (code, field), "{fields}");
        }
    }

    #[test]
    fn an_event_without_its_three_fields_is_refused() {
        for (raw, code) in [
            (r#"{"event_type":"a","timestamp":"2026-11-20T10:00:02Z"}"#, "event_id_missing"),
            (r#"{"event_id":"1","timestamp":"2026-11-20T10:00:02Z"}"#, "event_type_missing"),
            (r#"{"event_id":"1","event_type":"a"}"#, "timestamp_missing"),
            (r#"{"event_id":"1","event_type":"a","timestamp":"yesterday"}"#, "timestamp_invalid"),
            (r#"{"event_id":"1","event_type":"a","timestamp":17}"#, "timestamp_invalid"),
            ("[]", "event_not_an_object"),
            ("7", "event_not_an_object"),
            ("", "event_unreadable"),
            ("{", "event_unreadable"),
        ] {
            assert_eq!(read(raw).unwrap_err().code(), code, "{raw}");
        }
    }

    #[test]
    fn a_refused_event_still_tells_its_id() {
        assert_eq!(peek_event_id(r#"{"event_id":"order-1","x":"\ud800"}"#).as_deref(), Some("order-1"));
        assert_eq!(peek_event_id("{}"), None);
    }

    /// Values of every form, good and bad.
    const VALUES: &str = r#"null|true|7|-0|3\.0|1e2|1e400|9007199254740992|"m"|""|"\\u00fc"|"\\ud800"|"a\\"b"|"2026-11-20T10:00:02Z"|"0197a000-0000-7000-8000-000000000001"|\{\}|\{ \}|\{"a":[1,2e3]\}|\{"a":"\\udc00"\}|\[\{\}\]|\{"a":1e999\}|[9]{301,310}"#;
    const NAMES: &str = "event_id|event_type|timestamp|anonymous_id|lane|seq|session_id|user_id|metadata|other|event_\\\\u0069d";

    proptest! {
        #[test]
        fn what_is_read_at_once_is_what_is_read_field_by_field(
            fields in proptest::collection::vec((NAMES, VALUES), 0..4),
            is_whole: bool,
            has_member: bool,
            has_lane: bool,
        ) {
            let fields: Vec<_> = fields.iter().map(|(name, value)| format!(r#""{name}" :{value}"#)).collect();
            let mut raw = format!("{{{}}}", fields.join(" , "));
            if is_whole && !fields.is_empty() {
                raw = PLAIN.replacen('{', &format!("{{{},", fields.join(",")), 1);
            }
            let member = sample::member("m");
            let lane = has_lane.then(|| sample::lane(1));
            let defaults = EventDefaults { member: has_member.then_some(&member), lane };
            prop_assert_eq!(parse_event(&raw, defaults), parse_by_field(&raw, defaults), "{}", raw);
        }

        #[test]
        fn random_text_never_panics(text: String) {
            let _ = read(&text);
            let _ = with(&text);
        }
    }
}
