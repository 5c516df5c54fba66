//! `attune bundle check`.

use super::{Place, demo};
use serde_json::json;

#[test]
fn check_says_what_is_wrong_what_never_holds_and_what_it_costs() {
    let place = Place::new(&[(
        "rules/a.json",
        r#"{"signals":[{"name":"idle","on":"x","aggregate":"count","window":"1h"}],
 "rules":[
  {"id":"first","slot":"s","priority":2,"actions":[{"kind":"hide","target":"p"}]},
  {"id":"second","slot":"s","priority":1,"when":{"traits.a":{"$in":[]}},"actions":[{"kind":"hide","target":"p"}]}]}"#,
    )]);
    let checked = place.run(&["bundle", "check", "rules", "--format", "json"]);
    assert!(checked.is_clean, "warnings are no error");
    let report = checked.json();
    let found: Vec<(String, u64)> = report["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| (found["code"].as_str().unwrap().to_owned(), found["line"].as_u64().unwrap()))
        .collect();
    let expected = [("unused_signal", 1), ("rule_below_unconditional", 4), ("rule_never_holds", 4)];
    let mut found: Vec<(&str, u64)> = found.iter().map(|(code, line)| (&**code, *line)).collect();
    found.sort_by_key(|(code, line)| (*line, *code));
    assert_eq!(found, expected);
    assert_eq!((&report["cost"]["rules"], &report["cost"]["leaves"]), (&json!(2), &json!(1)));
    place.write(
        "rules/b.json",
        r#"{"rules":[{"id":"x","slot":"s","when":{"traits.a":{"$near":1}},"actions":[]}]}"#,
    );
    let broken = place.run(&["bundle", "check", "rules"]);
    assert!(!broken.is_clean);
    assert!(broken.out.contains("b.json:1: error[unknown_operator]"), "{}", broken.out);
    assert!(broken.out.contains("1 error, "), "{}", broken.out);
}

#[test]
fn the_demo_shop_is_clean_and_its_scripts_pass() {
    let place = Place::new(&[]);
    let checked = place.run(&["bundle", "check", &demo("rules"), "--format", "json"]);
    assert!(checked.is_clean);
    assert_eq!(checked.json()["diagnostics"], json!([]));
    let tested = place.run(&["bundle", "test", &demo("rules"), "--format", "json"]);
    assert!(tested.is_clean, "{}", tested.out);
    assert_eq!((&tested.json()["failed"], &tested.json()["passed"]), (&json!(0), &json!(3)));
}

/// What check says of a file in a folder by itself, without the summary.
fn findings(text: &str) -> Vec<String> {
    let place = Place::new(&[("rules/a.json", text)]);
    let run = place.run(&["bundle", "check", "rules"]);
    assert!(run.err.is_empty(), "{}", run.err);
    run.out.lines().take_while(|line| line.starts_with("a.json:")).map(str::to_owned).collect()
}

#[test]
fn every_mistake_is_named_with_file_line_place_and_a_sentence() {
    let hide = r#""actions": [{"kind": "hide", "target": "p"}]"#;
    let rule =
        |fields: &str| format!("{{\"rules\": [\n  {{\"id\": \"r\", \"slot\": \"s\", {fields}, {hide}}}\n]}}");
    let when = |condition: &str| rule(&format!("\"when\": {condition}"));
    let views = r#"{"name": "views", "on": "x", "aggregate": "count", "window": "1h"}"#;
    let counted = |condition: &str| {
        format!(
            "{{\"signals\": [{views}], \"rules\": [\n  {{\"id\": \"r\", \"slot\": \"s\", \"when\": {condition}, {hide}}}]}}"
        )
    };
    let many: Vec<String> = (0..4_097).map(|number| format!("{{\"traits.p{number}\": 1}}")).collect();
    for (text, expected) in [
        (
            when(r#"{"signals.viewz": 3}"#),
            "a.json:2: error[unknown_signal] rule r: no usable signal is named viewz; the rule files have no signals (at /rules/0/when/signals.viewz)",
        ),
        (
            when(r#"{"plan": "gold"}"#),
            "a.json:2: error[unknown_path] rule r: plan is no path of this document: rules read traits.*, signals.*, segments.*, experiments.*, context.* and event.*; did you mean traits.plan? (at /rules/0/when/plan)",
        ),
        (
            when(r#"{"traits.age": {"$over": 3}}"#),
            "a.json:2: error[unknown_operator] rule r: there is no operator $over; did you mean $gt? (at /rules/0/when/traits.age/$over)",
        ),
        (
            when(r#"{"$segment": "vip"}"#),
            "a.json:2: error[unknown_segment] rule r: no usable segment is named vip; the rule files have no segments (at /rules/0/when/$segment)",
        ),
        (
            when(r#"{"traits.plan": {"$inGroup": "paid"}}"#),
            "a.json:2: error[unknown_group] rule r: no group is named paid; the rule files have no groups (at /rules/0/when/traits.plan/$inGroup)",
        ),
        (
            when(r#"{"experiments.two": "b"}"#),
            "a.json:2: error[unknown_experiment] rule r: two: there is no such experiment; the rule files have no experiments (at /rules/0/when)",
        ),
        (
            when(r#"{"traits.a": {"$gt": 5, "$lt": 3}}"#),
            "a.json:2: warning[rule_never_holds] r: its condition can never hold: no value of traits.a passes all its tests (at /rules/0)",
        ),
        (
            when(r#"{"traits.a": {"$in": "free"}}"#),
            "a.json:2: warning[rule_never_holds] r: its condition can never hold: the $in or $nin of traits.a has no list; a list of one value is written [\"x\"] (at /rules/0)",
        ),
        (
            counted(r#"{"signals.views": {"$gte": "three"}}"#),
            "a.json:2: warning[rule_never_holds] r: its condition can never hold: signals.views is a count and passes no test against the text \"three\" (at /rules/0)",
        ),
        (
            when(&format!("{{\"$or\": [{}]}}", many.join(", "))),
            "a.json:2: error[condition_too_large] rule r: the condition has more than 4096 tests, segments included, or more than 100000 values of groups (at /rules/0/when)",
        ),
        (
            when(r#"{"traits.a": {"$regex": "^(a+)+$"}}"#),
            "a.json:2: error[pattern_unbounded] rule r: the regular expression can take exponential time, or too much to tell: a repetition inside a repetition must not be able to cut a text in two ways, as (a+)+ does (at /rules/0/when/traits.a/$regex)",
        ),
        (
            when(r#"{"traits.a": {"$regex": ".*a.*b.*c"}}"#),
            "a.json:2: error[pattern_unbounded] rule r: the regular expression can take more than quadratic time; begin it with ^, or let neighbouring repetitions begin with different characters (at /rules/0/when/traits.a/$regex)",
        ),
        (
            when(r#"{"traits.a": {"$regex": "(?:[a-z]{200}){2}"}}"#),
            "a.json:2: error[pattern_unbounded] rule r: the regular expression is too large: repetitions written out, it has more than 256 characters and classes (at /rules/0/when/traits.a/$regex)",
        ),
        (
            rule(r#""priority": "high""#),
            "a.json:2: error[bad_field] rule r: priority: expected a whole number from -2147483648 to 2147483647 (at /rules/0/priority)",
        ),
        (
            rule(r#""prioritie": 3"#),
            "a.json:2: error[unknown_field] rule r: prioritie: there is no such field; did you mean priority? (at /rules/0/prioritie)",
        ),
        (
            rule("\"priority\": 1,\n\"priority\": 2"),
            "a.json:3: warning[duplicate_field] rule r: priority: the object has two fields of this name, and the last one counts (at /rules/0/priority)",
        ),
        (
            when("[1]"),
            "a.json:2: error[bad_literal] rule r: expected an object of paths and operators (at /rules/0/when)",
        ),
        (
            format!(
                "{{\"signals\": [{views},\n {views}], \"rules\": [{{\"id\": \"r\", \"slot\": \"s\", \"when\": {{\"signals.views\": 1}}, {hide}}}]}}"
            ),
            "a.json:2: error[duplicate_signal] views: a signal of this name exists (at /signals/1)",
        ),
        (
            format!(
                "{{\"rules\": [{{\"id\": \"r\", \"slot\": \"s\", {hide}}}],\n\"triggers\": [{{\"id\": \"r\", \"on\": \"x\"}}]}}"
            ),
            "a.json:2: error[duplicate_id] r: a rule or trigger of this id exists; this one takes no part (at /triggers/0)",
        ),
        (
            "{\"rules\": [\n  {\"id\": \"r\"},\n]}".to_owned(),
            "a.json:3: error[json_unexpected] the text is no JSON: the comma before ']' in column 1 is one too many",
        ),
        (
            "{\"rules\": [\n  {\"id\" \"r\"}\n]}".to_owned(),
            "a.json:2: error[json_unexpected] the text is no JSON: '\"' cannot stand in column 9",
        ),
        (
            "{“rules”: []}".to_owned(),
            "a.json:1: error[json_unexpected] the text is no JSON: “ stands in column 2, and JSON wants straight double quotes",
        ),
        (
            "{\n  // the rules\n  \"rules\": []}".to_owned(),
            "a.json:2: error[json_unexpected] the text is no JSON: a comment begins in column 3, and JSON has none; description takes a text",
        ),
        (
            "{\"rulez\": []}".to_owned(),
            "a.json:1: error[unknown_field] rulez: a rule file has signals, segments, groups, experiments, models, rules, triggers and a filter; did you mean rules? (at /rulez)",
        ),
        (
            "{\"rules\": [\n".to_owned(),
            "a.json:2: error[json_ends_early] the text is no JSON: it ends before all is closed",
        ),
        (
            "{\"rules\": [\n  {\"id\": \"ü\\ud800\"}]}".to_owned(),
            "a.json:2: error[json_bad_escape] the escape in column 12 names no character",
        ),
        (
            format!("{{\"rules\":\n{}", "[".repeat(100)),
            "a.json:2: error[json_too_deep] from column 32 on it nests deeper than 32 levels",
        ),
    ] {
        assert_eq!(findings(&text), [expected]);
    }
}

#[test]
fn a_path_of_the_visitor_where_an_event_is_read_is_named_with_what_there_is() {
    let found = findings(
        r#"{"signals": [{"name": "gold", "on": "x", "where": {"plan": 1}, "aggregate": "count", "window": "1h"}]}"#,
    );
    let expected = "a.json:1: error[unknown_path] signal gold: plan is no path of an event: event_id, event_type, timestamp, session_id, user_id and metadata.* are read here; did you mean metadata.plan? (at /signals/0/where/plan)";
    assert!(found.iter().any(|line| line == expected), "{found:?}");
}

#[test]
fn a_name_with_a_mistake_is_followed_by_the_one_that_is_meant() {
    let found = findings(
        r#"{"signals": [{"name": "views", "on": "x", "aggregate": "count", "window": "1h"}],
"rules": [{"id": "r", "slot": "s", "when": {"signals.veiws": 3}, "actions": []}]}"#,
    );
    let expected = "a.json:2: error[unknown_signal] rule r: no usable signal is named veiws; did you mean views? (at /rules/0/when/signals.veiws)";
    assert!(found.iter().any(|line| line == expected), "{found:?}");
}

#[test]
fn a_rule_without_a_slot_is_no_trigger() {
    let rules = r#"{"rules": [{"id": "r", "actions": []}], "triggers": [{"id": "t", "on": "x"}]}"#;
    let place = Place::new(&[("rules/a.json", rules)]);
    let run = place.run(&["bundle", "check", "rules"]);
    let error = "a.json:1: error[missing_field] rule r: slot: a rule needs the slot that it fills; what fills none stands in triggers (at /rules/0/slot)\n";
    assert!(run.out.starts_with(error), "{}", run.out);
    assert!(run.out.contains("\n1 rule in 0 slots, 1 trigger (1 inactive); "), "{}", run.out);
    assert!(run.out.contains("\n  r (no slot): ") && run.out.contains("\n  t (trigger): "), "{}", run.out);
}

#[test]
fn a_broken_experiment_is_named_once_and_what_reads_it_says_so() {
    let file = |experiment: &str| {
        format!(
            "{{\"experiments\": [\n{{\"id\": \"e\", {experiment}}},\n{{\"id\": \"f\", \"variations\": [{{\"key\": \"a\"}}], \"prerequisites\": [{{\"experiment\": \"e\"}}]}}],\n\"rules\": [{{\"id\": \"r\", \"slot\": \"s\", \"when\": {{\"experiments.e\": \"a\", \"experiments.f\": \"a\"}}, \"actions\": []}}]}}"
        )
    };
    let cascade = [
        "a.json:3: error[unknown_experiment] f: experiment e has errors and takes no part (at /experiments/1)",
        "a.json:4: error[unknown_experiment] rule r: e: the experiment has errors and takes no part, so neither does what reads it (at /rules/0/when)",
    ];
    for (experiment, own) in [
        (
            r#""variations": [{"key": "a", "weight": 50}]"#,
            "weight: expected a number from 0 to 1; 0.5 stands for 50 % (at /experiments/0/variations/0/weight)",
        ),
        (
            r#""variations": [{"key": "a"}], "sticky": true, "min_bucket_version": 1"#,
            "min_bucket_version: expected at most bucket_version, which is 0 (at /experiments/0/min_bucket_version)",
        ),
    ] {
        let own = format!("a.json:2: error[bad_field] experiment e: {own}");
        assert_eq!(findings(&file(experiment)), [&own, cascade[0], cascade[1]]);
    }
}

#[test]
fn cycles_are_named_at_each_of_their_ends() {
    let experiment = |id: &str, other: &str| {
        format!(
            "{{\"id\": \"{id}\", \"variations\": [{{\"key\": \"a\"}}], \"prerequisites\": [{{\"experiment\": \"{other}\"}}]}}"
        )
    };
    let text =
        format!("{{\"experiments\": [\n{},\n{}]}}", experiment("one", "two"), experiment("two", "one"));
    assert_eq!(
        findings(&text),
        [
            "a.json:2: error[experiment_cycle] one: it reads two, which depends on it or on nothing sound (at /experiments/0)",
            "a.json:3: error[experiment_cycle] two: it reads one, which depends on it or on nothing sound (at /experiments/1)",
        ]
    );
    let text = "{\"segments\": [\n{\"id\": \"a\", \"when\": {\"$segment\": \"b\"}},\n{\"id\": \"b\", \"when\": {\"$segment\": \"a\"}}]}";
    let found = findings(text);
    assert!(
        found.contains(
            &"a.json:3: error[segment_cycle] b: it is made of itself by way of a (at /segments/1/when)"
                .to_owned()
        ),
        "{found:?}"
    );
}

#[test]
fn what_is_no_folder_of_rules_is_said_in_one_line() {
    let place = Place::new(&[("one.json", "{}")]);
    for (path, expected) in [
        ("one.json", "one.json: this is a file; name its folder"),
        ("gone", "gone: there is no such folder of rule files"),
        ("rules", "rules: the folder holds no .json file"),
    ] {
        let run = place.run(&["bundle", "check", path]);
        assert!(!run.is_clean && run.out.is_empty());
        assert_eq!(run.err, format!("attune: {expected}\n"));
    }
}
