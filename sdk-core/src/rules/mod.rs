//! Rules: when they hold, which one fills a slot, what they do.

mod action;
mod actions;
mod cap;
mod codec;
mod decide;
mod decider;
mod document;
mod explain;
mod further;
mod group;
#[cfg(test)]
mod hostile;
pub mod index;
mod judge;
mod leaves;
mod pack;
mod read;
mod runs;
mod settle;
mod slot;
mod succession;
mod table;
mod terms;
mod warming;
mod watch;
mod written;

use crate::condition::{Code, Condition, Path, PathRef, split};
use crate::id::SignalId;
use alloc::boxed::Box;
use alloc::vec::Vec;

pub use action::{
    ATTRIBUTES, Action, EMAIL, WEBHOOK, attribute_allowed, each_place_of, interpolate, url_allowed,
};
pub use actions::{ActionRef, Actions, Names};
pub use cap::cap_allows;
pub use decide::{Decided, Decision, Reason, SlotChange, Visit, decide, filled};
pub use decider::{Decider, Pick, Touched};
pub use document::{Reads, VisitorClocks, VisitorDocument};
pub use explain::{Refusal, Standing, Unmet, Verdict, explain, unmet};
pub use further::Further;
pub use judge::{Match, admit, in_effect, judge, latch, rule_key};
pub use succession::Succession;
pub use table::{Ranking, RuleTable};
pub use terms::Terms;
pub use warming::warming;
pub use watch::Watch;
#[cfg(feature = "author")]
pub(crate) use written::call;

/// A rule as its compiler has made it.
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
    /// When and to whom it may be shown at all, and beside what.
    pub terms: Terms,
    /// What it does.
    pub actions: Vec<Action>,
    /// Whether a newly published trigger fires at once for those it already holds for.
    pub fire_on_publish: bool,
    /// Why it takes no part, where the compiler found something it does not know.
    pub inactive: Option<Box<str>>,
}

impl Rule {
    /// Whether an index asks its condition leaf by leaf: level rules of slots that take part.
    fn is_indexed(&self) -> bool {
        self.slot.is_some() && self.mode == Mode::Level && self.inactive.is_none()
    }

    /// The same rule, with the leaves of an indexed condition apart.
    fn indexed(&self) -> Self {
        let mut rule = self.clone();
        if rule.is_indexed() {
            rule.when = split(rule.when);
        }
        rule
    }
}

/// A rule of a bundle, read in place.
#[derive(Clone, Copy, Debug)]
pub struct RuleRef<'a> {
    /// Its place among the rules.
    pub index: usize,
    /// Its id within the bundle.
    pub id: &'a str,
    /// What makes it hold: a condition.
    pub when: Code<'a>,
    flags: u8,
    /// The number of the id among the texts.
    id_number: u32,
    head: Code<'a>,
    actions: Code<'a>,
}

/// What a rule says besides its condition and its actions; see [`Rule`] for each.
#[derive(Clone, Copy, Debug)]
pub struct RuleHead<'a> {
    /// The slot it fills; absent for triggers.
    pub slot: Option<&'a str>,
    /// The event type at which it is judged (`*`: any); absent for a rule that holds by state.
    pub on: Option<&'a str>,
    /// For how long a rule judged at an event holds.
    pub hold: Hold,
    /// Where the key is found under which it is judged.
    pub key: Option<PathRef<'a>>,
    /// How often it may be shown or fire.
    pub cap: Option<Cap>,
    /// Why it takes no part.
    pub inactive: Option<&'a str>,
    /// Higher wins.
    pub priority: i32,
    /// Number of leaf conditions that must hold.
    pub specificity: u32,
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
#[derive(Clone, Copy, Debug, PartialEq)]
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
