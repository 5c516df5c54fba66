//! A file of the simulated disk: what is in it, what of that is durable, and what is left of it once the power is gone.

use std::collections::BTreeMap;

const PAGE: usize = 4_096;
const SECTOR: usize = 512;

/// Numbers that look random and are the same for the same seed (SplitMix64, Steele et al. 2014).
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// A number below a limit.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// A file.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// As whoever reads it finds it.
    pub now: Vec<u8>,
    durable: Vec<u8>,
    /// Pages with what they have held since they were durable.
    dirty: BTreeMap<usize, Vec<Vec<u8>>>,
    /// What its length has been since that was durable.
    lengths: Vec<usize>,
}

impl Content {
    fn page(bytes: &[u8], page: usize) -> Vec<u8> {
        let mut held =
            bytes.get(page * PAGE..).map_or(&[][..], |rest| &rest[..rest.len().min(PAGE)]).to_vec();
        held.resize(PAGE, 0);
        held
    }

    fn put(bytes: &mut Vec<u8>, page: usize, held: &[u8]) {
        let end = (page + 1) * PAGE;
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[page * PAGE..end].copy_from_slice(held);
    }

    /// Cuts it off, or puts zeros behind it.
    pub fn set_length(&mut self, length: usize) {
        self.now.resize(length, 0);
        self.lengths.push(length);
    }

    /// Writes bytes, as far as the memory of the system.
    pub fn write(&mut self, bytes: &[u8], offset: usize) {
        let end = offset + bytes.len();
        if end > self.now.len() {
            self.set_length(end);
        }
        self.now[offset..end].copy_from_slice(bytes);
        if bytes.is_empty() {
            return;
        }
        for page in offset / PAGE..=(end - 1) / PAGE {
            let held = Self::page(&self.now, page);
            self.dirty.entry(page).or_default().push(held);
        }
    }

    /// Makes all of it durable that was not taken for durable already.
    pub fn sync(&mut self) {
        let length = self.now.len();
        for page in std::mem::take(&mut self.dirty).into_keys() {
            let held = Self::page(&self.now, page);
            Self::put(&mut self.durable, page, &held);
        }
        self.lengths.clear();
        self.durable.resize(length, 0);
    }

    /// A sync that fails: some pages have been written, and none is written any more by the next.
    pub fn fail_to_sync(&mut self, random: &mut Random) {
        for page in std::mem::take(&mut self.dirty).into_keys() {
            if random.below(2) == 0 {
                let length = self.durable.len();
                Self::put(&mut self.durable, page, &Self::page(&self.now, page));
                self.durable.truncate(length.max(self.now.len()));
            }
        }
    }

    /// What is left of it once the power is gone.
    pub fn survive(&mut self, random: &mut Random) {
        // Half of the cuts find all or nothing written.
        let fate = random.below(4);
        let durable_length = self.durable.len();
        for (page, versions) in std::mem::take(&mut self.dirty) {
            let before = Self::page(&self.durable, page);
            let mut pick = || match fate {
                0 => before.clone(),
                1 => versions[versions.len() - 1].clone(),
                _ => match random.below(versions.len() as u64 + 1) as usize {
                    0 => before.clone(),
                    version => versions[version - 1].clone(),
                },
            };
            let mut held = pick();
            let torn = pick();
            if random.below(3) == 0 {
                for sector in (0..PAGE).step_by(SECTOR) {
                    if random.below(2) == 0 {
                        held[sector..sector + SECTOR].copy_from_slice(&torn[sector..sector + SECTOR]);
                    }
                }
            }
            Self::put(&mut self.durable, page, &held);
        }
        let lengths = std::mem::take(&mut self.lengths);
        let length = match random.below(lengths.len() as u64 + 1) as usize {
            0 => durable_length,
            change => lengths[change - 1],
        };
        self.durable.resize(length, 0);
        self.now = self.durable.clone();
    }
}
