//! What is kept of a person, exported: all of it, nothing of anybody else, and no more than may be at a time.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use rig::{Collector, Place, SECRET, batch, event, eventually, numbered};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::net::TcpStream;

const RULES: &str = r#"{
  "signals":[{"name":"views","on":"view","aggregate":"count","window":"lifetime"}],
  "triggers":[{"id":"note","on":"view","when":{"event.metadata.note":{"$exists":true}},
               "actions":[{"kind":"webhook","url":"https://x.example/"}]}]
}"#;

/// The lines of an export by kind.
fn export(place: &Place, id: &str) -> BTreeMap<String, Vec<Value>> {
    let answer = place.privileged("GET", &format!("/v1/profiles/{id}/export"), &[], &[]);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    let mut kinds: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let text = answer.text();
    assert!(text.lines().last().unwrap().contains(r#""kind":"end""#), "{text}");
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        kinds.entry(line["kind"].as_str().unwrap().to_owned()).or_default().push(line);
    }
    kinds
}

fn login(id: &str, user: &str, traits: Value) -> Value {
    let mut login = event(id, "attune.identify", json!({"traits": traits}));
    login["user_id"] = json!(user);
    login
}

#[test]
fn an_export_has_all_that_is_kept_of_a_person_and_nothing_of_others() {
    let collector = Collector::start(&[("a.json", RULES)]);
    let place = &collector.place;
    for (member, user) in [("m1", "ada"), ("m2", "ada"), ("m3", "bob")] {
        let planted = json!({"note": format!("note-of-{member}\n\"x\"")});
        let mut lane = numbered(&format!("{member}-c"), 1);
        lane["session_id"] = json!(format!("session-{member}"));
        let bad = json!({"event_id": format!("{member}-bad"), "event_type": "click", "timestamp": format!("never-{member}")});
        let events = [
            login(&format!("{member}-a"), user, json!({"plan": format!("plan-of-{member}")})),
            event(&format!("{member}-b"), "view", planted),
            lane,
            bad,
        ];
        let mut sent = batch(member, &events);
        let lane = rig::LANE.replace("-8000-", &format!("-80{}-", &member.replace('m', "0")));
        sent["lane"] = json!(lane);
        sent["context"] = json!({"time_zone": "Europe/Oslo"});
        sent["void"] = json!([{"lane": lane, "from": 2, "to": 3}]);
        sent["closed"] = json!([{"lane": lane, "count": 3}]);
        place.receipt(&sent);
    }
    let typed = [("Content-Type", "application/json")];
    let patched =
        place.privileged("PATCH", "/v1/profiles/user:ada/traits", &typed, br#"{"tier":"tier-of-ada"}"#);
    assert_eq!(patched.status, 200);
    let settled = || place.admin("/admin/deliveries?state=dead").text().lines().count() == 3;
    eventually("what has fired has come to nothing", settled);

    let kinds = export(place, "user:ada");
    let counts: BTreeMap<&str, usize> = kinds.iter().map(|(kind, lines)| (&**kind, lines.len())).collect();
    let expected = [
        ("clocks", 2),
        ("close", 2),
        ("dead_letter", 2),
        ("delivery", 2),
        ("end", 1),
        ("event", 7),
        ("firing", 2),
        ("member", 3),
        ("profile", 1),
        ("void", 2),
    ];
    assert_eq!(counts, BTreeMap::from(expected), "{kinds:?}");
    let end = &kinds["end"][0];
    assert_eq!((&end["complete"], &end["counts"]["event"]), (&json!(true), &json!(7)));
    let profile = &kinds["profile"][0]["profile"];
    assert_eq!(
        (&profile["traits"]["tier"], &profile["signals"]["views"]),
        (&json!("tier-of-ada"), &json!(2))
    );
    let member = kinds["member"].iter().find(|line| line["member"] == "m1").unwrap();
    assert_eq!((&member["profile"], &member["signals"]["views"]), (&json!("user:ada"), &json!(1)));
    assert_eq!(
        (&member["lanes"][0]["absorbed"], &member["lanes"][0]["closed"]),
        (&json!([[1, 1]]), &json!(3))
    );
    let view = kinds["event"].iter().find(|line| line["event"]["event_type"] == "view").unwrap();
    assert_eq!(view["event"]["metadata"]["note"], "note-of-m1\n\"x\"");
    assert_eq!(kinds["delivery"][0]["delivery"]["state"], "dead");
    assert_eq!(kinds["delivery"][0]["firing"], kinds["firing"][0]["firing"]["id"]);
    assert!(kinds["dead_letter"][0]["raw"].as_str().unwrap().contains("never-m1"));
    let text = format!("{kinds:?}");
    for (wanted, is_there) in
        [("-of-m1", true), ("-of-m2", true), ("-of-m3", false), ("bob", false), ("m3", false)]
    {
        assert_eq!(text.contains(wanted), is_there, "{wanted}");
    }

    // Of a member alone only its own; of nobody nothing.
    let alone = export(place, "member:m2");
    assert_eq!((alone["event"].len(), alone["member"].len(), alone["firing"].len()), (3, 1, 1));
    let nobody = export(place, "user:eve");
    assert_eq!((nobody.len(), &nobody["end"][0]["counts"]), (1, &json!({})));
    let bad = place.privileged("GET", "/v1/profiles/eve/export", &[], &[]);
    assert_eq!((bad.status, bad.code()), (400, "profile_id_malformed".to_owned()));
}

#[test]
fn letters_that_were_given_up_for_room_are_exported_out_of_the_log() {
    let collector = Collector::start_with(&[], &["--dead-letters-mib", "1"]);
    let place = &collector.place;
    for number in 0..50 {
        let metadata = json!({"x": "y".repeat(30_000)});
        let bad = json!({"event_id": format!("o{number}"), "event_type": "click", "timestamp": "never", "metadata": metadata});
        place.receipt(&batch("m1", &[bad]));
    }
    let kinds = export(place, "member:m1");
    let (kept, gone) = (kinds["dead_letter"].len(), kinds["refused"].len());
    assert!(kept + gone == 50 && gone > 10, "{kept} {gone}");
}

#[test]
fn a_large_export_is_whole_and_only_some_are_written_at_a_time() {
    let collector = Collector::start(&[]);
    let place = &collector.place;
    let (batches, size) = (45, 16);
    for number in 0..batches {
        let events: Vec<Value> = (0..size)
            .map(|index| event(&format!("{number}-{index}"), "view", json!({"x": "y".repeat(30_000)})))
            .collect();
        place.receipt(&batch("m1", &events));
    }
    // Who asks and reads nothing holds a place; what is written is far more than sockets hold.
    let ask = || {
        let mut stream = TcpStream::connect(&place.admin).unwrap();
        write!(
            stream,
            "GET /v1/profiles/member:m1/export HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET}\r\n\r\n"
        )
        .unwrap();
        stream
    };
    let status = || place.privileged("GET", "/v1/profiles/member:m0/export", &[], &[]).status;
    let unread: Vec<TcpStream> = (0..4).map(|_| ask()).collect();
    eventually("no further one is written", || status() == 429);
    drop(unread);
    eventually("there is room again", || status() == 200);
    let kinds = export(place, "member:m1");
    assert_eq!(kinds["event"].len(), batches * size);
    assert_eq!(kinds["end"][0]["complete"], true);
}

#[test]
fn exposures_are_counted_by_variation_and_firings_by_trigger() {
    let collector = Collector::start(&[("a.json", RULES)]);
    let place = &collector.place;
    let count = || {
        let answer = place.privileged("GET", "/v1/experiments", &[], &[]);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    };
    assert_eq!(count()["variations"], json!([]));
    let exposed = |id: &str, variation: &str, bucket_version: u64| {
        let metadata =
            json!({"experiment": "look", "variation": variation, "bucket_version": bucket_version});
        event(id, "attune.exposure", metadata)
    };
    let first =
        [exposed("a", "red", 0), exposed("b", "red", 0), exposed("c", "blue", 0), exposed("d", "red", 1)];
    place.receipt(&batch("m1", &first));
    place.receipt(&batch("m1", &first));
    let other = event("f", "attune.exposure", json!({"experiment": 7}));
    let seen = event("g", "view", json!({"note": "attune.exposure"}));
    place.receipt(&batch("m2", &[exposed("e", "red", 0), other, seen]));
    place.summary();
    let counts = count();
    let rows: Vec<_> = counts["variations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let name = row["variation"].as_str().unwrap();
            (name, row["bucket_version"].as_u64(), row["exposures"].as_u64(), row["members"].as_u64())
        })
        .collect();
    let expected = [("blue", 0, 1, 1), ("red", 0, 3, 2), ("red", 1, 1, 1)]
        .map(|(name, version, exposures, members)| (name, Some(version), Some(exposures), Some(members)));
    assert_eq!(rows, expected);
    assert_eq!(counts["triggers"], json!([{"rule": "note", "firings": 1}]));
    assert_eq!((&counts["left_out"], &counts["complete"]), (&json!(1), &json!(false)));
    assert!(counts["since"].as_str().unwrap().ends_with('Z'));
}
