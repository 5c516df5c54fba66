//! Browsers: a store that survives, and pages that come and go, each with the product's own client.

use crate::{Clock, Collector};
use attune_core::client::{Client, ClientOptions, MemoryStore, TextTrack};
use attune_core::id::{EventId, LaneId, MemberId, SessionId, Uuid, uuid_v7};
use attune_core::limits;
use attune_core::queue::{News, Outcome, Poll, QueueOptions};
use attune_core::value::ValueRef;
use attune_core::wire::Priority;

/// One browser: what it has stored, and its open pages.
#[derive(Debug)]
pub struct Browser {
    member: MemberId,
    stored: MemoryStore,
    ids: u64,
    bundle: Vec<u8>,
    /// Open pages.
    pub pages: Vec<Page>,
}

/// One page load.
#[derive(Debug)]
pub struct Page {
    client: Client,
    /// Its events in its own memory; another page that has adopted the same ones may forget them.
    memory: MemoryStore,
    /// The request on its way, with its body.
    in_flight: Option<(u64, String)>,
    /// Bodies that have left before; the network may bring them again.
    pub sent: Vec<String>,
}

/// What the network does to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Request and receipt arrive.
    Works,
    /// The request does not arrive.
    LosesRequest,
    /// The request arrives, its receipt does not.
    LosesReceipt,
}

/// What a page wants of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Events are to be brought to the collector.
    Request(String),
    /// Somebody is to say whether the collector can be reached.
    Probe,
    /// Nothing.
    Nothing,
}

impl Browser {
    /// A browser that has never been here.
    pub fn new(name: &str, bundle: Vec<u8>) -> Self {
        Self {
            member: MemberId(name.into()),
            stored: MemoryStore::default(),
            ids: 0,
            bundle,
            pages: Vec::new(),
        }
    }

    /// The member that this browser is.
    pub const fn member(&self) -> &MemberId {
        &self.member
    }

    /// Opens a page; it takes back what pages that are gone have left.
    pub fn open(&mut self, clock: Clock) {
        let options = ClientOptions {
            member: self.member.clone(),
            lane: LaneId(self.fresh(clock)),
            session: SessionId(Uuid::from_u128(7)),
            queue: QueueOptions {
                max_batch_events: 4,
                max_batch_bytes: limits::PAGE_BATCH_BYTES,
                max_queue_bytes: limits::PAGE_QUEUE_BYTES,
            },
        };
        let mut client = Client::new(options, clock.now());
        let opened = client.handle_bundle(&self.bundle, clock.now());
        assert_eq!(opened, Ok(true), "the bundle opens");
        let is_alive = |lane: LaneId| self.pages.iter().any(|page| page.client.sender().1 == lane);
        let unreadable = self.stored.restore(&mut client, is_alive, clock.now());
        assert!(unreadable.is_empty(), "everything stored is readable: {unreadable:?}");
        self.pages.push(Page { client, memory: self.stored.clone(), in_flight: None, sent: Vec::new() });
        self.keep();
    }

    /// Closes a page without a farewell, as a crash does.
    pub fn crash(&mut self, page: usize) {
        self.keep();
        self.pages.remove(page);
    }

    /// Tracks an event on a page.
    pub fn track(&mut self, page: usize, event_type: &str, metadata: &str, clock: Clock) {
        let event_id = EventId(self.fresh(clock));
        let session = SessionId(Uuid::from_u128(7));
        let track = TextTrack { event_id, event_type, session, metadata, priority: Priority::Normal };
        let subject = &mut self.pages[page];
        let tracked = subject.memory.track(&mut subject.client, track, clock.now());
        assert!(tracked.is_ok(), "the event is within bounds: {tracked:?}");
        if let Ok(number) = tracked {
            subject.memory.share(number, &mut self.stored);
        }
        self.keep();
    }

    /// Logs the user in on a page, which tells the collector by an event of its own.
    pub fn identify(&mut self, page: usize, user_id: &str, clock: Clock) {
        let fresh = (self.member.clone(), LaneId(self.fresh(clock)));
        self.pages[page].client.handle_identify(user_id, fresh, clock.now());
        self.track(page, attune_core::wire::IDENTIFY, "{}", clock);
    }

    /// What a page wants of the network now; a request is on its way from then on, until it is [answered](Self::answer).
    pub fn ask(&mut self, page: usize, clock: Clock) -> Wish {
        let now = clock.now();
        let subject = &mut self.pages[page];
        if subject.in_flight.is_none() {
            let polled = subject.client.poll_send(now);
            if polled == Poll::Probe {
                return Wish::Probe;
            }
            if let (Poll::Send, Some(request)) = (polled, subject.client.in_flight()) {
                let body = subject.memory.body(request, now);
                subject.sent.push(body.clone());
                subject.in_flight = Some((request.id, body));
            }
        }
        subject.in_flight.as_ref().map_or(Wish::Nothing, |(_, body)| Wish::Request(body.clone()))
    }

    /// Tells a page whether anybody has answered its probe.
    pub fn hear(&mut self, page: usize, is_answered: bool, clock: Clock) {
        let news = if is_answered { News::Answer } else { News::NoAnswer };
        self.pages[page].client.handle_news(news, clock.now(), 0);
    }

    /// Tells a page what has become of the request on its way.
    pub fn answer(&mut self, page: usize, outcome: Outcome, clock: Clock) {
        let subject = &mut self.pages[page];
        if let Some((request, _)) = subject.in_flight.take() {
            subject.client.handle_outcome(request, outcome, clock.now(), 0);
        }
        self.keep();
    }

    /// Lets a page send what it wants to send, through a network of that kind. Returns whether it wanted to.
    pub fn deliver(
        &mut self,
        page: usize,
        network: Network,
        collector: &mut Collector,
        clock: Clock,
    ) -> bool {
        let body = match self.ask(page, clock) {
            Wish::Nothing => return false,
            Wish::Probe => {
                self.hear(page, network == Network::Works, clock);
                return true;
            }
            Wish::Request(body) => body,
        };
        let receipt = (network != Network::LosesRequest).then(|| collector.receive(&body, clock.now().wall));
        let outcome = match (network, receipt) {
            (Network::Works, Some(receipt)) => Outcome::of_receipt(&receipt),
            _ => Outcome::Network,
        };
        self.answer(page, outcome, clock);
        true
    }

    /// Says on a page that the browser is online, so that it asks although its requests have been blocked.
    pub fn online(&mut self, page: usize) {
        self.pages[page].client.handle_online();
    }

    /// Brings every body that a page has sent to the collector once more.
    pub fn repeat(&self, page: usize, collector: &mut Collector, clock: Clock) {
        for body in &self.pages[page].sent {
            collector.receive(body, clock.now().wall);
        }
    }

    /// Brings the collector's view to a page, as the stream does.
    pub fn push(&mut self, page: usize, collector: &Collector, clock: Clock) {
        if let Some(view) = collector.view(&self.member) {
            self.take_view(page, &view, clock);
        }
    }

    /// Hands a page a view of its profile.
    pub fn take_view(&mut self, page: usize, view: &[u8], clock: Clock) {
        let taken = self.pages[page].client.handle_profile(view, clock.now());
        assert!(taken.is_ok(), "the view is readable");
        self.keep();
    }

    /// Says on a page that the stream begins anew, so that the next view is taken whatever its version.
    pub fn begin_stream(&mut self, page: usize) {
        self.pages[page].client.handle_stream_gap();
    }

    /// A signal's value as a page sees it; nothing counts as zero.
    pub fn signal(&self, page: usize, name: &str, key: Option<&str>, clock: Clock) -> f64 {
        match self.pages[page].client.signal(name, key, clock.now()) {
            Some(ValueRef::Number(number)) => number,
            _ => 0.0,
        }
    }

    /// Events that a page still has to deliver.
    pub fn waiting(&self, page: usize) -> usize {
        self.pages[page].client.status().events
    }

    /// How many events the store holds.
    pub fn stored_events(&self) -> usize {
        self.stored.events()
    }

    fn keep(&mut self) {
        for page in &mut self.pages {
            for write in page.client.take_store() {
                page.memory.apply(&write);
                self.stored.apply(&write);
            }
            page.client.take_decisions();
        }
    }

    fn fresh(&mut self, clock: Clock) -> Uuid {
        self.ids += 1;
        let mut random = [0; 10];
        random[..8].copy_from_slice(&self.ids.to_le_bytes());
        random[8] = self.member.0.as_bytes().first().copied().unwrap_or_default();
        random[9] = self.member.0.as_bytes().last().copied().unwrap_or_default();
        uuid_v7(clock.now().wall, &random)
    }
}
