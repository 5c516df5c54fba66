//! Phone numbers: international ones by their sign, national ones only in forms that little else has.

use super::byte::{before, byte, escaped};
use super::chain::{BRACKET, Chain, DOT, ends};

/// Where the phone number that begins at a place ends, its chain behind the sign or bracket in front.
///
/// - `+` and 8 to 15 digits (ITU-T E.164), the first not zero, side by side or with separators; `+` stands behind no
///   letter or digit.
/// - `00` and 10 to 15 digits, the first not zero, with a separator.
/// - `0` and another digit, 9 to 12 digits in all, in two to five groups of two digits and more, the first of five at most.
/// - Groups of 3, 3 and 4 digits, the first not below 2, perhaps behind a `1`.
/// - An area of two or three digits in brackets, or of up to five that begin with 0; 9 to 12 digits in all.
///
/// One dot makes a decimal, and dots with other separators something else. All but the first form have to be all of their
/// chain, with nothing before or behind them that makes them a part of something: see `is_free`.
pub(super) fn end(bytes: &[u8], from: usize, chain: &Chain) -> Option<usize> {
    let first = chain.groups().first()?;
    let is_signed = !matches!(byte(bytes, from), b'0'..=b'9' | b'(');
    let (mut digits, mut gaps, mut dots, mut shortest) = (0, 0, 0, usize::MAX);
    let (mut to, mut found) = (from, None);
    for group in chain.groups() {
        digits += group.length();
        gaps |= group.gap;
        dots += usize::from(group.gap & DOT != 0);
        shortest = shortest.min(group.length());
        to = group.to;
        // Dots are several and alone.
        let is_separated = gaps & DOT == 0 || (gaps & !BRACKET == DOT && dots > 1);
        found = if is_separated && ends(bytes, to) && (!is_signed || (8..=15).contains(&digits)) {
            Some(to)
        } else {
            found.filter(|_| is_signed)
        };
    }
    let (lead, second) = (byte(bytes, first.from), byte(bytes, first.from + 1));
    if is_signed {
        return found.filter(|_| !is_behind_word(bytes, from) && lead != b'0');
    }
    let is_national = (9..=12).contains(&digits) && shortest > 1;
    let is_phone = if byte(bytes, from) == b'(' {
        let longest = if lead == b'0' { 5 } else { 3 };
        is_national && byte(bytes, first.to) == b')' && first.length() <= longest
    } else if lead == b'0' && second == b'0' {
        (12..=17).contains(&digits) && byte(bytes, first.from + 2) != b'0'
    } else if lead == b'0' {
        is_national && first.length() <= 5 && chain.groups().len() <= 5 && !is_date(chain)
    } else {
        is_american(bytes, chain)
    };
    found.filter(|_| is_phone && gaps != 0 && !chain.goes_on && is_free(bytes, from, to))
}

/// Whether a chain begins with a day, a month and a year.
fn is_date(chain: &Chain) -> bool {
    match chain.groups() {
        [day, month, year, ..] => day.length() == 2 && month.length() == 2 && year.length() == 4,
        _ => false,
    }
}

/// Whether a chain has the groups of the North American Numbering Plan.
fn is_american(bytes: &[u8], chain: &Chain) -> bool {
    let plain = match chain.groups() {
        [one, plain @ ..] if one.length() == 1 && byte(bytes, one.from) == b'1' => plain,
        plain => plain,
    };
    match plain {
        [area, exchange, line] => {
            area.length() == 3
                && exchange.length() == 3
                && line.length() == 4
                && byte(bytes, area.from) >= b'2'
        }
        _ => false,
    }
}

/// Whether a number stands by itself: not in a chain of numbers, an identifier, a path or a date with its time.
fn is_free(bytes: &[u8], from: usize, to: usize) -> bool {
    let last = before(bytes, from);
    let is_led = match last {
        b'-' | b'.' | b'/' | b'#' | b'_' | b'+' | b'$' => true,
        b' ' => before(bytes, from - 1).is_ascii_digit(),
        _ => is_behind_word(bytes, from),
    };
    let next = byte(bytes, to + 1);
    let is_followed = match byte(bytes, to) {
        b',' | b':' => next.is_ascii_digit(),
        b'-' | b'/' => next.is_ascii_alphanumeric(),
        _ => false,
    };
    !is_led && !is_followed
}

/// Whether a letter or digit stands before a place, which is none of an escape.
fn is_behind_word(bytes: &[u8], at: usize) -> bool {
    before(bytes, at).is_ascii_alphanumeric() && escaped(bytes, at.wrapping_sub(3)) == 0
}
