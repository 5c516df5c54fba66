//! Finding a delta: which parts of the new envelope stand in the old one already.

use super::super::HASH_BYTES;
use super::super::delta::seal_delta;
use crate::codec::Writer;
use alloc::vec::Vec;
use core::cmp::Reverse;

/// Bytes by which parts that may be equal are looked up: a copy costs some four.
const PROBE_BYTES: usize = 8;
/// Fewest bytes copied from where the last copy would go on, which costs two or three.
const LEAST_IN_PLACE: usize = 4;
/// Places with equal beginnings that are compared, on either side of the one expected.
const PLACES_COMPARED: usize = 8;

/// Writes the delta from one envelope, of the given SHA-256, to another.
///
/// Greedy: at each byte the longest of some equal parts is taken, found by the first bytes in a sorted list of all
/// places of the old envelope; those near the place expected come first. Equal envelopes give equal bytes.
pub fn delta(from: &[u8], hash: &[u8; HASH_BYTES], to: &[u8]) -> Vec<u8> {
    let places = Places::new(from);
    let mut out = Writer::new();
    // Up to `done` everything is written; `expected` is the place of the old bytes that follow the last copy.
    let (mut at, mut done, mut expected) = (0, 0, 0);
    while at < to.len() {
        let rest = to.get(at..).unwrap_or_default();
        let in_place = expected + (at - done);
        let (place, length) = places.longest(rest, in_place);
        if length == 0 {
            at += 1;
            continue;
        }
        out.bytes(to.get(done..at).unwrap_or_default());
        out.i64(place as i64 - in_place as i64);
        out.len(length);
        at += length;
        (done, expected) = (at, place + length);
    }
    out.bytes(to.get(done..).unwrap_or_default());
    seal_delta(hash, to.len(), &out.into_bytes())
}

/// All places of an envelope, in order of the bytes that stand there.
struct Places<'a> {
    bytes: &'a [u8],
    sorted: Vec<usize>,
}

impl<'a> Places<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let mut sorted: Vec<usize> = (0..(bytes.len() + 1).saturating_sub(PROBE_BYTES)).collect();
        sorted.sort_unstable_by_key(|place| (probe(bytes, *place), *place));
        Self { bytes, sorted }
    }

    /// The place and length of the longest part found that `sought` begins with; length 0 where none is worth a copy.
    fn longest(&self, sought: &[u8], expected: usize) -> (usize, usize) {
        let mut best = (expected, self.equal(expected, sought));
        if best.1 < LEAST_IN_PLACE {
            best.1 = 0;
        }
        let Some(key) = probe(sought, 0) else { return best };
        let middle =
            self.sorted.partition_point(|place| (probe(self.bytes, *place), *place) < (Some(key), expected));
        let (before, after) = self.sorted.split_at(middle);
        let near = before.iter().rev().take(PLACES_COMPARED).chain(after.iter().take(PLACES_COMPARED));
        let found = near.map(|place| (*place, self.equal(*place, sought)));
        let longest = found.max_by_key(|(place, length)| (*length, Reverse(place.abs_diff(expected))));
        match longest {
            // Another place than the expected one has to be worth its distance.
            Some((place, length)) if length >= PROBE_BYTES.max(best.1 + LEAST_IN_PLACE) => (place, length),
            _ => best,
        }
    }

    fn equal(&self, place: usize, sought: &[u8]) -> usize {
        let here = self.bytes.get(place..).unwrap_or_default();
        here.iter().zip(sought).take_while(|(one, other)| one == other).count()
    }
}

fn probe(bytes: &[u8], place: usize) -> Option<&[u8; PROBE_BYTES]> {
    bytes.get(place..)?.first_chunk()
}

#[cfg(test)]
mod tests {
    use super::super::super::{BundleError, Delta, open_delta};
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    const HASH: [u8; HASH_BYTES] = [5; HASH_BYTES];

    fn applied(from: &[u8], bytes: &[u8]) -> Result<Vec<u8>, BundleError> {
        open_delta(bytes).and_then(|delta: Delta<'_>| delta.apply(from))
    }

    /// Bytes of few values, so that parts repeat.
    fn repetitive() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(0..3_u8, 0..400)
    }

    #[test]
    fn a_small_change_is_a_small_delta() {
        let from: Vec<u8> =
            (0..20_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let mut to = from.clone();
        to[40_000] ^= 1;
        to.splice(60_000..60_004, [1, 2, 3, 4, 5, 6]);
        to.drain(100..200);
        let bytes = delta(&from, &HASH, &to);
        assert!(bytes.len() < HASH_BYTES + 60, "{} bytes", bytes.len());
        assert_eq!(applied(&from, &bytes), Ok(to));
    }

    #[test]
    fn what_is_not_there_is_not_copied() {
        let sealed = |length: usize, write: &dyn Fn(&mut Writer)| {
            let mut out = Writer::new();
            write(&mut out);
            applied(b"0123456789", &seal_delta(&HASH, length, &out.into_bytes()))
        };
        let copy = |at: i64, length: usize| {
            move |out: &mut Writer| {
                out.bytes(b"ab");
                out.i64(at - 2);
                out.len(length);
                out.bytes(b"");
            }
        };
        assert_eq!(sealed(12, &copy(0, 10)), Ok(b"ab0123456789".to_vec()));
        assert_eq!(sealed(3, &copy(9, 1)), Ok(b"ab9".to_vec()));
        for (length, at, count) in [
            (12, 1, 10),
            (12, -1, 10),
            (11, 0, 10),
            (13, 0, 10),
            (2, 0, 0),
            (3, 10, 1),
            (12, i64::MAX, 10),
            (12, 0, usize::MAX),
        ] {
            assert_eq!(sealed(length, &copy(at, count)), Err(BundleError::BadDelta), "{length} {at} {count}");
        }
    }

    #[test]
    fn more_than_a_bundle_may_have_is_refused_at_once() {
        let bytes = seal_delta(&HASH, crate::limits::MAX_BUNDLE_BYTES + 1, &[]);
        assert_eq!(open_delta(&bytes).err(), Some(BundleError::BadDelta));
        assert_eq!(open_delta(b"ATND\x02").err(), Some(BundleError::UnsupportedFormat(2)));
        assert_eq!(open_delta(b"ATNB\x01").err(), Some(BundleError::BadMagic));
    }

    proptest! {
        #[test]
        fn a_delta_gives_what_it_was_made_for(from: Vec<u8>, to: Vec<u8>, a in repetitive(), b in repetitive()) {
            for (from, to) in [(&from, &to), (&a, &b), (&from, &b), (&a, &a)] {
                let bytes = delta(from, &HASH, to);
                prop_assert_eq!(applied(from, &bytes), Ok(to.clone()));
            }
        }

        #[test]
        fn related_bytes_give_each_other(
            from in prop::collection::vec(any::<u8>(), 1..600),
            edits in prop::collection::vec((any::<prop::sample::Index>(), 0..12_usize, prop::collection::vec(any::<u8>(), 0..12)), 0..6),
        ) {
            let mut to = from.clone();
            for (at, removed, added) in edits {
                let at = at.index(to.len() + 1);
                let end = (at + removed).min(to.len());
                to.splice(at..end, added);
            }
            prop_assert_eq!(applied(&from, &delta(&from, &HASH, &to)), Ok(to));
        }

        #[test]
        fn damaged_deltas_never_panic_and_never_exceed_what_they_say(
            from in repetitive(), to in repetitive(), at: prop::sample::Index, byte: u8, random: Vec<u8>,
        ) {
            let mut bytes = delta(&from, &HASH, &to);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let made = [seal_delta(&HASH, to.len(), &random), bytes[..at].to_vec(), bytes, random];
            for bytes in made {
                if let Ok(delta) = open_delta(&bytes) {
                    let length = delta.length;
                    prop_assert!(delta.apply(&from).is_ok_and(|out| out.len() == length) || delta.apply(&from).is_err());
                }
            }
        }
    }

    #[test]
    fn equal_envelopes_are_one_copy() {
        let from = vec![7; 5_000];
        let bytes = delta(&from, &HASH, &from);
        assert!(bytes.len() < HASH_BYTES + 16);
        assert_eq!(applied(&from, &bytes), Ok(from));
    }
}
