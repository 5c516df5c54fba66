//! One question about one visitor, and the features on the way to its answer.

use super::options::Options;
use super::payload::Payload;
use super::sticky::Assignments;
use crate::limits::MAX_PREREQUISITE_VISITS;
use crate::value::ValueRef;

/// One question about a visitor.
pub(super) struct Visit<'a> {
    pub payload: &'a Payload,
    pub options: &'a Options,
    /// The visitor's attributes as one value.
    pub attributes: ValueRef<'a>,
    pub sticky: Option<Assignments>,
    /// Features that may still be looked at.
    pub visits: usize,
}

/// The features whose prerequisites are being looked at.
pub(super) struct Stack<'a> {
    pub feature: &'a str,
    pub depth: usize,
    pub below: Option<&'a Stack<'a>>,
}

impl Stack<'_> {
    pub(super) fn has(&self, feature: &str) -> bool {
        self.feature == feature || self.below.is_some_and(|below| below.has(feature))
    }
}

impl<'a> Visit<'a> {
    /// A question about a visitor, with the assignments the host keeps.
    pub(super) fn new(payload: &'a Payload, options: &'a Options, attributes: ValueRef<'a>) -> Self {
        let sticky = options.sticky.clone();
        Self { payload, options, attributes, sticky, visits: MAX_PREREQUISITE_VISITS }
    }
}
