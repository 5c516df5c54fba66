//! Where a level trigger stands, so that it fires when its condition turns true and not while it stays so.

use alloc::boxed::Box;

/// A trigger and key for which the condition is true, so that it has to become false before it fires again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub rule: Box<str>,
    pub key: Key,
}

/// The key a rule is judged under, where it has one.
pub(super) type Key = Option<Box<str>>;
