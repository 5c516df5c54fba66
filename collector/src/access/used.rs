//! What has come under each write key since the process began.

use attune_core::time::Timestamp;
use hashbrown::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Counts by write key; only of keys that have let something in, so there are no more than keys.
#[derive(Debug, Default)]
pub struct Uses {
    by_key: RwLock<HashMap<Box<str>, Arc<Use>>>,
}

/// What has come under one key.
#[derive(Debug, Default)]
pub struct Use {
    batches: AtomicU64,
    accepted: AtomicU64,
    duplicates: AtomicU64,
    refused: AtomicU64,
    last_at: AtomicI64,
}

/// The same at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Batches whose receipts were given.
    pub batches: u64,
    /// Events accepted.
    pub accepted: u64,
    /// Events that were known already.
    pub duplicates: u64,
    /// Events refused.
    pub refused: u64,
    /// When the last batch came; nothing where none has.
    pub last_at: Option<Timestamp>,
}

impl Uses {
    /// Counts a batch.
    pub fn note(&self, key: &str, (accepted, duplicates, refused): (u64, u64, u64), at: Timestamp) {
        let used = self.of(key);
        for (counter, more) in [
            (&used.batches, 1),
            (&used.accepted, accepted),
            (&used.duplicates, duplicates),
            (&used.refused, refused),
        ] {
            counter.fetch_add(more, Ordering::Relaxed);
        }
        used.last_at.fetch_max(at.0, Ordering::Relaxed);
    }

    /// What has come under a key.
    pub fn read(&self, key: &str) -> Used {
        let known = self.by_key.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        let Some(used) = known else { return Used::default() };
        Used {
            batches: used.batches.load(Ordering::Relaxed),
            accepted: used.accepted.load(Ordering::Relaxed),
            duplicates: used.duplicates.load(Ordering::Relaxed),
            refused: used.refused.load(Ordering::Relaxed),
            last_at: Some(Timestamp(used.last_at.load(Ordering::Relaxed))),
        }
    }

    fn of(&self, key: &str) -> Arc<Use> {
        if let Some(known) = self.by_key.read().unwrap_or_else(PoisonError::into_inner).get(key) {
            return known.clone();
        }
        self.by_key.write().unwrap_or_else(PoisonError::into_inner).entry(key.into()).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_adds_up_by_key() {
        let uses = Uses::default();
        assert_eq!(uses.read("a"), Used::default());
        uses.note("a", (3, 1, 0), Timestamp(9));
        uses.note("a", (0, 0, 2), Timestamp(7));
        uses.note("b", (1, 0, 0), Timestamp(8));
        let used = Used { batches: 2, accepted: 3, duplicates: 1, refused: 2, last_at: Some(Timestamp(9)) };
        assert_eq!((uses.read("a"), uses.read("b").accepted), (used, 1));
    }
}
