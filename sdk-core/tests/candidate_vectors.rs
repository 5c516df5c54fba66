//! Runs the numbered vectors of candidates, natively and in a browser: seed, share and unit → whether it gets the candidate.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a vector that cannot be read is a failed test"
)]

use attune_core::bundle::{Candidate, Current};
use attune_core::value::Value;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

const VECTORS: &str = include_str!("../../tests/spec/60-candidate.json");

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn every_unit_gets_the_bundle_that_its_vector_says() {
    let Value::Array(cases) = Value::parse(VECTORS).unwrap() else { panic!("a list of vectors") };
    assert!(cases.len() >= 60);
    for (index, case) in cases.iter().enumerate() {
        let text = |name| case.field(name).and_then(Value::as_str).unwrap();
        let number = |name| case.field(name).and_then(Value::as_number).unwrap();
        assert_eq!(number("number"), index as f64 + 1.0);
        let candidate = Candidate {
            revision: 2,
            share: number("share") as u32,
            seed: text("seed"),
            ..Candidate::default()
        };
        let current = Current { revision: 1, candidate: Some(candidate), ..Current::default() };
        let revision = current.bundle_for(text("unit")).0;
        assert_eq!(f64::from(revision as u32), number("revision"), "{}: {}", index + 1, text("name"));
    }
}
