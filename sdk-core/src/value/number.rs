//! Decimal text to double and back, small enough for the page and equal on every host.

use alloc::string::String;
use alloc::vec::Vec;

/// Digits that decide a double, with room to spare; later ones only say "more than this".
const MAX_DIGITS: usize = 800;

/// Reads a JSON number into the nearest double; a text that is no JSON number is nothing, 1e400 is infinite.
///
/// Short numbers take Clinger's exact fast path ("How to read floating point numbers accurately", 1990); all others
/// are scaled to 53 bits as decimals, by shifts that carry, which is slow, small and right (the "simple decimal
/// conversion" of Ken Thompson, described by Nigel Tao, "The Eisel-Lemire ParseNumberF64 Algorithm", 2020).
pub fn parse_number(text: &str) -> Option<f64> {
    let decimal = Decimal::parse(text)?;
    let is_negative = decimal.negative;
    let magnitude = decimal.nearest();
    Some(if is_negative { -magnitude } else { magnitude })
}

/// Room for the text of a number, an instant or a hash.
pub type Room = [u8; 40];

/// A double as text, in the form of [`text_of_number`].
pub fn number_text(number: f64) -> String {
    String::from(text_of_number(number, &mut [0; 40]))
}

/// Writes a double as text: integers below 2^53 exactly, all others with up to six decimals, rounded half away
/// from zero, which is the resolution of sums as well. Numbers of 10^15 and above keep 15 digits and an exponent.
pub fn text_of_number(number: f64, room: &mut Room) -> &str {
    let magnitude = libm::fabs(number);
    // The text is written from its end.
    let mut at = room.len();
    if magnitude < 9_007_199_254_740_992.0 && libm::trunc(magnitude) == magnitude {
        put_integer(room, &mut at, magnitude as u64, 1);
    } else if magnitude < 1e15 {
        let mut micros = libm::round((magnitude - libm::trunc(magnitude)) * 1e6) as u64;
        let integer = magnitude as u64 + micros / 1_000_000;
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

struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let negative = bytes.first() == Some(&b'-');
        let mut at = usize::from(negative);
        let mut decimal = Self { negative, digits: Vec::new(), exponent: 0 };
        let whole = decimal.take_digits(bytes, &mut at, false);
        if whole == 0 || (whole > 1 && bytes.get(usize::from(negative)) == Some(&b'0')) {
            return None;
        }
        if bytes.get(at) == Some(&b'.') {
            at += 1;
            if decimal.take_digits(bytes, &mut at, true) == 0 {
                return None;
            }
        }
        if matches!(bytes.get(at), Some(b'e' | b'E')) {
            at += 1;
            let down = bytes.get(at) == Some(&b'-');
            at += usize::from(matches!(bytes.get(at), Some(b'-' | b'+')));
            let from = at;
            let mut exponent = 0_i64;
            while let Some(digit) = bytes.get(at).filter(|byte| byte.is_ascii_digit()) {
                exponent = (exponent * 10 + i64::from(digit - b'0')).min(100_000);
                at += 1;
            }
            if at == from {
                return None;
            }
            decimal.exponent += if down { -exponent } else { exponent };
        }
        (at == bytes.len()).then_some(decimal)
    }

    fn take_digits(&mut self, bytes: &[u8], at: &mut usize, fraction: bool) -> usize {
        let from = *at;
        while let Some(byte) = bytes.get(*at).filter(|byte| byte.is_ascii_digit()) {
            let digit = byte - b'0';
            let leading_zero = self.digits.is_empty() && digit == 0;
            let kept = self.digits.len() < MAX_DIGITS;
            if kept && !leading_zero {
                self.digits.push(digit);
            } else if !kept && digit != 0 {
                // A non-zero digit past the bound still tips an exact half upwards.
                if let Some(last) = self.digits.last_mut() {
                    *last |= 1;
                }
            }
            if fraction && (kept || leading_zero) {
                self.exponent -= 1;
            } else if !fraction && !kept {
                self.exponent += 1;
            }
            *at += 1;
        }
        *at - from
    }

    fn nearest(mut self) -> f64 {
        let count = self.digits.len() as i64;
        if count == 0 {
            return 0.0;
        }
        if count <= 15 && self.exponent.unsigned_abs() <= 22 {
            // A double holds both exactly, so one rounding is all there is.
            let mantissa = self.integer(15) as f64;
            let power = (0..self.exponent.unsigned_abs()).fold(1.0, |power, _| power * 10.0);
            return if self.exponent < 0 { mantissa / power } else { mantissa * power };
        }
        self.exponent += count;
        match self.exponent {
            310.. => f64::INFINITY,
            ..=-330 => 0.0,
            _ => self.exact(),
        }
    }

    /// The first so many digits as an integer.
    fn integer(&self, count: usize) -> u64 {
        self.digits.iter().take(count).fold(0, |total, digit| total * 10 + u64::from(*digit))
    }

    /// Scales 0.digits × 10^exponent to an integer of 53 bits and rounds half to even.
    fn exact(mut self) -> f64 {
        let mut binary_exponent = 0;
        loop {
            let point = self.exponent;
            let whole = point.clamp(0, 18) as usize;
            while self.digits.len() < whole {
                self.digits.push(0);
            }
            let integer = if point > 17 { u64::MAX } else { self.integer(whole) };
            // Eight, three bits, is less than ten, so no shift by a whole number of digits goes too far.
            if integer >= 1 << 53 {
                let bits = ((point - 17) * 3).clamp(1, 56);
                self.shift_right(bits as u32);
                binary_exponent += bits;
            } else if integer < 1 << 52 && binary_exponent > -1074 {
                let bits = ((15 - point) * 3).clamp(1, 56).min(binary_exponent + 1074);
                self.shift_left(bits as u32);
                binary_exponent -= bits;
            } else {
                let below = point < 0;
                let fraction = self.digits.get(whole..).unwrap_or_default();
                let up = match fraction.split_first() {
                    Some((5, rest)) if !below => integer & 1 == 1 || rest.iter().any(|digit| *digit != 0),
                    Some((first, _)) => !below && *first > 5,
                    None => false,
                };
                return libm::ldexp((integer + u64::from(up)) as f64, binary_exponent as i32);
            }
        }
    }

    /// Divides by 2^bits.
    fn shift_right(&mut self, bits: u32) {
        let mut rest = 0_u64;
        let mut shifted = Vec::with_capacity(self.digits.len() + 64);
        let mut digits = core::mem::take(&mut self.digits).into_iter();
        loop {
            let digit = digits.next();
            if digit.is_none() && rest == 0 {
                break;
            }
            rest = rest * 10 + u64::from(digit.unwrap_or(0));
            let next = (rest >> bits) as u8;
            rest &= (1 << bits) - 1;
            if next > 0 || !shifted.is_empty() {
                shifted.push(next);
            } else {
                self.exponent -= 1;
            }
        }
        self.digits = shifted;
    }

    /// Multiplies by 2^bits.
    fn shift_left(&mut self, bits: u32) {
        let mut carry = 0_u64;
        for digit in self.digits.iter_mut().rev() {
            carry += u64::from(*digit) << bits;
            *digit = (carry % 10) as u8;
            carry /= 10;
        }
        while carry > 0 {
            self.digits.insert(0, (carry % 10) as u8);
            carry /= 10;
            self.exponent += 1;
        }
    }
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
