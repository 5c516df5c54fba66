//! The visitor's clocks, as the context says.

use super::Client;
use crate::condition::context_clocks;
use crate::profile::Zone;
use crate::rules::VisitorClocks;
use crate::time::{Clocks, Timestamp};
use crate::value::ValueRef;
use core::cell::Cell;

/// The clocks that a context says. They are read when something first asks: every page tells them, and few rules do.
pub(super) struct ContextClocks<'a> {
    context: ValueRef<'a>,
    known: &'a Cell<Option<Clocks>>,
}

impl Client {
    pub(super) fn clocks(&self) -> ContextClocks<'_> {
        ContextClocks { context: self.context.get(), known: &self.clocks }
    }
}

impl VisitorClocks for ContextClocks<'_> {
    fn clocks(&self) -> Clocks {
        let clocks = self.known.get().unwrap_or_else(|| context_clocks(self.context));
        self.known.set(Some(clocks));
        clocks
    }
}

impl Zone for ContextClocks<'_> {
    fn ahead_ms(&self, at: Timestamp) -> i64 {
        self.clocks().ahead_ms(at)
    }
}
