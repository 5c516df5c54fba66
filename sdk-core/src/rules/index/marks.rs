//! A set of small numbers that is filled and emptied again and again.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

/// Numbers below a fixed bound.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    words: Vec<u64>,
}

impl Marks {
    /// None of this many numbers.
    pub fn none(length: usize) -> Self {
        Self { words: vec![0; length.div_ceil(64)] }
    }

    /// Adds or takes a number out.
    pub fn set(&mut self, number: usize, is_in: bool) {
        if let Some(word) = self.words.get_mut(number / 64) {
            let bit = 1 << (number % 64);
            *word = if is_in { *word | bit } else { *word & !bit };
        }
    }

    /// Adds a number.
    pub fn add(&mut self, number: usize) {
        self.set(number, true);
    }

    /// Adds a range of numbers.
    pub fn add_range(&mut self, range: Range<usize>) {
        for word in range.start / 64..range.end.div_ceil(64) {
            let bits = |to: usize| match to.saturating_sub(word * 64) {
                bits @ 0..64 => (1 << bits) - 1,
                _ => u64::MAX,
            };
            if let Some(known) = self.words.get_mut(word) {
                *known |= bits(range.end) & !bits(range.start);
            }
        }
    }

    /// The numbers that are not in, and those up to the end of the last word.
    pub fn missing(&self) -> impl Iterator<Item = usize> {
        let words = self.words.iter().enumerate().filter(|(_, word)| **word != u64::MAX);
        words.flat_map(|(at, word)| {
            let word = *word;
            (0..64).filter(move |bit| word & (1 << bit) == 0).map(move |bit| at * 64 + bit)
        })
    }

    /// Adds every number, and those up to the end of the last word.
    pub fn add_all(&mut self) {
        self.words.fill(u64::MAX);
    }

    /// Adds all of these numbers if one of them is in; whether one was.
    pub fn spread(&mut self, numbers: &[usize]) -> bool {
        let is_met = numbers.iter().any(|number| self.has(*number));
        if is_met {
            numbers.iter().for_each(|number| self.add(*number));
        }
        is_met
    }

    /// Whether a number is in.
    pub fn has(&self, number: usize) -> bool {
        self.words.get(number / 64).is_some_and(|word| word & (1 << (number % 64)) != 0)
    }

    /// The first number of a range.
    pub fn next_below(&self, range: Range<usize>) -> Option<usize> {
        // Most ranges are within one word.
        let word = self.words.get(range.start / 64)? >> (range.start % 64);
        let found = match word {
            0 if range.end <= (range.start / 64 + 1) * 64 => return None,
            0 => self.next((range.start / 64 + 1) * 64)?,
            word => range.start + word.trailing_zeros() as usize,
        };
        (found < range.end).then_some(found)
    }

    /// The first number from one on.
    pub fn next(&self, from: usize) -> Option<usize> {
        let mut at = from / 64;
        let mut word = self.words.get(at)? & (u64::MAX << (from % 64));
        while word == 0 {
            at += 1;
            word = *self.words.get(at)?;
        }
        Some(at * 64 + word.trailing_zeros() as usize)
    }

    /// All numbers, in order.
    pub fn numbers(&self) -> impl Iterator<Item = usize> {
        core::iter::successors(self.next(0), |number| self.next(number + 1))
    }

    /// Takes all numbers out, in order. Few words have some, at places that no processor foresees, so which ones do is
    /// found without a branch.
    pub fn drain(&mut self, mut see: impl FnMut(usize)) {
        for (chunk, words) in self.words.chunks_mut(64).enumerate() {
            let filled = words.iter().rev().fold(0, |filled, word| filled << 1 | u64::from(*word != 0));
            each_bit(filled, |at| {
                let word = words.get_mut(at).map(core::mem::take).unwrap_or_default();
                each_bit(word, |bit| see((chunk * 64 + at) * 64 + bit));
            });
        }
    }

    /// Takes out the first number from one on.
    pub fn take(&mut self, from: usize) -> Option<usize> {
        let number = self.next(from)?;
        self.set(number, false);
        Some(number)
    }
}

/// Shows the numbers of the bits that are set, in order.
fn each_bit(mut bits: u64, mut see: impl FnMut(usize)) {
    while bits != 0 {
        see(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_in_order_and_only_once() {
        let mut marks = Marks::none(200);
        for number in [199, 0, 64, 63, 500] {
            marks.add(number);
        }
        marks.set(64, false);
        assert!(marks.has(63) && !marks.has(64) && !marks.has(500));
        let (mut taken, mut from) = (Vec::new(), 0);
        while let Some(number) = marks.take(from) {
            taken.push(number);
            from = number;
        }
        assert_eq!(taken, [0, 63, 199]);
        assert_eq!((marks.next(0), marks.next(700)), (None, None));
    }

    #[test]
    fn a_range_is_in_and_the_others_are_missing() {
        for range in [0..0, 0..1, 3..64, 3..65, 64..128, 60..190, 130..131] {
            let mut marks = Marks::none(190);
            marks.add_range(range.clone());
            assert!(marks.numbers().eq(range.clone()), "{range:?}");
            assert!(marks.missing().eq((0..192).filter(|number| !range.contains(number))), "{range:?}");
        }
    }

    #[test]
    fn all_numbers_are_taken_out_in_order() {
        let mut marks = Marks::none(10_000);
        let numbers = [0, 1, 63, 64, 4_095, 4_096, 4_097, 9_999];
        for _ in 0..2 {
            numbers.into_iter().rev().for_each(|number| marks.add(number));
            let mut taken = Vec::new();
            marks.drain(|number| taken.push(number));
            assert_eq!((taken, marks.next(0)), (numbers.to_vec(), None));
        }
    }
}
