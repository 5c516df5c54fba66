//! Runs the numbered signal vectors, natively and in a browser: signals and a script of events → readings at instants.
#![cfg(feature = "author")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a vector that cannot be read is a failed test"
)]

use attune_core::bundle::author::{SourceFile, compile};
use attune_core::condition::Reading;
use attune_core::id::{EventId, MemberId, SessionId, Uuid, uuid_from_text};
use attune_core::processor::Processor;
use attune_core::profile::{MemberState, Tiles, Viewpoint, Zone};
use attune_core::time::Timestamp;
use attune_core::value::Value;
use attune_core::wire::{Event, Record};
use std::collections::BTreeMap;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

const VECTORS: &str = include_str!("../../tests/spec/40-signals.json");
/// Later than any event of a vector.
const RECEIVED: &str = "2100-01-01T00:00:00Z";

/// Clocks of a vector: from each instant on so many minutes ahead of UTC; without any, UTC.
#[derive(Debug)]
struct Clocks(Vec<(Timestamp, i64)>);

impl Zone for Clocks {
    fn ahead_ms(&self, at: Timestamp) -> i64 {
        self.0.iter().take_while(|(since, _)| *since <= at).last().map_or(0, |(_, minutes)| minutes * 60_000)
    }
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    match value.field(name) {
        Some(Value::Array(items)) => items,
        _ => &[],
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.field(name).and_then(Value::as_str)
}

fn instant(value: &Value, name: &str) -> Option<Timestamp> {
    text(value, name).map(|text| Timestamp::parse(text).unwrap())
}

fn session(value: &Value) -> Option<SessionId> {
    text(value, "session").map(|name| SessionId(uuid_from_text(name).unwrap()))
}

fn clocks(case: &Value) -> Clocks {
    let change = |change: &Value| match change {
        Value::Array(pair) => match &**pair {
            [Value::String(since), Value::Number(minutes)] => {
                (Timestamp::parse(since).unwrap(), *minutes as i64)
            }
            _ => panic!("an instant and minutes"),
        },
        _ => panic!("a pair"),
    };
    Clocks(list(case, "zone").iter().map(change).collect())
}

fn processor(case: &Value) -> Processor {
    let mut source = String::from("{\"signals\":");
    case.field("signals").unwrap().write(&mut source);
    source.push('}');
    let compiled = compile(&[SourceFile { name: "signals.json".into(), text: source }]);
    assert_eq!(compiled.diagnostics, [], "the signals of a vector are sound");
    let mut processor = Processor::new();
    processor.set_bundle(compiled.bundle, Timestamp(0));
    processor
}

fn record(event: &Value, place: usize) -> Record {
    let id = event.field("id").map_or(place as f64 + 1_000.0, |id| match id {
        Value::Number(id) => *id,
        _ => panic!("a number"),
    });
    let mut metadata = String::new();
    event.field("metadata").unwrap_or(&Value::Object(Vec::new())).write(&mut metadata);
    let event = Event {
        event_id: EventId(Uuid::from_u128(id as u128)),
        event_type: Box::from(text(event, "type").unwrap()),
        timestamp: instant(event, "at").unwrap(),
        member: MemberId(Box::from(text(event, "member").unwrap_or("a"))),
        lane: None,
        session: session(event),
        user_id: None,
        metadata: Some(metadata.into()),
    };
    Record::Event { event, received_at: Timestamp::parse(RECEIVED).unwrap(), proven: false, facts: None }
}

fn run(case: &Value, name: &str) {
    let (processor, clocks) = (processor(case), clocks(case));
    let mut members: BTreeMap<MemberId, MemberState> = BTreeMap::new();
    for (place, event) in list(case, "events").iter().enumerate() {
        let record = record(event, place);
        let Record::Event { event, .. } = &record else { panic!("an event") };
        let state =
            members.entry(event.member.clone()).or_insert_with(|| MemberState::new(event.member.clone()));
        processor.absorb(state, &record);
    }
    let parts: Vec<&Tiles> = members.values().map(MemberState::tiles).collect();
    for (place, read) in list(case, "reads").iter().enumerate() {
        let place = format!("{name}, read {}", place + 1);
        let signal = processor.bundle().signals.by_name(text(read, "signal").unwrap_or("s")).unwrap();
        let from = Viewpoint { now: instant(read, "at").unwrap(), session: session(read), zone: &clocks };
        match Tiles::read(&parts, &signal, text(read, "key").unwrap_or_default(), from) {
            Reading::Value(value, until) => {
                assert_eq!(Some(&value.to_tree()), read.field("value"), "{place}");
                if read.field("until").is_some() {
                    assert_eq!(until, instant(read, "until"), "{place}: until");
                }
            }
            Reading::Missing => assert!(read.field("missing").is_some(), "{place} is missing"),
            Reading::Truncated => assert!(read.field("truncated").is_some(), "{place} is truncated"),
        }
    }
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn every_signal_vector_gives_its_readings() {
    let Value::Array(cases) = Value::parse(VECTORS).unwrap() else { panic!("a list of vectors") };
    for (index, case) in cases.iter().enumerate() {
        let name = text(case, "name").unwrap();
        assert_eq!(case.field("number"), Some(&Value::Number(index as f64 + 1.0)), "{name}");
        run(case, name);
    }
    assert!(cases.len() >= 40);
}
