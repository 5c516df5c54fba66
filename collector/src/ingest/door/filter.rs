//! Which hashes an old generation may hold: a blocked Bloom filter, 10 bits for each, so that a new id seldom asks the disk.
//!
//! Of one hash all bits lie in one line of the processor's cache (Putze, Sanders and Singler, "Cache-, Hash- and Space-Efficient
//! Bloom Filters", 2007).

use super::hash::folded;

/// Words of a block: one line of the cache.
const BLOCK_WORDS: usize = 8;
const BITS_PER_HASH: usize = 10;
/// Bits that are set for a hash: 7, the best number for 10 bits each.
const PROBES: u32 = 7;

/// The filter of one generation.
#[derive(Debug, PartialEq, Eq)]
pub struct Filter {
    blocks: Vec<[u64; BLOCK_WORDS]>,
}

impl Filter {
    /// One for so many hashes.
    pub fn new(count: usize) -> Self {
        let blocks = count * BITS_PER_HASH / (BLOCK_WORDS * 64) + 1;
        Self { blocks: vec![[0; BLOCK_WORDS]; blocks] }
    }

    /// One of the words that [`Filter::words`] has given.
    pub fn from_words(words: impl Iterator<Item = u64>) -> Option<Self> {
        let words: Vec<u64> = words.collect();
        let (blocks, rest) = words.as_chunks();
        (rest.is_empty() && !blocks.is_empty()).then(|| Self { blocks: blocks.to_vec() })
    }

    /// What it is made of.
    pub fn words(&self) -> impl Iterator<Item = u64> {
        self.blocks.iter().flatten().copied()
    }

    /// Memory that it takes, in bytes.
    pub const fn bytes(&self) -> usize {
        self.blocks.len() * BLOCK_WORDS * size_of::<u64>()
    }

    /// Adds a hash.
    pub fn insert(&mut self, hash: u64) {
        let (block, bits) = self.place_of(hash);
        let words = &mut self.blocks[block];
        probes(bits).for_each(|(word, bit)| words[word] |= bit);
    }

    /// Whether a hash may have been added.
    pub fn may_hold(&self, hash: u64) -> bool {
        let (block, bits) = self.place_of(hash);
        let words = &self.blocks[block];
        probes(bits).all(|(word, bit)| words[word] & bit != 0)
    }

    const fn place_of(&self, hash: u64) -> (usize, u64) {
        let mixed = folded(hash ^ 0xe703_7ed1_a0b4_28db, 0x8ebc_6af0_9c88_c6e3);
        let block = (mixed as u128 * self.blocks.len() as u128) >> 64;
        (block as usize, folded(mixed, 0x5899_65cc_7537_4cc3))
    }
}

/// The bits of a hash in its block: nine bits for each name one.
fn probes(bits: u64) -> impl Iterator<Item = (usize, u64)> {
    (0..PROBES).map(move |probe| {
        let place = (bits >> (9 * probe)) & 511;
        ((place / 64) as usize, 1 << (place % 64))
    })
}

#[cfg(test)]
mod tests {
    use super::super::hash::HashKey;
    use super::*;

    #[test]
    fn it_holds_what_was_added_and_little_else() {
        let key = HashKey([8, 9]);
        let mut filter = Filter::new(50_000);
        (0..50_000).for_each(|id| filter.insert(key.hash(id)));
        let filter = Filter::from_words(filter.words()).unwrap();
        assert!((0..50_000).all(|id| filter.may_hold(key.hash(id))));
        let wrong = (50_000..150_000).filter(|id| filter.may_hold(key.hash(*id))).count();
        assert!(wrong < 2_500, "{wrong} of 100,000");
        assert!(filter.bytes() < 50_000 * 5 / 4 + 128);
    }
}
