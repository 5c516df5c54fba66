//! Profiles on the privileged listener: shown with their version, written to behind it, erased.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use attune_collector::profile::{Changes, EmbeddedStore, Store, Table};
use rig::{Answer, Collector, Place, Process, batch, event, eventually, now, numbered};
use serde_json::{Value, json};
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

const RULES: &str = r#"{"signals":[{"name":"views","on":"view","aggregate":"count","window":"lifetime"}],
    "rules":[]}"#;

fn show(place: &Place, id: &str, headers: &[(&str, &str)]) -> Answer {
    place.privileged("GET", &format!("/v1/profiles/{id}?settled=1"), headers, &[])
}

fn traits(place: &Place, id: &str) -> Answer {
    place.privileged("GET", &format!("/v1/profiles/{id}/traits?settled=1"), &[], &[])
}

fn patch(place: &Place, id: &str, query: &str, headers: &[(&str, &str)], patch: &Value) -> Answer {
    let typed = [("Content-Type", "application/merge-patch+json")];
    let headers: Vec<_> = typed.iter().chain(headers).copied().collect();
    let path = format!("/v1/profiles/{id}/traits{query}");
    place.privileged("PATCH", &path, &headers, patch.to_string().as_bytes())
}

fn erase(place: &Place, id: &str) -> (u16, Value) {
    let answer = place.privileged("DELETE", &format!("/v1/profiles/{id}"), &[], &[]);
    (answer.status, answer.json()["state"].clone())
}

fn login(id: &str, user: &str, traits: Value) -> Value {
    let mut login = event(id, "attune.identify", json!({"traits": traits}));
    login["user_id"] = json!(user);
    login
}

#[test]
fn a_profile_is_shown_with_its_version_and_not_again_while_it_is_the_same() {
    let collector = Collector::start(&[("a.json", RULES)]);
    let place = &collector.place;
    place.receipt(&batch("m1", &[event("a", "view", json!({}))]));
    let first = show(place, "member:m1", &[]);
    let tag = first.header("etag").unwrap().to_owned();
    assert_eq!((first.status, &first.json()["signals"]["views"]), (200, &json!(1)));
    assert!(tag.starts_with(&format!("\"{}-", first.json()["version"])), "{tag}");
    let again = show(place, "member:m1", &[("If-None-Match", &tag)]);
    assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, Some(&*tag)));
    place.receipt(&batch("m1", &[event("b", "view", json!({}))]));
    let changed = show(place, "member:m1", &[("If-None-Match", &tag)]);
    assert_eq!((changed.status, &changed.json()["signals"]["views"]), (200, &json!(2)));

    // Another rule for the same profile is another answer, though nothing has come of the visitor.
    let tag = changed.header("etag").unwrap().to_owned();
    fs::write(collector.rules.join("a.json"), RULES.replace("\"views\"", "\"seen\"")).unwrap();
    eventually("the signal has its new name", || {
        let answer = show(place, "member:m1", &[("If-None-Match", &tag)]);
        answer.status == 200 && answer.json()["signals"]["seen"] == 2
    });
    let unknown = show(place, "member:m2", &[]);
    assert_eq!((unknown.status, unknown.code()), (404, "profile_unknown".to_owned()));
    let bare = place.send("GET", "/v1/profiles/member:m1", &[], &[]);
    assert_eq!(bare.status, 404, "the public listener has no profiles");
}

#[test]
fn a_state_that_cannot_be_read_is_not_taken_for_an_unknown_profile() {
    let mut collector = Collector::start(&[]);
    collector.place.receipt(&batch("m1", &[event("a", "view", json!({}))]));
    assert_eq!(show(&collector.place, "member:m1", &[]).status, 200);
    collector.stop();
    let store = EmbeddedStore::open(&collector.data.join("state"), 100).unwrap();
    let mut changes = Changes::default();
    changes.put(Table::Profiles, *b"member:m1", *b"damaged");
    store.commit(changes).unwrap();
    store.sync().unwrap();
    drop(store);
    let collector = collector.restart();
    let place = &collector.place;
    for answer in [
        place.privileged("GET", "/v1/profiles/member:m1", &[], &[]),
        place.privileged("GET", "/v1/profiles/member:m1/traits", &[], &[]),
        place.admin("/admin/profiles/member:m1"),
        patch(place, "member:m1", "", &[("If-Match", "*")], &json!({"plan": "pro"})),
    ] {
        assert_eq!((answer.status, answer.code()), (500, "profile_unreadable".to_owned()));
    }
    // It can be erased, and nobody else waits for it.
    assert_eq!(erase(place, "member:m1"), (202, json!("accepted")));
    place.receipt(&batch("m2", &[event("b", "view", json!({}))]));
    eventually("it is erased", || erase(place, "member:m1") == (200, json!("erased")));
    assert_eq!(show(place, "member:m1", &[]).status, 404);
    assert_eq!(show(place, "member:m2", &[]).status, 200);
}

#[test]
fn traits_are_merged_and_say_the_same_when_the_log_is_read_again() {
    let collector = Collector::start(&[("a.json", RULES)]);
    let place = collector.place.clone();
    place.receipt(&batch("m1", &[login("a", "ada", json!({"plan": "free", "address": {"city": "Oslo"}}))]));
    let first = patch(
        &place,
        "user:ada",
        "",
        &[],
        &json!({"plan": "pro", "address": {"zip": "0150"}, "seats": 3, "none": null}),
    );
    let expected = json!({"plan": "pro", "address": {"city": "Oslo", "zip": "0150"}, "seats": 3});
    assert_eq!((first.status, &first.json()["traits"]), (200, &expected), "{}", first.text());
    assert_eq!(first.json()["superseded"], json!([]));
    let second = patch(&place, "user:ada", "", &[], &json!({"seats": null, "address": {"city": null}}));
    let expected = json!({"plan": "pro", "address": {"zip": "0150"}});
    assert_eq!(second.json()["traits"], expected);
    let shown = traits(&place, "user:ada");
    assert_eq!((shown.json(), shown.header("etag")), (expected.clone(), second.header("etag")));
    // A profile of whom nothing has come yet is made.
    assert_eq!(patch(&place, "user:bob", "", &[], &json!({"plan": "free"})).json()["version"], 1);
    assert_eq!(patch(&place, "member:m9", "", &[], &json!({"plan": "x"})).status, 200);

    let mut collector = collector;
    let before = ["user:ada", "user:bob", "member:m9"].map(|id| show(&place, id, &[]).json());
    collector.stop();
    fs::remove_dir_all(collector.data.join("state")).unwrap();
    let collector = collector.restart();
    let after = ["user:ada", "user:bob", "member:m9"].map(|id| show(&collector.place, id, &[]).json());
    assert_eq!(before, after);
}

#[test]
fn a_write_behind_a_version_is_made_for_that_version_only() {
    let collector = Collector::start(&[("a.json", RULES)]);
    let place = &collector.place;
    place.receipt(&batch("m1", &[login("a", "ada", json!({"plan": "free"}))]));
    let tag = traits(place, "user:ada").header("etag").unwrap().to_owned();
    let whole = show(place, "user:ada", &[]).header("etag").unwrap().to_owned();
    place.receipt(&batch("m1", &[event("b", "view", json!({}))]));
    for stale in [&tag, &whole] {
        let refused = patch(place, "user:ada", "", &[("If-Match", stale)], &json!({"plan": "pro"}));
        assert_eq!((refused.status, refused.code()), (412, "version_mismatch".to_owned()));
        let present = traits(place, "user:ada");
        assert_eq!(refused.header("etag"), present.header("etag"));
        assert_eq!(format!("\"{}\"", refused.json()["version"]), present.header("etag").unwrap());
        assert_eq!(present.json(), json!({"plan": "free"}), "nothing of it was taken");
    }
    let tag = traits(place, "user:ada").header("etag").unwrap().to_owned();
    let taken = patch(place, "user:ada", "", &[("If-Match", &tag)], &json!({"plan": "pro"}));
    assert_eq!((taken.status, &taken.json()["traits"]), (200, &json!({"plan": "pro"})));
    let nobody = patch(place, "user:eve", "", &[("If-Match", "*")], &json!({"plan": "pro"}));
    assert_eq!((nobody.status, &nobody.json()["version"]), (412, &Value::Null));
    assert_eq!(show(place, "user:eve", &[]).status, 404);
}

#[test]
fn of_writes_behind_the_same_version_one_is_made_while_events_come() {
    const WRITERS: usize = 4;
    const ROUNDS: usize = 5;
    let collector = Collector::start(&[("a.json", RULES)]);
    let place = &collector.place;
    assert_eq!(patch(place, "user:ada", "", &[], &json!({"count": 0})).status, 200);
    let (made, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                // Each adds one to what it has read, as often as it takes until its write is made.
                for _ in 0..ROUNDS {
                    loop {
                        let read = traits(place, "user:ada");
                        let tag = read.header("etag").unwrap().to_owned();
                        let next = json!({"count": read.json()["count"].as_u64().unwrap() + 1});
                        let answer = patch(place, "user:ada", "", &[("If-Match", &tag)], &next);
                        if answer.status == 200 {
                            made.fetch_add(1, Ordering::Relaxed);
                            break;
                        }
                        assert!(matches!(answer.status, 412 | 503), "{}", answer.text());
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        scope.spawn(|| {
            for number in 0..20 {
                let id = format!("other-{number}");
                place.receipt(&batch("m2", &[login(&id, "bob", json!({}))]));
            }
        });
    });
    assert_eq!(made.load(Ordering::Relaxed), WRITERS * ROUNDS);
    assert!(refused.load(Ordering::Relaxed) > 0, "nobody has met anybody");
    assert_eq!(traits(place, "user:ada").json(), json!({"count": WRITERS * ROUNDS}));
}

#[test]
fn without_a_condition_the_later_event_time_stands() {
    let collector = Collector::start(&[]);
    let place = &collector.place;
    place.receipt(&batch("m1", &[login("a", "ada", json!({"plan": "free", "seats": 1}))]));
    let old = now(-3_600_000);
    let late = patch(place, "user:ada", &format!("?at={old}"), &[], &json!({"plan": "old", "name": "Ada"}));
    assert_eq!(late.json()["traits"], json!({"plan": "free", "seats": 1, "name": "Ada"}));
    assert_eq!(late.json()["superseded"], json!(["plan"]));
    let older = json!([]);
    let newer = patch(place, "user:ada", "", &[], &json!({"plan": "new"}));
    assert_eq!((&newer.json()["traits"]["plan"], &newer.json()["superseded"]), (&json!("new"), &older));
    let future = now(3_600_000);
    let refused = patch(place, "user:ada", &format!("?at={future}"), &[], &json!({"plan": "x"}));
    assert_eq!((refused.status, refused.code()), (400, "at_malformed".to_owned()));
}

#[test]
fn what_cannot_be_written_is_told_by_name() {
    let filter = r#"{"filter":{"deny":["attune.identify"]},"signals":[],"rules":[]}"#;
    let collector = Collector::start(&[]);
    let place = &collector.place;
    let long = "x".repeat(1_100);
    for (id, body, status, code) in [
        ("ada", json!({"plan": 1}).to_string(), 400, "profile_id_malformed"),
        ("user:ada", "{".to_owned(), 400, "patch_unreadable"),
        ("user:ada", "[1]".to_owned(), 400, "patch_not_an_object"),
        ("user:ada", json!({"good": 1, "note": long}).to_string(), 400, "trait_too_large"),
        ("user:ada", format!(r#"{{"x":{}1{}}}"#, "[".repeat(100), "]".repeat(100)), 400, "patch_invalid"),
        ("user:ada", json!({long.clone(): 1}).to_string(), 400, "trait_too_large"),
        ("user:ada", format!(r#"{{"x":"{}"}}"#, "y".repeat(40_000)), 413, "batch_too_large"),
    ] {
        let path = format!("/v1/profiles/{id}/traits");
        let typed = [("Content-Type", "application/merge-patch+json")];
        let answer = place.privileged("PATCH", &path, &typed, body.as_bytes());
        assert_eq!((answer.status, answer.code()), (status, code.to_owned()), "{}", answer.text());
    }
    let note = patch(place, "user:ada", "", &[], &json!({"note": "x".repeat(1_100)})).json();
    assert!(note["message"].as_str().unwrap().starts_with("traits.note: "), "{note}");
    let typed = [("Content-Type", "text/plain")];
    let untyped = place.privileged("PATCH", "/v1/profiles/user:ada/traits", &typed, b"{}");
    assert_eq!((untyped.status, untyped.code()), (415, "type_not_supported".to_owned()));
    assert_eq!(show(place, "user:ada", &[]).status, 404, "nothing of all that was written");

    place.receipt(&batch("m1", &[login("a", "ada", json!({}))]));
    place.summary();
    let moved = patch(place, "member:m1", "", &[], &json!({"plan": "pro"}));
    assert_eq!(
        (moved.status, moved.code(), &moved.json()["profile"]),
        (409, "profile_moved".into(), &json!("user:ada"))
    );

    let strict = Collector::start(&[("a.json", filter)]);
    let denied = patch(&strict.place, "user:ada", "", &[], &json!({"plan": "pro"}));
    assert_eq!((denied.status, denied.code()), (422, "policy_refused".to_owned()));
}

#[test]
fn an_erasure_that_was_accepted_is_carried_out_whenever_the_collector_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (data, rules) = (folder.path().join("data"), folder.path().join("rules"));
    fs::create_dir(&rules).unwrap();
    for (round, after_ms) in [0, 5, 40].into_iter().enumerate() {
        let mut process = Process::start(&data, &rules);
        let user = format!("user:ada-{round}");
        assert_eq!(patch(&process.place, &user, "", &[], &json!({"note": "planted-note"})).status, 200);
        assert_eq!(erase(&process.place, &user), (202, json!("accepted")));
        thread::sleep(Duration::from_millis(after_ms));
        process.kill();
        let mut process = Process::start(&data, &rules);
        eventually("it is carried out", || erase(&process.place, &user) == (200, json!("erased")));
        let gone = patch(&process.place, &user, "", &[], &json!({"plan": "pro"}));
        assert_eq!(gone.status, 410, "killed after {after_ms} ms");
        process.kill();
    }
}

#[test]
fn a_user_is_erased_with_all_members_and_asking_again_tells_when_that_is_done() {
    let collector = Collector::start(&[("a.json", RULES)]);
    let place = collector.place.clone();
    place.receipt(&batch("m1", &[login("a", "ada", json!({"note": "planted-note-1"}))]));
    place.receipt(&batch("m2", &[login("b", "ada", json!({"note": "planted-note-2"}))]));
    assert_eq!(patch(&place, "user:ada", "", &[], &json!({"note": "planted-note-3"})).status, 200);
    place.receipt(&batch("m3", &[login("c", "bob", json!({"note": "kept-note"}))]));
    let bob = show(&place, "user:bob", &[]).json();
    assert_eq!(erase(&place, "user:ada"), (202, json!("accepted")));
    eventually("the erasure is carried out", || erase(&place, "user:ada") == (200, json!("erased")));
    assert_eq!(show(&place, "user:ada", &[]).status, 404);
    for member in ["m1", "m2"] {
        let late = place.receipt(&batch(member, &[numbered(&format!("late-{member}"), 9)]));
        assert_eq!(late["results"][0]["code"], "member_erased");
        assert_eq!(erase(&place, &format!("member:{member}")), (200, json!("erased")));
    }
    let gone = patch(&place, "user:ada", "", &[], &json!({"plan": "pro"}));
    assert_eq!((gone.status, gone.code()), (410, "member_erased".to_owned()));
    for folder in ["state", "log"] {
        for entry in fs::read_dir(collector.data.join(folder)).unwrap() {
            let Ok(bytes) = fs::read(entry.unwrap().path()) else { continue };
            assert_eq!(memchr::memmem::find(&bytes, b"planted-note"), None);
        }
    }
    assert_eq!(show(&place, "user:bob", &[]).json(), bob);
    let collector = collector.restart();
    assert_eq!(erase(&collector.place, "user:ada"), (200, json!("erased")));

    // Of whom nothing is known nothing will be.
    // It may be carried out before that is asked.
    assert!([200, 202].contains(&erase(&collector.place, "member:m7").0));
    let late = collector.place.receipt(&batch("m7", &[numbered("x", 1)]));
    assert_eq!(late["results"][0]["code"], "member_erased");
    assert_eq!(erase(&collector.place, "m7").1, Value::Null);
}
