//! What the page sends: one envelope and its events.

use super::Event;
use crate::id::{LaneId, MemberId};
use crate::time::Timestamp;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// A batch about to leave the page.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch<'a> {
    /// Wall clock at the moment of sending, uncorrected.
    pub sent_at: Timestamp,
    /// The member whose page sends; an adopted event names its own beside it.
    pub member: &'a MemberId,
    /// The lane of the sending page load; an adopted event names its own beside it.
    pub lane: LaneId,
    /// Difference to the collector's clock known at capture, if any.
    pub clock_skew_ms: Option<i64>,
    /// The page's context as JSON object text.
    pub context: Option<&'a str>,
    /// The events, oldest first, critical ones before all others.
    pub events: Vec<&'a Event>,
    /// Numbers given up.
    pub void: Vec<VoidRange>,
    /// Lanes that have ended.
    pub closed: Vec<Closed>,
    /// Totals of this lane's drops by reason since its start.
    pub dropped: Vec<(Box<str>, u64)>,
}

/// Numbers of a lane that will never come; both bounds are inclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoidRange {
    /// The lane's member; written beside the lane only where it is not the batch's.
    pub member: MemberId,
    /// The lane.
    pub lane: LaneId,
    /// First number.
    pub from: u64,
    /// Last number.
    pub to: u64,
}

/// A lane that has ended with the count of numbers it gave out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The lane's member; written beside the lane only where it is not the batch's.
    pub member: MemberId,
    /// The lane.
    pub lane: LaneId,
    /// How many numbers it gave out.
    pub count: u64,
}

/// Writes the batch in the JSON form of the wire protocol, version 1.
pub fn write_batch(batch: &Batch<'_>) -> String {
    let _ = batch;
    todo!()
}
