//! Fields of a payload, read as GrowthBook reads them: what counts as false is absent.

use super::text::{is_truthy, number_of};
use crate::experiment::Range;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// The fields of an object.
pub(super) type Fields = Vec<(Box<str>, Value)>;

/// A field by its name, the last of equal names.
pub(super) fn found<'a>(fields: &'a [(Box<str>, Value)], name: &str) -> Option<&'a Value> {
    fields.iter().rev().find(|(found, _)| &**found == name).map(|(_, value)| value)
}

/// A field that counts as true.
pub(super) fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.field(name).filter(|field| is_truthy(field))
}

/// A text that is not empty.
pub(super) fn text(value: &Value, name: &str) -> Option<Box<str>> {
    field(value, name).and_then(Value::as_str).map(Box::from)
}

/// A number; 0 where there is none.
pub(super) fn number(value: &Value, name: &str) -> f64 {
    value.field(name).and_then(Value::as_number).unwrap_or_default()
}

/// Whether a field counts as true.
pub(super) fn is_set(value: &Value, name: &str) -> bool {
    field(value, name).is_some()
}

/// The elements of a list.
pub(super) fn list<'a>(value: &'a Value, name: &str) -> Option<&'a [Value]> {
    match value.field(name) {
        Some(Value::Array(items)) => Some(items),
        _ => None,
    }
}

/// A list, each element read on its own.
pub(super) fn list_of<T>(value: &Value, name: &str, read: impl Fn(&Value) -> T) -> Option<Vec<T>> {
    list(value, name).map(|items| items.iter().map(read).collect())
}

/// Two numbers as a range, from the element `at` on. An end that is missing contains nothing.
pub(super) fn range(value: &Value, at: usize) -> Range {
    let end = |at| match value {
        Value::Array(items) => items.get(at).map_or(f64::NAN, number_of),
        _ => f64::NAN,
    };
    Range { from: end(at), until: end(at + 1) }
}

/// An object of named values.
pub(super) fn fields<const COUNT: usize>(named: [(&str, Value); COUNT]) -> Value {
    Value::Object(named.into_iter().map(|(name, value)| (name.into(), value)).collect())
}
