//! Runs the numbered condition vectors, natively and in a browser: compile, binary form and back, evaluation, next instant.
#![cfg(feature = "author")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a vector that cannot be read is a failed test"
)]

use attune_core::condition::{
    ConditionScope, Document, Form, KnownSignal, Outlook, Packer, PathRef, Reading, Root, decode_condition,
    encode_condition, evaluate, parse_condition, pass_condition,
};
use attune_core::hash::key_hash;
use attune_core::id::{SessionId, SignalId};
use attune_core::time::Timestamp;
use attune_core::value::{Value, ValueRef};

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// The files of vectors; each is numbered from 1.
const VECTORS: [&str; 2] =
    [include_str!("../../tests/vectors/conditions.json"), include_str!("../../tests/spec/50-calendar.json")];

/// A document given as JSON; signals are their readings.
#[derive(Clone, Copy)]
struct Given<'a>(ValueRef<'a>);

impl<'a> Given<'a> {
    fn names(&self) -> Vec<&'a str> {
        let signals = self.0.field("signals").unwrap_or(ValueRef::Null);
        signals.entries().map(|(name, _)| name).collect()
    }

    fn definition(&self, name: &str) -> Option<ValueRef<'a>> {
        self.0.field("signals")?.field(name)
    }

    fn known(&self, name: &str) -> Option<KnownSignal> {
        let keyed = self.definition(name)?.field("keys").is_some();
        Some(KnownSignal { id: SignalId(key_hash(name.as_bytes())), keyed })
    }
}

impl Document for Given<'_> {
    fn value(&self, path: PathRef<'_>) -> ValueRef<'_> {
        let root = match path.root {
            Root::Traits => "traits",
            Root::Context => "context",
            Root::Event => "event",
            Root::Experiments => "experiments",
            Root::Signals | Root::Bare => return ValueRef::Null,
        };
        self.0.field(root).and_then(|root| root.at(path.rest)).unwrap_or(ValueRef::Null)
    }

    fn signal(&self, signal: SignalId, key: &str) -> Reading<'_> {
        let name = self.names().into_iter().find(|name| SignalId(key_hash(name.as_bytes())) == signal);
        let definition = name.and_then(|name| self.definition(name));
        let reading = definition.and_then(|found| match found.field("keys") {
            Some(keys) => keys.field(key),
            None => Some(found),
        });
        let Some(reading) = reading else { return Reading::Missing };
        let until = reading.field("until").and_then(ValueRef::as_str).and_then(Timestamp::parse);
        match (reading.field("value"), reading.field("truncated")) {
            (_, Some(_)) => Reading::Truncated,
            (Some(value), None) => Reading::Value(value, until),
            (None, None) => Reading::Missing,
        }
    }

    fn signal_named(&self, name: &str, key: &str) -> Reading<'_> {
        self.known(name).map_or(Reading::Missing, |signal| self.signal(signal.id, key))
    }

    fn now(&self) -> Timestamp {
        self.0.field("now").and_then(ValueRef::as_str).and_then(Timestamp::parse).unwrap_or_default()
    }

    fn session(&self) -> Option<SessionId> {
        None
    }
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn every_condition_vector_gives_its_answer() {
    let counts = VECTORS.map(check);
    assert!(counts.iter().sum::<usize>() > 170);
}

fn check(vectors: &str) -> usize {
    let Value::Array(cases) = Value::parse(vectors).unwrap() else { panic!("a list of vectors") };
    for (index, case) in cases.iter().enumerate() {
        let name = case.field("name").and_then(Value::as_str).unwrap();
        assert_eq!(case.field("number"), Some(&Value::Number(index as f64 + 1.0)), "{name}");
        let packed = case.field("document").unwrap().to_packed();
        let document = Given(packed.get());
        let known = |name: &str| document.known(name);
        let compiled = parse_condition(case.field("condition").unwrap(), ConditionScope::Visitor(&known), "");
        if let Some(expected) = case.field("error") {
            let errors = compiled.expect_err(name);
            let first = errors.first().unwrap();
            assert_eq!(expected.field("code").and_then(Value::as_str), Some(first.kind.code()), "{name}");
            assert_eq!(expected.field("at").and_then(Value::as_str), Some(&*first.at), "{name}");
            continue;
        }
        let condition = compiled.unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
        let mut packer = Packer::new();
        encode_condition(&condition, &mut packer);
        let form = Form::open(&packer.finish()).unwrap();
        let mut code = form.at(0);
        pass_condition(&mut code);
        assert!(code.is_whole(), "{name}");
        assert_eq!(decode_condition(&mut form.at(0)), condition, "{name}");
        let mut outlook = Outlook::default();
        let holds = evaluate(form.at(0), &document, &mut outlook);
        assert_eq!(case.field("holds"), Some(&Value::Bool(holds)), "{index}: {name}");
        let wake_at = case.field("wake_at").and_then(Value::as_str).and_then(Timestamp::parse);
        assert_eq!(outlook.next, wake_at, "{name}");
    }
    cases.len()
}
