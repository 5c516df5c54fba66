//! The collector's per-event answer to a batch.

use super::batch::{push_decimal, write_text};
use crate::value::{self, ValueRef, write_string};
use alloc::boxed::Box;
use alloc::string::String;
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
    /// When that token ends, RFC 3339.
    pub stream_expires: Option<Box<str>>,
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

impl core::error::Error for ReceiptError {}

impl ResultKind {
    /// Its name on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Retry => "retry",
            Self::Warning => "warning",
        }
    }
}

/// Reads a receipt.
///
/// # Errors
/// Fails on text that is no JSON object with a count of accepted events, or has a row of an unknown kind.
pub fn parse_receipt(text: &str) -> Result<Receipt, ReceiptError> {
    let body = value::parse(text).map_err(|_| ReceiptError)?;
    let value = body.get();
    let rows = match value.field("results") {
        Some(rows @ ValueRef::List(_)) => {
            rows.entries().map(|(_, row)| parse_row(row)).collect::<Result<_, _>>()?
        }
        None | Some(ValueRef::Null) => Vec::new(),
        Some(_) => return Err(ReceiptError),
    };
    let stream = value.field("stream");
    Ok(Receipt {
        accepted: count(value, "accepted").ok_or(ReceiptError)?,
        duplicates: count(value, "duplicates").unwrap_or(0),
        results: rows,
        server_time: text_of(value, "server_time"),
        clock_shift_ms: value.field("clock_shift_ms").and_then(ValueRef::as_number).unwrap_or(0.0) as i64,
        bundle_revision: count(value, "bundle_revision").unwrap_or(0),
        member_token: text_of(value, "member_token"),
        stream_token: stream.and_then(|stream| text_of(stream, "token")),
        stream_expires: stream.and_then(|stream| text_of(stream, "expires")),
    })
}

/// Reads the positions of the events that the body of a 413 names; empty when it names none.
pub fn parse_offending(text: &str) -> Vec<usize> {
    let body = value::parse(text).unwrap_or_default();
    let items = body.get().field("offending").unwrap_or(ValueRef::List(&[0]));
    items.entries().filter_map(|(_, item)| whole(item)).map(|index| index as usize).collect()
}

/// Writes a receipt as JSON.
pub fn write_receipt(receipt: &Receipt) -> String {
    let mut out = String::with_capacity(256 + 192 * receipt.results.len());
    out.push_str("{\"accepted\":");
    push_decimal(receipt.accepted, &mut out);
    out.push_str(",\"duplicates\":");
    push_decimal(receipt.duplicates, &mut out);
    out.push_str(",\"results\":[");
    for (position, row) in receipt.results.iter().enumerate() {
        out.push_str(if position > 0 { ",{\"index\":" } else { "{\"index\":" });
        push_decimal(row.index, &mut out);
        let fields = [
            ("event_id", &*row.event_id),
            ("result", row.result.code()),
            ("code", &row.code),
            ("message", &row.message),
        ];
        fields.iter().for_each(|(name, text)| write_text(name, text, &mut out));
        out.push('}');
    }
    out.push(']');
    if let Some(server_time) = &receipt.server_time {
        write_text("server_time", server_time, &mut out);
    }
    out.push_str(",\"clock_shift_ms\":");
    if receipt.clock_shift_ms < 0 {
        out.push('-');
    }
    push_decimal(receipt.clock_shift_ms.unsigned_abs(), &mut out);
    out.push_str(",\"bundle_revision\":");
    push_decimal(receipt.bundle_revision, &mut out);
    if let Some(token) = &receipt.member_token {
        write_text("member_token", token, &mut out);
    }
    if let Some(token) = &receipt.stream_token {
        out.push_str(",\"stream\":{\"token\":");
        write_string(token, &mut out);
        if let Some(expires) = &receipt.stream_expires {
            write_text("expires", expires, &mut out);
        }
        out.push('}');
    }
    out.push('}');
    out
}

fn parse_row(row: ValueRef<'_>) -> Result<ResultRow, ReceiptError> {
    let result = match row.field("result").and_then(ValueRef::as_str) {
        Some("rejected") => ResultKind::Rejected,
        Some("retry") => ResultKind::Retry,
        Some("warning") => ResultKind::Warning,
        _ => return Err(ReceiptError),
    };
    Ok(ResultRow {
        index: count(row, "index").unwrap_or(0),
        event_id: text_of(row, "event_id").ok_or(ReceiptError)?,
        result,
        code: text_of(row, "code").unwrap_or_default(),
        message: text_of(row, "message").unwrap_or_default(),
    })
}

fn count(value: ValueRef<'_>, name: &str) -> Option<u64> {
    value.field(name).and_then(whole)
}

fn whole(value: ValueRef<'_>) -> Option<u64> {
    value.as_number().filter(|number| *number >= 0.0).map(|number| number as u64)
}

fn text_of(value: ValueRef<'_>, name: &str) -> Option<Box<str>> {
    value.field(name).and_then(ValueRef::as_str).map(Box::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt() -> Receipt {
        Receipt {
            accepted: 98,
            duplicates: 1,
            results: alloc::vec![ResultRow {
                index: 7,
                event_id: "order \"7\"".into(),
                result: ResultKind::Rejected,
                code: "metadata_too_large".into(),
                message: "metadata is 40,112 bytes; the limit is 31,744".into(),
            }],
            server_time: Some("2026-11-20T10:00:02.120Z".into()),
            clock_shift_ms: -61_000,
            bundle_revision: 12,
            member_token: Some("m".into()),
            stream_token: Some("s".into()),
            stream_expires: Some("2026-11-20T11:00:02.120Z".into()),
        }
    }

    #[test]
    fn what_the_collector_writes_the_page_reads() {
        assert_eq!(parse_receipt(&write_receipt(&receipt())), Ok(receipt()));
        assert_eq!(parse_receipt(&write_receipt(&Receipt::default())), Ok(Receipt::default()));
    }

    #[test]
    fn other_texts_are_no_receipt() {
        for text in [
            "",
            "<html>",
            "{}",
            "[1]",
            r#"{"accepted":"1"}"#,
            r#"{"accepted":1,"results":7}"#,
            r#"{"accepted":1,"results":[{"event_id":"x","result":"perhaps"}]}"#,
        ] {
            assert_eq!(parse_receipt(text), Err(ReceiptError), "{text}");
        }
    }

    #[test]
    fn offending_positions_are_read_where_there_are_any() {
        assert_eq!(parse_offending(r#"{"code":"event_too_large","offending":[0,7]}"#), [0, 7]);
        assert!(parse_offending("<html>").is_empty());
    }
}
