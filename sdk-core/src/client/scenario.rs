//! A page's life in small, as its host would drive it.

use super::{Client, ClientOptions, StoreOp, Track};
use crate::bundle::author::{SourceFile, compile};
use crate::bundle::{Header, SIGNATURE_BYTES, attach_signature, seal_envelope};
use crate::id::{EventId, LaneId, MemberId, SessionId, Uuid};
use crate::queue::{Outcome, Poll, QueueOptions};
use crate::time::{Monotonic, Now, Timestamp};
use crate::value::ValueRef;
use crate::wire::{Priority, Receipt, ResultKind, ResultRow};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use std::collections::BTreeMap;
use std::format;

const RULES: &str = r#"{
  "signals": [
    {"name":"views","on":"page_view","by":"metadata.category","aggregate":"count","window":"session"},
    {"name":"cart_at","on":"add_to_cart","aggregate":"last_at","window":"lifetime"}
  ],
  "rules": [
    {"id":"third","slot":"hero","on":"page_view",
     "when":{"$signal":{"name":"views","key":{"$path":"event.metadata.category"},"is":{"$gte":3}}},
     "actions":[{"kind":"variable","name":"hero","value":"third"}]},
    {"id":"rescue","slot":"offer","when":{"signals.cart_at":{"$before":"-20s"}},"cap":{"per":"session","count":1},
     "actions":[{"kind":"text","target":"h2","value":"Hello {{traits.name|there}}"}]},
    {"id":"phone","slot":"layout","when":{"context.device.class":"phone"},
     "actions":[{"kind":"class","target":"body","add":["phone"]}]}
  ]
}"#;

struct PageRig {
    client: Client,
    stored: BTreeMap<String, Vec<u8>>,
    now: Now,
    ids: u128,
}

impl PageRig {
    fn new() -> Self {
        Self::restored(BTreeMap::new(), 1)
    }

    fn restored(stored: BTreeMap<String, Vec<u8>>, lane: u128) -> Self {
        let now = Now { wall: Timestamp(1_790_000_000_000), monotonic: Monotonic(5_000) };
        let options = ClientOptions {
            member: MemberId("visitor".into()),
            lane: LaneId(Uuid::from_u128(lane)),
            session: SessionId(Uuid::from_u128(9)),
            queue: QueueOptions { max_batch_events: 50, max_batch_bytes: 50_000, max_queue_bytes: 1_000_000 },
        };
        let mut client = Client::new(options, now);
        assert_eq!(client.handle_bundle(&bundle(1), now), Ok(true));
        let entries: Vec<(String, Vec<u8>)> = stored.clone().into_iter().collect();
        assert_eq!(client.handle_stored(&entries, now), Vec::<String>::new());
        let mut rig = Self { client, stored, now, ids: lane * 1_000 };
        rig.drain();
        rig
    }

    fn track(&mut self, event_type: &str, metadata: &str) -> EventId {
        self.ids += 1;
        let event_id = EventId(Uuid::from_u128(self.ids));
        let track = Track {
            event_id,
            event_type,
            timestamp: self.now.wall,
            session: SessionId(Uuid::from_u128(9)),
            metadata: Some(metadata),
            priority: Priority::Normal,
        };
        assert_eq!(self.client.handle_track(&track, self.now), Ok(()));
        self.drain();
        event_id
    }

    fn wait(&mut self, ms: i64) {
        self.now = Now { wall: self.now.wall.plus(ms), monotonic: self.now.monotonic.plus(ms as u64) };
        self.client.handle_wake(self.now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(write) = self.client.poll_store() {
            match write {
                StoreOp::Put { key, value } => self.stored.insert(key, value),
                StoreOp::Delete { key } => self.stored.remove(&key),
            };
        }
    }

    fn views(&self) -> Option<ValueRef<'static>> {
        self.client.signal("views", Some("hats"), self.now)
    }

    fn stored_events(&self) -> usize {
        self.stored.keys().filter(|key| key.starts_with("event/")).count()
    }
}

fn bundle(revision: u64) -> Vec<u8> {
    let compiled = compile(&[SourceFile { name: "rules.json".into(), text: RULES.into() }]);
    assert!(compiled.diagnostics.is_empty(), "{:?}", compiled.diagnostics);
    let header = Header {
        project: "p",
        environment: "e",
        revision,
        parent: None,
        not_before: None,
        expires: None,
        key_id: "k",
    };
    attach_signature(seal_envelope(&header, &compiled.body), &[0; SIGNATURE_BYTES])
}

const HATS: &str = r#"{"category":"hats"}"#;

#[test]
fn the_third_view_changes_the_hero_at_once_and_it_stays() {
    let mut page = PageRig::new();
    page.track("page_view", HATS);
    page.track("page_view", HATS);
    assert_eq!(page.client.decision("hero"), None);
    page.track("page_view", HATS);
    assert_eq!(page.client.variable("hero"), Some(ValueRef::Text("third")));
    page.track("page_view", r#"{"category":"shoes"}"#);
    assert_eq!(page.client.variable("hero"), Some(ValueRef::Text("third")));
    let reloaded = PageRig::restored(page.stored, 2);
    assert_eq!(reloaded.client.variable("hero"), Some(ValueRef::Text("third")));
}

#[test]
fn time_alone_brings_an_offer_at_the_instant_it_named() {
    let mut page = PageRig::new();
    page.track("add_to_cart", "{}");
    let due = page.client.wake_at().expect("time matters now");
    assert!(due.since(page.now.wall) <= 20_001, "{due}");
    page.wait(19_000);
    assert_eq!(page.client.decision("offer"), None);
    page.wait(1_001);
    assert!(page.client.decision("offer").is_some());
    assert_eq!(page.client.poll_shown().as_deref(), Some(r#"{"rule":"rescue","key":""}"#));
}

#[test]
fn context_decides_levels_and_null_takes_a_field_back() {
    let mut page = PageRig::new();
    page.client.handle_context(r#"{"device":{"class":"phone"}}"#, page.now).expect("json");
    assert!(page.client.decision("layout").is_some());
    page.client.handle_context(r#"{"device":null}"#, page.now).expect("json");
    assert_eq!(page.client.decision("layout"), None);
    assert!(page.client.handle_context("[1]", page.now).is_err());
}

#[test]
fn a_rejected_event_leaves_the_count_and_the_store() {
    let mut page = PageRig::new();
    page.track("page_view", HATS);
    let refused = page.track("page_view", HATS);
    let Poll::Send(request) = page.client.poll_send(page.now, 0) else {
        panic!("there is something to send")
    };
    let row = ResultRow {
        index: 1,
        event_id: format!("{}", refused.0).into(),
        result: ResultKind::Rejected,
        code: "no".into(),
        message: "no".into(),
    };
    let receipt = Receipt { accepted: 1, results: [row].into(), ..Receipt::default() };
    page.client.handle_outcome(request.id, Outcome::Receipt(Box::new(receipt)), page.now, 0);
    page.drain();
    assert_eq!(page.views(), Some(ValueRef::Number(1.0)));
    assert_eq!(page.stored_events(), 1, "the accepted one stays until the base covers it");
}

#[test]
fn what_a_dead_page_left_is_counted_once_and_sent_under_its_own_lane() {
    let mut page = PageRig::new();
    page.track("page_view", HATS);
    let mut next = PageRig::restored(page.stored, 2);
    next.track("page_view", HATS);
    assert_eq!(next.views(), Some(ValueRef::Number(2.0)));
    let Poll::Send(request) = next.client.poll_send(next.now, 0) else {
        panic!("there is something to send")
    };
    let first_lane = format!("{}", Uuid::from_u128(1));
    assert!(
        request.body.contains(&format!(r#""closed":[{{"lane":"{first_lane}","count":1"#)),
        "{}",
        request.body
    );
}

#[test]
fn another_user_is_another_member_with_nothing_of_the_first() {
    let mut page = PageRig::new();
    page.track("page_view", HATS);
    let fresh = || (MemberId("second".into()), LaneId(Uuid::from_u128(77)));
    assert!(!page.client.handle_identify("ann", fresh(), page.now));
    assert!(!page.client.handle_identify("ann", fresh(), page.now));
    assert!(page.client.handle_identify("bob", fresh(), page.now));
    assert_eq!((&*page.client.sender().0.0, page.client.user_id()), ("second", Some("bob")));
    assert_eq!(page.views(), Some(ValueRef::Number(0.0)));
}

#[test]
fn an_older_bundle_and_foreign_bytes_change_nothing() {
    let mut page = PageRig::new();
    assert_eq!(page.client.handle_bundle(&bundle(1), page.now), Ok(false));
    assert!(page.client.handle_bundle(b"not a bundle", page.now).is_err());
    assert!(page.client.handle_profile(b"not a view", page.now).is_err());
    assert_eq!(page.client.bundle_revision(), 1);
}

#[test]
fn a_clock_that_is_off_is_corrected_by_what_the_collector_shifted() {
    let mut page = PageRig::new();
    page.track("add_to_cart", "{}");
    let due = page.client.wake_at().expect("time matters now");
    let Poll::Send(request) = page.client.poll_send(page.now, 0) else {
        panic!("there is something to send")
    };
    let receipt = Receipt { accepted: 1, clock_shift_ms: 7_200_000, ..Receipt::default() };
    page.client.handle_outcome(request.id, Outcome::Receipt(Box::new(receipt)), page.now, 0);
    let instant = page.client.signal("cart_at", None, page.now);
    assert_eq!(instant, Some(ValueRef::Text(&format!("{}", page.now.wall.plus(7_200_000)))));
    page.client.handle_wake(page.now);
    assert_eq!(page.client.wake_at(), Some(due), "by this host's clock the offer is due as before");
}

#[test]
fn a_long_time_without_a_collector_folds_into_the_base_and_counts_on() {
    let mut page = PageRig::new();
    for _ in 0..crate::limits::OVERLAY_EVENTS * 2 {
        page.track("page_view", HATS);
    }
    assert_eq!(page.views(), Some(ValueRef::Number((crate::limits::OVERLAY_EVENTS * 2) as f64)));
    let older = crate::profile::ProfileView { version: 9, ..Default::default() }.encode();
    assert_eq!(page.client.handle_profile(&older, page.now), Ok(false), "it does not cover what has folded");
}
