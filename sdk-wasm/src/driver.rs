//! The driver: one input to the client, then everything drained that it wants done.

mod adopt;
mod bundles;
mod changes;
mod deliver;
mod fresh;
mod panel;
mod push;
mod turns;

use crate::browser::dom::{DomProblem, Page};
use crate::browser::lifecycle::Lifecycle;
use crate::browser::storage::Storage;
use crate::browser::timer::Timer;
use crate::host::{Fault, Host};
use adopt::Locks;
use attune_core::client::{Client, ClientOptions, StoreOp, Track};
use attune_core::id::{LaneId, MemberId, SessionId};
use attune_core::limits::SESSION_MAX_MS;
use attune_core::time::{Now, Timestamp};
use attune_core::wire::Priority;
use bundles::Bundles;
use changes::{changes_of, decision_json};
use deliver::Delivery;
use fresh::{fresh_lane, fresh_member, now, queue_options};
use push::Push;
use std::cell::{Cell, OnceCell, RefCell};

/// Prefix of the client's own entries in the site's store.
const CORE: &str = "core/";
/// Key of the `anonymous_id`.
const MEMBER: &str = "member";

/// One client, for as long as its page lives: whatever calls back later may hold it.
pub struct Driver {
    host: Host,
    site: Site,
    client: RefCell<Client>,
    storage: &'static Storage,
    page: OnceCell<Page>,
    locks: Locks,
    delivery: Delivery,
    bundles: Bundles,
    push: Push,
    wake: Timer,
    wake_at: Cell<Option<Timestamp>>,
    lifecycle: RefCell<Option<Lifecycle>>,
    /// Who sends, as the store and the locks know it.
    sender: RefCell<(MemberId, LaneId)>,
    lane_state: Cell<LaneState>,
}

/// Where the collector is, and under which key.
struct Site {
    write_key: Box<str>,
    collector: Box<str>,
}

/// Whether the lane can take another event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LaneState {
    /// Until it is 24 h old; begun at this wall time.
    Open { since_ms: i64 },
    /// The page has left; if it comes back, its next event begins a new lane.
    Left,
    /// The client has ended; answers that are still on their way change nothing on the page.
    Ended,
}

impl Driver {
    /// Starts a client with what is stored of its member; the lanes of other page loads follow.
    pub fn start(host: Host, write_key: &str, collector: &str, session: SessionId) -> &'static Self {
        let now = now();
        let told = host.clone();
        let storage = Storage::open(["attune/", write_key, "/"].concat(), move || {
            told.error(
                "storage_full",
                "the quota of localStorage is used up; what is not delivered is lost with the page",
                false,
            );
        });
        let stored = storage.get(MEMBER).and_then(|bytes| String::from_utf8(bytes).ok());
        let member = stored.filter(|text| !text.is_empty()).map_or_else(
            || {
                let member = fresh_member(now);
                storage.put(MEMBER, member.0.as_bytes());
                member
            },
            |text| MemberId(text.into()),
        );
        let lane = fresh_lane(now);
        let options = ClientOptions { member: member.clone(), lane, session, queue: queue_options() };
        let driver: &'static Self = Box::leak(Box::new(Self {
            host,
            site: Site { write_key: write_key.into(), collector: collector.into() },
            client: RefCell::new(Client::new(options, now)),
            page: OnceCell::new(),
            locks: Locks::new(write_key),
            delivery: Delivery::default(),
            bundles: Bundles::default(),
            push: Push::new(storage, &member),
            storage,
            wake: Timer::default(),
            wake_at: Cell::default(),
            lifecycle: RefCell::default(),
            sender: RefCell::new((member, lane)),
            lane_state: Cell::new(LaneState::Open { since_ms: now.wall.0 }),
        }));
        if storage.is_blocked() {
            let message = "the browser blocks localStorage; what is not delivered is lost with the page";
            driver.report("storage_blocked", message, Fault::Environment);
        }
        if let Some(page) = Page::new(|problem| driver.report_problem(&problem)) {
            let _ = driver.page.set(page);
        }
        driver.watch_turns();
        driver.adopt();
        driver
    }

    /// Captures an event.
    pub fn track(&'static self, track: &Track<'_>) {
        self.open_lane();
        let outcome = self.input(|client, now| client.handle_track(track, now));
        if let Err(rejection) = outcome {
            let message = [track.event_type, ": ", &rejection.message()].concat();
            self.report(rejection.code(), &message, Fault::Usage);
        }
        if track.priority == Priority::Critical {
            self.storage.flush_soon();
        }
    }

    /// Binds the member to a user.
    pub fn identify(&'static self, user_id: &str) {
        self.open_lane();
        self.input(|client, now| client.handle_identify(user_id, (fresh_member(now), fresh_lane(now)), now));
    }

    /// Begins a new member.
    pub fn reset(&'static self, session: SessionId) {
        self.input(|client, now| client.handle_reset(fresh_member(now), fresh_lane(now), session, now));
        // Other tabs follow when they see the new member.
        self.storage.flush();
    }

    /// Becomes the member that another tab has begun and stored.
    pub fn follow(&'static self, member: MemberId, session: SessionId) {
        if self.sender.borrow().0 != member {
            self.input(|client, now| client.handle_follow(member, fresh_lane(now), session, now));
        }
    }

    /// Merges a JSON object into the context.
    pub fn set_context(&'static self, values: &str) {
        if let Err(error) = self.input(|client, now| client.handle_context(values, now)) {
            self.report(error.code(), "setContext: values are no JSON object", Fault::Usage);
        }
    }

    /// Reads something out of the client.
    pub fn ask<Answer>(&'static self, question: impl FnOnce(&Client, Now) -> Answer) -> Answer {
        question(&self.client.borrow(), now())
    }

    /// One input, then everything drained. Neither may run while the client is borrowed, for both can call back.
    fn input<Output>(&'static self, act: impl FnOnce(&mut Client, Now) -> Output) -> Output {
        let output = act(&mut self.client.borrow_mut(), now());
        self.drain();
        output
    }

    fn drain(&'static self) {
        self.drain_writes();
        if self.lane_state.get() == LaneState::Ended {
            return;
        }
        self.note_sender();
        while let Some(change) = self.poll(Client::poll_decision) {
            if let Some(page) = self.page.get() {
                page.set(&change.slot, changes_of(change.decision.as_ref()));
            }
            self.host.decision(&change.slot, change.decision.as_ref().map(decision_json));
        }
        while let Some(metadata) = self.poll(Client::poll_shown) {
            self.host.shown(&metadata);
        }
        self.set_wake();
        self.request_delivery();
        self.host.changed();
    }

    fn poll<Output>(&'static self, poll: impl FnOnce(&mut Client) -> Output) -> Output {
        poll(&mut self.client.borrow_mut())
    }

    fn drain_writes(&'static self) {
        while let Some(write) = self.poll(Client::poll_store) {
            match write {
                StoreOp::Put { key, value } => self.storage.put(&[CORE, &key].concat(), &value),
                StoreOp::Delete { key } => self.storage.delete(&[CORE, &key].concat()),
            }
        }
    }

    /// Stores a new member, locks a new lane, and ends a stream that belonged to another member.
    fn note_sender(&'static self) {
        let (member, lane) = {
            let client = self.client.borrow();
            let (member, lane) = client.sender();
            let known = self.sender.borrow();
            if (member, lane) == (&known.0, known.1) {
                return;
            }
            (member.clone(), lane)
        };
        self.lane_state.set(LaneState::Open { since_ms: now().wall.0 });
        let before = self.sender.replace((member.clone(), lane));
        self.locks.hold(lane);
        if before.0 != member {
            self.storage.put(MEMBER, member.0.as_bytes());
            self.forget_push();
        }
    }

    fn set_wake(&'static self) {
        let wake_at = self.client.borrow().wake_at();
        if wake_at == self.wake_at.replace(wake_at) && self.wake.is_set() == wake_at.is_some() {
            return;
        }
        let Some(at) = wake_at else { return self.wake.clear() };
        let delay = at.since(now().wall).max(0) as u64;
        self.wake.set(delay, || self.input(Client::handle_wake));
    }

    /// A lane ends with its page, and after 24 h.
    fn open_lane(&'static self) {
        let now = now();
        let is_open = match self.lane_state.get() {
            LaneState::Open { since_ms } => now.wall.0 - since_ms < SESSION_MAX_MS,
            LaneState::Left => false,
            LaneState::Ended => true,
        };
        if !is_open {
            self.poll(|client| client.handle_lane(fresh_lane(now)));
            self.note_sender();
        }
    }

    fn report(&'static self, code: &str, message: &str, fault: Fault) {
        self.host.error(code, message, fault == Fault::Usage);
    }

    fn report_problem(&'static self, problem: &DomProblem) {
        let (code, what, target) = match problem {
            DomProblem::Refused(target) => ("action_refused", "the browser refuses an action on ", target),
            DomProblem::Loop(target) => ("action_loop", "the page keeps undoing an action on ", target),
        };
        self.report(code, &[what, target].concat(), Fault::Usage);
    }
}
