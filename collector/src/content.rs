//! Bytes with their compressed forms, and the choice among them.

use crate::hex::hex;
use axum::body::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::sync::OnceLock;

/// How bytes are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As they are.
    Identity,
    /// gzip.
    Gzip,
    /// Brotli.
    Brotli,
}

/// How much work compression may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    /// Done once, off the way of any request.
    Best,
    /// Done while somebody waits.
    Quick,
}

/// Bytes that many will ask for.
#[derive(Debug)]
pub struct Content {
    identity: Bytes,
    gzip: OnceLock<Bytes>,
    brotli: OnceLock<Bytes>,
}

/// Content with its strong validator.
#[derive(Debug)]
pub struct Document {
    /// The SHA-256 of the bytes.
    pub hash: [u8; 32],
    /// The same as a validator of HTTP.
    pub etag: String,
    /// The bytes.
    pub content: Content,
}

impl Document {
    /// Bytes that are sent as they are.
    pub fn of(bytes: impl Into<Bytes>) -> Self {
        let content = Content::of(bytes.into());
        let hash = sha256(content.identity());
        Self { hash, etag: etag(&hash), content }
    }

    /// Bytes that are sent in their smallest form, which is made here.
    pub fn compressed(bytes: impl Into<Bytes>) -> Self {
        let document = Self::of(bytes);
        document.content.compress(Quality::Quick);
        document
    }

    /// The bytes as they are.
    pub const fn bytes(&self) -> &Bytes {
        self.content.identity()
    }
}

impl Encoding {
    /// Its name in `Content-Encoding`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Brotli => "br",
        }
    }
}

impl Content {
    /// Bytes of the binary itself.
    pub fn of_static(bytes: &'static [u8]) -> Self {
        Self::of(Bytes::from_static(bytes))
    }

    /// Bytes made at run time.
    pub fn of(identity: Bytes) -> Self {
        Self { identity, gzip: OnceLock::new(), brotli: OnceLock::new() }
    }

    /// Makes the compressed forms that are smaller.
    pub fn compress(&self, quality: Quality) {
        let (brotli_quality, gzip_level) = match quality {
            // An unoptimised build would spend seconds on the last per cent.
            Quality::Best if !cfg!(debug_assertions) => (11, 9),
            _ => (5, 6),
        };
        if let Some(bytes) = self.smaller(brotli(&self.identity, brotli_quality)) {
            let _ = self.brotli.set(bytes);
        }
        if let Some(bytes) = self.smaller(gzip(&self.identity, gzip_level)) {
            let _ = self.gzip.set(bytes);
        }
    }

    /// The smallest form that an `Accept-Encoding` allows.
    pub fn choose(&self, accept_encoding: &str) -> (Encoding, Bytes) {
        let forms = [(Encoding::Brotli, self.brotli.get()), (Encoding::Gzip, self.gzip.get())];
        for (encoding, bytes) in forms {
            match bytes {
                Some(bytes) if accepts(accept_encoding, encoding.name()) => return (encoding, bytes.clone()),
                _ => {}
            }
        }
        (Encoding::Identity, self.identity.clone())
    }

    /// The bytes as they are.
    pub const fn identity(&self) -> &Bytes {
        &self.identity
    }

    fn smaller(&self, bytes: Option<Vec<u8>>) -> Option<Bytes> {
        bytes.filter(|bytes| bytes.len() < self.identity.len()).map(Bytes::from)
    }
}

/// A strong validator: the SHA-256 of the bytes.
pub fn sha256_etag(bytes: &[u8]) -> String {
    etag(&sha256(bytes))
}

/// The SHA-256 of bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn etag(hash: &[u8; 32]) -> String {
    format!("\"{}\"", hex(hash))
}

/// Whether `If-None-Match` names a validator.
pub fn etag_matches(if_none_match: Option<&str>, etag: &str) -> bool {
    let named = if_none_match.into_iter().flat_map(|list| list.split(','));
    named.map(str::trim).any(|name| name == "*" || name.strip_prefix("W/").unwrap_or(name) == etag)
}

fn accepts(accept_encoding: &str, encoding: &str) -> bool {
    accept_encoding.split(',').any(|part| {
        let (name, parameters) = part.split_once(';').unwrap_or((part, ""));
        let refused = parameters.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case(encoding) && !refused
    })
}

fn brotli(bytes: &[u8], quality: i32) -> Option<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams { quality, ..Default::default() };
    let mut out = Vec::new();
    brotli::BrotliCompress(&mut &*bytes, &mut out, &parameters).ok()?;
    Some(out)
}

fn gzip(bytes: &[u8], level: u32) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_allowed_form_is_chosen() {
        let content = Content::of(Bytes::from("attune ".repeat(100)));
        content.compress(Quality::Quick);
        for (accept, expected) in [
            ("gzip, deflate, br", Encoding::Brotli),
            ("gzip;q=1.0, br;q=0", Encoding::Gzip),
            ("", Encoding::Identity),
            ("zstd", Encoding::Identity),
        ] {
            assert_eq!(content.choose(accept).0, expected, "{accept}");
        }
    }

    #[test]
    fn what_does_not_shrink_is_sent_as_it_is() {
        let content = Content::of(Bytes::from_static(b"a"));
        content.compress(Quality::Quick);
        assert_eq!(content.choose("br, gzip").0, Encoding::Identity);
    }

    #[test]
    fn a_validator_is_found_in_a_list() {
        assert!(etag_matches(Some("\"a\", W/\"b\""), "\"b\""));
        assert!(!etag_matches(Some("\"a\""), "\"b\""));
        assert!(!etag_matches(None, "\"b\""));
    }
}
