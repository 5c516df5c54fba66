//! What the properties of an event have to be.

use crate::value::{Packed, ValueRef};
use alloc::boxed::Box;
use alloc::string::String;

/// One property that a policy knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// Its name in the metadata.
    pub name: Box<str>,
    /// What it is.
    pub of: PropertyType,
    /// Whether an event may be without it; null is without.
    pub presence: Presence,
    /// Most bytes: of a text in UTF-8, of anything else in packed form, which is about its JSON; absent means any number.
    pub max_bytes: Option<u32>,
}

/// Whether a property has to be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// It may be missing.
    #[default]
    Optional,
    /// It has to be there.
    Required,
}

/// Types of properties.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PropertyType {
    /// Anything.
    #[default]
    Any,
    /// A text.
    Text,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A list.
    List,
    /// An object.
    Object,
}

/// What a property that is refused has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// There at all.
    Present,
    /// Of a type.
    Type(PropertyType),
    /// Of so many bytes at most.
    AtMostBytes(u32),
}

impl PropertyType {
    /// All of them, in order of their tags.
    pub const ALL: [Self; 6] = [Self::Any, Self::Text, Self::Number, Self::Boolean, Self::List, Self::Object];

    /// The name that a policy uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Text => "text",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::List => "list",
            Self::Object => "object",
        }
    }

    fn of(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Any,
            ValueRef::Bool(_) => Self::Boolean,
            ValueRef::Number(_) => Self::Number,
            ValueRef::Text(_) | ValueRef::Instant(_) => Self::Text,
            ValueRef::List(_) => Self::List,
            ValueRef::Object(_) => Self::Object,
        }
    }
}

impl Property {
    /// Checks the property in some metadata.
    ///
    /// # Errors
    /// What it has to be and is not.
    pub(super) fn check(&self, metadata: ValueRef<'_>) -> Result<(), Expected> {
        let Some(value) = metadata.field(&self.name).filter(|value| !value.is_null()) else {
            return if self.presence == Presence::Required { Err(Expected::Present) } else { Ok(()) };
        };
        if self.of != PropertyType::Any && PropertyType::of(value) != self.of {
            return Err(Expected::Type(self.of));
        }
        let Some(most) = self.max_bytes else { return Ok(()) };
        let bytes = value.as_str().map_or_else(|| Packed::of(value).bytes().len(), str::len);
        if bytes > most as usize { Err(Expected::AtMostBytes(most)) } else { Ok(()) }
    }
}

impl Expected {
    /// Appends it in words.
    pub(super) fn write(self, out: &mut String) {
        match self {
            Self::Present => out.push_str("there"),
            Self::Type(of) => out.push_str(of.name()),
            Self::AtMostBytes(most) => {
                out.push_str("at most ");
                out.push_str(crate::value::text_of_number(f64::from(most), &mut [0; 40]));
                out.push_str(" bytes");
            }
        }
    }
}
