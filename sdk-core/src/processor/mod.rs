//! The server's façade: absorb per member, combine per profile, and the view that pages are sent.

mod active;
mod agenda;
mod backfill;
mod caps;
#[cfg(all(test, feature = "author"))]
mod clocks;
mod combine;
#[cfg(all(test, feature = "author"))]
mod differential;
mod edge;
#[cfg(all(test, feature = "author"))]
mod facts;
mod firing;
#[cfg(test)]
mod fixture;
mod gates;
mod join;
mod levels;
mod published;
mod readers;
#[cfg(test)]
mod replays;
mod rollout;
#[cfg(all(test, feature = "author"))]
mod scores;
mod state;
mod state_codec;

use crate::bundle::Bundle;
use crate::condition::{Consent, Matcher, Outlook};
use crate::id::{MemberId, SignalId};
use crate::profile::{Absorbed, Change, EventDocument, MemberState, ProfileView, TileChanges, Window};
use crate::rules::{Decided, Decision, VisitorDocument, decide};
use crate::time::Timestamp;
use crate::value::ValueRef;
use crate::wire::Record;
use active::Active;
use alloc::boxed::Box;
use alloc::vec::Vec;
use rollout::Staged;
use state::Scene;

pub use backfill::Past;
pub use firing::{Cause, Firing};
pub use rollout::Rollout;
pub use state::ProfileState;

/// Evaluates records with the bundle in effect. It owns no visitor state; whoever owns the loop does.
#[derive(Debug, Default)]
pub struct Processor {
    /// The bundle in effect.
    current: Active,
    /// The one that a share of all members gets instead.
    rollout: Option<Staged>,
    /// Signals that bundles have brought after the first one, in order of time.
    published: Vec<(Timestamp, SignalId, Window)>,
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

    /// Puts a bundle into effect at the instant that its record names; states follow lazily with the next record of
    /// theirs. A trigger that was not there before does not fire for those it already holds for at that instant,
    /// unless it says so. A signal that was not there before is warming up for those who were; what the first bundle
    /// has counts as there all along, so whoever starts anew replays the bundles as they were logged, or takes back what
    /// [`Self::encode_published`] gave.
    pub fn set_bundle(&mut self, bundle: Bundle, at: Timestamp) {
        let is_first = self.current.bundle.revision == 0;
        if !is_first && self.rollout.is_none() && bundle.signals.is_like(&self.current.bundle.signals) {
            // What is counted stays what it was.
            self.current = Active::new(bundle, at);
            return;
        }
        let known = self.known_signals();
        self.current = Active::new(bundle, at);
        self.count_for_both(&known, at, is_first);
    }

    /// The bundle in effect.
    pub const fn bundle(&self) -> &Bundle {
        &self.current.bundle
    }

    /// Takes an event, void or close record of a member in: once in effect, tiles, traits.
    pub fn absorb(&self, state: &mut MemberState, record: &Record) -> Absorbed {
        let absorbed = crate::profile::absorb(state, record, self.counted());
        self.met(state, absorbed)
    }

    /// As [`Self::absorb`], for a host that has no use for the record once it is in effect: it is not copied. Where nothing
    /// comes of it, it is given back.
    pub fn absorb_owned(&self, state: &mut MemberState, record: Record) -> (Absorbed, Option<Record>) {
        let (absorbed, left) = crate::profile::absorb_owned(state, record, self.counted());
        (self.met(state, absorbed), left)
    }

    /// What has become of a record, with all tiles of a member that has met a signal newer than itself by it.
    fn met(&self, state: &mut MemberState, mut absorbed: Absorbed) -> Absorbed {
        if let Absorbed::Change(change) = &mut absorbed
            && let Some(received_at) = change.received_at
            && state.meet(&self.published, received_at)
        {
            change.tiles = TileChanges::Whole(state.tiles().clone());
        }
        absorbed
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
        combine::combine(self, state, change, (Consent::default(), left))
    }

    /// As [`Self::combine`], for a host that knows to which purposes the member has agreed: an event sets no latch of a
    /// rule for another one. Triggers fire whatever they are for.
    pub fn combine_granted(
        &self,
        state: &mut ProfileState,
        change: &Change,
        granted: Consent,
        left: Option<&mut ProfileState>,
    ) -> Outcome {
        combine::combine(self, state, change, (granted, left))
    }

    /// Takes a logged wake-up in: level triggers that time alone has made true fire.
    pub fn wake(&self, state: &mut ProfileState, at: Timestamp) -> Outcome {
        combine::wake(self, state, at)
    }

    /// Decides the slots anew at profile time, in a context of the caller's. `current` are the decisions in effect.
    /// Latches that end with it leave the state.
    pub fn decide(&self, state: &mut ProfileState, context: ValueRef<'_>, current: &[Decision]) -> Decided {
        let active = self.active_of(state);
        let rules = &active.bundle.rules;
        let mut outlook = Outlook::default();
        let scene = self.scene(active, (state.time(), None), context);
        let mut decided =
            state.read(scene, &mut outlook, |visitor, _| decide(rules, visitor, state.latches(), current));
        decided.wake_at.into_iter().for_each(|at| outlook.note(at));
        decided.wake_at = outlook.next;
        state.end_latches(&decided.ended);
        decided
    }

    /// Shows a profile as conditions see it at profile time, without event and context.
    pub fn look<T>(&self, state: &ProfileState, look: impl FnOnce(&VisitorDocument<'_>) -> T) -> T {
        let scene = self.scene(self.active_of(state), (state.time(), None), ValueRef::Null);
        state.read(scene, &mut Outlook::default(), |visitor, _| look(visitor))
    }

    /// What profiles are read with at an instant, through an active bundle.
    fn scene<'a>(
        &'a self,
        active: &'a Active,
        (now, event): (Timestamp, Option<&'a EventDocument>),
        context: ValueRef<'a>,
    ) -> Scene<'a> {
        let matcher = self.matcher.as_deref().map(|matcher| matcher as &dyn Matcher);
        Scene { bundle: &active.bundle, now, event, context, matcher }
    }

    /// The profile as one member's page is to see it.
    pub fn view(&self, state: &ProfileState, member: &MemberId) -> ProfileView {
        state.view(member)
    }
}
