//! `attune bundle compile`.

use super::{Place, SHOP};
use serde_json::{Value, json};
use std::fs;

#[test]
fn compiling_in_spite_of_errors_leaves_the_rule_concerned_inactive() {
    let place = Place::new(&[(
        "rules/a.json",
        r#"{"rules":[{"id":"bad","slot":"s","when":{"$not":{"traits.a":{"$near":1}}},"actions":[]},
            {"id":"good","slot":"s","actions":[]}]}"#,
    )]);
    let compile = ["bundle", "compile", "rules", "-o", "a.bundle"];
    let refused = place.run(&compile);
    assert!(!refused.is_clean && refused.err.contains("1 error; nothing was done"), "{}", refused.err);
    assert!(!place.path("a.bundle").exists());
    let kept = place.run(&[&compile[..], &["--keep-going"]].concat());
    assert!(kept.is_clean && kept.err.contains("unknown_operator"), "{}", kept.err);
    place.write("b/b.json", r#"{"rules":[{"id":"good","slot":"s","actions":[]}]}"#);
    assert_eq!(place.run(&["bundle", "diff", "b", "a.bundle"]).out, "rule bad added\n");
}

#[test]
fn the_canonical_source_does_not_depend_on_the_order_of_files_and_fields() {
    let place = Place::new(&[("rules/shop.json", SHOP)]);
    let source: Value = serde_json::from_str(SHOP).unwrap();
    place.write(
        "split/a.json",
        &json!({"triggers": source["triggers"], "rules": source["rules"]}).to_string(),
    );
    let more = json!({
        "segments": [{"id": "vip", "when": {"traits.plan": {"$inGroup": "paid"}}}],
        "groups": [{"id": "paid", "values": ["pro"]}],
        "experiments": [{"id": "checkout", "variations": [{"key": "a"}, {"key": "b"}]}],
        "models": [{"name": "warmth", "kind": "plan", "items": [{"when": {"traits.plan": "pro"}, "points": 1}]}],
    });
    place.write("rules/more.json", &more.to_string());
    place.write("split/more.json", &more.to_string());
    place.write("split/b.json", &json!({"signals": source["signals"]}).to_string());
    for folder in ["rules", "split"] {
        let output = format!("{folder}.source.json");
        assert!(place.run(&["bundle", "compile", folder, "--json", "-o", &output]).is_clean);
    }
    let read = |name: &str| fs::read_to_string(place.path(name)).unwrap();
    assert_eq!(read("rules.source.json"), read("split.source.json"));
    place.write("again/all.json", &read("rules.source.json"));
    assert_eq!(place.run(&["bundle", "diff", "rules", "again"]).out, "no differences\n");
}
