//! What `POST /v1/forget` promises: of an erased member no file holds anything, whatever happens meanwhile, and its
//! neighbours keep what is theirs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use rig::{Collector, Place, Process, batch, eventually, numbered};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

const RULES: &str = r#"{
  "signals":[{"name":"views","on":"view","aggregate":"count","window":"lifetime"}],
  "rules":[{"id":"seen","slot":"s","on":"view","when":{"event.metadata.note":{"$exists":true}},"actions":[]}],
  "triggers":[{"id":"note","on":"view","when":{"event.metadata.note":{"$exists":true}},
               "actions":[{"kind":"webhook","url":"https://x.example/"}]}]
}"#;
const ERASED: &str = "planted-member-7f3a";
const NOTE: &str = "planted-note-91c2";

fn event(id: &str, seq: u64, lane: u8, more: Value) -> Value {
    let mut event = numbered(id, seq);
    event["event_type"] = json!("view");
    event["lane"] = json!(format!("01930000-0000-7000-8000-{lane:012}"));
    more.as_object().unwrap().iter().for_each(|(name, value)| event[name] = value.clone());
    event
}

fn login(id: &str, seq: u64, lane: u8) -> Value {
    let proven =
        json!({"event_type": "attune.identify", "user_id": "ada", "metadata": {"traits": {"plan": "pro"}}});
    event(id, seq, lane, proven)
}

/// The files below a folder that hold a text, as bytes.
fn holding(folder: &Path, wanted: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, wanted));
        } else if fs::read(&path).is_ok_and(|bytes| memchr::memmem::find(&bytes, wanted.as_bytes()).is_some())
        {
            found.push(path.display().to_string());
        }
    }
    found
}

/// Two members, one of them with what must not be found later; returns its token.
fn plant(place: &Place) -> String {
    let note = json!({"metadata": {"note": NOTE}});
    let events = [event("a1", 1, 1, note.clone()), event("a2", 2, 1, note)];
    let receipt = place.receipt(&batch(ERASED, &events));
    place.receipt(&batch("other", &[event("b1", 1, 2, json!({})), event("b2", 2, 2, json!({}))]));
    receipt["member_token"].as_str().unwrap().to_owned()
}

fn forget(place: &Place, member: &str, token: &str) -> u16 {
    let body = json!({"anonymous_id": member, "member_token": token}).to_string();
    place.send("POST", "/v1/forget?k=demo", &[("Content-Type", "text/plain")], body.as_bytes()).status
}

fn metric(place: &Place, name: &str) -> u64 {
    let text = String::from_utf8(place.send("GET", "/metrics", &[], b"").body).unwrap();
    let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

fn erased(place: &Place) {
    eventually("nothing is left to erase", || {
        metric(place, "attune_erasures_total") > 0 && metric(place, "attune_erasures_pending") == 0
    });
}

fn profile(place: &Place, id: &str) -> Option<Value> {
    let answer = place.admin(&format!("/admin/profiles/{id}?settled=1"));
    (answer.status == 200).then(|| serde_json::from_slice(&answer.body).unwrap())
}

#[test]
fn no_file_holds_anything_of_an_erased_member_and_the_others_keep_theirs() {
    let collector = Collector::start(&[("rules.json", RULES)]);
    let (place, data) = (collector.place.clone(), collector.data.clone());
    let token = plant(&place);
    place.summary();
    for wanted in [ERASED, NOTE] {
        assert!(!holding(&data, wanted).is_empty(), "the search finds {wanted} while it is there");
    }
    let other = profile(&place, "member:other");
    assert_eq!(forget(&place, ERASED, &token), 202);
    erased(&place);
    for wanted in [ERASED, NOTE] {
        assert_eq!(holding(&data, wanted), [""; 0], "{wanted}");
    }
    assert_eq!(profile(&place, &format!("member:{ERASED}")), None);
    assert_eq!(profile(&place, "member:other"), other);
    let firings = String::from_utf8(place.admin("/admin/firings").body).unwrap();
    assert!(!firings.contains(ERASED) && !firings.contains("a1"));

    let late = place.receipt(&batch(ERASED, &[event("a3", 3, 1, json!({}))]));
    assert_eq!((&late["accepted"], &late["results"][0]["code"]), (&json!(0), &json!("member_erased")));
    assert_eq!(late.get("member_token").filter(|token| !token.is_null()), None);
    assert_eq!(forget(&place, ERASED, &token), 202, "asking again changes nothing");

    let collector = collector.restart();
    let late = collector.place.receipt(&batch(ERASED, &[event("a4", 4, 1, json!({}))]));
    assert_eq!(late["results"][0]["code"], "member_erased", "it is known over a restart");
    assert_eq!(holding(&data, ERASED), [""; 0]);
    assert_eq!(profile(&collector.place, "member:other"), other);
}

#[test]
fn no_dead_letter_holds_anything_of_an_erased_member_and_the_others_keep_theirs() {
    let collector = Collector::start(&[]);
    let (place, data) = (collector.place.clone(), collector.data.clone());
    let planted = |what: &str| json!({"metadata": {"note": format!("{what}-{NOTE}")}});
    let timeless =
        |id: &str, what: &str| event(id, 9, 1, planted(what)).to_string().replace(&now_year(), "x");
    // Refused while it was read, at the door for its number and for what it says, and one that another's batch had.
    let unread = timeless("a0", "unread");
    let good = [
        event("a1", 1, 1, json!({})),
        event("a2", 1, 1, planted("number")),
        event("a1", 1, 1, planted("says")),
    ];
    let [first, number, says] = good.map(|event| event.to_string());
    let token = send(&place, ERASED, &[&unread, &first, &number, &says])["member_token"].clone();
    let twice = format!(r#"{{"event_id":1,"event_id":2,"anonymous_id":"{ERASED}","note":"named-{NOTE}"}}"#);
    let others = timeless("b0", "other").replace(NOTE, "kept-letter");
    send(&place, "other", &[&event("b1", 1, 2, json!({})).to_string(), &twice, &others]);
    let codes = |place: &Place| {
        let list = place.admin("/admin/dead-letters?settled=1").json();
        let letters = list["letters"].as_array().unwrap().iter();
        letters.map(|letter| letter["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let planted_codes =
        ["timestamp_invalid", "event_unreadable", "timestamp_invalid", "lane_conflict", "payload_conflict"];
    let mut found = codes(&place);
    found.sort();
    let mut expected = planted_codes.map(str::to_owned);
    expected.sort();
    assert_eq!(found, expected);
    let traces = ["unread", "number", "says", "named"].map(|what| format!("{what}-{NOTE}"));
    for wanted in &traces {
        assert!(
            holding(&data, wanted).len() > 1,
            "the search finds {wanted} in log and store while it is there"
        );
    }
    assert_eq!(forget(&place, ERASED, token.as_str().unwrap()), 202);
    erased(&place);
    for wanted in traces.iter().map(String::as_str).chain([ERASED]) {
        assert_eq!(holding(&data, wanted), [""; 0], "{wanted}");
    }
    assert_eq!(codes(&place), ["timestamp_invalid"]);
    assert!(holding(&data, "other-kept-letter").len() > 1);

    // One that comes late is refused without its content.
    send(&place, ERASED, &[&timeless("a3", "late")]);
    assert_eq!(codes(&place), ["timestamp_invalid"; 2]);
    assert_eq!((holding(&data, "late-"), holding(&data, ERASED)), (vec![], vec![]));
    assert_eq!(metric(&place, "attune_erasures_pending"), 0);
    let collector = collector.restart();
    assert_eq!(codes(&collector.place), ["timestamp_invalid"; 2]);
}

/// What every timestamp of this test begins with.
fn now_year() -> String {
    rig::now(0)[..5].to_owned()
}

/// Sends texts as the events of a batch; returns the receipt.
fn send(place: &Place, member: &str, events: &[&str]) -> Value {
    let lane = rig::LANE;
    let body =
        format!(r#"{{"v":1,"anonymous_id":"{member}","lane":"{lane}","events":[{}]}}"#, events.join(","));
    let answer = place.send("POST", "/v1/events?k=demo", &[("Content-Type", "text/plain")], body.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[test]
fn a_profile_of_several_loses_one_members_part_as_if_that_had_never_been() {
    let collector = Collector::start(&[("rules.json", RULES)]);
    let (place, data) = (collector.place.clone(), collector.data.clone());
    place.receipt(&batch("other", &[login("b0", 1, 2), event("b1", 2, 2, json!({}))]));
    let note = json!({"metadata": {"note": NOTE}});
    let receipt = place.receipt(&batch(ERASED, &[login("a0", 1, 1), event("a1", 2, 1, note)]));
    let before = profile(&place, "user:ada").unwrap();
    assert_eq!((before["members"].as_array().unwrap().len(), &before["events"]), (2, &json!(4)));
    assert_eq!(before["latches"][0]["rule"], "seen");
    assert_eq!(forget(&place, ERASED, receipt["member_token"].as_str().unwrap()), 202);
    erased(&place);
    let live = profile(&place, "user:ada").unwrap();
    assert_eq!((&live["members"], &live["events"]), (&json!(["other"]), &json!(2)));
    assert_eq!(live["latches"], json!([]), "what its event had set is gone");
    assert_eq!(holding(&data, ERASED), [""; 0]);

    // The log alone says the same.
    let mut collector = collector;
    collector.stop();
    fs::remove_dir_all(data.join("state")).unwrap();
    let collector = collector.restart();
    let replayed = profile(&collector.place, "user:ada").unwrap();
    for name in ["members", "events", "traits", "latches", "time", "signals"] {
        assert_eq!(replayed[name], live[name], "{name}");
    }
    assert_eq!(profile(&collector.place, &format!("member:{ERASED}")), None);
    let late = collector.place.receipt(&batch(ERASED, &[event("a9", 9, 1, json!({}))]));
    assert_eq!(late["results"][0]["code"], "member_erased", "the log alone knows it");
}

#[test]
fn a_crash_at_any_moment_of_an_erasure_is_made_good_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let (data, rules) = (folder.path().join("data"), folder.path().join("rules"));
    fs::create_dir(&rules).unwrap();
    fs::write(rules.join("rules.json"), RULES).unwrap();
    for (round, after_ms) in [0, 1, 3, 8, 15, 30, 60, 120].into_iter().enumerate() {
        let mut process = Process::start(&data, &rules);
        let member = format!("{ERASED}-{round}");
        let note = json!({"metadata": {"note": format!("{NOTE}-{round}")}});
        let lane = 10 + round as u8;
        let events: Vec<Value> =
            (1..=50).map(|seq| event(&format!("{round}-{seq}"), seq, lane, note.clone())).collect();
        let receipt = process.place.receipt(&batch(&member, &events));
        process
            .place
            .receipt(&batch("other", &[event(&format!("o-{round}"), round as u64 + 1, 2, json!({}))]));
        assert!(!holding(&data, &member).is_empty(), "round {round}");
        assert_eq!(forget(&process.place, &member, receipt["member_token"].as_str().unwrap()), 202);
        thread::sleep(Duration::from_millis(after_ms));
        process.child.kill().unwrap();
        process.child.wait().unwrap();
        let mut process = Process::start(&data, &rules);
        eventually("nothing is left to erase", || {
            process.place.summary();
            metric(&process.place, "attune_erasures_pending") == 0 && holding(&data, &member).is_empty()
        });
        assert_eq!(holding(&data, &format!("{NOTE}-{round}")), [""; 0], "killed after {after_ms} ms");
        let other = profile(&process.place, "member:other").unwrap();
        assert_eq!(other["events"], json!(round + 1), "killed after {after_ms} ms");
        process.child.kill().unwrap();
        process.child.wait().unwrap();
    }
}

#[test]
fn only_a_members_own_token_erases_it() {
    let collector = Collector::start(&[]);
    let place = &collector.place;
    let token = plant(place);
    assert_eq!(forget(place, "other", &token), 403);
    assert_eq!(forget(place, ERASED, "x"), 403);
    let unreadable = place.send("POST", "/v1/forget?k=demo", &[], b"{}");
    assert_eq!((unreadable.status, place.send("POST", "/v1/forget", &[], b"{}").status), (400, 401));
    assert_eq!(profile(place, "member:other").unwrap()["events"], 2);
}
