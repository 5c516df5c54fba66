//! How values of different types meet: the coercions of JavaScript that GrowthBook's conditions rest on.

use crate::time::Timestamp;
use crate::value::{Room, ValueRef, parse_number, text_of_number};
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

/// Equality with a bare literal: the value is brought to the literal's type first.
pub(super) fn is(value: ValueRef<'_>, literal: ValueRef<'_>) -> bool {
    match literal {
        ValueRef::Text(_) | ValueRef::Instant(_) => {
            let (mut found, mut wanted) = ([0; 40], [0; 40]);
            plain_text(value, &mut found).is_some_and(|found| Some(found) == plain_text(literal, &mut wanted))
        }
        ValueRef::Number(number) => to_number(value) == number,
        ValueRef::Bool(expected) => !value.is_null() && truthy(value) == expected,
        ValueRef::Null | ValueRef::List(_) | ValueRef::Object(_) => value == literal,
    }
}

/// Order of two values: texts by UTF-16 code units, all else as numbers, where a missing value is 0.
pub(super) fn compare(left: ValueRef<'_>, right: ValueRef<'_>) -> Option<Ordering> {
    if is_text(left) && is_text(right) {
        let (mut one, mut other) = ([0; 40], [0; 40]);
        let texts = plain_text(left, &mut one).zip(plain_text(right, &mut other));
        return texts.map(|(left, right)| text_order(left, right));
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
    matches!(value, ValueRef::Text(_) | ValueRef::Instant(_))
}

/// UTF-16 puts the characters above U+FFFF, whose UTF-8 begins with F0 to F4, before those from U+E000 on, which begin
/// with EE and EF; in all else the order of code units is the order of bytes.
fn text_order(left: &str, right: &str) -> Ordering {
    let rank = |byte: u8| if byte == 0xee || byte == 0xef { byte + 0x10 } else { byte };
    left.bytes().map(rank).cmp(right.bytes().map(rank))
}

/// A value as a number, as JavaScript's comparisons take it; no number where it has none.
pub fn to_number(value: ValueRef<'_>) -> f64 {
    match value {
        ValueRef::Null => 0.0,
        ValueRef::Bool(truth) => f64::from(u8::from(truth)),
        ValueRef::Number(number) => number,
        ValueRef::Text(text) => text_to_number(text.trim_ascii()),
        ValueRef::Instant(_) | ValueRef::List(_) | ValueRef::Object(_) => f64::NAN,
    }
}

/// Reads the decimal forms people write: an empty text is 0, leading zeros and a plus sign are allowed.
fn text_to_number(text: &str) -> f64 {
    if text.is_empty() {
        return 0.0;
    }
    let sign = text.as_bytes().first();
    let mut digits = if matches!(sign, Some(b'-' | b'+')) { text.get(1..).unwrap_or_default() } else { text };
    while let [b'0', b'0'..=b'9', ..] = digits.as_bytes() {
        digits = digits.get(1..).unwrap_or_default();
    }
    match parse_number(digits) {
        Some(magnitude) if !digits.starts_with('-') => {
            if sign == Some(&b'-') {
                -magnitude
            } else {
                magnitude
            }
        }
        _ => f64::NAN,
    }
}

fn truthy(value: ValueRef<'_>) -> bool {
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
    use alloc::string::String;
    use proptest::prelude::*;

    #[test]
    fn numeric_texts_are_read_as_people_write_them() {
        for (text, number) in
            [("8", 8.0), (" 08.50 ", 8.5), ("+3", 3.0), ("-0", 0.0), ("0", 0.0), ("", 0.0), ("000", 0.0)]
        {
            assert_eq!(to_number(ValueRef::Text(text)), number, "{text}");
        }
        for text in ["x", "8px", "--1", "+-1", "-", "1 2"] {
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
