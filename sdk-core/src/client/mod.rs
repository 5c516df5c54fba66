//! The page's façade: capture, live signals and decisions, delivery; base and overlay without double counting.

mod decisions;
mod overlay;
mod panel;
mod restore;
#[cfg(all(test, feature = "author"))]
mod scenario;
mod settle;
mod store;

use crate::bundle::{Bundle, BundleError};
use crate::codec::CodecError;
use crate::filter::{Rejection, validate_event};
use crate::id::{EventId, LaneId, MemberId, SessionId};
use crate::profile::ProfileView;
use crate::profile::sorted::SortedMap;
use crate::queue::{Outcome, Poll, Queue, QueueOptions, QueueStatus};
use crate::rules::Decision;
use crate::time::{Now, Timestamp};
use crate::value::{JsonError, Packed, PackedObject, ValueRef, parse, write_value};
use crate::wire::{Closed, Event, LaneSeq, Priority};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use decisions::Decisions;
use overlay::Overlay;

/// Who the page starts as.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// The stored or fresh `anonymous_id`.
    pub member: MemberId,
    /// A fresh lane of this page load.
    pub lane: LaneId,
    /// The current session.
    pub session: SessionId,
    /// Delivery settings.
    pub queue: QueueOptions,
}

/// One call of `track()`, with everything fixed at the call.
#[derive(Clone, Debug)]
pub struct Track<'a> {
    /// Id made at the call.
    pub event_id: EventId,
    /// Event type.
    pub event_type: &'a str,
    /// Wall clock at the call.
    pub timestamp: Timestamp,
    /// Session at the call.
    pub session: SessionId,
    /// Metadata as JSON object text.
    pub metadata: Option<&'a str>,
    /// How soon it leaves.
    pub priority: Priority,
}

/// A write that the host is to make durable, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum StoreOp {
    /// Store `value` under `key`.
    Put {
        /// Key, unique within the site's storage namespace.
        key: String,
        /// Bytes, opaque to the host.
        value: Vec<u8>,
    },
    /// Forget `key`.
    Delete {
        /// Key.
        key: String,
    },
}

/// A changed decision for one slot.
#[derive(Clone, Debug, PartialEq)]
pub struct DecisionChange {
    /// The slot.
    pub slot: Box<str>,
    /// The new decision; absent when the slot is empty now.
    pub decision: Option<Decision>,
}

/// The whole client side of one page load. One input, then drain the polls.
#[derive(Debug)]
pub struct Client {
    member: MemberId,
    user_id: Option<Box<str>>,
    lane: LaneId,
    last_seq: u64,
    session: SessionId,
    bundle: Bundle,
    context: Packed,
    overlay: Overlay,
    decisions: Decisions,
    queue: Queue,
    writes: VecDeque<StoreOp>,
    kept: SortedMap<EventId, LaneSeq>,
    tokens: Tokens,
}

/// What receipts have brought.
#[derive(Debug, Default)]
struct Tokens {
    member: Option<Box<str>>,
    stream: Option<Box<str>>,
    bundle_revision: u64,
}

impl Client {
    /// A client with no bundle and no history.
    pub fn new(options: ClientOptions, _now: Now) -> Self {
        Self {
            queue: Queue::new(options.member.clone(), options.lane, options.queue),
            member: options.member,
            user_id: None,
            lane: options.lane,
            last_seq: 0,
            session: options.session,
            bundle: Bundle::default(),
            context: PackedObject::default().finish(),
            overlay: Overlay::default(),
            decisions: Decisions::default(),
            writes: VecDeque::new(),
            kept: SortedMap::default(),
            tokens: Tokens::default(),
        }
    }

    /// Captures an event: lane number, overlay, queue, decisions.
    ///
    /// # Errors
    /// The bound that the event breaks; nothing has changed then.
    pub fn handle_track(&mut self, track: &Track<'_>, now: Now) -> Result<(), Rejection> {
        let mut event = Event {
            event_id: track.event_id,
            event_type: Box::from(track.event_type),
            timestamp: track.timestamp,
            member: self.member.clone(),
            lane: None,
            session: Some(track.session),
            user_id: self.user_id.clone(),
            metadata: track.metadata.map(Box::from),
        };
        validate_event(&event)?;
        self.last_seq += 1;
        event.lane = Some(LaneSeq { lane: self.lane, seq: self.last_seq });
        self.session = track.session;
        self.keep(&event, track.priority);
        self.writes.push_back(store::put_lane(&self.member, self.lane, self.last_seq));
        let evicted = self.queue.push(event.clone(), track.priority, now);
        let event_id = event.event_id;
        self.overlay_push(event);
        self.judge(event_id, now);
        self.give_up(&evicted);
        self.decide(now);
        Ok(())
    }

    /// Merges fields into the page's context; `null` removes one. `values` is JSON object text.
    ///
    /// # Errors
    /// Text that is no JSON object; nothing has changed then.
    pub fn handle_context(&mut self, values: &str, now: Now) -> Result<(), JsonError> {
        let parsed = parse(values)?;
        let changes @ ValueRef::Object(_) = parsed.get() else {
            return Err(JsonError::Unexpected(0));
        };
        let mut merged = PackedObject::default();
        let kept = self.context.get().entries().filter(|(name, _)| changes.field(name).is_none());
        for (name, value) in kept.chain(changes.entries()).filter(|(_, value)| !value.is_null()) {
            merged.put(name, value);
        }
        self.context = merged.finish();
        let mut text = String::new();
        write_value(self.context.get(), &mut text);
        self.queue.set_context(Some(text.into_boxed_str()));
        self.decide(now);
        Ok(())
    }

    /// Binds the member to a user from now on; the caller tracks `attune.identify` after it. Another user than the
    /// one bound before begins a new member and lane, which the host then stores. Returns whether it did.
    pub fn handle_identify(&mut self, user_id: &str, fresh: (MemberId, LaneId), now: Now) -> bool {
        let another = self.user_id.as_deref().is_some_and(|known| known != user_id);
        if another {
            let session = self.session;
            self.handle_reset(fresh.0, fresh.1, session, now);
        }
        self.user_id = Some(Box::from(user_id));
        self.put(store::USER, user_id.as_bytes().to_vec());
        another
    }

    /// Begins a new member, lane and session, and forgets signals, traits and latches.
    pub fn handle_reset(&mut self, member: MemberId, lane: LaneId, session: SessionId, now: Now) {
        for key in [store::BASE, store::LATCHES, store::USER] {
            self.writes.push_back(StoreOp::Delete { key: String::from(key) });
        }
        self.handle_follow(member, lane, session, now);
    }

    /// Becomes the member that another page of this browser has begun; what that page has stored stays.
    pub fn handle_follow(&mut self, member: MemberId, lane: LaneId, session: SessionId, now: Now) {
        self.close_lane();
        self.member = member;
        self.session = session;
        self.user_id = None;
        self.tokens = Tokens::default();
        self.overlay.clear();
        self.decisions.forget_latches();
        self.begin_lane(lane);
        self.decide(now);
    }

    /// Replaces the bundle if the bytes are a newer one; returns whether they were.
    ///
    /// # Errors
    /// Bytes that are no bundle of this version; the one in effect stays.
    pub fn handle_bundle(&mut self, bytes: &[u8], now: Now) -> Result<bool, BundleError> {
        let bundle = Bundle::open(bytes)?;
        if bundle.revision <= self.bundle.revision {
            return Ok(false);
        }
        self.bundle = bundle;
        self.overlay.rebuild(&self.bundle.signals);
        self.decide(now);
        Ok(true)
    }

    /// Takes a pushed profile view in; an older one than the base changes nothing. Returns whether it was taken.
    ///
    /// # Errors
    /// Bytes that are no view of this version; the base stays.
    pub fn handle_profile(&mut self, bytes: &[u8], now: Now) -> Result<bool, CodecError> {
        let view = ProfileView::decode(bytes)?;
        let latches = view.latches.clone();
        let Some(covered) = self.overlay.replace_base(view, &self.bundle.signals, now.wall) else {
            return Ok(false);
        };
        self.release(&covered);
        self.put(store::BASE, bytes.to_vec());
        self.decisions.join_latches(latches);
        self.decide(now);
        Ok(true)
    }

    /// Says that the stream begins anew, so that the next view is taken whatever its version.
    pub const fn handle_stream_gap(&mut self) {
        self.overlay.expect_any_base();
    }

    /// Takes the outcome of a request in.
    pub fn handle_outcome(&mut self, request: u64, outcome: Outcome, now: Now, random: u64) {
        if let Outcome::Receipt(receipt) = &outcome {
            self.tokens.take(receipt);
            if receipt.clock_shift_ms != self.overlay.skew_ms() && receipt.accepted > 0 {
                self.overlay.set_skew(receipt.clock_shift_ms, &self.bundle.signals);
            }
        }
        let settled = self.queue.settle(request, outcome, now, random);
        self.mark_delivered(&settled.delivered);
        self.give_up(&settled.dropped);
        if !settled.dropped.is_empty() {
            self.decide(now);
        }
    }

    /// Says that the instant of [`Client::wake_at`] has come.
    pub fn handle_wake(&mut self, now: Now) {
        self.decide(now);
    }

    /// Says that the browser came online.
    pub fn handle_online(&mut self) {
        self.queue.nudge();
    }

    /// Cuts everything unsent into bodies for a page that is hidden and may not come back; its lane goes on.
    pub fn handle_hidden(&mut self, now: Now) -> Vec<String> {
        self.queue.farewell(now)
    }

    /// Ends the lane of a page that is leaving and cuts everything unsent into bodies. Call [`Client::handle_lane`]
    /// before the next event if the page comes back.
    pub fn handle_leave(&mut self, now: Now) -> Vec<String> {
        self.close_lane();
        self.queue.farewell(now)
    }

    /// Begins a new lane (restored from the back/forward cache, activated from prerender, 24 h old); the one before
    /// is closed.
    pub fn handle_lane(&mut self, lane: LaneId) {
        self.close_lane();
        self.begin_lane(lane);
    }

    /// What delivery wants next. Poll after every input and at the instant it names.
    pub fn poll_send(&mut self, now: Now, random: u64) -> Poll {
        let poll = self.queue.poll(now, random);
        let expired = self.queue.take_dropped();
        self.give_up(&expired);
        poll
    }

    /// The next write to store; poll until nothing after every input.
    pub fn poll_store(&mut self) -> Option<StoreOp> {
        self.writes.pop_front()
    }

    /// The next changed decision; poll until nothing after every input.
    pub fn poll_decision(&mut self) -> Option<DecisionChange> {
        self.decisions.poll_change()
    }

    /// The next exposure to track as `attune.shown`: its metadata as JSON text. Poll until nothing after
    /// [`Client::poll_decision`]; the host tracks it with a fresh id.
    pub fn poll_shown(&mut self) -> Option<String> {
        self.decisions.poll_shown()
    }

    /// The next instant of this host's wall clock at which a decision can change by time alone.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.decisions.wake_at().map(|at| at.plus(-self.overlay.skew_ms()))
    }

    /// The decision in effect for a slot.
    pub fn decision(&self, slot: &str) -> Option<&Decision> {
        self.decisions.of_slot(slot)
    }

    /// The member and lane in effect, for the host to store and to lock.
    pub const fn sender(&self) -> (&MemberId, LaneId) {
        (&self.member, self.lane)
    }

    /// The user the member is bound to, proven or not.
    pub fn user_id(&self) -> Option<&str> {
        self.user_id.as_deref()
    }

    /// How delivery stands.
    pub fn status(&self) -> QueueStatus {
        self.queue.status()
    }

    /// The newest member token a receipt has brought.
    pub fn member_token(&self) -> Option<&str> {
        self.tokens.member.as_deref()
    }

    /// The newest stream token a receipt has brought.
    pub fn stream_token(&self) -> Option<&str> {
        self.tokens.stream.as_deref()
    }

    /// The revision of the bundle in effect; 0 before the first.
    pub const fn bundle_revision(&self) -> u64 {
        self.bundle.revision
    }

    /// The revision that the newest receipt named; a higher one than in effect is worth fetching.
    pub const fn known_revision(&self) -> u64 {
        self.tokens.bundle_revision
    }

    fn begin_lane(&mut self, lane: LaneId) {
        self.lane = lane;
        self.last_seq = 0;
        self.queue.set_sender(self.member.clone(), lane);
    }

    fn close_lane(&mut self) {
        if self.last_seq > 0 {
            let closed = Closed { member: self.member.clone(), lane: self.lane, count: self.last_seq };
            self.queue.declare_closed(closed);
            self.last_seq = 0;
        }
    }

    /// The instant by the collector's clock, in which signals and rules are kept.
    fn instant(&self, now: Now) -> Timestamp {
        now.wall.plus(self.overlay.skew_ms())
    }

    fn put(&mut self, key: &str, value: Vec<u8>) {
        self.writes.push_back(StoreOp::Put { key: String::from(key), value });
    }
}

impl Tokens {
    fn take(&mut self, receipt: &crate::wire::Receipt) {
        self.bundle_revision = self.bundle_revision.max(receipt.bundle_revision);
        for (held, brought) in
            [(&mut self.member, &receipt.member_token), (&mut self.stream, &receipt.stream_token)]
        {
            if brought.is_some() {
                held.clone_from(brought);
            }
        }
    }
}
