//! `delta [folder]`: what a change of one rule among a thousand weighs, and what it costs whoever follows it, a JSON line
//! each.
//!
//! A folder has one more set of rules, as `rules.json`, and is given the envelopes and deltas of all cases, so that other
//! hosts can be measured over the same ones; `cargo xtask bench delta` does that.

use attune_benches::failure::Failure;
use attune_core::bundle::author::{SourceFile, compile, delta};
use attune_core::bundle::{
    Bundle, Header, SIGNATURE_BYTES, attach_signature, open_delta, seal_envelope, settle_body,
};
use attune_core::rules::Decider;
use attune_core_abi::Evaluator;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs};

/// What somebody does to the rules.
type Change<'a> = dyn Fn(&mut Vec<Value>) + 'a;

const RULES: usize = 1_000;
const GOAL_BYTES: usize = 500;
const GOAL_US: f64 = 100.0;
const ROUNDS: usize = 200;
const AT_MS: f64 = 1_795_168_800_000.0;
const NEW_ID: &str = "rule-new";

fn main() -> ExitCode {
    let found = each_set(env::args_os().nth(1).map(PathBuf::from).as_deref());
    if let Err(failure) = &found {
        eprintln!("delta: {failure}");
    }
    if found.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn each_set(folder: Option<&Path>) -> Result<(), Failure> {
    let mut sets = vec![Set::made("plain", plain), Set::made("shop", shop)];
    if let Some(folder) = folder {
        sets.push(Set::read("targeting", &folder.join("rules.json"))?);
    }
    let mut cases = Vec::new();
    for set in &sets {
        for (change, of_rules) in changes(set) {
            let case = Case::new(set, change, &of_rules)?;
            case.run()?;
            if let Some(folder) = folder {
                cases.push(case.write(folder)?);
            }
        }
    }
    if let Some(folder) = folder {
        write(&folder.join("cases.json"), json!(cases).to_string().as_bytes())?;
    }
    Ok(())
}

/// Rules, and a visitor for whom some of them hold.
struct Set {
    name: &'static str,
    rules: Vec<Value>,
    attributes: Value,
}

impl Set {
    fn made(name: &'static str, rule: fn(usize) -> Value) -> Self {
        Self { name, rules: (0..RULES).map(rule).collect(), attributes: attributes() }
    }

    /// A set of somebody else's: `{"rules":[…],"attributes":{…}}`.
    fn read(name: &'static str, file: &Path) -> Result<Self, Failure> {
        let about = |error| Failure::of("the rules", error);
        let text = fs::read(file).map_err(|error| Failure::of("the rules", error))?;
        let mut read: Value = serde_json::from_slice(&text).map_err(about)?;
        let rules: Vec<Value> = serde_json::from_value(read["rules"].take()).map_err(about)?;
        if rules.len() != RULES {
            return Err(Failure::new(format!("{} rules, not {RULES}", rules.len())));
        }
        Ok(Self { name, rules, attributes: read["attributes"].take() })
    }
}

/// What somebody may do to the rules of a set.
fn changes(set: &Set) -> [(&'static str, Box<Change<'_>>); 9] {
    let one = RULES / 2;
    [
        ("attribute", Box::new(move |rules| rules[one]["when"]["traits.days"] = json!({ "$gte": 18 }))),
        ("condition", Box::new(move |rules| rules[one]["when"]["traits.plan"] = json!("another"))),
        ("action", Box::new(move |rules| rules[one]["actions"][0]["value"] = json!("another value"))),
        ("added", Box::new(move |rules| rules.insert(one, added(set)))),
        ("removed", Box::new(move |rules| drop(rules.remove(one)))),
        ("capped", Box::new(move |rules| rules[one]["cap"] = json!({ "per": "session", "count": 9 }))),
        ("grouped", Box::new(move |rules| rules[one]["group"] = json!("g2"))),
        (
            "signal",
            Box::new(move |rules| {
                rules[one]["when"] =
                    json!({ "$signal": { "name": "views", "key": "new", "is": { "$gte": 2 } } });
            }),
        ),
        ("priority", Box::new(move |rules| rules[one]["priority"] = json!(7))),
    ]
}

/// A rule as some other of its set, with an id and, where each has its own, a slot that is new.
fn added(set: &Set) -> Value {
    let mut rule = set.rules[3].clone();
    if rule["slot"] == rule["id"] {
        rule["slot"] = json!(NEW_ID);
    }
    rule["id"] = json!(NEW_ID);
    rule
}

/// A visitor for whom some of the rules of the sets here hold.
fn attributes() -> Value {
    json!({
        "traits": {
            "plan": "plan-3", "name": "Ann", "list_0": "a-20", "list_3": "a-5",
            "number_0": 70, "number_1": 30, "number_2": 50, "number_3": 80, "number_4": 99, "number_5": 60, "number_6": 90,
        },
        "context": { "part_0": "a-10", "part_3": "b-33" },
    })
}

/// A share, a list and a bound over twenty traits.
fn plain(number: usize) -> Value {
    let id = format!("rule-{number}");
    json!({
        "id": id,
        "slot": id,
        "when": {
            "traits.plan": format!("plan-{}", number * 7 % 12),
            (format!("traits.list_{}", number % 6)): { "$in": [format!("a-{}", number * 5 % 40), format!("b-{}", number * 11 % 40)] },
            (format!("traits.number_{}", number % 7)): { "$gt": number * 13 % 100 },
        },
        "actions": [{ "kind": "variable", "name": id, "value": true }],
    })
}

/// What shops write: texts with places, caps, groups, keys, schedules, signals, some rules in one slot.
fn shop(number: usize) -> Value {
    let id = format!("rule-{number}");
    let mut when = json!({
        "traits.plan": format!("plan-{}", number * 7 % 12),
        "signals.spent": { "$gt": number * 13 % 100 },
        (format!("context.part_{}", number % 6)): { "$in": [format!("a-{}", number * 5 % 40), format!("b-{}", number * 11 % 40)] },
    });
    let mut rule = json!({
        "id": id,
        "slot": format!("slot-{}", number / 4),
        "priority": number % 5,
        "actions": [{ "kind": "text", "target": "h1", "value": format!("Only today, {{{{traits.name}}}}: {number} % off") }],
    });
    if number.is_multiple_of(3) {
        rule["cap"] = json!({ "per": "day", "count": number % 4 + 1, "min_gap": "1h" });
    }
    if number.is_multiple_of(5) {
        when = json!({ "$signal": { "name": "views", "key": format!("category-{}", number % 30), "is": { "$gte": number % 7 } } });
    }
    if number.is_multiple_of(10) {
        rule["group"] = json!(format!("g{}", number % 50));
        rule["schedule"] = json!({ "days": ["sat"], "hours": "10:00-12:00", "zone": "Europe/Rome" });
    }
    rule["when"] = when;
    rule
}

fn body(rules: &[Value]) -> Result<Vec<u8>, Failure> {
    let signals = json!([
        { "name": "views", "on": "page_view", "by": "metadata.category", "aggregate": "count", "window": "5m" },
        { "name": "spent", "on": "purchase", "of": "metadata.price", "aggregate": "sum", "window": "session" },
    ]);
    let text = json!({ "signals": signals, "rules": rules }).to_string();
    let compiled = compile(&[SourceFile { name: "bench.json".into(), text }]);
    match compiled.diagnostics.first() {
        Some(diagnostic) => Err(Failure::new(format!("the bench's rules: {diagnostic:?}"))),
        None => Ok(compiled.body),
    }
}

fn envelope(revision: u64, body: &[u8]) -> Vec<u8> {
    let header = Header { project: "shop", revision, key_id: "0123456789abcdef", ..Header::default() };
    attach_signature(seal_envelope(&header, body), &[revision as u8; SIGNATURE_BYTES])
}

/// One change of one set, and the way of whoever has the bundle before and is sent the delta.
struct Case<'a> {
    set: &'a Set,
    change: &'static str,
    from: Vec<u8>,
    to: Vec<u8>,
    delta: Vec<u8>,
}

impl<'a> Case<'a> {
    fn new(set: &'a Set, change: &'static str, of_rules: &Change<'_>) -> Result<Self, Failure> {
        let mut changed = set.rules.clone();
        of_rules(&mut changed);
        let before = body(&set.rules)?;
        let after = settle_body(&body(&changed)?, &before).map_err(|error| Failure::of("the body", error))?;
        let (from, to) = (envelope(101, &before), envelope(102, &after));
        let delta = delta(&from, &Sha256::digest(&from).into(), &to);
        Ok(Self { set, change, from, to, delta })
    }

    /// Writes what a host needs to go the same way; what there is to know besides.
    fn write(&self, folder: &Path) -> Result<Value, Failure> {
        let name = format!("{}-{}", self.set.name, self.change);
        for (ending, bytes) in [("from", &self.from), ("delta", &self.delta)] {
            write(&folder.join(format!("{name}.{ending}")), bytes)?;
        }
        let Self { set, change, .. } = self;
        Ok(json!({ "name": name, "set": set.name, "change": change, "attributes": set.attributes }))
    }

    /// Goes it, up to decisions that are those of the bundle that follows.
    fn run(&self) -> Result<(), Failure> {
        let Self { set, change, from, to, delta } = self;
        let attributes = set.attributes.to_string();
        let [mut apply, mut open, mut index, mut publish] = [const { Vec::new() }; 4];
        for _ in 0..ROUNDS {
            let started = Instant::now();
            let whole = open_delta(delta).and_then(|delta| delta.apply(from));
            apply.push(started.elapsed());
            let whole = whole.map_err(|error| Failure::of("the delta", error))?;
            if whole != *to {
                return Err(Failure::new("the delta does not give the bundle"));
            }
            // The parts that grow with what a bundle holds, each by itself.
            let known = Bundle::open(from).map_err(|error| Failure::of("the bundle", error))?;
            let mut decider = Decider::new(&known.rules, &known.signals, &[]);
            let started = Instant::now();
            let (next, succession) =
                Bundle::open_after(&whole, &known).map_err(|error| Failure::of("the bundle", error))?;
            open.push(started.elapsed());
            let started = Instant::now();
            decider.renew(&known.rules, &next.rules, &next.signals, &succession);
            index.push(started.elapsed());
            // All of it, for a visitor who has decisions.
            let mut evaluator = Evaluator::new(from).map_err(|error| Failure::of("the evaluator", error))?;
            evaluator.set(attributes.as_bytes()).map_err(Failure::new)?;
            let started = Instant::now();
            let answer = evaluator.publish(&whole, AT_MS).map_err(Failure::new)?;
            publish.push(started.elapsed());
            black_box((decider, answer));
        }
        let [apply, open, index, publish] = [apply, open, index, publish].map(p50_us);
        println!(
            "{}",
            json!({
                "bench": "delta",
                "rules": RULES,
                "host": "native",
                "set": set.name,
                "change": change,
                "bundle_bytes": to.len(),
                "delta_bytes": delta.len(),
                "goal_bytes": GOAL_BYTES,
                "bytes_met": delta.len() <= GOAL_BYTES,
                "apply_p50_us": apply,
                "open_p50_us": open,
                "index_p50_us": index,
                "publish_p50_us": publish,
                "applied_us": apply + open + index,
                "applied_and_decided_us": apply + publish,
                "goal_us": GOAL_US,
                "met": apply + open + index <= GOAL_US,
            })
        );
        Ok(())
    }
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(file, bytes).map_err(|error| Failure::of("a file for other hosts", error))
}

fn p50_us(mut took: Vec<Duration>) -> f64 {
    took.sort_unstable();
    (took[took.len() / 2].as_secs_f64() * 1e8).round() / 100.0
}
