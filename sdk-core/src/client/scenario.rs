//! A page's life in small, as its host would drive it.

mod caps;

use super::{Client, ClientOptions, MemoryStore, TextTrack};
use crate::bundle::author::{SourceFile, compile};
use crate::bundle::{BundleError, Header, SIGNATURE_BYTES, attach_signature, seal_envelope};
use crate::condition::{Consent, Purpose};
use crate::experiment::{Exposure, exposure_id};
use crate::filter::Policy;
use crate::id::{EventId, LaneId, MemberId, SessionId, Uuid};
use crate::limits::BUNDLE_GRACE_MS;
use crate::profile::{Latch, ProfileView};
use crate::queue::{Outcome, Poll, QueueOptions};
use crate::time::{Monotonic, Now, Timestamp};
use crate::value::{ValueRef, parse};
use crate::wire::{Priority, ResultKind};
use alloc::string::String;
use alloc::vec::Vec;
use std::format;

const RULES: &str = r#"{
  "signals": [
    {"name":"views","on":"page_view","by":"metadata.category","aggregate":"count","window":"session"},
    {"name":"cart_at","on":"add_to_cart","aggregate":"last_at","window":"lifetime"}
  ],
  "experiments": [{"id":"look","variations":[{"key":"a"},{"key":"b"}],"seed":"s"}],
  "rules": [
    {"id":"look","slot":"look","when":{"context.look":true,"experiments.look":"b"},
     "actions":[{"kind":"variable","name":"look","value":"b"}]},
    {"id":"third","slot":"hero","on":"page_view",
     "when":{"$signal":{"name":"views","key":{"$path":"event.metadata.category"},"is":{"$gte":3}}},
     "actions":[{"kind":"variable","name":"hero","value":"third"}]},
    {"id":"rescue","slot":"offer","when":{"signals.cart_at":{"$before":"-20s"}},"cap":{"per":"session","count":1},
     "actions":[{"kind":"text","target":"h2","value":"Hello {{traits.name|there}}"}]},
    {"id":"phone","slot":"layout","when":{"context.device.class":"phone"},
     "actions":[{"kind":"class","target":"body","add":["phone"]}]},
    {"id":"promo","slot":"bar","on":"promo","hold":"until_next_holder",
     "actions":[{"kind":"variable","name":"bar","value":"promo"}]},
    {"id":"sale","slot":"side","when":{"context.path":{"$regex":"^/sale(/|$)"},"context.ref":{"$not":{"$regex":"^bad"}}},
     "actions":[{"kind":"variable","name":"side","value":"sale"}]},
    {"id":"green","slot":"found","on":"search","when":{"event.metadata.words":{"$regexi":"grün"}},
     "actions":[{"kind":"variable","name":"found","value":"green"}]},
    {"id":"vip","slot":"bar","priority":5,"when":{"context.vip":true},
     "actions":[{"kind":"variable","name":"bar","value":"vip"}]}
  ]
}"#;

struct PageRig {
    client: Client,
    stored: MemoryStore,
    now: Now,
    ids: u128,
}

impl PageRig {
    fn new() -> Self {
        Self::restored(MemoryStore::default(), 1)
    }

    fn restored(stored: MemoryStore, lane: u128) -> Self {
        Self::restored_as("visitor", stored, lane)
    }

    fn restored_as(member: &str, stored: MemoryStore, lane: u128) -> Self {
        Self::opened(member, stored, lane, &bundle(1))
    }

    fn opened(member: &str, stored: MemoryStore, lane: u128, bundle: &[u8]) -> Self {
        let now = Now { wall: Timestamp(1_790_000_000_000), monotonic: Monotonic(5_000) };
        let options = ClientOptions {
            member: MemberId(member.into()),
            lane: LaneId(Uuid::from_u128(lane)),
            session: SessionId(Uuid::from_u128(9)),
            queue: QueueOptions { max_batch_events: 50, max_batch_bytes: 50_000, max_queue_bytes: 1_000_000 },
        };
        let mut client = Client::new(options, now);
        assert_eq!(client.handle_bundle(bundle, now), Ok(true));
        assert_eq!(stored.restore(&mut client, |_| false, now), []);
        let mut rig = Self { client, stored, now, ids: lane * 1_000 };
        rig.drain();
        rig
    }

    fn track(&mut self, event_type: &str, metadata: &str) -> EventId {
        self.ids += 1;
        let event_id = EventId(Uuid::from_u128(self.ids));
        let session = SessionId(Uuid::from_u128(9));
        let track = TextTrack { event_id, event_type, session, metadata, priority: Priority::Normal };
        assert!(self.stored.track(&mut self.client, track, self.now).is_ok());
        self.drain();
        event_id
    }

    fn wait(&mut self, ms: i64) {
        self.now = Now { wall: self.now.wall.plus(ms), monotonic: self.now.monotonic.plus(ms as u64) };
        self.client.handle_wake(self.now);
        self.drain();
    }

    fn drain(&mut self) {
        self.client.take_store().iter().for_each(|write| self.stored.apply(write));
    }

    /// Sends what waits; returns the request's id and body.
    fn send(&mut self) -> (u64, String) {
        assert_eq!(self.client.poll_send(self.now), Poll::Send, "there is something to send");
        let request = self.client.in_flight();
        request.map(|request| (request.id, self.stored.body(request, self.now))).unwrap_or_default()
    }

    fn context(&mut self, text: &str) {
        let context = parse(text);
        assert!(context.is_ok(), "{text}");
        self.client.handle_context(context.unwrap_or_default(), text.len(), self.now);
    }

    /// Answers every question that the page has now; returns how many there were.
    fn answer(&mut self, answer: fn(&str, &str) -> bool) -> usize {
        let answers: Vec<bool> = self
            .client
            .questions()
            .iter()
            .map(|asked| {
                let mut lines = asked.splitn(3, '\n').skip(1);
                answer(lines.next().unwrap_or_default(), lines.next().unwrap_or_default())
            })
            .collect();
        let count = answers.len();
        self.client.handle_matches(answers, self.now);
        count
    }

    fn views(&self) -> Option<ValueRef<'_>> {
        self.client.signal("views", Some("hats"), self.now)
    }

    fn stored_events(&self) -> usize {
        self.stored.events()
    }
}

fn bundle(revision: u64) -> Vec<u8> {
    bundle_until(revision, None)
}

fn bundle_until(revision: u64, expires: Option<Timestamp>) -> Vec<u8> {
    sealed(RULES, revision, expires)
}

/// An experiment whose assignments stick, with another variation for those who are new.
fn sticky_bundle(revision: u64, [a, b]: [u8; 2]) -> Vec<u8> {
    let rules = format!(
        r#"{{"experiments":[{{"id":"look","sticky":true,
               "variations":[{{"key":"a","weight":{a}}},{{"key":"b","weight":{b}}}]}}],
             "rules":[{{"id":"a","slot":"look","when":{{"experiments.look":"a"}},"actions":[]}},
                      {{"id":"b","slot":"look","when":{{"experiments.look":"b"}},"actions":[]}}]}}"#
    );
    sealed(&rules, revision, None)
}

fn sealed(rules: &str, revision: u64, expires: Option<Timestamp>) -> Vec<u8> {
    let compiled = compile(&[SourceFile { name: "rules.json".into(), text: rules.into() }]);
    assert!(compiled.diagnostics.is_empty(), "{:?}", compiled.diagnostics);
    let header = Header {
        project: "p",
        environment: "e",
        revision,
        parent: None,
        not_before: None,
        expires,
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
    let changes = page.client.take_decisions();
    assert!(changes.iter().any(|change| &*change.slot == "offer" && change.is_shown), "{changes:?}");
}

#[test]
fn context_decides_levels_for_as_long_as_it_says_so() {
    let mut page = PageRig::new();
    page.context(r#"{"device":{"class":"phone"}}"#);
    assert!(page.client.decision("layout").is_some());
    page.context("{}");
    assert_eq!(page.client.decision("layout"), None);
}

#[test]
fn a_bundle_past_its_end_and_grace_stops_until_another_comes() {
    let mut page = PageRig::new();
    let end = page.now.wall.plus(60_000);
    assert_eq!(page.client.handle_bundle(&bundle_until(2, Some(end)), page.now), Ok(true));
    page.context(r#"{"device":{"class":"phone"}}"#);
    page.track("page_view", HATS);
    assert_eq!(page.client.wake_at(), Some(end.plus(BUNDLE_GRACE_MS + 1)));
    page.wait(60_000 + BUNDLE_GRACE_MS);
    assert!(page.client.decision("layout").is_some() && !page.client.take_expired());
    page.wait(1);
    assert_eq!(page.client.decision("layout"), None);
    let changes = page.client.take_decisions();
    assert!(changes.iter().any(|change| &*change.slot == "layout" && change.decision.is_none()));
    assert!(page.client.take_expired() && !page.client.take_expired());
    assert_eq!((page.client.wake_at(), page.client.bundle_revision()), (None, 2));
    page.track("page_view", HATS);
    page.track("page_view", HATS);
    assert_eq!(page.client.variable("hero"), None, "a rule that has ended latches nothing");
    assert_eq!(page.views(), Some(ValueRef::Number(3.0)), "signals count on");
    assert_eq!(page.client.handle_bundle(&bundle(3), page.now), Ok(true));
    assert!(page.client.decision("layout").is_some());
}

#[test]
fn a_bundle_that_a_statement_names_is_taken_whatever_its_revision() {
    let mut page = PageRig::new();
    assert_eq!(page.client.handle_bundle(&bundle(8), page.now), Ok(true));
    assert_eq!(page.client.handle_bundle(&bundle(7), page.now), Ok(false));
    assert_eq!(page.client.handle_bundle_above(&bundle(7), 0, page.now), Ok(true));
    assert_eq!(page.client.bundle_revision(), 7);
    assert_eq!(page.client.handle_bundle_above(b"ATNB", 0, page.now), Err(BundleError::Truncated));
    assert_eq!(page.client.bundle_revision(), 7);
}

#[test]
fn what_the_visitor_takes_back_empties_its_slots_until_it_is_granted_again() {
    let mut page = PageRig::new();
    page.context(r#"{"device":{"class":"phone"}}"#);
    assert!(page.client.decision("layout").is_some());
    page.client.handle_consent(Consent::of(&[Purpose::Functional, Purpose::Analytics]), page.now);
    assert_eq!(page.client.decision("layout"), None);
    page.client.handle_consent(Consent::default(), page.now);
    assert!(page.client.decision("layout").is_some());
}

#[test]
fn a_variation_is_exposed_once_in_a_session_under_an_id_that_follows_from_it() {
    let mut page = PageRig::new();
    assert_eq!(page.client.take_exposures(), [], "no rule has had to read it");
    page.context(r#"{"look":true}"#);
    let exposures = page.client.take_exposures().to_vec();
    let exposed = exposures.first().expect("the rule has read it");
    let exposure = Exposure {
        unit: "visitor",
        experiment: "look",
        variation: &exposed.variation,
        bucket_version: 0,
        session: Some(SessionId(Uuid::from_u128(9))),
    };
    assert_eq!((exposures.len(), exposed.event_id.0), (1, exposure_id(&exposure)));
    assert_eq!(page.client.variable("look").is_some(), &*exposed.variation == "b");
    page.context("{}");
    page.context(r#"{"look":true}"#);
    assert_eq!(page.client.take_exposures(), [], "it has been told of");
    let metadata =
        format!(r#"{{"experiment":"look","variation":"{}","bucket_version":0}}"#, exposed.variation);
    page.track("attune.exposure", &metadata);
    let mut reloaded = PageRig::restored(page.stored, 2);
    reloaded.context(r#"{"look":true}"#);
    assert_eq!(reloaded.client.take_exposures(), [], "the session has seen it");
    let mut other = PageRig::restored_as("another", MemoryStore::default(), 3);
    other.context(r#"{"look":true}"#);
    assert_eq!(other.client.take_exposures().len(), 1);
}

#[test]
fn an_assignment_sticks_at_once_and_over_a_reload() {
    let look = |page: &PageRig| page.client.decision("look").map(|held| held.rule.clone());
    let (only_a, only_b) = (sticky_bundle(2, [1, 0]), sticky_bundle(1, [0, 1]));
    let mut page = PageRig::opened("visitor", MemoryStore::default(), 1, &only_b);
    let exposed = page.client.take_exposures().first().cloned().expect("the rules have read it");
    assert_eq!((&*exposed.variation, look(&page).as_deref()), ("b", Some("b")));
    let metadata = r#"{"experiment":"look","variation":"b","bucket_version":0}"#;
    page.track("attune.exposure", metadata);
    assert_eq!(page.client.handle_bundle(&only_a, page.now), Ok(true));
    assert_eq!(look(&page).as_deref(), Some("b"), "the exposure counts before anybody has it");
    assert_eq!(look(&PageRig::opened("visitor", page.stored, 2, &only_a)).as_deref(), Some("b"));
    assert_eq!(look(&PageRig::opened("another", MemoryStore::default(), 3, &only_a)).as_deref(), Some("a"));
}

#[test]
fn a_rejected_event_leaves_the_count_and_the_store() {
    let mut page = PageRig::new();
    page.track("page_view", HATS);
    let refused = page.track("page_view", HATS);
    let (request, _) = page.send();
    let outcome = Outcome::Receipt([(refused, ResultKind::Rejected)].into());
    page.client.handle_outcome(request, outcome, page.now, 0);
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
    let (_, body) = next.send();
    let first_lane = format!("{}", Uuid::from_u128(1));
    assert!(body.contains(&format!(r#""closed":[{{"lane":"{first_lane}","count":1"#)), "{body}");
}

#[test]
fn what_another_member_has_left_is_sent_as_theirs_and_not_counted() {
    let mut page = PageRig::new();
    page.track("page_view", HATS);
    let mut next = PageRig::restored_as("another", page.stored, 2);
    assert_eq!(next.views(), Some(ValueRef::Number(0.0)));
    let (_, body) = next.send();
    assert!(
        body.contains(r#""anonymous_id":"another""#) && body.contains(r#""anonymous_id":"visitor""#),
        "{body}"
    );
}

#[test]
fn metadata_that_is_no_object_is_refused_and_takes_no_number() {
    let mut page = PageRig::new();
    for metadata in ["[]", "7", r#"{"a":"\ud800"}"#, "{"] {
        let track = TextTrack {
            event_id: EventId(Uuid::from_u128(5)),
            event_type: "page_view",
            session: SessionId(Uuid::from_u128(9)),
            metadata,
            priority: Priority::Normal,
        };
        let refused = page.stored.track(&mut page.client, track, page.now);
        let told = refused.map_err(|rejection| (rejection.code(), rejection.field(), rejection.message()));
        assert_eq!(
            told,
            Err(("metadata_not_an_object", "metadata", "metadata is not a JSON object".into())),
            "{metadata}"
        );
    }
    page.track("page_view", HATS);
    assert!(page.send().1.contains(r#""seq":1"#));
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
fn a_latch_that_has_ended_stays_ended_over_a_reload_whatever_the_base_says() {
    let mut page = PageRig::new();
    let event_id = page.track("promo", "{}");
    let (rule, at) = ("promo".into(), page.now.wall);
    let latch = Latch { rule, key: None, at, event_id, session: None, until: None };
    let view = ProfileView { version: 1, latches: [latch].into(), ..ProfileView::default() };
    assert_eq!(page.client.handle_profile(&view.encode(), page.now), Ok(true));
    page.context(r#"{"vip":true}"#);
    page.context("{}");
    page.drain();
    assert_eq!(page.client.decision("bar"), None);
    assert_eq!(PageRig::restored(page.stored, 2).client.decision("bar"), None);
}

#[test]
fn the_host_hears_of_a_filter_policy_when_it_changes_and_of_no_other() {
    let mut page = PageRig::new();
    let bundle = |revision: u64, filter: &str| sealed(&format!(r#"{{"rules":[]{filter}}}"#), revision, None);
    assert_eq!(page.client.take_policy(), None, "the first bundle has none");
    let mut heard = Vec::new();
    for (revision, filter) in
        [(2, ""), (3, r#","filter":{"deny":["x"]}"#), (4, r#","filter":{"deny":["x"]}"#), (5, "")]
    {
        page.client.handle_bundle(&bundle(revision, filter), page.now).expect("sound");
        heard.push(
            page.client
                .take_policy()
                .map(|policy| Policy::decode(policy).map(|policy| policy.deny.len()).ok()),
        );
    }
    assert_eq!(heard, [None, Some(Some(1)), None, Some(None)]);
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
    let (request, _) = page.send();
    page.client.handle_clock_shift(7_200_000);
    page.client.handle_outcome(request, Outcome::Receipt(Vec::new()), page.now, 0);
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

#[test]
fn the_profile_of_the_linked_user_stays_where_the_members_own_comes_after_it() {
    let mut page = PageRig::new();
    let view = |version, user_id: Option<&str>| {
        let user_id = user_id.map(Into::into);
        crate::profile::ProfileView { version, user_id, ..Default::default() }.encode()
    };
    let take = |page: &mut PageRig, version, user| page.client.handle_profile(&view(version, user), page.now);
    assert_eq!(take(&mut page, 7, None), Ok(true));
    assert_eq!(take(&mut page, 2, Some("ada")), Ok(true), "versions are those of one profile");
    // As where a page reads what it has stored before it was pushed the other.
    assert_eq!(take(&mut page, 7, None), Ok(false));
    assert_eq!(take(&mut page, 8, None), Ok(false));
    assert_eq!(take(&mut page, 1, Some("ada")), Ok(false));
    assert_eq!(take(&mut page, 3, Some("ada")), Ok(true));
    page.client.handle_stream_gap();
    assert_eq!(take(&mut page, 9, None), Ok(true), "what follows a gap is what there is");
}

#[test]
fn a_regular_expression_is_unknown_until_the_host_answers_and_is_asked_once() {
    let mut page = PageRig::new();
    let starts =
        |source: &str, text: &str| text.starts_with(source.trim_start_matches('^').trim_end_matches("(/|$)"));
    page.answer(starts);
    page.context(r#"{"path":"/sale/hats"}"#);
    assert_eq!(page.client.variable("side"), None);
    assert_eq!(page.answer(starts), 1, "that nothing is said of the referrer is known");
    assert_eq!(page.client.variable("side"), Some(ValueRef::Text("sale")));
    page.context(r#"{"path":"/","ref":"bad"}"#);
    page.answer(starts);
    assert_eq!(page.client.variable("side"), None);
    page.context(r#"{"path":"/sale/hats"}"#);
    assert_eq!((page.answer(starts), page.client.variable("side")), (0, Some(ValueRef::Text("sale"))));
}

#[test]
fn an_event_is_judged_again_when_its_question_is_answered() {
    let mut page = PageRig::new();
    page.answer(|_, _| false);
    page.track("search", r#"{"words":"GRÜNE Hüte"}"#);
    assert_eq!(page.client.variable("found"), None);
    assert_eq!(page.answer(|source, text| (source, text) == ("grün", "GRÜNE Hüte")), 1);
    assert_eq!(page.client.variable("found"), Some(ValueRef::Text("green")));
    assert_eq!(page.answer(|_, _| false), 0);
    assert_eq!(page.client.variable("found"), Some(ValueRef::Text("green")));
}
