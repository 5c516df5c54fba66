//! The JSON reader: strict RFC 8259, bounded depth, positions in its errors.

use super::{Packed, ValueRef, parse_number};
use crate::codec::Writer;
use crate::limits::MAX_JSON_DEPTH;
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

/// Reads one JSON value that fills the text, straight into its packed form.
///
/// # Errors
/// Names what is wrong and at which byte.
pub fn parse(text: &str) -> Result<Packed, JsonError> {
    let mut reader = Reader { text, at: 0, packed: Vec::with_capacity(text.len() + 8) };
    reader.value(MAX_JSON_DEPTH)?;
    reader.end()?;
    Ok(Packed::written(reader.packed))
}

/// Checks that the text is one JSON object.
///
/// # Errors
/// As [`parse`]; a value that is no object is unexpected at its first byte.
pub fn validate(text: &str) -> Result<(), JsonError> {
    match parse(text)?.get() {
        ValueRef::Object(_) => Ok(()),
        _ => Err(JsonError::Unexpected(0)),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    packed: Vec<u8>,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<(), JsonError> {
        self.space();
        match self.peek() {
            None => Err(JsonError::EndsEarly(self.at)),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => {
                self.packed.push(4);
                self.string()
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), JsonError> {
        let inner = self.open(depth)?;
        let (size, mut count) = (self.begin(6), 0);
        if self.close(b'}') {
            return Ok(());
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.unexpected());
            }
            self.string()?;
            self.space();
            self.expect(b':')?;
            self.value(inner)?;
            count += 1;
            if self.close(b'}') {
                self.set_size(size, count);
                return Ok(());
            }
            self.expect(b',')?;
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), JsonError> {
        let inner = self.open(depth)?;
        let (size, mut count) = (self.begin(5), 0);
        if self.close(b']') {
            return Ok(());
        }
        loop {
            self.value(inner)?;
            count += 1;
            if self.close(b']') {
                self.set_size(size, count);
                return Ok(());
            }
            self.expect(b',')?;
        }
    }

    /// Writes a kind and leaves a byte for a size; returns its place.
    fn begin(&mut self, kind: u8) -> usize {
        self.packed.extend([kind, 0]);
        self.packed.len() - 1
    }

    /// Puts a size in the byte that was left for it; a size that takes more moves what stands behind it.
    fn set_size(&mut self, place: usize, size: usize) {
        if let (Some(byte), 0..0x80) = (self.packed.get_mut(place), size) {
            *byte = size as u8;
            return;
        }
        let mut varint = Writer::new();
        varint.len(size);
        self.packed.splice(place..=place, varint.into_bytes());
    }

    fn string(&mut self) -> Result<(), JsonError> {
        self.at += 1;
        let place = self.packed.len();
        self.packed.push(0);
        let mut copied = self.at;
        loop {
            match self.peek() {
                None => return Err(JsonError::EndsEarly(self.at)),
                Some(b'"') => break,
                Some(b'\\') => {
                    self.copy(copied);
                    let character = self.escape()?;
                    self.packed.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    copied = self.at;
                }
                Some(0..=0x1f) => return Err(self.unexpected()),
                Some(_) => self.at += 1,
            }
        }
        self.copy(copied);
        self.at += 1;
        self.set_size(place, self.packed.len() - place - 1);
        Ok(())
    }

    fn copy(&mut self, from: usize) {
        self.packed.extend_from_slice(self.text.as_bytes().get(from..self.at).unwrap_or_default());
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

    fn number(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) {
            self.at += 1;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        match parse_number(text) {
            Some(number) if number.is_finite() => {
                self.packed.push(3);
                self.packed.extend_from_slice(&number.to_bits().to_le_bytes());
                Ok(())
            }
            Some(_) => Err(JsonError::NumberOutOfRange(start)),
            None => Err(JsonError::Unexpected(start)),
        }
    }

    fn word(&mut self) -> Result<(), JsonError> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        for (kind, word) in [(0, "null"), (1, "false"), (2, "true")] {
            if rest.starts_with(word.as_bytes()) {
                self.at += word.len();
                self.packed.push(kind);
                return Ok(());
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
    use crate::value::Value;
    use alloc::string::String;

    #[test]
    fn reads_every_kind_of_value() {
        let value = Value::parse(r#" {"a":[1,-2.5e1,true,null],"b":{"c":"\u00fc\ud83d\ude00\n"}} "#).unwrap();
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
    fn packed_form_keeps_the_value() {
        let text = r#"{"a":[1.5,false,null,"x"],"b":{}}"#;
        let tree = Value::parse(text).unwrap();
        assert_eq!(tree.to_packed(), parse(text).unwrap());
        let mut written = String::new();
        tree.write(&mut written);
        assert_eq!(written, text);
    }

    #[test]
    fn sizes_above_one_byte_are_kept() {
        for size in [127, 128, 20_000] {
            let text = Value::string(&"ü".repeat(size));
            let list = Value::Array(alloc::vec![text; if size < 1_000 { size } else { 3 }]);
            let mut json = String::new();
            list.write(&mut json);
            assert_eq!(parse(&json), Ok(list.to_packed()), "{size}");
            assert_eq!(Packed::checked(list.to_packed().bytes()), Ok(list.to_packed()));
        }
    }
}
