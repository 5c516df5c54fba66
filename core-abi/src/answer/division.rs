//! How units are divided, as JSON text: the ranges of variations, the bundles of a statement.

use super::row::{Row, exact, list, object};
use attune_core::bundle::{Current, HASH_BYTES};
use attune_core::experiment::Range;

/// Ranges as pairs, their end left out.
pub(crate) fn ranges(ranges: &[Range]) -> String {
    list(ranges.iter().map(|range| format!("[{},{}]", exact(range.from), exact(range.until))))
}

/// The bundles that a statement names, and for each unit the number of its own.
pub(crate) fn bundles(current: &Current<'_>, is_candidate: impl Iterator<Item = Option<bool>>) -> String {
    let mut named = String::new();
    bundle(current.revision, &current.hash, &mut named);
    if let Some(candidate) = &current.candidate {
        bundle(candidate.revision, &candidate.hash, &mut named);
    }
    let number = |found: Option<bool>| match found {
        Some(true) => "1",
        Some(false) => "0",
        None => "null",
    };
    object(|row| {
        row.rows("bundles", &named);
        row.raw("units", &list(is_candidate.map(number)));
    })
}

fn bundle(revision: u64, hash: &[u8; HASH_BYTES], rows: &mut String) {
    let mut row = Row::after(rows);
    row.raw("revision", &format!("{revision}"));
    row.text("hash", Some(&hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>()));
    row.end();
}
