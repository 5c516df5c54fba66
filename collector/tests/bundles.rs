//! Rule files: published, edited, broken, repaired.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use attune_core::bundle::{Bundle, open_envelope};
use rig::{Answer, Collector, batch, event, eventually, numbered};
use serde_json::json;
use std::fs;

fn rule(slot: &str) -> String {
    json!({"signals": [], "rules": [{
        "id": "one", "slot": slot, "priority": 1,
        "when": {"traits.plan": "gold"},
        "actions": [{"kind": "text", "target": "#hero", "value": "hello"}],
    }]})
    .to_string()
}

fn bundle(collector: &Collector) -> Answer {
    collector.place.get("/v1/bundle?k=demo")
}

fn slots(collector: &Collector) -> Vec<String> {
    let bundle = Bundle::open(&bundle(collector).body).unwrap();
    bundle.rules.iter().filter_map(|rule| rule.head().slot.map(str::to_owned)).collect()
}

#[test]
fn a_bundle_is_served_with_a_validator_and_compressed() {
    let collector = Collector::start(&[("one.json", &rule("hero"))]);
    let first = bundle(&collector);
    assert_eq!((first.status, first.header("content-type")), (200, Some("application/octet-stream")));
    assert_eq!(open_envelope(&first.body).unwrap().header.revision, 1);
    let etag = first.header("etag").unwrap();
    let again = collector.place.send("GET", "/v1/bundle?k=demo", &[("If-None-Match", etag)], &[]);
    assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, Some(etag)));
    let other = collector.place.send("GET", "/v1/bundle?k=demo", &[("If-None-Match", "\"other\"")], &[]);
    assert_eq!(other.status, 200);
    assert_eq!(collector.place.get("/v1/bundle?k=nobody").code(), "write_key_unknown");
}

#[test]
fn an_edited_rule_reaches_open_pages() {
    let collector = Collector::start(&[("one.json", &rule("hero"))]);
    let receipt = collector.place.receipt(&batch("m1", &[numbered("a", 1)]));
    let mut stream = collector.place.stream(&receipt, None);
    assert_eq!(stream.next_of("bundle").data, r#"{"revision":1}"#);
    fs::write(collector.rules.join("one.json"), rule("banner")).unwrap();
    assert_eq!(stream.next_of("bundle").data, r#"{"revision":2}"#);
    assert_eq!(slots(&collector), ["banner"]);
}

#[test]
fn a_broken_file_never_replaces_a_working_one() {
    let collector = Collector::start(&[("one.json", &rule("hero")), ("two.json", r#"{"rules":[]}"#)]);
    let errors = |collector: &Collector| {
        let text = collector.place.get("/metrics").text();
        let line =
            text.lines().find(|line| line.starts_with("attune_bundle_errors_total")).unwrap().to_owned();
        line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    fs::write(collector.rules.join("one.json"), "{ broken").unwrap();
    eventually("the broken file is told", || errors(&collector) == 1);
    assert_eq!(slots(&collector), ["hero"]);
    // Its neighbour still changes, and the kept text survives a restart.
    fs::write(collector.rules.join("two.json"), rule("banner").replace("\"one\"", "\"two\"")).unwrap();
    eventually("the neighbour changes", || slots(&collector) == ["hero", "banner"]);
    let collector = collector.restart();
    assert_eq!(slots(&collector), ["hero", "banner"]);
    fs::write(collector.rules.join("one.json"), rule("footer")).unwrap();
    eventually("the repaired file counts", || slots(&collector) == ["footer", "banner"]);
}

#[test]
fn a_revision_never_goes_back() {
    let collector = Collector::start(&[("one.json", &rule("hero"))]);
    let revision = |collector: &Collector| open_envelope(&bundle(collector).body).unwrap().header.revision;
    fs::write(collector.rules.join("one.json"), rule("banner")).unwrap();
    eventually("the edit counts", || revision(&collector) == 2);
    let collector = collector.restart();
    assert_eq!(revision(&collector), 2, "the same rules keep their revision");
    fs::write(collector.rules.join("one.json"), rule("hero")).unwrap();
    eventually("going back is a new revision", || revision(&collector) == 3);
}

#[test]
fn a_trigger_fires_once_per_cap_and_stays_fired_after_a_restart() {
    let rules = json!({
        "signals": [{"name": "clicks", "on": "click", "by": "metadata.category", "aggregate": "count",
                     "window": "session"}],
        "triggers": [{"id": "third-click", "on": "click",
                      "when": {"$signal": {"name": "clicks", "key": {"$path": "event.metadata.category"},
                                           "is": {"$gte": 3}}},
                      "cap": {"per": "session", "key": "event.metadata.category", "count": 1},
                      "actions": [{"kind": "webhook", "url": "http://127.0.0.1:9/hook"}]}],
    });
    let collector = Collector::start(&[("one.json", &rules.to_string())]);
    let click = |id: &str, category: &str| {
        let mut event = event(id, "click", json!({"category": category}));
        event["session_id"] = json!("s1");
        event
    };
    let clicks: Vec<_> =
        (0..5).map(|n| click(&format!("a{n}"), if n == 4 { "lamps" } else { "chairs" })).collect();
    collector.place.receipt(&batch("m1", &clicks));
    let summary = collector.place.summary();
    assert_eq!((&summary["firings"], &summary["signals"]["clicks"]), (&json!(1), &json!(5)), "{summary}");
    let collector = collector.restart();
    collector
        .place
        .receipt(&batch("m1", &[click("b1", "chairs"), click("b2", "lamps"), click("b3", "lamps")]));
    assert_eq!(collector.place.summary()["firings"], 2);
    let firings = collector.place.admin("/admin/firings").text();
    let firings: Vec<serde_json::Value> =
        firings.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> =
        firings.iter().map(|firing| (&firing["rule"], &firing["key"], &firing["member"])).collect();
    assert_eq!(
        told,
        [
            (&json!("third-click"), &json!("chairs"), &json!("m1")),
            (&json!("third-click"), &json!("lamps"), &json!("m1")),
        ]
    );
}

#[test]
fn what_time_alone_makes_true_fires_once_even_when_it_comes_due_while_nobody_runs() {
    let rules = json!({
        "signals": [{"name": "cart_at", "on": "add_to_cart", "aggregate": "last_at", "window": "lifetime"}],
        "triggers": [{"id": "left-alone", "when": {"signals.cart_at": {"$before": "-2s"}},
                      "actions": [{"kind": "webhook", "url": "http://127.0.0.1:9/hook"}]}],
    });
    let collector = Collector::start(&[("one.json", &rules.to_string())]);
    let add = |id: &str| event(id, "add_to_cart", json!({}));
    let firings = |collector: &Collector| collector.place.summary()["firings"].clone();
    collector.place.receipt(&batch("m1", &[add("a")]));
    assert_eq!(firings(&collector), 0);
    eventually("the trigger fires by time alone", || firings(&collector) == 1);
    collector.place.receipt(&batch("m2", &[add("b")]));
    let collector = collector.restart();
    eventually("the timer is kept over a restart", || firings(&collector) == 2);
    let collector = collector.restart();
    assert_eq!(firings(&collector), 2);
}

#[test]
fn a_folder_is_compiled_to_a_file_without_a_running_collector() {
    let folder = tempfile::tempdir().unwrap();
    let (rules, output) = (folder.path().join("rules"), folder.path().join("out.bundle"));
    fs::create_dir(&rules).unwrap();
    let compile = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_attune"));
        command.args(["bundle", "compile"]).arg(&rules).arg("-o").arg(&output).output().unwrap()
    };
    fs::write(rules.join("one.json"), "{ broken").unwrap();
    let refused = compile();
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && told.contains("one.json:1: error") && !output.exists(), "{told}");
    fs::write(rules.join("one.json"), rule("hero")).unwrap();
    assert!(compile().status.success());
    assert_eq!(Bundle::open(&fs::read(&output).unwrap()).unwrap().rules.len(), 1);
}

#[test]
fn a_growthbook_payload_becomes_a_rule_file_that_compiles() {
    let folder = tempfile::tempdir().unwrap();
    let (payload, rules) = (folder.path().join("features.json"), folder.path().join("rules"));
    fs::create_dir(&rules).unwrap();
    let text = r#"{"features":{"checkout":{"defaultValue":"a","rules":[
        {"force":"b","coverage":0.5},{"force":"c","parentConditions":[{"id":"x","condition":{}}]}]}}}"#;
    fs::write(&payload, text).unwrap();
    let attune = |words: &[&std::ffi::OsStr]| {
        std::process::Command::new(env!("CARGO_BIN_EXE_attune")).args(words).output().unwrap()
    };
    let (file, bundle) = (rules.join("imported.json"), folder.path().join("out.bundle"));
    let word = std::ffi::OsStr::new;
    let imported =
        attune(&[word("import"), word("growthbook"), payload.as_os_str(), word("-o"), file.as_os_str()]);
    let told = String::from_utf8(imported.stderr).unwrap();
    assert!(imported.status.success() && told.lines().count() == 1, "{told}");
    assert!(told.contains("features.json: warning[prerequisite_not_imported]"), "{told}");
    let compiled =
        attune(&[word("bundle"), word("compile"), rules.as_os_str(), word("-o"), bundle.as_os_str()]);
    assert!(compiled.status.success());
    let opened = Bundle::open(&fs::read(&bundle).unwrap()).unwrap();
    assert_eq!((opened.rules.len(), opened.experiments.len()), (2, 1));
    fs::write(&payload, "[]").unwrap();
    let refused =
        attune(&[word("import"), word("growthbook"), payload.as_os_str(), word("-o"), file.as_os_str()]);
    assert!(
        !refused.status.success()
            && String::from_utf8(refused.stderr).unwrap().contains("expected a JSON object")
    );
}
