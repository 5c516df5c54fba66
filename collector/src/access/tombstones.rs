//! Which members have been erased: known by a keyed hash of their ids, so that nothing says who they were.

use crate::secret::Secret;
use attune_core::id::MemberId;
use attune_core::wire::TOMBSTONE_BYTES;
use std::collections::HashSet;
use std::fmt;
use std::sync::{PoisonError, RwLock};

/// What is known of an erased member.
pub type Tombstone = [u8; TOMBSTONE_BYTES];

/// All erased members.
pub struct Tombstones {
    secret: Secret,
    known: RwLock<HashSet<Tombstone>>,
}

impl fmt::Debug for Tombstones {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tombstones")
    }
}

impl Tombstones {
    /// Nobody is erased; ids are hashed with a secret.
    pub fn new(secret: Secret) -> Self {
        Self { secret, known: RwLock::default() }
    }

    /// The hash of a member's id.
    pub fn of(&self, member: &MemberId) -> Tombstone {
        let mut tombstone = [0; TOMBSTONE_BYTES];
        tombstone.copy_from_slice(&self.secret.mac(&["erased member", &member.0])[..TOMBSTONE_BYTES]);
        tombstone
    }

    /// Notes that a member is erased.
    pub fn note(&self, tombstone: Tombstone) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(tombstone);
    }

    /// Whether a member is erased.
    pub fn has(&self, member: &MemberId) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        !known.is_empty() && known.contains(&self.of(member))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_erased_member_is_known_under_the_same_secret_only() {
        let (one, other) = (Secret::random().unwrap(), Secret::random().unwrap());
        let member = MemberId("m1".into());
        let [tombstones, foreign] = [&one, &other].map(|secret| Tombstones::new(secret.clone()));
        let tombstone = Tombstones::new(one).of(&member);
        for known in [&tombstones, &foreign] {
            assert!(!known.has(&member));
            known.note(tombstone);
        }
        assert!(tombstones.has(&member) && !tombstones.has(&MemberId("m2".into())));
        assert!(!foreign.has(&member));
    }
}
