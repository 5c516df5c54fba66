//! What the tools know of a filter policy among rule files.

use super::Place;
use serde_json::json;

const RULES: &str = r#"{"signals":[{"name":"views","on":"view","aggregate":"count","window":"1h"}],
    "rules":[{"id":"keen","slot":"hero","when":{"signals.views":{"$gte":2}},"actions":[]}]}"#;
const FILTER: &str = r#"{"filter":{"deny":["debug.*"],"redact":["email"],"types":[
    {"on":"view","properties":{"by":{"type":"text"}},"others":"remove"},{"on":"rare","per_minute":1}]}}"#;

#[test]
fn check_names_a_second_filter_and_what_is_wrong_in_one() {
    let place = Place::new(&[("rules/a.json", FILTER), ("rules/b.json", RULES)]);
    let clean = place.run(&["bundle", "check", "rules"]);
    assert!(clean.is_clean, "{}{}", clean.out, clean.err);
    place.write("rules/c.json", FILTER);
    let two = place.run(&["bundle", "check", "rules"]);
    assert!(!two.is_clean && two.out.contains("c.json:1: error[duplicate_filter]"), "{}", two.out);
    place.write("rules/c.json", "{}");
    place.write("rules/a.json", r#"{"filter":{"redact":["emial"]}}"#);
    let wrong = place.run(&["bundle", "check", "rules"]);
    assert!(
        !wrong.is_clean && wrong.out.contains("did you mean email? (at /filter/redact)"),
        "{}",
        wrong.out
    );
}

#[test]
fn diff_says_what_has_changed_in_the_filter() {
    let place = Place::new(&[("rules/a.json", RULES), ("rules/f.json", FILTER), ("draft/a.json", RULES)]);
    assert!(place.run(&["bundle", "compile", "rules", "-o", "now.bundle"]).is_clean);
    assert_eq!(place.run(&["bundle", "diff", "rules", "now.bundle"]).out, "no differences\n");
    assert_eq!(place.run(&["bundle", "diff", "now.bundle", "draft"]).out, "filter policy removed\n");
    place.write(
        "draft/f.json",
        &FILTER.replace(r#""debug.*""#, r#""debug.*","secret.*""#).replace(":1}", ":2}"),
    );
    let changed = place.run(&["bundle", "diff", "now.bundle", "draft"]).out;
    assert!(changed.starts_with("filter policy changed\n  deny gains \"secret.*\"\n"), "{changed}");
    assert!(changed.contains("per_minute from 1 to 2"), "{changed}");
}

#[test]
fn the_canonical_source_has_the_filter() {
    let place = Place::new(&[("rules/a.json", RULES), ("rules/f.json", FILTER)]);
    assert!(place.run(&["bundle", "compile", "rules", "--json", "-o", "whole.json"]).is_clean);
    let whole = std::fs::read_to_string(place.path("whole.json")).unwrap();
    let whole: serde_json::Value = serde_json::from_str(&whole).unwrap();
    assert_eq!(whole["filter"]["deny"], json!(["debug.*"]));
}

#[test]
fn a_script_says_what_the_filter_does_not_let_through() {
    let script = |dropped: &str| {
        json!({"tests": [{"name": "filtered", "steps": [
            {"track": "debug.note", "dropped": dropped},
            {"track": "view", "metadata": {"by": "ann@example.com", "more": 1}, "dropped": null},
            {"track": "rare", "dropped": null},
            {"track": "rare", "dropped": "rate_limited"},
            {"after": "1m", "track": "rare", "dropped": null, "holds": {"hero": null}},
            {"track": "view", "metadata": {"by": 7}, "dropped": "schema_mismatch", "holds": {"hero": null}},
            {"track": "view", "holds": {"hero": "keen"}},
        ]}]})
        .to_string()
    };
    let place =
        Place::new(&[("rules/a.json", RULES), ("rules/f.json", FILTER), ("t.json", &script("denied_type"))]);
    let run = place.run(&["bundle", "test", "rules", "--tests", "t.json"]);
    assert!(run.is_clean, "{}{}", run.out, run.err);
    place.write("t.json", &script("sampled_out"));
    let run = place.run(&["bundle", "test", "rules", "--tests", "t.json"]);
    assert!(
        run.out.contains("dropped\n    - expected sampled_out\n    + found    denied_type"),
        "{}",
        run.out
    );
}
