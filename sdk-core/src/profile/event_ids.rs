//! The latest event ids of a member's senders without lanes.

use crate::codec::{Source, Writer};
use crate::hash::key_hash;
use crate::id::EventId;
use crate::limits::MEMBER_EVENT_IDS;
use alloc::collections::VecDeque;

/// The last [`MEMBER_EVENT_IDS`] ids, each as 64 bits of hash.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct EventIds {
    hashes: VecDeque<u64>,
}

impl EventIds {
    /// Remembers an id, forgetting the oldest when there are too many; returns whether it is new.
    pub fn insert(&mut self, event_id: EventId) -> bool {
        let hash = key_hash(event_id.0.as_bytes());
        if self.hashes.contains(&hash) {
            return false;
        }
        if self.hashes.len() >= MEMBER_EVENT_IDS {
            self.hashes.pop_front();
        }
        self.hashes.push_back(hash);
        true
    }

    /// Appends the binary form.
    pub fn encode(&self, out: &mut Writer) {
        out.len(self.hashes.len());
        self.hashes.iter().for_each(|hash| out.raw(&hash.to_le_bytes()));
    }

    /// Reads the binary form.
    pub fn decode(source: &mut Source<'_>) -> Self {
        Self { hashes: source.list(|source| u64::from_le_bytes(source.array())).into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Uuid;

    #[test]
    fn an_id_is_known_until_enough_others_have_come() {
        let mut ids = EventIds::default();
        let id = |number: usize| EventId(Uuid::from_u128(number as u128));
        assert!(ids.insert(id(0)) && !ids.insert(id(0)));
        (1..MEMBER_EVENT_IDS).for_each(|number| assert!(ids.insert(id(number))));
        assert!(!ids.insert(id(0)));
        assert!(ids.insert(id(MEMBER_EVENT_IDS)) && ids.insert(id(0)));
    }
}
