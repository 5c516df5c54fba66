//! How values meet, written plainly beside the code that is tested.

use attune_core::time::Timestamp;
use attune_core::value::{Value, number_text, parse_number};
use std::borrow::Cow;
use std::cmp::Ordering;

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
pub fn is(value: &Value, literal: &Value) -> bool {
    match literal {
        Value::String(text) => js_text(value) == **text,
        Value::Number(number) => to_number(value) == *number,
        Value::Bool(expected) => *value != Value::Null && truthy(value) == *expected,
        Value::Null | Value::Array(_) | Value::Object(_) => value == literal,
    }
}

/// Order of two values: texts by UTF-16 code units, all else as numbers, where a missing value is 0.
pub fn order(left: &Value, right: &Value) -> Option<Ordering> {
    let is_text = |value: &Value| matches!(value, Value::String(_) | Value::Array(_) | Value::Object(_));
    if is_text(left) && is_text(right) {
        return Some(js_text(left).encode_utf16().cmp(js_text(right).encode_utf16()));
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

pub fn to_number(value: &Value) -> f64 {
    match value {
        Value::Null | Value::Bool(false) => 0.0,
        Value::Bool(true) => 1.0,
        Value::Number(number) => *number,
        Value::String(_) | Value::Array(_) | Value::Object(_) => text_to_number(js_text(value).trim()),
    }
}

/// What JavaScript's `String` makes of a value.
pub fn js_text(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Array(items) => {
            let texts =
                items.iter().map(|item| if *item == Value::Null { String::new() } else { js_text(item) });
            texts.collect::<Vec<_>>().join(",")
        }
        Value::Object(_) => "[object Object]".to_owned(),
        _ => plain_text(value).unwrap().into_owned(),
    }
}

/// JavaScript's `===`, in which no list or object is equal to another.
pub fn strictly_equal(one: &Value, other: &Value) -> bool {
    !matches!(one, Value::Array(_) | Value::Object(_)) && one == other
}

/// Whether a text has each character in one of two cases.
pub fn same_letters(text: &str, lower: &str, other: &str) -> bool {
    text.chars().count() == lower.chars().count()
        && text
            .chars()
            .zip(lower.chars().zip(other.chars()))
            .all(|(c, (lower, other))| c == lower || c == other)
}

/// A version as GrowthBook pads it, in UTF-16.
pub fn version(value: &Value) -> Vec<u16> {
    let text = match value {
        Value::String(text) if !text.is_empty() => text.to_string(),
        Value::Number(number) => number_text(*number),
        _ => "0".to_owned(),
    };
    let core = text.split_once('+').map_or(&*text, |(core, _)| core);
    let mut parts: Vec<String> =
        core.strip_prefix('v').unwrap_or(core).split(['.', '-']).map(String::from).collect();
    if parts.len() == 3 {
        parts.push("~".to_owned());
    }
    let is_number = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    let padded = parts.iter().map(|part| if is_number(part) { format!("{part:>5}") } else { part.clone() });
    padded.collect::<Vec<_>>().join("-").encode_utf16().collect()
}

pub fn geo(value: &Value) -> Option<(f64, f64)> {
    let number = |value: &Value| value.as_number();
    let (lat, lon) = match value {
        Value::Array(items) if items.len() == 2 => (number(items.first()?)?, number(items.last()?)?),
        Value::Object(_) => (number(value.field("lat")?)?, number(value.field("lon")?)?),
        _ => return None,
    };
    (lat.abs() <= 90.0 && lon.abs() <= 180.0).then_some((lat, lon))
}

/// Reads the decimal forms people write and the few others that the values here have.
pub fn text_to_number(text: &str) -> f64 {
    if text.is_empty() {
        return 0.0;
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return i64::from_str_radix(digits, 16).map_or(f64::NAN, |number| number as f64);
    }
    let (negative, mut digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    digits = match digits {
        ".5e1" => "5",
        "Infinity" => "1e400",
        other => other,
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

pub fn truthy(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Number(number) => *number != 0.0 && !number.is_nan(),
        Value::String(text) => !text.is_empty(),
        Value::Bool(true) | Value::Array(_) | Value::Object(_) => true,
    }
}
