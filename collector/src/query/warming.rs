//! Signals of a profile that have not counted all of their window yet, and how the rules that read them stand.

use super::object;
use crate::author::words;
use attune_core::bundle::Bundle;
use attune_core::condition::Engine;
use attune_core::processor::{Processor, ProfileState};
use attune_core::profile::Warming;
use attune_core::rules::{VisitorDocument, explain, warming};
use attune_core::time::Timestamp;
use attune_core::value::Value;
use std::collections::BTreeMap;

/// For each signal since when it counts, until when that shows, and each rule that reads it in words.
pub fn warming_signals(bundle: Bundle, state: &ProfileState) -> Value {
    let mut processor = Processor::asking(Box::new(Engine::default()));
    processor.set_bundle(bundle, Timestamp(0));
    let bundle = processor.bundle();
    let found = state.warming(&bundle.signals);
    if found.is_empty() {
        return Value::Object(Vec::new());
    }
    let read = processor.look(state, |visitor| rules_by_signal(bundle, state, visitor));
    let instant = |at: Timestamp| Value::string(&at.to_string());
    let rows = found.into_iter().map(|(name, Warming { since, until })| {
        let rules = read.get(name).cloned().unwrap_or_default().into_iter();
        let rules = rules.map(|(rule, said)| (rule, Value::string(&said)));
        let until = until.map_or(Value::Null, instant);
        let row = [("since", instant(since)), ("until", until), ("rules", Value::Object(rules.collect()))];
        (Box::from(name), object(row))
    });
    Value::Object(rows.collect())
}

/// By name of a signal: the active rules that read it while it is warming, each with how it stands.
type Read = BTreeMap<Box<str>, BTreeMap<Box<str>, String>>;

fn rules_by_signal(bundle: &Bundle, state: &ProfileState, visitor: &VisitorDocument<'_>) -> Read {
    let mut read = Read::new();
    for standing in explain(&bundle.rules, visitor, state.latches(), &|_| None) {
        let Some(rule) = bundle.rules.get(standing.rule).filter(|rule| rule.is_active()) else { continue };
        let found = warming(&rule, visitor);
        if found.is_empty() {
            continue;
        }
        let verdict = words::verdict(&standing.verdict, &rule, &bundle.signals, visitor);
        let said = format!("{verdict}; {}", words::warming(&found, &bundle.signals));
        for signal in found.iter().filter_map(|(id, _)| bundle.signals.by_id(*id)) {
            read.entry(signal.name().into()).or_default().insert(rule.id.into(), said.clone());
        }
    }
    read
}
