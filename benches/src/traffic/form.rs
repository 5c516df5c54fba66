//! The forms in which a batch is sent: over HTTP in one encoding or another, or as commands of Redis.

use super::visitors::{Visitors, Written};
use crate::collector::WRITE_KEY;
use crate::failure::Failure;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

/// What browsers' `CompressionStream` and `gzip` take by default.
const GZIP_LEVEL: u32 = 6;
/// What `zstd` takes by default.
const ZSTD_LEVEL: i32 = 3;
/// The stream of Redis to which events go.
const STREAM: &str = "events";

/// A `Content-Encoding`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// None.
    Json,
    /// By zlib's default level.
    Gzip,
    /// By libzstd's default level.
    Zstd,
}

/// How a batch becomes a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `POST /v1/events` with one batch.
    Http(Encoding),
    /// One `XADD` for each event, pipelined.
    Redis,
}

impl Encoding {
    /// All of them by name.
    pub const ALL: [(&'static str, Self); 3] =
        [("json", Self::Json), ("gzip", Self::Gzip), ("zstd", Self::Zstd)];

    /// Its name in the benches' lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

impl Form {
    /// Its name in the benches' lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http(encoding) => encoding.name(),
            Self::Redis => "resp",
        }
    }

    /// The next requests of these visitors.
    pub(super) fn requests(
        self,
        visitors: &mut Visitors,
        events_each: usize,
        count: usize,
    ) -> Result<Vec<Box<[u8]>>, Failure> {
        let mut written = Written::default();
        let mut make = || {
            visitors.write_batch(events_each, &mut written);
            match self {
                Self::Http(encoding) => post(encoding, written.text.as_bytes()),
                Self::Redis => Ok(commands(&written)),
            }
        };
        (0..count).map(|_| make()).collect()
    }
}

pub(super) fn post(encoding: Encoding, text: &[u8]) -> Result<Box<[u8]>, Failure> {
    let told = |error: std::io::Error| Failure::of("a body", error);
    let (header, body) = match encoding {
        Encoding::Json => ("", None),
        Encoding::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL));
            encoder.write_all(text).map_err(told)?;
            ("Content-Encoding: gzip\r\n", Some(encoder.finish().map_err(told)?))
        }
        Encoding::Zstd => {
            ("Content-Encoding: zstd\r\n", Some(zstd::bulk::compress(text, ZSTD_LEVEL).map_err(told)?))
        }
    };
    let body = body.as_deref().unwrap_or(text);
    let head = format!(
        "POST /v1/events?k={WRITE_KEY} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{header}Content-Length: {}\r\n\r\n",
        body.len()
    );
    Ok([head.as_bytes(), body].concat().into_boxed_slice())
}

fn commands(Written { text, events }: &Written) -> Box<[u8]> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 4);
    for place in events {
        let event = &text.as_bytes()[place.clone()];
        for word in [b"*5".as_slice(), b"$4", b"XADD"] {
            bytes.extend_from_slice(word);
            bytes.extend_from_slice(b"\r\n");
        }
        for argument in [STREAM.as_bytes(), b"*", b"event", event] {
            bytes.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
            bytes.extend_from_slice(argument);
            bytes.extend_from_slice(b"\r\n");
        }
    }
    bytes.into_boxed_slice()
}
