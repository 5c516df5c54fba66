//! JSON values of the visitor document, and their one reader and writer.

mod number;
mod read;
mod split;
mod write;

use alloc::boxed::Box;
use alloc::vec::Vec;

pub use number::{number_text, parse_number};
pub(crate) use number::{round, wide_to_f64};
pub use read::{JsonError, parse, validate};
pub(crate) use split::split_at_byte;
pub use write::{write_string, write_value};

use crate::codec::{CodecError, Reader, Writer};
use crate::limits::MAX_JSON_DEPTH;

/// A JSON value; objects keep the order in which their fields came, the last of equal names winning.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any number, as a double.
    Number(f64),
    /// A string.
    String(Box<str>),
    /// An array.
    Array(Vec<Value>),
    /// An object.
    Object(Vec<(Box<str>, Value)>),
}

impl Value {
    /// A string value.
    pub fn string(text: &str) -> Self {
        Self::String(Box::from(text))
    }

    /// The field of an object, if this is an object that has it.
    pub fn field(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(fields) => {
                fields.iter().rev().find(|(key, _)| &**key == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The value at a dotted path; array elements are reached by their index.
    pub fn at(&self, path: &str) -> Option<&Self> {
        let (step, rest) = split_at_byte(path, b'.').map_or((path, None), |(step, rest)| (step, Some(rest)));
        let found = match self {
            Self::Array(items) => items.get(step.parse::<usize>().ok()?),
            other => other.field(step),
        }?;
        rest.map_or(Some(found), |rest| found.at(rest))
    }

    /// The text of a string value.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The double of a number value.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Appends the value in binary form.
    pub fn encode(&self, out: &mut Writer) {
        match self {
            Self::Null => out.u8(0),
            Self::Bool(false) => out.u8(1),
            Self::Bool(true) => out.u8(2),
            Self::Number(number) => {
                out.u8(3);
                out.f64(*number);
            }
            Self::String(text) => {
                out.u8(4);
                out.str(text);
            }
            Self::Array(items) => {
                out.u8(5);
                out.len(items.len());
                items.iter().for_each(|item| item.encode(out));
            }
            Self::Object(fields) => {
                out.u8(6);
                out.len(fields.len());
                for (name, value) in fields {
                    out.str(name);
                    value.encode(out);
                }
            }
        }
    }

    /// Reads a value in binary form.
    ///
    /// # Errors
    /// Fails on bytes that end early, unknown kinds and nesting beyond [`MAX_JSON_DEPTH`].
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        Self::decode_within(reader, MAX_JSON_DEPTH)
    }

    fn decode_within(reader: &mut Reader<'_>, depth: usize) -> Result<Self, CodecError> {
        let inner = depth.checked_sub(1).ok_or(CodecError)?;
        Ok(match reader.u8()? {
            0 => Self::Null,
            1 => Self::Bool(false),
            2 => Self::Bool(true),
            3 => Self::Number(reader.f64()?),
            4 => Self::String(reader.boxed_str()?),
            5 => Self::Array(reader.list(|reader| Self::decode_within(reader, inner))?),
            6 => Self::Object(
                reader.list(|reader| Ok((reader.boxed_str()?, Self::decode_within(reader, inner)?)))?,
            ),
            _ => return Err(CodecError),
        })
    }
}
