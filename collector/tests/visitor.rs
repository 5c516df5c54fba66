//! What `POST /v1/visitor` promises: the cookie for pages of one domain, and nothing that a browser would keep for others.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use rig::{Answer, Collector, batch, eventually, numbered};
use serde_json::json;
use std::io::Write;

const FLAG: [&str; 2] = ["--visitor-cookie-domain", "shop.example"];
const MEMBER: &str = "0197f7a0-0000-7000-8000-000000000001";
const WWW: &str = "https://www.shop.example";

fn ask(collector: &Collector, origin: Option<&str>, member: &str) -> Answer {
    let body = json!({ "anonymous_id": member }).to_string();
    post(collector, "/v1/visitor?k=demo", origin, &body)
}

fn post(collector: &Collector, path: &str, origin: Option<&str>, body: &str) -> Answer {
    let mut headers = vec![("Content-Type", "text/plain;charset=UTF-8")];
    headers.extend(origin.map(|origin| ("Origin", origin)));
    collector.place.send("POST", path, &headers, body.as_bytes())
}

/// Nothing that a browser would keep, and nothing that lets a page of another site read.
fn assert_refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, &*answer.code()), (status, code), "{}", answer.text());
    assert_eq!(answer.header("set-cookie"), None, "{code}");
    assert_eq!(answer.header("vary"), Some("Origin"), "{code}");
}

fn assert_unreadable(answer: &Answer) {
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}

#[test]
fn pages_of_the_domain_and_below_it_get_the_cookie_with_credentials() {
    let collector = Collector::start_with(&[], &FLAG);
    for (origin, secure) in [
        (WWW, "; Secure"),
        ("https://shop.example", "; Secure"),
        ("https://a.b.shop.example:8443", "; Secure"),
        ("http://www.shop.example", ""),
    ] {
        let answer = ask(&collector, Some(origin), MEMBER);
        assert_eq!((answer.status, answer.body.len()), (204, 0), "{origin}: {}", answer.text());
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        assert_eq!(answer.header("vary"), Some("Origin"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let cookie = answer.header("set-cookie").unwrap();
        let (value, rest) = cookie.split_once("; ").unwrap();
        let seconds = value.strip_prefix(&format!("attune_visitor={MEMBER}.")).unwrap();
        assert!(seconds.parse::<u64>().unwrap() > 1_700_000_000, "{cookie}");
        assert_eq!(
            rest,
            format!("Domain=shop.example; Path=/; Max-Age=34560000; SameSite=Lax{secure}"),
            "scripts may read it"
        );
    }
    let metrics = collector.place.get("/metrics").text();
    assert!(metrics.contains("\nattune_visitor_cookies_total 4\n"), "{metrics}");
}

#[test]
fn pages_of_another_site_cannot_plant_an_id() {
    let collector = Collector::start_with(&[], &FLAG);
    for origin in [
        Some("https://evil.example"),
        Some("https://evilshop.example"),
        Some("https://shop.example.evil.example"),
        Some("https://example"),
        Some("null"),
        Some("file://shop.example"),
        None,
    ] {
        let answer = ask(&collector, origin, MEMBER);
        assert_refused(&answer, 403, "origin_outside_cookie_domain");
        assert_unreadable(&answer);
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        let asking = origin.unwrap_or("no origin");
        assert!(
            message.contains(asking) && message.contains("shop.example and of hosts below it"),
            "{message}"
        );
    }
    let preflight = collector.place.send(
        "OPTIONS",
        "/v1/visitor?k=demo",
        &[("Origin", WWW), ("Access-Control-Request-Method", "POST")],
        b"",
    );
    assert_eq!(
        preflight.status, 204,
        "it is told the methods, as whoever asks by OPTIONS, and lets no page send"
    );
    assert_unreadable(&preflight);
    let metrics = collector.place.get("/metrics").text();
    assert!(metrics.contains("attune_request_errors_total{code=\"origin_outside_cookie_domain\"} 7\n"));
    assert!(metrics.contains("\nattune_visitor_cookies_total 0\n"));
}

#[test]
fn the_keys_own_origins_count_as_well() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let keys = json!({"keys": [{"key": "demo", "origins": [WWW], "identity": "open"}]});
    file.write_all(keys.to_string().as_bytes()).unwrap();
    let path = file.path().display().to_string();
    let collector = Collector::start_with(&[], &[&FLAG[..], &["--write-keys", &path]].concat());
    assert_eq!(ask(&collector, Some(WWW), MEMBER).status, 204);
    let other = ask(&collector, Some("https://blog.shop.example"), MEMBER);
    assert_refused(&other, 403, "origin_not_allowed");
    assert_unreadable(&other);
    let unknown = post(&collector, "/v1/visitor?k=other", Some(WWW), "{}");
    assert_refused(&unknown, 401, "write_key_unknown");
    assert_refused(&post(&collector, "/v1/visitor", Some(WWW), "{}"), 401, "write_key_missing");
}

#[test]
fn only_an_id_of_the_one_form_gets_into_a_cookie() {
    let collector = Collector::start_with(&[], &FLAG);
    for member in [
        "",
        "m1",
        "0197F7A0-0000-7000-8000-000000000001",
        "0197f7a0000070008000000000000001",
        "{0197f7a0-0000-7000-8000-000000000001}",
        "0197f7a0-0000-7000-8000-00000000000\r",
        "0197f7a0-0000-7000-8000-000000000001; Domain=evil.example",
    ] {
        let answer = ask(&collector, Some(WWW), member);
        assert_refused(&answer, 400, "visitor_request_unreadable");
        assert_eq!(answer.header("access-control-allow-origin"), Some(WWW), "its page may read why");
    }
    for body in ["", "{}", "[]", "{\"anonymous_id\":7}"] {
        let answer = post(&collector, "/v1/visitor?k=demo", Some(WWW), body);
        assert_refused(&answer, 400, "visitor_request_unreadable");
    }
    let large = post(&collector, "/v1/visitor?k=demo", Some(WWW), &" ".repeat(5_000));
    assert_refused(&large, 413, "batch_too_large");
}

#[test]
fn an_erased_member_gets_none() {
    let collector = Collector::start_with(&[], &FLAG);
    let receipt = collector.place.receipt(&batch(MEMBER, &[numbered("a1", 1)]));
    let body = json!({"anonymous_id": MEMBER, "member_token": receipt["member_token"]}).to_string();
    assert_eq!(ask(&collector, Some(WWW), MEMBER).status, 204);
    assert_eq!(post(&collector, "/v1/forget?k=demo", None, &body).status, 202);
    eventually("the member is erased", || ask(&collector, Some(WWW), MEMBER).status == 410);
    assert_refused(&ask(&collector, Some(WWW), MEMBER), 410, "member_erased");
    let other = MEMBER.replace('1', "2");
    assert_eq!(ask(&collector, Some(WWW), &other).status, 204);
}

#[test]
fn without_the_flag_there_is_none_and_the_answer_says_so() {
    let collector = Collector::start(&[]);
    let answer = ask(&collector, Some(WWW), MEMBER);
    assert_refused(&answer, 404, "visitor_cookie_off");
    assert_unreadable(&answer);
    assert!(answer.text().contains("--visitor-cookie-domain"));
}

#[test]
fn no_other_answer_is_for_requests_with_credentials() {
    let collector = Collector::start_with(&[], &FLAG);
    let events =
        post(&collector, "/v1/events?k=demo", Some(WWW), &batch("m1", &[numbered("a", 1)]).to_string());
    assert_eq!(events.status, 200);
    for answer in [events, collector.place.send("GET", "/v1/bundle?k=demo", &[("Origin", WWW)], b"")] {
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        assert_eq!(answer.header("set-cookie"), None);
    }
}
