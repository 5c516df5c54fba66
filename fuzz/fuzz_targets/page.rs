//! Any bytes as the bundle of a page: taken in, decided by, asked about patterns, left; a page comes to rest.
//!
//! The first byte says whether a view of the profile stands in front of the bundle.
#![no_main]

use attune_core::client::{Client, ClientOptions, MemoryStore, TextTrack};
use attune_core::condition::{Engine, Matcher, Pattern};
use attune_core::id::{EventId, LaneId, MemberId, SessionId, Uuid};
use attune_core::limits::MAX_PATTERN_QUESTIONS;
use attune_core::queue::QueueOptions;
use attune_core::time::{Monotonic, Now, Timestamp};
use attune_core::value::parse;
use attune_core::wire::Priority;
use attune_fuzz::{ATTRIBUTES, sealed};
use libfuzzer_sys::fuzz_target;

/// Turns in which a page has all its questions answered: one for what is shown, one for what follows from the answers.
const TURNS: usize = 8;

fuzz_target!(|data: &[u8]| {
    let Some((kind, content)) = data.split_first() else { return };
    let (view, body) = match kind {
        b'V' => content.split_at(content.first().map_or(0, |length| usize::from(*length)).min(content.len())),
        _ => (&[][..], content),
    };
    let mut page = Page::new();
    if let Err(error) = page.client.handle_bundle(&sealed(body), page.now) {
        return assert!(!error.code().is_empty());
    }
    let context = parse(ATTRIBUTES).unwrap_or_default();
    page.client.handle_context(context, ATTRIBUTES.len(), page.now);
    page.rest();
    if let Some(view) = view.get(1..) {
        let _ = page.client.handle_profile(view, page.now);
        page.rest();
    }
    for event_type in ["page_view", "click", "attune.shown"] {
        page.track(event_type);
        page.wait(700);
    }
    page.wait(86_400_000);
    // A second bundle of the same revision changes nothing.
    assert_eq!(page.client.handle_bundle(&sealed(body), page.now), Ok(false));
    page.client.handle_leave(page.now);
});

struct Page {
    client: Client,
    stored: MemoryStore,
    engine: Engine,
    now: Now,
    events: u128,
}

impl Page {
    fn new() -> Self {
        let now = Now { wall: Timestamp(1_795_000_000_000), monotonic: Monotonic(5_000) };
        let options = ClientOptions {
            member: MemberId("m".into()),
            lane: LaneId(Uuid::from_u128(1)),
            session: SessionId(Uuid::from_u128(9)),
            queue: QueueOptions { max_batch_events: 50, max_batch_bytes: 50_000, max_queue_bytes: 1_000_000 },
        };
        let (client, stored) = (Client::new(options, now), MemoryStore::default());
        Self { client, stored, engine: Engine::default(), now, events: 0 }
    }

    fn track(&mut self, event_type: &str) {
        self.events += 1;
        let track = TextTrack {
            event_id: EventId(Uuid::from_u128(self.events)),
            event_type,
            session: SessionId(Uuid::from_u128(9)),
            metadata: r#"{"category":"shoes","price":12.5,"rule":"a","key":"shoes"}"#,
            priority: Priority::Normal,
        };
        assert!(self.stored.track(&mut self.client, track, self.now).is_ok());
        self.rest();
    }

    fn wait(&mut self, ms: i64) {
        self.now = Now { wall: self.now.wall.plus(ms), monotonic: self.now.monotonic.plus(ms as u64) };
        self.client.handle_wake(self.now);
        self.rest();
    }

    /// Does what the page asks of its host, until it asks nothing any more.
    fn rest(&mut self) {
        for _ in 0..TURNS {
            self.client.take_store().iter().for_each(|write| self.stored.apply(write));
            self.client.take_decisions();
            self.client.take_exposures();
            let questions = self.client.questions().to_vec();
            assert!(questions.len() <= MAX_PATTERN_QUESTIONS);
            if questions.is_empty() {
                return;
            }
            let answers = questions.iter().map(|question| self.answer(question)).collect();
            self.client.handle_matches(answers, self.now);
        }
        panic!("the page goes on asking");
    }

    /// What a host's engine says; a pattern that ours does not take has no match.
    fn answer(&self, question: &str) -> bool {
        let mut parts = question.splitn(3, '\n');
        let (flags, source) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let text = parts.next().unwrap_or_default();
        self.engine.matches(Pattern { source, flags }, text).unwrap_or(false)
    }
}
