//! The envelope of a batch: what holds for all its events, each of which stays text until it is read alone.

use super::EventDefaults;
use super::error::EnvelopeError;
use super::skew::Skew;
use super::whole::{self, RawEnvelope, Whole};
use crate::id::{LaneId, MemberId, uuid_from_text};
use crate::limits::{MAX_ID_CHARS, MAX_SEQ};
use crate::time::Timestamp;
use crate::wire::{Closed, Event, VoidRange};
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A batch as it arrived.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Envelope<'a> {
    /// The sender's wall clock at the moment of sending, uncorrected.
    pub sent_at: Option<Timestamp>,
    /// The member of every event that names none.
    pub anonymous_id: Option<MemberId>,
    /// The lane of every numbered event that names none.
    pub lane: Option<LaneId>,
    /// Difference to this clock that the sender knew and has applied to its timestamps.
    pub clock_skew_ms: Option<i64>,
    /// The page's context as JSON text.
    pub context: Option<&'a str>,
    /// Each event as text, for [`super::parse_event`].
    pub events: Vec<&'a str>,
    /// Numbers given up.
    pub void: Vec<VoidRange>,
    /// Lanes that have ended.
    pub closed: Vec<Closed>,
    /// Totals of the sending lane's drops by reason since its start.
    pub dropped: Vec<(Box<str>, u64)>,
}

#[derive(Deserialize)]
struct RawVoid<'a> {
    #[serde(borrow)]
    lane: Cow<'a, str>,
    anonymous_id: Option<Box<str>>,
    from: u64,
    to: u64,
}

#[derive(Deserialize)]
struct RawClosed<'a> {
    #[serde(borrow)]
    lane: Cow<'a, str>,
    anonymous_id: Option<Box<str>>,
    count: u64,
}

impl<'a> Envelope<'a> {
    /// Reads a batch in its JSON form; unknown fields are passed over and `null` counts as absent.
    ///
    /// # Errors
    /// Says what keeps the batch as a whole from being read; a bad event never does.
    pub fn parse(text: &'a str) -> Result<Self, EnvelopeError> {
        if !text.trim_start().starts_with('{') {
            return Err(EnvelopeError::Unreadable("a batch is a JSON object".into()));
        }
        let mut raw: RawEnvelope<'a> =
            serde_json::from_str(text).map_err(|e| EnvelopeError::Unreadable(e.to_string()))?;
        let events = raw.events.take();
        Self::of(raw, events.map(|events| events.into_iter().map(RawValue::get).collect()))
    }

    /// Reads a batch as [`Envelope::parse`] does, and its events as [`parse_event`](super::parse_event) does, in one pass where
    /// nothing is out of the ordinary. An event that has to be read alone is missing, and where the batch does not say
    /// otherwise every one is.
    ///
    /// # Errors
    /// As [`Envelope::parse`].
    pub fn parse_whole(text: &'a str) -> Result<(Self, Vec<Option<Event>>), EnvelopeError> {
        let Some(Whole { raw, events }) = whole::read(text) else {
            return Self::parse(text).map(|envelope| (envelope, Vec::new()));
        };
        let (texts, fields): (Vec<_>, Vec<_>) = events.into_iter().unzip();
        let envelope = Self::of(raw, Some(texts))?;
        let events = fields.into_iter().map(|fields| fields.event(envelope.defaults())).collect();
        Ok((envelope, events))
    }

    fn of(raw: RawEnvelope<'a>, events: Option<Vec<&'a str>>) -> Result<Self, EnvelopeError> {
        if let Some(version) = raw.v.map(RawValue::get).filter(|version| *version != "1") {
            return Err(EnvelopeError::VersionUnsupported(version.chars().take(MAX_ID_CHARS).collect()));
        }
        let events = events.ok_or(EnvelopeError::EventsMissing)?;
        let anonymous_id = read::<Box<str>>("anonymous_id", raw.anonymous_id)?.map(MemberId);
        let lane = read::<Cow<'_, str>>("lane", raw.lane)?.map(|text| lane_id("lane", &text)).transpose()?;
        let sent_at = read::<Cow<'_, str>>("sent_at", raw.sent_at)?
            .map(|text| instant("sent_at", &text))
            .transpose()?;
        let void = read_list("void", raw.void, |field, range: RawVoid<'a>| {
            if range.from == 0 || range.from > range.to || range.to > MAX_SEQ {
                return Err(invalid(field, "a range from 1 or more to no less"));
            }
            let member = member(field, range.anonymous_id, &anonymous_id)?;
            Ok(VoidRange { member, lane: lane_id(field, &range.lane)?, from: range.from, to: range.to })
        })?;
        let closed = read_list("closed", raw.closed, |field, closed: RawClosed<'a>| {
            if closed.count > MAX_SEQ {
                return Err(invalid(field, "a count that a double can hold"));
            }
            let member = member(field, closed.anonymous_id, &anonymous_id)?;
            Ok(Closed { member, lane: lane_id(field, &closed.lane)?, count: closed.count })
        })?;
        let dropped: Option<BTreeMap<Box<str>, u64>> = read("dropped", raw.dropped)?;
        let context = raw.context.map(RawValue::get);
        Ok(Self {
            sent_at,
            anonymous_id,
            lane,
            clock_skew_ms: context
                .and_then(|text| serde_json::from_str(text).ok())
                .and_then(|Skew(skew_ms)| skew_ms),
            context,
            events,
            void,
            closed,
            dropped: dropped.unwrap_or_default().into_iter().collect(),
        })
    }

    /// Takes one event a line, as NDJSON has it; everything else is unknown.
    pub fn from_lines(text: &'a str) -> Self {
        let events = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        Self { events, ..Self::default() }
    }

    /// What the events take from the envelope.
    pub const fn defaults(&self) -> EventDefaults<'_> {
        EventDefaults { member: self.anonymous_id.as_ref(), lane: self.lane }
    }
}

fn read<'a, T: Deserialize<'a>>(field: &str, raw: Option<&'a RawValue>) -> Result<Option<T>, EnvelopeError> {
    raw.map(|raw| {
        serde_json::from_str(raw.get()).map_err(|error| invalid(field, &format!("readable: {error}")))
    })
    .transpose()
}

fn read_list<'a, R: Deserialize<'a>, T>(
    field: &str,
    raw: Option<&'a RawValue>,
    convert: impl Fn(&str, R) -> Result<T, EnvelopeError>,
) -> Result<Vec<T>, EnvelopeError> {
    let items: Vec<R> = read(field, raw)?.unwrap_or_default();
    items.into_iter().enumerate().map(|(index, item)| convert(&format!("{field}[{index}]"), item)).collect()
}

fn member(field: &str, own: Option<Box<str>>, sender: &Option<MemberId>) -> Result<MemberId, EnvelopeError> {
    own.map(MemberId)
        .or_else(|| sender.clone())
        .filter(|member| !member.0.is_empty() && member.0.chars().nth(MAX_ID_CHARS).is_none())
        .ok_or_else(|| {
            invalid(field, &format!("of a member: anonymous_id has 1 to {MAX_ID_CHARS} characters"))
        })
}

fn lane_id(field: &str, text: &str) -> Result<LaneId, EnvelopeError> {
    let id = uuid_from_text(text).map(LaneId);
    id.ok_or_else(|| invalid(field, &format!("a lane id of 1 to {MAX_ID_CHARS} characters")))
}

fn instant(field: &str, text: &str) -> Result<Timestamp, EnvelopeError> {
    Timestamp::parse(text)
        .ok_or_else(|| invalid(field, "an RFC 3339 instant such as 2026-11-20T10:00:02.120Z"))
}

fn invalid(field: &str, expected: &str) -> EnvelopeError {
    EnvelopeError::Invalid { field: field.into(), expected: expected.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Batch, parse_event, sample, write_batch};
    use proptest::prelude::*;
    use std::string::String;

    #[test]
    fn what_the_page_writes_the_collector_reads() {
        let member = sample::member("m1");
        let (mut own, adopted) = (sample::full_event(1), sample::event(2));
        own.member = member.clone();
        let batch = Batch {
            sent_at: Timestamp(1_763_632_802_120),
            member: &member,
            lane: sample::lane(1),
            clock_skew_ms: Some(-120),
            context: Some(r#"{"locale":"de","clock_skew_ms":7}"#),
            events: alloc::vec![&own, &adopted],
            void: alloc::vec![VoidRange {
                member: sample::member("m2"),
                lane: sample::lane(3),
                from: 2,
                to: 5
            }],
            closed: alloc::vec![Closed { member: member.clone(), lane: sample::lane(4), count: 0 }],
            dropped: alloc::vec![("expired".into(), 1), ("queue_full".into(), 3)],
        };
        let text = write_batch(&batch);
        let envelope = Envelope::parse(&text).unwrap();
        let events: Vec<_> =
            envelope.events.iter().map(|raw| parse_event(raw, envelope.defaults()).unwrap()).collect();
        assert_eq!(events, [own.clone(), adopted.clone()]);
        assert_eq!(
            envelope,
            Envelope {
                sent_at: Some(batch.sent_at),
                anonymous_id: Some(member.clone()),
                lane: Some(batch.lane),
                clock_skew_ms: Some(-120),
                context: Some(r#"{"clock_skew_ms":-120,"locale":"de","clock_skew_ms":7}"#),
                events: envelope.events.clone(),
                void: batch.void,
                closed: batch.closed,
                dropped: batch.dropped,
            }
        );
    }

    #[test]
    fn a_poison_event_leaves_its_neighbours_readable() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        let good = r#"{"event_id":"1","event_type":"a","timestamp":"2026-11-20T10:00:02Z"}"#;
        let text = format!(
            r#"{{"v":1,"anonymous_id":"m","events":[{{"x":"\ud800"}},1e400,{deep},7,{good}],"new":[]}}"#
        );
        let envelope = Envelope::parse(&text).unwrap();
        let read: Vec<_> =
            envelope.events.iter().map(|raw| parse_event(raw, envelope.defaults()).is_ok()).collect();
        assert_eq!(read, [false, false, false, false, true]);
    }

    #[test]
    fn an_unreadable_batch_says_where() {
        for (text, code, place) in [
            ("", "batch_unreadable", "JSON object"),
            ("[]", "batch_unreadable", "JSON object"),
            (r#"{"events":[1,}"#, "batch_unreadable", "line 1 column 14"),
            (r#"{"events":{}}"#, "batch_unreadable", "line 1 column 10"),
            (r#"{"v":1}"#, "events_missing", "events"),
            (r#"{"v":2,"events":[]}"#, "version_unsupported", "v is 2"),
            (r#"{"sent_at":"now","events":[]}"#, "batch_invalid", "sent_at"),
            (r#"{"anonymous_id":7,"events":[]}"#, "batch_invalid", "anonymous_id"),
            (r#"{"lane":"","events":[]}"#, "batch_invalid", "lane"),
            (r#"{"void":[{"lane":"l","from":1,"to":1}],"events":[]}"#, "batch_invalid", "void[0]"),
            (
                r#"{"anonymous_id":"m","void":[{"lane":"l","from":2,"to":1}],"events":[]}"#,
                "batch_invalid",
                "void[0]",
            ),
            (
                r#"{"anonymous_id":"m","closed":[{"lane":"l","count":-1}],"events":[]}"#,
                "batch_invalid",
                "closed",
            ),
            (r#"{"dropped":{"a":"b"},"events":[]}"#, "batch_invalid", "dropped"),
        ] {
            let error = Envelope::parse(text).unwrap_err();
            assert_eq!(error.code(), code, "{text}");
            assert!(error.to_string().contains(place), "{text}: {error}");
        }
    }

    /// Fields of a batch, good and bad.
    const FIELDS: &str = r#""v" ?:1|"v":2|"sent_at":"2026-11-20T10:00:02Z"|"anonymous_id":("m"|null|7)|"lane":"l"|"context":\{"clock_skew_ms":[0-9]\}|"void":\[\]|"closed":\[\{"lane":"l","count":3\}\]|"dropped":\{"a":[0-9]\}|"other":\[1\]|"\\u0076":1|"events":\[\]"#;
    const EVENTS: &str = r#"\{\}|7|\{"event_id":"1","event_type":"a","timestamp":"2026-11-20T10:00:02Z"(,"seq":[0-2]|,"metadata":(\{"a":\[1\]\}|[37]|\{"a":1e999\})|,"anonymous_id":"n"|,"event_id":"2")?\}"#;

    proptest! {
        #[test]
        fn what_is_read_in_one_pass_is_what_is_read_one_after_the_other(
            before in proptest::collection::vec(FIELDS, 0..3),
            events in proptest::collection::vec(EVENTS, 0..4),
            after in proptest::collection::vec(FIELDS, 0..3),
            space in "[ \n\t]?",
            end in "\\}|\\} |\\},|,\\}|",
        ) {
            let events = format!(r#"{space}"events"{space}:{space}[{}]{space}"#, events.join(&format!("{space},{space}")));
            let fields: Vec<String> = before.into_iter().chain([events]).chain(after).collect();
            let text = format!("{space}{{{}{end}", fields.join(","));
            let expected = Envelope::parse(&text);
            match Envelope::parse_whole(&text) {
                Ok((envelope, events)) => {
                    for (raw, event) in envelope.events.iter().zip(events) {
                        let alone = parse_event(raw, envelope.defaults());
                        prop_assert!(event.is_none_or(|event| alone == Ok(event)), "{}", raw);
                    }
                    prop_assert_eq!(Ok(envelope), expected, "{}", text);
                }
                Err(error) => prop_assert_eq!(Err(error), expected, "{}", text),
            }
        }
    }

    #[test]
    fn a_batch_as_pages_write_it_is_read_in_one_pass() {
        let event = r#"{"event_id":"1","event_type":"a","timestamp":"2026-11-20T10:00:02Z","seq":1}"#;
        let batch = |events: &str| {
            format!(
                r#"{{"v":1,"anonymous_id":"m","lane":"l","context":{{"locale":"de"}},"events":[{events}]}}"#
            )
        };
        let read = |text: &str| Envelope::parse_whole(text).unwrap().1;
        assert_eq!(read(&batch(&[event; 3].join(" ,\n"))).iter().flatten().count(), 3);
        let wrong = event.replace("\"seq\":1", "\"seq\":0");
        let found: Vec<_> = read(&batch(&[event, &wrong].join(","))).iter().map(Option::is_some).collect();
        assert_eq!(found, [true, false], "one alone is left to be read alone");
        assert!(read(&batch(&[event, "7"].join(","))).is_empty(), "nothing is kept of what breaks off");
        // No more of them are held than a batch may have.
        assert!(read(&batch(&std::vec!["{}"; crate::limits::MAX_BATCH_EVENTS + 1].join(","))).is_empty());
    }

    #[test]
    fn lines_are_events() {
        assert_eq!(Envelope::from_lines("{\"a\":1}\r\n\n {}\n").events, [r#"{"a":1}"#, "{}"]);
    }

    proptest! {
        #[test]
        fn random_text_never_panics(text: String) {
            let _ = Envelope::parse(&text);
            let _ = Envelope::parse(&format!(r#"{{"events":[],{text}}}"#));
        }
    }
}
