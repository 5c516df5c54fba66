//! JSON values of the visitor document: packed bytes that are read in place, and trees for those who build.

mod number;
mod packed;
mod read;
mod reference;
mod write;

use alloc::boxed::Box;
use alloc::vec::Vec;

pub use number::{Room, number_text, parse_decimal, parse_number, text_of_number};
pub(crate) use number::{round, wide_to_f64};
pub use packed::{Packed, PackedObject};
pub use read::{JsonError, parse, validate};
pub(crate) use reference::pass_value;
pub use reference::{Entries, ValueRef, cut};
pub use write::{write_string, write_value};

use crate::codec::Writer;
use alloc::string::String;

/// A JSON value as a tree, for compilers and tools; objects keep the order in which their fields came, the last of equal names winning.
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
        path.split('.').try_fold(self, |value, step| match value {
            Self::Array(items) => {
                let index: usize = step.parse().ok()?;
                items.get(index).filter(|_| alloc::format!("{index}") == step)
            }
            other => other.field(step),
        })
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

    /// Appends the packed form.
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

    /// Reads JSON text.
    ///
    /// # Errors
    /// As [`parse`].
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        Ok(parse(text)?.get().to_tree())
    }

    /// The packed form.
    pub fn to_packed(&self) -> Packed {
        let mut out = Writer::new();
        self.encode(&mut out);
        Packed::written(out.into_bytes())
    }

    /// Appends the value as JSON.
    pub fn write(&self, out: &mut String) {
        write_value(self.to_packed().get(), out);
    }
}
