//! One JSON value read in place from packed bytes.

use super::Value;
use crate::codec::Source;
use crate::codec::Writer;
use crate::limits::MAX_JSON_DEPTH;
use crate::time::{INSTANT_BYTES, Timestamp};

/// A JSON value that lies somewhere else.
#[derive(Clone, Copy, Debug)]
pub enum ValueRef<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any number, as a double.
    Number(f64),
    /// A string.
    Text(&'a str),
    /// An instant; to everybody who looks it is the string of its RFC 3339 form.
    Instant(Timestamp),
    /// An array, as the bytes from behind its kind on, of which the last may not be its own.
    List(&'a [u8]),
    /// An object, likewise; of equal names the last counts.
    Object(&'a [u8]),
}

/// The elements of a list, whose names are empty, or the fields of an object, in the order in which they came.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    cursor: Source<'a>,
    left: usize,
    named: bool,
}

impl<'a> ValueRef<'a> {
    /// Reads the value at the cursor's place and moves behind it; null where none can be read.
    pub fn read(cursor: &mut Source<'a>) -> Self {
        let value = Self::peek(*cursor);
        pass_value(cursor, false);
        value
    }

    /// Reads the value at the cursor's place.
    pub(super) fn peek(mut cursor: Source<'a>) -> Self {
        match cursor.u8() {
            1 => Self::Bool(false),
            2 => Self::Bool(true),
            3 => Self::Number(cursor.f64()),
            4 => Self::Text(cursor.str()),
            5 => Self::List(cursor.rest()),
            6 => Self::Object(cursor.rest()),
            _ => Self::Null,
        }
    }

    /// Whether there is no value.
    pub const fn is_null(self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text of a string that is not an instant.
    pub const fn as_str(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The double of a number.
    pub const fn as_number(self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The elements of a list or the fields of an object; of anything else none.
    pub fn entries(self) -> Entries<'a> {
        let (bytes, named): (&[u8], bool) = match self {
            Self::List(bytes) => (bytes, false),
            Self::Object(bytes) => (bytes, true),
            _ => (&[0], false),
        };
        let mut cursor = Source::new(bytes);
        let left = cursor.count();
        Entries { cursor, left, named }
    }

    /// The field of an object, if this is an object that has it.
    pub fn field(self, name: &str) -> Option<Self> {
        let Self::Object(bytes) = self else { return None };
        let (mut cursor, mut found) = (Source::new(bytes), None);
        for _ in 0..cursor.count() {
            let is_wanted = cursor.bytes() == name.as_bytes();
            if is_wanted {
                found = Some(cursor);
            }
            pass_value(&mut cursor, false);
        }
        found.map(Self::peek)
    }

    /// The value at a dotted path; array elements are reached by their index, their number as `length`.
    pub fn at(self, path: &str) -> Option<Self> {
        let (mut value, mut left) = (self, Some(path));
        while let Some(path) = left {
            let (step, rest) = cut(path, b'.');
            value = match value {
                Self::List(_) if step == "length" => Self::Number(value.entries().left as f64),
                Self::List(_) => value.entries().nth(index(step)?)?.1,
                _ => value.field(step)?,
            };
            left = rest;
        }
        Some(value)
    }

    /// Appends the packed form.
    pub fn encode(self, out: &mut Writer) {
        match self {
            Self::Null => out.u8(0),
            Self::Bool(truth) => out.u8(1 + u8::from(truth)),
            Self::Number(number) => {
                out.u8(3);
                out.f64(number);
            }
            Self::Text(text) => {
                out.u8(4);
                out.str(text);
            }
            Self::Instant(at) => {
                ValueRef::Text(at.text(&mut [0; INSTANT_BYTES])).encode(out);
            }
            Self::List(_) | Self::Object(_) => {
                let mut entries = self.entries();
                out.u8(if entries.named { 6 } else { 5 });
                out.len(entries.left);
                let from = entries.cursor.rest();
                while entries.next().is_some() {}
                let length = from.len() - entries.cursor.rest().len();
                out.raw(from.get(..length).unwrap_or_default());
            }
        }
    }

    /// The value as a tree.
    pub fn to_tree(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(truth),
            Self::Number(number) => Value::Number(number),
            Self::Text(text) => Value::string(text),
            Self::Instant(at) => Value::string(at.text(&mut [0; INSTANT_BYTES])),
            Self::List(_) => Value::Array(self.entries().map(|(_, item)| item.to_tree()).collect()),
            Self::Object(_) => {
                Value::Object(self.entries().map(|(name, field)| (name.into(), field.to_tree())).collect())
            }
        }
    }
}

impl PartialEq for ValueRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (*self, *other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(one), Self::Bool(other)) => one == other,
            (Self::Number(one), Self::Number(other)) => one == other,
            (Self::Text(one), Self::Text(other)) => one == other,
            (Self::Instant(one), Self::Instant(other)) => one.in_text() == other.in_text(),
            (Self::Instant(at), Self::Text(text)) | (Self::Text(text), Self::Instant(at)) => {
                at.text(&mut [0; INSTANT_BYTES]) == text
            }
            (Self::List(_), Self::List(_)) | (Self::Object(_), Self::Object(_)) => {
                let (mut one, mut other) = (self.entries(), other.entries());
                let mut equal = one.left == other.left;
                while equal && one.left > 0 {
                    equal = one.next() == other.next();
                }
                equal
            }
            _ => false,
        }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = (&'a str, ValueRef<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let name = if self.named { self.cursor.str() } else { "" };
        Some((name, ValueRef::read(&mut self.cursor)))
    }
}

/// Moves behind a value. `check` asks whether texts are texts as well, which is done once, when bytes come in.
pub(crate) fn pass_value(cursor: &mut Source<'_>, check: bool) {
    pass_within(cursor, MAX_JSON_DEPTH, check);
}

fn pass_within(cursor: &mut Source<'_>, depth: usize, check: bool) {
    match cursor.u8() {
        0..=2 => {}
        3 => {
            cursor.raw(8);
        }
        4 => pass_text(cursor, check),
        tag @ (5 | 6) if depth > 0 => {
            for _ in 0..cursor.count() {
                if tag == 6 {
                    pass_text(cursor, check);
                }
                pass_within(cursor, depth - 1, check);
            }
        }
        _ => cursor.fail(),
    }
}

fn pass_text(cursor: &mut Source<'_>, check: bool) {
    if check {
        cursor.str();
    } else {
        cursor.bytes();
    }
}

/// What stands before the first mark in a text, and what follows it; all of the text where there is no mark.
pub fn cut(text: &str, mark: u8) -> (&str, Option<&str>) {
    match text.bytes().position(|byte| byte == mark) {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
        None => (text, None),
    }
}

/// A step of a path as an index: decimal digits without needless zeros.
#[inline(never)]
fn index(step: &str) -> Option<usize> {
    let mut index = 0_usize;
    for (place, digit) in step.bytes().enumerate() {
        if !digit.is_ascii_digit() || (place == 1 && index == 0) {
            return None;
        }
        index = index.checked_mul(10)?.checked_add(usize::from(digit - b'0'))?;
    }
    (!step.is_empty()).then_some(index)
}
