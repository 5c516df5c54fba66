//! How values of different types meet: the coercions of JavaScript that GrowthBook's conditions rest on.

use crate::time::Timestamp;
use crate::value::{Value, number_text, parse_number};
use alloc::borrow::Cow;
use core::cmp::Ordering;

/// A value as plain text: strings as they are, numbers as people read them; nothing for null, arrays and objects.
pub fn plain_text(value: &Value) -> Option<Cow<'_, str>> {
    Some(match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Number(number) => Cow::Owned(number_text(*number)),
        Value::Bool(true) => Cow::Borrowed("true"),
        Value::Bool(false) => Cow::Borrowed("false"),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    })
}

/// Equality with a bare literal: the value is brought to the literal's type first.
pub(super) fn is(value: &Value, literal: &Value) -> bool {
    match literal {
        Value::String(text) => plain_text(value).is_some_and(|found| *found == **text),
        Value::Number(number) => to_number(value) == *number,
        Value::Bool(expected) => *value != Value::Null && truthy(value) == *expected,
        Value::Null | Value::Array(_) | Value::Object(_) => value == literal,
    }
}

/// Order of two values: texts by UTF-16 code units, all else as numbers, where a missing value is 0.
pub(super) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    if let (Value::String(left), Value::String(right)) = (left, right) {
        return Some(left.encode_utf16().cmp(right.encode_utf16()));
    }
    to_number(left).partial_cmp(&to_number(right))
}

/// The instant a value names: milliseconds, or an RFC 3339 text.
pub fn instant(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(ms) => Some(Timestamp(*ms as i64)),
        Value::String(text) => Timestamp::parse(text),
        _ => None,
    }
}

fn to_number(value: &Value) -> f64 {
    match value {
        Value::Null | Value::Bool(false) => 0.0,
        Value::Bool(true) => 1.0,
        Value::Number(number) => *number,
        Value::String(text) => text_to_number(text.trim_ascii()),
        Value::Array(_) | Value::Object(_) => f64::NAN,
    }
}

/// Reads the decimal forms people write: an empty text is 0, leading zeros and a plus sign are allowed.
fn text_to_number(text: &str) -> f64 {
    if text.is_empty() {
        return 0.0;
    }
    let (negative, mut digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    while let Some(rest) =
        digits.strip_prefix('0').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    {
        digits = rest;
    }
    match parse_number(digits) {
        Some(magnitude) if !digits.starts_with('-') => {
            if negative {
                -magnitude
            } else {
                magnitude
            }
        }
        _ => f64::NAN,
    }
}

fn truthy(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Number(number) => *number != 0.0 && !number.is_nan(),
        Value::String(text) => !text.is_empty(),
        Value::Bool(true) | Value::Array(_) | Value::Object(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numeric_texts_are_read_as_people_write_them() {
        for (text, number) in
            [("8", 8.0), (" 08.50 ", 8.5), ("+3", 3.0), ("-0", 0.0), ("0", 0.0), ("", 0.0), ("000", 0.0)]
        {
            assert_eq!(to_number(&Value::string(text)), number, "{text}");
        }
        for text in ["x", "8px", "--1", "+-1", "-", "1 2"] {
            assert!(to_number(&Value::string(text)).is_nan(), "{text}");
        }
    }
}
