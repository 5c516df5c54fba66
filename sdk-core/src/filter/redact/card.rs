//! Payment card numbers (ISO/IEC 7812): a length and first digits that networks issue, and the check digit.

use super::byte::byte;
use super::chain::{Chain, DASH, SPACE, ends};

/// Most digits of a card number.
const MAX_DIGITS: usize = 19;

/// Where the card number that begins with a chain ends: its digits side by side, or in groups of three and more, the first
/// of four and more, with one space or dash between them. Of several ends the last counts.
pub(super) fn end(bytes: &[u8], from: usize, chain: &Chain) -> Option<usize> {
    // Without a sign or bracket in front.
    chain.groups().first().filter(|group| group.from == from)?;
    let (mut digits, mut count, mut found) = ([0_u8; MAX_DIGITS], 0, None);
    for group in chain.groups() {
        let least = if count == 0 { 4 } else { 3 };
        if group.length() < least || count + group.length() > MAX_DIGITS || group.gap & !(SPACE | DASH) != 0 {
            break;
        }
        for at in group.from..group.to {
            if let Some(digit) = digits.get_mut(count) {
                *digit = byte(bytes, at) - b'0';
            }
            count += 1;
        }
        let read = digits.get(..count).unwrap_or_default();
        // Nobody issues cards of 13 digits any more, and everybody sells things with barcodes of as many.
        let is_barcode = count == group.length() && count == 13 && weighted(read, 3) == 0;
        if is_issued(read) && luhn(read) && !is_barcode && ends(bytes, group.to) {
            found = Some(group.to);
        }
    }
    found
}

/// Whether a network issues cards of so many digits that begin with these.
fn is_issued(digits: &[u8]) -> bool {
    let [first, second, ..] = *digits else { return false };
    match (first * 10 + second, digits.len()) {
        // Mastercard and Mir.
        (22..=27, 16) => true,
        // Diners Club, American Express, JCB.
        (30 | 36 | 38 | 39, 14 | 16) | (34 | 37, 15) | (35, 16..=19) => true,
        // Visa; Mastercard and Maestro; Discover, UnionPay, RuPay and Maestro.
        (40..=49, 13 | 16 | 19) | (50..=69, 16..=19) => true,
        _ => false,
    }
}

/// The check digit of ISO/IEC 7812-1, annex B.
fn luhn(digits: &[u8]) -> bool {
    weighted(digits, 2) == 0
}

/// The sum of digits modulo 10, every second one from the right, the last being the first, times a weight; with weight 2
/// products lose their nine. Weight 3 is the check digit of barcodes (GS1 General Specifications, 7.9).
fn weighted(digits: &[u8], weight: u8) -> u8 {
    let mut sum = 0;
    for (place, digit) in digits.iter().rev().enumerate() {
        let product = if place % 2 == 1 { digit * weight } else { *digit };
        sum += if weight == 2 && product > 9 { product - 9 } else { product % 10 };
    }
    sum % 10
}
