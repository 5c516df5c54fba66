//! The shipped alerts and the dashboard: they name only what a running collector says, and Prometheus understands them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use rig::{Collector, DEADLINE, LANE, Place, Receiver, Reply, batch, event, eventually, fresh_id, promtool};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const RULES: &str =
    r#"{"triggers":[{"id":"view","on":"view","actions":[{"kind":"webhook","destination":"crm"}]}]}"#;

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ops").join(name)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The queries of the dashboard, the one of its variable included.
fn queries() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&read(&shipped("dashboard.json"))).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().cloned().unwrap_or_default());
    let found: Vec<String> = targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect();
    assert!(found.len() > 40, "{found:?}");
    found
}

/// A label that a selector asks for, and its value where that is said exactly.
type Asked = (String, Option<String>);

/// The metrics that a text names, and what their selectors ask for: labels, with their value where it is said exactly.
fn named(text: &str) -> BTreeSet<(String, Option<Asked>)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = BTreeSet::new();
    for (start, _) in text.match_indices("attune_") {
        if text[..start].ends_with(is_name) {
            continue;
        }
        let length = text[start..].find(|c| !is_name(c)).unwrap_or(text.len() - start);
        let (name, rest) = text[start..].split_at(length);
        let selectors =
            rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map(|(inside, _)| inside);
        let before = found.len();
        for selector in selectors.into_iter().flat_map(|inside| inside.split(',')) {
            let (label, asked) = selector.split_once('=').unwrap();
            // Prometheus adds it where it scrapes.
            if label != "instance" {
                let exactly = asked.strip_prefix('"').and_then(|asked| asked.strip_suffix('"'));
                found.insert((name.to_owned(), Some((label.to_owned(), exactly.map(str::to_owned)))));
            }
        }
        if found.len() == before {
            found.insert((name.to_owned(), None));
        }
    }
    found
}

/// What of these is in no sample.
fn missing(text: &str, samples: &str) -> Vec<String> {
    let is_there = |name: &str, asked: Option<&Asked>| {
        samples.lines().any(|line| {
            let Some(rest) = line.strip_prefix(name) else { return false };
            match asked {
                None => rest.starts_with([' ', '{']),
                Some((label, value)) => {
                    let value = value.as_ref().map_or_else(String::new, |value| format!("{value}\""));
                    rest.starts_with('{') && rest.contains(&format!("{label}=\"{value}"))
                }
            }
        })
    };
    named(text)
        .into_iter()
        .filter(|(name, asked)| !is_there(name, asked.as_ref()))
        .map(|found| format!("{found:?}"))
        .collect()
}

/// Traffic of every kind that has labels.
fn use_collector(place: &Place) {
    let view = batch("m1", &[event(&fresh_id(), "view", json!({}))]);
    place.receipt(&view);
    place.receipt(&view);
    place.receipt(&batch("m1", &[json!({"event_id": fresh_id(), "event_type": ""})]));
    place.receipt(&json!({"lane": LANE, "events": [], "dropped": {"expired": 1}}));
    let nobody = place.send("POST", "/v1/events?k=nobody", &[("Content-Type", "text/plain")], b"{}");
    assert_eq!(nobody.status, 401, "{}", nobody.text());
    let many: Vec<Value> = (0..1_300).map(|_| event(&fresh_id(), "seen", json!({}))).collect();
    let limited = (0..2).map(|_| place.post(&batch("m2", &many)).status).collect::<Vec<_>>();
    assert_eq!(limited, [200, 429]);
}

#[test]
fn alerts_and_dashboard_name_only_what_a_running_collector_says() {
    let receiver = Receiver::start(|_, _| Reply::Answer(204, ""));
    let folder = tempfile::tempdir().unwrap();
    let destinations = folder.path().join("destinations.json");
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let crm = json!({"name": "crm", "url": receiver.url(), "secret": secret, "allow_private": true});
    std::fs::write(&destinations, json!({"webhooks": [crm]}).to_string()).unwrap();
    let arguments = ["--destinations", destinations.to_str().unwrap(), "--events-per-address", "1"];
    let collector = Collector::start_with(&[("rules.json", RULES)], &arguments);
    let place = &collector.place;
    use_collector(place);
    eventually("the call is made", || receiver.received().len() == 1);
    let mut all = queries();
    all.push(read(&shipped("alerts.yml")));
    let all = all.join("\n");
    // The worker counts dead letters, and the desk what has become of calls.
    let deadline = Instant::now() + DEADLINE;
    let mut left = missing(&all, &place.get("/metrics").text());
    while !left.is_empty() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
        left = missing(&all, &place.get("/metrics").text());
    }
    assert_eq!(left, Vec::<String>::new());
    let wrong =
        "rate(attune_events_lost_total[5m]) + attune_worker_lag_seconds{stage=\"done\"} + attune_streams";
    assert_eq!(missing(wrong, &place.get("/metrics").text()).len(), 2);
}

#[test]
fn every_alert_is_tested_and_explained() {
    let (alerts, tests) = (read(&shipped("alerts.yml")), read(&shipped("alerts.test.yml")));
    let guide = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operating.md"));
    let names: Vec<&str> = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(names.len() > 15, "{names:?}");
    for name in &names {
        for test in [format!("- name: {name} fires\n"), format!("- name: {name} is quiet\n")] {
            assert!(tests.contains(&test), "{test}");
        }
        assert!(guide.contains(&format!("| `{name}` |")), "docs/operating.md says nothing of {name}");
    }
    let explained = guide.lines().filter(|line| line.starts_with("| `Attune")).count();
    assert_eq!(explained, names.len(), "docs/operating.md explains alerts that there are not");
}

#[test]
fn promtool_takes_the_alerts_and_each_fires_where_it_has_to_and_nowhere_else() {
    let (alerts, tests) = (shipped("alerts.yml"), shipped("alerts.test.yml"));
    let checked =
        promtool(&["check", "rules", "--lint=all", "--lint-fatal", alerts.to_str().unwrap()], |_| {});
    assert!(checked.as_ref().is_ok_and(|told| told.contains("SUCCESS")), "{checked:?}");
    let tested = promtool(&["test", "rules", tests.to_str().unwrap()], |_| {});
    assert!(tested.as_ref().is_ok_and(|told| told.contains("SUCCESS")), "{tested:?}");
    // Other bounds are noticed.
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("alerts.yml"), read(&alerts).replace("> 0.8", "> 0.95")).unwrap();
    let copy = folder.path().join("alerts.test.yml");
    std::fs::copy(&tests, &copy).unwrap();
    assert!(promtool(&["test", "rules", copy.to_str().unwrap()], |_| {}).is_err());
}

/// promtool reads no dashboards, so each query becomes a rule.
#[test]
fn promtool_understands_every_query_of_the_dashboard() {
    let rules: Vec<Value> = (0..)
        .zip(queries())
        .map(|(index, query)| {
            let query = query.replace("$__rate_interval", "5m").replace("$instance", ".*");
            json!({"record": format!("query:{index}"), "expr": query})
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queries.yml");
    // JSON is YAML.
    std::fs::write(&file, json!({"groups": [{"name": "dashboard", "rules": rules}]}).to_string()).unwrap();
    let checked = promtool(&["check", "rules", file.to_str().unwrap()], |_| {});
    assert!(checked.is_ok(), "{checked:?}");
}
