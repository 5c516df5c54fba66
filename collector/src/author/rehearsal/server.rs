//! The collector's side of a script: one member whose events fire triggers.

use attune_core::bundle::Bundle;
use attune_core::id::MemberId;
use attune_core::processor::{Firing, Processor, ProfileState};
use attune_core::profile::{Absorbed, MemberState};
use attune_core::time::Timestamp;
use attune_core::wire::{Event, Record};

/// The processor with the state of one visitor.
pub struct Server {
    processor: Processor,
    member: MemberState,
    profile: ProfileState,
}

impl Server {
    /// A server on which the bundle has been in effect since the instant given.
    pub fn new(bundle: &Bundle, since: Timestamp, member: MemberId) -> Self {
        let mut processor = Processor::new();
        processor.set_bundle(bundle.clone(), since);
        Self { processor, member: MemberState::new(member), profile: ProfileState::default() }
    }

    /// Takes an event in and says what fires.
    pub fn track(&mut self, event: Event) -> Vec<Firing> {
        let received_at = event.timestamp;
        let record = Record::Event { event, received_at, proven: true };
        match self.processor.absorb(&mut self.member, &record) {
            Absorbed::Change(change) => self.processor.combine(&mut self.profile, &change, None).firings,
            _ => Vec::new(),
        }
    }

    /// Lets time pass and says what fires by time alone.
    pub fn pass_time(&mut self, to: Timestamp) -> Vec<Firing> {
        // Before its first event there is no profile.
        if self.profile.version() == 0 {
            return Vec::new();
        }
        self.processor.wake(&mut self.profile, to).firings
    }
}
