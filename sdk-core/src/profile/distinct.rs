//! How many different values there are: exact to a bound, then a sketch; both follow from the set of values alone.

use crate::codec::{Source, Writer};
use crate::limits::MAX_DISTINCT_EXACT;
use alloc::vec;
use alloc::vec::Vec;

/// Bits of a hash that choose its register, as a logarithm of how many registers there are.
const INDEX_BITS: u32 = 9;
/// Registers of a sketch, one byte each: the standard error is 1.04/√512, less than 5 %.
const REGISTERS: usize = 1 << INDEX_BITS;
/// The highest rank that a hash of 64 bits can have.
const MAX_RANK: u8 = (64 - INDEX_BITS) as u8 + 1;
/// 1/(2 ln 2), the constant α∞ of the estimator.
const ALPHA: f64 = 0.721_347_520_444_481_7;

/// A set of 64-bit hashes. Of more than [`MAX_DISTINCT_EXACT`] only a HyperLogLog sketch stays.
///
/// Which of the two it is follows from the number of different hashes, and each register is a maximum, so unions are
/// equal in whatever order and split the hashes come.
#[derive(Clone, Debug, PartialEq)]
pub enum Distinct {
    /// All hashes, in ascending order.
    Exact(Vec<u64>),
    /// The highest rank seen per register.
    Sketch(Vec<u8>),
}

impl Distinct {
    /// The set of one hash.
    pub fn of(hash: u64) -> Self {
        Self::Exact(vec![hash])
    }

    /// Adds all hashes of another set.
    pub fn merge(&mut self, other: &Self) {
        match other {
            Self::Exact(hashes) => hashes.iter().for_each(|hash| self.add(*hash)),
            Self::Sketch(theirs) => {
                for (mine, rank) in self.registers().iter_mut().zip(theirs) {
                    *mine = (*mine).max(*rank);
                }
            }
        }
    }

    /// How many different hashes there are, of a sketch as an estimate.
    ///
    /// The improved raw estimator of O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017),
    /// algorithm 6, without its term for registers at the end of their range, which 64-bit hashes do not reach. It
    /// needs no table of biases and no logarithm, so it is equal on every host.
    pub fn count(&self) -> u64 {
        let registers = match self {
            Self::Exact(hashes) => return hashes.len() as u64,
            Self::Sketch(registers) => registers,
        };
        let (mut zeros, mut sum) = (0.0, 0.0);
        for rank in registers {
            if *rank == 0 {
                zeros += 1.0;
            } else {
                // 2 to the power of −rank.
                sum += f64::from_bits((1023 - u64::from(*rank)) << 52);
            }
        }
        // σ of the part of registers without a hash.
        let (mut power, mut weight) = (zeros / REGISTERS as f64, REGISTERS as f64);
        sum += power * weight;
        loop {
            power *= power;
            let before = sum;
            sum += power * weight;
            weight += weight;
            if sum == before {
                break;
            }
        }
        let estimate = ALPHA * (REGISTERS * REGISTERS) as f64 / sum;
        // It is a sketch because there are more than the bound.
        ((estimate + 0.5) as u64).max(MAX_DISTINCT_EXACT as u64 + 1)
    }

    fn add(&mut self, hash: u64) {
        if let Self::Exact(hashes) = self {
            let Err(at) = hashes.binary_search(&hash) else { return };
            if hashes.len() < MAX_DISTINCT_EXACT {
                return hashes.insert(at, hash);
            }
        }
        let rank = (hash << INDEX_BITS | 1 << (INDEX_BITS - 1)).leading_zeros() as u8 + 1;
        if let Some(register) = self.registers().get_mut((hash >> (64 - INDEX_BITS)) as usize) {
            *register = rank.max(*register);
        }
    }

    /// The registers, made of the hashes where there are none yet.
    fn registers(&mut self) -> &mut [u8] {
        if let Self::Exact(hashes) = self {
            let hashes = core::mem::take(hashes);
            *self = Self::Sketch(vec![0; REGISTERS]);
            hashes.iter().for_each(|hash| self.add(*hash));
        }
        match self {
            Self::Sketch(registers) => registers,
            Self::Exact(_) => &mut [],
        }
    }

    /// Appends the binary form: how many hashes and each of them, or 0 and the registers.
    pub fn encode(&self, out: &mut Writer) {
        match self {
            Self::Exact(hashes) => {
                out.len(hashes.len());
                hashes.iter().for_each(|hash| out.raw(&hash.to_le_bytes()));
            }
            Self::Sketch(registers) => {
                out.u8(0);
                out.raw(registers);
            }
        }
    }

    /// Reads the binary form; hashes out of order or beyond their bound and ranks that no hash has fail the source.
    pub fn decode(source: &mut Source<'_>) -> Self {
        let count = source.count();
        if count == 0 {
            let registers = source.raw(REGISTERS);
            if registers.iter().any(|rank| *rank > MAX_RANK) {
                source.fail();
            }
            return Self::Sketch(Vec::from(registers));
        }
        let mut hashes: Vec<u64> = Vec::new();
        while source.is_sound() && hashes.len() < count {
            let hash = u64::from_le_bytes(source.array());
            if hashes.len() == MAX_DISTINCT_EXACT || hashes.last().is_some_and(|last| *last >= hash) {
                source.fail();
            }
            hashes.push(hash);
        }
        Self::Exact(hashes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::key_hash;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn of(hashes: &[u64]) -> Distinct {
        let mut all = Distinct::Exact(Vec::new());
        hashes.iter().for_each(|hash| all.merge(&Distinct::of(*hash)));
        all
    }

    fn hashes(count: u64) -> Vec<u64> {
        (0..count).map(|number| key_hash(&number.to_le_bytes())).collect()
    }

    proptest! {
        #[test]
        fn a_union_follows_from_the_set_alone(
            numbers in proptest::collection::vec(0_u64..160, 1..400),
            split in any::<prop::sample::Index>(),
        ) {
            let hashed: Vec<u64> = numbers.iter().map(|number| key_hash(&number.to_le_bytes())).collect();
            let set: BTreeSet<u64> = hashed.iter().copied().collect();
            let ascending: Vec<u64> = set.iter().copied().collect();
            let expected = of(&ascending);
            prop_assert_eq!(of(&hashed), expected.clone());
            let (left, right) = hashed.split_at(split.index(hashed.len()));
            for (one, other) in [(left, right), (right, left)] {
                let mut merged = of(one);
                merged.merge(&of(other));
                prop_assert_eq!(merged, expected.clone());
            }
            if set.len() <= MAX_DISTINCT_EXACT {
                prop_assert_eq!(expected.count(), set.len() as u64);
            } else {
                prop_assert!(matches!(expected, Distinct::Sketch(_)));
            }
            let mut out = Writer::new();
            expected.encode(&mut out);
            let bytes = out.into_bytes();
            let mut source = Source::new(&bytes);
            prop_assert_eq!((Distinct::decode(&mut source), source.finish()), (expected, Ok(())));
        }

        #[test]
        fn no_registers_make_the_estimate_hang(registers in proptest::collection::vec(0..=MAX_RANK, REGISTERS)) {
            prop_assert!(Distinct::Sketch(registers).count() > MAX_DISTINCT_EXACT as u64);
        }
    }

    #[test]
    fn estimates_stay_within_three_standard_errors() {
        for count in [65, 100, 250, 500, 1_000, 3_000, 10_000, 100_000] {
            let estimate = of(&hashes(count)).count() as f64;
            let error = (estimate - count as f64).abs() / count as f64;
            assert!(error < 3.0 * 1.04 / 512_f64.sqrt(), "{count}: {estimate}");
        }
        assert_eq!(of(&hashes(1_000)).count(), of(&hashes(1_000)).count());
    }

    #[test]
    fn what_is_no_set_is_refused() {
        let decode = |bytes: &[u8]| {
            let mut source = Source::new(bytes);
            Distinct::decode(&mut source);
            source.is_sound()
        };
        let pair = |one: u64, other: u64| [&[2][..], &one.to_le_bytes(), &other.to_le_bytes()].concat();
        assert!(decode(&pair(1, 2)) && !decode(&pair(2, 2)) && !decode(&pair(3, 2)));
        let registers = |rank: u8| [&[0][..], &[rank; REGISTERS]].concat();
        assert!(decode(&registers(MAX_RANK)) && !decode(&registers(MAX_RANK + 1)));
        assert!(!decode(&registers(1)[..REGISTERS]));
        let mut many = vec![MAX_DISTINCT_EXACT as u8 + 1];
        (0..=MAX_DISTINCT_EXACT as u64).for_each(|hash| many.extend(hash.to_le_bytes()));
        assert!(!decode(&many));
    }
}
