//! Runs the numbered rule vectors, natively and in a browser: rule file and a script of events over simulated time → decisions.
#![cfg(feature = "author")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a vector that cannot be read is a failed test"
)]

use attune_core::bundle::Bundle;
use attune_core::bundle::author::{Severity, SourceFile, compile};
use attune_core::condition::{Consent, Engine, Outlook, Purpose, context_clocks};
use attune_core::experiment::{Assigned, Exposed};
use attune_core::id::{EventId, MemberId, SessionId, Uuid, uuid_from_text};
use attune_core::processor::{Firing, Processor, ProfileState};
use attune_core::profile::{Absorbed, EventDocument, Latch, MemberState, Tiles, Traits};
use attune_core::rules::{
    Actions, Decision, Refusal, Verdict, VisitorDocument, decide, explain, judge, latch,
};
use attune_core::time::{Clocks, Timestamp, parse_duration_ms};
use attune_core::value::{Packed, Value};
use attune_core::wire::{EXPOSURE, Event, Record, SHOWN};
use std::collections::BTreeMap;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

const RULES: &str = include_str!("../../tests/spec/70-rules.json");
const SCORES: &str = include_str!("../../tests/spec/30-scores.json");
const STICKY: &str = include_str!("../../tests/spec/24-sticky.json");
/// A session of scripts that name none.
const SESSION: &str = "first";

/// One page load with everything it knows, driven by a script, and the server that takes its events in.
struct Page {
    bundle: Bundle,
    tiles: Tiles,
    traits: Traits,
    context: Packed,
    /// Those of the context.
    clocks: Clocks,
    latches: Vec<Latch>,
    current: BTreeMap<Box<str>, Decision>,
    session: SessionId,
    consent: Consent,
    now: Timestamp,
    events: u128,
    exposed: Vec<String>,
    member: MemberId,
    user: Option<Box<str>>,
    wake_at: Option<Timestamp>,
    engine: Engine,
    server: Server,
}

/// What fires triggers, with the states of everybody.
struct Server {
    processor: Processor,
    states: BTreeMap<MemberId, (MemberState, ProfileState)>,
    fired: Vec<Firing>,
}

impl Server {
    fn track(&mut self, event: &Event) {
        let (member, profile) = self
            .states
            .entry(event.member.clone())
            .or_insert_with(|| (MemberState::new(event.member.clone()), ProfileState::default()));
        let record =
            Record::Event { event: event.clone(), received_at: event.timestamp, proven: false, facts: None };
        let Absorbed::Change(change) = self.processor.absorb(member, &record) else { panic!("an event") };
        self.fired.extend(self.processor.combine(profile, &change, None).firings);
    }

    /// Wakes every profile at each instant at which time alone may fire something.
    fn pass_time(&mut self, to: Timestamp) {
        for (_, profile) in self.states.values_mut() {
            while let Some(at) = profile.wake_at().filter(|at| *at <= to && *at > profile.time()) {
                self.fired.extend(self.processor.wake(profile, at).firings);
            }
        }
    }
}

impl Page {
    fn new(bundle: Bundle) -> Self {
        let mut processor = Processor::asking(Box::new(Engine::default()));
        let now = Timestamp::parse("2026-11-20T10:00:00Z").unwrap();
        processor.set_bundle(bundle.clone(), now);
        Self {
            bundle,
            tiles: Tiles::default(),
            traits: Traits::default(),
            context: Value::Object(Vec::new()).to_packed(),
            clocks: Clocks::UTC,
            latches: Vec::new(),
            current: BTreeMap::new(),
            session: SessionId(uuid_from_text(SESSION).unwrap()),
            consent: Consent::default(),
            now,
            events: 0,
            exposed: Vec::new(),
            member: MemberId(Box::from("m")),
            user: None,
            wake_at: None,
            engine: Engine::default(),
            server: Server { processor, states: BTreeMap::new(), fired: Vec::new() },
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
        self.server.pass_time(self.now);
        if let Some(context) = step.field("context") {
            self.context = context.to_packed();
            self.clocks = context_clocks(self.context.get());
        }
        if let Some(rules) = step.field("publish") {
            let revision = self.bundle.revision + 1;
            self.bundle = Bundle { revision, ..bundle(rules).0 };
            self.server.processor.set_bundle(self.bundle.clone(), self.now);
        }
        if step.field("reload").is_some() {
            self.current.clear();
        }
        if let Some(member) = text("member") {
            self.member = MemberId(Box::from(member));
        }
        if let Some(user) = text("user") {
            self.user = Some(Box::from(user));
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
            if let Some(latched) = latch(&rule, found.key, event.event()) {
                self.latches.retain(|known| known.rule != latched.rule);
                self.latches.push(latched);
            }
        }
        self.server.track(event.event());
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
        let is_told = !exposures.is_empty() || !shown.is_empty();
        for Exposed { experiment, variation, bucket_version, .. } in exposures {
            self.exposed.push(format!("{experiment}:{variation}"));
            let metadata = format!(
                r#"{{"experiment":"{experiment}","variation":"{variation}","bucket_version":{bucket_version}}}"#
            );
            self.track(EXPOSURE, &metadata);
        }
        for (rule, key) in shown {
            self.track(SHOWN, &format!(r#"{{"rule":"{rule}","key":"{key}"}}"#));
        }
        if is_told {
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
            unit: (&self.member, self.user.as_deref()),
            context: self.context.get(),
            event,
            now: self.now,
            session: Some(self.session),
            consent: self.consent,
            zone: &self.clocks,
            matcher: Some(&self.engine),
            reads: None,
        }
    }

    /// What has given each experiment's variation, or kept the visitor out.
    fn origin(&self, experiment: &str) -> Value {
        let parts = [&self.tiles];
        let assigned = Assigned::new(&self.bundle.experiments);
        let document = self.document(&parts, &assigned, None);
        assigned.assign(&document, &mut Outlook::default());
        let mut assignments = assigned.assignments();
        let found = assignments.find(|found| found.experiment == experiment);
        found.map_or(Value::Null, |found| Value::string(found.origin.code()))
    }

    /// Who holds a slot: `rule` or `rule:key`.
    fn holder(&self, slot: &str) -> Value {
        let Some(decision) = self.current.get(slot) else { return Value::Null };
        Value::string(&keyed(&decision.rule, decision.key.as_deref()))
    }

    /// What a slot's rule does to the page.
    fn actions(&self, slot: &str) -> Value {
        self.current.get(slot).map_or(Value::Null, |decision| actions(&decision.actions))
    }

    /// Why a rule holds or not: the code, and behind a colon why a rule is inactive.
    fn reason(&self, rule: &str) -> Value {
        let parts = [&self.tiles];
        let assigned = Assigned::new(&self.bundle.experiments);
        let document = self.document(&parts, &assigned, None);
        assigned.assign(&document, &mut Outlook::default());
        let holder = |slot: &str| self.current.get(slot).map(|decision| decision.rule.clone());
        let standings = explain(&self.bundle.rules, &document, &self.latches, &holder);
        let index = self.bundle.rule(rule).unwrap().index;
        let standing = standings.iter().find(|standing| standing.rule == index).unwrap();
        Value::string(&match &standing.verdict {
            Verdict::Holds(reason) => reason.code().to_string(),
            Verdict::Refused(Refusal::Inactive(why)) => format!("inactive:{why}"),
            Verdict::Refused(refusal) => refusal.code().to_string(),
        })
    }

    fn variable(&self, name: &str) -> Value {
        let mut variables = self.current.values().flat_map(|decision| decision.actions.variables());
        variables.find(|(known, _)| *known == name).map_or(Value::Null, |(_, value)| value.to_tree())
    }
}

/// Actions as rule files write them.
fn actions(actions: &Actions) -> Value {
    Value::Array(actions.iter().map(|action| action.to_value()).collect())
}

fn keyed(rule: &str, key: Option<&str>) -> String {
    key.map_or_else(|| rule.to_string(), |key| format!("{rule}:{key}"))
}

/// The bundle of a rule file, and the codes of what the compiler has to say about it: errors, and warnings.
fn bundle(rules: &Value) -> (Bundle, [Value; 2]) {
    let mut text = String::new();
    rules.write(&mut text);
    let compiled = compile(&[SourceFile { name: "rules.json".into(), text }]);
    let codes = [Severity::Error, Severity::Warning].map(|severity| {
        let found = compiled.diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity);
        Value::Array(found.map(|diagnostic| Value::string(diagnostic.code)).collect())
    });
    (compiled.bundle, codes)
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn every_rule_vector_gives_its_decisions() {
    assert!(run(RULES) >= 190);
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn every_score_vector_gives_its_decisions() {
    assert!(run(SCORES) >= 60);
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn every_sticky_vector_gives_its_decisions() {
    assert!(run(STICKY) >= 34);
}

/// Runs the vectors of a file; returns how many there are.
fn run(vectors: &str) -> usize {
    let Value::Array(cases) = Value::parse(vectors).unwrap() else { panic!("a list of vectors") };
    let mut differences = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let name = case.field("name").and_then(Value::as_str).unwrap();
        assert_eq!(case.field("number"), Some(&Value::Number(index as f64 + 1.0)), "{name}");
        let (bundle, diagnostics) = bundle(case.field("rules").unwrap());
        let expected = ["diagnostics", "warnings"]
            .map(|name| case.field(name).cloned().unwrap_or_else(|| Value::Array(Vec::new())));
        if diagnostics != expected {
            differences.push(format!("{} {name}: the compiler says {diagnostics:?}", index + 1));
        }
        let mut page = Page::new(Bundle { revision: 1, ..bundle });
        for (place, step) in list(case, "steps").unwrap().iter().enumerate() {
            page.step(step);
            compare(&mut page, step, &mut |what, found, expected| {
                if found != *expected {
                    let place = format!("{} {name}, step {}", index + 1, place + 1);
                    differences.push(format!("{place}: {what} is {found:?}, expected {expected:?}"));
                }
            });
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    cases.len()
}

/// Shows what a step expects beside what there is.
fn compare(page: &mut Page, step: &Value, tell: &mut dyn FnMut(&str, Value, &Value)) {
    let mut each = |field: &str, look: &dyn Fn(&str) -> Value| {
        let Some(Value::Object(expected)) = step.field(field) else { return };
        for (name, expected) in expected {
            tell(&format!("{field} {name}"), look(name), expected);
        }
    };
    each("holds", &|slot| page.holder(slot));
    each("variables", &|name| page.variable(name));
    each("actions", &|slot| page.actions(slot));
    each("reasons", &|rule| page.reason(rule));
    each("origins", &|experiment| page.origin(experiment));
    if let Some(fired) = step.field("fired") {
        let firings = core::mem::take(&mut page.server.fired);
        let now = firings.iter().map(|firing| Value::string(&keyed(&firing.rule, firing.key.as_deref())));
        tell("fired", Value::Array(now.collect()), fired);
        if let Some(calls) = step.field("calls") {
            let now = firings.iter().map(|firing| actions(&firing.actions));
            tell("calls", Value::Array(now.collect()), calls);
        }
    }
    if let Some(exposed) = step.field("exposed") {
        let now = page.exposed.drain(..).map(|text| Value::string(&text));
        tell("exposed", Value::Array(now.collect()), exposed);
    }
    if let Some(wake) = step.field("wake_after") {
        let text = |at: Timestamp| Value::string(&ms_text(at.since(page.now)));
        let expected = wake.as_str().map(|text| Value::string(&ms_text(parse_duration_ms(text).unwrap())));
        let found = page.wake_at.map_or(Value::Null, text);
        tell("wake_after", found, &expected.unwrap_or(Value::Null));
    }
}

fn ms_text(ms: i64) -> String {
    format!("{ms}ms")
}

fn list<'a>(of: &'a Value, name: &str) -> Option<&'a [Value]> {
    match of.field(name) {
        Some(Value::Array(items)) => Some(items),
        _ => None,
    }
}
