//! A request that has left and is not settled.

use super::declarations::Declarations;
use super::drops::DropTotals;
use crate::id::{EventId, LaneId};
use alloc::vec::Vec;

/// A request on its way.
#[derive(Debug)]
pub(super) struct Flight {
    /// Its id.
    pub request: u64,
    /// The lane it was sent under.
    pub lane: LaneId,
    /// Its events, in the order of its body.
    pub events: Vec<EventId>,
    /// Its declarations.
    pub declarations: Declarations,
    /// The drops it reports.
    pub reported: DropTotals,
    /// Bytes of its body.
    pub body_bytes: usize,
}
