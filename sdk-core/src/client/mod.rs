//! The page's façade: capture, live signals and decisions, delivery; base and overlay without double counting.

mod answers;
mod clocks;
mod decisions;
mod forecast;
mod memory;
mod overlay;
mod panel;
mod restore;
#[cfg(all(test, feature = "author"))]
mod scenario;
mod settle;
mod store;

use crate::bundle::{Bundle, BundleError};
use crate::codec::CodecError;
use crate::condition::{Consent, Root};
use crate::experiment::Exposed;
use crate::filter::{Rejection, check_bounds};
use crate::id::{EventId, LaneId, MemberId, SessionId};
use crate::limits::MAX_CLOCK_SHIFT_MS;
use crate::profile::{EventDocument, ProfileView};
use crate::queue::{
    Item, News, Outcome, Poll, Queue, QueueOptions, QueueStatus, Reachability, Request, Ticket,
};
use crate::rules::{Decision, SlotChange, Touched};
use crate::time::{Clocks, Now, Timestamp};
use crate::value::{Packed, PackedObject, ValueRef};
use crate::wire::{Closed, Event, LaneSeq, Priority};
use alloc::boxed::Box;
use alloc::vec::Vec;
use answers::Answers;
use core::cell::Cell;
use decisions::Decisions;
pub use forecast::Forecast;
pub use memory::{MemoryStore, TextTrack};
use overlay::Overlay;
pub use store::{Entry, StoreOp, Stored, StoredEvent};

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
    /// Metadata, an object; absent means none.
    pub metadata: Option<Packed>,
    /// Bytes of the metadata as JSON text.
    pub metadata_bytes: usize,
    /// What the event adds to a batch at most.
    pub bytes: usize,
    /// How soon it leaves.
    pub priority: Priority,
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
    /// Whether its rules had stopped when it was asked last.
    was_over: bool,
    /// Whether the bundle has ended and the host has not asked yet.
    has_expired: bool,
    /// Whether the filter policy is another one and the host has not asked yet.
    has_new_policy: bool,
    context: Packed,
    /// The visitor's clocks, once something has asked for them, see [`clocks::ContextClocks`].
    clocks: Cell<Option<Clocks>>,
    consent: Consent,
    overlay: Overlay,
    decisions: Decisions,
    answers: Answers,
    /// The event that was judged last, which is judged again when a question about it is answered.
    judged: Option<EventId>,
    queue: Queue,
    writes: Vec<StoreOp>,
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
            was_over: false,
            has_expired: false,
            has_new_policy: false,
            context: PackedObject::default().finish(),
            clocks: Cell::default(),
            consent: Consent::default(),
            overlay: Overlay::default(),
            decisions: Decisions::default(),
            answers: Answers::default(),
            judged: None,
            writes: Vec::new(),
        }
    }

    /// Captures an event: lane number, overlay, queue, decisions. Returns its number, under which the host stores it.
    ///
    /// # Errors
    /// The bound that the event breaks; nothing has changed then.
    #[inline(never)]
    pub fn handle_track(&mut self, track: Track<'_>, now: Now) -> Result<LaneSeq, Rejection> {
        let Track { event_id, timestamp, priority, bytes, .. } = track;
        let number = LaneSeq { lane: self.lane, seq: self.last_seq + 1 };
        let event = Event {
            event_id,
            event_type: Box::from(track.event_type),
            timestamp,
            member: self.member.clone(),
            lane: Some(number),
            session: Some(track.session),
            user_id: self.user_id.clone(),
            metadata: None,
        };
        check_bounds(&event, track.metadata_bytes)?;
        let metadata = track.metadata.unwrap_or_default();
        if !matches!(metadata.get(), ValueRef::Null | ValueRef::Object(_)) {
            return Err(Rejection::MetadataNotAnObject);
        }
        self.last_seq = number.seq;
        if core::mem::replace(&mut self.session, track.session) != track.session {
            self.touch(Touched::All);
        }
        let ticket = Ticket { event_id, lane: event.lane };
        let item = Item { ticket, member: self.member.clone(), timestamp, bytes };
        let evicted = self.queue.push(item, priority, now);
        self.overlay_push(EventDocument::packed(event, metadata));
        self.judged = Some(event_id);
        self.judge(event_id, now);
        self.give_up(&evicted);
        self.decide(now);
        Ok(number)
    }

    /// Replaces the page's context, an object that takes so many bytes as JSON.
    pub fn handle_context(&mut self, context: Packed, bytes: usize, now: Now) {
        self.clocks.set(None);
        self.context = context;
        self.queue.set_context_bytes(bytes);
        self.touch(Touched::Root(Root::Context));
        self.decide(now);
    }

    /// Takes in to which purposes the visitor has agreed; until it is called, to all.
    pub fn handle_consent(&mut self, consent: Consent, now: Now) {
        self.consent = consent;
        self.touch(Touched::All);
        self.decide(now);
    }

    /// Binds the member to a user from now on; the caller tracks `attune.identify` after it. Another user than the
    /// one bound before begins a new member and lane, which the host then stores. Returns whether it did.
    #[inline(never)]
    pub fn handle_identify(&mut self, user_id: &str, fresh: (MemberId, LaneId), now: Now) -> bool {
        let another = self.user_id.as_deref().is_some_and(|known| known != user_id);
        if another {
            let session = self.session;
            self.handle_reset(fresh.0, fresh.1, session, now);
        }
        self.user_id = Some(Box::from(user_id));
        self.put(Entry::User, user_id.as_bytes().to_vec());
        another
    }

    /// Begins a new member, lane and session, and forgets signals, traits and latches.
    #[inline(never)]
    pub fn handle_reset(&mut self, member: MemberId, lane: LaneId, session: SessionId, now: Now) {
        self.writes.extend([Entry::Base, Entry::Latches, Entry::User].map(StoreOp::Delete));
        self.handle_follow(member, lane, session, now);
    }

    /// Becomes the member that another page of this browser has begun; what that page has stored stays.
    #[inline(never)]
    pub fn handle_follow(&mut self, member: MemberId, lane: LaneId, session: SessionId, now: Now) {
        // Where nothing was tracked nobody was here yet: what is shown is said of the member who comes now.
        if self.judged.take().is_some() {
            self.decisions.let_go_of_capped(&self.bundle.rules);
        }
        self.close_lane();
        self.member = member;
        self.session = session;
        self.user_id = None;
        self.overlay.clear();
        self.decisions.forget_latches();
        self.begin_lane(lane);
        self.touch(Touched::All);
        self.decide(now);
    }

    /// Forgets the visitor: everything that is counted, latched or waits to be sent is gone unsaid, and what follows is
    /// another member's. The host deletes what it has stored.
    #[inline(never)]
    pub fn handle_forget(&mut self, member: MemberId, lane: LaneId, session: SessionId, now: Now) {
        self.queue.forget();
        self.last_seq = 0;
        self.handle_follow(member, lane, session, now);
        self.writes.clear();
    }

    /// Replaces the bundle if the bytes are a newer one; returns whether they were.
    ///
    /// # Errors
    /// Bytes that are no bundle of this version; the one in effect stays.
    pub fn handle_bundle(&mut self, bytes: &[u8], now: Now) -> Result<bool, BundleError> {
        self.handle_bundle_above(bytes, self.bundle.revision, now)
    }

    /// Replaces the bundle if the bytes are one above a revision, which is 0 where a verified statement names them: a
    /// candidate that is taken back gives way to the revision before it. Returns whether it has.
    ///
    /// # Errors
    /// Bytes that are no bundle of this version; the one in effect stays.
    pub fn handle_bundle_above(&mut self, bytes: &[u8], above: u64, now: Now) -> Result<bool, BundleError> {
        let bundle = Bundle::open(bytes)?;
        let is_above = bundle.revision > above;
        if is_above {
            self.has_new_policy |= bundle.policy != self.bundle.policy;
            self.bundle = bundle;
            self.overlay.rebuild(&self.bundle.signals);
            self.renew_watch();
            self.decide(now);
        }
        Ok(is_above)
    }

    /// Takes a pushed profile view in; an older one than the base changes nothing. Returns whether it was taken.
    ///
    /// # Errors
    /// Bytes that are no view of this version; the base stays.
    #[inline(never)]
    pub fn handle_profile(&mut self, bytes: &[u8], now: Now) -> Result<bool, CodecError> {
        let mut view = ProfileView::decode(bytes)?;
        let latches = core::mem::take(&mut view.latches);
        let Some(covered) = self.overlay.replace_base(view, &self.bundle.signals, now.wall) else {
            return Ok(false);
        };
        self.release(&covered);
        self.put(Entry::Base, bytes.to_vec());
        if self.decisions.join_latches(latches) {
            self.keep_latches();
        }
        self.touch(Touched::All);
        self.decide(now);
        Ok(true)
    }

    /// Says that the stream begins anew, so that the next view is taken whatever its version.
    pub const fn handle_stream_gap(&mut self) {
        self.overlay.expect_any_base();
    }

    /// Takes in by how much the collector has shifted this page's timestamps.
    #[inline(never)]
    pub fn handle_clock_shift(&mut self, shift_ms: i64) {
        let shift_ms = shift_ms.clamp(-MAX_CLOCK_SHIFT_MS, MAX_CLOCK_SHIFT_MS);
        if shift_ms != self.overlay.skew_ms() {
            self.overlay.set_skew(shift_ms, &self.bundle.signals);
            self.touch(Touched::All);
        }
    }

    /// Takes the outcome of a request in.
    #[inline(never)]
    pub fn handle_outcome(&mut self, request: u64, outcome: Outcome, now: Now, random: u64) {
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

    /// Takes in what another page of this browser has heard of the collector.
    pub fn handle_news(&mut self, news: News, now: Now, random: u64) {
        self.queue.handle_news(news, now, random);
    }

    /// Says that the browser came online.
    pub const fn handle_online(&mut self) {
        self.queue.nudge();
    }

    /// Says that the page is seen again.
    pub fn handle_seen(&mut self, now: Now) {
        self.queue.see(now);
    }

    /// Cuts everything unsent into bodies for a page that is hidden and may not come back; its lane goes on.
    pub fn handle_hidden(&mut self, now: Now) -> Vec<Request> {
        self.queue.farewell(now)
    }

    /// Ends the lane of a page that is leaving and cuts everything unsent into bodies. Call [`Client::handle_lane`]
    /// before the next event if the page comes back.
    pub fn handle_leave(&mut self, now: Now) -> Vec<Request> {
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
    #[inline(never)]
    pub fn poll_send(&mut self, now: Now) -> Poll {
        let poll = self.queue.poll(now);
        let expired = self.queue.take_dropped();
        self.give_up(&expired);
        poll
    }

    /// The request that is to be sent, or is on its way.
    pub fn in_flight(&self) -> Option<&Request> {
        self.queue.in_flight()
    }

    /// Takes the writes that the host is to make durable, in order. Poll after every input.
    pub fn take_store(&mut self) -> Vec<StoreOp> {
        core::mem::take(&mut self.writes)
    }

    /// Takes the slots whose decision has changed, in order. Take them after every input.
    pub fn take_decisions(&mut self) -> Vec<SlotChange> {
        self.decisions.take_changes()
    }

    /// Takes the exposures that are to be tracked. Take them after every input.
    pub fn take_exposures(&mut self) -> &[Exposed] {
        self.decisions.take_exposures()
    }

    /// The next instant of this host's wall clock at which a decision can change by time alone.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.decisions.wake_at().map(|at| at.plus(-self.overlay.skew_ms()))
    }

    /// Whether the bundle has ended since this was asked last. Ask after every input.
    pub const fn take_expired(&mut self) -> bool {
        core::mem::replace(&mut self.has_expired, false)
    }

    /// The filter policy of the bundle in effect, empty where it has none, if it has changed since this was asked last.
    /// Whoever tracks judges by it from then on. Ask after every input.
    pub fn take_policy(&mut self) -> Option<&[u8]> {
        core::mem::take(&mut self.has_new_policy).then_some(&*self.bundle.policy)
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

    /// Whether requests get through to the collector, as far as that is known.
    pub const fn reachability(&self) -> Reachability {
        self.queue.reachability()
    }

    /// The revision of the bundle in effect; 0 before the first.
    pub const fn bundle_revision(&self) -> u64 {
        self.bundle.revision
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

    fn put(&mut self, entry: Entry, value: Vec<u8>) {
        self.writes.push(StoreOp::Put(entry, value));
    }
}
