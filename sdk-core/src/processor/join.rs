//! A member moves from one profile to another: what the old one remembers joins the new one.

use super::caps::Caps;
use super::state::ProfileState;
use crate::id::MemberId;
use crate::profile::Traits;
use alloc::vec::Vec;

impl ProfileState {
    /// Takes over what another profile remembers: what has fired stays fired, the later latch wins.
    pub(super) fn join(&mut self, other: &Self) {
        self.version = self.version.max(other.version);
        self.time = self.time.max(other.time);
        self.session = self.session.max(other.session);
        for edge in &other.edges {
            if !self.edges.contains(edge) {
                self.edges.push(edge.clone());
            }
        }
        let armed = other.armed.iter().chain(&other.laid_down);
        self.laid_down.extend(armed.filter(|identity| self.armed.binary_search(identity).is_err()));
        self.laid_down.sort_unstable();
        self.laid_down.dedup();
        other.latches.iter().for_each(|latch| latch.clone().join(&mut self.latches));
        self.caps.join(&other.caps);
        self.prune();
        self.agenda.forget();
    }

    /// Lets a member go that has moved on with the change of this version; returns how many events it had.
    pub(super) fn release(&mut self, member: &MemberId, version: u64) -> u64 {
        let events = self.parts.remove(member).map_or(0, |part| part.events);
        self.departed.insert(member.clone(), version);
        self.version = self.version.saturating_add(1);
        self.traits = self.merged_traits();
        self.clocks = self.latest_clocks();
        self.agenda.forget();
        if self.is_vacant() {
            self.latches = Vec::new();
            self.edges = Vec::new();
            self.caps = Caps::default();
            self.session = None;
            self.wake = None;
            self.firings = 0;
        }
        events
    }

    /// Takes out everything that is kept under an erased member's name; says whether nobody is left. What rules
    /// remember stays: by whose events it came, only the log can tell.
    pub fn erase(&mut self, member: &MemberId) -> bool {
        self.release(member, 0);
        self.departed.remove(member);
        self.is_vacant()
    }

    /// Remembers what another state of this profile does, which was computed anew without an erased member: times, what
    /// has fired, latched and been capped. The members' parts stay as they are.
    pub fn remember_as(&mut self, other: Self) {
        let Self { version, profile, parts, departed, traits, clocks, .. } = core::mem::replace(self, other);
        let version = version.saturating_add(1);
        (self.version, self.profile, self.parts) = (version, profile, parts);
        (self.departed, self.traits, self.clocks) = (departed, traits, clocks);
        self.agenda.forget();
    }

    /// The traits of all parts together.
    pub(super) fn merged_traits(&self) -> Traits {
        let mut traits = Traits::default();
        self.parts.iter().for_each(|(_, part)| traits.merge(&part.traits));
        traits
    }
}
