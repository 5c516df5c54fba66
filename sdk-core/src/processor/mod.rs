//! The server's façade: absorb per member, combine per profile, and the view that pages are sent.

mod caps;
mod combine;
mod edge;
mod firing;
#[cfg(test)]
mod fixture;
mod join;
mod levels;
mod state;
mod state_codec;

use crate::bundle::Bundle;
use crate::condition::Matcher;
use crate::id::MemberId;
use crate::profile::{Absorbed, Change, MemberState, ProfileView};
use crate::rules::{Decided, Decision, decide};
use crate::time::Timestamp;
use crate::value::ValueRef;
use crate::wire::Record;
use alloc::boxed::Box;
use alloc::vec::Vec;
use levels::LevelTrigger;
use state::Scene;

pub use firing::{Cause, Firing};
pub use state::ProfileState;

/// Evaluates records with the bundle in effect. It owns no visitor state; whoever owns the loop does.
#[derive(Debug, Default)]
pub struct Processor {
    bundle: Bundle,
    /// When the bundle took effect.
    since: Timestamp,
    levels: Vec<LevelTrigger>,
    matcher: Option<Box<dyn Matcher + Send>>,
}

/// What combining changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Triggers that fired, in order of instant and then of rule id.
    pub firings: Vec<Firing>,
    /// The next instant at which time alone can fire or end something; the owner logs a wake-up record then.
    pub wake_at: Option<Timestamp>,
    /// Whether anything a page could see has changed.
    pub changed: bool,
}

impl Processor {
    /// A processor with the empty bundle.
    pub fn new() -> Self {
        Self::default()
    }

    /// A processor with the empty bundle that asks somebody about regular expressions.
    pub fn asking(matcher: Box<dyn Matcher + Send>) -> Self {
        Self { matcher: Some(matcher), ..Self::default() }
    }

    /// The profile as it is, at an instant, without an event or a context.
    fn scene(&self, now: Timestamp) -> Scene<'_> {
        let matcher = self.matcher.as_deref().map(|matcher| matcher as &dyn Matcher);
        Scene { signals: &self.bundle.signals, now, event: None, context: ValueRef::Null, matcher }
    }

    /// Puts a bundle into effect at the instant that its record names; states follow lazily with the next record of
    /// theirs. A trigger that was not there before does not fire for those it already holds for at that instant,
    /// unless it says so.
    pub fn set_bundle(&mut self, bundle: Bundle, at: Timestamp) {
        self.levels = levels::level_triggers(&bundle.rules);
        self.since = at;
        self.bundle = bundle;
    }

    /// The bundle in effect.
    pub const fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// Takes an event, void or close record of a member in: once in effect, tiles, traits.
    pub fn absorb(&self, state: &mut MemberState, record: &Record) -> Absorbed {
        crate::profile::absorb(state, record, &self.bundle.signals)
    }

    /// Takes a member's change into its profile: edges, latches, caps, firings.
    ///
    /// `left` is the state of the profile that the member belonged to before, where `change.moved_from` names one:
    /// the member's part leaves it, and what has fired or latched there stays so here. Once it is
    /// [vacant](ProfileState::is_vacant), nothing will come of it but refusals of repeated changes.
    pub fn combine(
        &self,
        state: &mut ProfileState,
        change: &Change,
        left: Option<&mut ProfileState>,
    ) -> Outcome {
        combine::combine(self, state, change, left)
    }

    /// Takes a logged wake-up in: level triggers that time alone has made true fire.
    pub fn wake(&self, state: &mut ProfileState, at: Timestamp) -> Outcome {
        combine::wake(self, state, at)
    }

    /// Decides the slots anew at profile time, in a context of the caller's. `current` are the decisions in effect.
    /// Latches that end with it leave the state.
    pub fn decide(&self, state: &mut ProfileState, context: ValueRef<'_>, current: &[Decision]) -> Decided {
        let scene = Scene { context, ..self.scene(state.time()) };
        let rules = &self.bundle.rules;
        let decided = state.read(scene, |visitor| decide(rules, visitor, state.latches(), current));
        state.end_latches(&decided.ended);
        decided
    }

    /// The profile as one member's page is to see it.
    pub fn view(&self, state: &ProfileState, member: &MemberId) -> ProfileView {
        state.view(member)
    }
}
