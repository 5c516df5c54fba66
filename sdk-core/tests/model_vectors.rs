//! Models that LightGBM and XGBoost have trained give their own predictions, natively and, to the last bit the same,
//! in a browser.
#![cfg(feature = "author")]
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be read is a failed test")]

mod model_fixtures;

use model_fixtures::{FIXTURES, list, scores};

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// What native code has given; see `tests/models/generate.py`.
const SCORES: &str = include_str!("../../tests/models/scores.json");
/// How far a score may be from the library's own prediction; XGBoost gives singles.
const TOLERANCE: f64 = 1e-6;

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn every_held_out_row_has_the_score_that_its_library_predicts() {
    for fixture in FIXTURES {
        let (name, scores, predictions) = (fixture.name, scores(&fixture), list(fixture.rows, "predictions"));
        assert!(scores.len() > 60 && scores.len() == predictions.len(), "{name}");
        for (row, (score, prediction)) in scores.iter().zip(predictions).enumerate() {
            let prediction = prediction.as_number().unwrap();
            assert!((score - prediction).abs() <= TOLERANCE, "{name}, row {row}: {score}, not {prediction}");
        }
    }
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn every_host_gives_the_same_bits() {
    for fixture in FIXTURES {
        let bits: Vec<u64> = scores(&fixture).into_iter().map(f64::to_bits).collect();
        let known = list(SCORES, fixture.name);
        let known: Vec<u64> = known.iter().map(|score| score.as_number().unwrap().to_bits()).collect();
        assert_eq!(bits, known, "{}", fixture.name);
    }
}
