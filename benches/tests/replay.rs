//! The recorded shop sessions give the figures that were counted from the recording by other means.

use attune_benches::failure::Failure;
use attune_benches::replay::order::Disturbance;
use attune_benches::replay::visit::{Visit, visits};
use attune_benches::replay::{eshop, report, wasm};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const EVENTS: u64 = 83_853;
const DISTURBED: Disturbance = Disturbance { duplicates: 0.05, shuffle: true };

fn recording() -> Result<Vec<Visit>, Failure> {
    let path = std::env::var_os("ATTUNE_RECORDING").map(PathBuf::from).unwrap_or_else(|| {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/eshop2008_apr_may.csv.gz")
    });
    Ok(visits(&eshop::read(&path)?))
}

/// What must be the same however the events arrive.
fn assert_effect(line: &Value) {
    let by_category = json!({ "1": 3_121, "2": 2_717, "3": 2_483, "4": 2_132 });
    let expected = [
        ("events", json!(EVENTS)),
        ("accepted", json!(EVENTS)),
        ("profiles", json!(12_147)),
        ("firings", json!(10_453)),
        ("firings_by_category", by_category),
        ("price_cents", json!(366_349_700)),
    ];
    for (name, value) in expected {
        assert_eq!(line[name], value, "{name} in {line}");
    }
}

#[test]
fn the_recording_gives_its_known_figures_in_both_engines() {
    let native = report::native(recording().unwrap(), Disturbance::default()).unwrap();
    assert_effect(&native.line);
    assert_eq!(native.line["duplicates"], 0);
    let wasm = wasm::replay(recording().unwrap(), Disturbance::default()).unwrap();
    assert_effect(&wasm.line);
    assert!(native.firing_ids == wasm.firing_ids, "the engines disagree about which events fired");
}

#[test]
fn repeats_and_any_order_change_the_count_of_duplicates_only() {
    let visits = recording().unwrap();
    let repeated: usize = visits.iter().map(|visit| DISTURBED.repeated(visit).count()).sum();
    assert!(repeated > 4_000);
    let native = report::native(visits, DISTURBED).unwrap();
    assert_effect(&native.line);
    assert_eq!(native.line["duplicates"], repeated);
}

#[test]
fn the_same_holds_for_the_core_as_webassembly() {
    let wasm = wasm::replay(recording().unwrap(), DISTURBED).unwrap();
    assert_effect(&wasm.line);
}
