//! Values as JavaScript writes and converts them.
//!
//! Source: ECMA-262, `Number::toString`, `ToString`, `ToNumber`, `ToBoolean` and `JSON.stringify`.

use crate::value::{Value, write_string};
use alloc::format;
use alloc::string::String;

/// A number as JavaScript prints it: the shortest digits that read back as the same double.
pub(super) fn number_text(number: f64) -> String {
    if number.is_nan() {
        return String::from("NaN");
    }
    if number.is_infinite() {
        return String::from(if number > 0.0 { "Infinity" } else { "-Infinity" });
    }
    let scientific = format!("{:e}", number.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits = even_of_two(mantissa.replace('.', ""), number.abs());
    let point = exponent.parse::<i32>().unwrap_or_default() + 1;
    let length = digits.len() as i32;
    let mut text = String::from(if number < 0.0 { "-" } else { "" });
    let zeros = |count: i32| "0".repeat(count.max(0) as usize);
    if (length..=21).contains(&point) {
        text += &format!("{digits}{}", zeros(point - length));
    } else if (1..=21).contains(&point) {
        let (whole, fraction) = digits.split_at(point as usize);
        text += &format!("{whole}.{fraction}");
    } else if (-5..=0).contains(&point) {
        text += &format!("0.{}{digits}", zeros(-point));
    } else {
        let (first, others) = digits.split_at(1);
        let mark = if others.is_empty() { "" } else { "." };
        let sign = if point > 0 { "+" } else { "-" };
        text += &format!("{first}{mark}{others}e{sign}{}", (point - 1).abs());
    }
    text
}

/// Of two shortest forms that lie equally near to a number JavaScript takes the one whose last digit is even.
fn even_of_two(digits: String, number: f64) -> String {
    // A double that lies in the middle of two numbers of at most 17 digits has no more than 18 itself.
    let exact = format!("{number:.40e}");
    let exact = exact.split('e').next().unwrap_or_default().replace('.', "");
    let Some(lower) =
        exact.trim_end_matches('0').strip_suffix('5').filter(|lower| lower.len() == digits.len())
    else {
        return digits;
    };
    match lower.parse::<u64>() {
        Ok(lower) => format!("{}", lower + lower % 2),
        Err(_) => digits,
    }
}

/// A value as it is joined with a string.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::from("null"),
        Value::Bool(truth) => format!("{truth}"),
        Value::Number(number) => number_text(*number),
        Value::String(text) => String::from(&**text),
        Value::Array(items) => {
            let mut text = String::new();
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                if *item != Value::Null {
                    text += &text_of(item);
                }
            }
            text
        }
        Value::Object(_) => String::from("[object Object]"),
    }
}

/// A value as JSON.
pub(super) fn json_of(value: &Value) -> String {
    let mut text = String::new();
    write_json(value, &mut text);
    text
}

fn write_json(value: &Value, out: &mut String) {
    match value {
        Value::Number(number) if number.is_finite() => out.push_str(&number_text(*number)),
        Value::Null | Value::Number(_) => out.push_str("null"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_json(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            for (index, (name, field)) in fields.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(name, out);
                out.push(':');
                write_json(field, out);
            }
            out.push('}');
        }
    }
}

/// Whether a value counts as true.
pub(super) fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => *number != 0.0 && !number.is_nan(),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// A value in a sum or comparison of numbers, as far as GrowthBook's types reach: null is 0, what is no number is NaN.
pub(super) fn number_of(value: &Value) -> f64 {
    match value {
        Value::Null => 0.0,
        Value::Bool(truth) => f64::from(u8::from(*truth)),
        Value::Number(number) => *number,
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_as_in_javascript() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (1e21, "1e+21"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (1.5e300, "1.5e+300"),
            (0.000_001, "0.000001"),
            (0.000_000_12, "1.2e-7"),
            (5e-324, "5e-324"),
            (0.333_333_333_333_333_3, "0.3333333333333333"),
            (841_510_093_072_429.2, "841510093072429.2"),
            (8_415_100_930_724_292.5, "8415100930724292"),
            (0.5, "0.5"),
            (2.5, "2.5"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(number_text(number), text);
        }
    }

    #[test]
    fn values_join_with_strings_as_in_javascript() {
        let value = Value::parse(r#"[1,null,"a",[2,3],{"b":1},true]"#).unwrap();
        assert_eq!(text_of(&value), "1,,a,2,3,[object Object],true");
        assert_eq!(json_of(&value), r#"[1,null,"a",[2,3],{"b":1},true]"#);
        assert_eq!(
            (text_of(&Value::Null), json_of(&Value::Number(f64::NAN))),
            ("null".into(), "null".into())
        );
    }
}
