//! How values of different types meet: the coercions of JavaScript that GrowthBook's conditions rest on.

use super::text::occurs;
use crate::time::Timestamp;
use crate::value::{Room, ValueRef, parse_decimal, text_of_number};
use alloc::string::String;
use core::cmp::Ordering;

/// A value as plain text: strings as they are, numbers as people read them; nothing for null, arrays and objects.
/// `room` is written to where the text has to be made.
pub fn plain_text<'a>(value: ValueRef<'a>, room: &'a mut Room) -> Option<&'a str> {
    match value {
        ValueRef::Text(text) => Some(text),
        ValueRef::Number(number) => Some(text_of_number(number, room)),
        ValueRef::Instant(at) => room.first_chunk_mut().map(|room| at.text(room)),
        ValueRef::Bool(truth) => Some(if truth { "true" } else { "false" }),
        ValueRef::Null | ValueRef::List(_) | ValueRef::Object(_) => None,
    }
}

/// A value as JavaScript's `String` gives it: "null", the elements of a list joined by commas, "[object Object]".
pub(super) fn text_of<'a>(value: ValueRef<'a>, made: &'a mut String) -> &'a str {
    match value {
        ValueRef::Text(text) => text,
        ValueRef::Null => "null",
        _ => {
            put_text(value, made);
            made
        }
    }
}

/// Inside a list nothing is written for null.
fn put_text(value: ValueRef<'_>, out: &mut String) {
    match value {
        ValueRef::List(_) => {
            for (index, (_, item)) in value.entries().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                put_text(item, out);
            }
        }
        ValueRef::Object(_) => out.push_str("[object Object]"),
        _ => out.push_str(plain_text(value, &mut [0; 40]).unwrap_or_default()),
    }
}

/// Equality with a bare literal: the value is brought to the literal's type first; `other` is the literal's other case.
#[inline(never)]
pub(super) fn is(value: ValueRef<'_>, literal: ValueRef<'_>, other: ValueRef<'_>) -> bool {
    match literal {
        ValueRef::Text(_) | ValueRef::Instant(_) => {
            let mut found = String::new();
            equal(ValueRef::Text(text_of(value, &mut found)), literal, other)
        }
        ValueRef::Number(number) => to_number(value) == number,
        ValueRef::Bool(expected) => !value.is_null() && truthy(value) == expected,
        ValueRef::Null | ValueRef::List(_) | ValueRef::Object(_) => value == literal,
    }
}

/// Strict equality: lists and objects are never equal to anything, as two of JavaScript's are not; `other` is the
/// literal's other case.
pub(super) fn equal(value: ValueRef<'_>, literal: ValueRef<'_>, other: ValueRef<'_>) -> bool {
    match (value, literal, other) {
        (ValueRef::List(_) | ValueRef::Object(_), ..) => false,
        (ValueRef::Text(text), ValueRef::Text(lower), ValueRef::Text(upper)) => {
            occurs(text, [lower, upper], (true, true))
        }
        _ => value == literal,
    }
}

/// Order of two values: texts by UTF-16 code units, lists and objects as their texts, all else as numbers, where a
/// missing value is 0.
pub(super) fn compare(left: ValueRef<'_>, right: ValueRef<'_>) -> Option<Ordering> {
    if is_text(left) && is_text(right) {
        let (mut one, mut other) = (String::new(), String::new());
        return Some(text_order(text_of(left, &mut one), text_of(right, &mut other)));
    }
    to_number(left).partial_cmp(&to_number(right))
}

/// The instant a value names: milliseconds, or an RFC 3339 text.
pub fn instant(value: ValueRef<'_>) -> Option<Timestamp> {
    match value {
        ValueRef::Number(ms) => Some(Timestamp(ms as i64)),
        ValueRef::Text(text) => Timestamp::parse(text),
        ValueRef::Instant(at) => Some(at.in_text()),
        _ => None,
    }
}

const fn is_text(value: ValueRef<'_>) -> bool {
    !matches!(value, ValueRef::Null | ValueRef::Bool(_) | ValueRef::Number(_))
}

/// UTF-16 puts the characters above U+FFFF, whose UTF-8 begins with F0 to F4, before those from U+E000 on, which begin
/// with EE and EF; in all else the order of code units is the order of bytes.
#[inline(never)]
pub(super) fn text_order(left: &str, right: &str) -> Ordering {
    let rank = |byte: u8| if byte == 0xee || byte == 0xef { byte + 0x10 } else { byte };
    left.bytes().map(rank).cmp(right.bytes().map(rank))
}

/// A value as a number, as JavaScript's comparisons take it; no number where it has none.
pub fn to_number(value: ValueRef<'_>) -> f64 {
    match value {
        ValueRef::Null => 0.0,
        ValueRef::Bool(truth) => f64::from(u8::from(truth)),
        ValueRef::Number(number) => number,
        _ => text_to_number(text_of(value, &mut String::new())),
    }
}

/// Reads the numeric forms of JavaScript's `Number`: decimal, hexadecimal, octal, binary, infinity; an empty text is 0.
#[inline(never)]
fn text_to_number(text: &str) -> f64 {
    let text = text.trim_start_matches(is_space).trim_end_matches(is_space);
    let (base, digits) = match text.as_bytes() {
        [] => return 0.0,
        [b'0', b'x' | b'X', digits @ ..] => (16, digits),
        [b'0', b'o' | b'O', digits @ ..] => (8, digits),
        [b'0', b'b' | b'B', digits @ ..] => (2, digits),
        [b'-', digits @ ..] => return -magnitude(digits),
        [b'+', digits @ ..] => return magnitude(digits),
        digits => return magnitude(digits),
    };
    let mut number = if digits.is_empty() { f64::NAN } else { 0.0 };
    for digit in digits {
        let digit = char::from(*digit).to_digit(base).map_or(f64::NAN, f64::from);
        number = number * f64::from(base) + digit;
    }
    number
}

fn magnitude(digits: &[u8]) -> f64 {
    if digits == b"Infinity" { f64::INFINITY } else { parse_decimal(digits).unwrap_or(f64::NAN) }
}

/// White space and line ends of ECMAScript.
const fn is_space(c: char) -> bool {
    matches!(c, '\t'..='\r' | ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{2028}' | '\u{2029}'
        | '\u{202f}' | '\u{205f}' | '\u{3000}' | '\u{feff}')
}

#[inline(never)]
pub(super) fn truthy(value: ValueRef<'_>) -> bool {
    match value {
        ValueRef::Null => false,
        ValueRef::Bool(truth) => truth,
        ValueRef::Number(number) => number != 0.0 && !number.is_nan(),
        ValueRef::Text(text) => !text.is_empty(),
        ValueRef::Instant(_) | ValueRef::List(_) | ValueRef::Object(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numeric_texts_are_read_as_javascript_does() {
        for (text, number) in [
            ("8", 8.0),
            ("\u{feff} 08.50\u{2029}", 8.5),
            ("+3", 3.0),
            ("-0", 0.0),
            ("", 0.0),
            ("000", 0.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("-5.e-1", -0.5),
            ("0x1F", 31.0),
            ("0O17", 15.0),
            ("0b101", 5.0),
            ("-Infinity", f64::NEG_INFINITY),
            ("1e400", f64::INFINITY),
        ] {
            assert_eq!(to_number(ValueRef::Text(text)), number, "{text}");
        }
        for text in
            ["x", "8px", "--1", "+-1", "-", "1 2", ".", "e5", "0x", "-0x1", "0b2", "1_0", "inf", "\u{85}1"]
        {
            assert!(to_number(ValueRef::Text(text)).is_nan(), "{text}");
        }
    }

    #[test]
    fn an_instant_is_compared_as_its_text_is() {
        let (at, text) = (ValueRef::Instant(Timestamp(0)), ValueRef::Text("1970-01-01T00:00:00.000Z"));
        for other in [
            at,
            text,
            ValueRef::Text("1970-01-01T00:00:00Z"),
            ValueRef::Text("2"),
            ValueRef::Number(0.0),
            ValueRef::Number(1.0),
            ValueRef::Bool(true),
            ValueRef::Null,
        ] {
            assert_eq!(compare(at, other), compare(text, other), "{other:?}");
            assert_eq!(compare(other, at), compare(other, text), "{other:?}");
            let is = |value, literal| is(value, literal, literal);
            assert_eq!((is(at, other), is(other, at)), (is(text, other), is(other, text)), "{other:?}");
        }
        assert_eq!(instant(at), instant(text));
    }

    proptest! {
        #[test]
        fn texts_are_ordered_by_utf16_code_units(left: String, right: String) {
            prop_assert_eq!(text_order(&left, &right), left.encode_utf16().cmp(right.encode_utf16()));
        }

        #[test]
        fn characters_around_the_surrogates_are_in_order(
            left in "[a\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}]{0,4}",
            right in "[a\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}]{0,4}",
        ) {
            prop_assert_eq!(text_order(&left, &right), left.encode_utf16().cmp(right.encode_utf16()));
        }
    }
}
