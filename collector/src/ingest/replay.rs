//! Taking dead letters in again: each by its event id and without its lane, once in effect however often it is tried.

use super::batch::{MEMBER_ERASED, assigned, is_proven, read_text, too_large_alone, type_not_allowed};
use super::door::{PAYLOAD_CONFLICT, key_of};
use super::{Ingest, IngestError, Moment};
use crate::access::WriteKeys;
use crate::log::{Batch, Origin, Verdict};
use attune_core::id::{LaneId, Uuid};
use attune_core::limits::MAX_EVENT_BYTES;
use attune_core::wire::{
    Event, EventDefaults, LetterId, Record, Refused, RefusedBy, RefusedContent, Replayed, encode_record,
};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What became of a dead letter that was tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is in effect now.
    Accepted,
    /// The same event has been in effect already.
    Duplicate,
    /// It is refused again, with this code and message, which it has from now on.
    Refused(Box<str>, Box<str>),
    /// It cannot be tried, and stays as it is; code and message say why.
    Impossible(&'static str, String),
}

impl Outcome {
    /// Its stable name, of the form of a receipt's.
    pub const fn result(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Refused(..) | Self::Impossible(..) => "rejected",
        }
    }
}

impl Ingest {
    /// Tries dead letters again and says of each what became of it, once that is durable.
    ///
    /// Nobody else may try the same ones meanwhile. A crash on the way leaves the event in effect and the letter where it was;
    /// tried again, it is a duplicate.
    ///
    /// # Errors
    /// The log could not take it; what had been taken in is in effect.
    pub async fn replay(
        &self,
        letters: &[(LetterId, Refused)],
        keys: &WriteKeys,
        moment: Moment<'_>,
    ) -> Result<Vec<Outcome>, IngestError> {
        let (mut outcomes, mut batch, mut asked) = (Vec::new(), Batch::default(), BTreeMap::new());
        let mut entries = 0;
        for (place, (letter, refused)) in letters.iter().enumerate() {
            let outcome = match judge(refused, keys, &moment) {
                Ok((event, proven)) => {
                    // The door has let in what the worker has refused, and knows its id.
                    let is_asked = refused.by != RefusedBy::Worker;
                    let key = is_asked.then(|| key_of(&event, Origin::DeadLetters));
                    let record = Record::Event { event, received_at: moment.now, proven, facts: None };
                    batch.push(key, |out| encode_record(&record, out));
                    if is_asked {
                        asked.insert(entries, place);
                    } else {
                        // Both become durable together, since nothing else would tell a second try from the first.
                        push_tried(*letter, &Outcome::Accepted, &moment, &mut batch);
                        entries += 1;
                    }
                    entries += 1;
                    Outcome::Accepted
                }
                Err(outcome) => outcome,
            };
            outcomes.push(outcome);
        }
        let appended = self.append(batch).await?;
        for (entry, verdict) in appended {
            let Some(outcome) = asked.get(&entry).and_then(|place: &usize| outcomes.get_mut(*place)) else {
                continue;
            };
            let (code, message) = PAYLOAD_CONFLICT;
            *outcome = match verdict {
                Verdict::PayloadConflict => Outcome::Refused(code.into(), message.into()),
                _ => Outcome::Duplicate,
            };
        }
        let mut tried = Batch::default();
        for ((letter, refused), outcome) in letters.iter().zip(&outcomes) {
            let is_told = refused.by == RefusedBy::Worker && *outcome == Outcome::Accepted;
            if !is_told && !matches!(outcome, Outcome::Impossible(..)) {
                push_tried(*letter, outcome, &moment, &mut tried);
            }
            self.metrics.letters_replayed.add(outcome.result(), 1);
        }
        self.append(tried).await?;
        Ok(outcomes)
    }

    async fn append(&self, batch: Batch) -> Result<Vec<(usize, Verdict)>, IngestError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        self.log_batch(batch, None).await.map(|appended| appended.not_new)
    }
}

fn push_tried(letter: LetterId, outcome: &Outcome, moment: &Moment<'_>, batch: &mut Batch) {
    let refused = match outcome {
        Outcome::Refused(code, message) => Some((code.clone(), message.clone())),
        _ => None,
    };
    let replayed = Replayed { letter, at: moment.now, refused };
    batch.push(None, |out| encode_record(&Record::Replayed(replayed.into()), out));
}

/// The event of a dead letter as it may be taken in now, and whether its user id is proven.
fn judge(refused: &Refused, keys: &WriteKeys, moment: &Moment<'_>) -> Result<(Event, bool), Outcome> {
    let impossible = |code, message: &str| Outcome::Impossible(code, message.to_owned());
    let failed = |(code, message): (&str, String)| Outcome::Refused(code.into(), message.into());
    let Some(content) = &refused.content else {
        return Err(impossible(
            "letter_without_content",
            "nothing of the event was kept but its code, type and time",
        ));
    };
    // An event of its id may be in effect under a lane, which an event without one would not be told from.
    if &*refused.code == PAYLOAD_CONFLICT.0 {
        return Err(impossible(PAYLOAD_CONFLICT.0, PAYLOAD_CONFLICT.1));
    }
    if !content.is_whole() {
        let (kept, whole) = (content.raw.len(), content.raw_bytes);
        let message = format!("only {kept} bytes of {whole} were kept of the event");
        return Err(Outcome::Impossible("letter_cut", message));
    }
    // One that had been read is kept with what its batch had said, and was within the limit as it was sent.
    let is_as_sent = content.key.is_some();
    if refused.by == RefusedBy::Reading && is_as_sent && content.raw.len() > MAX_EVENT_BYTES {
        return Err(failed(too_large_alone(&content.raw)));
    }
    let mut event = read_without_lane(content).map_err(failed)?;
    let proven = match &content.key {
        None => content.proven,
        Some(key) => {
            let found = keys.authorize(Some(key), None);
            let unknown =
                |_| Outcome::Impossible("write_key_unknown", format!("{key} is no write key any more"));
            let key = found.map_err(unknown)?;
            if !key.takes(&event.event_type) {
                return Err(failed(type_not_allowed(&event.event_type)));
            }
            event = assigned(event, &key).map_err(failed)?;
            is_proven(&event, &key)
        }
    };
    if moment.erased.has(&event.member) {
        return Err(impossible(MEMBER_ERASED.0, MEMBER_ERASED.1));
    }
    event.timestamp = event.timestamp.plus(content.clock_shift_ms);
    match moment.guard.map_or(Ok(()), |guard| guard.judge(&mut event)) {
        Ok(()) => Ok((event, proven)),
        Err(reason) => Err(failed((reason.code(), reason.message()))),
    }
}

/// Reads an event whatever its lane and number are, and leaves them out.
fn read_without_lane(content: &RefusedContent) -> Result<Event, (&'static str, String)> {
    let any = Some(LaneId(Uuid::nil()));
    let read =
        |raw: &str| read_text(&"event", raw, EventDefaults { member: content.member.as_ref(), lane: any });
    let mut event = read(&content.raw).or_else(|error| match error.0 {
        "lane_invalid" | "seq_invalid" => read(&without_lane(&content.raw).ok_or(error)?),
        _ => Err(error),
    })?;
    event.lane = None;
    Ok(event)
}

fn without_lane(raw: &str) -> Option<String> {
    let mut fields: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(raw).ok()?;
    fields.retain(|name, _| name != "lane" && name != "seq");
    serde_json::to_string(&fields).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Identity, Tombstones, WriteKey};
    use crate::ingest::Guard;
    use crate::secret::Secret;
    use attune_core::filter::Policy;
    use attune_core::id::MemberId;
    use attune_core::time::Timestamp;

    const NOW: Timestamp = Timestamp(1_763_632_802_120);

    fn letter(raw: &str) -> Refused {
        let content = RefusedContent {
            member: Some(MemberId("m1".into())),
            event_id: None,
            key: Some("open".into()),
            proven: false,
            clock_shift_ms: -60_000,
            raw: raw.into(),
            raw_bytes: raw.len() as u64,
        };
        Refused {
            by: RefusedBy::Reading,
            at: NOW,
            code: "any".into(),
            message: "".into(),
            count: 1,
            event_type: None,
            content: Some(content),
        }
    }

    fn event(fields: &str) -> String {
        format!(r#"{{"event_id":"a","event_type":"click","timestamp":"{NOW}"{fields}}}"#)
    }

    fn with(change: impl FnOnce(&mut RefusedContent)) -> Refused {
        let mut refused = letter(&event(r#","user_id":"ann""#));
        change(refused.content.as_mut().unwrap());
        refused
    }

    fn judged(refused: &Refused) -> Result<(Event, bool), Outcome> {
        let policy = Policy { deny: vec!["denied".into()], ..Policy::default() };
        let erased = Tombstones::new(Secret::of([7; 32]));
        erased.note(erased.of(&MemberId("gone".into())));
        let guard = Some(Guard { policy: &policy, user_agent: "" });
        let moment = Moment {
            now: NOW,
            bundle_revision: 1,
            site: None,
            erased: &erased,
            guard,
            enriching: None,
            origins: &[],
        };
        let secret = "at least 16 characters".into();
        let proven = WriteKey { identity: Identity::Proven { secret }, ..WriteKey::open("proven").unwrap() };
        judge(refused, &WriteKeys::new([WriteKey::open("open").unwrap(), proven]), &moment)
    }

    fn code(refused: &Refused) -> String {
        match judged(refused) {
            Ok(_) => "accepted".to_owned(),
            Err(Outcome::Refused(code, _)) => code.into(),
            Err(Outcome::Impossible(code, _)) => format!("impossible: {code}"),
            Err(other) => format!("{other:?}"),
        }
    }

    #[test]
    fn an_event_is_read_without_its_lane_whatever_that_is() {
        for lane in ["", r#","seq":7"#, r#","seq":0"#, r#","lane":[],"seq":1"#, r#","lane":"x","seq":1.5"#] {
            let (event, _) = judged(&letter(&event(lane))).unwrap();
            assert_eq!((event.lane, &*event.member.0), (None, "m1"), "{lane}");
            assert_eq!(event.timestamp, NOW.plus(-60_000));
        }
        // What else is wrong is still wrong.
        assert_eq!(code(&letter(&event(r#","seq":0,"session_id":7"#))), "session_id_invalid");
    }

    #[test]
    fn a_user_is_believed_as_the_write_key_says_or_as_it_was_when_the_event_was_read() {
        for (key, was_proven, expected) in [
            (Some("open"), false, true),
            (Some("proven"), true, false),
            (None, true, true),
            (None, false, false),
        ] {
            let refused = with(|content| {
                content.key = key.map(Box::from);
                content.proven = was_proven;
            });
            assert_eq!(judged(&refused).unwrap().1, expected, "{key:?}");
        }
    }

    #[test]
    fn what_cannot_be_tried_is_told_from_what_is_refused_again() {
        let large = event(&format!(r#","more":"{}""#, "x".repeat(MAX_EVENT_BYTES)));
        let conflict = Refused { code: "payload_conflict".into(), ..letter(&event("")) };
        for (refused, expected) in [
            (letter(&event("")), "accepted"),
            (letter("{"), "event_unreadable"),
            (letter(&event("").replace("click", "denied")), "denied_type"),
            (letter(&large), "event_too_large"),
            (Refused { by: RefusedBy::Door, ..letter(&large) }, "accepted"),
            (with(|content| content.raw_bytes += 1), "impossible: letter_cut"),
            (with(|content| content.key = Some("other".into())), "impossible: write_key_unknown"),
            (with(|content| content.member = Some(MemberId("gone".into()))), "impossible: member_erased"),
            (Refused { content: None, ..letter("") }, "impossible: letter_without_content"),
            (conflict, "impossible: payload_conflict"),
        ] {
            assert_eq!(code(&refused), expected);
        }
    }
}
