//! Decimal text to double and back, small enough for the page and equal on every host.

use alloc::string::String;

/// Powers of ten up to this one are exact in a double.
const EXACT_POWER: u64 = 22;
/// Digits that decide a double, with room to spare; later ones only say "more than this".
const MAX_DIGITS: i64 = 800;
/// The largest power of five that fits a limb, and its exponent.
const FIVES: (u32, i64) = (1_220_703_125, 13);
/// Limbs for [`MAX_DIGITS`] digits, which are 84, and for the divisions of the smallest double of so many, which are 90.
const LIMBS: usize = 176;
/// The bits of an infinite double.
const INFINITE: u64 = 0x7ff << 52;

/// Reads a JSON number into the nearest double; a text that is no JSON number is nothing, 1e400 is infinite.
///
/// Short numbers take Clinger's exact fast path ("How to read floating point numbers accurately", 1990). For all others
/// the digits become one big integer, which is multiplied by ten or, with limbs enough behind it, divided by five as
/// often as the exponent says; what a division leaves over only tells an exact half from more than that.
pub fn parse_number(text: &str) -> Option<f64> {
    let (digits, negative) = match text.as_bytes() {
        [b'-', digits @ ..] => (digits, true),
        digits => (digits, false),
    };
    // JSON asks for a digit on both sides of the point and for no needless zero in front.
    let point = digits.iter().position(|byte| *byte == b'.');
    if let [b'0', b'0'..=b'9', ..] | [b'.', ..] = digits {
        return None;
    }
    if point.is_some_and(|point| !digits.get(point + 1).is_some_and(u8::is_ascii_digit)) {
        return None;
    }
    let magnitude = parse_decimal(digits)?;
    Some(if negative { -magnitude } else { magnitude })
}

/// Reads a decimal without a sign, such as `08.50`, `.5`, `5.` or `1e3`, into the nearest double.
pub fn parse_decimal(digits: &[u8]) -> Option<f64> {
    let decimal = Decimal::scan(digits)?;
    Some(decimal.short().unwrap_or_else(|| decimal.exact(digits)))
}

/// Room for the text of a number, an instant or a hash.
pub type Room = [u8; 40];

/// A double as text, in the form of [`text_of_number`].
pub fn number_text(number: f64) -> String {
    String::from(text_of_number(number, &mut [0; 40]))
}

/// Writes a double as text: integers below 2^53 exactly, all others with up to six decimals, rounded half away
/// from zero, which is the resolution of sums as well. Numbers of 10^15 and above keep 15 digits and an exponent.
#[inline(never)]
pub fn text_of_number(number: f64, room: &mut Room) -> &str {
    let magnitude = number.abs();
    // The text is written from its end.
    let mut at = room.len();
    let whole = magnitude as u64;
    if magnitude < 9_007_199_254_740_992.0 && whole as f64 == magnitude {
        put_integer(room, &mut at, whole, 1);
    } else if magnitude < 1e15 {
        let mut micros = round((magnitude - whole as f64) * 1e6);
        let integer = whole + micros / 1_000_000;
        micros %= 1_000_000;
        let mut width = 6;
        while width > 0 && micros.is_multiple_of(10) {
            micros /= 10;
            width -= 1;
        }
        if width > 0 {
            put_integer(room, &mut at, micros, width);
            put(room, &mut at, b'.');
        }
        put_integer(room, &mut at, integer, 1);
    } else {
        let mut scaled = magnitude;
        let mut exponent = 0_u64;
        while scaled >= 1e15 && exponent < 400 {
            scaled /= 10.0;
            exponent += 1;
        }
        let mut integer = scaled as u64;
        while integer > 0 && integer.is_multiple_of(10) {
            integer /= 10;
            exponent += 1;
        }
        put_integer(room, &mut at, exponent, 1);
        put(room, &mut at, b'e');
        put_integer(room, &mut at, integer, 1);
    }
    if number < 0.0 {
        put(room, &mut at, b'-');
    }
    core::str::from_utf8(room.get(at..).unwrap_or_default()).unwrap_or_default()
}

fn put(room: &mut Room, at: &mut usize, byte: u8) {
    *at = at.saturating_sub(1);
    if let Some(place) = room.get_mut(*at) {
        *place = byte;
    }
}

/// Puts an integer with at least `width` digits.
fn put_integer(room: &mut Room, at: &mut usize, mut number: u64, mut width: u32) {
    while number > 0 || width > 0 {
        put(room, at, b'0' + (number % 10) as u8);
        number /= 10;
        width = width.saturating_sub(1);
    }
}

/// What a decimal says: `mantissa` × 10^`exponent`, as far as `mantissa` holds its `count` digits.
#[derive(Default)]
struct Decimal {
    mantissa: u64,
    /// Digits from the first that is not zero.
    count: i64,
    exponent: i64,
}

impl Decimal {
    fn scan(text: &[u8]) -> Option<Self> {
        let mut decimal = Self::default();
        let mut rest = text;
        let whole = decimal.take_digits(&mut rest);
        if let [b'.', fraction @ ..] = rest {
            rest = fraction;
            decimal.exponent = -decimal.take_digits(&mut rest);
        }
        if whole - decimal.exponent == 0 {
            return None;
        }
        if let [b'e' | b'E', signed @ ..] = rest {
            let (down, digits) = match signed {
                [b'-', digits @ ..] => (true, digits),
                [b'+', digits @ ..] => (false, digits),
                digits => (false, digits),
            };
            rest = digits;
            let mut exponent = Self::default();
            if exponent.take_digits(&mut rest) == 0 {
                return None;
            }
            let exponent = if exponent.count > 9 { 1_000_000_000 } else { exponent.mantissa as i64 };
            decimal.exponent += if down { -exponent } else { exponent };
        }
        rest.is_empty().then_some(decimal)
    }

    /// Takes digits from the front; returns how many there were.
    fn take_digits(&mut self, rest: &mut &[u8]) -> i64 {
        let mut taken = 0;
        while let [byte @ b'0'..=b'9', behind @ ..] = *rest {
            *rest = behind;
            self.mantissa = self.mantissa.wrapping_mul(10).wrapping_add(u64::from(*byte - b'0'));
            self.count += i64::from(self.mantissa != 0 || self.count > 0);
            taken += 1;
        }
        taken
    }

    /// The double, where that is plain to see or one operation on two exact doubles gives it.
    #[inline(never)]
    fn short(&self) -> Option<f64> {
        let magnitude = self.count + self.exponent;
        if self.count == 0 || magnitude <= -330 {
            return Some(0.0);
        }
        if magnitude >= 310 {
            return Some(f64::INFINITY);
        }
        let steps = self.exponent.unsigned_abs();
        if self.count > 15 || steps > EXACT_POWER {
            return None;
        }
        let (mantissa, power) = (self.mantissa as f64, (0..steps).fold(1.0, |power, _| power * 10.0));
        Some(if self.exponent < 0 { mantissa / power } else { mantissa * power })
    }

    /// The double nearest to the digits of `text` by big integers.
    #[inline(never)]
    fn exact(&self, text: &[u8]) -> f64 {
        let mut limbs = [0_u32; LIMBS];
        let mut left = self.count.min(MAX_DIGITS);
        let mut exponent = self.exponent + self.count - left;
        // A power of five takes less than a limb away; two have to stay and a third fills up the first of them.
        let behind = if exponent < 0 { exponent.unsigned_abs() as usize / FIVES.1 as usize + 4 } else { 0 };
        let binary = exponent.min(0) - 32 * behind as i64;
        let big = limbs.get_mut(behind..).unwrap_or_default();
        let mut sticky = false;
        let mut any = 0;
        for byte in text.iter().take_while(|byte| !matches!(byte, b'e' | b'E')) {
            let digit = u32::from(byte.wrapping_sub(b'0'));
            if digit > 9 {
                continue;
            }
            any |= digit;
            if left == 0 {
                sticky |= digit > 0;
            } else if any > 0 {
                multiply_add(big, 10, digit);
                left -= 1;
            }
        }
        while exponent > 0 {
            multiply_add(big, 10, 0);
            exponent -= 1;
        }
        while exponent < 0 {
            let (divisor, steps) = if exponent <= -FIVES.1 { FIVES } else { (5, 1) };
            sticky |= divide(&mut limbs, divisor) > 0;
            exponent += steps;
        }
        nearest(&mut limbs, binary, sticky)
    }
}

/// Multiplies a natural number in little-endian limbs, then adds.
fn multiply_add(limbs: &mut [u32], factor: u32, addend: u32) {
    let mut carry = u64::from(addend);
    for limb in limbs {
        carry += u64::from(*limb) * u64::from(factor);
        *limb = carry as u32;
        carry >>= 32;
    }
}

/// Divides; returns what is left over.
fn divide(limbs: &mut [u32], divisor: u32) -> u64 {
    let mut left = 0;
    for limb in limbs.iter_mut().rev() {
        let part = left << 32 | u64::from(*limb);
        *limb = (part / u64::from(divisor)) as u32;
        left = part % u64::from(divisor);
    }
    left
}

/// The double nearest to limbs × 2^`exponent`, or to a little more if `sticky`; of two as near the even one.
fn nearest(limbs: &mut [u32; LIMBS], mut exponent: i64, mut sticky: bool) -> f64 {
    let first = limbs.iter().rev().find(|limb| **limb != 0);
    let shift = first.map_or(0, |limb| limb.leading_zeros());
    multiply_add(limbs, 1 << shift, 0);
    exponent += 32 * LIMBS as i64 - i64::from(shift);
    let (mut bits, mut taken) = (0_u64, 0);
    for limb in limbs.iter().rev() {
        if taken == 2 {
            sticky |= *limb != 0;
        } else {
            bits = bits << 32 | u64::from(*limb);
            exponent -= 32;
            taken += u32::from(bits != 0);
        }
    }
    bits |= u64::from(sticky);
    // A double keeps 53 bits, and fewer where the last would stand for less than 2^-1074.
    let drop = (-1074 - exponent).max(11);
    if drop > 64 {
        return 0.0;
    }
    let (kept, rest) = (bits.checked_shr(drop as u32).unwrap_or(0), bits << (64 - drop));
    let up = rest > 1 << 63 || (rest == 1 << 63 && kept & 1 == 1);
    // The leading bit of `kept` adds one to the exponent, as it does when rounding up carries.
    let magnitude = ((exponent + drop + 1074) as u64) << 52;
    f64::from_bits((magnitude + kept + u64::from(up)).min(INFINITE))
}

/// Rounds a number from 0 to 2^52 half up; the addend is the double below one half, so that the sum cannot reach one
/// where the number does not reach a half.
pub(crate) fn round(number: f64) -> u64 {
    (number + 0.499_999_999_999_999_94) as u64
}

/// The double nearest to a wide integer, as `as` gives it.
///
/// Halving with the lost bit kept in the last place rounds to odd, so the one rounding to 53 bits stays the only one.
pub(crate) fn wide_to_f64(number: i128) -> f64 {
    let (mut halved, mut unit) = (number, 1.0);
    while i128::from(halved as i64) != halved {
        halved = (halved >> 1) | (halved & 1);
        unit *= 2.0;
    }
    halved as i64 as f64 * unit
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::format;

    #[test]
    fn hard_decimals_round_as_the_standard_library_does() {
        for text in [
            "0",
            "-0",
            "1",
            "0.1",
            "123456.789",
            "9007199254740993",
            "1e22",
            "1e23",
            "2.2250738585072011e-308",
            "4.9e-324",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "1.7976931348623157e308",
            "1.7976931348623159e308",
            "0.000001",
            "179769313486231580793728971405301199e272",
            "5e-325",
        ] {
            assert_eq!(parse_number(text), text.parse().ok(), "{text}");
        }
    }

    #[test]
    fn text_that_is_no_json_number_is_refused() {
        for text in ["", "-", "01", "1.", ".5", "1e", "1e+", "+1", "1x", "--1", "Infinity"] {
            assert_eq!(parse_number(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_written_as_people_read_them() {
        for (number, text) in
            [(0.0, "0"), (42.0, "42"), (-19.99, "-19.99"), (0.1 + 0.2, "0.3"), (1e300, "1e300")]
        {
            assert_eq!(number_text(number), text);
        }
        assert_eq!(number_text(0.9999999), "1");
    }

    proptest! {
        #[test]
        fn every_double_survives_its_shortest_text(bits: u64) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite());
            for text in [format!("{number:e}"), format!("{number:.17e}")] {
                prop_assert_eq!(parse_number(&text).map(f64::to_bits), Some(bits));
            }
        }
    }
}
