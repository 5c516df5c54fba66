//! The collector's side of a script: members whose events fire triggers, and the profiles that their pages are sent.

use attune_core::bundle::Bundle;
use attune_core::condition::Engine;
use attune_core::id::{MemberId, ProfileId};
use attune_core::processor::{Firing, Processor, ProfileState};
use attune_core::profile::{Absorbed, MemberState, ProfileView};
use attune_core::time::Timestamp;
use attune_core::wire::{Event, Record};
use std::collections::BTreeMap;

/// The processor with the states of everybody.
pub struct Server {
    processor: Processor,
    members: BTreeMap<MemberId, MemberState>,
    profiles: BTreeMap<ProfileId, ProfileState>,
}

impl Server {
    /// A server on which the bundle has been in effect since the instant given.
    pub fn new(bundle: &Bundle, since: Timestamp) -> Self {
        let mut processor = Processor::asking(Box::new(Engine::default()));
        processor.set_bundle(bundle.clone(), since);
        Self { processor, members: BTreeMap::new(), profiles: BTreeMap::new() }
    }

    /// Puts another bundle into effect.
    pub fn publish(&mut self, bundle: &Bundle, at: Timestamp) {
        self.processor.set_bundle(bundle.clone(), at);
    }

    /// Takes an event in and says what fires.
    pub fn track(&mut self, event: Event) -> Vec<Firing> {
        let member = event.member.clone();
        let received_at = event.timestamp;
        let record = Record::Event { event, received_at, proven: true, facts: None };
        let state = self.members.entry(member.clone()).or_insert_with(|| MemberState::new(member));
        let Absorbed::Change(change) = self.processor.absorb(state, &record) else { return Vec::new() };
        let mut left = change.moved_from.as_ref().and_then(|from| self.profiles.remove(from));
        let profile = self.profiles.entry(change.profile.clone()).or_default();
        let firings = self.processor.combine(profile, &change, left.as_mut()).firings;
        if let (Some(from), Some(left)) = (&change.moved_from, left) {
            self.profiles.insert(from.clone(), left);
        }
        firings
    }

    /// Lets time pass for everybody and says what fires by time alone.
    pub fn pass_time(&mut self, to: Timestamp) -> Vec<Firing> {
        let live = self.profiles.values_mut().filter(|profile| !profile.is_vacant());
        live.flat_map(|profile| self.processor.wake(profile, to).firings).collect()
    }

    /// The profile as one member's page is sent it; nothing before the member's first event.
    pub fn view(&self, member: &MemberId) -> Option<ProfileView> {
        let profile = self.profiles.get(self.members.get(member)?.profile())?;
        Some(self.processor.view(profile, member))
    }
}
