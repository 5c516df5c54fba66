//! What rules remember of some profiles, computed anew from the log without the records of erased members.

use attune_core::bundle::Bundle;
use attune_core::condition::Engine;
use attune_core::id::MemberId;
use attune_core::processor::{Processor, ProfileState, Rollout};
use attune_core::profile::{Absorbed, MemberState};
use attune_core::wire::{LoggedCandidate, Record};
use std::collections::{BTreeMap, BTreeSet};

/// Profiles as they would be had only their members of today ever been.
#[derive(Debug)]
pub struct Rebuild {
    processor: Processor,
    wanted: BTreeSet<Box<str>>,
    members: BTreeMap<Box<str>, MemberState>,
    profiles: BTreeMap<Box<str>, ProfileState>,
}

impl Default for Rebuild {
    fn default() -> Self {
        Self {
            processor: Processor::asking(Box::new(Engine::default())),
            wanted: BTreeSet::new(),
            members: BTreeMap::new(),
            profiles: BTreeMap::new(),
        }
    }
}

impl Rebuild {
    /// Asks for a profile, which has members still.
    pub fn want(&mut self, profile: &ProfileState) {
        for member in profile.members() {
            self.wanted.insert(profile.profile().0.clone());
            self.members.insert(member.0.clone(), MemberState::new(member.clone()));
        }
    }

    /// Whether nothing has been asked for.
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Takes the next record of the log in.
    pub fn take(&mut self, record: &Record) {
        match record {
            Record::Event { event, .. } => self.absorb(&event.member, record),
            Record::Void { member, .. } | Record::Close { member, .. } | Record::Clocks { member, .. } => {
                self.absorb(member, record);
            }
            Record::WakeUp { profile, at } => {
                if let Some(state) = self.profiles.get_mut(&profile.0) {
                    self.processor.wake(state, *at);
                }
            }
            Record::Bundle { revision, at, bytes } => {
                if *revision != self.processor.bundle().revision
                    && let Ok(bundle) = Bundle::open(bytes)
                {
                    self.processor.set_bundle(bundle, *at);
                }
            }
            Record::Rollout { at, candidate: None } => self.processor.set_rollout(None, *at),
            Record::Rollout { at, candidate: Some(LoggedCandidate { share, seed, bytes, .. }) } => {
                if let Ok(bundle) = Bundle::open(bytes) {
                    let (share, seed) = (*share, seed.clone());
                    self.processor.set_rollout(Some(Rollout { bundle, share, seed }), *at);
                }
            }
            Record::Erase { .. } | Record::Refused(_) | Record::Replayed(_) | Record::Blank => {}
        }
    }

    fn absorb(&mut self, member: &MemberId, record: &Record) {
        let Some(state) = self.members.get_mut(&member.0) else { return };
        let Absorbed::Change(change) = self.processor.absorb(state, record) else { return };
        let mut left = change
            .moved_from
            .as_ref()
            .map(|from| (from.0.clone(), self.profiles.remove(&from.0).unwrap_or_default()));
        let profile = self.profiles.entry(change.profile.0.clone()).or_default();
        self.processor.combine(profile, &change, left.as_mut().map(|(_, left)| left));
        self.profiles.extend(left);
    }

    /// The profiles that were asked for.
    pub fn into_profiles(self) -> impl Iterator<Item = (Box<str>, ProfileState)> {
        let wanted = self.wanted;
        self.profiles.into_iter().filter(move |(profile, _)| wanted.contains(profile))
    }
}
