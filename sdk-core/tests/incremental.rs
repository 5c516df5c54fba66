//! Decisions brought up to date by what has changed equal decisions made anew, over random rules and random changes.
#![cfg(feature = "author")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use attune_core::bundle::author::{SourceFile, compile, delta};
use attune_core::bundle::{
    Bundle, HASH_BYTES, Header, SIGNATURE_BYTES, attach_signature, open_delta, seal_envelope, settle_body,
};
use attune_core::condition::{Document, Outlook, PathRef, Reading, Root};
use attune_core::id::{EventId, SessionId, SignalId, Uuid};
use attune_core::profile::Latch;
use attune_core::rules::index::Marks;
use attune_core::rules::{Decided, Decider, Decision, Touched, Visit, Watch, decide};
use attune_core::time::Timestamp;
use attune_core::value::{Value, ValueRef};
use std::fmt::Write;

/// Sequences of changes; `ATTUNE_SEQUENCES` asks for another number of them when this is compiled.
const SEQUENCES: u64 = 3_000;
const CHANGES: usize = 30;
/// After so many of them comes another bundle.
const BUNDLE_CHANGES: usize = 5;

/// SplitMix64 (Steele, Lea, Flood 2014): enough for choosing.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    fn of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

const PATHS: [&str; 5] = ["context.a", "context.b", "context.c", "traits.a", "traits.b"];
/// A signal without keys, and one with.
const SIGNALS: &str = r#""signals":[{"name":"n","on":"x","aggregate":"count","window":"5m"},
    {"name":"k","on":"x","by":"metadata.k","aggregate":"count","window":"5m"},
    {"name":"at","on":"x","aggregate":"last_at","window":"lifetime"}]"#;
const LITERALS: [&str; 14] = [
    "\"x\"",
    "\"y\"",
    "\"\"",
    "\"2\"",
    "\"null\"",
    "0",
    "2",
    "2.5",
    "-1",
    "true",
    "false",
    "null",
    "[\"x\"]",
    "[2,\"y\"]",
];

fn test(random: &mut Random, out: &mut String) {
    let literal = random.of(&LITERALS);
    match random.below(12) {
        0 | 1 => out.push_str(literal),
        2 => write!(out, "{{\"{}\":{literal}}}", random.of(&["$eq", "$ne"])).unwrap(),
        3 | 4 => {
            let (operator, other) = (random.of(&["$in", "$nin"]), random.of(&LITERALS));
            write!(out, "{{\"{operator}\":[{literal},{other}]}}").unwrap();
        }
        5..=8 => {
            let operator = random.of(&["$gt", "$gte", "$lt", "$lte"]);
            let number = random.of(&["-1", "0", "1", "2", "2.5", "3", "\"2\"", "{\"$path\":\"context.b\"}"]);
            write!(out, "{{\"{operator}\":{number}}}").unwrap();
        }
        9 => write!(out, "{{\"$exists\":{}}}", random.of(&["true", "false"])).unwrap(),
        10 => out.push_str("{\"$not\":{\"$gte\":2,\"$ne\":\"x\"}}"),
        _ => out.push_str(random.of(&[
            "{\"$before\":\"-5s\"}",
            "{\"$after\":\"-3s\"}",
            "{\"$gte\":1,\"$lt\":3}",
        ])),
    }
}

fn condition(random: &mut Random, depth: usize, out: &mut String) {
    match random.below(if depth == 0 { 8 } else { 12 }) {
        0..=4 => {
            write!(out, "{{\"{}\":", random.of(&PATHS)).unwrap();
            test(random, out);
            out.push('}');
        }
        5 => {
            write!(out, "{{\"signals.{}\":", random.of(&["n", "k.x", "k.y", "at"])).unwrap();
            test(random, out);
            out.push('}');
        }
        6 => {
            let key = random.of(&["\"x\"", "{\"$path\":\"context.a\"}", "null"]);
            write!(out, "{{\"$signal\":{{\"name\":\"k\",\"key\":{key},\"is\":").unwrap();
            test(random, out);
            out.push_str("}}");
        }
        7 if random.below(2) == 0 => {
            write!(
                out,
                "{{\"$bucket\":{{\"by\":\"{}\",\"seed\":\"s\",\"in\":[[0,0.5]]}}}}",
                random.of(&PATHS)
            )
            .unwrap();
        }
        7 => out.push_str(random.of(&["{}", "{\"$or\":[]}", "{\"$nor\":[]}"])),
        8 => {
            out.push_str("{\"$not\":");
            condition(random, depth - 1, out);
            out.push('}');
        }
        which => {
            write!(out, "{{\"{}\":[", random.of(&["$and", "$or", if which == 9 { "$nor" } else { "$and" }]))
                .unwrap();
            for part in 0..1 + random.below(3) {
                out.push_str(if part > 0 { "," } else { "" });
                condition(random, depth - 1, out);
            }
            out.push_str("]}");
        }
    }
}

fn rule(random: &mut Random, number: usize) -> String {
    let mut text = format!("{{\"id\":\"r{number}\",\"slot\":\"{}\",", random.of(&["s", "t"]));
    write!(text, "\"priority\":{},", random.below(3)).unwrap();
    match random.below(6) {
        0 => {
            write!(text, "\"on\":\"x\",\"hold\":\"{}\",", random.of(&["session", "10s", "until_next_holder"]))
                .unwrap()
        }
        1 => text.push_str("\"cap\":{\"per\":\"lifetime\",\"count\":2,\"min_gap\":\"4s\"},"),
        2 => text.push_str("\"cap\":{\"per\":\"lifetime\",\"key\":\"context.a\",\"count\":1},"),
        _ => {}
    }
    match random.below(8) {
        0 | 1 => text.push_str("\"group\":\"g\","),
        2 => text.push_str("\"group\":\"h\",\"consent\":\"analytics\","),
        3 => text.push_str("\"schedule\":{\"hours\":\"00:16-00:17\",\"zone\":\"visitor\"},"),
        _ => {}
    }
    text.push_str("\"when\":");
    condition(random, 2, &mut text);
    let value = random.of(&["plain", "{{context.b|none}}", "{{signals.k.x}} {{key}}"]);
    write!(text, ",\"actions\":[{{\"kind\":\"variable\",\"name\":\"v\",\"value\":\"{value}\"}}]}}").unwrap();
    text
}

fn rules(random: &mut Random, most: usize) -> Vec<String> {
    (0..1 + random.below(most)).map(|number| rule(random, number)).collect()
}

fn source(rules: &[String]) -> String {
    format!("{{{SIGNALS},\"rules\":[{}]}}", rules.join(","))
}

/// A signal and a key.
type Place = (SignalId, String);

/// A visitor whose signals are what the test says.
struct Visitor<'a> {
    bundle: &'a Bundle,
    roots: [Value; 2],
    packed: [attune_core::value::Packed; 2],
    /// By signal and key: a value that changes to the next whole number at an instant, unknown, or nothing.
    signals: Vec<(Place, Option<(f64, Timestamp)>)>,
    now: Timestamp,
    session: SessionId,
}

impl Document for Visitor<'_> {
    fn value(&self, path: PathRef<'_>) -> ValueRef<'_> {
        let root = match path.root {
            Root::Traits => &self.packed[0],
            Root::Context => &self.packed[1],
            _ => return ValueRef::Null,
        };
        root.get().at(path.rest).unwrap_or(ValueRef::Null)
    }

    fn signal(&self, signal: SignalId, key: &str) -> Reading<'_> {
        let found = self.signals.iter().find(|((id, known), _)| *id == signal && *known == *key);
        let aggregate = self.bundle.signals.by_id(signal).map(|signal| signal.aggregate);
        match (found, aggregate) {
            (Some((_, None)), _) => Reading::Truncated,
            (Some((_, Some((_, turns)))), Some(attune_core::profile::Aggregate::LastAt)) => {
                Reading::Value(ValueRef::Instant(*turns), None)
            }
            (Some((_, Some((value, turns)))), _) if self.now < *turns => {
                Reading::Value(ValueRef::Number(*value), Some(*turns))
            }
            (Some((_, Some((value, _)))), _) => Reading::Value(ValueRef::Number(value + 1.0), None),
            (None, _) => Reading::Missing,
        }
    }

    fn signal_named(&self, name: &str, key: &str) -> Reading<'_> {
        self.bundle.signals.by_name(name).map_or(Reading::Missing, |signal| self.signal(signal.id, key))
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn session(&self) -> Option<SessionId> {
        Some(self.session)
    }
}

impl Visitor<'_> {
    /// Changes one thing and says which.
    fn change(&mut self, random: &mut Random, latches: &mut Vec<Latch>) -> (Option<Touched>, bool) {
        match random.below(10) {
            0..=4 => {
                let root = random.below(2);
                let Value::Object(fields) = &mut self.roots[root] else { panic!("an object") };
                let name = random.of(&["a", "b", "c"]);
                fields.retain(|(field, _)| **field != *name);
                if random.below(8) > 0 {
                    fields.push((name.into(), Value::parse(random.of(&LITERALS)).unwrap()));
                }
                self.packed[root] = self.roots[root].to_packed();
                (Some(Touched::Root([Root::Traits, Root::Context][root])), false)
            }
            5 | 6 => {
                let index = random.below(self.bundle.signals.len());
                let signal = self.bundle.signals.get(index).unwrap();
                let key = if signal.by.is_some() { random.of(&["x", "y"]) } else { "" };
                let place = (signal.id, key.to_owned());
                self.signals.retain(|(known, _)| *known != place);
                let value = (random.below(4) as f64, self.now.plus(random.below(9_000) as i64 - 4_000));
                let reading = if random.below(6) > 0 { Some(value) } else { None };
                if random.below(6) > 0 {
                    self.signals.push((place, reading));
                }
                (Some(Touched::Signal(signal.id)), false)
            }
            7 | 8 => {
                let step = [1, 700, 5_000, -2_000][random.below(4)];
                self.now = self.now.plus(step);
                (None, false)
            }
            _ => {
                let rule = self.bundle.rules.get(random.below(self.bundle.rules.len())).unwrap();
                latches.retain(|latch| *latch.rule != *rule.id);
                if !rule.is_level() && random.below(4) > 0 {
                    latches.push(Latch {
                        rule: rule.id.into(),
                        key: None,
                        at: self.now,
                        event_id: EventId(Uuid::from_u128(1)),
                        session: random.of(&[None, Some(self.session), Some(SessionId(Uuid::from_u128(9)))]),
                        until: random.of(&[None, Some(self.now.plus(3_000))]),
                    });
                }
                (None, true)
            }
        }
    }
}

fn apply(current: &mut Vec<Decision>, decided: &Decided) {
    for change in &decided.changes {
        current.retain(|held| held.slot != change.slot);
        current.extend(change.decision.clone());
    }
    current.sort_by(|one, other| one.slot.cmp(&other.slot));
}

fn run(seed: u64) {
    let mut random = Random(seed);
    let text = source(&rules(&mut random, 8));
    let compiled = compile(&[SourceFile { name: "rules.json".to_owned(), text: text.clone() }]);
    assert!(compiled.diagnostics.is_empty(), "{text}: {:?}", compiled.diagnostics);
    let bundle = &compiled.bundle;
    let empty = || Value::Object(Vec::new());
    let mut visitor = Visitor {
        bundle,
        roots: [empty(), empty()],
        packed: [empty().to_packed(), empty().to_packed()],
        signals: Vec::new(),
        now: Timestamp(1_000_000),
        session: SessionId(Uuid::from_u128(7)),
    };
    let mut decider = Decider::new(&bundle.rules, &bundle.signals, &[]);
    let mut watch = Watch::new(&bundle.rules, &bundle.signals);
    let (mut anew, mut updated, mut latches) = (Vec::new(), Vec::new(), Vec::new());
    for step in 0..CHANGES {
        let (touched, by_latch) = visitor.change(&mut random, &mut latches);
        if let Some(touched) = touched {
            decider.touch(touched, &bundle.rules);
            watch.touch(touched, &bundle.rules);
        }
        if by_latch {
            decider.touch_latches(&bundle.rules, &latches);
            (0..bundle.rules.slot_count()).for_each(|slot| watch.touch_slot(slot));
        }
        let expected = decide(&bundle.rules, &visitor, &latches, &anew);
        let mut decided = Decided::default();
        let mut turned = Vec::new();
        decider.decide(&bundle.rules, &visitor, &latches, &mut |slot, rule| turned.push((slot, rule)));
        for (slot, rule) in turned {
            let (name, _) = bundle.rules.slot(slot).unwrap();
            let pick = decider.pick(slot);
            assert_eq!(pick.as_ref().map(|pick| pick.rule), rule);
            let next =
                pick.and_then(|pick| pick.decision(name, &bundle.rules, &visitor, &mut Outlook::default()));
            let held = updated.iter().find(|held: &&Decision| *held.slot == *name);
            let is_shown = next.as_ref().is_some_and(|next| next.is_new_under_cap(held, &bundle.rules));
            decided.take(name, held, next, is_shown, &latches);
        }
        if decided.changes != expected.changes {
            eprintln!("{:?} {:?}\n{latches:?}\n{updated:?} {anew:?}", visitor.now, visitor.roots);
        }
        assert_eq!(decided.changes, expected.changes, "seed {seed}, change {step}: {text}");
        assert_eq!(decided.ended, expected.ended, "seed {seed}, change {step}: {text}");
        let mut watched = Decided::default();
        let visit = Visit { rules: &bundle.rules, document: &visitor, latches: &latches };
        let held_in = |slot: &str| anew.iter().find(|held: &&Decision| *held.slot == *slot);
        let is_grouped = watch.begin(visitor.now);
        let excluded = if is_grouped { visit.excluded(&held_in) } else { Marks::default() };
        while let Some(slot) = watch.take_slot(0) {
            let (name, _) = bundle.rules.slot(slot).unwrap();
            let held = held_in(name);
            let mut outlook = Outlook::default();
            let next = visit.decide_slot(slot, held, &excluded, &mut outlook);
            watch.set_due(slot, outlook.next);
            let is_shown = next.as_ref().is_some_and(|next| next.is_new_under_cap(held, &bundle.rules));
            watched.take(name, held, next, is_shown, &latches);
        }
        assert_eq!(watched.changes, expected.changes, "watch, seed {seed}, change {step}: {text}");
        apply(&mut anew, &expected);
        apply(&mut updated, &decided);
        // Nothing may change by time alone before the instant that was named.
        for wake in [decider.wake_at(), watch.wake_at()].into_iter().filter(|_| step % 3 == 0) {
            let until = wake.map_or(visitor.now.plus(60_000), |at| at.plus(-1));
            let now = visitor.now;
            visitor.now = until.max(now);
            let later = decide(&bundle.rules, &visitor, &latches, &anew);
            assert_eq!(later.changes, [], "seed {seed}, change {step}, until {until:?}: {text}");
            visitor.now = now;
        }
    }
}

#[test]
fn what_is_brought_up_to_date_equals_what_is_decided_anew() {
    let sequences = option_env!("ATTUNE_SEQUENCES").and_then(|text| text.parse().ok()).unwrap_or(SEQUENCES);
    (0..sequences).for_each(run);
}

fn body(rules: &[String]) -> Vec<u8> {
    compile(&[SourceFile { name: "rules.json".to_owned(), text: source(rules) }]).body
}

fn envelope(revision: u64, body: &[u8]) -> Vec<u8> {
    let header = Header { project: "p", revision, key_id: "k", ..Header::default() };
    attach_signature(seal_envelope(&header, body), &[0; SIGNATURE_BYTES])
}

/// Somebody writes one rule anew, another, or takes one away; once in a while everything.
fn edit(random: &mut Random, rules: &mut Vec<String>, next: usize) {
    let at = random.below(rules.len());
    match random.below(10) {
        0..=3 => rules[at] = rule(random, next),
        4..=6 => rules.push(rule(random, next)),
        7 | 8 if rules.len() > 1 => drop(rules.remove(at)),
        _ => *rules = self::rules(random, 8),
    }
}

/// A visitor changes under one bundle, and under those that deltas make of it; how many indexes were brought up to date.
fn renew(seed: u64) -> usize {
    let mut random = Random(seed);
    let mut rules = rules(&mut random, if seed.is_multiple_of(2) { 8 } else { 40 });
    let mut bodies = vec![body(&rules)];
    for next in 0..CHANGES / BUNDLE_CHANGES {
        edit(&mut random, &mut rules, 100 + next);
        bodies.push(settle_body(&body(&rules), bodies.last().unwrap()).unwrap());
    }
    let bundles: Vec<Bundle> =
        (1..).zip(&bodies).map(|(revision, body)| Bundle::open(&envelope(revision, body)).unwrap()).collect();
    let empty = || Value::Object(Vec::new());
    let mut visitor = Visitor {
        bundle: &bundles[0],
        roots: [empty(), empty()],
        packed: [empty().to_packed(), empty().to_packed()],
        signals: Vec::new(),
        now: Timestamp(1_000_000),
        session: SessionId(Uuid::from_u128(7)),
    };
    let mut decider = Decider::new(&bundles[0].rules, &bundles[0].signals, &[]);
    let (mut anew, mut updated, mut latches, mut followed) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for step in 1..CHANGES {
        let (touched, _) = visitor.change(&mut random, &mut latches);
        if step % BUNDLE_CHANGES == 0 {
            let (before, bundle) = (visitor.bundle, &bundles[step / BUNDLE_CHANGES]);
            let [from, to] = [before, bundle]
                .map(|bundle| envelope(bundle.revision, &bodies[bundle.revision as usize - 1]));
            let whole = open_delta(&delta(&from, &[0; HASH_BYTES], &to)).unwrap().apply(&from).unwrap();
            let (opened, succession) = Bundle::open_after(&whole, before).unwrap();
            assert_eq!(opened, *bundle, "seed {seed}, change {step}");
            let Bundle { rules, signals, .. } = bundle;
            let is_followed = decider.index().clone().follow(&before.rules, rules, signals, &succession);
            followed += usize::from(is_followed);
            decider.renew(&before.rules, rules, signals, &succession);
            visitor.bundle = bundle;
        }
        let rules = &visitor.bundle.rules;
        touched.into_iter().for_each(|touched| decider.touch(touched, rules));
        decider.touch_latches(rules, &latches);
        let expected = decide(rules, &visitor, &latches, &anew);
        let mut decided = Decided::default();
        let mut turned = Vec::new();
        decider.decide(rules, &visitor, &latches, &mut |slot, _| turned.push(slot));
        for slot in turned {
            let (name, _) = rules.slot(slot).unwrap();
            let pick = decider.pick(slot);
            let next = pick.and_then(|pick| pick.decision(name, rules, &visitor, &mut Outlook::default()));
            let held = updated.iter().find(|held: &&Decision| *held.slot == *name);
            let is_shown = next.as_ref().is_some_and(|next| next.is_new_under_cap(held, rules));
            decided.take(name, held, next, is_shown, &latches);
        }
        apply(&mut anew, &expected);
        apply(&mut updated, &decided);
        updated.retain(|held| rules.slot_named(&held.slot).is_some());
        assert_eq!(updated, anew, "seed {seed}, change {step}");
    }
    followed
}

#[test]
fn picks_are_kept_over_deltas_and_decisions_are_those_of_the_bundle_in_full() {
    let sequences = SEQUENCES / 4;
    let followed: usize = (0..sequences).map(renew).sum();
    // The others were written with other numbers, or nearly all of it was new.
    let renewed = sequences as usize * (CHANGES / BUNDLE_CHANGES - 1);
    assert!(followed > renewed / 3, "{followed} of {renewed}");
}
