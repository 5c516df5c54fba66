//! Runs the numbered vectors of hashes, ranges, features and experiments, natively and in a browser.
#![cfg(feature = "author")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a vector that cannot be read is a failed test"
)]

use attune_core::experiment::{HashVersion, bucket, bucket_ranges};
use attune_core::growthbook::GrowthBook;
use attune_core::value::Value;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// The vectors of a file, their numbers checked.
fn vectors(text: &str, at_least: usize) -> Vec<Value> {
    let Value::Array(cases) = Value::parse(text).unwrap() else { panic!("a list of vectors") };
    for (index, case) in cases.iter().enumerate() {
        assert_eq!(case.field("number"), Some(&Value::Number(index as f64 + 1.0)), "{}", name(case));
    }
    assert!(cases.len() >= at_least);
    cases
}

fn name(case: &Value) -> &str {
    case.field("name").and_then(Value::as_str).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_number().unwrap_or_default()
}

/// A part of a vector as JSON with every digit of its numbers, which texts of the page's form do not have.
fn json(value: &Value) -> String {
    match value {
        Value::Number(number) => format!("{number:?}"),
        Value::Array(items) => format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(",")),
        Value::Object(fields) => {
            let field =
                |(name, field): &(Box<str>, Value)| format!("{}:{}", json(&Value::string(name)), json(field));
            format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(","))
        }
        other => {
            let mut text = String::new();
            other.write(&mut text);
            text
        }
    }
}

/// The value with the fields of its objects in order of name.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.into_iter().map(|(name, field)| (name, sorted(field))).collect();
            fields.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(fields)
        }
        other => other,
    }
}

/// An evaluator for what a vector gives.
fn given(case: &Value) -> GrowthBook {
    let payload = case.field("payload").map_or_else(|| "{}".into(), json);
    let mut evaluator = GrowthBook::new(&payload).unwrap();
    evaluator.set(&json(case.field("options").unwrap())).unwrap();
    evaluator
}

fn assert_answers(case: &Value, result: &str, evaluator: &GrowthBook) {
    assert_eq!(
        sorted(Value::parse(result).unwrap()),
        sorted(case.field("result").unwrap().clone()),
        "{}",
        name(case)
    );
    if let Some(sticky) = case.field("sticky") {
        let documents = Value::parse(&evaluator.sticky_documents()).unwrap();
        assert_eq!(sorted(documents), sorted(sticky.clone()), "{}", name(case));
    }
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn every_hash_vector_gives_its_bucket() {
    for case in vectors(include_str!("../../tests/spec/20-hash.json"), 60) {
        let text = |name| case.field(name).and_then(Value::as_str).unwrap();
        let version = HashVersion::of_number(number(case.field("version").unwrap()));
        let found = version.map(|version| bucket(text("seed"), text("unit"), version));
        assert_eq!(found, case.field("bucket").unwrap().as_number(), "{}", name(&case));
    }
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn every_bucketing_vector_gives_its_ranges() {
    for case in vectors(include_str!("../../tests/spec/21-bucketing.json"), 25) {
        let list = |name| match case.field(name) {
            Some(Value::Array(items)) => Some(items.clone()),
            _ => None,
        };
        let weights: Option<Vec<f64>> = list("weights").map(|weights| weights.iter().map(number).collect());
        let coverage = case.field("coverage").map_or(1.0, number);
        let count = number(case.field("count").unwrap()) as usize;
        let found = bucket_ranges(count, coverage, weights.as_deref());
        let found: Vec<Value> = found
            .iter()
            .map(|range| Value::Array(vec![Value::Number(range.from), Value::Number(range.until)]))
            .collect();
        assert_eq!(Some(found), list("ranges"), "{}", name(&case));
    }
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn every_feature_vector_gives_its_result() {
    for case in vectors(include_str!("../../tests/spec/22-features.json"), 55) {
        let mut evaluator = given(&case);
        let result = evaluator.eval_feature(case.field("key").and_then(Value::as_str).unwrap());
        assert_answers(&case, &result, &evaluator);
    }
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn every_experiment_vector_gives_its_result() {
    for case in vectors(include_str!("../../tests/spec/23-run.json"), 100) {
        let mut evaluator = given(&case);
        let result = evaluator.run(&json(case.field("experiment").unwrap())).unwrap();
        assert_answers(&case, &result, &evaluator);
    }
}
