//! What requests say of where their events come from, what triggers read of it, and that a replay reads the same.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use maxminddb_writer::Database;
use maxminddb_writer::metadata::IpVersion;
use maxminddb_writer::paths::IpAddrWithMask;
use rig::{Answer, Collector, Place, Receiver, Reply, batch, event, eventually, fresh_id, now};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const PHONE: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36";
const HEADLESS: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/126.0.0.0 Safari/537.36";
const RULES: &str = r#"{"signals":[{"name":"views","on":"view","aggregate":"count","window":"lifetime"}],"triggers":[
  {"id":"german-phone","on":"view","when":{"context.device.type":"phone","context.geo.country":"DE"},
   "actions":[{"kind":"webhook","destination":"crm"}]},
  {"id":"campaign","on":"view","when":{"context.campaign.source":{"$exists":true}},"cap":{"per":"lifetime","key":"context.campaign.source","count":1},
   "actions":[{"kind":"webhook","destination":"crm"}]},
  {"id":"people","on":"click","when":{"context.bot":{"$ne":true}},"actions":[{"kind":"webhook","destination":"crm"}]},
  {"id":"third","when":{"signals.views":{"$gte":3}},"actions":[{"kind":"webhook","destination":"crm"}]}]}"#;
const RULE_FILES: &[(&str, &str)] = &[("rules.json", RULES)];

/// The events in the log.
fn logged(data: &Path) -> Vec<Value> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
    let output = command.args(["log", "dump", "--data-dir"]).arg(data).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Posts as a page does, with more headers.
fn post_page(place: &Place, headers: &[(&str, &str)], body: &Value) -> Answer {
    let usual = [("Content-Type", "text/plain"), ("Origin", "https://shop.example")];
    let all: Vec<_> = usual.iter().chain(headers).copied().collect();
    place.send("POST", "/v1/events?k=demo", &all, body.to_string().as_bytes())
}

/// One event as a page sends it; it is taken in.
fn track(place: &Place, headers: &[(&str, &str)], member: &str, event_type: &str) {
    let answer = post_page(place, headers, &batch(member, &[event(&fresh_id(), event_type, json!({}))]));
    assert_eq!(answer.json()["accepted"], 1, "{}", answer.text());
}

fn lines(answer: &Answer) -> Vec<Value> {
    answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn fired(place: &Place) -> Vec<(String, String)> {
    let firings = lines(&place.admin("/admin/firings?settled=1"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    firings.iter().map(|firing| (text(&firing["rule"]), text(&firing["member"]))).collect()
}

fn metric(place: &Place, series: &str) -> u64 {
    let text = place.get("/metrics").text();
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0, |line| line.parse().unwrap())
}

/// A database of places that has the networks of this machine and of documentation.
fn places(kind: &str, entries: &[(&str, Value)]) -> Vec<u8> {
    let mut database = Database::default();
    database.metadata.binary_format_major_version = 2;
    database.metadata.ip_version = IpVersion::V4;
    database.metadata.database_type = kind.into();
    for (network, place) in entries {
        let data = database.insert_value(place).unwrap();
        database.insert_node(network.parse::<IpAddrWithMask>().unwrap(), data);
    }
    database.write_to(Vec::new()).unwrap()
}

fn berlin() -> Value {
    json!({"country": {"iso_code": "DE", "names": {"en": "Germany"}}, "subdivisions": [{"iso_code": "BE"}],
        "city": {"names": {"de": "Berlin", "en": "Berlin"}}, "location": {"time_zone": "Europe/Berlin"}})
}

/// Written beside and put in its place.
fn put(folder: &TempDir, bytes: &[u8]) -> PathBuf {
    let (beside, file) = (folder.path().join("new"), folder.path().join("geo.mmdb"));
    std::fs::write(&beside, bytes).unwrap();
    std::fs::rename(beside, &file).unwrap();
    file
}

#[test]
fn a_pages_request_says_where_its_events_come_from() {
    let collector = Collector::start(&[]);
    let mut body =
        batch("m1", &[event(&fresh_id(), "view", json!({})), event(&fresh_id(), "view", json!({}))]);
    body["context"] = json!({"locale": "de", "page": {"url": "https://shop.example/p?utm_source=news&gclid=g1&email=a",
        "referrer": "https://www.bing.com/search?q=secret"}});
    let headers = [
        ("User-Agent", PHONE),
        ("Sec-CH-UA", r#""Not/A)Brand";v="8", "Chromium";v="126", "Google Chrome";v="126""#),
        ("Sec-CH-UA-Mobile", "?1"),
        ("Sec-CH-UA-Platform", r#""Android""#),
        ("Sec-CH-UA-Platform-Version", r#""14.0.0""#),
        ("Sec-GPC", "1"),
    ];
    assert_eq!(post_page(&collector.place, &headers, &body).json()["accepted"], 2);
    let expected = json!({
        "browser": {"name": "Chrome", "version": "126", "major": 126},
        "os": {"name": "Android", "version": "14.0.0"},
        "device": {"type": "phone"},
        "privacy": {"gpc": true},
        "ip": "127.0.0.0",
        "campaign": {"source": "news", "gclid": "g1"},
        "referrer": {"host": "www.bing.com", "medium": "search", "source": "bing"},
    });
    let found: Vec<Value> = logged(&collector.data).iter().map(|event| event["context"].clone()).collect();
    assert_eq!(found, [expected.clone(), expected]);
}

#[test]
fn a_server_speaks_for_its_visitors_and_not_for_itself() {
    let collector = Collector::start_with(&[], &["--ip", "whole"]);
    let library = [("User-Agent", "python-requests/2.32 bot"), ("Sec-GPC", "1")];
    let send = |path: &str, body: &Value| {
        let answer = collector.place.send("POST", path, &library, body.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    send("/v1/events?k=demo", &batch("m1", &[event(&fresh_id(), "view", json!({}))]));
    let mut told = batch("m2", &[event(&fresh_id(), "view", json!({}))]);
    told["context"] = json!({"user_agent": PHONE, "ip": "203.0.113.77", "privacy": {"gpc": true}});
    send("/v1/events?k=demo", &told);
    let context = |ip: &str, agent: &str| {
        json!({"userAgent": agent, "ip": ip, "campaign": {"source": "x", "name": 7},
        "page": {"referrer": "https://t.co/a"}})
    };
    let message = |id: &str, context: Value| {
        json!({"type": "track", "event": "view", "userId": "u", "messageId": id,
        "timestamp": now(0), "context": context})
    };
    send(
        "/v1/batch?writeKey=demo",
        &json!({"context": context("2001:db8::7", PHONE), "batch": [
        message("a", Value::Null), message("b", context("not an address", "")), message("c", json!("odd"))]}),
    );
    let device = json!({"browser": {"name": "Chrome", "version": "126.0.0.0", "major": 126},
        "os": {"name": "Android", "version": "10"}, "device": {"type": "phone"}});
    let with = |more: Value| {
        let mut device = device.clone();
        device.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        device
    };
    let page =
        json!({"campaign": {"source": "x"}, "referrer": {"host": "t.co", "medium": "social", "source": "x"}});
    let mut batch_context = with(json!({"ip": "2001:db8::7"}));
    batch_context.as_object_mut().unwrap().extend(page.as_object().unwrap().clone());
    let found: Vec<Value> = logged(&collector.data).iter().map(|event| event["context"].clone()).collect();
    let gpc = with(json!({"ip": "203.0.113.77", "privacy": {"gpc": true}}));
    assert_eq!(found, [Value::Null, gpc, batch_context.clone(), page, batch_context]);
}

#[test]
fn triggers_read_it_and_a_replay_by_another_database_fires_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = put(&folder, &places("GeoLite2-City", &[("127.0.0.0/8", berlin())]));
    let collector = Collector::start_with(RULE_FILES, &["--geo-database", file.to_str().unwrap()]);
    track(&collector.place, &[("User-Agent", PHONE)], "phone", "view");
    track(&collector.place, &[], "nobody", "view");
    let mut body =
        batch("campaign", &[event(&fresh_id(), "view", json!({})), event(&fresh_id(), "view", json!({}))]);
    body["context"] = json!({"campaign": {"source": "news"}});
    assert_eq!(post_page(&collector.place, &[], &body).json()["accepted"], 2);
    let before = lines(&collector.place.admin("/admin/firings?settled=1"));
    let rules = |firings: &[(String, String)]| {
        firings.iter().map(|(rule, member)| format!("{rule} {member}")).collect::<Vec<_>>()
    };
    let expected = rules(&fired(&collector.place));
    assert!(expected.contains(&"german-phone phone".to_owned()), "{expected:?}");
    assert!(
        !expected.iter().any(|fired| fired == "german-phone nobody" || fired == "german-phone campaign"),
        "{expected:?}"
    );
    assert_eq!(expected.iter().filter(|fired| *fired == "campaign campaign").count(), 1, "{expected:?}");

    // All of it anew from the log, where the same addresses are elsewhere by now.
    put(&folder, &places("GeoLite2-City", &[("127.0.0.0/8", json!({"country": {"iso_code": "FR"}}))]));
    let mut collector = collector;
    collector.stop();
    std::fs::remove_dir_all(collector.data.join("state")).unwrap();
    let collector = collector.restart();
    let key = |firing: &Value| {
        (firing["id"].clone(), firing["rule"].clone(), firing["member"].clone(), firing["key"].clone())
    };
    let again = lines(&collector.place.admin("/admin/firings?settled=1"));
    assert_eq!(again.iter().map(key).collect::<Vec<_>>(), before.iter().map(key).collect::<Vec<_>>());
    track(&collector.place, &[("User-Agent", PHONE)], "phone", "view");
    assert_eq!(
        lines(&collector.place.admin("/admin/firings?settled=1"))
            .iter()
            .filter(|f| f["rule"] == "german-phone")
            .count(),
        1
    );
}

#[test]
fn programs_are_marked_kept_aside_or_refused_as_is_set() {
    let bot = [("User-Agent", HEADLESS)];
    let mark = Collector::start(RULE_FILES);
    track(&mark.place, &bot, "robot", "click");
    track(&mark.place, &[("User-Agent", PHONE)], "person", "click");
    assert_eq!(fired(&mark.place), [("people".into(), "person".into())]);
    assert_eq!(metric(&mark.place, "attune_bot_events_total"), 1);
    let profile =
        |place: &Place, member: &str| place.admin(&format!("/admin/profiles/member:{member}")).status;
    assert_eq!(profile(&mark.place, "robot"), 200);

    let aside = Collector::start_with(RULE_FILES, &["--bots", "log"]);
    (0..3).for_each(|_| track(&aside.place, &bot, "robot", "view"));
    (0..3).for_each(|_| track(&aside.place, &[("User-Agent", PHONE)], "person", "view"));
    assert_eq!(fired(&aside.place), [("third".into(), "person".into())]);
    assert_eq!(profile(&aside.place, "robot"), 404);
    let logged = logged(&aside.data);
    let robots: Vec<_> = logged.iter().filter(|event| event["anonymous_id"] == "robot").collect();
    assert_eq!(robots.len(), 3);
    assert!(robots.iter().all(|event| event["context"]["bot"] == true && event["aside"] == true));

    let dropped = Collector::start_with(RULE_FILES, &["--bots", "drop"]);
    let events = batch("robot", &[event(&fresh_id(), "click", json!({}))]);
    let receipt = post_page(&dropped.place, &bot, &events).json();
    assert_eq!(
        (&receipt["accepted"], &receipt["results"][0]["code"]),
        (&json!(0), &json!("bot")),
        "{receipt}"
    );
    track(&dropped.place, &[("User-Agent", PHONE)], "person", "click");
    assert_eq!(metric(&dropped.place, "attune_events_rejected_total{code=\"bot\"}"), 1);
}

/// A file of destinations: one of the site's own, and one of somebody else.
fn destinations(folder: &TempDir, receiver: &Receiver) -> String {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let webhook = |name: &str, more: Value| {
        let mut webhook = json!({"name": name, "url": format!("{}/{name}", receiver.url()), "secret": secret, "allow_private": true});
        webhook.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        webhook
    };
    let file = folder.path().join("destinations.json");
    let all =
        json!({"webhooks": [webhook("own", json!({"third_party": false})), webhook("network", json!({}))]});
    std::fs::write(&file, all.to_string()).unwrap();
    file.display().to_string()
}

/// Two calls each at an event and at a level, and after a second without events.
const SHARED: &[(&str, &str)] = &[(
    "rules.json",
    r#"{"signals":[{"name":"last","on":"view","aggregate":"last_at","window":"lifetime"}],"triggers":[
  {"id":"event","on":"view","actions":[{"kind":"webhook","destination":"own"},{"kind":"webhook","destination":"network"}]},
  {"id":"later","when":{"signals.last":{"$before":"-2s"}},
   "actions":[{"kind":"webhook","destination":"own"},{"kind":"webhook","destination":"network"}]}]}"#,
)];

/// Of each delivery its destination, and how it ended.
fn ended(place: &Place, count: usize) -> Vec<(String, String)> {
    let all = || lines(&place.admin("/admin/deliveries?settled=1"));
    eventually("all calls end", || {
        all().len() == count && all().iter().all(|delivery| delivery["state"] != "pending")
    });
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut ended: Vec<_> = all()
        .iter()
        .map(|delivery| (text(&delivery["destination"]), text(&delivery["error"]["code"])))
        .collect();
    ended.sort();
    ended
}

#[test]
fn no_third_party_hears_of_whose_browser_sends_global_privacy_control() {
    let (folder, receiver) = (tempfile::tempdir().unwrap(), Receiver::start(|_, _| Reply::Answer(200, "")));
    let file = destinations(&folder, &receiver);
    let [yes, no] = ["network", "own"].map(|name| (name.to_owned(), String::new()));
    let refused = ("network".to_owned(), "opted_out".to_owned());
    for (arguments, headers, expected) in [
        (&[][..], &[("Sec-GPC", "1")][..], [&refused, &refused, &no, &no]),
        (&[], &[("Sec-GPC", "0")], [&yes, &yes, &no, &no]),
        (&["--gpc", "ignore"], &[("Sec-GPC", "1")], [&yes, &yes, &no, &no]),
    ] {
        let arguments = [&["--destinations", &file], arguments].concat();
        let collector = Collector::start_with(SHARED, &arguments);
        track(&collector.place, headers, "m", "view");
        let ended = ended(&collector.place, 4);
        assert_eq!(ended.iter().collect::<Vec<_>>(), expected, "{arguments:?} {headers:?}");
        let traits = collector.place.admin("/admin/profiles/member:m").json()["traits"].clone();
        let is_marked = arguments.len() == 2 && headers[0].1 == "1";
        assert_eq!(traits["$gpc"] == true, is_marked, "{traits}");
    }
}

#[test]
fn an_opt_out_lasts_until_the_site_says_that_the_visitor_has_agreed() {
    let (folder, receiver) = (tempfile::tempdir().unwrap(), Receiver::start(|_, _| Reply::Answer(200, "")));
    let file = destinations(&folder, &receiver);
    let rules = [("rules.json", &*SHARED[0].1.replace("-2s", "-9d"))];
    let collector = Collector::start_with(&rules, &["--destinations", &file]);
    track(&collector.place, &[("Sec-GPC", "1")], "m", "view");
    track(&collector.place, &[], "m", "view");
    let mut agreed = event(&fresh_id(), "attune.identify", json!({"traits": {"$gpc": false}}));
    agreed["user_id"] = json!("ada");
    assert_eq!(
        post_page(&collector.place, &[("Sec-GPC", "1")], &batch("m", &[agreed])).json()["accepted"],
        1
    );
    track(&collector.place, &[("Sec-GPC", "1")], "m", "view");
    let ended = ended(&collector.place, 6);
    let [refused, taken] = ["opted_out", ""].map(|code| {
        ended.iter().filter(|(destination, found)| destination == "network" && found == code).count()
    });
    assert_eq!((refused, taken), (2, 1), "{ended:?}");
}

#[test]
fn a_database_is_read_again_and_a_broken_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let whole = places("GeoLite2-City", &[("127.0.0.0/8", berlin())]);
    let file = put(&folder, &whole);
    let collector = Collector::start_with(&[], &["--geo-database", file.to_str().unwrap()]);
    let place = || {
        track(&collector.place, &[], "m", "view");
        logged(&collector.data).pop().unwrap()["context"]["geo"].clone()
    };
    let in_berlin = json!({"country": "DE", "region": "BE", "city": "Berlin", "time_zone": "Europe/Berlin"});
    assert_eq!(place(), in_berlin);
    put(&folder, whole.get(..whole.len() / 2).unwrap());
    eventually("the broken file is refused", || {
        metric(&collector.place, "attune_reload_failed_total{code=\"geo_database\"}") == 1
    });
    assert_eq!(place(), in_berlin);
    put(&folder, &places("GeoLite2-Country", &[("127.0.0.0/8", json!({"country": {"iso_code": "FR"}}))]));
    eventually("the new file is read", || metric(&collector.place, "attune_reloads_total") >= 1);
    assert_eq!(place(), json!({"country": "FR"}));
    put(&folder, &places("GeoLite2-Country", &[("203.0.113.0/24", json!({"country": {"iso_code": "FR"}}))]));
    eventually("the third file is read", || metric(&collector.place, "attune_reloads_total") >= 2);
    assert_eq!(place(), Value::Null);
    assert_eq!(metric(&collector.place, "attune_geo_lookups_total{code=\"missing\"}"), 1);
}

#[test]
fn a_database_that_cannot_be_used_ends_the_start_with_one_line() {
    let folder = tempfile::tempdir().unwrap();
    for (bytes, told) in [
        (b"not a database".to_vec(), "no database in MaxMind's format: "),
        (places("GeoLite2-ASN", &[("127.0.0.0/8", json!({"x": 1}))]), "is a database of type 'GeoLite2-ASN'"),
    ] {
        let file = put(&folder, &bytes);
        let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
        command
            .args(["serve", "--port", "0", "--geo-database"])
            .arg(&file)
            .args(["--data-dir"])
            .arg(folder.path());
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        let line = format!("attune: --geo-database: {}: {told}", file.display());
        assert!(!output.status.success() && text.contains(&line), "{text}");
        assert_eq!(text.trim().lines().count(), 1, "{text}");
    }
}
