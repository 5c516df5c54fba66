//! `delta`: what a change of one rule among a thousand weighs, and what it costs whoever follows it, a JSON line each.

use attune_benches::failure::Failure;
use attune_core::bundle::author::{SourceFile, compile, delta};
use attune_core::bundle::{
    Bundle, HASH_BYTES, Header, SIGNATURE_BYTES, attach_signature, open_delta, seal_envelope, settle_body,
};
use attune_core::rules::Decider;
use attune_core_abi::Evaluator;
use serde_json::{Value, json};
use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What somebody does to the rules.
type Change<'a> = dyn Fn(&mut Vec<Value>) + 'a;

const RULES: usize = 1_000;
const GOAL_BYTES: usize = 500;
const GOAL_US: f64 = 100.0;
const ROUNDS: usize = 200;
const AT_MS: f64 = 1_795_168_800_000.0;
/// A visitor for whom some of the rules hold.
const ATTRIBUTES: &str = r#"{"traits":{"plan":"plan-3","name":"Ann","list_1":"a-20","list_2":"b-11","list_5":"a-5","number_0":70,
    "number_1":30,"number_4":99,"number_6":12},"context":{"part_0":"a-10","part_3":"b-33"}}"#;

fn main() -> ExitCode {
    let found = [("plain", plain as fn(usize) -> Value), ("shop", shop)]
        .into_iter()
        .try_for_each(|(set, rule)| each_change(set, rule));
    if let Err(failure) = &found {
        eprintln!("delta: {failure}");
    }
    if found.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn each_change(set: &str, rule: fn(usize) -> Value) -> Result<(), Failure> {
    let rules: Vec<Value> = (0..RULES).map(rule).collect();
    let changes: [(&str, &Change); 9] = [
        ("attribute", &|rules| rules[RULES / 2]["when"]["traits.age"] = json!({ "$gte": 18 })),
        ("condition", &|rules| rules[RULES / 2]["when"]["traits.plan"] = json!("another")),
        ("action", &|rules| rules[RULES / 2]["actions"][0]["value"] = json!("another value")),
        ("added", &|rules| rules.insert(RULES / 2, rule(RULES + 3))),
        ("removed", &|rules| drop(rules.remove(RULES / 2))),
        ("capped", &|rules| rules[RULES / 2]["cap"] = json!({ "per": "session", "count": 9 })),
        ("grouped", &|rules| rules[RULES / 2]["group"] = json!("g2")),
        ("signal", &|rules| {
            rules[RULES / 2]["when"] =
                json!({ "$signal": { "name": "views", "key": "new", "is": { "$gte": 2 } } })
        }),
        ("priority", &|rules| rules[RULES / 2]["priority"] = json!(7)),
    ];
    changes.into_iter().try_for_each(|(name, change)| {
        let mut changed = rules.clone();
        change(&mut changed);
        run(set, name, &rules, &changed)
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

/// The way of whoever has the bundle before and a delta, up to decisions that are those of the bundle that follows.
fn run(set: &str, change: &str, rules: &[Value], changed: &[Value]) -> Result<(), Failure> {
    let before = body(rules)?;
    let after = settle_body(&body(changed)?, &before).map_err(|error| Failure::of("the body", error))?;
    let (from, to) = (envelope(101, &before), envelope(102, &after));
    let bytes = delta(&from, &[7; HASH_BYTES], &to);
    let [mut apply, mut open, mut index, mut publish] = [const { Vec::new() }; 4];
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let whole = open_delta(&bytes).and_then(|delta| delta.apply(&from));
        apply.push(started.elapsed());
        let whole = whole.map_err(|error| Failure::of("the delta", error))?;
        if whole != to {
            return Err(Failure::new("the delta does not give the bundle"));
        }
        // The parts that grow with what a bundle holds, each by itself.
        let known = Bundle::open(&from).map_err(|error| Failure::of("the bundle", error))?;
        let mut decider = Decider::new(&known.rules, &known.signals, &[]);
        let started = Instant::now();
        let (next, succession) =
            Bundle::open_after(&whole, &known).map_err(|error| Failure::of("the bundle", error))?;
        open.push(started.elapsed());
        let started = Instant::now();
        decider.renew(&known.rules, &next.rules, &next.signals, &succession);
        index.push(started.elapsed());
        // All of it, for a visitor who has decisions.
        let mut evaluator = Evaluator::new(&from).map_err(|error| Failure::of("the evaluator", error))?;
        evaluator.set(ATTRIBUTES.as_bytes()).map_err(Failure::new)?;
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
            "set": set,
            "change": change,
            "bundle_bytes": to.len(),
            "delta_bytes": bytes.len(),
            "goal_bytes": GOAL_BYTES,
            "bytes_met": bytes.len() <= GOAL_BYTES,
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

fn p50_us(mut took: Vec<Duration>) -> f64 {
    took.sort_unstable();
    (took[took.len() / 2].as_secs_f64() * 1e8).round() / 100.0
}
