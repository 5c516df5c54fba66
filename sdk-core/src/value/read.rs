//! The JSON reader: strict RFC 8259, bounded depth, positions in its errors.

use super::{Value, parse_number};
use crate::limits::MAX_JSON_DEPTH;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Text that is not the JSON asked for, with the byte at which that shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonError {
    /// A character no JSON text has here.
    Unexpected(usize),
    /// The text ends inside a value.
    EndsEarly(usize),
    /// An escape that names no character, such as half of a surrogate pair.
    BadEscape(usize),
    /// A number outside the range of a double.
    NumberOutOfRange(usize),
    /// Nesting deeper than [`MAX_JSON_DEPTH`].
    TooDeep(usize),
}

impl JsonError {
    /// Stable name for metrics and receipts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unexpected(_) => "json_unexpected",
            Self::EndsEarly(_) => "json_ends_early",
            Self::BadEscape(_) => "json_bad_escape",
            Self::NumberOutOfRange(_) => "json_number_out_of_range",
            Self::TooDeep(_) => "json_too_deep",
        }
    }

    /// Byte offset at which the text went wrong.
    pub const fn offset(self) -> usize {
        match self {
            Self::Unexpected(at) | Self::EndsEarly(at) | Self::BadEscape(at) => at,
            Self::NumberOutOfRange(at) | Self::TooDeep(at) => at,
        }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl core::error::Error for JsonError {}

/// Reads one JSON value that fills the text.
///
/// # Errors
/// Names what is wrong and at which byte.
pub fn parse(text: &str) -> Result<Value, JsonError> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(MAX_JSON_DEPTH)?;
    reader.end()?;
    Ok(value)
}

/// Checks that the text is one JSON object, without building it.
///
/// # Errors
/// As [`parse`]; a value that is no object is unexpected at its first byte.
pub fn validate(text: &str) -> Result<(), JsonError> {
    match parse(text)? {
        Value::Object(_) => Ok(()),
        _ => Err(JsonError::Unexpected(0)),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.space();
        match self.peek() {
            None => Err(JsonError::EndsEarly(self.at)),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonError> {
        let inner = self.open(depth)?;
        let mut fields: Vec<(Box<str>, Value)> = Vec::new();
        if self.close(b'}') {
            return Ok(Value::Object(fields));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.unexpected());
            }
            let name = self.string()?;
            self.space();
            self.expect(b':')?;
            fields.push((name, self.value(inner)?));
            if self.close(b'}') {
                return Ok(Value::Object(fields));
            }
            self.expect(b',')?;
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, JsonError> {
        let inner = self.open(depth)?;
        let mut items = Vec::new();
        if self.close(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(inner)?);
            if self.close(b']') {
                return Ok(Value::Array(items));
            }
            self.expect(b',')?;
        }
    }

    fn string(&mut self) -> Result<Box<str>, JsonError> {
        self.at += 1;
        let from = self.at;
        let mut built: Option<String> = None;
        let mut copied = from;
        loop {
            match self.peek() {
                None => return Err(JsonError::EndsEarly(self.at)),
                Some(b'"') => break,
                Some(b'\\') => {
                    let text = built.get_or_insert_with(String::new);
                    text.push_str(self.text.get(copied..self.at).unwrap_or_default());
                    let character = self.escape()?;
                    text.push(character);
                    built = Some(core::mem::take(text));
                    copied = self.at;
                }
                Some(0..=0x1f) => return Err(self.unexpected()),
                Some(_) => self.at += 1,
            }
        }
        let tail = self.text.get(copied..self.at).unwrap_or_default();
        self.at += 1;
        Ok(match built {
            None => Box::from(tail),
            Some(mut text) => {
                text.push_str(tail);
                text.into_boxed_str()
            }
        })
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let start = self.at;
        self.at += 1;
        let kind = self.peek().ok_or(JsonError::EndsEarly(self.at))?;
        self.at += 1;
        Ok(match kind {
            b'"' | b'\\' | b'/' => char::from(kind),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hex4(start)?;
                let code = if (0xd800..0xdc00).contains(&first) {
                    if !self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(b"\\u")) {
                        return Err(JsonError::BadEscape(start));
                    }
                    self.at += 2;
                    let second = self.hex4(start)?;
                    if !(0xdc00..0xe000).contains(&second) {
                        return Err(JsonError::BadEscape(start));
                    }
                    0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                } else {
                    first
                };
                char::from_u32(code).ok_or(JsonError::BadEscape(start))?
            }
            _ => return Err(JsonError::BadEscape(start)),
        })
    }

    fn hex4(&mut self, start: usize) -> Result<u32, JsonError> {
        let mut code = 0;
        for _ in 0..4 {
            let byte = self.peek().ok_or(JsonError::EndsEarly(self.at))?;
            let digit = char::from(byte).to_digit(16).ok_or(JsonError::BadEscape(start))?;
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) {
            self.at += 1;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        match parse_number(text) {
            Some(number) if number.is_finite() => Ok(Value::Number(number)),
            Some(_) => Err(JsonError::NumberOutOfRange(start)),
            None => Err(JsonError::Unexpected(start)),
        }
    }

    fn word(&mut self) -> Result<Value, JsonError> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        for (word, value) in
            [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)]
        {
            if rest.starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.unexpected())
    }

    fn open(&mut self, depth: usize) -> Result<usize, JsonError> {
        let inner = depth.checked_sub(1).ok_or(JsonError::TooDeep(self.at))?;
        self.at += 1;
        Ok(inner)
    }

    fn close(&mut self, byte: u8) -> bool {
        self.space();
        let here = self.peek() == Some(byte);
        self.at += usize::from(here);
        here
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        match self.peek() {
            Some(found) if found == byte => {
                self.at += 1;
                Ok(())
            }
            _ => Err(self.unexpected()),
        }
    }

    fn end(&mut self) -> Result<(), JsonError> {
        self.space();
        if self.peek().is_some() { Err(self.unexpected()) } else { Ok(()) }
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn unexpected(&self) -> JsonError {
        if self.at >= self.text.len() {
            JsonError::EndsEarly(self.at)
        } else {
            JsonError::Unexpected(self.at)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn reads_every_kind_of_value() {
        let value = parse(r#" {"a":[1,-2.5e1,true,null],"b":{"c":"\u00fc\ud83d\ude00\n"}} "#).unwrap();
        assert_eq!(value.at("a.1"), Some(&Value::Number(-25.0)));
        assert_eq!(value.at("b.c"), Some(&Value::string("ü😀\n")));
    }

    #[test]
    fn says_where_the_text_goes_wrong() {
        assert_eq!(parse(r#"{"a":}"#), Err(JsonError::Unexpected(5)));
        assert_eq!(parse(r#"{"a":1"#), Err(JsonError::EndsEarly(6)));
        assert_eq!(parse(r#""\ud800""#), Err(JsonError::BadEscape(1)));
        assert_eq!(parse("[1e400]"), Err(JsonError::NumberOutOfRange(1)));
        assert_eq!(parse(&"[".repeat(200)), Err(JsonError::TooDeep(32)));
        assert_eq!(parse("01"), Err(JsonError::Unexpected(0)));
    }

    #[test]
    fn binary_form_keeps_the_value() {
        let value = parse(r#"{"a":[1.5,false,null,"x"],"b":{}}"#).unwrap();
        let mut writer = crate::codec::Writer::new();
        value.encode(&mut writer);
        let bytes = writer.into_bytes();
        assert_eq!(Value::decode(&mut crate::codec::Reader::new(&bytes)), Ok(value.clone()));
        let mut text = String::new();
        super::super::write_value(&value, &mut text);
        assert_eq!(text.to_string(), r#"{"a":[1.5,false,null,"x"],"b":{}}"#);
    }
}
