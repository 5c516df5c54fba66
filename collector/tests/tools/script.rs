//! `attune bundle test`.

use super::{Place, SHOP, demo};
use serde_json::{Value, json};
use std::fs;

#[test]
fn a_script_in_yaml_passes_and_a_failing_one_shows_the_difference_and_why() {
    let script = |tone: &str| {
        format!(
            "tests:
  - name: three views make a keen visitor
    visitor: {{ traits: {{ plan: pro }} }}
    steps:
      - {{ track: page_view, holds: {{ hero: null }}, fires: [] }}
      - {{ after: 10s, track: page_view }}
      - {{ after: 10s, track: page_view, holds: {{ hero: keen }}, variables: {{ tone: {tone} }}, fires: [third] }}
      - {{ after: 10m, holds: {{ hero: null }}, fires: [], wake_after: null }}
"
        )
    };
    let place = Place::new(&[("rules/shop.json", SHOP), ("rules.test.yaml", &script("keen"))]);
    let passed = place.run(&["bundle", "test", "rules"]);
    assert!(passed.is_clean, "{}{}", passed.out, passed.err);
    assert!(passed.out.ends_with("1 test, 0 failed; 8 expectations\n"), "{}", passed.out);
    place.write("rules.test.yaml", &script("cool").replacen("hero: null", "hero: keen", 1));
    let failed = place.run(&["bundle", "test", "rules"]);
    assert!(!failed.is_clean);
    for line in [
        "FAIL three views make a keen visitor",
        "  step 1 (track page_view): slot hero",
        "    - expected keen",
        "    + found    nothing",
        "    keen: signals.views is 1, which must be at least 3 (not_matched)",
        "    - expected cool",
    ] {
        assert!(failed.out.lines().any(|found| found == line), "{line}\nis not in\n{}", failed.out);
    }
    let json = place.run(&["bundle", "test", "rules", "--format", "json"]).json();
    assert_eq!(json["tests"][0]["mismatches"][0]["subject"], "slot");
}

/// A vector's step as its author would write it.
fn script_step(step: &Value) -> Value {
    let mut step = step.clone();
    let fields = step.as_object_mut().unwrap();
    for (name, field) in [("granted", "consent"), ("fired", "fires"), ("exposed", "exposes")] {
        if let Some(value) = fields.remove(name) {
            fields.insert(field.to_owned(), value);
        }
    }
    // What rules do to the page and why they hold is told in other words to authors.
    ["actions", "reasons", "calls"].iter().for_each(|name| drop(fields.remove(*name)));
    step
}

#[test]
fn every_rule_vector_gives_its_decisions_as_a_script_or_is_refused_for_its_rules() {
    let text = fs::read_to_string(demo("../tests/spec/70-rules.json")).unwrap();
    let vectors: Vec<Value> = serde_json::from_str(&text).unwrap();
    let (mut played, mut refused) = (0, 0);
    let mut failed = String::new();
    for vector in &vectors {
        let steps: Vec<Value> = vector["steps"].as_array().unwrap().iter().map(script_step).collect();
        // A script decides once before its first step, so the page has to know its first context by then.
        let context =
            steps.first().and_then(|step| step.get("context")).cloned().unwrap_or_else(|| json!({}));
        let (name, visitor) = (&vector["name"], json!({ "context": context }));
        let start = steps[0].get("at").cloned().unwrap_or_else(|| json!("2026-11-20T10:00:00Z"));
        let script = json!({"tests": [{"name": name, "start": start, "visitor": visitor, "steps": steps}]});
        let place =
            Place::new(&[("rules/a.json", &vector["rules"].to_string()), ("t.json", &script.to_string())]);
        let run = place.run(&["bundle", "test", "rules", "--tests", "t.json"]);
        let is_met = match vector["diagnostics"].get(0) {
            None => run.is_clean,
            // Rules with errors are played on by nobody.
            Some(code) => run.out.is_empty() && run.err.contains(&format!("[{}]", code.as_str().unwrap())),
        };
        if !is_met {
            failed.push_str(&format!("vector {}: {}{}", vector["number"], run.out, run.err));
        }
        *(if vector.get("diagnostics").is_none() { &mut played } else { &mut refused }) += 1;
    }
    assert!(failed.is_empty(), "{failed}");
    println!("70-rules: {played} of {} scripts played, {refused} refused for their rules", vectors.len());
    assert!(played >= 150 && played + refused == vectors.len());
}

#[test]
fn a_script_may_have_several_members_who_are_one_user_and_a_bundle_that_follows() {
    let script = json!({"tests": [{"name": "two devices", "steps": [
        {"track": "page_view", "user": "ada", "holds": {"hero": null}},
        {"after": "5s", "member": "phone", "track": "page_view", "holds": {"hero": null}},
        {"after": "5s", "track": "page_view", "holds": {"hero": null}, "fires": []},
        {"after": "5s", "user": "ada", "track": "page_view", "holds": {"hero": "keen"}, "fires": ["third"]},
        {"member": "visitor", "holds": {"hero": "keen"}, "variables": {"tone": "keen"}},
        {"consent": ["functional"], "holds": {"hero": null}},
        {"member": "phone", "holds": {"hero": "keen"}},
        {"publish": "next", "holds": {"hero": null}},
        {"at": "2026-01-05T10:05:00Z", "publish": serde_json::from_str::<Value>(SHOP).unwrap(), "wake_after": "10s"},
    ]}]});
    let place = Place::new(&[("rules/shop.json", SHOP), ("scripts/t.json", &script.to_string())]);
    place.write("scripts/next/none.json", "{}");
    let run = place.run(&["bundle", "test", "rules", "--tests", "scripts"]);
    assert!(run.is_clean, "{}{}", run.out, run.err);
    let failing =
        script.to_string().replace("[\"third\"]", "[]").replace("\"phone\",\"track\"", "\"pad\",\"track\"");
    place.write("scripts/t.json", &failing);
    assert!(!place.run(&["bundle", "test", "rules", "--tests", "scripts"]).is_clean);
}

#[test]
fn a_script_sees_what_a_page_exposes() {
    let rules = r#"{"experiments":[{"id":"checkout","variations":[{"key":"a"},{"key":"b"}]}],
        "rules":[{"id":"new","slot":"hero","when":{"experiments.checkout":"b"},"actions":[]}]}"#;
    let script = |exposed: &str| {
        json!({"tests": [{"name": "exposed", "steps": [
            {"member": "m1", "exposes": [exposed], "holds": {"hero": "new"}},
            {"reload": true, "exposes": []},
            {"after": "1h", "session": "second", "exposes": [exposed]},
        ]}]})
        .to_string()
    };
    let place = Place::new(&[("rules/a.json", rules), ("t.json", &script("checkout:b"))]);
    let run = place.run(&["bundle", "test", "rules", "--tests", "t.json"]);
    assert!(run.is_clean, "{}{}", run.out, run.err);
    place.write("t.json", &script("checkout:a"));
    let run = place.run(&["bundle", "test", "rules", "--tests", "t.json"]);
    assert!(run.out.contains("step 1 (member m1): exposes\n    - expected [\"checkout:a\"]"), "{}", run.out);
}

#[test]
fn what_an_opening_page_exposes_counts_towards_the_first_step_of_its_member() {
    let rules = r#"{"experiments":[{"id":"headline","variations":[{"key":"plain"},{"key":"loud"}]}],
        "rules":[{"id":"loud","slot":"hero","when":{"experiments.headline":"loud"},"actions":[]}]}"#;
    let script = |others: &str| {
        json!({"tests": [{"name": "exposed", "steps": [
            {"track": "page_view", "exposes": ["headline:loud"]},
            {"track": "page_view", "exposes": []},
            {"member": "pad", "exposes": [others]},
            {"member": "visitor", "exposes": []},
        ]}, {"name": "later", "steps": [
            {"member": "pad", "exposes": [others]},
            {"member": "visitor", "exposes": ["headline:loud"]},
        ]}, {"name": "previewed", "visitor": {"context": {"page": {"url": "https://shop.example/?headline=0"}}},
            "steps": [{"exposes": [], "holds": {"hero": null}},
                {"context": {}, "exposes": ["headline:loud"], "holds": {"hero": "loud"}}]}]})
        .to_string()
    };
    let place = Place::new(&[("rules/a.json", rules), ("t.json", &script("headline:plain"))]);
    let run = place.run(&["bundle", "test", "rules", "--tests", "t.json"]);
    assert!(run.is_clean, "{}{}", run.out, run.err);
}

#[test]
fn a_script_that_cannot_be_played_is_named_with_its_place() {
    let place = Place::new(&[("rules/shop.json", SHOP)]);
    for (script, words) in [
        (r#"{"tests":[{"name":"n","steps":[{"holdz":{}}]}]}"#, "unknown field `holdz`"),
        (r#"{"tests":[{"name":"n","steps":[{"after":"soon"}]}]}"#, "n: step 1: after: 'soon' is no duration"),
        (r#"{"tests":[{"name":"n","steps":[{"metadata":{}}]}]}"#, "n: step 1: metadata: there is no event"),
        (r#"{"tests":[{"name":"n","start":"noon","steps":[]}]}"#, "n: start: 'noon' is no instant"),
        (
            r#"{"tests":[{"name":"n","steps":[{"at":"2020-01-01T00:00:00Z"}]}]}"#,
            "n: step 1: at: 2020-01-01T00:00:00.000Z is before",
        ),
        (
            r#"{"tests":[{"name":"n","steps":[{"at":"2030-01-01T00:00:00Z","after":"1s"}]}]}"#,
            "at: the step has after as well",
        ),
        (r#"{"tests":[{"name":"n","steps":[{"member":""}]}]}"#, "n: step 1: member: '' has to have 1 to 100"),
        (
            r#"{"tests":[{"name":"n","steps":[{"consent":["all"]}]}]}"#,
            "n: step 1: consent: 'all' is no purpose",
        ),
        (r#"{"tests":[{"name":"n","steps":[{"publish":7}]}]}"#, "n: step 1: publish: expected a rule file"),
        (
            r#"{"tests":[{"name":"n","steps":[{"publish":"gone"}]}]}"#,
            "publish: gone: there is no such folder",
        ),
        (
            r#"{"tests":[{"name":"n","steps":[{"publish":{"rules":[{"id":"x"}]}}]}]}"#,
            "publish: slot: a rule needs the slot that it fills; what fills none stands in triggers (missing_field) at /rules/0",
        ),
        (r#"{"tests":[]}"#, "it has no tests"),
    ] {
        place.write("t.json", script);
        let run = place.run(&["bundle", "test", "rules", "--tests", "t.json"]);
        assert!(!run.is_clean && run.out.is_empty());
        assert!(run.err.contains("t.json") && run.err.contains(words), "{words}: {}", run.err);
        assert_eq!(run.err.lines().count(), 1, "{}", run.err);
    }
    for (name, script, expected) in [
        ("t.json", "{\"tests\": [\n  {]}", "t.json:2: key must be a string (column 4)"),
        ("t.json", "{\"tests\":\n[{\"name\":\"n\",\"stepz\":[]}]}", "t.json:2: unknown field `stepz`"),
        (
            "t.yaml",
            "tests:\n  - name: a\n    steps:\n      - { reload: true\n",
            "t.yaml:4: unclosed bracket '{' (column 9)",
        ),
    ] {
        place.write(name, script);
        let run = place.run(&["bundle", "test", "rules", "--tests", name]);
        assert!(run.err.starts_with(&format!("attune: {expected}")), "{}", run.err);
        assert_eq!(run.err.lines().count(), 1, "{}", run.err);
    }
    let none = place.run(&["bundle", "test", "rules"]);
    assert!(none.err.contains("rules.test.json, .yaml or .yml"), "{}", none.err);
}
