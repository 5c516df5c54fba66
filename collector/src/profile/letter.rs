//! A dead letter as the store keeps it: the log's record of a refused event, and how often that has been tried again.

use attune_core::codec::{Reader, Writer};
use attune_core::id::MemberId;
use attune_core::time::Timestamp;
use attune_core::wire::{LetterId, Record, Refused, decode_record, encode_record};

/// The stored form's version, its first byte.
const VERSION: u8 = 1;

/// A dead letter.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    /// Where it stands in the log.
    pub id: LetterId,
    /// What it is about, with the latest code and message.
    pub refused: Refused,
    /// How often it has been refused again.
    pub replays: u64,
    /// When it was refused again at last.
    pub replayed_at: Option<Timestamp>,
}

impl Letter {
    /// One that has not been tried again.
    pub const fn new(id: LetterId, refused: Refused) -> Self {
        Self { id, refused, replays: 0, replayed_at: None }
    }

    /// The form in which it is stored under the key of its id.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.u8(VERSION);
        out.u64(self.replays);
        out.option(self.replayed_at, |out, at| out.i64(at.0));
        let mut out = out.into_bytes();
        encode_record(&Record::Refused(self.refused.clone().into()), &mut out);
        out
    }

    /// Reads what is stored; nothing where it is of no form that this version reads.
    pub fn decode(key: &[u8], value: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        if reader.u8().ok()? != VERSION {
            return None;
        }
        let replays = reader.u64().ok()?;
        let replayed_at = reader.option(Reader::i64).ok()?.map(Timestamp);
        let Ok(Record::Refused(refused)) = decode_record(reader.rest()) else { return None };
        Some(Self { id: LetterId::from_key(key)?, refused: *refused, replays, replayed_at })
    }
}

/// Whether a refused event is of a member, or its text has the member's id for an `anonymous_id`. The id elsewhere says nothing: it is
/// its sender's choice, and could be the name of a field that every event has.
pub fn is_of(refused: &Refused, member: &MemberId) -> bool {
    let Some(content) = &refused.content else { return false };
    let raw = content.raw.as_bytes();
    // A text that no reader understands has no fields to go by.
    let names = |value: &str| {
        memchr::memmem::find_iter(raw, value).any(|at| {
            let before = raw[..at].trim_ascii_end().strip_suffix(b":");
            before.is_some_and(|name| name.trim_ascii_end().ends_with(br#""anonymous_id""#))
        })
    };
    let written = serde_json::Value::from(&*member.0).to_string();
    content.member.as_ref() == Some(member) || names(&format!("\"{}\"", member.0)) || names(&written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_core::wire::{RefusedBy, RefusedContent};

    fn refused(member: Option<&str>, raw: &str) -> Refused {
        let content = RefusedContent {
            member: member.map(|member| MemberId(member.into())),
            event_id: Some("a".into()),
            key: Some("demo".into()),
            proven: false,
            clock_shift_ms: -7,
            raw: raw.into(),
            raw_bytes: raw.len() as u64,
        };
        Refused {
            by: RefusedBy::Reading,
            at: Timestamp(1),
            code: "event_unreadable".into(),
            message: "words".into(),
            count: 1,
            event_type: None,
            content: Some(content),
        }
    }

    #[test]
    fn a_letter_survives_being_stored_and_damage_is_no_letter() {
        let id = LetterId { position: 4_096, index: 3 };
        let tried = Letter {
            replays: 2,
            replayed_at: Some(Timestamp(9)),
            ..Letter::new(id, refused(Some("m"), "{"))
        };
        for letter in [Letter::new(id, refused(None, "")), tried] {
            let bytes = letter.encode();
            assert_eq!(Letter::decode(&id.to_key(), &bytes), Some(letter));
            for end in 0..bytes.len() {
                assert_eq!(Letter::decode(&id.to_key(), &bytes[..end]), None, "{end}");
            }
            assert_eq!(Letter::decode(b"short", &bytes), None);
        }
    }

    #[test]
    fn a_letter_is_of_whom_it_names_by_field_wherever_that_stands_in_a_text() {
        let is_of_m1 = |member, raw| is_of(&refused(member, raw), &MemberId("m1".into()));
        assert!(is_of_m1(Some("m1"), "{}"));
        assert!(is_of_m1(Some("other"), r#"{"anonymous_id":"m1""#));
        assert!(is_of_m1(None, r#"7,{"anonymous_id" : "m1","#));
        assert!(!is_of_m1(Some("m10"), r#"{"anonymous_id":"m10","text":"m1 and others"}"#));
        assert!(!is_of_m1(None, r#"{"m1":"anonymous_id","text":"m1"}"#));
        let field = MemberId("event_id".into());
        assert!(!is_of(&refused(Some("m1"), r#"{"event_id":"a","anonymous_id":"m1"}"#), &field));
        let quoted = MemberId(r#"m"1"#.into());
        assert!(is_of(&refused(None, r#"{"anonymous_id":"m\"1"}"#), &quoted));
    }
}
