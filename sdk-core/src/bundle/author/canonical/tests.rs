//! What has been compiled is written back, compiled again, and is the same.

use super::*;
use crate::bundle::author::{Compiled, Definitions, Diagnostic, Severity, SourceFile, compare, compile};
use crate::value::Value;
use alloc::borrow::ToOwned;

const LISTS: [(&str, &str, DefinitionKind); 5] = [
    ("signals", "name", DefinitionKind::Signal),
    ("experiments", "id", DefinitionKind::Experiment),
    ("models", "name", DefinitionKind::Model),
    ("rules", "id", DefinitionKind::Rule),
    ("triggers", "id", DefinitionKind::Trigger),
];

fn compiled(source: &Value) -> Compiled {
    let mut text = String::new();
    source.write(&mut text);
    compile(&[SourceFile { name: "a.json".to_owned(), text }])
}

fn whole_file(written: &[Written]) -> Value {
    let list = |name_field: &str, kind: DefinitionKind| {
        let own = written.iter().filter(|(other, ..)| *other == kind);
        let each = own.map(|(_, name, value)| match value {
            Value::Object(fields) => {
                let named = [(Box::from(name_field), Value::String(name.clone()))];
                Value::Object(named.into_iter().chain(fields.iter().cloned()).collect())
            }
            other => panic!("{other:?}"),
        });
        Value::Array(each.collect())
    };
    let policy = written.iter().find(|(kind, ..)| *kind == DefinitionKind::Filter);
    let policy = policy.map(|(.., value)| (Box::from("filter"), value.clone()));
    let lists = LISTS.map(|(list_name, field, kind)| (Box::from(list_name), list(field, kind)));
    Value::Object(lists.into_iter().chain(policy).collect())
}

/// Whether the form is one that no file can say: a segment read as a value, counted trees.
fn is_for_readers_only(written: &[Written]) -> bool {
    written.iter().any(|(.., value)| {
        let mut text = String::new();
        value.write(&mut text);
        text.contains(r#""$segment":{"when""#) || text.contains(r#""dump":{"#)
    })
}

fn sources() -> Vec<Value> {
    let array = |text: &str| match Value::parse(text) {
        Ok(Value::Array(vectors)) => vectors,
        other => panic!("{other:?}"),
    };
    let mut found = Vec::new();
    for text in [
        include_str!("../../../../../tests/spec/01-comparison.json"),
        include_str!("../../../../../tests/spec/02-coercion.json"),
        include_str!("../../../../../tests/spec/03-lists.json"),
        include_str!("../../../../../tests/spec/04-kinds.json"),
        include_str!("../../../../../tests/spec/05-versions.json"),
        include_str!("../../../../../tests/spec/06-texts.json"),
        include_str!("../../../../../tests/spec/07-numbers.json"),
        include_str!("../../../../../tests/spec/08-patterns.json"),
        include_str!("../../../../../tests/spec/10-networks.json"),
        include_str!("../../../../../tests/spec/11-places.json"),
        include_str!("../../../../../tests/spec/12-keys.json"),
        include_str!("../../../../../tests/spec/50-calendar.json"),
    ] {
        let signals = Value::parse(
            r#"[{"name":"clicks","on":"click","by":"metadata.category","aggregate":"count","window":"1h"}]"#,
        );
        let signals = signals.unwrap();
        for condition in array(text).iter().filter_map(|vector| vector.field("condition")) {
            let mut rule = Object::default();
            let rule = rule.text("id", "r").text("slot", "s").add("when", condition.clone()).finish();
            let mut file = Object::default();
            file.add("signals", signals.clone()).add("rules", Value::Array([rule].into()));
            found.push(file.finish());
        }
    }
    for text in [
        include_str!("../../../../../tests/spec/24-sticky.json"),
        include_str!("../../../../../tests/spec/30-scores.json"),
        include_str!("../../../../../tests/spec/40-signals.json"),
        include_str!("../../../../../tests/spec/70-rules.json"),
    ] {
        for vector in array(text) {
            let signals = vector.field("signals").cloned().map(|signals| one("signals", signals));
            found.extend(vector.field("rules").cloned().or(signals));
        }
    }
    let policies = array(include_str!("../../../../../tests/spec/80-filter.json"));
    found.extend(
        policies
            .iter()
            .filter_map(|vector| vector.field("policy").cloned())
            .map(|policy| one("filter", policy)),
    );
    found
}

#[test]
fn what_is_written_back_compiles_to_the_same_bytes() {
    let (mut same, mut equal) = (0, 0);
    for source in sources() {
        let first = compiled(&source);
        let written = definitions(&first.bundle);
        let is_active = first.bundle.rules.iter().all(|rule| rule.is_active());
        if !is_active || is_for_readers_only(&written) {
            continue;
        }
        let file = whole_file(&written);
        let second = compiled(&file);
        let is_error = |found: &&Diagnostic| found.severity == Severity::Error;
        let errors: Vec<&Diagnostic> = second.diagnostics.iter().filter(is_error).collect();
        assert!(errors.is_empty(), "{errors:?}\n{source:?}\n{file:?}");
        assert_eq!(definitions(&second.bundle), written, "{source:?}");
        *(if first.body == second.body { &mut same } else { &mut equal }) += 1;
    }
    // An empty `$all` is written as the `$type` that it asks for.
    assert!(same > 1_150 && equal <= 10, "{same} with the same bytes, {equal} without");
}

proptest::proptest! {
    #[test]
    fn damaged_bundles_are_written_back_or_refused(
        which: proptest::sample::Index, at: proptest::sample::Index, byte: u8,
    ) {
        std::thread_local! {
            static BODIES: Vec<Vec<u8>> = sources().iter().map(|source| compiled(source).body).collect();
        }
        let mut body = BODIES.with(|bodies| which.get(bodies).clone());
        let at = at.index(body.len());
        body[at] = byte;
        if let Ok(bundle) = crate::bundle::decode_body(&body) {
            let changes = compare(&Definitions::default(), &Definitions::of_bundle(&bundle));
            proptest::prop_assert!(changes.iter().all(|change| change.to_string().ends_with(" added")));
        }
    }
}
