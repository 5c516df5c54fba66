//! The tools for those who write rules, through the real binary.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use rig::{Collector, batch, event, eventually, numbered};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// What a run of the binary came to.
struct Run {
    is_clean: bool,
    out: String,
    err: String,
}

impl Run {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
}

/// A folder of one test, in which the binary runs.
struct Place(TempDir);

impl Place {
    fn new(files: &[(&str, &str)]) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.path("rules")).unwrap();
        files.iter().for_each(|(name, text)| place.write(name, text));
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn run(&self, words: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
        let done = command.args(words).current_dir(self.0.path()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Run { is_clean: done.status.success(), out: text(done.stdout), err: text(done.stderr) }
    }
}

const SHOP: &str = r#"{
  "signals": [{"name": "views", "on": "page_view", "aggregate": "count", "window": "5m"}],
  "rules": [
    {"id": "keen", "slot": "hero", "priority": 5, "when": {"signals.views": {"$gte": 3}},
     "actions": [{"kind": "variable", "name": "tone", "value": "keen"}]}
  ],
  "triggers": [{"id": "third", "on": "page_view", "when": {"signals.views": {"$gte": 3}}, "cap": {"per": "lifetime"}}]
}"#;

fn demo(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo-site").join(name).display().to_string()
}

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

#[test]
fn every_rule_vector_that_one_page_can_play_gives_its_decisions_as_a_script() {
    let text = fs::read_to_string(demo("../tests/vectors/rules.json")).unwrap();
    let vectors: Vec<Value> = serde_json::from_str(&text).unwrap();
    let (mut played, mut left_out) = (0, 0);
    for vector in &vectors {
        let mut steps = vector["steps"].as_array().unwrap().clone();
        // A script has one visitor and one bundle, begins at one instant and asks for no exposure.
        let is_foreign = |step: &Value| {
            ["publish", "member", "at", "granted", "exposed"].iter().any(|field| step.get(field).is_some())
        };
        if steps.iter().any(is_foreign) {
            left_out += 1;
            continue;
        }
        for step in &mut steps {
            // The vectors know triggers without their caps; what the server fires is asked elsewhere.
            step.as_object_mut().unwrap().remove("fired");
        }
        // A script decides once before its first step, so the page has to know its first context by then.
        let context =
            steps.first().and_then(|step| step.get("context")).cloned().unwrap_or_else(|| json!({}));
        let (name, visitor) = (&vector["name"], json!({ "context": context }));
        let start = "2026-11-20T10:00:00Z";
        let script = json!({"tests": [{"name": name, "start": start, "visitor": visitor, "steps": steps}]});
        let place =
            Place::new(&[("rules/a.json", &vector["rules"].to_string()), ("t.json", &script.to_string())]);
        let run = place.run(&["bundle", "test", "rules", "--tests", "t.json"]);
        assert!(run.is_clean, "vector {}: {}{}", vector["number"], run.out, run.err);
        played += 1;
    }
    assert!(played >= 30 && left_out <= 40, "{played} played, {left_out} left out");
}

#[test]
fn a_script_that_cannot_be_played_is_named_with_its_place() {
    let place = Place::new(&[("rules/shop.json", SHOP)]);
    for (script, words) in [
        (r#"{"tests":[{"name":"n","steps":[{"holdz":{}}]}]}"#, "unknown field `holdz`"),
        (r#"{"tests":[{"name":"n","steps":[{"after":"soon"}]}]}"#, "n: step 1: after: 'soon' is no duration"),
        (r#"{"tests":[{"name":"n","steps":[{"metadata":{}}]}]}"#, "n: step 1: metadata: there is no event"),
        (r#"{"tests":[{"name":"n","start":"noon","steps":[]}]}"#, "n: start: 'noon' is no instant"),
        (r#"{"tests":[]}"#, "it has no tests"),
    ] {
        place.write("t.json", script);
        let run = place.run(&["bundle", "test", "rules", "--tests", "t.json"]);
        assert!(!run.is_clean && run.out.is_empty());
        assert!(run.err.contains("t.json") && run.err.contains(words), "{words}: {}", run.err);
        assert_eq!(run.err.lines().count(), 1, "{}", run.err);
    }
    let none = place.run(&["bundle", "test", "rules"]);
    assert!(none.err.contains("rules.test.json, .yaml or .yml"), "{}", none.err);
}

#[test]
fn a_signed_bundle_verifies_and_every_refusal_has_its_code() {
    let place = Place::new(&[("rules/shop.json", SHOP)]);
    let public = place.run(&["bundle", "keygen", "-o", "a.key"]).out.trim().to_owned();
    let other = place.run(&["bundle", "keygen", "-o", "b.key"]).out.trim().to_owned();
    assert!(public.starts_with("ed25519:") && public != other);
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(place.path("a.key")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert!(!place.run(&["bundle", "keygen", "-o", "a.key"]).is_clean, "a key is never overwritten");
    let sign = ["bundle", "sign", "rules", "--key", "a.key", "-o", "one.bundle", "--project", "shop"];
    let signed = place.run(&[&sign[..], &["--revision", "4", "--expires", "2030-01-01T00:00:00Z"]].concat());
    assert!(signed.is_clean, "{}", signed.err);
    let verify = |file: &str, more: &[&str]| {
        let at = ["--at", "2029-01-01T00:00:00Z", "--format", "json"];
        let run = place.run(&[&["bundle", "verify", file][..], more, &at[..]].concat());
        let report = run.json();
        assert_eq!(run.is_clean, report["verified"] == true);
        report["code"].as_str().map(str::to_owned)
    };
    let trust = ["--trust", &public];
    assert_eq!(verify("one.bundle", &[&trust[..], &["--project", "shop", "--above", "3"]].concat()), None);
    for (more, code) in [
        (&["--trust", &*other][..], "bundle_unknown_key"),
        (&["--trust", &*public, "--project", "news"][..], "bundle_wrong_project"),
        (&["--trust", &*public, "--environment", "production"][..], "bundle_wrong_environment"),
        (&["--trust", &*public, "--above", "4"][..], "bundle_lower_revision"),
    ] {
        assert_eq!(verify("one.bundle", more).as_deref(), Some(code));
    }
    let late = ["bundle", "verify", "one.bundle", "--trust", &public, "--at", "2030-01-01T00:00:01Z"];
    let late = place.run(&late);
    assert!(!late.is_clean && late.out.contains("(bundle_expired)"), "{}", late.out);
    let mut bytes = fs::read(place.path("one.bundle")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(place.path("bad.bundle"), bytes).unwrap();
    assert_eq!(verify("bad.bundle", &trust).as_deref(), Some("bundle_tampered"));
    place.write("text.bundle", "no bundle");
    assert_eq!(verify("text.bundle", &trust).as_deref(), Some("bundle_bad_magic"));
    let next = ["bundle", "sign", "rules", "--key", "a.key", "-o", "two.bundle", "--parent", "one.bundle"];
    assert!(place.run(&next).out.contains("revision 5 for"), "one more than its parent");
    let lower = place.run(&[&next[..], &["--revision", "4"]].concat());
    assert!(lower.err.contains("4 is not above 4"), "{}", lower.err);
}

#[test]
fn a_key_set_lends_trust_to_its_keys_in_their_time() {
    let place = Place::new(&[("rules/shop.json", SHOP)]);
    let root = place.run(&["bundle", "keygen", "-o", "root.key"]).out.trim().to_owned();
    let public = place.run(&["bundle", "keygen", "-o", "a.key"]).out.trim().to_owned();
    let key = format!("{public}@2029-06-01T00:00:00Z");
    let set = place.run(&["bundle", "keyset", &key, "--key", "root.key", "-o", "keys", "--project", "shop"]);
    assert!(set.is_clean, "{}", set.err);
    let sign = ["bundle", "sign", "rules", "--key", "a.key", "-o", "one.bundle", "--project", "shop"];
    assert!(place.run(&sign).is_clean);
    let verify = |at: &str, more: &[&str]| {
        let words = ["bundle", "verify", "one.bundle", "--trust", &root, "--at", at, "--format", "json"];
        place.run(&[&words[..], more].concat()).json()["code"].as_str().map(str::to_owned)
    };
    let early = "2029-05-01T00:00:00Z";
    assert_eq!(verify(early, &["--keyset", "keys"]), None);
    assert_eq!(verify(early, &[]).as_deref(), Some("bundle_unknown_key"), "the set is what lends trust");
    assert_eq!(verify("2029-07-01T00:00:00Z", &["--keyset", "keys"]).as_deref(), Some("bundle_expired"));
    let project = ["--keyset", "keys", "--project", "news"];
    assert_eq!(verify(early, &project).as_deref(), Some("bundle_wrong_project"));
    let forged = ["bundle", "keyset", &public, "--key", "a.key", "-o", "keys", "--project", "shop"];
    assert!(place.run(&forged).is_clean);
    assert_eq!(verify(early, &["--keyset", "keys"]).as_deref(), Some("bundle_unknown_key"));
}

#[test]
fn a_statement_names_the_bundle_in_effect_and_one_on_trial() {
    let place = Place::new(&[("rules/shop.json", SHOP), ("draft/shop.json", &SHOP.replace("keen", "eager"))]);
    let public = place.run(&["bundle", "keygen", "-o", "a.key"]).out.trim().to_owned();
    let sign = |words: &[&str]| {
        let sign = ["bundle", "sign", "--key", "a.key", "-o"];
        let signed = place.run(&[&sign[..], words].concat());
        assert!(signed.is_clean, "{}", signed.err);
    };
    sign(&["one.bundle", "rules", "--project", "shop"]);
    sign(&["two.bundle", "draft", "--parent", "one.bundle", "--project", "shop"]);
    sign(&["same.bundle", "draft", "--project", "shop"]);
    sign(&["news.bundle", "draft", "--revision", "3", "--project", "news"]);
    let state = |words: &[&str]| {
        place.run(&[&["bundle", "current", "one.bundle", "--key", "a.key", "-o", "current"], words].concat())
    };
    let verify = |words: &[&str]| {
        let verify = ["bundle", "verify", "--trust", &public, "--format", "json"];
        place.run(&[&verify[..], words].concat()).json()
    };
    assert!(state(&["--candidate", "two.bundle", "--percent", "12.5", "--seed", "spring"]).is_clean);
    let found = verify(&["current", "--project", "shop"]);
    assert_eq!((&found["verified"], &found["revision"]), (&json!(true), &json!(1)), "{found}");
    let candidate = &found["candidate"];
    assert_eq!(
        (&candidate["revision"], &candidate["percent"], &candidate["seed"]),
        (&json!(2), &json!(12.5), &json!("spring"))
    );
    assert_eq!(verify(&["current", "--project", "news"])["code"], "bundle_wrong_project");
    assert_eq!(verify(&["current", "--above", "2"])["code"], "bundle_lower_revision");
    let text = place.run(&["bundle", "verify", "current", "--trust", &public]).out;
    assert!(
        text.contains("revision 1 is in effect for shop/development, revision 2 for 12.5 % of all units"),
        "{text}"
    );
    assert!(state(&["--valid", "2029-01-01T00:00:00Z"]).is_clean);
    assert_eq!(verify(&["current", "--at", "2028-12-31T00:00:00Z"])["candidate"], Value::Null);
    assert_eq!(verify(&["current", "--at", "2029-01-02T00:00:00Z"])["code"], "bundle_expired");
    for (words, expected) in [
        (&["--candidate", "same.bundle", "--percent", "1"][..], "its revision 1 is not above 1"),
        (&["--candidate", "news.bundle", "--percent", "1"], "is for news/development, not shop/development"),
        (&["--candidate", "two.bundle", "--percent", "100.5"], "a percentage from 0 to 100"),
        (&["--candidate", "two.bundle"], "--percent"),
        (&["--percent", "5"], "--candidate"),
        (&["--valid", "soon"], "--valid: 'soon'"),
    ] {
        let refused = state(words);
        assert!(!refused.is_clean && refused.err.contains(expected), "{words:?}: {}", refused.err);
        assert_eq!(refused.err.lines().count(), 1, "{}", refused.err);
    }
    assert!(place.run(&["bundle", "delta", "one.bundle", "two.bundle", "-o", "next.delta"]).is_clean);
    assert_eq!(verify(&["next.delta", "--from", "one.bundle", "--above", "1"])["revision"], 2);
    assert_eq!(verify(&["next.delta", "--from", "two.bundle"])["code"], "bundle_wrong_parent");
    assert!(
        place
            .run(&["bundle", "verify", "next.delta", "--trust", &public])
            .err
            .contains("--from: a delta needs")
    );
    let nowhere = place.run(&["bundle", "trust", "data"]);
    assert!(nowhere.err.contains("data/secrets/trust: there is no such file"), "{}", nowhere.err);
}

#[test]
fn diff_names_what_differs_between_folders_and_bundles() {
    let place = Place::new(&[("rules/shop.json", SHOP)]);
    place.write(
        "draft/shop.json",
        &SHOP.replace("\"priority\": 5", "\"priority\": 6").replace("third", "fourth"),
    );
    assert!(place.run(&["bundle", "compile", "rules", "-o", "now.bundle"]).is_clean);
    let same = place.run(&["bundle", "diff", "rules", "now.bundle"]);
    assert_eq!((same.is_clean, &*same.out), (true, "no differences\n"));
    let differs = place.run(&["bundle", "diff", "now.bundle", "draft"]);
    assert!(!differs.is_clean);
    assert_eq!(
        differs.out,
        "rule keen changed: priority from 5 to 6\ntrigger fourth added\ntrigger third removed\n"
    );
    let json = place.run(&["bundle", "diff", "now.bundle", "draft", "--format", "json"]).json();
    assert_eq!(json["differences"][0]["parts"], json!([{"part": "priority", "before": "5", "after": "6"}]));
}

#[test]
fn the_canonical_source_does_not_depend_on_the_order_of_files_and_fields() {
    let place = Place::new(&[("rules/shop.json", SHOP)]);
    let source: Value = serde_json::from_str(SHOP).unwrap();
    place.write(
        "split/a.json",
        &json!({"triggers": source["triggers"], "rules": source["rules"]}).to_string(),
    );
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

fn line(member: &str, number: u32, second: u32) -> String {
    json!({
        "event_id": format!("{member}-{number}"),
        "event_type": "page_view",
        "timestamp": format!("2026-03-01T10:00:{second:02}.000Z"),
        "anonymous_id": member,
        "session_id": format!("session of {member}"),
    })
    .to_string()
}

#[test]
fn simulate_says_for_how_many_visitors_a_draft_would_have_differed() {
    let mut lines = Vec::new();
    for (member, views) in [("a", 1), ("b", 2), ("c", 3), ("d", 4)] {
        lines.extend((1..=views).map(|number| line(member, number, 10 * number)));
    }
    lines.push("not an event".to_owned());
    let place = Place::new(&[("rules/shop.json", SHOP), ("events.jsonl", &lines.join("\n"))]);
    place.write("draft/shop.json", &SHOP.replace("\"$gte\": 3", "\"$gte\": 2"));
    let words = ["simulate", "--log", "events.jsonl", "--against", "rules", "--format", "json"];
    let simulate = |draft: &str, more: &[&str]| place.run(&[&words[..], &["--rules", draft], more].concat());
    let same = simulate("rules", &[]).json();
    assert_eq!((&same["events"], &same["visitors"]), (&json!(10), &json!(4)));
    assert_eq!(same["visitors_decided_differently"], 0);
    let run = simulate("draft", &[]);
    assert!(run.is_clean && run.err.is_empty(), "no progress without a terminal: {}", run.err);
    let report = run.json();
    assert_eq!(report["visitors_decided_differently"], 3, "b, c and d: {report:#}");
    let rule = &report["rules"][0];
    assert_eq!(
        (&rule["visitors_in_effect"], &rule["visitors_in_draft"], &rule["visitors_gained"]),
        (&json!(2), &json!(3), &json!(1))
    );
    let trigger = &report["triggers"][0];
    assert_eq!((&trigger["firings_in_effect"], &trigger["firings_in_draft"]), (&json!(2), &json!(3)));
    // A firing's id follows from its event: c and d fire at another one.
    assert_eq!((&trigger["firings_gained"], &trigger["firings_lost"]), (&json!(3), &json!(2)));
    let passed_over = report["passed_over"][0].as_str().unwrap();
    assert!(passed_over.contains("events.jsonl:11"), "{passed_over}");
    assert_eq!(simulate("draft", &[]).out, run.out, "equal input gives equal output");
    assert!(simulate("draft", &["--progress"]).err.contains("100 % read, 10 events"));
}

#[test]
fn simulate_counts_a_visitor_who_logs_in_on_two_browsers_once_and_shows_what_is_capped_itself() {
    let capped = SHOP.replace("\"priority\": 5", "\"priority\": 5, \"cap\": {\"per\": \"lifetime\"}");
    let draft = capped.replace("\"per\": \"lifetime\"}, ", "\"per\": \"lifetime\", \"count\": 2}, ");
    assert_ne!(capped, draft);
    let mut lines = Vec::new();
    for (member, hour) in [("a", 10), ("b", 12)] {
        for number in 1..=4 {
            let mut event: Value = serde_json::from_str(&line(member, number, 10 * number)).unwrap();
            event["timestamp"] = json!(format!("2026-03-01T{hour}:00:{:02}.000Z", 10 * number));
            if number == 2 {
                event["event_type"] = json!("attune.identify");
            }
            if number >= 2 {
                event["user_id"] = json!("ada");
            }
            lines.push(event.to_string());
        }
    }
    let mut shown: Value = serde_json::from_str(&line("a", 9, 45)).unwrap();
    shown["event_type"] = json!("attune.shown");
    shown["metadata"] = json!({"rule": "keen", "key": ""});
    // Were it taken in, the draft's second showing would be kept away as well.
    lines.insert(4, shown.to_string());
    let place = Place::new(&[("rules/shop.json", &capped), ("events.jsonl", &lines.join("\n"))]);
    place.write("draft/shop.json", &draft);
    let words = ["simulate", "--log", "events.jsonl", "--against", "rules", "--format", "json", "--rules"];
    let report = place.run(&[&words[..], &["draft"]].concat()).json();
    assert_eq!((&report["visitors"], &report["events"]), (&json!(1), &json!(9)), "{report:#}");
    assert_eq!(report["visitors_decided_differently"], 1, "the second showing is the draft's alone");
    assert_eq!(report["rules"][0]["visitors_in_effect"], 1);
    let same = place.run(&[&words[..], &["rules"]].concat()).json();
    assert_eq!(same["visitors_decided_differently"], 0);
}

#[test]
fn simulate_reads_a_collectors_log_and_takes_the_bundle_in_effect_from_it() {
    let mut collector = Collector::start(&[("shop.json", SHOP)]);
    let events: Vec<Value> =
        (1..=3).map(|number| event(&format!("e{number}"), "page_view", json!({}))).collect();
    collector.place.receipt(&batch("m1", &events));
    collector.place.receipt(&batch("m2", &[numbered("x", 1)]));
    eventually("the third view fires", || collector.place.admin("/admin/firings").text().contains("third"));
    collector.stop();
    let place = Place::new(&[("rules/shop.json", SHOP)]);
    place.write("draft/shop.json", &SHOP.replace("\"$gte\": 3", "\"$gte\": 4"));
    let data = collector.data.display().to_string();
    let simulate =
        |draft: &str| place.run(&["simulate", "--log", &data, "--rules", draft, "--format", "json"]).json();
    let (same, draft) = (simulate("rules"), simulate("draft"));
    assert_eq!((&same["visitors_decided_differently"], &same["events"]), (&json!(0), &json!(4)));
    assert_eq!(same["triggers"][0]["firings_in_effect"], 1);
    assert_eq!(draft["triggers"][0]["firings_lost"], 1);
    assert_eq!(draft["visitors_decided_differently"], 1);
}
