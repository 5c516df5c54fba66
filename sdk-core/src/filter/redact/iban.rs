//! International bank account numbers (ISO 13616), checked by ISO 7064 MOD 97-10.

use super::byte::byte;
use super::chain::{Chain, SPACE, separator};

/// Characters of the shortest and of the longest number: country and check digits with 11 to 30 behind them.
const LENGTHS: core::ops::RangeInclusive<usize> = 15..=34;
/// Letters behind the check digits that a number in lower case may have; hashes and random ids have more.
const MAX_SMALL_LETTERS: usize = 7;

/// Where the account number that begins at a place ends: side by side, or in groups of four with single spaces, the last
/// of them of four or less.
pub(super) fn end(bytes: &[u8], from: usize, _chain: &Chain) -> Option<usize> {
    let head = bytes.get(from..from + 4)?;
    let [country @ .., tens, ones] = head else { return None };
    if !country.iter().all(u8::is_ascii_alphabetic) || !tens.is_ascii_digit() || !ones.is_ascii_digit() {
        return None;
    }
    let (mut at, mut count, mut group, mut found) = (from, 0, 0, None);
    let (mut rest, mut letters, mut is_small) = (0, 0, false);
    loop {
        let sign = byte(bytes, at);
        if sign.is_ascii_alphanumeric() {
            (at, count, group) = (at + 1, count + 1, group + 1);
            is_small |= sign.is_ascii_lowercase();
            if count > 4 {
                rest = feed(rest, sign);
                letters += usize::from(sign.is_ascii_alphabetic());
            }
            if count > *LENGTHS.end() {
                return found;
            }
            continue;
        }
        let is_plain = !is_small || letters <= MAX_SMALL_LETTERS;
        if is_plain && LENGTHS.contains(&count) && head.iter().fold(rest, |rest, sign| feed(rest, *sign)) == 1
        {
            found = Some(at);
        }
        let (kind, length) = separator(bytes, at);
        if group != 4 || kind != SPACE {
            return found;
        }
        (at, group) = (at + length, 0);
    }
}

/// What is left modulo 97 with one more character behind, letters standing for 10 to 35.
fn feed(rest: u32, sign: u8) -> u32 {
    match sign {
        b'0'..=b'9' => (rest * 10 + u32::from(sign - b'0')) % 97,
        _ => (rest * 100 + u32::from((sign | 0x20) - b'a') + 10) % 97,
    }
}
