//! The exports that divide units: buckets, the ranges of variations, the bundles of a statement.

use super::HOST;
use attune_core::experiment::{HashVersion, bucket};

/// The bucket of a unit, from 0 up to but not including 1; NaN for a version that does not exist.
#[unsafe(no_mangle)]
pub extern "C" fn bucket_hash(seed: usize, unit: usize, version: f64) -> f64 {
    HOST.with_borrow_mut(|host| {
        let (seed, unit) = (host.text(seed), host.text(unit));
        HashVersion::of_number(version).map_or(f64::NAN, |version| bucket(&seed, &unit, version))
    })
}

/// The ranges of variations with the count, coverage and weights in a buffer.
#[unsafe(no_mangle)]
pub extern "C" fn bucket_ranges(division: usize) -> usize {
    HOST.with_borrow_mut(|host| {
        let division = host.text(division);
        host.answer(crate::bucket_ranges(&division))
    })
}

/// The bundles that the statement in a buffer names, and which of them each of the units in another gets.
#[unsafe(no_mangle)]
pub extern "C" fn current_bundles(statement: usize, units: usize) -> usize {
    HOST.with_borrow_mut(|host| {
        let (statement, units) = (host.take(statement), host.text(units));
        host.answer(crate::current_bundles(&statement, &units))
    })
}
