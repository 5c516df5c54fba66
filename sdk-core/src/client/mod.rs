//! The page's façade: capture, live signals and decisions, delivery; base and overlay without double counting.

use crate::id::{EventId, LaneId, MemberId, SessionId};
use crate::queue::{Outcome, Poll, QueueOptions, QueueStatus};
use crate::rules::{Action, Decision};
use crate::time::{Now, Timestamp};
use crate::value::Value;
use crate::wire::Priority;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

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
    /// Its page actions with all places filled in.
    pub actions: Vec<Action>,
}

/// The whole client side of one page load. One input, then drain the polls.
#[derive(Debug)]
pub struct Client {
    _private: (),
}

impl Client {
    /// A client with no bundle and no history.
    pub fn new(options: ClientOptions, now: Now) -> Self {
        let _ = (options, now);
        todo!()
    }

    /// Takes back what an earlier page load of the same browser stored: the base, and the lanes whose page is gone.
    /// Entries that cannot be read are reported by key and skipped.
    pub fn handle_stored(&mut self, entries: &[(String, Vec<u8>)], now: Now) -> Vec<String> {
        let _ = (entries, now);
        todo!()
    }

    /// Captures an event: lane number, overlay, queue, decisions.
    ///
    /// # Errors
    /// The bound that the event breaks; nothing has changed then.
    pub fn handle_track(&mut self, track: &Track<'_>, now: Now) -> Result<(), crate::filter::Rejection> {
        let _ = (track, now);
        todo!()
    }

    /// Merges fields into the page's context; `null` removes one. `values` is JSON object text.
    ///
    /// # Errors
    /// Text that is no JSON object; nothing has changed then.
    pub fn handle_context(&mut self, values: &str, now: Now) -> Result<(), crate::value::JsonError> {
        let _ = (values, now);
        todo!()
    }

    /// Binds the member to a user from now on; the caller tracks `attune.identify` after it. Another user than the
    /// one bound before begins a new member and lane, which the host then stores.
    pub fn handle_identify(&mut self, user_id: &str, fresh: (MemberId, LaneId), now: Now) {
        let _ = (user_id, fresh, now);
        todo!()
    }

    /// Begins a new member, lane and session, and forgets signals, traits and latches.
    pub fn handle_reset(&mut self, member: MemberId, lane: LaneId, session: SessionId, now: Now) {
        let _ = (member, lane, session, now);
        todo!()
    }

    /// Replaces the bundle if the bytes are a newer one; returns whether they were.
    ///
    /// # Errors
    /// Bytes that are no bundle of this version; the one in effect stays.
    pub fn handle_bundle(&mut self, bytes: &[u8], now: Now) -> Result<bool, crate::bundle::BundleError> {
        let _ = (bytes, now);
        todo!()
    }

    /// Takes a pushed profile view in; an older one than the base changes nothing. Returns whether it was taken.
    ///
    /// # Errors
    /// Bytes that are no view of this version; the base stays.
    pub fn handle_profile(&mut self, bytes: &[u8], now: Now) -> Result<bool, crate::codec::CodecError> {
        let _ = (bytes, now);
        todo!()
    }

    /// Takes the outcome of a request in.
    pub fn handle_outcome(&mut self, request: u64, outcome: Outcome, now: Now, random: u64) {
        let _ = (request, outcome, now, random);
        todo!()
    }

    /// Says that the instant of [`Client::wake_at`] has come.
    pub fn handle_wake(&mut self, now: Now) {
        let _ = now;
        todo!()
    }

    /// Says that the browser came online.
    pub fn handle_online(&mut self) {
        todo!()
    }

    /// Ends the lane of a page that is leaving and cuts everything unsent into bodies. Call [`Client::handle_lane`]
    /// before the next event if the page comes back.
    pub fn handle_leave(&mut self, now: Now) -> Vec<String> {
        let _ = now;
        todo!()
    }

    /// Begins a new lane (restored from the back/forward cache, activated from prerender, 24 h old).
    pub fn handle_lane(&mut self, lane: LaneId, now: Now) {
        let _ = (lane, now);
        todo!()
    }

    /// What delivery wants next. Poll after every input and at the instant it names.
    pub fn poll_send(&mut self, now: Now, random: u64) -> Poll {
        let _ = (now, random);
        todo!()
    }

    /// The next write to store; poll until nothing after every input.
    pub fn poll_store(&mut self) -> Option<StoreOp> {
        todo!()
    }

    /// The next changed decision; poll until nothing after every input.
    pub fn poll_decision(&mut self) -> Option<DecisionChange> {
        todo!()
    }

    /// The next exposure to track as `attune.shown`: its metadata as JSON text. Poll until nothing after
    /// [`Client::poll_decision`]; the host tracks it with a fresh id.
    pub fn poll_shown(&mut self) -> Option<String> {
        todo!()
    }

    /// The next instant of wall time at which a decision can change by time alone.
    pub fn wake_at(&self) -> Option<Timestamp> {
        todo!()
    }

    /// The decision in effect for a slot.
    pub fn decision(&self, slot: &str) -> Option<&Decision> {
        let _ = slot;
        todo!()
    }

    /// The value that the decisions in effect give a variable.
    pub fn variable(&self, name: &str) -> Option<&Value> {
        let _ = name;
        todo!()
    }

    /// The live value of a signal.
    pub fn signal(&self, name: &str, key: Option<&str>, now: Now) -> Option<Value> {
        let _ = (name, key, now);
        todo!()
    }

    /// Every signal, with its values by key, as JSON text for a developer panel.
    pub fn signals_json(&self, now: Now) -> String {
        let _ = now;
        todo!()
    }

    /// How delivery stands.
    pub fn status(&self) -> QueueStatus {
        todo!()
    }

    /// The member and lane in effect, for the host to store and to lock.
    pub fn sender(&self) -> (&MemberId, LaneId) {
        todo!()
    }

    /// The newest member token a receipt has brought.
    pub fn member_token(&self) -> Option<&str> {
        todo!()
    }

    /// The newest stream token a receipt has brought.
    pub fn stream_token(&self) -> Option<&str> {
        todo!()
    }

    /// The revision of the bundle in effect; 0 before the first.
    pub fn bundle_revision(&self) -> u64 {
        todo!()
    }
}
