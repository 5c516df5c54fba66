//! The table of a generation in memory: fingerprints of event ids and where their entries stand, some 10 bytes for each.
//!
//! Open addressing with linear probing in the order of the fingerprints (Robin Hood hashing: Celis, Larson and Munro, 1985; its
//! ordered form: Amble and Knuth, "Ordered hash tables", 1974). A slot's home is its fingerprint scaled to the length of its shard,
//! so that a shard reads in order from its beginning, grows by a fifth in one pass, and is written to a file as it stands.

use super::hash::HASH_BITS;

/// Slots that are allocated together: 2 KiB, all alike, so that growth leaves no holes of odd sizes behind.
const PAGE_SLOTS: usize = 256;
/// Parts that grow by themselves, so that nobody waits for all of it.
const SHARDS: usize = 1 << (HASH_BITS - 32);
/// Slots behind the last home, for what is pushed on from there.
const SLACK_SLOTS: usize = 48;
/// Share of the homes that may be taken, in eighths.
const FULL_EIGHTHS: usize = 7;
/// A shard grows by one in so many.
const GROWTH: usize = 5;

type Page = Box<[u64; PAGE_SLOTS]>;

/// Where entries stand, by the hashes of their ids.
#[derive(Debug)]
pub struct Table {
    shards: Box<[Shard]>,
    len: usize,
    pages: usize,
}

/// Slots in order: a fingerprint in the upper half, one more than the index of an entry in the lower; 0 where nothing stands.
#[derive(Debug, Default)]
struct Shard {
    pages: Vec<Page>,
    /// Slots that are homes; those behind them take what is pushed on.
    homes: usize,
    len: usize,
}

impl Default for Table {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Shard::default()).collect(), len: 0, pages: 0 }
    }
}

impl Table {
    /// How many entries it holds.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Memory that it takes, in bytes.
    pub const fn bytes(&self) -> usize {
        self.pages * (size_of::<[u64; PAGE_SLOTS]>() + size_of::<Page>()) + SHARDS * size_of::<Shard>()
    }

    /// Adds an entry.
    pub fn insert(&mut self, hash: u64, index: u32) {
        let shard = &mut self.shards[shard_of(hash)];
        let pages = shard.pages.len();
        shard.insert(slot(hash, index));
        self.pages += shard.pages.len() - pages;
        self.len += 1;
    }

    /// Removes an entry, where it is there.
    pub fn remove(&mut self, hash: u64, index: u32) {
        if self.shards[shard_of(hash)].remove(slot(hash, index)) {
            self.len -= 1;
        }
    }

    /// The indexes of the entries that may be of this hash.
    pub fn candidates(&self, hash: u64) -> impl Iterator<Item = u32> {
        let (shard, fingerprint) = (&self.shards[shard_of(hash)], hash as u32);
        let slots = (shard.home(fingerprint)..shard.slots()).map(|place| shard.get(place));
        slots
            .take_while(move |slot| *slot != 0 && fingerprint_of(*slot) <= fingerprint)
            .filter(move |slot| fingerprint_of(*slot) == fingerprint)
            .map(index_of)
    }

    /// Every entry with its hash, in the order of the hashes.
    pub fn entries(&self) -> impl Iterator<Item = (u64, u32)> {
        self.shards.iter().enumerate().flat_map(|(number, shard)| {
            let high = (number as u64) << 32;
            shard.held().map(move |slot| (high | u64::from(fingerprint_of(slot)), index_of(slot)))
        })
    }
}

impl Shard {
    const fn slots(&self) -> usize {
        self.pages.len() * PAGE_SLOTS
    }

    const fn home(&self, fingerprint: u32) -> usize {
        ((fingerprint as u64 * self.homes as u64) >> 32) as usize
    }

    fn get(&self, place: usize) -> u64 {
        self.pages[place / PAGE_SLOTS][place % PAGE_SLOTS]
    }

    fn set(&mut self, place: usize, slot: u64) {
        self.pages[place / PAGE_SLOTS][place % PAGE_SLOTS] = slot;
    }

    fn held(&self) -> impl Iterator<Item = u64> {
        self.pages.iter().flat_map(|page| page.iter().copied()).filter(|slot| *slot != 0)
    }

    fn insert(&mut self, slot: u64) {
        if (self.len + 1) * 8 > self.homes * FULL_EIGHTHS {
            self.grow();
        }
        let mut place = self.home(fingerprint_of(slot));
        let free = (place..self.slots()).find(|place| self.get(*place) == 0);
        let free = free.unwrap_or_else(|| {
            self.add_pages(1);
            self.slots() - PAGE_SLOTS
        });
        while place < free && self.get(place) <= slot {
            place += 1;
        }
        for at in (place..free).rev() {
            self.set(at + 1, self.get(at));
        }
        self.set(place, slot);
        self.len += 1;
    }

    fn remove(&mut self, slot: u64) -> bool {
        let home = self.home(fingerprint_of(slot));
        let held = (home..self.slots()).take_while(|place| self.get(*place) != 0);
        let found = held.into_iter().find(|place| self.get(*place) == slot);
        let Some(mut place) = found else { return false };
        // What follows moves back, as long as it stands behind its home.
        while place + 1 < self.slots() {
            let next = self.get(place + 1);
            if next == 0 || self.home(fingerprint_of(next)) > place {
                break;
            }
            self.set(place, next);
            place += 1;
        }
        self.set(place, 0);
        self.len -= 1;
        true
    }

    /// Adds a fifth of its pages and spreads what it holds over all of them.
    fn grow(&mut self) {
        let held: Vec<u64> = self.held().collect();
        self.pages.iter_mut().for_each(|page| page.fill(0));
        self.add_pages((self.pages.len() / GROWTH).max(1));
        self.homes = self.slots() - SLACK_SLOTS;
        let mut free = 0;
        for slot in held {
            let place = self.home(fingerprint_of(slot)).max(free);
            if place == self.slots() {
                self.add_pages(1);
            }
            self.set(place, slot);
            free = place + 1;
        }
    }

    fn add_pages(&mut self, count: usize) {
        self.pages.reserve_exact(count);
        self.pages.resize_with(self.pages.len() + count, || Box::new([0; PAGE_SLOTS]));
    }
}

const fn shard_of(hash: u64) -> usize {
    (hash >> 32) as usize
}

const fn slot(hash: u64, index: u32) -> u64 {
    (hash & 0xffff_ffff) << 32 | (index as u64 + 1)
}

const fn fingerprint_of(slot: u64) -> u32 {
    (slot >> 32) as u32
}

const fn index_of(slot: u64) -> u32 {
    (slot as u32).wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::super::hash::HashKey;
    use super::*;
    use std::collections::BTreeSet;

    const KEY: HashKey = HashKey([1, 2]);

    fn holds(table: &Table, hash: u64, index: u32) -> bool {
        table.candidates(hash).any(|candidate| candidate == index)
    }

    #[test]
    fn what_was_inserted_is_found_until_it_is_removed_also_with_equal_hashes() {
        let mut table = Table::default();
        let hash_of = |number: u32| KEY.hash(u128::from(number / 3));
        for number in 0..60_000 {
            table.insert(hash_of(number), number);
        }
        assert!((0..60_000).all(|number| holds(&table, hash_of(number), number)));
        for number in (0..60_000).step_by(2) {
            table.remove(hash_of(number), number);
            table.remove(hash_of(number), number);
        }
        for number in 0..60_000 {
            assert_eq!(holds(&table, hash_of(number), number), number % 2 == 1, "{number}");
        }
        assert_eq!(table.len(), 30_000);
        assert!((60_000..90_000).all(|number| table.candidates(hash_of(number)).count() == 0));
    }

    #[test]
    fn it_reads_in_the_order_of_the_hashes() {
        let mut table = Table::default();
        let mut expected = BTreeSet::new();
        for number in 0..20_000 {
            let hash = KEY.hash(u128::from(number));
            table.insert(hash, number);
            expected.insert((hash, number));
        }
        assert!(table.entries().eq(expected));
    }

    #[test]
    fn hashes_that_crowd_at_the_end_find_room() {
        let mut table = Table::default();
        for index in 0..2_000 {
            table.insert(0xffff_ffff, index);
        }
        assert_eq!(table.candidates(0xffff_ffff).collect::<BTreeSet<_>>().len(), 2_000);
    }

    #[test]
    fn an_id_takes_at_most_twelve_bytes() {
        let mut table = Table::default();
        let mut most = 0.0_f64;
        for number in 0..2_000_000 {
            table.insert(KEY.hash(u128::from(number)), number);
            if number >= 500_000 && number % 10_000 == 0 {
                most = most.max(table.bytes() as f64 / f64::from(number));
            }
        }
        assert!(most <= 12.0, "{most} bytes");
    }
}
