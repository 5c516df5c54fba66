//! The core's signals against `tests/oracle/signals.py`, which computes them by brute force over the raw events.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "an oracle that cannot be read is a failed test"
)]

use attune_core::bundle::author::{SourceFile, compile};
use attune_core::codec::{Source, Writer};
use attune_core::condition::Reading;
use attune_core::id::{EventId, MemberId, SessionId, Uuid, uuid_from_text};
use attune_core::limits::MAX_DISTINCT_EXACT;
use attune_core::processor::Processor;
use attune_core::profile::{Absorbed, Aggregate, MemberState, Tiles, Viewpoint, Zone};
use attune_core::time::Timestamp;
use attune_core::value::{Value, ValueRef};
use attune_core::wire::{Event, Record};
use std::collections::BTreeMap;
use std::process::Command;

/// Standard errors by which an estimate may be off; each is 1.04/√512.
const STANDARD_ERRORS: f64 = 4.0;

/// The oracle's clocks: instants in ms, and by how many minutes they are ahead of UTC from each of them on.
#[derive(Debug)]
struct Clocks(Vec<(i64, i64)>);

impl Zone for Clocks {
    fn ahead_ms(&self, at: Timestamp) -> i64 {
        self.0
            .iter()
            .take_while(|(since, _)| *since <= at.0)
            .last()
            .map_or(0, |(_, minutes)| minutes * 60_000)
    }
}

fn oracle(arguments: &[&str]) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/oracle/signals.py");
    let output = Command::new("python3").arg(script).args(arguments).output();
    let output = output.expect("python3 has to be installed: the oracle is a Python script");
    assert!(output.status.success(), "the oracle failed: {}", String::from_utf8_lossy(&output.stderr));
    Value::parse(&String::from_utf8(output.stdout).unwrap()).unwrap()
}

fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    let Some(Value::Array(items)) = value.field(name) else { panic!("a list of {name}") };
    items
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.field(name).and_then(Value::as_str)
}

fn instant(value: &Value, name: &str) -> Timestamp {
    let Some(Value::Number(at)) = value.field(name) else { panic!("an instant {name}") };
    Timestamp(*at as i64)
}

fn session(value: &Value) -> Option<SessionId> {
    text(value, "session").map(|session| SessionId(uuid_from_text(session).unwrap()))
}

fn member(name: &str) -> MemberId {
    MemberId(Box::from(name))
}

fn record(event: &Value) -> Record {
    let id = u128::from_str_radix(text(event, "id").unwrap(), 16).unwrap();
    let event_type = Box::from(text(event, "type").unwrap());
    let received_at = instant(event, "received");
    let event = Event {
        event_id: EventId(Uuid::from_u128(id)),
        event_type,
        timestamp: instant(event, "at"),
        member: member(text(event, "member").unwrap()),
        lane: None,
        session: session(event),
        user_id: None,
        metadata: text(event, "metadata").map(Box::from),
    };
    Record::Event { event, received_at, proven: false, facts: None }
}

/// A copy that has been through the binary form.
fn reread(tiles: &Tiles, time: Timestamp) -> Tiles {
    let mut out = Writer::new();
    tiles.encode(time, &mut out);
    let bytes = out.into_bytes();
    let mut source = Source::new(&bytes);
    let read = Tiles::decode(&mut source);
    source.finish().unwrap();
    read
}

struct Core {
    processor: Processor,
    members: BTreeMap<MemberId, MemberState>,
    clocks: Clocks,
    /// Merged tiles of several members and the same read back from bytes, as of the instant asked about last.
    merged: (Timestamp, BTreeMap<String, [Tiles; 2]>),
}

impl Core {
    fn new(stream: &Value) -> Self {
        let mut text = String::from("{\"signals\":");
        stream.field("signals").unwrap().write(&mut text);
        text.push('}');
        let compiled = compile(&[SourceFile { name: "oracle.json".into(), text }]);
        assert_eq!(compiled.diagnostics, []);
        let mut processor = Processor::new();
        processor.set_bundle(compiled.bundle, Timestamp(0));
        let number = |value: &Value| if let Value::Number(number) = value { *number as i64 } else { 0 };
        let pair = |pair: &Value| match pair {
            Value::Array(pair) => (number(&pair[0]), number(&pair[1])),
            _ => panic!("an instant and minutes"),
        };
        let clocks = Clocks(items(stream, "zone").iter().map(pair).collect());
        Self { processor, members: BTreeMap::new(), clocks, merged: Default::default() }
    }

    fn absorb(&mut self, event: &Value) {
        let record = record(event);
        let Record::Event { event, .. } = &record else { panic!("an event") };
        let state = self.members.entry(event.member.clone());
        let state = state.or_insert_with(|| MemberState::new(event.member.clone()));
        let absorbed = self.processor.absorb(state, &record);
        assert!(matches!(absorbed, Absorbed::Change(_)), "{absorbed:?}");
    }

    /// Asks for what the oracle has answered, of the members' tiles apart, merged, and read back from bytes.
    fn compare(&mut self, read: &Value) {
        let signal = self.processor.bundle().signals.by_name(text(read, "signal").unwrap()).unwrap();
        let at = instant(read, "at");
        let from = Viewpoint { now: at, session: session(read), zone: &self.clocks };
        let key = text(read, "key").unwrap();
        let states =
            items(read, "members").iter().filter_map(|name| self.members.get(&member(name.as_str()?)));
        let parts: Vec<&Tiles> = states.map(MemberState::tiles).collect();
        let found = Tiles::read(&parts, &signal, key, from);
        agrees(read, signal.aggregate, found);
        if self.merged.0 != at {
            self.merged = (at, BTreeMap::new());
        }
        let several = self.merged.1.entry(format!("{:?}", read.field("members"))).or_insert_with(|| {
            let mut merged = Tiles::default();
            parts.iter().rev().for_each(|part| merged.merge(part));
            [reread(&merged, at), merged]
        });
        for tiles in several {
            assert_eq!(Tiles::read(&[tiles], &signal, key, from), found, "merged or restored: {read:?}");
        }
        // Until the instant that the reading names, time alone changes nothing.
        if let Reading::Value(value, Some(until)) = found {
            assert!(until > at, "{read:?}");
            let before = Viewpoint { now: until.plus(-1), ..from };
            let Reading::Value(later, again) = Tiles::read(&parts, &signal, key, before) else {
                panic!("a value until {until}: {read:?}")
            };
            assert_eq!((later, again), (value, Some(until)), "{read:?}");
        }
    }
}

fn agrees(read: &Value, aggregate: Aggregate, found: Reading<'_>) {
    match (found, read.field("value")) {
        (Reading::Missing, None) => {}
        (Reading::Value(ValueRef::Number(found), _), Some(Value::Number(expected)))
            if aggregate == Aggregate::Distinct && *expected > MAX_DISTINCT_EXACT as f64 =>
        {
            let error = (found - expected).abs() / expected;
            assert!(error < STANDARD_ERRORS * 1.04 / 512_f64.sqrt(), "{found} for {read:?}");
        }
        (Reading::Value(ValueRef::Number(found), _), Some(Value::Number(expected))) => {
            assert_eq!(found.to_bits(), (expected + 0.0).to_bits(), "{found} for {read:?}");
        }
        (Reading::Value(found, _), Some(expected)) => assert_eq!(found.to_tree(), *expected, "{read:?}"),
        (found, _) => panic!("{found:?} for {read:?}"),
    }
}

/// Absorbs what had arrived by each question, then asks it; returns how many there were.
fn compare_all(stream: &Value) -> usize {
    let mut core = Core::new(stream);
    let mut events = items(stream, "events").iter().peekable();
    for read in items(stream, "reads") {
        while let Some(event) = events.next_if(|event| instant(event, "received") <= instant(read, "at")) {
            core.absorb(event);
        }
        core.compare(read);
    }
    assert!(events.next().is_none(), "every event is asked about");
    items(stream, "reads").len()
}

#[test]
fn random_streams_give_what_brute_force_gives() {
    for seed in ["1", "2", "3"] {
        assert!(compare_all(&oracle(&["random", seed, "600"])) > 2_000);
    }
}

#[test]
#[cfg(feature = "recorded")]
fn the_recorded_shop_gives_what_brute_force_gives() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/eshop2008_apr_may.csv.gz");
    let file = std::env::var("ATTUNE_RECORDING").unwrap_or_else(|_| beside.into());
    assert!(std::path::Path::new(&file).is_file(), "there is no recording {file}; ATTUNE_RECORDING names it");
    assert!(compare_all(&oracle(&["eshop2008", &file])) > 500);
}

#[test]
fn an_oracle_that_errs_is_noticed() {
    // The control: a value that is off by one in its last bit.
    let reading = Value::parse(r#"{"value":0.30000000000000004}"#).unwrap();
    let off = || agrees(&reading, Aggregate::Sum, Reading::Value(ValueRef::Number(0.3), None));
    assert!(std::panic::catch_unwind(off).is_err());
}
