//! Ranges of buckets: from coverage and weights, and the variation a bucket falls into.

#[cfg(feature = "author")]
use super::HashVersion;
#[cfg(feature = "author")]
use alloc::vec::Vec;

/// A part of the buckets, its end left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// First bucket inside.
    pub from: f64,
    /// First bucket behind.
    pub until: f64,
}

impl Range {
    /// Whether a bucket lies inside; never where an end is no number.
    pub fn contains(self, bucket: f64) -> bool {
        bucket >= self.from && bucket < self.until
    }
}

/// A part of the buckets of one hash version, as numbers, its end left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First bucket inside.
    pub from: u32,
    /// First bucket behind.
    pub until: u32,
}

#[cfg(feature = "author")]
impl Span {
    /// The buckets of a version that lie in a range.
    pub fn of(range: Range, version: HashVersion) -> Self {
        let buckets = version.buckets();
        let first = |end: f64| {
            (0..buckets).find(|bucket| f64::from(*bucket) / f64::from(buckets) >= end).unwrap_or(buckets)
        };
        Self { from: first(range.from), until: first(range.until) }
    }
}

/// The first range a bucket falls into, as its index.
pub fn choose(bucket: f64, ranges: impl IntoIterator<Item = Range>) -> Option<usize> {
    ranges.into_iter().position(|range| range.contains(bucket))
}

/// The ranges of `count` variations, each as long as its weight times the coverage.
///
/// Coverage is brought between 0 and 1. Weights of another number than the variations, or whose sum is not within a
/// hundredth of 1, give way to equal ones.
#[cfg(feature = "author")]
pub fn bucket_ranges(count: usize, coverage: f64, weights: Option<&[f64]>) -> Vec<Range> {
    let coverage = coverage.clamp(0.0, 1.0);
    let is_fit = |weights: &&[f64]| {
        let total = weights.iter().fold(0.0, |total, weight| total + weight);
        weights.len() == count && (0.99..=1.01).contains(&total)
    };
    let equal = 1.0 / count as f64;
    let given = weights.filter(is_fit);
    let mut start = 0.0;
    let range = |index: usize| {
        let weight = given.and_then(|weights| weights.get(index)).copied().unwrap_or(equal);
        let from = start;
        start += weight;
        Range { from, until: from + coverage * weight }
    };
    (0..count).map(range).collect()
}

#[cfg(all(test, feature = "author"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ends(ranges: &[Range]) -> Vec<(f64, f64)> {
        ranges.iter().map(|range| (range.from, range.until)).collect()
    }

    #[test]
    fn coverage_shortens_every_range_at_its_end() {
        assert_eq!(ends(&bucket_ranges(2, 0.5, None)), [(0.0, 0.25), (0.5, 0.75)]);
        assert_eq!(ends(&bucket_ranges(2, 7.0, Some(&[0.4, 0.6]))), [(0.0, 0.4), (0.4, 1.0)]);
        assert_eq!(ends(&bucket_ranges(2, -1.0, None)), [(0.0, 0.0), (0.5, 0.5)]);
        assert_eq!(ends(&bucket_ranges(0, 1.0, None)), []);
    }

    #[test]
    fn weights_that_do_not_fit_are_made_equal() {
        let equal = bucket_ranges(2, 1.0, None);
        for weights in [&[1.0][..], &[0.4, 0.1], &[0.7, 0.6], &[0.3, 0.3, 0.4], &[]] {
            assert_eq!(bucket_ranges(2, 1.0, Some(weights)), equal, "{weights:?}");
        }
        assert_ne!(bucket_ranges(2, 1.0, Some(&[0.5, 0.495])), equal);
    }

    proptest! {
        #[test]
        fn a_span_has_the_buckets_of_its_range(from in -0.1..1.1_f64, until in -0.1..1.1_f64, number in 0..10_000_u32) {
            let range = Range { from, until };
            for version in [HashVersion::One, HashVersion::Two] {
                let number = number % version.buckets();
                let bucket = f64::from(number) / f64::from(version.buckets());
                let span = Span::of(range, version);
                prop_assert_eq!((span.from..span.until).contains(&number), range.contains(bucket));
            }
        }

        #[test]
        fn a_bucket_falls_into_one_range_at_most(
            count in 2_usize..6, coverage in 0.0..1.0_f64, bucket in 0.0..1.0_f64,
        ) {
            let ranges = bucket_ranges(count, coverage, None);
            prop_assert!(ranges.iter().filter(|range| range.contains(bucket)).count() <= 1);
            let chosen = choose(bucket, ranges.iter().copied());
            prop_assert_eq!(chosen, ranges.iter().position(|range| range.contains(bucket)));
        }
    }
}
