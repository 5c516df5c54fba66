//! What the collector pushes to an open page: the member's own part, the other members merged, traits, latches.

use super::{Lanes, Tiles, Traits};
use crate::id::{EventId, SessionId};
use crate::time::Timestamp;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// A profile as one member's page sees it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProfileView {
    /// Grows with every change; an older view never replaces a newer one.
    pub version: u64,
    /// Numbers absorbed per lane of this member.
    pub lanes: Lanes,
    /// This member's tiles.
    pub own: Tiles,
    /// The merged tiles of the profile's other members.
    pub others: Tiles,
    /// Traits of the whole profile, the latest write of each name winning.
    pub traits: Traits,
    /// Event rules in effect.
    pub latches: Vec<Latch>,
    /// The proven user, if the member is linked.
    pub user_id: Option<Box<str>>,
}

/// An event rule that holds since an event matched.
#[derive(Clone, Debug, PartialEq)]
pub struct Latch {
    /// The rule.
    pub rule: Box<str>,
    /// The key it was judged under, if its cap or signal has one.
    pub key: Option<Box<str>>,
    /// Time of the event that set it.
    pub at: Timestamp,
    /// That event; with `at` it decides which of two latches of a rule is later.
    pub event_id: EventId,
    /// Session in which it holds, for `hold: session`.
    pub session: Option<SessionId>,
    /// Instant at which it ends, for `hold: <duration>`.
    pub until: Option<Timestamp>,
}
