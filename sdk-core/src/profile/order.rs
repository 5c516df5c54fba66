//! Sorting by place and searching: small routines for the page instead of the standard library's large ones per type.

use alloc::vec::Vec;
use core::cmp::Ordering;

/// The places 0 to `count` in the order of `compare`, equal ones in the order they have.
///
/// Binary insertion: n log n comparisons and moves of machine words only, so a few thousand things cost little.
pub fn places_in_order(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = Vec::with_capacity(count);
    for place in 0..count {
        // None is equal to the new one: it stands behind those that are alike.
        let behind =
            |known: &usize| if compare(*known, place).is_gt() { Ordering::Greater } else { Ordering::Less };
        let at = search(&places, behind).unwrap_or_else(|at| at);
        places.insert(at, place);
    }
    places
}

/// The place of a thing in a sorted list, or the place where it would be; `compare` says how another stands to it.
///
/// Keys mostly grow with time, so the last place is looked at first.
pub fn search<T>(sorted: &[T], compare: impl Fn(&T) -> Ordering) -> Result<usize, usize> {
    search_from(usize::MAX, sorted, compare)
}

/// The same for a thing that is likely to be at a place, which is then looked at first.
pub fn search_from<T>(place: usize, sorted: &[T], compare: impl Fn(&T) -> Ordering) -> Result<usize, usize> {
    let (mut low, mut high) = (0, sorted.len());
    let mut at = place.min(high.saturating_sub(1));
    while let Some(other) = sorted.get(at).filter(|_| low < high) {
        match compare(other) {
            Ordering::Less => low = at + 1,
            Ordering::Equal => return Ok(at),
            Ordering::Greater => high = at,
        }
        at = usize::midpoint(low, high);
    }
    Err(low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn searches_as_the_standard_library_does(numbers: std::collections::BTreeSet<u8>, sought: u8, place in 0_usize..300) {
            let numbers: Vec<u8> = numbers.into_iter().collect();
            let expected = numbers.binary_search(&sought);
            prop_assert_eq!(search(&numbers, |number| number.cmp(&sought)), expected);
            prop_assert_eq!(search_from(place, &numbers, |number| number.cmp(&sought)), expected);
        }

        #[test]
        fn places_are_in_stable_order(numbers: Vec<u8>) {
            let mut expected: Vec<usize> = (0..numbers.len()).collect();
            expected.sort_by_key(|place| numbers[*place]);
            prop_assert_eq!(places_in_order(numbers.len(), &|a, b| numbers[a].cmp(&numbers[b])), expected);
        }
    }
}
