//! Who may call what: origins, preflights, proofs of identity, the privileged listener.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use attune_collector::hex::hex;
use hmac::{Hmac, KeyInit, Mac};
use rig::{Collector, batch, event, numbered};
use serde_json::{Value, json};
use std::io::Write;

const IDENTITY_SECRET: &str = "0123456789abcdef0123";

fn with_keys(keys: &Value) -> (Collector, tempfile::NamedTempFile) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(json!({ "keys": keys }).to_string().as_bytes()).unwrap();
    let path = file.path().display().to_string();
    (Collector::start_with(&[], &["--write-keys", &path]), file)
}

fn identify(id: &str, user: &str, proof: &str) -> Value {
    let mut event = event(id, "attune.identify", json!({"traits": {"plan": "gold"}, "proof": proof}));
    event["user_id"] = json!(user);
    event
}

#[test]
fn pages_of_foreign_origins_are_refused() {
    let (collector, _file) =
        with_keys(&json!([{"key": "demo", "origins": ["https://shop.example"], "identity": "open"}]));
    let body = batch("m1", &[numbered("a", 1)]).to_string();
    let send = |origin: &str| {
        let headers = [("Content-Type", "text/plain"), ("Origin", origin)];
        collector.place.send("POST", "/v1/events?k=demo", &headers, body.as_bytes())
    };
    let own = send("https://shop.example");
    assert_eq!(own.status, 200);
    assert_eq!(own.header("access-control-allow-origin"), Some("https://shop.example"));
    let exposed = own.header("access-control-expose-headers").unwrap().to_ascii_lowercase();
    assert!(["retry-after", "date", "x-request-id"].iter().all(|name| exposed.contains(name)), "{exposed}");
    let foreign = send("https://evil.example");
    assert_eq!((foreign.status, foreign.code()), (403, "origin_not_allowed".to_owned()));
    assert_eq!(
        foreign.header("access-control-allow-origin"),
        Some("https://evil.example"),
        "the refusal is readable"
    );
}

#[test]
fn a_page_whose_address_is_wrong_reads_that_nothing_is_there() {
    let (collector, _file) =
        with_keys(&json!([{"key": "demo", "origins": ["https://shop.example"], "identity": "open"}]));
    for (method, path) in [("POST", "/v1/v1/events?k=demo"), ("GET", "/v1/v1/bundle?k=demo")] {
        let answer = collector.place.send(method, path, &[("Origin", "https://shop.example")], b"{}");
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://shop.example"), "{path}");
    }
}

#[test]
fn a_preflight_is_answered_by_the_keys_origins() {
    let (collector, _file) =
        with_keys(&json!([{"key": "demo", "origins": ["https://shop.example"], "identity": "open"}]));
    let ask = |origin: &str| {
        let headers = [
            ("Origin", origin),
            ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "content-type"),
        ];
        collector.place.send("OPTIONS", "/v1/events?k=demo", &headers, &[])
    };
    let own = ask("https://shop.example");
    assert_eq!((own.status, own.header("access-control-max-age")), (200, Some("86400")));
    assert_eq!(own.header("access-control-allow-origin"), Some("https://shop.example"));
    assert_eq!(own.header("access-control-allow-credentials"), None);
    assert_eq!(ask("https://evil.example").header("access-control-allow-origin"), None);
}

#[test]
fn only_a_proven_user_links_members() {
    let (collector, _file) =
        with_keys(&json!([{"key": "demo", "origins": ["*"], "identity_secret": IDENTITY_SECRET}]));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(IDENTITY_SECRET.as_bytes()).unwrap();
    mac.update(b"user_1");
    let proof = hex(&mac.finalize().into_bytes());
    let told = collector.place.receipt(&batch("liar", &[identify("a", "user_1", "made up")]));
    assert_eq!((&told["accepted"], &told["results"][0]["result"]), (&json!(1), &json!("warning")));
    assert_eq!(told["results"][0]["code"], "identity_unproven");
    let believed = collector.place.receipt(&batch("phone", &[identify("b", "user_1", &proof)]));
    assert_eq!(believed["results"], json!([]));
    collector.place.receipt(&batch("laptop", &[identify("c", "user_1", &proof)]));
    assert_eq!(collector.place.summary()["profiles"], 2);
    let profile = collector.place.admin("/admin/profiles/user:user_1").json();
    assert_eq!(profile["members"], json!(["laptop", "phone"]));
    assert_eq!(profile["traits"]["plan"], "gold");
    let liar = collector.place.admin("/admin/profiles/member:liar").json();
    assert_eq!(liar["members"], json!(["liar"]));
}

#[test]
fn nobody_adds_to_a_users_profile_or_takes_it_along_by_naming_the_user() {
    let (collector, _file) =
        with_keys(&json!([{"key": "demo", "origins": ["*"], "identity_secret": IDENTITY_SECRET}]));
    let proof_of = |user: &str| {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(IDENTITY_SECRET.as_bytes()).unwrap();
        mac.update(user.as_bytes());
        hex(&mac.finalize().into_bytes())
    };
    let of_server = |events: &[Value]| collector.place.receipt(&json!({"v": 1, "events": events}));
    of_server(&[identify("a", "ada", &proof_of("ada"))]);
    // Whoever has the key of the page knows no proof.
    let mut poison = identify("b", "ada", "made up");
    poison["metadata"]["traits"] = json!({"plan": "poisoned"});
    of_server(&[poison]);
    let named = batch("user:ada", &[identify("c", "mallory", &proof_of("mallory"))]);
    let refused = collector.place.receipt(&named);
    assert_eq!(
        (&refused["accepted"], &refused["results"][0]["code"]),
        (&json!(0), &json!("anonymous_id_reserved"))
    );
    assert_eq!(collector.place.receipt(&batch("unproven:ada", &[]))["member_token"], Value::Null);
    assert_eq!(collector.place.summary()["accepted"], 2);
    let profile = |id: &str| collector.place.admin(&format!("/admin/profiles/{id}?settled=1")).json();
    let ada = profile("user:ada");
    assert_eq!((&ada["members"], &ada["traits"]["plan"]), (&json!(["user:ada"]), &json!("gold")));
    assert_eq!(profile("member:unproven:ada")["members"], json!(["unproven:ada"]));
}

#[test]
fn the_privileged_listener_asks_for_its_key() {
    let collector = Collector::start(&[]);
    let ask = |path: &str, headers: &[(&str, &str)]| collector.place.send("GET", path, headers, &[]);
    assert_eq!(ask("/admin/summary", &[]).code(), "secret_key_invalid");
    assert_eq!(ask("/admin/summary", &[("Authorization", "Bearer wrong")]).status, 401);
    assert_eq!(ask(&format!("/admin/summary?k={}", rig::SECRET), &[]).status, 401);
    assert_eq!(collector.place.admin("/admin/summary").status, 200);
    assert_eq!(collector.place.admin("/admin/profiles/member:nobody").code(), "profile_unknown");
    let public = rig::Place { admin: collector.place.public.clone(), ..collector.place.clone() };
    assert_eq!(public.admin("/admin/summary").status, 404, "the public listener knows nothing of it");
}

#[test]
fn health_and_metrics_are_open_on_both_listeners() {
    let collector = Collector::start(&[]);
    collector.place.receipt(&batch("m1", &[numbered("a", 1)]));
    let swapped = rig::Place { public: collector.place.admin.clone(), ..collector.place.clone() };
    for place in [&collector.place, &swapped] {
        assert_eq!(place.get("/health/live").text(), "live\n");
        assert_eq!(place.get("/health/ready").text(), "ready\n");
        assert!(place.get("/metrics").text().contains("\nattune_events_accepted_total 1\n"));
    }
}

#[test]
fn without_built_assets_the_answer_says_what_to_run() {
    let collector = Collector::start_with(&[], &["--demo", "--demo-control", "http://127.0.0.1:7149"]);
    let answer = collector.place.get("/sdk/attune.js");
    if answer.status == 404 {
        assert_eq!(answer.code(), "sdk_not_built");
        assert!(answer.text().contains("cargo xtask build"));
    } else {
        assert_eq!(answer.status, 200);
        assert!(answer.header("content-type").unwrap().starts_with("text/javascript"));
    }
    let config = collector.place.get("/demo/config.json").json();
    assert_eq!((&config["write_key"], &config["control"]), (&json!("demo"), &json!("http://127.0.0.1:7149")));
}
