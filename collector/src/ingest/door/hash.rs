//! Hashes of event ids, which senders choose and which therefore are hashed with a secret.

/// Bits of a hash.
pub const HASH_BITS: u32 = 40;

/// The secret of one generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashKey(pub [u64; 2]);

impl HashKey {
    /// A random one.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn random() -> std::io::Result<Self> {
        let half = || getrandom::u64().map_err(std::io::Error::other);
        Ok(Self([half()?, half()?]))
    }

    /// Hashes an event id to [`HASH_BITS`] bits: two folded multiplications, as in wyhash (Wang Yi).
    pub const fn hash(self, id: u128) -> u64 {
        let [first, second] = self.0;
        let once = folded((id >> 64) as u64 ^ first, id as u64 ^ second);
        folded(once ^ second.rotate_left(32), 0xa076_1d64_78bd_642f) >> (64 - HASH_BITS)
    }
}

/// The halves of the product of two numbers, one upon the other.
pub const fn folded(one: u64, other: u64) -> u64 {
    let product = one as u128 * other as u128;
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_that_differ_little_spread_and_keys_differ() {
        for shift in [0, 20, 64, 100] {
            let key = HashKey([3, 5]);
            let hashes: Vec<u64> = (0..4_096_u128).map(|id| key.hash(id << shift)).collect();
            assert_eq!(hashes.iter().collect::<BTreeSet<_>>().len(), 4_096);
            let shards: BTreeSet<u64> = hashes.iter().map(|hash| hash >> 32).collect();
            assert_eq!(shards.len(), 256, "shifted by {shift}");
            assert!(hashes.iter().all(|hash| hash >> HASH_BITS == 0));
        }
        assert_ne!(HashKey([3, 5]).hash(7), HashKey([3, 6]).hash(7));
    }
}
