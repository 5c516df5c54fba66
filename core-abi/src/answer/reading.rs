//! Readings of signals, as JSON text.

use super::row::{exact, object};
use attune_core::condition::Reading;
use attune_core::value::{Value, ValueRef};

/// A signal's value with the instant at which time alone changes it, or why there is none.
pub(crate) fn reading(reading: Reading<'_>) -> String {
    object(|row| match reading {
        Reading::Value(value, until) => {
            match value {
                ValueRef::Number(number) => row.raw("value", &exact(number)),
                other => row.value("value", &other.to_tree()),
            }
            row.instant("until", until);
        }
        Reading::Missing => row.value("missing", &Value::Bool(true)),
        Reading::Truncated => row.value("truncated", &Value::Bool(true)),
    })
}
