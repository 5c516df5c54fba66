//! Handing views to open streams: changed profiles after every step, greetings when a stream opens.

use super::{Worker, WorkerError, load};
use crate::push::{Hello, Profile};
use attune_core::id::MemberId;
use attune_core::processor::ProfileState;
use attune_core::profile::MemberState;
use hashbrown::HashSet;

/// Profiles that have changed since the last step.
#[derive(Debug, Default)]
pub struct Publisher {
    changed: HashSet<Box<str>>,
}

impl Publisher {
    /// Notes that a profile has changed.
    pub fn note(&mut self, profile: &str) {
        if !self.changed.contains(profile) {
            self.changed.insert(profile.into());
        }
    }
}

impl Worker<'_> {
    /// Publishes what has changed and greets who has arrived.
    pub(super) fn publish(&mut self) -> Result<(), WorkerError> {
        for profile in std::mem::take(&mut self.publisher.changed) {
            let hot = load(&mut self.states.profiles, &*self.parts.store, &profile, ProfileState::default)?;
            for member in hot.state.members() {
                if self.parts.hub.is_listening(member) {
                    let view = self.processor.view(&hot.state, member);
                    let profile = Profile { version: view.version, bytes: view.encode().into() };
                    self.parts.hub.publish_profile(member, &profile);
                }
            }
        }
        for arrival in self.parts.hub.take_arrivals() {
            let profile = self.view_of(&arrival.member)?;
            if arrival.seen_version == Some(profile.version) {
                arrival.mailbox.greet(Hello::Resumed, None);
            } else {
                arrival.mailbox.greet(Hello::Gap, Some(profile));
            }
        }
        Ok(())
    }

    fn view_of(&mut self, member: &MemberId) -> Result<Profile, WorkerError> {
        let store = &*self.parts.store;
        let hot = load(&mut self.states.members, store, &member.0, || MemberState::new(member.clone()))?;
        let profile = hot.state.profile().clone();
        let hot = load(&mut self.states.profiles, store, &profile.0, ProfileState::default)?;
        let view = self.processor.view(&hot.state, member);
        Ok(Profile { version: view.version, bytes: view.encode().into() })
    }
}
