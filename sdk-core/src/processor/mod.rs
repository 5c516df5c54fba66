//! The server's façade: absorb per member, combine per profile, and the view that pages are sent.

mod combine;
mod firing;
mod state;

use crate::bundle::Bundle;
use crate::id::MemberId;
use crate::profile::{Absorbed, Change, MemberState, ProfileView};
use crate::time::Timestamp;
use crate::wire::Record;
use alloc::vec::Vec;

pub use firing::{Cause, Firing};
pub use state::ProfileState;

/// Evaluates records with the bundle in effect. It owns no visitor state; whoever owns the loop does.
#[derive(Debug, Default)]
pub struct Processor {
    bundle: Bundle,
}

/// What combining changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Triggers that fired, in order of rule id.
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

    /// Puts a bundle into effect; states follow lazily with the next record of theirs.
    pub fn set_bundle(&mut self, bundle: Bundle) {
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
    /// the member's part leaves it, and what has fired or latched there stays so here.
    pub fn combine(&self, state: &mut ProfileState, change: &Change, left: Option<&mut ProfileState>) -> Outcome {
        combine::combine(&self.bundle, state, change, left)
    }

    /// Takes a logged wake-up in: level triggers that time alone has made true fire, ended latches go.
    pub fn wake(&self, state: &mut ProfileState, at: Timestamp) -> Outcome {
        combine::wake(&self.bundle, state, at)
    }

    /// The profile as one member's page is to see it.
    pub fn view(&self, state: &ProfileState, member: &MemberId) -> ProfileView {
        state.view(member)
    }
}
