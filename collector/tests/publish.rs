//! Bundles that are put into effect by request: durable, with the errors of the author's tools, until the folder changes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use rig::{Answer, Collector, Place, Process, batch, event, eventually};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

fn rules(signal: &str) -> String {
    json!({"signals": [{"name": signal, "on": "view", "aggregate": "count", "window": "lifetime"}], "rules": []})
        .to_string()
}

fn post(place: &Place, path: &str, media_type: &str, body: &[u8]) -> Answer {
    place.privileged("POST", path, &[("Content-Type", media_type)], body)
}

fn publish(place: &Place, signal: &str) -> Value {
    let answer = post(place, "/v1/bundles", "application/json", rules(signal).as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

fn list(place: &Place) -> Value {
    place.privileged("GET", "/v1/bundles", &[], &[]).json()
}

/// Names of the signals by which a profile is counted.
fn signals(place: &Place) -> Vec<String> {
    let profile = place.privileged("GET", "/v1/profiles/member:m1?settled=1", &[], &[]).json();
    profile["signals"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn rules_are_published_and_rolled_back_and_stay_so_over_a_restart_until_the_folder_changes() {
    let collector = Collector::start(&[("a.json", &rules("first"))]);
    let place = collector.place.clone();
    place.receipt(&batch("m1", &[event("a", "view", json!({}))]));
    assert_eq!(signals(&place), ["first"]);
    let published = publish(&place, "second");
    assert_eq!((&published["revision"], &published["is_new"]), (&json!(2), &json!(true)));
    place.receipt(&batch("m1", &[event("b", "view", json!({}))]));
    assert_eq!(signals(&place), ["second"]);
    let again = post(&place, "/v1/bundles", "application/json", rules("second").as_bytes());
    assert_eq!((again.status, &again.json()["is_new"]), (200, &json!(false)));

    let collector = collector.restart();
    let place = collector.place.clone();
    let listed = list(&place);
    assert_eq!((&listed["revision"], &listed["overruled"]), (&json!(2), &json!(true)), "{listed}");
    let states: Vec<_> =
        listed["revisions"].as_array().unwrap().iter().map(|row| (&row["revision"], &row["state"])).collect();
    assert_eq!(states, [(&json!(2), &json!("current")), (&json!(1), &json!("kept"))]);
    assert_eq!(listed["revisions"][0]["parent"], listed["revisions"][1]["sha256"]);
    assert_eq!(listed["revisions"][0]["sha256"], published["sha256"]);
    assert_eq!(signals(&place), ["second"], "the folder still says what it said");

    // No page goes back, so what the first revision says comes under the third.
    let back = post(&place, "/v1/bundles/1/activate", "", &[]);
    assert_eq!((back.status, &back.json()["revision"]), (201, &json!(3)), "{}", back.text());
    assert_eq!(signals(&place), ["first"]);
    let collector = collector.restart();
    let place = collector.place.clone();
    assert_eq!((signals(&place), &list(&place)["revision"]), (vec!["first".to_owned()], &json!(3)));
    let document = place.privileged("GET", "/v1/bundles/3", &[], &[]);
    assert_eq!(document.header("etag").map(str::len), Some(66));
    let served = place.get("/v1/bundle?k=demo");
    assert_eq!((served.status, served.body), (200, document.body.clone()));
    let tag = document.header("etag").unwrap().to_owned();
    assert_eq!(place.privileged("GET", "/v1/bundles/3", &[("If-None-Match", &tag)], &[]).status, 304);

    fs::write(collector.rules.join("a.json"), rules("third")).unwrap();
    eventually("the folder counts again", || list(&place)["revision"] == 4);
    assert_eq!((signals(&place), &list(&place)["overruled"]), (vec!["third".to_owned()], &json!(false)));
    let collector = collector.restart();
    assert_eq!(list(&collector.place)["revision"], 4);
}

#[test]
fn what_was_answered_is_in_effect_after_a_crash_and_in_a_log_that_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let (data, rules_folder) = (folder.path().join("data"), folder.path().join("rules"));
    fs::create_dir(&rules_folder).unwrap();
    for round in 1..=3 {
        let mut process = Process::start(&data, &rules_folder);
        let signal = format!("signal-{round}");
        let revision = publish(&process.place, &signal)["revision"].clone();
        process.kill();
        fs::remove_dir_all(data.join("state")).unwrap();
        let mut process = Process::start(&data, &rules_folder);
        let id = format!("e{round}");
        process.place.receipt(&batch("m1", &[event(&id, "view", json!({}))]));
        assert_eq!((signals(&process.place), &list(&process.place)["revision"]), (vec![signal], &revision));
        process.kill();
    }
}

/// Runs `attune` with these words.
fn attune(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_attune")).args(words).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn bad_rules_are_told_as_the_tools_tell_them_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(&[("a.json", &rules("first"))]);
    let place = &collector.place;
    let bad = r#"{"signals":[{"name":"views","on":"view","aggregate":"counts","window":"lifetime"}],
        "rules":[{"id":"r","slot":"s","when":{"signals.viewz":{"$gt":1}},"actions":[]}]}"#;
    for text in [bad, "{", "[]", r#"{"rules":7}"#] {
        fs::write(folder.path().join("rules.json"), text).unwrap();
        let said = attune(&["bundle", "check", folder.path().to_str().unwrap(), "--format", "json"]);
        let said: Value = serde_json::from_str(&said).unwrap();
        assert!(!said["diagnostics"].as_array().unwrap().is_empty(), "{text}");
        let refused = post(place, "/v1/bundles", "application/json", text.as_bytes());
        assert_eq!((refused.status, refused.code()), (422, "bundle_has_errors".to_owned()), "{text}");
        assert_eq!(refused.json()["report"], said, "{text}");
        let checked = post(place, "/v1/bundles/check", "application/json", text.as_bytes());
        assert_eq!((checked.status, checked.json()), (200, said), "{text}");
    }
    let fine = post(place, "/v1/bundles/check", "application/json", rules("x").as_bytes());
    let said = fine.json()["diagnostics"].as_array().unwrap().clone();
    assert_eq!((fine.status, said.len(), &said[0]["severity"]), (200, 1, &json!("warning")));
    for (path, media_type, status, code) in [
        ("/v1/bundles", "text/plain", 415, "type_not_supported"),
        ("/v1/bundles/check", "application/octet-stream", 415, "type_not_supported"),
        ("/v1/bundles/9/activate", "", 404, "revision_unknown"),
        ("/v1/bundles/x/activate", "", 400, "revision_malformed"),
    ] {
        let answer = post(place, path, media_type, b"{}");
        assert_eq!((answer.status, answer.code()), (status, code.to_owned()), "{path}");
    }
    for (path, status, code) in
        [("/v1/bundles/9", 404, "revision_unknown"), ("/v1/bundles/+1", 400, "revision_malformed")]
    {
        let answer = place.privileged("GET", path, &[], &[]);
        assert_eq!((answer.status, answer.code()), (status, code.to_owned()), "{path}");
    }
    let listed = list(place);
    assert_eq!((&listed["revision"], &listed["overruled"]), (&json!(1), &json!(false)));
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_signed_bundle_is_published_where_its_key_may_sign() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (key, foreign, sources) = (path("key"), path("foreign"), path("sources"));
    fs::create_dir(&sources).unwrap();
    fs::write(sources.join("a.json"), rules("signed")).unwrap();
    for key in [&key, &foreign] {
        attune(&["bundle", "keygen", "--output", text(key)]);
    }
    let sign = |key: &Path, environment: &str, output: &Path| {
        let words = ["bundle", "sign", text(&sources), "--key", text(key), "--project", "default"];
        let more = ["--environment", environment, "--revision", "1", "--output", text(output)];
        attune(&[&words[..], &more].concat());
        fs::read(output).unwrap()
    };
    let collector = Collector::start(&[("a.json", &rules("first"))]);
    let signing = vec!["--signing-key".to_owned(), text(&key).to_owned()];
    let collector = collector.restart_with(signing);
    let place = &collector.place;
    let good = sign(&key, "development", &path("good"));
    let mut broken = good.clone();
    let middle = broken.len() / 2;
    broken[middle] ^= 1;
    for (bundle, reason) in [
        (sign(&foreign, "development", &path("of-another")), "bundle_unknown_key"),
        (sign(&key, "production", &path("for-another")), "bundle_wrong_environment"),
        (broken, "bundle_tampered"),
        (b"nonsense".to_vec(), "bundle_bad_magic"),
    ] {
        let refused = post(place, "/v1/bundles", "application/octet-stream", &bundle);
        assert_eq!((refused.status, refused.code()), (422, "bundle_refused".to_owned()), "{reason}");
        assert_eq!(refused.json()["reason"], reason);
    }
    let before = list(place)["revision"].as_u64().unwrap();
    let taken = post(place, "/v1/bundles", "application/octet-stream", &good);
    assert_eq!((taken.status, &taken.json()["revision"]), (201, &json!(before + 1)), "{}", taken.text());
    place.receipt(&batch("m1", &[event("a", "view", json!({}))]));
    assert_eq!(signals(place), ["signed"]);
}
