//! What takes effect while the collector runs: keys, limits and destinations; and that what is broken changes nothing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use rig::{Collector, Place, Process, Receiver, Reply, batch, event, eventually, fresh_id};
use serde_json::{Value, json};
use std::path::PathBuf;
use tempfile::TempDir;

const RULES: &str =
    r#"{"triggers":[{"id":"view","on":"view","actions":[{"kind":"webhook","destination":"crm"}]}]}"#;

/// A folder of files that are changed as editors and deployments do it: written beside and put in their place.
struct Folder(TempDir);

impl Folder {
    fn of(name: &str, text: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.put(name, text);
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let (beside, path) = (self.path("new"), self.path(name));
        std::fs::write(&beside, text).unwrap();
        std::fs::rename(beside, &path).unwrap();
        path
    }
}

fn keys(keys: &[Value]) -> String {
    let whole = |key: &Value| {
        let mut whole = json!({"origins": ["*"], "identity": "open"});
        whole.as_object_mut().unwrap().extend(key.as_object().unwrap().clone());
        whole
    };
    json!({"keys": keys.iter().map(whole).collect::<Vec<_>>()}).to_string()
}

fn key(name: &str) -> Value {
    json!({"key": name})
}

fn send(place: &Place, key: &str, count: usize) -> rig::Answer {
    let events: Vec<Value> = (0..count).map(|_| event(&fresh_id(), "view", json!({}))).collect();
    let path = format!("/v1/events?k={key}");
    place.send("POST", &path, &[("Content-Type", "text/plain")], batch("m1", &events).to_string().as_bytes())
}

fn metric(place: &Place, series: &str) -> u64 {
    let text = place.get("/metrics").text();
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series}")).parse().unwrap()
}

fn refused(place: &Place, part: &str) -> u64 {
    metric(place, &format!("attune_reload_failed_total{{code=\"{part}\"}}"))
}

#[test]
fn keys_come_and_go_and_the_streams_of_one_that_is_gone_end() {
    let folder = Folder::of("keys.json", &keys(&[key("old"), key("both")]));
    let file = folder.path("keys.json");
    let collector = Collector::start_with(&[], &["--write-keys", file.to_str().unwrap()]);
    let place = &collector.place;
    let (old, both) = (send(place, "old", 1).json(), send(place, "both", 1).json());
    assert_eq!(send(place, "new", 1).status, 401);
    let (mut ending, mut staying) = (place.stream(&old, None), place.stream(&both, None));
    ending.next_of("hello");
    staying.next_of("hello");

    folder.put("keys.json", &keys(&[key("new"), key("both")]));
    eventually("the new key is one", || send(place, "new", 1).status == 200);
    assert_eq!(
        (send(place, "old", 1).code(), send(place, "both", 1).status),
        ("write_key_unknown".to_owned(), 200)
    );
    while ending.next().is_some() {}
    // Its token opens no other.
    let token =
        |receipt: &Value| format!("/v1/stream?token={}", receipt["stream"]["token"].as_str().unwrap());
    assert_eq!(place.get(&token(&old)).code(), "stream_token_invalid");
    // The other's goes on: what its member does is still pushed.
    send(place, "both", 1);
    staying.next_of("profile");
    assert_eq!(refused(place, "write_keys"), 0);
}

#[test]
fn limits_of_a_key_change_and_what_it_has_sent_today_still_counts() {
    let limited = |most: u64| keys(&[json!({"key": "k", "events_per_day": most})]);
    let folder = Folder::of("keys.json", &limited(2_500));
    let file = folder.path("keys.json");
    let collector = Collector::start_with(&[], &["--write-keys", file.to_str().unwrap()]);
    let place = &collector.place;
    assert_eq!((send(place, "k", 1_500).status, send(place, "k", 1_500).status), (200, 429));
    folder.put("keys.json", &limited(3_000));
    eventually("there is room", || send(place, "k", 1_500).status == 200);
    assert_eq!(send(place, "k", 1).code(), "quota_exceeded");
}

#[test]
fn a_broken_file_is_refused_once_and_the_old_stays_in_effect_beside_what_is_sound() {
    let receiver = Receiver::start(|_, _| Reply::Answer(204, ""));
    let folder = Folder::of("keys.json", &keys(&[key("old")]));
    let nobody = json!({"webhooks": []}).to_string();
    let (file, whom) = (folder.path("keys.json"), folder.put("destinations.json", &nobody));
    let arguments = ["--write-keys", file.to_str().unwrap(), "--destinations", whom.to_str().unwrap()];
    let collector = Collector::start_with(&[("rules.json", RULES)], &arguments);
    let place = &collector.place;
    for (count, text) in (1..).zip(["{\"keys\":[{\"key\":\"new\"", "{\"keys\":[{\"key\":\"new\"}]}", ""]) {
        folder.put("keys.json", text);
        eventually("it is refused", || refused(place, "write_keys") == count);
        assert_eq!((send(place, "old", 1).status, send(place, "new", 1).status), (200, 401));
    }
    std::fs::remove_file(&file).unwrap();
    eventually("that it is gone is refused", || refused(place, "write_keys") == 4);
    assert_eq!(send(place, "old", 1).status, 200);
    // The neighbour is read nevertheless.
    let crm = json!({"webhooks": [webhook(&receiver.url())]}).to_string();
    folder.put("destinations.json", &crm);
    eventually("there is a destination", || {
        send(place, "old", 1);
        !receiver.received().is_empty()
    });
    folder.put("destinations.json", "{\"webhooks\":1}");
    eventually("that is refused as well", || refused(place, "destinations") == 1);
    let before = receiver.received().len();
    send(place, "old", 1);
    eventually("the old destination is called", || receiver.received().len() > before);
    folder.put("keys.json", &keys(&[key("new")]));
    eventually("the mended file counts", || send(place, "new", 1).status == 200);
}

fn webhook(url: &str) -> Value {
    json!({"name": "crm", "url": url, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "allow_private": true})
}

#[test]
fn what_waits_for_a_destination_goes_to_where_that_is_now() {
    let (sick, well) =
        (Receiver::start(|_, _| Reply::Answer(503, "")), Receiver::start(|_, _| Reply::Answer(204, "")));
    let at = |receiver: &Receiver| json!({"webhooks": [webhook(&receiver.url())]}).to_string();
    let folder = Folder::of("destinations.json", &at(&sick));
    let file = folder.path("destinations.json");
    let arguments = ["--destinations", file.to_str().unwrap()];
    let collector = Collector::start_with(&[("rules.json", RULES)], &arguments);
    let place = &collector.place;
    send(place, "demo", 1);
    eventually("the first is called", || sick.received().len() == 1);
    folder.put("destinations.json", &at(&well));
    // The repetition comes after its pause.
    eventually("the other is called", || well.received().len() == 1);
    assert_eq!(well.received()[0].id(), sick.received()[0].id());
    // Nobody is left to be called, so that what fires is dead with its reason.
    folder.put("destinations.json", "{}");
    eventually("it has no destination", || {
        send(place, "demo", 1);
        metric(place, "attune_deliveries_pending{destination=\"crm\"}") == 0
            && place.admin("/admin/deliveries?state=dead").text().contains("destination_unknown")
    });
}

#[test]
fn the_file_of_settings_is_read_again_and_so_is_everything_on_sighup() {
    let folder = Folder::of("attune.toml", "write-key = [\"old\"]\n");
    let (config, data) = (folder.path("attune.toml"), folder.path("data"));
    std::fs::create_dir(folder.path("rules")).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_attune"));
    command.args(Process::arguments(&data, &folder.path("rules"))).arg("--config").arg(&config);
    let process = Process::start_by(command);
    let place = &process.place;
    assert_eq!((send(place, "old", 1).status, send(place, "new", 1).status), (200, 401));
    folder.put("attune.toml", "write-key = [\"new\"]\n");
    eventually("the new key is one", || send(place, "new", 1).status == 200);
    assert_eq!(send(place, "old", 1).status, 401);
    folder.put("attune.toml", "write-keys = \"x\n");
    eventually("it is refused", || refused(place, "config") == 1);
    assert_eq!(send(place, "new", 1).status, 200);
    folder.put("attune.toml", "write-key = [\"new\"]\nevents-per-address = 1\n");
    eventually("limits of addresses count", || send(place, "new", 2_500).status == 429);

    let reloads = || metric(place, "attune_reloads_total");
    let before = reloads();
    let id = rustix::process::Pid::from_child(&process.child);
    rustix::process::kill_process(id, rustix::process::Signal::HUP).unwrap();
    eventually("it is read without a change", || reloads() == before + 1);
    assert_eq!(place.get("/health/ready").status, 200);
}

#[test]
fn a_file_of_settings_whose_end_is_missing_changes_nothing() {
    let receiver = Receiver::start(|_, _| Reply::Answer(204, ""));
    let whole = |folder: &Folder| {
        let crm = json!({"webhooks": [webhook(&receiver.url())]}).to_string();
        let whom = folder.put("destinations.json", &crm);
        format!("write-key = [\"mine\"]\ndestinations = {:?}\nlog-keep-days = 9\n", whom.to_str().unwrap())
    };
    let folder = Folder::of("keys.json", &keys(&[key("filed")]));
    let (config, data) = (folder.put("attune.toml", &whole(&folder)), folder.path("data"));
    std::fs::create_dir(folder.path("rules")).unwrap();
    std::fs::write(folder.path("rules/rules.json"), RULES).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_attune"));
    command.args(Process::arguments(&data, &folder.path("rules"))).arg("--config").arg(&config);
    let process = Process::start_by(command);
    let place = &process.place;
    let whole = std::fs::read_to_string(&config).unwrap();
    let ends = [0, whole.find("destinations").unwrap(), whole.find("log-keep-days").unwrap()];
    for (count, end) in (1..).zip(ends) {
        folder.put("attune.toml", &whole[..end]);
        eventually("it is refused", || refused(place, "config") == count);
        // What everybody knows has not become a key.
        assert_eq!((send(place, "mine", 1).status, send(place, "demo", 1).status), (200, 401));
    }
    let before = receiver.received().len();
    send(place, "mine", 1);
    eventually("the destination is called", || receiver.received().len() > before);
    // Keys may move to a file of their own, and limits may go; a list of nobody is none.
    let moved = |keys: &std::path::Path| {
        whole.replace("write-key = [\"mine\"]", &format!("write-keys = {:?}", keys.to_str().unwrap()))
    };
    let limited = format!("{}events-per-address = 5000\n", moved(&folder.path("keys.json")));
    folder.put("attune.toml", &limited);
    eventually("the key of the file is one", || send(place, "filed", 1).status == 200);
    let reloads = metric(place, "attune_reloads_total");
    folder.put("attune.toml", &moved(&folder.path("keys.json")));
    eventually("it is read without the limit", || metric(place, "attune_reloads_total") > reloads);
    assert_eq!(refused(place, "config"), 3);
    folder.put("keys.json", "{\"keys\":[]}");
    eventually("it is refused", || refused(place, "write_keys") == 1);
    assert_eq!((send(place, "filed", 1).status, send(place, "demo", 1).status), (200, 401));
}
