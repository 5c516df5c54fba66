//! Any bytes as a kept state, view or change: refused with a code, or read, gone on with and written alike.
//!
//! The first byte says as what; the checksum of a state's envelope is put right, so that the content is reached.
#![no_main]

use attune_core::codec::Writer;
use attune_core::hash::key_hash;
use attune_core::id::{EventId, Uuid};
use attune_core::processor::{Processor, ProfileState};
use attune_core::profile::{Absorbed, Change, MemberState, ProfileView, SnapshotError};
use attune_core::time::Timestamp;
use attune_core::value::ValueRef;
use attune_core::wire::{Event, Record};
use attune_fuzz::processor;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static PROCESSOR: Processor = processor();
}

fuzz_target!(|data: &[u8]| {
    let Some((kind, content)) = data.split_first() else { return };
    PROCESSOR.with(|processor| match kind {
        b'M' => member(&enveloped(*kind, content), processor),
        b'P' => profile(&enveloped(*kind, content), processor),
        b'V' => view(content),
        b'C' => change(content, processor),
        _ => {
            member(data, processor);
            profile(data, processor);
            view(data);
            change(data, processor);
        }
    });
});

/// The envelope that a state is kept in.
fn enveloped(kind: u8, content: &[u8]) -> Vec<u8> {
    const VERSION: u8 = 2;
    let sum = key_hash(content) as u32 ^ u32::from_le_bytes([kind, VERSION, 0, 0]);
    let mut out = Writer::new();
    out.raw(&[kind, VERSION]);
    out.raw(&sum.to_le_bytes());
    out.bytes(content);
    out.into_bytes()
}

fn refused(error: SnapshotError) {
    assert!(error.code().starts_with("snapshot_"));
}

fn member(bytes: &[u8], processor: &Processor) {
    let mut state = match MemberState::decode(bytes) {
        Ok(state) => state,
        Err(error) => return refused(error),
    };
    let written = state.encode();
    let again = MemberState::decode(&written).expect("what is written is read");
    assert_eq!(again.encode(), written);
    let event = Event {
        event_id: EventId(Uuid::from_u128(77)),
        event_type: "page_view".into(),
        timestamp: Timestamp(1_795_000_000_000),
        member: state.member().clone(),
        lane: None,
        session: None,
        user_id: None,
        metadata: Some(r#"{"category":"shoes","price":12.5,"traits":{"a":1}}"#.into()),
    };
    let record = Record::Event { event, received_at: Timestamp(1_795_000_000_500), proven: false, facts: None };
    let absorbed = processor.absorb(&mut state, &record);
    assert!(MemberState::decode(&state.encode()).is_ok());
    if let Absorbed::Change(change) = absorbed {
        let mut profile = ProfileState::default();
        processor.combine(&mut profile, &change, None);
        assert!(ProfileState::decode(&profile.encode()).is_ok());
    }
}

fn profile(bytes: &[u8], processor: &Processor) {
    let mut state = match ProfileState::decode(bytes) {
        Ok(state) => state,
        Err(error) => return refused(error),
    };
    let written = state.encode();
    let again = ProfileState::decode(&written).expect("what is written is read");
    assert_eq!(again.encode(), written);
    processor.wake(&mut state, Timestamp(1_795_000_000_000));
    processor.decide(&mut state, ValueRef::Null, &[]);
    assert!(ProfileState::decode(&state.encode()).is_ok());
}

fn view(bytes: &[u8]) {
    if let Ok(view) = ProfileView::decode(bytes) {
        let written = view.encode();
        assert_eq!(ProfileView::decode(&written).map(|view| view.encode()), Ok(written));
    }
}

fn change(bytes: &[u8], processor: &Processor) {
    if let Ok(change) = Change::decode(bytes) {
        let written = change.encode();
        assert_eq!(Change::decode(&written).map(|change| change.encode()), Ok(written));
        let mut state = ProfileState::default();
        processor.combine(&mut state, &change, None);
        assert!(ProfileState::decode(&state.encode()).is_ok());
    }
}
