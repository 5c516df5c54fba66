//! Runs the numbered rule vectors, natively and in a browser: rule file and a script of events over simulated time → decisions.
#![cfg(feature = "author")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a vector that cannot be read is a failed test"
)]

use attune_core::bundle::Bundle;
use attune_core::bundle::author::{SourceFile, compile};
use attune_core::condition::{Consent, Outlook, Purpose};
use attune_core::experiment::{Assigned, Exposed};
use attune_core::id::{EventId, MemberId, SessionId, Uuid, uuid_from_text};
use attune_core::profile::{EventDocument, Latch, Tiles, Traits};
use attune_core::rules::{Decision, VisitorDocument, decide, judge, latch};
use attune_core::time::{Clocks, Timestamp, parse_duration_ms};
use attune_core::value::{Packed, Value};
use attune_core::wire::{EXPOSURE, Event, SHOWN};
use std::collections::BTreeMap;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

const RULES: &str = include_str!("../../tests/vectors/rules.json");
const SCORES: &str = include_str!("../../tests/spec/30-scores.json");
/// A session of scripts that name none.
const SESSION: &str = "first";

/// One page load with everything it knows, driven by a script.
struct Page {
    bundle: Bundle,
    tiles: Tiles,
    traits: Traits,
    context: Packed,
    latches: Vec<Latch>,
    current: BTreeMap<Box<str>, Decision>,
    session: SessionId,
    consent: Consent,
    now: Timestamp,
    events: u128,
    fired: Vec<String>,
    exposed: Vec<String>,
    member: MemberId,
    wake_at: Option<Timestamp>,
}

impl Page {
    fn new(rules: &Value) -> Self {
        let bundle = bundle(rules);
        Self {
            bundle,
            tiles: Tiles::default(),
            traits: Traits::default(),
            context: Value::Object(Vec::new()).to_packed(),
            latches: Vec::new(),
            current: BTreeMap::new(),
            session: SessionId(uuid_from_text(SESSION).unwrap()),
            consent: Consent::default(),
            now: Timestamp::parse("2026-11-20T10:00:00Z").unwrap(),
            events: 0,
            fired: Vec::new(),
            exposed: Vec::new(),
            member: MemberId(Box::from("m")),
            wake_at: None,
        }
    }

    fn step(&mut self, step: &Value) {
        let text = |name: &str| step.field(name).and_then(Value::as_str);
        if let Some(after) = text("after") {
            self.now = self.now.plus(parse_duration_ms(after).unwrap());
        }
        if let Some(session) = text("session") {
            self.session = SessionId(uuid_from_text(session).unwrap());
        }
        if let Some(at) = text("at") {
            self.now = Timestamp::parse(at).unwrap();
        }
        if let Some(Value::Array(granted)) = step.field("granted") {
            let purposes = Purpose::ALL.into_iter();
            let granted = purposes.filter(|purpose| granted.contains(&Value::string(purpose.name())));
            self.consent = Consent::of(&granted.collect::<Vec<_>>());
        }
        if let Some(context) = step.field("context") {
            self.context = context.to_packed();
        }
        if let Some(rules) = step.field("publish") {
            self.bundle = bundle(rules);
        }
        if step.field("reload").is_some() {
            self.current.clear();
        }
        if let Some(member) = text("member") {
            self.member = MemberId(Box::from(member));
        }
        if let Some(event) = text("track") {
            let mut metadata = String::new();
            step.field("metadata").unwrap_or(&Value::Object(Vec::new())).write(&mut metadata);
            self.track(event, &metadata);
        }
        self.decide();
    }

    fn track(&mut self, event_type: &str, metadata: &str) {
        self.events += 1;
        let event = EventDocument::new(Event {
            event_id: EventId(Uuid::from_u128(self.events)),
            event_type: Box::from(event_type),
            timestamp: self.now,
            member: self.member.clone(),
            lane: None,
            session: Some(self.session),
            user_id: None,
            metadata: Some(Box::from(metadata)),
        });
        self.tiles.apply(&self.bundle.signals, &event, self.now);
        self.traits.apply(&event);
        let parts = [&self.tiles];
        let assigned = Assigned::new(&self.bundle.experiments);
        let document = self.document(&parts, &assigned, Some(&event));
        assigned.assign(&document, &mut Outlook::default());
        let matches = judge(&self.bundle.rules, &document, event.event());
        for found in matches {
            let rule = self.bundle.rules.get(found.rule).unwrap();
            let key = found.key.as_deref().map_or(String::new(), |key| format!(":{key}"));
            if let Some(latched) = latch(&rule, found.key, event.event()) {
                self.latches.retain(|known| known.rule != latched.rule);
                self.latches.push(latched);
            } else {
                self.fired.push(format!("{}{key}", rule.id));
            }
        }
    }

    fn decide(&mut self) {
        let parts = [&self.tiles];
        let assigned = Assigned::new(&self.bundle.experiments);
        let document = self.document(&parts, &assigned, None);
        let mut outlook = Outlook::default();
        assigned.assign(&document, &mut outlook);
        let current: Vec<Decision> = self.current.values().cloned().collect();
        let decided = decide(&self.bundle.rules, &document, &self.latches, &current);
        decided.wake_at.into_iter().for_each(|at| outlook.note(at));
        let exposures = assigned.exposed(&document);
        self.wake_at = outlook.next;
        self.latches.retain(|latch| !decided.ended.contains(&latch.rule));
        let mut shown = Vec::new();
        for change in decided.changes {
            if let (true, Some(decision)) = (change.is_shown, &change.decision) {
                shown.push((decision.rule.clone(), decision.key.clone().unwrap_or_default()));
            }
            match change.decision {
                Some(decision) => self.current.insert(change.slot, decision),
                None => self.current.remove(&change.slot),
            };
        }
        for Exposed { experiment, variation, bucket_version, .. } in exposures {
            self.exposed.push(format!("{experiment}:{variation}"));
            let metadata = format!(
                r#"{{"experiment":"{experiment}","variation":"{variation}","bucket_version":{bucket_version}}}"#
            );
            self.track(EXPOSURE, &metadata);
            self.decide();
        }
        for (rule, key) in shown {
            self.track(SHOWN, &format!(r#"{{"rule":"{rule}","key":"{key}"}}"#));
            self.decide();
        }
    }

    fn document<'a>(
        &'a self,
        parts: &'a [&'a Tiles],
        experiments: &'a Assigned<'a>,
        event: Option<&'a EventDocument>,
    ) -> VisitorDocument<'a> {
        VisitorDocument {
            traits: &self.traits,
            signals: &self.bundle.signals,
            models: Some(&self.bundle.models),
            parts,
            experiments,
            unit: (&self.member, None),
            context: self.context.get(),
            event,
            now: self.now,
            session: Some(self.session),
            consent: self.consent,
            zone: &Clocks::UTC,
            matcher: None,
        }
    }

    /// What a script's expectations are compared with: `rule`, `rule:key`, both with the text of the first action.
    fn holder(&self, slot: &str) -> Value {
        let Some(decision) = self.current.get(slot) else { return Value::Null };
        let mut text = decision.rule.to_string();
        decision.key.iter().for_each(|key| text.push_str(&format!(":{key}")));
        Value::string(&text)
    }

    fn variable(&self, name: &str) -> Value {
        let mut variables = self.current.values().flat_map(|decision| decision.actions.variables());
        variables.find(|(known, _)| *known == name).map_or(Value::Null, |(_, value)| value.to_tree())
    }
}

fn bundle(rules: &Value) -> Bundle {
    let mut text = String::new();
    rules.write(&mut text);
    let compiled = compile(&[SourceFile { name: "rules.json".into(), text }]);
    assert_eq!(compiled.diagnostics, [], "the rules of a vector are sound");
    compiled.bundle
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn every_rule_vector_gives_its_decisions() {
    assert!(run(RULES) >= 15);
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn every_score_vector_gives_its_decisions() {
    assert!(run(SCORES) >= 60);
}

/// Runs the vectors of a file; returns how many there are.
fn run(vectors: &str) -> usize {
    let Value::Array(cases) = Value::parse(vectors).unwrap() else { panic!("a list of vectors") };
    for (index, case) in cases.iter().enumerate() {
        let name = case.field("name").and_then(Value::as_str).unwrap();
        assert_eq!(case.field("number"), Some(&Value::Number(index as f64 + 1.0)), "{name}");
        let mut page = Page::new(case.field("rules").unwrap());
        let Some(Value::Array(steps)) = case.field("steps") else { panic!("{name}: steps") };
        for (place, step) in steps.iter().enumerate() {
            page.step(step);
            let place = format!("{name}, step {}", place + 1);
            if let Some(Value::Object(slots)) = step.field("holds") {
                for (slot, expected) in slots {
                    assert_eq!(page.holder(slot), *expected, "{place}: {slot}");
                }
            }
            if let Some(Value::Object(variables)) = step.field("variables") {
                for (variable, expected) in variables {
                    assert_eq!(page.variable(variable), *expected, "{place}: {variable}");
                }
            }
            if let Some(Value::Array(fired)) = step.field("fired") {
                let now: Vec<Value> = page.fired.drain(..).map(|text| Value::string(&text)).collect();
                assert_eq!(now, *fired, "{place}");
            }
            if let Some(Value::Array(exposed)) = step.field("exposed") {
                let now: Vec<Value> = page.exposed.drain(..).map(|text| Value::string(&text)).collect();
                assert_eq!(now, *exposed, "{place}");
            }
            if let Some(wake) = step.field("wake_after") {
                let wake_ms = wake.as_str().map(|text| parse_duration_ms(text).unwrap());
                assert_eq!(page.wake_at.map(|at| at.since(page.now)), wake_ms, "{place}");
            }
        }
    }
    cases.len()
}
