//! Any text as a GrowthBook payload, with options behind a line of `---`: every feature evaluated, and imported.
#![no_main]

use attune_core::growthbook::{GrowthBook, import};
use attune_core::value::Value;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (payload, options) = text.split_once("\n---\n").unwrap_or((text, "{}"));
    let mut growthbook = match GrowthBook::new(payload) {
        Ok(growthbook) => growthbook,
        Err(error) => return assert!(!error.code().is_empty()),
    };
    let _ = growthbook.set(options);
    if let Ok(value) = Value::parse(payload)
        && let Some(Value::Object(features)) = value.field("features")
    {
        for (key, _) in features.iter().take(32) {
            assert!(Value::parse(&growthbook.eval_feature(key)).is_ok());
        }
    }
    assert!(Value::parse(&growthbook.eval_feature("gone")).is_ok());
    let _ = growthbook.run(options);
    assert!(Value::parse(&growthbook.sticky_documents()).is_ok());
    let _ = import(payload);
});
