//! Decimal text to double and back, small enough for the page and equal on every host.

use alloc::string::String;
use alloc::vec::Vec;

/// Powers of ten that a double holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];
/// Digits that decide a double, with room to spare; later ones only say "more than this".
const MAX_DIGITS: usize = 800;

/// Reads a JSON number into the nearest double; a text that is no JSON number is nothing, 1e400 is infinite.
///
/// Short numbers take Clinger's exact fast path ("How to read floating point numbers accurately", 1990); all others
/// take an exact comparison over big integers, his AlgorithmM, which is slow, small and right.
pub fn parse_number(text: &str) -> Option<f64> {
    let decimal = Decimal::parse(text)?;
    let magnitude = decimal.to_f64();
    Some(if decimal.negative { -magnitude } else { magnitude })
}

/// A double as text, in the form of [`write_number`].
pub fn number_text(number: f64) -> String {
    let mut text = String::new();
    write_number(number, &mut text);
    text
}

/// Appends a double as text: integers below 2^53 exactly, all others with up to six decimals, rounded half away
/// from zero, which is the resolution of sums as well. Numbers of 10^15 and above keep 15 digits and an exponent.
pub fn write_number(number: f64, text: &mut String) {
    let magnitude = libm::fabs(number);
    if number < 0.0 {
        text.push('-');
    }
    if magnitude < 9_007_199_254_740_992.0 && libm::trunc(magnitude) == magnitude {
        push_integer(text, magnitude as u64);
    } else if magnitude < 1e15 {
        let micros = libm::round((magnitude - libm::trunc(magnitude)) * 1e6) as u64;
        push_integer(text, magnitude as u64 + micros / 1_000_000);
        push_fraction(text, micros % 1_000_000);
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
        push_integer(text, integer);
        text.push('e');
        push_integer(text, exponent);
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

    fn to_f64(&self) -> f64 {
        if self.digits.is_empty() {
            return 0.0;
        }
        if self.digits.len() <= 15 {
            let mantissa =
                self.digits.iter().fold(0_u64, |total, digit| total * 10 + u64::from(*digit)) as f64;
            if let Some(power) = EXACT_POWERS.get(self.exponent.unsigned_abs() as usize) {
                return if self.exponent < 0 { mantissa / power } else { mantissa * power };
            }
        }
        let magnitude = self.digits.len() as i64 + self.exponent;
        match magnitude {
            310.. => f64::INFINITY,
            ..=-330 => 0.0,
            _ => self.exact(),
        }
    }

    /// Scales digits × 10^exponent to a 53-bit quotient of two big integers and rounds half to even.
    fn exact(&self) -> f64 {
        let mut numerator = Big::default();
        for digit in &self.digits {
            numerator.multiply_add(10, u32::from(*digit));
        }
        let mut denominator = Big(alloc::vec![1]);
        let scaled = if self.exponent >= 0 { &mut numerator } else { &mut denominator };
        (0..self.exponent.unsigned_abs()).for_each(|_| scaled.multiply_add(10, 0));
        // Shift so that 2^63 <= quotient < 2^65, then divide bit by bit.
        let mut binary_exponent = numerator.bits() - denominator.bits() - 64;
        if binary_exponent < 0 {
            numerator.shift_left(binary_exponent.unsigned_abs());
        } else {
            denominator.shift_left(binary_exponent.unsigned_abs());
        }
        let mut quotient = 0_u128;
        for bit in (0..=65_u32).rev() {
            let mut part = denominator.clone();
            part.shift_left(u64::from(bit));
            if numerator.at_least(&part) {
                numerator.subtract(&part);
                quotient |= 1 << bit;
            }
        }
        let sticky = !numerator.is_zero();
        // Doubles below 2^-1022 have fewer bits: keep 53 or as many as the exponent leaves.
        let width = i64::from(128 - quotient.leading_zeros());
        let drop = (width - 53).max(-1074 - binary_exponent);
        if drop >= 127 {
            return 0.0;
        }
        let (kept, remainder) = (quotient >> drop, quotient & ((1 << drop) - 1));
        let half = 1_u128 << (drop - 1);
        let up = remainder > half || (remainder == half && (sticky || kept & 1 == 1));
        let mantissa = kept + u128::from(up);
        binary_exponent += drop;
        libm::ldexp(mantissa as f64, binary_exponent as i32)
    }
}

/// A natural number in little-endian 32-bit limbs.
#[derive(Clone, Default)]
struct Big(Vec<u32>);

impl Big {
    fn multiply_add(&mut self, factor: u32, addend: u32) {
        let mut carry = u64::from(addend);
        for limb in &mut self.0 {
            let product = u64::from(*limb) * u64::from(factor) + carry;
            *limb = product as u32;
            carry = product >> 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    fn shift_left(&mut self, bits: u64) {
        (0..bits % 32).for_each(|_| self.multiply_add(2, 0));
        let limbs = (bits / 32) as usize;
        let mut shifted = alloc::vec![0; limbs];
        shifted.append(&mut self.0);
        self.0 = shifted;
    }

    fn bits(&self) -> i64 {
        let top = self.0.iter().rposition(|limb| *limb != 0);
        top.map_or(0, |index| {
            index as i64 * 32 + 32 - i64::from(self.0.get(index).map_or(32, |limb| limb.leading_zeros()))
        })
    }

    fn is_zero(&self) -> bool {
        self.0.iter().all(|limb| *limb == 0)
    }

    fn at_least(&self, other: &Self) -> bool {
        let length = self.0.len().max(other.0.len());
        let limb = |big: &Self, index: usize| big.0.get(index).copied().unwrap_or(0);
        for index in (0..length).rev() {
            let (mine, theirs) = (limb(self, index), limb(other, index));
            if mine != theirs {
                return mine > theirs;
            }
        }
        true
    }

    fn subtract(&mut self, other: &Self) {
        let mut borrow = 0_i64;
        for (index, limb) in self.0.iter_mut().enumerate() {
            let theirs = i64::from(other.0.get(index).copied().unwrap_or(0));
            let difference = i64::from(*limb) - theirs - borrow;
            borrow = i64::from(difference < 0);
            *limb = difference as u32;
        }
    }
}

fn push_integer(text: &mut String, number: u64) {
    let mut divisor = 1_u64;
    while number / divisor >= 10 {
        divisor *= 10;
    }
    while divisor > 0 {
        text.push(char::from(b'0' + (number / divisor % 10) as u8));
        divisor /= 10;
    }
}

fn push_fraction(text: &mut String, micros: u64) {
    if micros == 0 {
        return;
    }
    text.push('.');
    let (mut rest, mut divisor) = (micros, 100_000);
    while rest > 0 {
        text.push(char::from(b'0' + (rest / divisor) as u8));
        rest %= divisor;
        divisor /= 10;
    }
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
