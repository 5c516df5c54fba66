//! A site's rules of what may leave the page: which events, how many of them, and what of each.

mod codec;
mod judge;
mod rate;
mod reason;
mod schema;

use super::pattern;
use super::redact::Kinds;
use super::url::UrlParams;
use crate::hash::bucket;
use crate::id::MemberId;
use crate::limits::SAMPLE_STEPS;
use crate::time::Now;
use crate::value::ValueRef;
use alloc::boxed::Box;
use alloc::vec::Vec;

pub use judge::{Kept, Verdict};
pub use rate::RateState;
pub use reason::{RateScope, Reason};
pub use schema::{Expected, Presence, Property, PropertyType};

/// What event types of the SDK's own begin with.
const OWN: &str = "attune.";

/// What may leave the page. The one without anything, which is the default, keeps all events as they are.
///
/// Patterns of event types are exact or have a `*` at their end. A pattern covers a type of the SDK's own, such as
/// `attune.identify`, only if it begins with `attune.` itself, so that `*` does not stop logins and exposures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// The only types that are kept; none means all. The SDK's own need not be listed.
    pub allow: Vec<Box<str>>,
    /// Types that are not kept, even if they are allowed.
    pub deny: Vec<Box<str>>,
    /// Whether events of programs are kept.
    pub bots: BotRule,
    /// Seed of the sampling: the same one lets the same visitors in.
    pub seed: Box<str>,
    /// Events a minute of all types together; absent means any number.
    pub per_minute: Option<u32>,
    /// What is taken out of texts.
    pub redact: Kinds,
    /// What is taken out of addresses: of texts without a space that have a `?` or `#`.
    pub url_params: UrlParams,
    /// What holds for single types; of those that cover a type the first counts.
    pub types: Vec<TypePolicy>,
}

/// What to do with events of programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BotRule {
    /// They are kept.
    #[default]
    Keep,
    /// They are dropped.
    Drop,
}

/// What holds for the event types that a pattern covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypePolicy {
    /// The pattern.
    pub on: Box<str>,
    /// Of 10,000 visitors those whose events are kept.
    pub share: u32,
    /// Events a minute of all types covered; absent means any number.
    pub per_minute: Option<u32>,
    /// What is taken out of texts, where it differs from the rest.
    pub redact: Option<Kinds>,
    /// What becomes of properties that are not listed.
    pub others: Others,
    /// The properties that are known.
    pub properties: Vec<Property>,
}

/// What becomes of the properties that a type does not list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Others {
    /// They stay.
    #[default]
    Keep,
    /// They are removed.
    Remove,
}

/// Whose events these are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sender {
    /// A person's, as far as is known.
    #[default]
    Person,
    /// A program's: see [`is_bot`](super::is_bot).
    Bot,
}

/// An event that asks to leave, before it has a number.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// Its type.
    pub event_type: &'a str,
    /// The member it belongs to.
    pub member: &'a MemberId,
    /// Its metadata; null means none.
    pub metadata: ValueRef<'a>,
    /// Whose it is.
    pub sender: Sender,
    /// When it happens.
    pub now: Now,
}

impl Policy {
    /// The policy that keeps no event at all.
    pub fn keeping_nothing() -> Self {
        Self { deny: ["*", "attune.*"].map(Box::from).into(), ..Self::default() }
    }

    /// What holds for an event type, and its place among the others.
    fn of_type(&self, event_type: &str) -> Option<(usize, &TypePolicy)> {
        self.types.iter().enumerate().find(|(_, policy)| covers(&policy.on, event_type))
    }

    fn denies(&self, event_type: &str) -> bool {
        let is_in = |patterns: &[Box<str>]| patterns.iter().any(|pattern| covers(pattern, event_type));
        let is_free = self.allow.is_empty() || event_type.starts_with(OWN);
        is_in(&self.deny) || !(is_free || is_in(&self.allow))
    }
}

impl TypePolicy {
    /// What holds where nothing is said.
    pub fn new(on: &str) -> Self {
        Self {
            on: Box::from(on),
            share: SAMPLE_STEPS,
            per_minute: None,
            redact: None,
            others: Others::Keep,
            properties: Vec::new(),
        }
    }

    /// Whether a member is among those whose events are kept: the same ones at every event, and all of a smaller share
    /// among those of a larger one.
    fn lets_in(&self, seed: &str, member: &MemberId) -> bool {
        self.share >= SAMPLE_STEPS || bucket(seed, &member.0, 2).is_some_and(|step| step < self.share)
    }
}

fn covers(pattern: &str, event_type: &str) -> bool {
    pattern::covers(pattern.as_bytes(), event_type.as_bytes())
        && (pattern.starts_with(OWN) || !event_type.starts_with(OWN))
}
