//! The walk over a text that asks, wherever a word or number begins, whether it is one that is looked for.

use super::byte::{before, byte, escaped, hex};
use super::chain::Chain;
use super::{Hit, Kind, Kinds, card, iban, ip, phone};

/// How many hexadecimal digits the parts of a UUID have.
const UUID: [usize; 5] = [8, 4, 4, 4, 12];

/// Says where what is looked for ends, if it begins at a place, given the groups of digits that begin there or behind a sign.
type End = fn(&[u8], usize, &Chain) -> Option<usize>;

/// What is looked for, in order: a part of one may look like another that comes later.
const ENDS: [(Kind, End); 5] = [
    (Kind::Iban, iban::end),
    (Kind::Ip, ip::end_of_six),
    (Kind::Ip, ip::end_of_four),
    (Kind::Card, card::end),
    (Kind::Phone, phone::end),
];

/// Finds the next number or internet address that begins at a byte or behind it, where no word or number stands before.
pub(super) fn find(bytes: &[u8], from: usize, kinds: Kinds) -> Option<Hit> {
    let mut at = from;
    while at < bytes.len() {
        let (sign, decoded) = (byte(bytes, at), escaped(bytes, at));
        // A phone number may have a sign or bracket in front.
        let lead = match sign {
            b'+' | b'(' => Some(1),
            b'%' if decoded == b'+' => Some(3),
            _ => sign.is_ascii_alphanumeric().then_some(0),
        };
        if let Some(to) = uuid(bytes, at) {
            at = to;
        } else if let Some(lead) = lead {
            let chain = Chain::read(bytes, at + lead);
            for (kind, end) in ENDS {
                if kinds.has(kind)
                    && let Some(to) = end(bytes, at, &chain)
                {
                    return Some(Hit { kind, from: at, to });
                }
            }
            // What stands behind a sign may be something without it.
            at = if lead == 0 { pass(bytes, at) } else { at + lead };
        } else {
            at += if decoded > 0 { 3 } else { 1 };
        }
    }
    None
}

/// Moves behind letters and digits, and numbers with their decimals.
fn pass(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while byte(bytes, at).is_ascii_alphanumeric()
        || byte(bytes, at) == b'.'
            && at > from
            && before(bytes, at).is_ascii_digit()
            && byte(bytes, at + 1).is_ascii_digit()
    {
        at += 1;
    }
    at
}

/// Where the UUID that begins at a place ends.
fn uuid(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    for length in UUID {
        if at > from {
            if byte(bytes, at) != b'-' {
                return None;
            }
            at += 1;
        }
        let part = bytes.get(at..at + length)?;
        if !part.iter().all(|digit| hex(*digit).is_some()) {
            return None;
        }
        at += length;
    }
    (!byte(bytes, at).is_ascii_alphanumeric()).then_some(at)
}
