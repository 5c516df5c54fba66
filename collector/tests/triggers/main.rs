//! What is promised of triggers' calls: each firing reaches its destination, signed, at least once under one id, and no
//! destination waits for another.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod email;
#[path = "../rig/mod.rs"]
mod rig;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use rig::{Collector, Place, Process, Received, Receiver, Reply, SECRET, batch, event, eventually};
use serde_json::{Value, json};
use sha2::Sha256;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

const RULES: &str = r#"{"triggers":[
  {"id":"view","on":"view","actions":[{"kind":"webhook","destination":"crm"}]},
  {"id":"signup","on":"signup","actions":[{"kind":"email","destination":"welcome"}]},
  {"id":"slow","on":"slow","actions":[{"kind":"webhook","destination":"slow"}]},
  {"id":"both","on":"both","actions":[{"kind":"webhook","destination":"nobody"},{"kind":"webhook","destination":"crm"}]}
]}"#;
const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const RULE_FILES: &[(&str, &str)] = &[("rules.json", RULES)];

/// A file of destinations in a folder of its own.
struct File {
    _folder: TempDir,
    path: PathBuf,
}

impl File {
    fn of(content: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("destinations.json");
        std::fs::write(&path, content.to_string()).unwrap();
        Self { path, _folder: folder }
    }

    fn arguments(&self) -> [&str; 2] {
        ["--destinations", self.path.to_str().unwrap()]
    }
}

fn webhook(name: &str, url: &str) -> Value {
    json!({"name": name, "url": url, "secret": WEBHOOK_SECRET, "allow_private": true})
}

/// A collector whose destination `crm` is this receiver.
fn start(receiver: &Receiver) -> (Collector, File) {
    let file = File::of(&json!({"webhooks": [webhook("crm", &receiver.url())]}));
    (Collector::start_with(RULE_FILES, &file.arguments()), file)
}

fn always(status: u16) -> Receiver {
    Receiver::start(move |_, _| Reply::Answer(status, ""))
}

fn send(place: &Place, member: &str, id: &str, event_type: &str) -> Value {
    place.receipt(&batch(member, &[event(id, event_type, json!({}))]))
}

fn lines(answer: &rig::Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn deliveries(place: &Place) -> Vec<Value> {
    lines(&place.admin("/admin/deliveries?settled=1"))
}

/// Whether the first call of the first delivery is over and written.
fn has_been_called(place: &Place) -> bool {
    deliveries(place).first().is_some_and(|first| first["calls"] == 1)
}

/// The only delivery, once it is in a state.
fn delivery_in(place: &Place, state: &str) -> Value {
    eventually(state, || matches!(&deliveries(place)[..], [only] if only["state"] == *state));
    deliveries(place).remove(0)
}

fn firing_ids(place: &Place) -> Vec<String> {
    lines(&place.admin("/admin/firings?settled=1"))
        .iter()
        .map(|firing| firing["id"].as_str().unwrap().to_owned())
        .collect()
}

fn retry(place: &Place, id: &str) -> rig::Answer {
    let bearer = format!("Bearer {SECRET}");
    place.send("POST", &format!("/admin/deliveries/{id}/retry"), &[("Authorization", &bearer)], b"")
}

/// Checks a request as a receiver would.
fn assert_signed(request: &Received) {
    let key = BASE64_STANDARD.decode(WEBHOOK_SECRET.trim_start_matches("whsec_")).unwrap();
    let seconds = request.header("webhook-timestamp");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(now.abs_diff(seconds.parse().unwrap()) < 300, "signed at {seconds}, now {now}");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{}.{seconds}.", request.id()).as_bytes());
    mac.update(&request.body);
    let expected = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(request.header("webhook-signature"), expected);
}

#[test]
fn a_firing_is_delivered_once_with_a_signature_that_its_receiver_can_check() {
    let receiver = always(204);
    let (collector, _file) = start(&receiver);
    let place = &collector.place;
    send(place, "m1", "e1", "view");
    let delivery = delivery_in(place, "done");
    let [request] = &receiver.received()[..] else { panic!("{:?}", receiver.received()) };
    assert_signed(request);
    let [firing] = &firing_ids(place)[..] else { panic!("one firing") };
    assert_eq!(request.id(), firing);
    assert_eq!(request.path, "/hook");
    assert_eq!(request.header("content-type"), "application/json");
    assert_eq!(request.header("host"), format!("127.0.0.1:{}", receiver.port));
    let body = request.json();
    assert_eq!((&body["type"], &body["data"]["id"]), (&json!("attune.firing"), &json!(firing)));
    assert_eq!((&body["data"]["rule"], &body["data"]["member"]), (&json!("view"), &json!("m1")));
    assert_eq!(delivery["id"], format!("{firing}.0"));
    assert_eq!((&delivery["calls"], &delivery["error"]), (&json!(1), &Value::Null));

    // The same event again fires nothing, and a restart repeats nothing.
    send(place, "m1", "e1", "view");
    let collector = collector.restart();
    send(&collector.place, "m1", "e2", "view");
    eventually("the second is delivered", || receiver.received().len() == 2);
    eventually("it is written", || {
        deliveries(&collector.place).iter().all(|delivery| delivery["state"] == "done")
    });
    assert_eq!(receiver.received().len(), 2);
    assert_ne!(receiver.received()[1].id(), firing);
    let metrics = collector.place.get("/metrics").text();
    assert!(
        metrics.contains("attune_deliveries_total{destination=\"crm\",outcome=\"done\"} 1\n"),
        "{metrics}"
    );
    assert!(metrics.contains("attune_deliveries_pending{destination=\"crm\"} 0\n"), "{metrics}");
}

#[test]
fn a_receiver_that_is_not_well_is_called_again_when_it_has_asked_for_that() {
    let receiver = Receiver::start(|_, before| match before {
        0 => Reply::Answer(503, "Retry-After: 6\r\n"),
        _ => Reply::Answer(200, ""),
    });
    let (collector, _file) = start(&receiver);
    send(&collector.place, "m1", "e1", "view");
    eventually("the first call is written", || has_been_called(&collector.place));
    let waiting = delivery_in(&collector.place, "pending");
    assert_eq!(waiting["error"], json!({"code": "status", "message": "the answer was 503"}));
    // What fires meanwhile waits with it.
    send(&collector.place, "m2", "e2", "view");
    let metrics = || collector.place.get("/metrics").text();
    eventually("both wait", || metrics().contains("attune_deliveries_pending{destination=\"crm\"} 2\n"));
    assert!(!metrics().contains("attune_deliveries_oldest_timestamp_seconds{destination=\"crm\"} 0\n"));
    assert_eq!(receiver.received().len(), 1, "nothing before it may");
    eventually("all are done", || {
        deliveries(&collector.place).iter().all(|delivery| delivery["state"] == "done")
    });
    let received = receiver.received();
    let ids: Vec<&str> = received.iter().map(Received::id).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids[1..].contains(&ids[0]), "the repetition has the id of the first call");
    assert_eq!(received[1..].iter().filter(|request| request.body == received[0].body).count(), 1);
    received.iter().for_each(assert_signed);
    assert_eq!(deliveries(&collector.place)[0]["calls"], 2);
}

#[test]
fn a_destination_that_hangs_holds_no_other_up() {
    let (slow, crm) = (Receiver::start(|_, _| Reply::Silence), always(200));
    let file = File::of(&json!({"webhooks": [webhook("crm", &crm.url()), webhook("slow", &slow.url())]}));
    let collector = Collector::start_with(RULE_FILES, &file.arguments());
    let place = &collector.place;
    for number in 0..20 {
        send(place, "m1", &format!("s{number}"), "slow");
    }
    eventually("as many calls hang as may", || slow.received().len() == 4);
    for number in 0..20 {
        send(place, "m1", &format!("v{number}"), "view");
    }
    let states = || deliveries(place);
    eventually("the other has all", || {
        states()
            .iter()
            .filter(|delivery| delivery["destination"] == "crm" && delivery["state"] == "done")
            .count()
            == 20
    });
    let open = |delivery: &&Value| delivery["destination"] == "slow" && delivery["state"] == "pending";
    assert_eq!(states().iter().filter(open).count(), 20);
    assert_eq!(slow.received().len(), 4);
}

#[test]
fn a_crash_during_a_call_repeats_it_under_the_same_id() {
    let is_well = Arc::new(AtomicBool::new(false));
    let answers = is_well.clone();
    let receiver = Receiver::start(move |_, _| match answers.load(Ordering::Relaxed) {
        true => Reply::Answer(200, ""),
        false => Reply::Silence,
    });
    let folder = tempfile::tempdir().unwrap();
    let (data, rules) = (folder.path().join("data"), folder.path().join("rules"));
    std::fs::create_dir(&rules).unwrap();
    std::fs::write(rules.join("rules.json"), RULES).unwrap();
    let file = File::of(&json!({"webhooks": [webhook("crm", &receiver.url())]}));
    let mut process = process(&data, &rules, &file);
    send(&process.place, "m1", "e1", "view");
    eventually("the call is open", || receiver.received().len() == 1);
    process.kill();
    is_well.store(true, Ordering::Relaxed);
    let process = self::process(&data, &rules, &file);
    let delivery = delivery_in(&process.place, "done");
    let ids: Vec<String> = receiver.received().iter().map(|request| request.id().to_owned()).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
    assert_eq!(delivery["id"], format!("{}.0", ids[0]));
}

fn process(data: &Path, rules: &Path, file: &File) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
    command.args(Process::arguments(data, rules)).args(file.arguments());
    Process::start_by(command)
}

#[test]
fn an_orderly_end_waits_for_an_open_call_and_repeats_it_not() {
    let receiver = Receiver::start(|_, _| Reply::Late(Duration::from_millis(700)));
    let (collector, _file) = start(&receiver);
    send(&collector.place, "m1", "e1", "view");
    eventually("the call is open", || receiver.received().len() == 1);
    let collector = collector.restart();
    let delivery = delivery_in(&collector.place, "done");
    assert_eq!((&delivery["calls"], receiver.received().len()), (&json!(1), 1));
}

#[test]
fn a_redirect_is_not_followed() {
    let receiver = Receiver::start(|request, _| match &*request.path {
        "/hook" => Reply::Answer(307, "Location: /elsewhere\r\n"),
        _ => Reply::Answer(200, ""),
    });
    let (collector, _file) = start(&receiver);
    send(&collector.place, "m1", "e1", "view");
    eventually("the call is written", || has_been_called(&collector.place));
    let delivery = delivery_in(&collector.place, "pending");
    assert_eq!(delivery["error"]["message"], "the answer was 307, and redirects are not followed");
    assert!(receiver.received().iter().all(|request| request.path == "/hook"));
}

#[test]
fn an_answer_that_blames_the_request_is_final_until_somebody_asks() {
    let is_well = Arc::new(AtomicBool::new(false));
    let answers = is_well.clone();
    let receiver = Receiver::start(move |_, _| {
        Reply::Answer(if answers.load(Ordering::Relaxed) { 200 } else { 410 }, "")
    });
    let (collector, _file) = start(&receiver);
    let place = &collector.place;
    send(place, "m1", "e1", "view");
    let dead = delivery_in(place, "dead");
    assert_eq!(dead["error"], json!({"code": "gone", "message": "the answer was 410"}));
    assert_eq!(lines(&place.admin("/admin/deliveries?state=dead")).len(), 1);
    assert_eq!(lines(&place.admin("/admin/deliveries?state=done")).len(), 0);
    is_well.store(true, Ordering::Relaxed);
    let id = dead["id"].as_str().unwrap();
    assert_eq!(retry(place, id).status, 202);
    delivery_in(place, "done");
    assert_eq!(receiver.received()[0].id(), receiver.received()[1].id());
    assert_eq!(retry(place, id).code(), "delivery_not_dead");
    for unknown in ["x", "x.0", &id.replace(".0", ".1"), "00000000-0000-8000-8000-000000000000.0"] {
        assert_eq!(retry(place, unknown).code(), "delivery_unknown", "{unknown}");
    }
    assert_eq!(place.admin("/admin/deliveries?state=lost").code(), "state_unknown");
    assert_eq!(place.send("POST", &format!("/admin/deliveries/{id}/retry"), &[], b"").status, 401);
}

#[test]
fn a_name_that_leads_to_a_private_address_is_not_called_unless_it_may() {
    let receiver = always(200);
    let url = format!("http://localhost:{}/hook", receiver.port);
    let mut entry = webhook("crm", &url);
    entry["allow_private"] = json!(false);
    let file = File::of(&json!({"webhooks": [entry]}));
    let collector = Collector::start_with(RULE_FILES, &file.arguments());
    send(&collector.place, "m1", "e1", "view");
    let dead = delivery_in(&collector.place, "dead");
    assert_eq!(dead["error"]["code"], "address_refused");
    let message = dead["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("localhost leads to a loopback address"), "{message}");
    assert_eq!(receiver.received().len(), 0);

    let allowed = File::of(&json!({"webhooks": [webhook("crm", &url)]}));
    let collector = collector.restart_with(allowed.arguments().map(str::to_owned).to_vec());
    assert_eq!(retry(&collector.place, dead["id"].as_str().unwrap()).status, 202);
    delivery_in(&collector.place, "done");
    assert_eq!(receiver.received()[0].header("host"), format!("localhost:{}", receiver.port));
}

#[test]
fn a_destination_that_there_is_not_is_told_and_its_neighbours_go_on() {
    let receiver = always(200);
    let (collector, _file) = start(&receiver);
    send(&collector.place, "m1", "e1", "both");
    eventually("both have ended", || {
        let states: Vec<Value> =
            deliveries(&collector.place).iter().map(|delivery| delivery["state"].clone()).collect();
        states == ["dead", "done"]
    });
    let dead = deliveries(&collector.place).remove(0);
    let message = "--destinations has no webhook of the name nobody";
    assert_eq!(dead["error"], json!({"code": "destination_unknown", "message": message}));
    assert_eq!(dead["destination"], "nobody");
    let id = dead["id"].as_str().unwrap();
    assert_eq!(retry(&collector.place, id).code(), "destination_unknown");
    let metrics = collector.place.get("/metrics").text();
    let line = "attune_deliveries_total{destination=\"\",outcome=\"destination_unknown\"} 1\n";
    assert!(metrics.contains(line), "{metrics}");

    // Once the operator has one, it can be called after all.
    let both = json!({"webhooks": [webhook("crm", &receiver.url()), webhook("nobody", &format!("{}2", receiver.url()))]});
    let file = File::of(&both);
    let collector = collector.restart_with(file.arguments().map(str::to_owned).to_vec());
    assert_eq!(retry(&collector.place, id).status, 202);
    eventually("it is done", || {
        deliveries(&collector.place).iter().all(|delivery| delivery["state"] == "done")
    });
    assert_eq!(receiver.received().last().unwrap().path, "/hook2");
}

fn forget(place: &Place, member: &str, receipt: &Value) {
    let token = receipt["member_token"].as_str().unwrap();
    let body = json!({"anonymous_id": member, "member_token": token}).to_string();
    assert_eq!(place.send("POST", "/v1/forget?k=demo", &[], body.as_bytes()).status, 202);
}

#[test]
fn what_an_erased_member_has_set_off_is_not_delivered_any_more() {
    let receiver = Receiver::start(|request, _| match request.json()["data"]["member"].as_str() {
        Some("other") => Reply::Answer(200, ""),
        _ => Reply::Answer(429, "Retry-After: 6\r\n"),
    });
    let (collector, _file) = start(&receiver);
    let place = &collector.place;
    let members = || -> Vec<Value> {
        receiver.received().iter().map(|request| request.json()["data"]["member"].clone()).collect()
    };
    let receipt = send(place, "erased", "e1", "view");
    eventually("the first call is written", || has_been_called(place));
    send(place, "other", "e2", "view");
    eventually("both wait", || deliveries(place).len() == 2);
    forget(place, "erased", &receipt);
    eventually("the other's is delivered", || members() == ["erased", "other"]);
    eventually("nothing is left of the erased one's", || {
        let left = deliveries(place);
        left.len() == 1 && left[0]["profile"] == "member:other" && left[0]["state"] == "done"
    });

    // The next erasure waits for a minute before it comes to the firings, and nothing is delivered meanwhile.
    let receipt = send(place, "erased too", "e3", "view");
    eventually("the call is written", || deliveries(place).last().is_some_and(|last| last["calls"] == 1));
    send(place, "other", "e4", "view");
    forget(place, "erased too", &receipt);
    eventually("the other's is delivered", || members() == ["erased", "other", "erased too", "other"]);
    eventually("only that is left", || deliveries(place).iter().all(|left| left["state"] == "done"));
    assert_eq!(
        (firing_ids(place).len(), deliveries(place).len()),
        (3, 2),
        "the firing is there, its delivery not"
    );
    let collector = collector.restart();
    assert_eq!(deliveries(&collector.place).len(), 2);
    assert_eq!(receiver.received().len(), 4);
}

#[test]
fn a_certificate_has_to_be_of_the_name_and_of_an_authority_that_is_trusted() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    let receiver = Receiver::start_tls(Arc::new(config), |_, _| Reply::Answer(200, ""));
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("ca.pem");
    std::fs::write(&authority, made.cert.pem()).unwrap();
    let url = |host: &str| format!("https://{host}:{}/hook", receiver.port);
    let with_authority = |name: &str, host: &str| {
        let mut entry = webhook(name, &url(host));
        entry["ca_file"] = json!(authority);
        entry
    };
    let file = File::of(&json!({"webhooks": [
        with_authority("crm", "localhost"),
        with_authority("other-name", "127.0.0.1"),
        webhook("unknown-authority", &format!("{}2", url("localhost"))),
    ]}));
    let trigger =
        |name: &str| json!({"id": name, "on": "view", "actions": [{"kind": "webhook", "destination": name}]});
    let triggers = ["crm", "other-name", "unknown-authority"].map(trigger);
    let rules = json!({"triggers": triggers}).to_string();
    let collector = Collector::start_with(&[("rules.json", &rules)], &file.arguments());
    send(&collector.place, "m1", "e1", "view");
    eventually("each has been called", || {
        let all = deliveries(&collector.place);
        all.len() == 3 && all.iter().all(|delivery| delivery["calls"] != 0)
    });
    for delivery in deliveries(&collector.place) {
        let message = delivery["error"]["message"].as_str().unwrap_or_default();
        match delivery["destination"].as_str().unwrap() {
            "crm" => assert_eq!(delivery["state"], "done"),
            name => assert!(
                delivery["state"] == "pending" && message.contains("certificate"),
                "{name}: {message}"
            ),
        }
    }
    let [request] = &receiver.received()[..] else { panic!("only one may be called") };
    assert_signed(request);
}
