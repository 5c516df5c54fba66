//! The JSON writer.

use super::{ValueRef, text_of_number};
use alloc::string::String;

/// Appends a value as JSON; numbers in the form of [`text_of_number`].
pub fn write_value(value: ValueRef<'_>, out: &mut String) {
    match value {
        ValueRef::Null => out.push_str("null"),
        ValueRef::Bool(true) => out.push_str("true"),
        ValueRef::Bool(false) => out.push_str("false"),
        ValueRef::Number(number) => out.push_str(text_of_number(number, &mut [0; 40])),
        ValueRef::Text(text) => write_string(text, out),
        ValueRef::Instant(at) => {
            out.push('"');
            at.write(out);
            out.push('"');
        }
        ValueRef::List(_) | ValueRef::Object(_) => {
            let is_object = matches!(value, ValueRef::Object(_));
            out.push(if is_object { '{' } else { '[' });
            for (index, (name, inner)) in value.entries().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                if is_object {
                    write_string(name, out);
                    out.push(':');
                }
                write_value(inner, out);
            }
            out.push(if is_object { '}' } else { ']' });
        }
    }
}

/// Appends a JSON string with its quotes.
pub fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut copied = 0;
    for (at, byte) in text.bytes().enumerate() {
        let short = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1f => "",
            _ => continue,
        };
        out.push_str(text.get(copied..at).unwrap_or_default());
        copied = at + 1;
        if short.is_empty() {
            out.push_str("\\u00");
            for nibble in [byte >> 4, byte & 15] {
                out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
        } else {
            out.push_str(short);
        }
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    out.push('"');
}
