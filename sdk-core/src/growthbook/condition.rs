//! The one place at which a payload's condition is asked.

use crate::condition::{Engine, holds};
use crate::value::{Value, ValueRef};

/// Whether a condition holds for attributes. One that cannot be compiled does not.
pub(super) fn condition_holds(attributes: ValueRef<'_>, condition: &Value, groups: ValueRef<'_>) -> bool {
    holds(attributes, condition, groups, &Engine::default())
}
