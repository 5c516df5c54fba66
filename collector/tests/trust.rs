//! What pages verify: the key set, the statement, envelopes by hash, and deltas, all from the trusted key downwards.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use attune_collector::bundle::{find_key, parse_public_key, verify_signature};
use attune_collector::hex::hex;
use attune_core::bundle::{
    Current, Demands, HASH_BYTES, KeySet, Refused, open_current, open_envelope, verify_current, verify_delta,
    verify_envelope, verify_keyset,
};
use attune_core::time::Timestamp;
use rig::{Answer, Collector, eventually, now};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const PLACE: [&str; 4] = ["--project", "shop", "--environment", "production"];

/// A hundred rules, of which one reads another plan.
fn rules(plan: &str) -> String {
    let rule = |n: usize| {
        let plan = if n == 40 { plan.to_owned() } else { format!("plan-{}", n % 7) };
        json!({
            "id": format!("rule-{n}"), "slot": format!("slot-{}", n % 10), "priority": n,
            "when": {"traits.plan": plan, "context.path": format!("/page-{n}")},
            "actions": [{"kind": "text", "target": "#hero", "value": format!("hello {n}")}],
        })
    };
    json!({"rules": (0..100).map(rule).collect::<Vec<Value>>()}).to_string()
}

fn get(collector: &Collector, path: &str) -> Answer {
    let mark = if path.contains('?') { '&' } else { '?' };
    collector.place.get(&format!("/v1/bundle{path}{mark}k=demo"))
}

fn bytes(collector: &Collector, path: &str) -> Vec<u8> {
    let answer = get(collector, path);
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/octet-stream")),
        "{path}"
    );
    answer.body
}

fn sha256(bytes: &[u8]) -> [u8; HASH_BYTES] {
    Sha256::digest(bytes).into()
}

fn instant() -> Timestamp {
    Timestamp::parse(&now(0)).unwrap()
}

fn demands(above: Option<u64>) -> Demands<'static> {
    Demands { project: Some("shop"), environment: Some("production"), above, now: instant() }
}

/// The key that the collector says is to be trusted.
fn trusted(collector: &Collector) -> [u8; 32] {
    let told = collector.place.admin("/admin/bundle").json();
    parse_public_key(told["trust"].as_str().unwrap()).unwrap()
}

fn keyset(bytes: &[u8], trusted: [u8; 32]) -> Result<KeySet<'_>, Refused> {
    verify_keyset(bytes, &demands(None), &|id| find_key(&[trusted], id), &verify_signature)
}

fn statement<'a>(bytes: &'a [u8], keys: &KeySet<'_>) -> Current<'a> {
    let key_of = |id: &str| keys.key(id, instant()).ok();
    verify_current(bytes, &demands(None), None, &key_of, &verify_signature).unwrap()
}

/// Waits for a statement of these revisions; what it names may change while it is followed.
fn wait_for(collector: &Collector, revision: u64, candidate: Option<u64>) {
    eventually("the statement changes", || {
        let statement = bytes(collector, "/current");
        let current = open_current(&statement).unwrap().current;
        (current.revision, current.candidate.map(|candidate| candidate.revision)) == (revision, candidate)
    });
}

/// Writes other rules and waits until they are published.
fn edit(collector: &Collector, plan: &str, revision: u64) {
    fs::write(collector.rules.join("one.json"), rules(plan)).unwrap();
    eventually("the edit counts", || {
        open_current(&bytes(collector, "/current")).unwrap().current.revision == revision
    });
}

fn attune(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_attune")).args(words).current_dir(folder).output().unwrap()
}

#[test]
fn a_page_gets_from_the_trusted_key_to_the_bundle_and_from_there_by_deltas() {
    let collector = Collector::start_with(&[("one.json", &rules("gold"))], &PLACE);
    let trusted = trusted(&collector);
    let key_bytes = bytes(&collector, "/keys");
    let keys = keyset(&key_bytes, trusted).unwrap();
    assert_eq!(keyset(&key_bytes, [8; 32]), Err(Refused::UnknownKey));
    let key_of = |id: &str| keys.key(id, instant()).ok();
    let first_statement = bytes(&collector, "/current");
    let current = statement(&first_statement, &keys);
    let left = current.expires.0 - instant().0;
    assert!((current.revision, current.candidate) == (1, None) && left > 0 && left <= 3_600_000, "{left}");

    let by_hash = get(&collector, &format!("/{}", hex(&current.hash)));
    assert_eq!(by_hash.header("cache-control"), Some("public, max-age=31536000, immutable"));
    let first = by_hash.body;
    assert_eq!((sha256(&first), &first), (current.hash, &bytes(&collector, "")));
    let opened = verify_envelope(&first, &demands(None), &key_of, &verify_signature).unwrap();
    assert_eq!((opened.header.parent, opened.header.expires), (None, None));

    edit(&collector, "silver", 2);
    let second = bytes(&collector, "");
    let next_statement = bytes(&collector, "/current");
    let next = statement(&next_statement, &keys);
    assert_eq!((next.revision, next.hash), (2, sha256(&second)));
    assert!(next.issued_at >= current.issued_at);
    let opened = verify_envelope(&second, &demands(Some(1)), &key_of, &verify_signature).unwrap();
    assert_eq!(opened.header.parent, Some(current.hash));
    let between = format!("/{}?from={}", hex(&next.hash), hex(&current.hash));
    for path in ["?since=1", &between] {
        let delta = bytes(&collector, path);
        assert!(delta.starts_with(b"ATND") && delta.len() < 400, "{path}: {} bytes", delta.len());
        let (hash, asked) = (&current.hash, demands(Some(1)));
        let applied = verify_delta(&delta, &first, hash, &asked, &key_of, &verify_signature).unwrap();
        assert_eq!(applied, second, "{path}");
    }
    assert!(second.len() > 2_000);
}

#[test]
fn what_is_not_known_is_sent_whole_or_refused_with_a_code() {
    let collector = Collector::start_with(&[("one.json", &rules("gold"))], &PLACE);
    let first = bytes(&collector, "");
    edit(&collector, "silver", 2);
    let second = bytes(&collector, "");
    let (old, new, unknown) = (hex(&sha256(&first)), hex(&sha256(&second)), hex(&[7; 32]));
    for whole in
        ["?since=0", "?since=2", "?since=9", &format!("/{new}?from={unknown}"), &format!("/{new}?from={new}")]
    {
        assert_eq!(bytes(&collector, whole), second, "{whole}");
    }
    // What leads backwards is not offered, and pages would not take it.
    assert_eq!(bytes(&collector, &format!("/{old}?from={new}")), first);
    for (path, status, code) in [
        (&*format!("/{unknown}"), 404, "bundle_missing"),
        ("/abc", 400, "hash_malformed"),
        (&format!("/{new}0"), 400, "hash_malformed"),
        (&format!("/{new}?from=abc"), 400, "hash_malformed"),
        ("?since=two", 400, "since_malformed"),
        ("?since=-1", 400, "since_malformed"),
    ] {
        let answer = get(&collector, path);
        assert_eq!((answer.status, &*answer.code()), (status, code), "{path}");
    }
    for path in ["", "/keys", "/current", &format!("/{new}")] {
        let answer = collector.place.get(&format!("/v1/bundle{path}?k=nobody"));
        assert_eq!(answer.code(), "write_key_unknown", "{path}");
        let origin = [("Origin", "https://shop.example")];
        let answer = collector.place.send("GET", &format!("/v1/bundle{path}?k=demo"), &origin, &[]);
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://shop.example"), "{path}");
        let etag = answer.header("etag").unwrap();
        let again =
            collector.place.send("GET", &format!("/v1/bundle{path}?k=demo"), &[("If-None-Match", etag)], &[]);
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
    }
    let empty = Collector::start_with(&[], &PLACE);
    assert_eq!(get(&empty, "/keys").status, 200);
}

#[test]
fn the_history_survives_a_restart_and_a_damaged_file_of_it_does_no_harm() {
    let collector = Collector::start_with(&[("one.json", &rules("gold"))], &PLACE);
    let (trusted, keys) = (trusted(&collector), bytes(&collector, "/keys"));
    let printed = attune(&collector.data, &["bundle", "trust", "."]).stdout;
    assert_eq!(parse_public_key(&String::from_utf8(printed).unwrap()), Ok(trusted));
    let first = bytes(&collector, "");
    edit(&collector, "silver", 2);
    edit(&collector, "bronze", 3);
    let mut collector = collector.restart();
    let third = bytes(&collector, "");
    assert_eq!(open_envelope(&third).unwrap().header.revision, 3, "the same rules keep their revision");
    assert_eq!((self::trusted(&collector), bytes(&collector, "/keys")), (trusted, keys));
    assert_eq!(bytes(&collector, &format!("/{}", hex(&sha256(&first)))), first);
    let is_delta =
        |collector: &Collector, since: u64| bytes(collector, &format!("?since={since}")).starts_with(b"ATND");
    eventually("the deltas are sought", || is_delta(&collector, 1) && is_delta(&collector, 2));
    collector.stop();
    let kept = collector.data.join("bundle/kept");
    let mut files: Vec<_> = fs::read_dir(&kept).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 3);
    fs::write(&files[1], "damaged").unwrap();
    let collector = collector.restart();
    eventually("the other delta is sought", || is_delta(&collector, 1));
    assert_eq!(bytes(&collector, "?since=2"), third);
    let metrics = collector.place.get("/metrics").text();
    assert!(metrics.lines().any(|line| line == "attune_bundle_errors_total 1"), "{metrics}");
}

#[test]
fn another_signature_or_end_is_a_new_revision_of_the_same_body() {
    let collector = Collector::start_with(&[("one.json", &rules("gold"))], &PLACE);
    let first = bytes(&collector, "");
    let words = |more: &[&str]| PLACE.iter().chain(more).map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let collector = collector.restart_with(words(&["--bundle-expires", "1h"]));
    let second = bytes(&collector, "");
    let (before, after) = (open_envelope(&first).unwrap(), open_envelope(&second).unwrap());
    let left = after.header.expires.unwrap().0 - instant().0;
    assert!(left > 3_500_000 && left <= 3_600_000, "{left}");
    assert_eq!(
        (after.body, after.header.revision, after.header.parent),
        (before.body, 2, Some(sha256(&first)))
    );
    let collector = collector.restart();
    assert_eq!(bytes(&collector, ""), second, "half of its time is not over");

    let collector = collector.restart_with(words(&["--bundle-expires", "3h"]));
    let third = bytes(&collector, "");
    let renewed = open_envelope(&third).unwrap();
    let left = renewed.header.expires.unwrap().0 - instant().0;
    assert!(left > 10_700_000, "less than half of the time was left: {left}");
    assert_eq!((renewed.body, renewed.header.revision), (before.body, 3));

    let folder = tempfile::tempdir().unwrap();
    assert!(attune(folder.path(), &["bundle", "keygen", "-o", "signing.key"]).status.success());
    let key = folder.path().join("signing.key").display().to_string();
    let collector = collector.restart_with(words(&["--signing-key", &key]));
    let fourth = bytes(&collector, "");
    let opened = open_envelope(&fourth).unwrap();
    assert_eq!((opened.body, opened.header.revision, opened.header.expires), (before.body, 4, None));
    let key_bytes = bytes(&collector, "/keys");
    let keys = keyset(&key_bytes, trusted(&collector)).unwrap();
    assert_eq!((keys.revision, keys.keys[0].key_id), (2, opened.header.key_id));
    let delta = bytes(&collector, "?since=3");
    let key_of = |id: &str| keys.key(id, instant()).ok();
    let taken = verify_delta(&delta, &third, &sha256(&third), &demands(Some(3)), &key_of, &verify_signature);
    assert_eq!(taken.unwrap(), fourth);
}

#[test]
fn a_given_key_set_is_served_and_one_without_the_signing_key_ends_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| {
        let done = attune(folder.path(), words);
        (
            done.status.success(),
            String::from_utf8(done.stdout).unwrap() + &String::from_utf8(done.stderr).unwrap(),
        )
    };
    let keygen = |name: &str| run(&["bundle", "keygen", "-o", name]).1.trim().to_owned();
    let (trust, signing, other) = (keygen("trust.key"), keygen("signing.key"), keygen("other.key"));
    for (name, key, project) in
        [("keys", &signing, "shop"), ("others", &other, "shop"), ("news", &signing, "news")]
    {
        let made = run(&["bundle", "keyset", key, "--key", "trust.key", "-o", name, "--project", project]);
        assert!(made.0, "{}", made.1);
    }
    let path = |name: &str| folder.path().join(name).display().to_string();
    let given = ["--signing-key", &path("signing.key"), "--keyset", &path("keys")];
    let words: Vec<&str> = PLACE.iter().chain(&given).copied().collect();
    let collector = Collector::start_with(&[("one.json", &rules("gold"))], &words);
    let key_bytes = bytes(&collector, "/keys");
    assert_eq!(key_bytes, fs::read(path("keys")).unwrap());
    let keys = keyset(&key_bytes, parse_public_key(&trust).unwrap()).unwrap();
    assert_eq!(statement(&bytes(&collector, "/current"), &keys).revision, 1);
    assert_eq!(collector.place.admin("/admin/bundle").json()["trust"], Value::Null);

    let serve =
        ["serve", "--port", "0", "--admin-port", "0", "--data-dir", "data", "--signing-key", "signing.key"];
    for (keyset, expected) in [
        ("others", "--keyset: others: it does not name the signing key"),
        ("news", "--keyset: news: it is for the project 'news', not 'shop'"),
        ("signing.key", "--keyset: signing.key: the bytes do not start as a bundle does (bundle_bad_magic)"),
        ("nowhere", "--keyset: nowhere: "),
    ] {
        let words: Vec<&str> = serve.iter().chain(&PLACE).chain(&["--keyset", keyset]).copied().collect();
        let (started, told) = run(&words);
        assert!(!started && told.contains(expected), "{told}");
    }
    let wrong: Vec<&str> = serve[..7].iter().chain(&["--signing-key", "keys"]).copied().collect();
    let (started, told) = run(&wrong);
    assert!(!started && told.contains("--signing-key: keys: expected ed25519-secret:…"), "{told}");
}

/// Revisions of the bundle in effect and of the one on trial, the trial's share and seed.
fn on_trial(collector: &Collector) -> (u64, Option<(u64, u32, String)>) {
    let key_bytes = bytes(collector, "/keys");
    let keys = keyset(&key_bytes, trusted(collector)).unwrap();
    let statement_bytes = bytes(collector, "/current");
    let current = statement(&statement_bytes, &keys);
    let of = |hash: [u8; HASH_BYTES]| bytes(collector, &format!("/{}", hex(&hash)));
    assert_eq!(open_envelope(&of(current.hash)).unwrap().header.revision, current.revision);
    let candidate = current.candidate.map(|candidate| {
        let envelope = of(candidate.hash);
        let header = open_envelope(&envelope).unwrap().header;
        assert_eq!((header.revision, header.parent), (candidate.revision, Some(current.hash)));
        let delta = bytes(collector, &format!("/{}?from={}", hex(&candidate.hash), hex(&current.hash)));
        let key_of = |id: &str| keys.key(id, instant()).ok();
        let (from, asked) = (of(current.hash), demands(Some(current.revision)));
        let taken = verify_delta(&delta, &from, &current.hash, &asked, &key_of, &verify_signature);
        assert_eq!(taken.unwrap(), envelope);
        // Pages that follow no statements are told the same.
        let seed = candidate.seed.replace(' ', "%20");
        let told = format!("{};{};{seed}", hex(&candidate.hash), candidate.share);
        assert_eq!(get(collector, "").header("attune-candidate"), Some(&*told));
        (candidate.revision, candidate.share, candidate.seed.to_owned())
    });
    assert!(candidate.is_some() || get(collector, "").header("attune-candidate").is_none());
    (current.revision, candidate)
}

#[test]
fn a_candidate_is_stated_above_the_bundle_in_effect_and_units_that_leave_it_never_go_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    let write = |text: &str| fs::write(folder.path().join("one.json"), text).unwrap();
    let words = |percent: &str| {
        let more = ["--candidate-rules", &path, "--candidate-percent", percent];
        PLACE.iter().chain(&more).map(|word| (*word).to_owned()).collect::<Vec<_>>()
    };
    write(&rules("silver"));
    let first = ["--candidate-rules", &path, "--candidate-percent", "10"];
    let first: Vec<&str> = PLACE.iter().chain(&first).copied().collect();
    let collector = Collector::start_with(&[("one.json", &rules("gold"))], &first);
    let seed = "shop/production/2".to_owned();
    assert_eq!(on_trial(&collector), (1, Some((2, 1_000, seed.clone()))));
    let receipt = collector.place.receipt(&rig::batch("m1", &[rig::numbered("a", 1)]));
    assert_eq!(receipt["bundle_revision"], 1, "the worker goes on with the bundle in effect");

    edit(&collector, "bronze", 3);
    assert_eq!(on_trial(&collector), (3, Some((4, 1_000, seed.clone()))));
    write(&rules("copper"));
    wait_for(&collector, 3, Some(5));
    assert_eq!(on_trial(&collector), (3, Some((5, 1_000, seed.clone()))));
    let collector = collector.restart_with(words("20.5"));
    assert_eq!(on_trial(&collector), (3, Some((5, 2_050, seed.clone()))), "who has it keeps it");
    let before = open_envelope(&bytes(&collector, "")).unwrap().body.to_vec();
    let collector = collector.restart_with(words("5"));
    assert_eq!(on_trial(&collector), (6, Some((7, 500, seed.clone()))));
    assert_eq!(open_envelope(&bytes(&collector, "")).unwrap().body, before);

    write(&rules("bronze"));
    wait_for(&collector, 8, None);
    assert_eq!(on_trial(&collector), (8, None), "what is to be tried is in effect already");
    write(&rules("silver"));
    wait_for(&collector, 8, Some(9));
    let collector = collector.restart_with(words("5"));
    assert_eq!(on_trial(&collector), (8, Some((9, 500, seed))));
    let collector = collector.restart_with(PLACE.map(str::to_owned).to_vec());
    assert_eq!(on_trial(&collector), (10, None));
    let collector = collector.restart();
    assert_eq!(on_trial(&collector), (10, None));
}
