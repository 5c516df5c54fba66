//! Rules: when they hold, which one fills a slot, what they do.

mod action;
mod cap;
mod codec;
mod decide;
mod document;
mod explain;
mod judge;
mod slot;

use crate::condition::{Condition, Path};
use crate::id::SignalId;
use alloc::boxed::Box;
use alloc::vec::Vec;

pub use action::{Action, attribute_allowed, interpolate, url_allowed};
pub use cap::cap_allows;
pub use codec::{decode_rule, encode_rule};
pub use decide::{Decided, Decision, Reason, Shown, SlotChange, decide};
pub use document::VisitorDocument;
pub use explain::{Refusal, Standing, Unmet, Verdict, explain};
pub use judge::{Match, in_effect, judge, latch, rule_key};
pub use slot::{Slot, slots_of};

/// A rule of a bundle.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its id within the bundle.
    pub id: Box<str>,
    /// The slot it fills; absent for triggers.
    pub slot: Option<Box<str>>,
    /// Higher wins.
    pub priority: i32,
    /// Number of leaf conditions that must hold; decides between equal priorities.
    pub specificity: u32,
    /// What makes it hold.
    pub when: Condition,
    /// Whether it holds by state or by event.
    pub mode: Mode,
    /// Where the key is found under which it is judged, latched, counted and fired: the cap's key where it has a
    /// cap, else the key of the first `$signal` of its condition.
    pub key: Option<Path>,
    /// How often it may be shown or fire; counted separately for each key where `key` is present.
    pub cap: Option<Cap>,
    /// What it does.
    pub actions: Vec<Action>,
    /// Whether a newly published trigger fires at once for those it already holds for.
    pub fire_on_publish: bool,
    /// Why it takes no part, where the compiler found something it does not know.
    pub inactive: Option<Box<str>>,
}

/// Whether a rule holds by state or by event.
#[derive(Clone, Debug, PartialEq)]
pub enum Mode {
    /// Holds while its condition is true.
    Level,
    /// Judged once per event of the type (`*`: any); holds as `hold` says.
    Event {
        /// The event type.
        on: Box<str>,
        /// For how long.
        hold: Hold,
    },
}

/// For how long an event rule holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Until the session ends.
    Session,
    /// For this many milliseconds.
    Duration(i64),
    /// Until another rule takes the slot.
    UntilNextHolder,
}

/// How often a rule may be shown or fire.
#[derive(Clone, Debug, PartialEq)]
pub struct Cap {
    /// Counted per what.
    pub per: CapPeriod,
    /// How often.
    pub count: u32,
    /// Least time between two, in milliseconds.
    pub min_gap_ms: Option<i64>,
    /// For slot rules: the hidden signal that counts `attune.shown` of this rule over the period, by key where the
    /// rule has one.
    pub shown: Option<SignalId>,
    /// For slot rules with `min_gap`: the hidden signal with the time of the last `attune.shown`, by key likewise.
    pub shown_at: Option<SignalId>,
}

/// What a cap counts within.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapPeriod {
    /// The current session.
    Session,
    /// The last 24 h.
    Day,
    /// All time.
    Lifetime,
}
