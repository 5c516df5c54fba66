//! The fixtures of `tests/models`: models that libraries have trained, held-out rows and the libraries' predictions.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a fixture that cannot be read is a failed test")]

use attune_core::bundle::author::{SourceFile, compile};
use attune_core::condition::{Outlook, Reading};
use attune_core::profile::{SignalTable, Traits};
use attune_core::rules::VisitorDocument;
use attune_core::time::Timestamp;
use attune_core::value::{Value, ValueRef};

/// A model with its rows.
pub struct Fixture {
    /// The model's name.
    pub name: &'static str,
    /// The rule file.
    pub rules: &'static str,
    /// Rows and predictions.
    pub rows: &'static str,
}

/// All of them.
pub const FIXTURES: [Fixture; 5] = [
    Fixture {
        name: "lightgbm-binary",
        rules: include_str!("../../../tests/models/lightgbm-binary.json"),
        rows: include_str!("../../../tests/models/lightgbm-binary.rows.json"),
    },
    Fixture {
        name: "lightgbm-plain",
        rules: include_str!("../../../tests/models/lightgbm-plain.json"),
        rows: include_str!("../../../tests/models/lightgbm-plain.rows.json"),
    },
    Fixture {
        name: "lightgbm-regression",
        rules: include_str!("../../../tests/models/lightgbm-regression.json"),
        rows: include_str!("../../../tests/models/lightgbm-regression.rows.json"),
    },
    Fixture {
        name: "xgboost-binary",
        rules: include_str!("../../../tests/models/xgboost-binary.json"),
        rows: include_str!("../../../tests/models/xgboost-binary.rows.json"),
    },
    Fixture {
        name: "xgboost-regression",
        rules: include_str!("../../../tests/models/xgboost-regression.json"),
        rows: include_str!("../../../tests/models/xgboost-regression.rows.json"),
    },
];

/// A list of a JSON text.
pub fn list(text: &str, name: &str) -> Vec<Value> {
    match Value::parse(text).unwrap().field(name) {
        Some(Value::Array(items)) => items.clone(),
        _ => panic!("a list named {name}"),
    }
}

/// What the core gives for each row of a fixture, compiled from the library's dump and read as the page's context.
pub fn scores(fixture: &Fixture) -> Vec<f64> {
    let compiled = compile(&[SourceFile { name: "model.json".into(), text: fixture.rules.into() }]);
    assert_eq!(compiled.diagnostics, []);
    let models = &compiled.bundle.models;
    let model = models.iter().next().unwrap();
    let (traits, signals) = (Traits::default(), SignalTable::default());
    let score = |row: Value| {
        let context = row.to_packed();
        let experiments = attune_core::experiment::TrialTable::default();
        let assigned = attune_core::experiment::Assigned::new(&experiments);
        let member = attune_core::id::MemberId("m".into());
        let document = VisitorDocument {
            experiments: &assigned,
            unit: (&member, None),
            traits: &traits,
            signals: &signals,
            models: None,
            parts: &[],
            context: context.get(),
            event: None,
            now: Timestamp(0),
            session: None,
            consent: Default::default(),
            zone: &attune_core::time::Clocks::UTC,
            matcher: None,
            reads: None,
        };
        match model.score(&document, &mut Outlook::default()) {
            Reading::Value(ValueRef::Number(score), None) => score,
            other => panic!("no score: {other:?}"),
        }
    };
    list(fixture.rows, "rows").into_iter().map(score).collect()
}
