//! Turning an envelope into log records: each event read, checked and encoded alone.

use super::door::key_of;
use super::facts::Finding;
use super::letters::Letters;
use super::origin::clocks_of_members;
use super::path::path_at;
use super::{Moment, clocks};
use crate::access::{Identity, WriteKey};
use crate::limits::CLOCK_SHIFT_MS;
use crate::log::{Batch, Origin};
use attune_core::filter::{Reason, check_bounds};
use attune_core::id::MemberId;
use attune_core::limits::{FUTURE_MS, MAX_EVENT_AGE_MS, MAX_EVENT_BYTES, MAX_ID_CHARS};
use attune_core::time::{Clocks, Timestamp};
use attune_core::wire::{
    Envelope, Event, EventDefaults, EventError, Facts, IDENTIFY, Record, ResultKind, ResultRow,
    encode_record, parse_event, peek_event_id,
};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// Code and message of an event whose member has been erased.
pub const MEMBER_ERASED: (&str, &str) = ("member_erased", "the member has been erased");

/// What an envelope holds for the log, and what its receipt will say.
#[derive(Debug, Default)]
pub struct Read {
    /// The records.
    pub records: Batch,
    /// How many records stand before those of events.
    pub entries_before: usize,
    /// For each event record, in order: the index of its event in the request.
    pub places: Vec<usize>,
    /// Rows of refused events and warnings.
    pub rows: Vec<ResultRow>,
    /// By how much the timestamps were shifted, in milliseconds.
    pub clock_shift_ms: i64,
    /// The sending member.
    pub member: Option<MemberId>,
    /// How many refused events are only counted.
    pub letters_left_out: u64,
    /// How many events are of programs.
    pub bots: u64,
}

/// Reads every event of an envelope that arrived at a moment under a key. `early` has those that have been read with it, each
/// in its place.
pub fn read(envelope: &Envelope<'_>, early: Vec<Option<Event>>, key: &WriteKey, moment: &Moment<'_>) -> Read {
    let now = moment.now;
    let bytes = envelope.events.iter().map(|raw| raw.len()).sum();
    let mut read = Read {
        records: Batch::with_capacity(
            envelope.events.len() + envelope.void.len() + envelope.closed.len(),
            bytes,
        ),
        entries_before: 0,
        places: Vec::with_capacity(envelope.events.len()),
        rows: Vec::new(),
        clock_shift_ms: clock_shift_ms(envelope, now),
        member: envelope.anonymous_id.clone().filter(|member| member.0.len() <= 4 * MAX_ID_CHARS),
        letters_left_out: 0,
        bots: 0,
    };
    let mut letters = Letters::new(envelope, key, moment, read.clock_shift_ms);
    let mut events = Vec::with_capacity(envelope.events.len());
    let mut finding = Finding::new(moment, envelope.context);
    let mut early = early.into_iter();
    for (index, raw) in envelope.events.iter().enumerate() {
        let event = read_one((index, raw), early.next().flatten(), envelope);
        let (code, message) = match event.and_then(|event| assigned(event, key)) {
            Ok(event) if moment.erased.has(&event.member) => {
                letters.nothing_of(Some(event.event_type), MEMBER_ERASED);
                (MEMBER_ERASED.0, MEMBER_ERASED.1.to_owned())
            }
            Ok(event) if !key.takes(&event.event_type) => {
                let (code, message) = type_not_allowed(&event.event_type);
                letters.unread(index, raw, (code, &message));
                (code, message)
            }
            Ok(mut event) => {
                let (proven, found) = (is_proven(&event, key), finding.of(index, &event.event_type));
                read.bots += u64::from(found.is_bot);
                let is_refused = found.is_bot && moment.refuses_bots();
                let verdict = if is_refused { Err(Reason::Bot) } else { Ok(()) };
                match verdict
                    .and_then(|()| moment.guard_of(index).map_or(Ok(()), |guard| guard.judge(&mut event)))
                {
                    Ok(()) => {
                        events.push((index, *raw, event, (proven, found.facts)));
                        continue;
                    }
                    Err(reason) => {
                        let message = reason.message();
                        keep_judged(event, proven, (&reason, &message), moment, &mut letters);
                        (reason.code(), message)
                    }
                }
            }
            Err((code, message)) => {
                letters.unread(index, raw, (code, &message));
                (code, message)
            }
        };
        read.rows.push(row(index, raw, ResultKind::Rejected, code, message));
    }
    let context_clocks = envelope.context.and_then(|context| clocks::of_context(context, now));
    let told = match context_clocks {
        Some(clocks) => events.iter().map(|(_, _, event, _)| (&event.member, clocks)).collect(),
        None => {
            let indexed = events.iter().map(|(index, _, event, _)| (*index, event));
            clocks_of_members(indexed, moment.origins, now)
        }
    };
    read.tell_clocks(told, now);
    for (index, raw, event, known) in events {
        read.take((index, raw), event, known, now);
    }
    for range in envelope.void.iter().filter(|range| !moment.erased.has(&range.member)) {
        let record =
            Record::Void { member: range.member.clone(), lane: range.lane, from: range.from, to: range.to };
        read.records.push(None, |out| encode_record(&record, out));
    }
    for closed in envelope.closed.iter().filter(|closed| !moment.erased.has(&closed.member)) {
        let record =
            Record::Close { member: closed.member.clone(), lane: closed.lane, count: closed.count, at: now };
        read.records.push(None, |out| encode_record(&record, out));
    }
    read.letters_left_out = letters.left_out;
    for refused in letters.into_refused() {
        read.records.push(None, |out| encode_record(&Record::Refused(refused.into()), out));
    }
    read
}

/// Keeps an event that the policy refuses: of one whose metadata is not as it should be what may be kept, of others nothing.
fn keep_judged(
    mut event: Event,
    proven: bool,
    (reason, message): (&Reason, &str),
    moment: &Moment<'_>,
    letters: &mut Letters<'_>,
) {
    let why = (reason.code(), message);
    match (reason, moment.guard) {
        (Reason::SchemaMismatch { .. }, Some(guard)) => {
            // What was read once can be read again.
            let strip = |text: Box<str>| Some(guard.strip(&event.event_type, &text)?.into_owned().into());
            event.metadata = event.metadata.take().and_then(strip);
            letters.read(event, proven, why);
        }
        _ => letters.nothing_of(Some(event.event_type), why),
    }
}

/// The indexes of events that are too large alone, from a body that is too large as a whole.
pub fn oversized(text: &str) -> Vec<usize> {
    Envelope::parse(text).map(|envelope| too_large(&envelope.events)).unwrap_or_default()
}

/// The indexes of events that are too large alone.
pub fn too_large(events: &[&str]) -> Vec<usize> {
    let large = events.iter().enumerate().filter(|(_, raw)| raw.len() > MAX_EVENT_BYTES);
    large.map(|(index, _)| index).collect()
}

impl Read {
    /// Puts the clocks of members before their events, so that they are judged by them.
    fn tell_clocks(&mut self, told: BTreeMap<&MemberId, Clocks>, at: Timestamp) {
        self.entries_before = told.len();
        for (member, clocks) in told {
            let record = Record::Clocks { member: member.clone(), clocks, at };
            self.records.push(None, |out| encode_record(&record, out));
        }
    }

    fn take(
        &mut self,
        (index, raw): (usize, &str),
        mut event: Event,
        (proven, facts): (bool, Option<Facts>),
        now: Timestamp,
    ) {
        event.timestamp = event.timestamp.plus(self.clock_shift_ms);
        if let Some((code, message)) = time_warning(event.timestamp, now) {
            self.rows.push(row(index, raw, ResultKind::Warning, code, message));
        }
        // Whoever has forgotten the proof would look for the user's profile in vain.
        if !proven && &*event.event_type == IDENTIFY && event.user_id.is_some() {
            let message = "the login links nothing: metadata.proof has to be the hex HMAC-SHA256 of the user id under the write key's identity_secret";
            self.rows.push(row(index, raw, ResultKind::Warning, "identity_unproven", message.to_owned()));
        }
        let key = key_of(&event, Origin::Sender);
        let record = Record::Event { event, received_at: now, proven, facts };
        self.records.push(Some(key), |out| encode_record(&record, out));
        self.places.push(index);
    }
}

/// A row of the receipt about the event that stood at `index` as `raw`.
pub fn row(index: usize, raw: &str, result: ResultKind, code: &str, message: String) -> ResultRow {
    let event_id: String = peek_event_id(raw).unwrap_or_default().chars().take(MAX_ID_CHARS).collect();
    ResultRow {
        index: index as u64,
        event_id: event_id.into(),
        result,
        code: code.into(),
        message: message.into(),
    }
}

fn read_one(
    (index, raw): (usize, &str),
    early: Option<Event>,
    envelope: &Envelope<'_>,
) -> Result<Event, (&'static str, String)> {
    if raw.len() > MAX_EVENT_BYTES {
        return Err(too_large_alone(raw));
    }
    if let Some(event) = early {
        return within_bounds(event);
    }
    read_text(&format_args!("events[{index}]"), raw, envelope.defaults())
}

/// Code and message of an event that is too large.
pub fn too_large_alone(raw: &str) -> (&'static str, String) {
    ("event_too_large", format!("the event is {} bytes; the limit is {MAX_EVENT_BYTES}", raw.len()))
}

/// Code and message of an event of a type that its key does not take.
pub fn type_not_allowed(event_type: &str) -> (&'static str, String) {
    ("type_not_allowed", format!("'{event_type}' is not among the event_types of this write key"))
}

/// Reads an event of any size, which messages call by a name.
///
/// # Errors
/// Code and message of what is wrong with it.
pub fn read_text(
    name: &dyn fmt::Display,
    raw: &str,
    defaults: EventDefaults<'_>,
) -> Result<Event, (&'static str, String)> {
    let event = parse_event(raw, defaults).map_err(|error| {
        // The core's words have the field; which value in it is for the sender's developer to find.
        let message = match &error {
            EventError::Json { error: at, .. } => match path_at(raw, at.offset()) {
                path if path.starts_with('[') || path.is_empty() => format!("{name}{path}: {error}"),
                path => format!("{name}.{path}: {error}"),
            },
            _ => error.to_string(),
        };
        (error.code(), message)
    })?;
    within_bounds(event)
}

fn within_bounds(event: Event) -> Result<Event, (&'static str, String)> {
    check_bounds(&event, event.metadata_bytes())
        .map_err(|rejection| (rejection.code(), rejection.message()))?;
    Ok(event)
}

/// What the members of users begin with whom a server names, and nobody else.
const OF_USER: &str = "user:";
/// The same where nobody has proven to be the user.
const UNPROVEN: &str = "unproven:";

/// Whether a member is a server's user: no browser is one, and whoever can name one is not to read it.
pub fn is_of_server(member: &MemberId) -> bool {
    member.0.starts_with(OF_USER) || member.0.starts_with(UNPROVEN)
}

/// Under a key that asks for proofs, who only names a user gets another member than the user that a proof has linked: else
/// everybody could add to the profile, or take it along.
///
/// # Errors
/// The member of a user is named by somebody who does not even name the user.
pub fn assigned(mut event: Event, key: &WriteKey) -> Result<Event, (&'static str, String)> {
    let Some(user) = event.member.0.strip_prefix(OF_USER) else { return Ok(event) };
    if matches!(key.identity, Identity::Open) {
        return Ok(event);
    }
    if event.user_id.as_deref() != Some(user) {
        let message = "an anonymous_id begins with 'user:' only where user_id is what follows";
        return Err(("anonymous_id_reserved", message.to_owned()));
    }
    if !is_proven(&event, key) {
        event.member = MemberId(format!("{UNPROVEN}{user}").into());
    }
    Ok(event)
}

/// Whether the event may link its member to the user it names.
pub fn is_proven(event: &Event, key: &WriteKey) -> bool {
    #[derive(Deserialize)]
    struct Metadata<'a> {
        #[serde(borrow)]
        proof: Cow<'a, str>,
    }
    let Some(user_id) = &event.user_id else { return false };
    match key.identity {
        Identity::Open => true,
        Identity::Proven { .. } => {
            let metadata = event.metadata.as_deref().filter(|_| &*event.event_type == IDENTIFY);
            let proof = metadata.and_then(|text| serde_json::from_str::<Metadata<'_>>(text).ok());
            proof.is_some_and(|metadata| key.proves(user_id, &metadata.proof))
        }
    }
}

/// A sender that does not know how far its clock is off is corrected once, by a whole batch.
fn clock_shift_ms(envelope: &Envelope<'_>, now: Timestamp) -> i64 {
    match (envelope.clock_skew_ms, envelope.sent_at) {
        (None, Some(sent_at)) if now.since(sent_at).saturating_abs() > CLOCK_SHIFT_MS => now.since(sent_at),
        _ => 0,
    }
}

fn time_warning(at: Timestamp, now: Timestamp) -> Option<(&'static str, String)> {
    if at.since(now) > FUTURE_MS {
        return Some(("timestamp_in_future", format!("timestamp is {at}, more than 24 h after {now}")));
    }
    if now.since(at) > MAX_EVENT_AGE_MS {
        return Some(("timestamp_in_past", format!("timestamp is {at}, more than 7 days before {now}")));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::access::Tombstones;
    use crate::ingest::Guard;
    use crate::secret::Secret;
    use attune_core::filter::{BotRule, Kinds, Policy, TypePolicy};
    use attune_core::wire::decode_record;

    const NOW: Timestamp = Timestamp(1_763_632_802_120);

    fn read_whole(text: &str) -> Read {
        read_by(None, text)
    }

    fn read_by(guard: Option<Guard<'_>>, text: &str) -> Read {
        let erased = Tombstones::new(Secret::of([7; 32]));
        erased.note(erased.of(&MemberId("gone".into())));
        let site = None;
        let moment = Moment {
            now: NOW,
            bundle_revision: 1,
            site,
            erased: &erased,
            guard,
            enriching: None,
            origins: &[],
        };
        let (envelope, events) = Envelope::parse_whole(text).unwrap();
        read(&envelope, events, &WriteKey::open("k").unwrap(), &moment)
    }

    fn event(id: &str, extra: &str) -> String {
        format!(r#"{{"event_id":"{id}","event_type":"click","timestamp":"{NOW}"{extra}}}"#)
    }

    fn batch(head: &str, events: &[String]) -> Read {
        read_whole(&format!(r#"{{"v":1,"anonymous_id":"m1"{head},"events":[{}]}}"#, events.join(",")))
    }

    #[test]
    fn a_bad_event_among_good_ones_is_named_by_index_and_id() {
        let large = event("big", &format!(r#","metadata":{{"x":"{}"}}"#, "y".repeat(MAX_EVENT_BYTES)));
        let read = batch("", &[event("a", ""), event("b", r#","metadata":7"#), large, event("c", "")]);
        let rows: Vec<_> = read.rows.iter().map(|row| (row.index, &*row.event_id, &*row.code)).collect();
        assert_eq!(rows, [(1, "b", "metadata_not_an_object"), (2, "big", "event_too_large")]);
        assert_eq!(read.places, [0, 3]);
    }

    #[test]
    fn a_value_that_nobody_can_read_is_told_by_its_path() {
        let bad = event("a", r#","metadata":{"items":[{"price":1},{},{"price":1e400}]}"#);
        let read = batch("", &[event("b", ""), bad]);
        let told = &*read.rows[0].message;
        assert!(told.starts_with("events[1].metadata.items[2].price: metadata holds a number"), "{told}");
        let odd = event("c", r#","x y":"\ud800""#);
        let told = batch("", &[odd]).rows.remove(0).message;
        assert!(told.starts_with(r#"events[0]["x y"]: "#), "{told}");
    }

    #[test]
    fn what_the_policy_of_the_bundle_forbids_never_reaches_the_log() {
        let rare = TypePolicy { per_minute: Some(1), ..TypePolicy::new("rare") };
        let policy = Policy {
            deny: vec!["click".into()],
            redact: Kinds::ALL,
            types: vec![TypePolicy { share: 0, ..TypePolicy::new("sampled") }, rare],
            ..Policy::default()
        };
        let named = |id: &str, kind: &str, metadata: &str| {
            event(id, &format!(r#","metadata":{metadata}"#)).replace("click", kind)
        };
        let whole = r#"{"big":12345678901234567890,"note":"as it was"}"#;
        let text = format!(
            r#"{{"v":1,"anonymous_id":"m1","events":[{}]}}"#,
            [
                named("a", "click", "{}"),
                named("b", "sampled", "{}"),
                named("c", "note", r#"{"by":"ann@example.com","big":12345678901234567890}"#),
                named("d", "note", whole),
                named("e", "rare", "{}"),
                named("f", "rare", "{}"),
            ]
            .join(",")
        );
        let read = read_by(Some(Guard { policy: &policy, user_agent: "" }), &text);
        let rows: Vec<_> = read.rows.iter().map(|row| (row.index, &*row.code, row.result)).collect();
        assert_eq!(
            rows,
            [(0, "denied_type", ResultKind::Rejected), (1, "sampled_out", ResultKind::Rejected)]
        );
        assert_eq!(read.places, [2, 3, 4, 5], "rates are the page's");
        let mut kept = Vec::new();
        for record in read.records.records() {
            if let Ok(Record::Event { event, .. }) = decode_record(record) {
                kept.extend(event.metadata);
            }
        }
        assert!(kept[0].starts_with(r#"{"by":"[email]","#), "{}", kept[0]);
        assert_eq!(&*kept[1], whole);
        let policy = Policy { bots: BotRule::Drop, ..Policy::default() };
        let by = |user_agent| read_by(Some(Guard { policy: &policy, user_agent }), &text).places.len();
        assert_eq!((by("Mozilla/5.0 Firefox/140.0"), by("Googlebot/2.1")), (6, 0));
    }

    #[test]
    fn nothing_of_an_erased_member_reaches_the_log() {
        let lane = "0197a000-0000-7000-8000-000000000001";
        let read = read_whole(&format!(
            r#"{{"v":1,"anonymous_id":"gone","lane":"{lane}","context":{{"time_zone_offset":60}},
                "void":[{{"lane":"{lane}","from":7,"to":9}}],"closed":[{{"lane":"{lane}","count":31}}],
                "events":[{},{}]}}"#,
            event("a", ""),
            event("b", r#","anonymous_id":"m1""#)
        ));
        let rows: Vec<_> = read.rows.iter().map(|row| (row.index, &*row.code)).collect();
        assert_eq!((rows, read.places), (vec![(0, "member_erased")], vec![1]));
        assert!(read.records.records().all(|record| !record.windows(4).any(|bytes| bytes == b"gone")));
    }

    #[test]
    fn a_sender_of_unknown_skew_is_shifted_by_a_difference_beyond_a_minute() {
        let sent = |ms: i64, context: &str| format!(r#","sent_at":"{}"{context}"#, NOW.plus(ms));
        for (head, shift) in [
            (sent(-61_000, ""), 61_000),
            (sent(3_600_000, r#","context":{"clock_skew_ms":null}"#), -3_600_000),
            (sent(-60_000, ""), 0),
            (sent(-61_000, r#","context":{"clock_skew_ms":5}"#), 0),
        ] {
            assert_eq!(batch(&head, &[]).clock_shift_ms, shift, "{head}");
        }
    }

    #[test]
    fn far_times_are_warned_about_and_kept() {
        let future = event("a", "").replace(&NOW.to_string(), &NOW.plus(2 * FUTURE_MS).to_string());
        let read = batch("", &[future]);
        assert_eq!((&*read.rows[0].code, read.rows[0].result), ("timestamp_in_future", ResultKind::Warning));
        assert_eq!(read.places.len(), 1);
    }
}
