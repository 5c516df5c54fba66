//! The attribute that is hashed.

use super::field::found;
use super::text::is_truthy;
use crate::value::Value;
use alloc::boxed::Box;

/// An attribute and its value, which is an empty text where the visitor has none.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Unit {
    pub attribute: Box<str>,
    pub value: Value,
}

impl Unit {
    /// The value of an attribute, `id` unless another is named, or of the fallback where that has none.
    pub(super) fn find(
        visitor: &[(Box<str>, Value)],
        attribute: Option<&str>,
        fallback: Option<&str>,
    ) -> Self {
        let attribute = attribute.unwrap_or("id");
        let value = |name: &str| found(visitor, name).filter(|value| is_truthy(value)).cloned();
        let unit = |name: &str, value| Self { attribute: name.into(), value };
        if let Some(value) = value(attribute) {
            return unit(attribute, value);
        }
        let second = fallback.and_then(|name| value(name).map(|value| unit(name, value)));
        second.unwrap_or_else(|| unit(attribute, Value::string("")))
    }

    /// Whether the visitor has such an attribute.
    pub(super) fn is_known(&self) -> bool {
        is_truthy(&self.value)
    }
}
