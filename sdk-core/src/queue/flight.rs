//! A request that has left and is not settled.

use super::Request;

/// A request on its way.
#[derive(Debug)]
pub(super) struct Flight {
    /// What was sent.
    pub request: Request,
    /// Its bytes at most.
    pub bytes: usize,
}
