//! The hash that puts a unit into a bucket.
//!
//! Source: GrowthBook, "SDK build guide", hashing: FNV-1a with 32 bits over the code units of UTF-16.

use crate::hash;

/// How a seed and a unit become a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HashVersion {
    /// One pass over unit and seed, a thousand buckets; biased, and kept for experiments that began with it.
    #[default]
    One,
    /// Two passes over seed and unit, ten thousand buckets.
    Two,
}

impl HashVersion {
    /// The version of a number; nothing for one that does not exist.
    pub fn of_number(number: f64) -> Option<Self> {
        if number == 1.0 {
            Some(Self::One)
        } else if number == 2.0 {
            Some(Self::Two)
        } else {
            None
        }
    }

    /// How many buckets it has.
    pub const fn buckets(self) -> u32 {
        match self {
            Self::One => 1_000,
            Self::Two => 10_000,
        }
    }
}

/// The bucket of a unit, from 0 up to but not including 1.
pub fn bucket(seed: &str, unit: &str, version: HashVersion) -> f64 {
    f64::from(bucket_number(seed, unit, version)) / f64::from(version.buckets())
}

/// The bucket of a unit as a number below [`HashVersion::buckets`].
pub fn bucket_number(seed: &str, unit: &str, version: HashVersion) -> u32 {
    hash::bucket(seed, unit, version as u8 + 1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers_and_nothing_between_them() {
        assert_eq!(HashVersion::of_number(1.0), Some(HashVersion::One));
        assert_eq!(HashVersion::of_number(2.0), Some(HashVersion::Two));
        for other in [0.0, 1.5, 3.0, -1.0, f64::NAN] {
            assert_eq!(HashVersion::of_number(other), None);
        }
    }
}
