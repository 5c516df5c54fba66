//! What reaches open pages: profiles after events, bundles after edits, and an orderly end.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use attune_core::profile::ProfileView;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rig::{Collector, Message, batch, event, numbered};
use serde_json::json;

const VIEWS: &str =
    r#"{"signals":[{"name":"views","on":"view","aggregate":"count","window":"lifetime"}],"rules":[]}"#;

fn view(message: &Message) -> ProfileView {
    ProfileView::decode(&BASE64_STANDARD.decode(&message.data).unwrap()).unwrap()
}

#[test]
fn an_event_of_one_tab_reaches_the_stream_of_another() {
    let collector = Collector::start(&[("views.json", VIEWS)]);
    let receipt = collector.place.receipt(&batch("m1", &[numbered("a", 1)]));
    let mut stream = collector.place.stream(&receipt, None);
    let hello = stream.next().unwrap();
    assert_eq!((&*hello.event, &*hello.data), ("hello", r#"{"state":"gap"}"#));
    let first = view(&stream.next_of("profile"));
    collector.place.receipt(&batch("m1", &[event("b", "view", json!({}))]));
    let second = view(&stream.next_of("profile"));
    assert!(second.version > first.version && first.own.is_empty() && !second.own.is_empty());
}

#[test]
fn the_first_stream_of_an_unknown_member_is_greeted_too() {
    let collector = Collector::start(&[]);
    let receipt = collector.place.receipt(&batch("m1", &[]));
    let mut stream = collector.place.stream(&receipt, None);
    assert_eq!(stream.next().unwrap().event, "hello");
    assert_eq!(view(&stream.next_of("profile")), ProfileView::default());
}

#[test]
fn a_stream_resumes_where_nothing_was_missed_even_after_a_restart() {
    let collector = Collector::start(&[]);
    let receipt = collector.place.receipt(&batch("m1", &[numbered("a", 1)]));
    let seen = collector.place.stream(&receipt, None).next_of("profile").id.unwrap();
    let state =
        |collector: &Collector, id: &str| collector.place.stream(&receipt, Some(id)).next().unwrap().data;
    assert_eq!(state(&collector, &seen), r#"{"state":"resumed"}"#);
    let collector = collector.restart();
    assert_eq!(state(&collector, &seen), r#"{"state":"resumed"}"#);
    collector.place.receipt(&batch("m1", &[numbered("b", 2)]));
    collector.place.summary();
    assert_eq!(state(&collector, &seen), r#"{"state":"gap"}"#);
}

#[test]
fn two_members_of_a_user_see_each_other() {
    let collector = Collector::start(&[("views.json", VIEWS)]);
    let login = |id: &str| {
        let mut event = event(id, "attune.identify", json!({"traits": {}}));
        event["user_id"] = json!("user_1");
        event
    };
    let receipt = collector.place.receipt(&batch("phone", &[login("a")]));
    let mut stream = collector.place.stream(&receipt, None);
    stream.next_of("profile");
    collector.place.receipt(&batch("laptop", &[login("b"), event("c", "view", json!({}))]));
    while view(&stream.next_of("profile")).others.is_empty() {}
}

#[test]
fn a_token_that_is_not_ours_opens_nothing() {
    let collector = Collector::start(&[]);
    for path in ["/v1/stream", "/v1/stream?token=", "/v1/stream?token=AAAA"] {
        assert_eq!(collector.place.get(path).code(), "stream_token_invalid", "{path}");
    }
}

#[test]
fn a_shutdown_ends_open_streams() {
    let mut collector = Collector::start(&[]);
    let receipt = collector.place.receipt(&batch("m1", &[numbered("a", 1)]));
    let mut stream = collector.place.stream(&receipt, None);
    stream.next_of("profile");
    collector.stop();
    while stream.next().is_some() {}
}
