//! Sorted inclusive ranges of numbers: what has been absorbed, what has been given up.

use super::few::Few;
use crate::codec::{Source, Writer};
use alloc::vec::Vec;

/// A set of numbers kept as sorted inclusive ranges that neither touch nor overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges {
    ranges: Few<(u64, u64)>,
}

impl Ranges {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a number; returns whether it is new.
    pub fn insert(&mut self, number: u64) -> bool {
        // Numbers nearly always arrive in order, so the last range grows by one.
        if let Some(last) = self.ranges.as_mut_slice().last_mut()
            && last.1.checked_add(1) == Some(number)
        {
            last.1 = number;
            return true;
        }
        if self.contains(number) {
            return false;
        }
        self.insert_range(number, number);
        true
    }

    /// Adds all numbers from `from` to `to`; nothing happens when `from` is the larger one.
    pub fn insert_range(&mut self, from: u64, to: u64) {
        if from > to {
            return;
        }
        let start = self.first_reaching(from.saturating_sub(1));
        let (mut low, mut high, mut end) = (from, to, start);
        while let Some(range) =
            self.ranges.as_slice().get(end).filter(|range| range.0 <= to.saturating_add(1))
        {
            (low, high, end) = (low.min(range.0), high.max(range.1), end + 1);
        }
        match self.ranges.as_mut_slice().get_mut(start) {
            Some(joined) if start < end => *joined = (low, high),
            _ => return self.ranges.insert(start, (low, high)),
        }
        if end - start > 1 {
            self.ranges.edit(|ranges| (start + 1..end).for_each(|_| _ = ranges.remove(start + 1)));
        }
    }

    /// Removes a number.
    pub fn remove(&mut self, number: u64) {
        let Some(at) = self.position(number) else { return };
        let Some((from, to)) = self.ranges.as_slice().get(at).copied() else { return };
        self.ranges.edit(|ranges| {
            if number < to {
                ranges.insert(at + 1, (number + 1, to));
            }
            if from < number {
                ranges[at].1 = number - 1;
            } else {
                ranges.remove(at);
            }
        });
    }

    /// Removes every number of `other`.
    pub fn subtract(&mut self, other: &Self) {
        let mut left = Vec::with_capacity(self.ranges.as_slice().len());
        for (from, to) in self.iter() {
            let mut next = Some(from);
            let first = other.first_reaching(from);
            for cut in other.ranges.as_slice().iter().skip(first).take_while(|cut| cut.0 <= to) {
                if let Some(from) = next.filter(|from| *from < cut.0) {
                    left.push((from, cut.0.saturating_sub(1)));
                }
                next = cut.1.checked_add(1);
            }
            if let Some(from) = next.filter(|from| *from <= to) {
                left.push((from, to));
            }
        }
        self.ranges.edit(|ranges| *ranges = left);
    }

    /// Whether the number is in the set.
    pub fn contains(&self, number: u64) -> bool {
        self.position(number).is_some()
    }

    /// The last number of the range that a number is in, if it is in the set.
    pub fn end_of(&self, number: u64) -> Option<u64> {
        self.position(number).and_then(|at| self.ranges.as_slice().get(at)).map(|range| range.1)
    }

    /// The ranges in ascending order; both bounds are inclusive.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.ranges.as_slice().iter().copied()
    }

    /// The largest number.
    pub fn last(&self) -> Option<u64> {
        self.ranges.as_slice().last().map(|range| range.1)
    }

    /// How many ranges there are.
    pub fn len(&self) -> usize {
        self.ranges.as_slice().len()
    }

    /// Whether the set has no number.
    pub fn is_empty(&self) -> bool {
        self.ranges.as_slice().is_empty()
    }

    /// Appends the binary form: gaps and lengths.
    pub fn encode(&self, out: &mut Writer) {
        out.len(self.ranges.as_slice().len());
        let mut next = 0;
        for (from, to) in self.iter() {
            out.u64(from.wrapping_sub(next));
            out.u64(to.wrapping_sub(from));
            next = to;
        }
    }

    /// Reads the binary form; numbers beyond 64 bits fail the source.
    pub fn decode(source: &mut Source<'_>) -> Self {
        let mut ranges = Self::new();
        let (mut left, mut next) = (source.count(), 0_u64);
        while source.is_sound() && left > 0 {
            let from = next.wrapping_add(source.u64());
            let to = from.wrapping_add(source.u64());
            if from < next || to < from {
                source.fail();
            }
            ranges.insert_range(from, to);
            (left, next) = (left - 1, to);
        }
        ranges
    }

    /// The place of the first range that ends at a number or behind it.
    fn first_reaching(&self, number: u64) -> usize {
        self.ranges.as_slice().partition_point(|range| range.1 < number)
    }

    fn position(&self, number: u64) -> Option<usize> {
        let at = self.first_reaching(number);
        self.ranges.as_slice().get(at).filter(|range| range.0 <= number).map(|_| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn behaves_like_a_set_of_numbers(steps: Vec<(bool, u8, u8)>, cuts: Vec<(u8, u8)>) {
            let (mut ranges, mut set) = (Ranges::new(), BTreeSet::new());
            let mut cut = Ranges::new();
            for (add, from, length) in steps {
                let (from, to) = (u64::from(from), u64::from(from) + u64::from(length % 5));
                if length > 200 {
                    prop_assert_eq!(ranges.insert(from), set.insert(from));
                } else if add {
                    ranges.insert_range(from, to);
                    set.extend(from..=to);
                } else {
                    ranges.remove(from);
                    set.remove(&from);
                }
            }
            for (from, length) in cuts {
                cut.insert_range(u64::from(from), u64::from(from) + u64::from(length % 5));
            }
            ranges.subtract(&cut);
            set.retain(|number| !cut.contains(*number));
            let numbers: BTreeSet<u64> = ranges.iter().flat_map(|(from, to)| from..=to).collect();
            prop_assert_eq!(&numbers, &set);
            let apart = ranges.iter().zip(ranges.iter().skip(1)).all(|(a, b)| a.1 + 1 < b.0);
            prop_assert!(apart, "{:?}", ranges);
            let mut out = Writer::new();
            ranges.encode(&mut out);
            let bytes = out.into_bytes();
            let mut source = Source::new(&bytes);
            prop_assert_eq!((Ranges::decode(&mut source), source.finish()), (ranges, Ok(())));
        }
    }

    #[test]
    fn the_ends_of_the_number_line_are_ordinary_numbers() {
        let mut ranges = Ranges::new();
        assert!(ranges.insert(u64::MAX));
        assert!(ranges.insert(0));
        assert!(ranges.contains(u64::MAX) && ranges.contains(0) && !ranges.contains(1));
        ranges.insert_range(0, u64::MAX);
        assert_eq!(ranges.len(), 1);
    }
}
