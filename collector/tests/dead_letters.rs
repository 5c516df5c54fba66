//! What becomes of events that are refused: kept with their reason, listed, looked at, and taken in again once.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use rig::{Answer, Collector, Place, Process, SECRET, batch, event, eventually, now, numbered};
use serde_json::{Value, json};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Wants a number for the price of an order.
const STRICT: &str = r#"{"filter":{"types":[{"on":"order","properties":{"price":{"type":"number"}}}]},
    "signals":[{"name":"orders","on":"order","aggregate":"count","window":"lifetime"}],"rules":[]}"#;
const LENIENT: &str = r#"{"filter":{"types":[{"on":"order","properties":{"price":{"type":"any"}}}]},
    "signals":[{"name":"orders","on":"order","aggregate":"count","window":"lifetime"}],"rules":[]}"#;

fn ask(place: &Place, query: &str) -> Value {
    let answer = place.admin(&format!("/admin/dead-letters?settled=1{query}"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn letters(place: &Place) -> Vec<Value> {
    ask(place, "")["letters"].as_array().unwrap().clone()
}

/// Event id and code of every letter, oldest first.
fn told(place: &Place) -> Vec<(String, String)> {
    let text = |letter: &Value, name: &str| letter[name].as_str().unwrap_or_default().to_owned();
    letters(place).iter().map(|letter| (text(letter, "event_id"), text(letter, "code"))).collect()
}

fn letter(place: &Place, id: &Value) -> Answer {
    place.admin(&format!("/admin/dead-letters/{}?settled=1", id.as_str().unwrap()))
}

fn post(place: &Place, path: &str) -> Answer {
    place.send("POST", path, &[("Authorization", &format!("Bearer {SECRET}"))], &[])
}

fn replay(place: &Place, id: &Value) -> Value {
    let answer = post(place, &format!("/admin/dead-letters/{}/replay", id.as_str().unwrap()));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn order(id: &str, price: Value) -> Value {
    event(id, "order", json!({"price": price}))
}

/// Sends a text in the place of an event, beside a good one.
fn send_beside(place: &Place, good: &Value, raw: &str) -> Value {
    let body = format!(r#"{{"v":1,"anonymous_id":"m1","sent_at":"{}","events":[{good},{raw}]}}"#, now(0));
    let headers = [("Content-Type", "text/plain")];
    let answer = place.send("POST", "/v1/events?k=demo", &headers, body.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn orders(place: &Place) -> Value {
    place.summary()["signals"]["orders"].clone()
}

fn metric(place: &Place, name: &str) -> u64 {
    let text = place.get("/metrics").text();
    let line = text.lines().find(|line| line.starts_with(&format!("{name} ")));
    line.map_or(0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
}

/// Puts other rules into the place of these, and waits until they are in effect.
fn change_rules(collector: &Collector, rules: &str) {
    let revision = || collector.place.admin("/admin/bundle").json()["revision"].as_u64();
    let before = revision();
    fs::write(collector.rules.join("a.json"), rules).unwrap();
    eventually("the rules are in effect", || revision() > before);
}

#[test]
fn a_refused_event_is_found_with_its_reason_after_a_crash_and_its_neighbours_are_in_effect() {
    let folder = tempfile::tempdir().unwrap();
    let (data, rules) = (folder.path().join("data"), folder.path().join("rules"));
    fs::create_dir(&rules).unwrap();
    let mut process = Process::start(&data, &rules);
    let deep = format!(
        r#"{{"event_id":"deep","event_type":"click","timestamp":"{}","metadata":{{"a":{}1{}}}}}"#,
        now(0),
        "[".repeat(200),
        "]".repeat(200)
    );
    let surrogate = r#"{"event_id":"half","event_type":"click","x":"\ud800"}"#;
    for (number, raw) in [&deep, surrogate, "7"].into_iter().enumerate() {
        let receipt = send_beside(&process.place, &numbered_in(number as u64 + 1), raw);
        assert_eq!((&receipt["accepted"], &receipt["results"][0]["result"]), (&json!(1), &json!("rejected")));
    }
    process.kill();

    let process = Process::start(&data, &rules);
    let place = &process.place;
    let expected = [("deep", "json_too_deep"), ("half", "json_bad_escape"), ("", "event_not_an_object")];
    assert_eq!(told(place), expected.map(|(id, code)| (id.to_owned(), code.to_owned())));
    assert_eq!(place.summary()["events"], 3, "the neighbours");
    let listed = &letters(place)[0];
    let found = letter(place, &listed["id"]).json();
    assert_eq!((&found["raw"], &found["raw_bytes"]), (&json!(deep), &json!(deep.len())));
    assert_eq!((&found["member"], &found["refused_by"]), (&json!("m1"), &json!("reading")));
    assert_eq!(
        (&found["write_key"], &found["replays"], &found["count"]),
        (&json!("demo"), &json!(0), &json!(1))
    );
    assert!(found["received_at"].as_str().unwrap() > &*now(-60_000));
    assert_eq!((found["message"] == listed["message"], listed.get("raw")), (true, None));
    assert!(found["message"].as_str().unwrap().contains("deeper than 32 levels"), "{found}");
    assert!(place.get("/metrics").text().contains("attune_dead_letters{code=\"json_too_deep\"} 1\n"));
    assert!(metric(place, "attune_dead_letter_bytes") > deep.len() as u64);
}

fn numbered_in(seq: u64) -> Value {
    let mut event = numbered(&format!("good-{seq}"), seq);
    event["lane"] = json!(rig::LANE);
    event
}

#[test]
fn a_letter_whose_cause_is_mended_takes_effect_once() {
    let collector = Collector::start(&[("a.json", STRICT)]);
    let place = &collector.place;
    let receipt = place.receipt(&batch("m1", &[order("o1", json!("12.50")), order("o2", json!(3))]));
    assert_eq!(
        (&receipt["accepted"], &receipt["results"][0]["code"]),
        (&json!(1), &json!("schema_mismatch"))
    );
    let id = letters(place)[0]["id"].clone();

    let again = replay(place, &id);
    assert_eq!((&again["result"], &again["code"]), (&json!("rejected"), &json!("schema_mismatch")));
    let kept = letter(place, &id).json();
    assert_eq!((&kept["code"], &kept["replays"]), (&json!("schema_mismatch"), &json!(1)));
    assert!(kept["replayed_at"].as_str().unwrap() >= kept["received_at"].as_str().unwrap());

    change_rules(&collector, LENIENT);
    assert_eq!(orders(place), 1);
    let mended = replay(place, &id);
    assert_eq!((&mended["result"], &mended["code"]), (&json!("accepted"), &Value::Null), "{mended}");
    assert_eq!((orders(place), letters(place)), (json!(2), vec![]));
    let twice = post(place, &format!("/admin/dead-letters/{}/replay", id.as_str().unwrap()));
    assert_eq!((twice.status, twice.code()), (404, "letter_unknown".to_owned()));

    // The sender that has mended it as well comes too late.
    let late = place.receipt(&batch("m1", &[order("o1", json!(12.5))]));
    assert_eq!((&late["accepted"], &late["duplicates"]), (&json!(0), &json!(1)));
    let collector = collector.restart();
    assert_eq!(orders(&collector.place), 2);
}

#[test]
fn a_letter_that_is_in_effect_already_is_no_second_event() {
    let collector = Collector::start(&[("a.json", STRICT)]);
    let place = &collector.place;
    place.receipt(&batch("m1", &[order("same", json!("1")), order("mended", json!("2"))]));
    let ids: Vec<Value> = letters(place).iter().map(|letter| letter["id"].clone()).collect();
    change_rules(&collector, LENIENT);
    // As after a crash between the event and what is said of its letter; and one that its sender has changed.
    let receipt = place.receipt(&batch("m1", &[order("same", json!("1")), order("mended", json!(2))]));
    assert_eq!(receipt["accepted"], 2);
    let results: Vec<Value> = ids.iter().map(|id| replay(place, id)).collect();
    assert_eq!((&results[0]["result"], &results[0]["code"]), (&json!("duplicate"), &Value::Null));
    assert_eq!(
        (&results[1]["result"], &results[1]["code"]),
        (&json!("rejected"), &json!("payload_conflict"))
    );
    let left = letters(place);
    assert_eq!((left.len(), &left[0]["id"], &left[0]["code"]), (1, &ids[1], &json!("payload_conflict")));
    assert_eq!(orders(place), 2);
}

#[test]
fn a_crash_while_letters_are_taken_in_leaves_each_in_effect_once() {
    let folder = tempfile::tempdir().unwrap();
    let (data, rules) = (folder.path().join("data"), folder.path().join("rules"));
    fs::create_dir(&rules).unwrap();
    fs::write(rules.join("a.json"), STRICT).unwrap();
    let mut process = Process::start(&data, &rules);
    let events: Vec<Value> = (0..40).map(|number| order(&format!("o{number}"), json!("x"))).collect();
    assert_eq!(process.place.receipt(&batch("m1", &events))["accepted"], 0);
    process.kill();
    fs::write(rules.join("a.json"), LENIENT).unwrap();
    let mut left = 40;
    let answered = Arc::new(AtomicUsize::new(0));
    for after_ms in [5, 15, 30, 60, 120, 240] {
        let mut process = Process::start(&data, &rules);
        let place = process.place.clone();
        // Two ask for the same ones.
        let askers = [place.clone(), place].map(|place| {
            let answered = answered.clone();
            thread::spawn(move || {
                let header = format!("Bearer {SECRET}");
                let path = "/admin/dead-letters/replay?code=schema_mismatch&limit=1";
                while let Ok(answer) = place.try_send("POST", path, &[("Authorization", &header)], &[]) {
                    let is_taken =
                        answer.status == 200 && answer.json()["results"][0]["result"] == "accepted";
                    answered.fetch_add(usize::from(is_taken), Ordering::Relaxed);
                }
            })
        });
        thread::sleep(Duration::from_millis(after_ms));
        if after_ms == 240 {
            eventually("one is taken in", || answered.load(Ordering::Relaxed) > 0);
        }
        process.kill();
        askers.into_iter().for_each(|asker| asker.join().unwrap());
        let process = Process::start(&data, &rules);
        let (kept, counted) = (letters(&process.place).len(), orders(&process.place));
        assert!(kept <= left, "killed after {after_ms} ms");
        let counted = counted.as_u64().unwrap_or(0) as usize;
        // The one that was on its way may be in effect and still be a letter.
        assert!(
            (40 - kept..=41 - kept).contains(&counted),
            "{kept} kept, {counted} in effect after {after_ms} ms"
        );
        left = kept;
    }
    assert!(left < 40);
    let process = Process::start(&data, &rules);
    let rest = post(&process.place, "/admin/dead-letters/replay?code=schema_mismatch&limit=100").json();
    assert_eq!(rest["results"].as_array().unwrap().len(), left);
    assert_eq!((orders(&process.place), letters(&process.place)), (json!(40), vec![]));
}

#[test]
fn what_conflicts_with_another_event_is_kept_and_replayed_without_its_number() {
    let collector = Collector::start(&[]);
    let place = &collector.place;
    place.receipt(&batch("m1", &[numbered("a", 1)]));
    let mut other = numbered("a", 1);
    other["metadata"] = json!({"other": true});
    let receipt = place.receipt(&batch("m1", &[numbered("b", 1), other, numbered("a", 1), numbered("c", 2)]));
    assert_eq!((&receipt["accepted"], &receipt["duplicates"]), (&json!(1), &json!(2)));
    let rows: Vec<(&Value, &Value)> =
        receipt["results"].as_array().unwrap().iter().map(|row| (&row["result"], &row["code"])).collect();
    let expected = [json!("rejected"), json!("lane_conflict"), json!("warning"), json!("payload_conflict")];
    assert_eq!(rows, [(&expected[0], &expected[1]), (&expected[2], &expected[3])]);
    assert_eq!(metric(place, "attune_events_payload_conflict_total"), 1);

    let kept = letters(place);
    assert_eq!(kept.len(), 2);
    let payload = replay(place, &kept[1]["id"]);
    assert_eq!((&payload["result"], &payload["code"]), (&json!("rejected"), &json!("payload_conflict")));
    let raw = letter(place, &kept[1]["id"]).json()["raw"].as_str().unwrap().to_owned();
    assert!(raw.contains(r#""metadata":{"other":true}"#) && raw.contains(r#""seq":1"#), "{raw}");
    assert_eq!(replay(place, &kept[0]["id"])["result"], "accepted");
    assert_eq!(place.summary()["events"], 3);
    assert_eq!(letters(place).len(), 1);
}

#[test]
fn what_the_worker_refuses_behind_the_receipt_is_kept_and_replayed_once() {
    let mut collector = Collector::start(&[]);
    collector.place.receipt(&batch("forgotten-by-the-door", &[numbered("a", 1)]));
    assert_eq!(collector.place.summary()["events"], 1);
    // Where the log is damaged the door cannot remember the number; the member's state does.
    collector.stop();
    let log = collector.data.join("log").join(format!("{:020}.log", 0));
    let mut bytes = fs::read(&log).unwrap();
    let member = memchr::memmem::find(&bytes, b"forgotten-by-the-door").unwrap();
    bytes[member] ^= 1;
    fs::write(&log, bytes).unwrap();
    let collector = collector.restart();
    let place = &collector.place;
    assert_eq!(place.receipt(&batch("forgotten-by-the-door", &[numbered("b", 1)]))["accepted"], 1);
    // Every second number alone is a range of its own, of which a lane has 1,024 at most.
    let gaps: Vec<Value> = (0..1_025).map(|number| numbered(&format!("g{number}"), 2 * number + 1)).collect();
    let mut gaps = batch("m1", &gaps);
    gaps["lane"] = json!("01930000-0000-7000-8000-000000000002");
    assert_eq!(place.receipt(&gaps)["accepted"], 1_025);
    assert_eq!(place.summary()["events"], 1_025, "the receipts have said two more");
    let kept = letters(place);
    let codes: Vec<_> = kept.iter().map(|letter| (&letter["code"], &letter["refused_by"])).collect();
    assert_eq!(codes, [(&json!("lane_conflict"), &json!("worker")), (&json!("lane_full"), &json!("worker"))]);
    assert_eq!(metric(place, "attune_worker_refused_total"), 2);

    let collector = collector.restart();
    let place = &collector.place;
    assert_eq!(letters(place), kept);
    for (number, letter) in kept.iter().enumerate() {
        assert_eq!(replay(place, &letter["id"])["result"], "accepted");
        assert_eq!(place.summary()["events"], 1_026 + number);
    }
    assert_eq!(letters(place), [Value::Null; 0]);
}

#[test]
fn a_log_that_is_read_again_gives_the_same_letters_and_events() {
    let mut collector = Collector::start(&[("a.json", STRICT)]);
    let data = collector.data.clone();
    let prices = [json!("a"), json!("b"), json!("c"), json!(4)];
    let events: Vec<Value> =
        prices.into_iter().enumerate().map(|(number, price)| order(&format!("o{number}"), price)).collect();
    collector.place.receipt(&batch("m1", &events));
    let ids = letters(&collector.place);
    replay(&collector.place, &ids[0]["id"]);
    change_rules(&collector, LENIENT);
    assert_eq!(replay(&collector.place, &ids[1]["id"])["result"], "accepted");
    let (kept, counted) = (letters(&collector.place), orders(&collector.place));
    assert_eq!((kept.len(), &kept[0]["replays"], &counted), (2, &json!(1), &json!(2)));
    collector.stop();
    fs::remove_dir_all(data.join("state")).unwrap();
    let collector = collector.restart();
    assert_eq!((letters(&collector.place), orders(&collector.place)), (kept, counted));
}

#[test]
fn letters_are_listed_by_code_and_time_and_replayed_in_parts() {
    let collector = Collector::start(&[("a.json", STRICT)]);
    let place = &collector.place;
    let events: Vec<Value> = (0..5).map(|number| order(&format!("o{number}"), json!("x"))).collect();
    place.receipt(&batch("m1", &events));
    send_beside(place, &order("good", json!(1)), "7");
    assert_eq!(ask(place, "&code=event_type_missing")["letters"], json!([]));
    let since = ask(place, "&code=schema_mismatch&since=2020-01-01T00:00:00Z");
    assert_eq!((since["letters"].as_array().unwrap().len(), &since["next"]), (5, &Value::Null));
    assert_eq!(ask(place, &format!("&since={}", now(600_000)))["letters"], json!([]));
    let third = letters(place)[2]["event_id"].as_str().unwrap().to_owned();
    let found = ask(place, &format!("&event_id={third}"));
    assert_eq!(
        (found["letters"].as_array().unwrap().len(), &found["letters"][0]["event_id"]),
        (1, &json!(third))
    );
    let (mut seen, mut query) = (0, "&code=schema_mismatch&limit=2".to_owned());
    loop {
        let page = ask(place, &query);
        seen += page["letters"].as_array().unwrap().len();
        let Some(next) = page["next"].as_str() else { break };
        query = format!("&code=schema_mismatch&limit=2&after={next}");
    }
    assert_eq!((seen, letters(place).len()), (5, 6));

    change_rules(&collector, LENIENT);
    let first = post(place, "/admin/dead-letters/replay?code=schema_mismatch&limit=3").json();
    let results = first["results"].as_array().unwrap();
    assert!(results.len() == 3 && results.iter().all(|row| row["result"] == "accepted"), "{first}");
    assert!(first["next"].is_string());
    let rest = post(place, "/admin/dead-letters/replay?code=schema_mismatch").json();
    assert_eq!((rest["results"].as_array().unwrap().len(), &rest["next"]), (2, &Value::Null));
    assert_eq!(
        (orders(place), told(place)),
        (json!(6), vec![(String::new(), "event_not_an_object".to_owned())])
    );
    let text = place.get("/metrics").text();
    assert!(text.contains("attune_dead_letters_replayed_total{code=\"accepted\"} 5\n"), "{text}");
}

#[test]
fn the_oldest_letters_go_where_there_is_no_room() {
    let collector = Collector::start_with(&[], &["--dead-letters-mib", "1"]);
    let place = &collector.place;
    let large = |id: &str| {
        let metadata = json!({"x": "y".repeat(30_000)});
        json!({"event_id": id, "event_type": "click", "timestamp": "never", "metadata": metadata})
    };
    for number in 0..50 {
        place.receipt(&batch("m1", &[large(&format!("o{number}"))]));
    }
    let kept = told(place);
    let evicted = metric(place, "attune_dead_letters_evicted_total") as usize;
    assert_eq!((kept.len() + evicted, kept.last().unwrap().0.as_str()), (50, "o49"));
    assert!((30..36).contains(&kept.len()), "{}", kept.len());
    assert!(metric(place, "attune_dead_letter_bytes") <= 1 << 20);
}

#[test]
fn what_is_asked_wrongly_is_told_by_name() {
    let collector = Collector::start(&[]);
    let place = &collector.place;
    for (path, status, code) in [
        ("?since=yesterday", 400, "since_malformed"),
        ("?limit=0", 400, "limit_malformed"),
        ("?limit=1001", 400, "limit_malformed"),
        ("?after=x", 400, "after_malformed"),
        ("/x", 400, "letter_id_malformed"),
        ("/1-1", 404, "letter_unknown"),
    ] {
        let answer = place.admin(&format!("/admin/dead-letters{path}"));
        assert_eq!((answer.status, answer.code()), (status, code.to_owned()), "{path}");
    }
    for (path, status, code) in [
        ("/replay", 400, "code_missing"),
        ("/replay?code=x&limit=501", 400, "limit_malformed"),
        ("/x/replay", 400, "letter_id_malformed"),
        ("/1-1/replay", 404, "letter_unknown"),
    ] {
        let answer = post(place, &format!("/admin/dead-letters{path}"));
        assert_eq!((answer.status, answer.code()), (status, code.to_owned()), "{path}");
    }
    assert_eq!(place.send("GET", "/admin/dead-letters", &[], &[]).status, 401);
    assert_eq!(place.send("POST", "/admin/dead-letters/1-1/replay", &[], &[]).status, 401);
}

#[test]
fn of_what_the_policy_forbids_nothing_is_kept_but_that_there_was_some() {
    let rules = r#"{"filter":{"deny":["secret"]},"signals":[],"rules":[]}"#;
    let collector = Collector::start(&[("a.json", rules)]);
    let place = &collector.place;
    let denied = |id: &str| event(id, "secret", json!({"note": "planted-note-17"}));
    place.receipt(&batch("m1", &[denied("a"), denied("b"), event("c", "click", json!({}))]));
    let kept = letters(place);
    assert_eq!((kept.len(), &kept[0]["code"], &kept[0]["count"]), (1, &json!("denied_type"), &json!(2)));
    let whole = letter(place, &kept[0]["id"]).json();
    assert_eq!(
        (&whole["raw"], &whole["member"], &whole["event_id"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(replay(place, &kept[0]["id"])["code"], "letter_without_content");
    let log = fs::read(collector.data.join("log").join(format!("{:020}.log", 0))).unwrap();
    assert_eq!(memchr::memmem::find(&log, b"planted-note-17"), None);
}
