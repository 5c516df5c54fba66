//! Rules: when they hold, which one fills a slot, what they do.

mod action;
mod cap;
mod codec;
mod decide;
mod document;
mod judge;

use crate::condition::{Condition, Path};
use crate::id::SignalId;
use alloc::boxed::Box;
use alloc::vec::Vec;

pub use action::{Action, interpolate};
pub use codec::{decode_rule, encode_rule};
pub use decide::{Decision, Holder, Reason, decide};
pub use document::VisitorDocument;
pub use judge::{Match, judge};

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
    /// How often it may be shown or fire.
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
    /// Counted separately for each value of this path.
    pub key: Option<Path>,
    /// How often.
    pub count: u32,
    /// Least time between two, in milliseconds.
    pub min_gap_ms: Option<i64>,
    /// For slot rules: the hidden signal that counts `attune.shown` of this rule by key over the period.
    pub shown: Option<SignalId>,
    /// For slot rules with `min_gap`: the hidden signal with the time of the last `attune.shown` by key.
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
