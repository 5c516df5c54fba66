//! Chance from a seed, so that a run can be repeated.

/// SplitMix64, after Steele, Lea and Flood, "Fast splittable pseudorandom number generators".
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The sequence of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub const fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    /// A number above 0, at most 1.
    pub const fn share(&mut self) -> f64 {
        ((self.bits() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_lie_above_nothing_and_average_a_half() {
        let mut chance = Chance::new(7);
        let shares: Vec<f64> = (0..10_000).map(|_| chance.share()).collect();
        assert!(shares.iter().all(|share| *share > 0.0 && *share <= 1.0));
        assert!((shares.iter().sum::<f64>() / 10_000.0 - 0.5).abs() < 0.02);
    }
}
