//! Sorting by place: one small routine for the page instead of the standard library's large one per type.

use alloc::vec::Vec;
use core::cmp::Ordering;

/// The places 0 to `count` in the order of `compare`, equal ones in the order they have.
///
/// Binary insertion: n log n comparisons and moves of machine words only, so a few thousand things cost little.
pub fn places_in_order(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = Vec::with_capacity(count);
    for place in 0..count {
        // What comes in order already is appended at once.
        let at = match places.last() {
            Some(last) if compare(*last, place).is_gt() => {
                places.partition_point(|known| compare(*known, place).is_le())
            }
            _ => place,
        };
        places.insert(at, place);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn places_are_in_stable_order(numbers: Vec<u8>) {
            let mut expected: Vec<usize> = (0..numbers.len()).collect();
            expected.sort_by_key(|place| numbers[*place]);
            prop_assert_eq!(places_in_order(numbers.len(), &|a, b| numbers[a].cmp(&numbers[b])), expected);
        }
    }
}
