//! Segment's Tracking API: what the libraries that speak it send, and what becomes of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use attune_core::time::Timestamp;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::read::GzEncoder;
use rig::{Answer, Collector, now};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::process::Command;

const TAKEN: &str = r#"{"success":true}"#;
const PROVEN: &str = "0123456789abcdef0123";

fn basic(key: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{key}:")))
}

fn gzip(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    GzEncoder::new(text.as_bytes(), Compression::fast()).read_to_end(&mut out).unwrap();
    out
}

/// Posts as a server's library does.
fn post(collector: &Collector, path: &str, body: &Value) -> Answer {
    let headers = [("Authorization", &*basic("demo")), ("Content-Type", "application/json")];
    collector.place.send("POST", path, &headers, body.to_string().as_bytes())
}

fn taken(collector: &Collector, path: &str, body: &Value) {
    let answer = post(collector, path, body);
    assert_eq!((answer.status, &*answer.text()), (200, TAKEN), "{path}");
}

/// The events in the log.
fn logged(collector: &Collector) -> Vec<Value> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
    let output = command.args(["log", "dump", "--data-dir"]).arg(&collector.data).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn track(id: &str) -> Value {
    json!({"type": "track", "messageId": id, "userId": "u1", "event": "Order Completed", "timestamp": now(0)})
}

fn rejected(collector: &Collector, code: &str) -> bool {
    let line = format!("attune_events_rejected_total{{code=\"{code}\"}} 1\n");
    collector.place.get("/metrics").text().contains(&line)
}

#[test]
fn every_path_takes_its_call_and_answers_exactly_as_libraries_expect() {
    let collector = Collector::start(&[]);
    let calls = [
        ("track", "t", json!({"event": "Order Completed", "properties": {"total": 9.50}}), "Order Completed"),
        ("identify", "i", json!({"traits": {"plan": "gold"}}), "attune.identify"),
        ("page", "p", json!({"name": "Home", "properties": {"path": "/"}}), "page_view"),
        ("screen", "s", json!({"name": "Cart"}), "page_view"),
        ("group", "g", json!({"groupId": "acme", "traits": {"size": 7}}), "attune.group"),
        ("alias", "a", json!({"previousId": "old"}), "attune.alias"),
    ];
    for (long, short, fields, _) in &calls {
        for path in [long, short] {
            let mut message = fields.clone();
            message["messageId"] = json!(path);
            message["userId"] = json!("u1");
            taken(&collector, &format!("/v1/{path}"), &message);
        }
        let mut message = fields.clone();
        message["messageId"] = json!(format!("batch-{long}"));
        message["userId"] = json!("u1");
        message["type"] = json!(long);
        for path in ["/v1/batch", "/v1/b", "/beacon/v1/batch"] {
            taken(&collector, path, &json!({"batch": [message], "sentAt": now(0), "unknown": {"a": [1]}}));
        }
    }
    let events = logged(&collector);
    let expected = calls.iter().flat_map(|call| [call.3; 3]);
    let types: Vec<_> = events.iter().map(|event| event["event_type"].as_str().unwrap()).collect();
    assert_eq!(types, expected.collect::<Vec<_>>());
    assert_eq!(events[0]["metadata"], json!({"total": 9.5}));
    assert_eq!(events[3]["metadata"], json!({"traits": {"plan": "gold"}}));
    assert_eq!(events[6]["metadata"], json!({"name": "Home", "path": "/"}));
    assert_eq!(events[9]["metadata"], json!({"name": "Cart", "screen": true}));
    assert_eq!(events[12]["metadata"], json!({"group_id": "acme", "traits": {"size": 7}}));
    assert_eq!(events[15]["metadata"], json!({"previous_id": "old"}));
    let summary = collector.place.summary();
    assert_eq!((&summary["events"], &summary["duplicates"]), (&json!(18), &json!(12)));
}

#[test]
fn a_sender_with_a_user_id_alone_is_a_member_of_that_name() {
    let collector = Collector::start(&[]);
    let mut both = track("b");
    both["anonymousId"] = json!("browser-1");
    let mut nobody = track("c");
    (nobody["userId"], nobody["anonymousId"]) = (json!(null), json!(""));
    let mut number = track("d");
    (number["userId"], number["anonymousId"]) = (json!(42), json!(null));
    taken(&collector, "/v1/batch", &json!({"batch": [track("a"), both, nobody, number]}));
    let members: Vec<_> = logged(&collector).iter().map(|event| event["anonymous_id"].clone()).collect();
    assert_eq!(members, [json!("user:u1"), json!("browser-1"), json!("user:42")]);
    assert!(rejected(&collector, "anonymous_id_missing"));
    let profile = collector.place.admin("/admin/profiles/user:u1?settled=1").json();
    assert_eq!(profile["members"], json!(["browser-1", "user:u1"]));
}

#[test]
fn a_bad_message_spoils_no_neighbour() {
    let collector = Collector::start(&[]);
    let deep = "[".repeat(200) + &"]".repeat(200);
    let long = "x".repeat(101);
    let large = "y".repeat(32 * 1024);
    let bad = [
        ("event_not_an_object", "7".to_owned()),
        ("event_unreadable", r#"{"type":"track","type":"track"}"#.to_owned()),
        ("type_unknown", r#"{"type":"delete","userId":"u1"}"#.to_owned()),
        ("event_type_missing", r#"{"type":"track","userId":"u1"}"#.to_owned()),
        ("event_type_reserved", r#"{"type":"track","event":"attune.shown","userId":"u1"}"#.to_owned()),
        ("user_id_invalid", r#"{"type":"track","event":"e","userId":{}}"#.to_owned()),
        (
            "json_bad_escape",
            r#"{"type":"track","event":"e","userId":"u1","properties":{"a":"\ud800"}}"#.to_owned(),
        ),
        (
            "json_number_out_of_range",
            r#"{"type":"track","event":"e","userId":"u1","properties":{"a":1e400}}"#.to_owned(),
        ),
        (
            "json_too_deep",
            format!(r#"{{"type":"track","event":"e","userId":"u1","properties":{{"a":{deep}}}}}"#),
        ),
        ("metadata_not_an_object", r#"{"type":"page","userId":"u1","properties":[1]}"#.to_owned()),
        ("traits_invalid", r#"{"type":"identify","userId":"u1","traits":"gold"}"#.to_owned()),
        (
            "timestamp_invalid",
            r#"{"type":"track","event":"e","userId":"u1","timestamp":"yesterday"}"#.to_owned(),
        ),
        ("event_id_invalid", format!(r#"{{"type":"track","event":"e","userId":"u1","messageId":"{long}"}}"#)),
        ("event_type_too_long", format!(r#"{{"type":"track","event":"{long}","userId":"u1"}}"#)),
        (
            "event_too_large",
            format!(r#"{{"type":"track","event":"e","userId":"u1","properties":{{"a":"{large}"}}}}"#),
        ),
    ];
    let mut messages = Vec::new();
    for (index, (_, message)) in bad.iter().enumerate() {
        messages.extend([message.clone(), track(&format!("good-{index}")).to_string()]);
    }
    let body = format!(r#"{{"batch":[{}]}}"#, messages.join(","));
    let answer =
        collector.place.send("POST", "/v1/batch", &[("Authorization", &basic("demo"))], body.as_bytes());
    assert_eq!((answer.status, &*answer.text()), (200, TAKEN));
    assert_eq!(logged(&collector).len(), bad.len());
    for (code, message) in bad {
        assert!(rejected(&collector, code), "{code}: {message:.200}");
    }
}

#[test]
fn a_batch_of_which_nothing_can_be_taken_is_answered_with_code_and_message() {
    let collector = Collector::start(&[]);
    let send = |path: &str, body: &str| {
        let answer =
            collector.place.send("POST", path, &[("Authorization", &basic("demo"))], body.as_bytes());
        (answer.status, answer.json())
    };
    for (path, body, status, code, told) in [
        ("/v1/batch", "[]", 400, "batch_unreadable", "JSON object"),
        ("/v1/batch", "{", 400, "batch_unreadable", "line 1 column 1"),
        ("/v1/track", "{\"event\":", 400, "batch_unreadable", "line 1 column 9"),
        ("/v1/batch", r#"{"batch":{}}"#, 400, "batch_unreadable", "line 1 column 9"),
        ("/v1/batch", r#"{"messages":[]}"#, 400, "batch_missing", "batch is missing"),
        (
            "/v1/batch",
            &format!(r#"{{"batch":[],"context":{{"a":"{}"}}}}"#, "x".repeat(3_000)),
            400,
            "batch_field_too_large",
            "context is 3008 bytes; the limit of what counts for all messages is 2048",
        ),
        (
            "/v1/batch",
            &format!(r#"{{"batch":[1{}]}}"#, ",1".repeat(2_500)),
            413,
            "batch_too_large",
            "2500 events",
        ),
        (
            "/v1/batch",
            &format!(r#"{{"batch":["{}"]}}"#, "x".repeat(2 << 20)),
            413,
            "batch_too_large",
            "2097152 bytes",
        ),
    ] {
        let (found, json) = send(path, body);
        assert_eq!((found, json["code"].as_str()), (status, Some(code)), "{body:.40}");
        assert!(json["message"].as_str().unwrap().contains(told), "{json}");
    }
    assert!(logged(&collector).is_empty());
}

#[test]
fn a_batch_that_its_library_counted_wrongly_is_taken_without_what_is_too_large() {
    let collector = Collector::start(&[]);
    let padded = |id: &str, length: usize| {
        let mut message = track(id);
        message["properties"] = json!({"note": "e".repeat(length)});
        message
    };
    let mut messages: Vec<Value> = (0..40).map(|index| padded(&format!("m{index}"), 30_000)).collect();
    messages.push(padded("large", 100_000));
    taken(&collector, "/v1/batch", &json!({"batch": messages}));
    assert_eq!(logged(&collector).len(), 40);
    assert!(rejected(&collector, "event_too_large"));
}

#[test]
fn the_key_is_taken_from_the_body_while_that_is_not_compressed() {
    let collector = Collector::start(&[]);
    let body = json!({"writeKey": "demo", "batch": [track("a")]}).to_string();
    let send = |path: &str, headers: &[(&str, &str)], body: &[u8]| {
        let answer = collector.place.send("POST", path, headers, body);
        let code = if answer.status == 200 { String::new() } else { answer.code() };
        (answer.status, code)
    };
    let ok = (200, String::new());
    let missing = (401, "write_key_missing".to_owned());
    let key = &*basic("demo");
    assert_eq!(send("/v1/batch", &[("Content-Type", "text/plain")], body.as_bytes()), ok);
    assert_eq!(send("/v1/batch", &[], &gzip(&body)), missing);
    assert_eq!(send("/v1/batch", &[("Content-Encoding", "gzip")], &gzip(&body)), missing);
    // As RudderStack's library for Node does.
    let odd = ("Content-Type", "application/x-www-form-urlencoded");
    let keyless = json!({"batch": [track("b")]}).to_string();
    assert_eq!(send("/v1/batch", &[odd, ("Authorization", key)], &gzip(&keyless)), ok);
    assert_eq!(
        send("/v1/batch", &[odd, ("Authorization", key), ("Content-Encoding", "gzip")], &gzip(&keyless)),
        ok
    );
    assert_eq!(send("/beacon/v1/batch?writeKey=demo", &[], keyless.as_bytes()), ok);
    assert_eq!(send("/v1/batch", &[], keyless.as_bytes()), missing);
    let unknown = (401, "write_key_unknown".to_owned());
    assert_eq!(send("/v1/batch", &[("Authorization", &basic("other"))], keyless.as_bytes()), unknown);
    assert_eq!(send("/v1/track", &[], br#"{"writeKey":"other","event":"e","userId":"u"}"#), unknown);
    assert_eq!(send("/v1/track", &[], br#"{"writeKey":"demo","event":"e","userId":"u"}"#), ok);
    assert_eq!(logged(&collector).len(), 3);
}

#[test]
fn times_are_corrected_by_how_long_before_sending_something_happened() {
    let collector = Collector::start(&[]);
    let year = -365 * 86_400_000;
    let mut message = track("a");
    message["timestamp"] = json!(now(year - 5_000).replace('Z', "456+00:00"));
    let before = now(-5_000);
    taken(
        &collector,
        "/v1/batch",
        &json!({"batch": [message], "sentAt": now(year).replace('Z', "000+00:00")}),
    );
    let after = now(-5_000);
    let at = Timestamp::parse(logged(&collector)[0]["timestamp"].as_str().unwrap()).unwrap();
    // The two clocks of this test were read a little apart.
    let [before, after] = [before, after].map(|text| Timestamp::parse(&text).unwrap());
    assert!(before.plus(-1_000) <= at && at <= after, "{before} {at} {after}");
}

#[test]
fn a_message_without_an_id_is_known_again_by_its_text() {
    let collector = Collector::start(&[]);
    let timed = json!({"event": "e", "userId": "u1", "timestamp": "2026-11-20T10:00:00Z"});
    let timeless = json!({"event": "e", "userId": "u1"});
    for _ in 0..2 {
        taken(&collector, "/v1/track", &timed);
        taken(&collector, "/v1/track", &timeless);
    }
    // One of a time of its own, two without.
    assert_eq!(collector.place.summary()["accepted"], 3);
}

#[test]
fn a_login_links_only_with_a_proof() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let keys = json!({"keys": [{"key": "demo", "identity_secret": PROVEN}]});
    file.write_all(keys.to_string().as_bytes()).unwrap();
    let collector = Collector::start_with(&[], &["--write-keys", &file.path().display().to_string()]);
    // HMAC-SHA256 of u1 under the secret, made with another program.
    let proof = "08f3ae23437a40f8c0d9179f66973b8ae12523ea18ca2ca750e3611edda0f24c";
    let identify = |id: &str, member: &str, integrations: Value| {
        json!({"type": "identify", "messageId": id, "userId": "u1", "anonymousId": member,
               "traits": {"plan": "gold"}, "context": {"traits": {"city": "Oslo", "plan": "free"}},
               "integrations": integrations})
    };
    let own = json!({"All": true, "Attune": {"proof": proof}});
    let liar = json!({"Attune": {"proof": "made up"}});
    let batch = [identify("a", "phone", own), identify("b", "liar", liar), identify("c", "shy", json!({}))];
    let mut alias = json!({"type": "alias", "userId": "u1", "previousId": "shy", "messageId": "d"});
    alias["anonymousId"] = json!("shy");
    taken(&collector, "/v1/batch", &json!({"batch": [batch[0], batch[1], batch[2], alias, track("e")]}));
    let profile = |id: &str| collector.place.admin(&format!("/admin/profiles/{id}?settled=1")).json();
    let user = profile("user:u1");
    assert_eq!(
        (&user["members"], &user["traits"]),
        (&json!(["phone"]), &json!({"city": "Oslo", "plan": "gold"}))
    );
    for (member, events) in [("liar", 1), ("shy", 2), ("unproven:u1", 1)] {
        let alone = profile(&format!("member:{member}"));
        assert_eq!((&alone["members"], &alone["events"]), (&json!([member]), &json!(events)));
    }
}

#[test]
fn of_the_context_only_what_has_a_place_is_kept() {
    let collector = Collector::start(&[]);
    let context = json!({
        "ip": "203.0.113.7", "userAgent": "Mozilla/5.0 Firefox/140.0", "locale": "de-DE", "timezone": "Asia/Tokyo",
        "page": {"path": "/shoes", "title": "Shoes", "url": "https://shop.example/shoes", "referrer": "", "search": "", "more": 1},
        "campaign": {"source": "news", "name": "spring"}, "device": {"id": "secret-device"},
    });
    let page = json!({"type": "page", "messageId": "a", "anonymousId": "m1", "context": context,
                      "properties": {"title": "Our shoes", "sku": 12345678901234567890_u64}});
    let mut event = track("b");
    event["context"] = context.clone();
    taken(&collector, "/v1/batch", &json!({"batch": [page, event]}));
    let events = logged(&collector);
    let expected = json!({"path": "/shoes", "title": "Our shoes", "url": "https://shop.example/shoes", "referrer": "",
                          "search": "", "campaign": {"source": "news", "name": "spring"}, "sku": 12345678901234567890_u64});
    assert_eq!(events[0]["metadata"], expected);
    assert_eq!(events[1].get("metadata").unwrap_or(&json!({})), &json!({}));
    let found = &events[1]["context"];
    assert_eq!(
        (&found["browser"]["name"], &found["ip"], &found["campaign"], found.get("page")),
        (&json!("Firefox"), &json!("203.0.113.0"), &json!({"source": "news", "name": "spring"}), None)
    );
    for segment in std::fs::read_dir(collector.data.join("log")).unwrap() {
        let bytes = std::fs::read(segment.unwrap().path()).unwrap();
        for text in ["203.0.113.7", "secret-device", "Mozilla/5.0"] {
            assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()), "{text}");
        }
    }
}

#[test]
fn the_clocks_of_each_visitor_of_a_batch_are_their_own() {
    let rules = json!({
        "triggers": [{"id": "night", "on": "Woke", "when": {"$tod": {"between": ["00:00", "02:00"]}}}],
    });
    let collector = Collector::start(&[("rules.json", &rules.to_string())]);
    // 16:30 by UTC of yesterday is 01:30 of the day after in Tokyo.
    let at = format!("{}T16:30:00Z", &now(-86_400_000)[..10]);
    let woke = |member: &str, zone: &str| {
        json!({"type": "track", "event": "Woke", "messageId": member, "anonymousId": member, "timestamp": at,
               "context": {"timezone": zone}})
    };
    let messages =
        [woke("berlin", "Europe/Berlin"), woke("tokyo", "Asia/Tokyo"), woke("mars", "Mars/Olympus")];
    taken(&collector, "/v1/batch", &json!({"batch": messages}));
    let fired = collector.place.admin("/admin/firings?settled=1").text();
    assert_eq!(fired.lines().count(), 1, "{fired}");
    assert!(fired.contains("tokyo"), "{fired}");
}

#[test]
fn bots_are_told_by_the_visitors_user_agent_and_not_by_the_librarys() {
    let rules = json!({"filter": {"bots": "drop"}});
    let collector = Collector::start(&[("rules.json", &rules.to_string())]);
    let by = |id: &str, agent: Option<&str>| {
        let mut message = track(id);
        message["context"] = json!({"userAgent": agent});
        message
    };
    let messages =
        [by("a", Some("Mozilla/5.0 Firefox/140.0")), by("b", Some("Googlebot/2.1")), by("c", None)];
    let body = json!({"batch": messages}).to_string();
    let library = ("User-Agent", "python-requests/2.32 bot");
    let key = basic("demo");
    let send = |more: &[(&str, &str)]| {
        let headers = [&[("Authorization", &*key), library][..], more].concat();
        assert_eq!(collector.place.send("POST", "/v1/batch", &headers, body.as_bytes()).status, 200);
    };
    send(&[]);
    assert_eq!(collector.place.summary()["accepted"], 2);
    // From a page the browser's own user agent counts where the message says nothing.
    let body = body.replace(r#""messageId":""#, r#""messageId":"2"#);
    let headers = [("Authorization", &*key), library, ("Origin", "https://shop.example")];
    assert_eq!(collector.place.send("POST", "/v1/batch", &headers, body.as_bytes()).status, 200);
    assert_eq!(collector.place.summary()["accepted"], 3);
}

#[test]
fn pages_learn_where_to_send_and_may_send_across_origins() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let keys = json!({"keys": [{"key": "demo", "identity": "open", "origins": ["https://shop.example"]}]});
    file.write_all(keys.to_string().as_bytes()).unwrap();
    let collector = Collector::start_with(&[], &["--write-keys", &file.path().display().to_string()]);
    let ask = |key: &str, headers: &[(&str, &str)]| {
        collector.place.send("GET", &format!("/v1/projects/{key}/settings"), headers, &[])
    };
    let page = ("Origin", "https://shop.example");
    let answer = ask("demo", &[page]);
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some(page.1)));
    let own = answer.json()["integrations"]["Segment.io"].clone();
    let host = format!("{}/v1", collector.place.public);
    assert_eq!(
        (&own["apiKey"], &own["apiHost"], &own["protocol"]),
        (&json!("demo"), &json!(host), &json!("https"))
    );
    let protocol = |headers: &[(&str, &str)]| {
        ask("demo", headers).json()["integrations"]["Segment.io"]["protocol"].clone()
    };
    assert_eq!(protocol(&[]), "http");
    assert_eq!(protocol(&[("X-Forwarded-Proto", "https, http")]), "https");
    assert_eq!(ask("other", &[page]).code(), "write_key_unknown");
    assert_eq!(ask("demo", &[("Origin", "https://evil.example")]).code(), "origin_not_allowed");
    let asked = [
        page,
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "authorization,content-type,x-retry-count"),
    ];
    let preflight = collector.place.send("OPTIONS", "/v1/t", &asked, &[]);
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (200, Some(page.1)));
    let allowed = preflight.header("access-control-allow-headers").unwrap().to_ascii_lowercase();
    assert!(
        ["authorization", "content-type", "x-retry-count"].iter().all(|name| allowed.contains(name)),
        "{allowed}"
    );
    let message = track("a").to_string();
    let send = |origin: &str| {
        let headers = [("Origin", origin), ("Authorization", &*basic("demo"))];
        collector.place.send("POST", "/v1/t", &headers, message.as_bytes())
    };
    assert_eq!(send("https://evil.example").code(), "origin_not_allowed");
    let taken = send(page.1);
    assert_eq!((taken.status, taken.header("access-control-allow-origin")), (200, Some(page.1)));
}
