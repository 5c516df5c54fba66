//! Any bytes as a bundle, sealed or bare: opened, asked everything, turned into definitions and packed again.
#![no_main]

use attune_core::bundle::{Bundle, Parts, decode_body, encode_body, open_keyset};
use attune_core::condition::Root;
use attune_core::profile::SignalTable;
use attune_core::rules::{RuleTable, Touched, Watch, decide, explain, judge};
use attune_core::time::Timestamp;
use attune_core_abi::{Evaluator, read_event};
use attune_fuzz::{ATTRIBUTES, Anything, EVENTS, sealed};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = open_keyset(data);
    let envelope = if Bundle::open(data).is_ok() { data.to_vec() } else { sealed(data) };
    let bundle = match Bundle::open(&envelope) {
        Ok(bundle) => bundle,
        Err(error) => return assert!(!error.code().is_empty()),
    };
    watch(&bundle);
    ask(&bundle);
    host(&envelope, &bundle);
    again(&bundle);
});

/// What a page does.
fn watch(bundle: &Bundle) {
    let mut watch = Watch::new(&bundle.rules, &bundle.signals);
    for touched in [Touched::All, Touched::Root(Root::Traits), Touched::Subject(0)] {
        watch.touch(touched, &bundle.rules);
        watch.begin(Timestamp(5));
        let (mut from, mut taken) = (0, 0);
        while let Some(slot) = watch.take_slot(from) {
            from = slot;
            taken += 1;
            watch.set_due(slot, Some(Timestamp(9)));
        }
        assert!(taken <= bundle.rules.slot_count());
    }
    let _ = watch.wake_at();
}

/// What any host can ask about a document.
fn ask(bundle: &Bundle) {
    let document = Anything::default();
    let decided = decide(&bundle.rules, &document, &[], &[]);
    let current: Vec<_> = decided.changes.into_iter().filter_map(|change| change.decision).collect();
    assert!(current.len() <= bundle.rules.len());
    let holder = |slot: &str| current.iter().find(|held| &*held.slot == slot).map(|held| held.rule.clone());
    assert_eq!(explain(&bundle.rules, &document, &[], &holder).len(), bundle.rules.len());
    if let Ok(event) = read_event(&EVENTS[EVENTS.find('{').unwrap_or(0)..EVENTS.find("}}").unwrap_or(0) + 2])
    {
        judge(&bundle.rules, &document, &event);
    }
    for rule in bundle.rules.iter() {
        rule.has_places();
        rule.written_actions();
    }
}

/// What a host of `core.wasm` does.
fn host(envelope: &[u8], bundle: &Bundle) {
    let Ok(mut evaluator) = Evaluator::new(envelope) else { panic!("what opens once opens again") };
    evaluator.set_visitor("m");
    assert!(evaluator.set(ATTRIBUTES.as_bytes()).is_ok());
    assert!(evaluator.set_time(1_795_000_000_000.0).is_ok());
    evaluator.absorb(EVENTS);
    if let Ok(path) = evaluator.path("traits.age") {
        let _ = evaluator.change_number(path, 7.0);
    }
    assert!(evaluator.set_time(1_795_000_900_000.0).is_ok());
    evaluator.decisions("m");
    evaluator.summary();
    for slot in 0..bundle.rules.slot_count() {
        evaluator.decision(slot);
    }
    for rule in bundle.rules.iter().take(8) {
        evaluator.explain(rule.id);
    }
}

/// What tools do: definitions, and a bundle of them.
fn again(bundle: &Bundle) {
    let rules: Vec<_> = bundle.rules.iter().map(|rule| rule.to_rule()).collect();
    let models: Vec<_> = bundle.models.iter().map(|model| model.to_model()).collect();
    assert_eq!(RuleTable::open(&RuleTable::pack(&rules)).map(|table| table.len()), Ok(rules.len()));
    assert!(decode_body(&encode_body(&Parts { models: &models, rules: &rules, ..Parts::default() })).is_ok());
    assert!(SignalTable::open(&SignalTable::pack(&[])).is_ok());
}
