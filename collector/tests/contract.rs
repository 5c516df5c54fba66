//! What every route of both listeners has in common: errors in one form, methods and parameters that it does not take.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use rig::{Answer, Collector, Place, SECRET, batch, event, eventually};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Sends to the privileged listener, whatever the path, with the secret key.
fn privileged(place: &Place, method: &str, path: &str) -> Answer {
    let place = Place { public: place.admin.clone(), admin: place.admin.clone() };
    place.send(method, path, &[("Authorization", &format!("Bearer {SECRET}"))], &[])
}

/// An error in the form of all of them; returns its code and text.
fn refusal(answer: &Answer, place: &str) -> (String, String) {
    assert_eq!(answer.header("content-type"), Some("application/json"), "{place}: {}", answer.text());
    let body = answer.json();
    let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
    assert!(!text("code").is_empty() && !text("message").is_empty(), "{place}: {body}");
    (text("code"), text("message"))
}

#[test]
fn whatever_the_public_listener_refuses_is_told_in_one_form() {
    let collector = Collector::start(&[]);
    let place = &collector.place;
    for (method, path, status, code) in [
        ("GET", "/nowhere", 404, "not_found"),
        ("POST", "/", 404, "not_found"),
        ("GET", "/v1/nowhere", 404, "not_found"),
        ("GET", "/v1/visitor/x", 404, "not_found"),
        ("DELETE", "/v1/events", 405, "method_not_allowed"),
        ("GET", "/v1/events", 405, "method_not_allowed"),
        ("PUT", "/v1/visitor", 405, "method_not_allowed"),
        ("GET", "/v1/visitor", 405, "method_not_allowed"),
        ("POST", "/v1/bundle", 405, "method_not_allowed"),
        ("DELETE", "/track", 405, "method_not_allowed"),
        ("PATCH", "/v1/batch", 405, "method_not_allowed"),
        ("POST", "/health/live", 405, "method_not_allowed"),
        ("POST", "/metrics", 405, "method_not_allowed"),
        ("POST", "/sdk/attune.js", 405, "method_not_allowed"),
        ("TRACE", "/v1/events", 405, "method_not_allowed"),
        ("GET", "/sdk/%ff", 400, "path_malformed"),
        ("GET", "/v1/bundle/%ff?k=demo", 400, "path_malformed"),
        ("GET", "/v1/projects/%ff/settings", 400, "path_malformed"),
        ("GET", "/v1/bundle", 401, "write_key_missing"),
        ("POST", "/v1/visitor", 404, "visitor_cookie_off"),
    ] {
        let (answer, at) = (place.send(method, path, &[], &[]), format!("{method} {path}"));
        let (told, message) = refusal(&answer, &at);
        assert_eq!((answer.status, &*told), (status, code), "{at}");
        if status == 405 {
            assert!(message.contains(method), "{at}: {message}");
            assert!(answer.header("allow").is_some_and(|allow| !allow.contains(method)), "{at}");
        }
        assert_eq!(answer.header("www-authenticate"), (status == 401).then_some("Bearer"), "{at}");
    }
    let image = place.send("POST", "/v1/events?k=demo", &[("Content-Type", "image/png")], b"x");
    assert_eq!((image.status, &*refusal(&image, "image").0), (415, "type_not_supported"));
}

#[test]
fn a_method_that_asks_about_a_path_is_answered_as_everywhere() {
    let collector = Collector::start(&[]);
    let place = &collector.place;
    for (answer, allow) in [
        (place.send("OPTIONS", "/health/live", &[], &[]), "GET,HEAD"),
        (place.send("OPTIONS", "/v1/visitor", &[], &[]), "POST"),
        (privileged(place, "OPTIONS", "/admin/summary"), "GET,HEAD"),
        (privileged(place, "OPTIONS", "/admin/dead-letters/replay"), "POST"),
    ] {
        assert_eq!((answer.status, answer.header("allow")), (204, Some(allow)));
        assert!(answer.body.is_empty());
    }
    for path in ["/admin/summary", "/v1/openapi.json", "/admin/dead-letters", "/health/ready"] {
        let (get, head) = (privileged(place, "GET", path), privileged(place, "HEAD", path));
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        let common = |answer: &Answer| {
            let headers = answer.headers.iter().filter(|(name, _)| name != "x-request-id" && name != "date");
            headers.cloned().collect::<BTreeMap<String, String>>()
        };
        assert_eq!(common(&head), common(&get), "{path}");
    }
}

#[test]
fn whatever_the_privileged_listener_refuses_is_told_in_one_form() {
    let collector = Collector::start(&[]);
    let place = &collector.place;
    for (method, path, status, code, said) in [
        ("GET", "/nowhere", 404, "not_found", "/nowhere"),
        ("GET", "/admin/summary/", 404, "not_found", "/admin/summary/"),
        ("DELETE", "/admin/summary", 405, "method_not_allowed", "DELETE"),
        ("GET", "/admin/dead-letters/replay", 405, "method_not_allowed", "GET"),
        ("POST", "/health/ready", 405, "method_not_allowed", "POST"),
        ("GET", "/admin/profiles/%ff", 400, "path_malformed", "UTF-8"),
        ("GET", "/admin/summary?setled=1", 400, "parameter_unknown", "'setled' is no parameter"),
        ("GET", "/admin/summary?setled=1", 400, "parameter_unknown", "it takes settled"),
        ("GET", "/admin/summary?settled=1&settled=1", 400, "parameter_repeated", "'settled'"),
        ("GET", "/admin/summary?settled=yes", 400, "settled_malformed", "1 or 0, not 'yes'"),
        ("GET", "/admin/bundle?settled=1", 400, "parameter_unknown", "it takes none"),
        ("POST", "/admin/dead-letters/replay?settled=1", 400, "parameter_unknown", "code, event_id, since"),
        ("GET", "/admin/dead-letters?limit=1e3", 400, "limit_malformed", "from 1 to 1000, not '1e3'"),
    ] {
        let (answer, at) = (privileged(place, method, path), format!("{method} {path}"));
        let (told, message) = refusal(&answer, &at);
        assert_eq!((answer.status, &*told), (status, code), "{at}");
        assert!(message.contains(said), "{at}: {message}");
    }
}

#[test]
fn strangers_do_not_learn_what_the_privileged_listener_has() {
    let collector = Collector::start(&[]);
    let open = Place { public: collector.place.admin.clone(), admin: collector.place.admin.clone() };
    let mut answers = Vec::new();
    for (method, path) in [
        ("GET", "/admin/summary"),
        ("GET", "/v1/openapi.json"),
        ("GET", "/admin/summary?setled=1"),
        ("GET", "/admin/nowhere"),
        ("GET", "/nowhere"),
        ("GET", "/admin/profiles/%ff"),
        ("DELETE", "/admin/summary"),
        ("OPTIONS", "/admin/summary"),
        ("TRACE", "/admin/summary"),
    ] {
        let answer = open.send(method, path, &[], &[]);
        let headers = answer.headers.into_iter().filter(|(name, _)| name != "x-request-id" && name != "date");
        answers.push((answer.status, headers.collect::<Vec<_>>(), answer.body));
    }
    assert_eq!(answers[0].0, 401);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

/// Each event fires once, with two calls that have nowhere to go.
const RULES: &str = r#"{"triggers":[{"id":"view","on":"view","actions":[
  {"kind":"webhook","destination":"crm"},{"kind":"webhook","destination":"mail"}]}]}"#;

fn rows(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// All parts of a list, each as `Link` has named it.
fn parts(place: &Place, first: &str) -> Vec<Answer> {
    let (mut parts, mut next) = (Vec::new(), Some(first.to_owned()));
    while let Some(path) = next {
        let answer = privileged(place, "GET", &path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        next = answer.header("link").map(|link| {
            let path = link.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\""));
            path.unwrap_or_else(|| panic!("{link}")).to_owned()
        });
        parts.push(answer);
        assert!(parts.len() < 100, "{first} has no end");
    }
    parts
}

#[test]
fn every_list_comes_in_parts_that_make_the_whole() {
    let collector = Collector::start(&[("rules.json", RULES)]);
    let place = &collector.place;
    let mut events: Vec<Value> =
        (0..7).map(|number| event(&format!("e{number}"), "view", json!({}))).collect();
    events.extend((0..5).map(|number| json!({"event_id": format!("bad{number}"), "event_type": "view"})));
    place.receipt(&batch("m1", &events));
    eventually("every call has ended", || {
        rows(&place.admin("/admin/deliveries?settled=1&state=dead").text()).len() == 14
    });
    for (list, size, expected) in [
        ("/admin/firings?limit=3", 3, vec![3, 3, 1]),
        ("/admin/firings?limit=7", 7, vec![7]),
        ("/admin/deliveries?limit=5", 5, vec![5, 5, 4]),
        ("/admin/deliveries?state=dead&limit=13", 13, vec![13, 1]),
        ("/admin/deliveries?state=done&limit=1", 1, vec![0]),
    ] {
        let parts = parts(place, list);
        let whole = privileged(place, "GET", &list.replace(&format!("limit={size}"), "limit=10000"));
        assert_eq!(whole.header("link"), None, "{list}");
        let sizes: Vec<usize> = parts.iter().map(|part| rows(&part.text()).len()).collect();
        assert_eq!(sizes, expected, "{list}");
        assert_eq!(parts.iter().map(Answer::text).collect::<String>(), whole.text(), "{list}");
    }
    let letters: Vec<Value> = parts(place, "/admin/dead-letters?limit=2&code=timestamp_missing")
        .iter()
        .map(|part| part.json()["letters"].as_array().unwrap().len().into())
        .collect();
    assert_eq!(letters, [2, 2, 1]);
    for path in [
        "/admin/firings?after=x",
        "/admin/firings?after=7",
        "/admin/firings?after=000000000000000A",
        "/admin/deliveries?after=0000000000000001",
        "/admin/dead-letters?after=01-1",
        "/admin/dead-letters?after=1-4294967295",
    ] {
        assert_eq!(privileged(place, "GET", path).code(), "after_malformed", "{path}");
    }
    let end = "f".repeat(16);
    for path in [format!("/admin/firings?after={end}"), format!("/admin/deliveries?after={end}ffff")] {
        assert_eq!(
            (privileged(place, "GET", &path).status, &*privileged(place, "GET", &path).body),
            (200, &b""[..])
        );
    }
}
