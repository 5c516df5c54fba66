//! Rollouts and experiments of a payload as experiments of a rule file, with the buckets they have.

use super::condition::attribute;
use crate::experiment::{Range, bucket_ranges};
use crate::growthbook::field::{field, fields, is_set, list, list_of, number, range, text};
use crate::growthbook::text::number_of;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

type Definition = Vec<(Box<str>, Value)>;

/// The experiment whose one variation `on` is the part of all visitors that a rule with a forced value is for.
pub(super) fn gate(feature: &str, rule: &Value) -> Definition {
    let whole = Range { from: 0.0, until: 1.0 };
    let part = match (field(rule, "range"), rule.field("coverage").map(number_of)) {
        (Some(one), _) => range(one, 0),
        // A rollout takes the bucket at its end in, unless it is for nobody.
        (None, Some(coverage)) if coverage > 0.0 => Range { from: 0.0, until: coverage + BELOW_A_BUCKET },
        (None, Some(_)) => Range { from: 0.0, until: 0.0 },
        (None, None) => whole,
    };
    let mut definition = hashing(rule, text(rule, "seed").as_deref().unwrap_or(feature));
    definition.push(("variations".into(), Value::Array(Vec::from([fields([("key", Value::string("on"))])]))));
    definition.push(("ranges".into(), Value::Array(Vec::from([pair(part)]))));
    definition.extend(filters(rule));
    definition
}

/// The experiment of a rule with `count` variations, and their keys.
pub(super) fn trial(
    feature: &str,
    rule: &Value,
    when: Option<Value>,
    count: usize,
) -> (Definition, Vec<Box<str>>) {
    let key = text(rule, "key").unwrap_or_else(|| feature.into());
    let mut keys: Vec<Box<str>> = Vec::new();
    for index in 0..count {
        let meta = list(rule, "meta").and_then(|meta| meta.get(index));
        let told = meta.and_then(|meta| text(meta, "key")).filter(|key| !keys.contains(key));
        keys.push(told.unwrap_or_else(|| format!("{index}").into_boxed_str()));
    }
    let coverage = rule.field("coverage").map_or(1.0, number_of);
    let weights = list_of(rule, "weights", number_of);
    let mut ranges = list_of(rule, "ranges", |one| range(one, 0))
        .unwrap_or_else(|| bucket_ranges(count, coverage, weights.as_deref()));
    ranges.resize(count, Range { from: 0.0, until: 0.0 });
    let mut definition = hashing(rule, text(rule, "seed").as_deref().unwrap_or(&key));
    let variations = keys.iter().map(|key| fields([("key", Value::string(key))])).collect();
    definition.push(("variations".into(), Value::Array(variations)));
    definition.push(("ranges".into(), Value::Array(ranges.into_iter().map(pair).collect())));
    definition.extend(filters(rule));
    if let (None, Some(namespace)) = (list(rule, "filters"), list(rule, "namespace")) {
        let part = range(&Value::Array(namespace.to_vec()), 1);
        let name = namespace.first().and_then(Value::as_str).unwrap_or_default();
        // A namespace is a filter by its name behind two underscores.
        let filter = fields([
            ("seed", Value::string(&format!("__{name}"))),
            ("hash_version", Value::Number(1.0)),
            ("ranges", Value::Array(Vec::from([pair(part)]))),
        ]);
        definition.push(("filters".into(), Value::Array(Vec::from([filter]))));
    }
    let version = number(rule, "bucketVersion");
    if version > 0.0 {
        definition.push(("bucket_version".into(), Value::Number(version)));
    }
    definition.extend(sticky(rule));
    definition.extend(when.map(|when| ("when".into(), when)));
    (definition, keys)
}

/// How assignments stick. GrowthBook leaves it to the app whether they do; a rule that says something which means
/// nothing otherwise comes from one where they do.
fn sticky(rule: &Value) -> Definition {
    let mut definition = Definition::new();
    let says = ["bucketVersion", "minBucketVersion", "fallbackAttribute"];
    if is_set(rule, "disableStickyBucketing") || !says.iter().any(|name| is_set(rule, name)) {
        return definition;
    }
    definition.push(("sticky".into(), Value::Bool(true)));
    let least = number(rule, "minBucketVersion");
    if least > 0.0 {
        definition.push(("min_bucket_version".into(), Value::Number(least)));
    }
    if is_set(rule, "fallbackAttribute") {
        definition.push(("fallback_attribute".into(), Value::string(&unit(rule, "fallbackAttribute"))));
    }
    definition
}

/// Less than the distance of two buckets.
const BELOW_A_BUCKET: f64 = 0.000_01;

fn hashing(rule: &Value, seed: &str) -> Definition {
    let version = if number(rule, "hashVersion") == 2.0 { 2.0 } else { 1.0 };
    Vec::from([
        ("hash_attribute".into(), Value::string(&unit(rule, "hashAttribute"))),
        ("hash_version".into(), Value::Number(version)),
        ("seed".into(), Value::string(seed)),
    ])
}

/// What is hashed: `id` is the visitor's own.
fn unit(value: &Value, name: &str) -> Box<str> {
    match text(value, name).as_deref() {
        None | Some("id") => "anonymous_id".into(),
        Some(name) => attribute(name).into_boxed_str(),
    }
}

fn filters(rule: &Value) -> Option<(Box<str>, Value)> {
    let filters = list(rule, "filters")?.iter().map(|filter| {
        let version = if number(filter, "hashVersion") == 1.0 { 1.0 } else { 2.0 };
        let ranges = list_of(filter, "ranges", |one| pair(range(one, 0))).unwrap_or_default();
        fields([
            ("seed", Value::String(text(filter, "seed").unwrap_or_default())),
            ("hash_version", Value::Number(version)),
            ("hash_attribute", Value::string(&unit(filter, "attribute"))),
            ("ranges", Value::Array(ranges)),
        ])
    });
    Some(("filters".into(), Value::Array(filters.collect())))
}

fn pair(range: Range) -> Value {
    Value::Array(Vec::from([range.from, range.until].map(Value::Number)))
}
