//! The collector's per-event answer to a batch.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

/// The answer to a batch; only rows that are not plainly accepted are listed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Receipt {
    /// Events that are durable and new.
    pub accepted: u64,
    /// Events that were durable already, which is success as well.
    pub duplicates: u64,
    /// Events with another result than accepted.
    pub results: Vec<ResultRow>,
    /// The collector's clock, RFC 3339.
    pub server_time: Option<Box<str>>,
    /// By how much the collector shifted this batch's timestamps, in milliseconds.
    pub clock_shift_ms: i64,
    /// The bundle revision now in effect.
    pub bundle_revision: u64,
    /// Proof of membership for stream tokens, reads and erasure.
    pub member_token: Option<Box<str>>,
    /// A short-lived token for the stream's URL.
    pub stream_token: Option<Box<str>>,
}

/// One event that was not plainly accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct ResultRow {
    /// Its position in the batch; settling goes by `event_id`.
    pub index: u64,
    /// Its id as sent.
    pub event_id: Box<str>,
    /// What became of it.
    pub result: ResultKind,
    /// Stable reason, also a metric label.
    pub code: Box<str>,
    /// The same for people, with the limit.
    pub message: Box<str>,
}

/// What became of an event that was not plainly accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultKind {
    /// Never to be retried; its number becomes void.
    Rejected,
    /// To be sent again later.
    Retry,
    /// Accepted, with something to tell.
    Warning,
}

/// A text that is no receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiptError;

impl fmt::Display for ReceiptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the response is not a receipt")
    }
}

/// Reads a receipt.
///
/// # Errors
/// Fails on text that is no JSON object or has a row of an unknown kind.
pub fn parse_receipt(text: &str) -> Result<Receipt, ReceiptError> {
    let _ = text;
    todo!()
}
