//! The binary form of every record, taken there and back, cut, lengthened, blanked and made up.

use super::*;
use crate::wire::{LetterId, RefusedBy, RefusedContent};
use proptest::prelude::*;

fn boxed() -> impl Strategy<Value = Box<str>> {
    ".{0,40}".prop_map(Box::from)
}

fn lane() -> impl Strategy<Value = LaneId> {
    any::<u128>().prop_map(|id| LaneId(Uuid::from_u128(id)))
}

fn event() -> impl Strategy<Value = Event> {
    let number = proptest::option::of((lane(), any::<u64>()));
    let session = proptest::option::of(any::<u128>());
    let texts = (boxed(), boxed(), proptest::option::of(boxed()), proptest::option::of(boxed()));
    (any::<u128>(), any::<i64>(), number, session, texts).prop_map(|(id, at, number, session, texts)| Event {
        event_id: EventId(Uuid::from_u128(id)),
        event_type: texts.0,
        timestamp: Timestamp(at),
        member: MemberId(texts.1),
        lane: number.map(|(lane, seq)| LaneSeq { lane, seq }),
        session: session.map(|id| SessionId(Uuid::from_u128(id))),
        user_id: texts.2,
        metadata: texts.3,
    })
}

fn refused() -> impl Strategy<Value = Record> {
    let by = prop_oneof![Just(RefusedBy::Reading), Just(RefusedBy::Door), Just(RefusedBy::Worker)];
    let maybe = || proptest::option::of(boxed());
    let content = (maybe(), maybe(), maybe(), any::<bool>(), any::<i64>(), boxed(), any::<u64>()).prop_map(
        |(member, event_id, key, proven, clock_shift_ms, raw, raw_bytes)| {
            let member = member.map(MemberId);
            RefusedContent { member, event_id, key, proven, clock_shift_ms, raw, raw_bytes }
        },
    );
    let texts = (boxed(), boxed(), maybe());
    (by, any::<i64>(), texts, any::<u64>(), proptest::option::of(content)).prop_map(
        |(by, at, (code, message, event_type), count, content)| {
            let at = Timestamp(at);
            Record::Refused(Refused { by, at, code, message, count, event_type, content }.into())
        },
    )
}

fn replayed() -> impl Strategy<Value = Record> {
    let refused = proptest::option::of((boxed(), boxed()));
    (any::<u64>(), any::<u32>(), any::<i64>(), refused).prop_map(|(position, index, at, refused)| {
        let letter = LetterId { position, index };
        Record::Replayed(Replayed { letter, at: Timestamp(at), refused }.into())
    })
}

fn record() -> impl Strategy<Value = Record> {
    prop_oneof![
        prop_oneof![refused(), replayed()],
        (event(), any::<i64>(), any::<bool>(), proptest::option::of((boxed(), any::<[bool; 2]>()))).prop_map(
            |(event, at, proven, facts)| Record::Event {
                event,
                received_at: Timestamp(at),
                proven,
                facts: facts.map(|(context, [gpc, aside])| Facts { context: context.into(), gpc, aside }),
            }
        ),
        (boxed(), lane(), any::<u64>(), any::<u64>()).prop_map(|(member, lane, from, to)| Record::Void {
            member: MemberId(member),
            lane,
            from,
            to
        }),
        (boxed(), lane(), any::<u64>(), any::<i64>()).prop_map(|(member, lane, count, at)| {
            Record::Close { member: MemberId(member), lane, count, at: Timestamp(at) }
        }),
        (boxed(), any::<i64>())
            .prop_map(|(profile, at)| Record::WakeUp { profile: ProfileId(profile), at: Timestamp(at) }),
        (boxed(), any::<i64>(), any::<i64>(), any::<Option<(i64, i64)>>()).prop_map(
            |(member, at, offset, change)| Record::Clocks {
                member: MemberId(member),
                clocks: Clocks::new(offset, change.map(|(at, next)| (Timestamp(at), next))),
                at: Timestamp(at),
            }
        ),
        (any::<u64>(), any::<i64>(), any::<Vec<u8>>()).prop_map(|(revision, at, bytes)| Record::Bundle {
            revision,
            at: Timestamp(at),
            bytes: bytes.into()
        }),
        (any::<i64>(), proptest::option::of((any::<u64>(), any::<u32>(), boxed(), any::<Vec<u8>>())))
            .prop_map(|(at, candidate)| Record::Rollout {
                at: Timestamp(at),
                candidate: candidate.map(|(revision, share, seed, bytes)| LoggedCandidate {
                    revision,
                    share,
                    seed,
                    bytes: bytes.into(),
                }),
            }),
        (any::<[u8; TOMBSTONE_BYTES]>(), any::<i64>(), proptest::option::of("[a-z]{1,40}")).prop_map(
            |(tombstone, at, member)| Record::Erase {
                tombstone,
                at: Timestamp(at),
                member: member.map(|member| MemberId(member.into())),
            }
        ),
        Just(Record::Blank),
    ]
}

proptest! {
    #[test]
    fn a_record_survives_its_binary_form(record in record(), before: Vec<u8>) {
        let mut bytes = before.clone();
        encode_record(&record, &mut bytes);
        prop_assert_eq!(&bytes[..before.len()], &before[..]);
        prop_assert_eq!(decode_record(&bytes[before.len()..]), Ok(record));
    }

    #[test]
    fn a_cut_or_lengthened_record_is_refused(record in record(), extra: u8) {
        let mut bytes = Vec::new();
        encode_record(&record, &mut bytes);
        for end in 0..bytes.len() {
            let is_shorter = matches!(record, Record::Erase { .. });
            prop_assert!(decode_record(&bytes[..end]).is_err() || is_shorter, "cut at {end}");
        }
        bytes.push(extra);
        let is_padded = matches!(record, Record::Erase { .. }) || (record == Record::Blank && extra == 0);
        prop_assert!(decode_record(&bytes).is_err() || is_padded);
    }

    #[test]
    fn a_blank_record_says_nothing_and_is_as_long(record in record()) {
        let mut bytes = Vec::new();
        encode_record(&record, &mut bytes);
        let length = bytes.len();
        blank_record(&mut bytes);
        prop_assert_eq!(bytes.len(), length);
        let expected = match record {
            Record::Erase { tombstone, at, .. } => Record::Erase { tombstone, at, member: None },
            _ => {
                prop_assert!(bytes.iter().skip(2).all(|byte| *byte == 0));
                Record::Blank
            }
        };
        prop_assert_eq!(decode_record(&bytes), Ok(expected));
    }

    #[test]
    fn random_bytes_never_panic(kind in 0_u8..12, mut bytes: Vec<u8>) {
        let _ = decode_record(&bytes);
        bytes.splice(0..0, [VERSION, kind]);
        let _ = decode_record(&bytes);
    }
}
