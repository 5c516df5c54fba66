//! The envelope: who published which revision when, the body, and the signature over all of it.
//!
//! Layout: magic `ATNB`, format version, project, environment, revision, parent hash, not-before, expires, key id,
//! body with its length, then 64 bytes of Ed25519 signature over every byte before them.

use super::BundleError;
use super::document::{FORMAT, SIGNATURE_BYTES, open_document};
use crate::codec::{Source, Writer};
use crate::limits::MAX_BUNDLE_BYTES;
use crate::time::Timestamp;
use alloc::vec::Vec;

/// Length of the hash that names an envelope (SHA-256), in bytes.
pub const HASH_BYTES: usize = 32;
const MAGIC: &[u8; 4] = b"ATNB";
/// Length of an envelope whose eight fields take a byte each.
const LEAST_BYTES: usize = MAGIC.len() + 1 + 8 + SIGNATURE_BYTES;

/// What an envelope says about its body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header<'a> {
    /// The project it is for.
    pub project: &'a str,
    /// The environment it is for, such as `production`.
    pub environment: &'a str,
    /// Grows with every publication; clients refuse a lower one than they have.
    pub revision: u64,
    /// SHA-256 of the envelope it follows.
    pub parent: Option<[u8; HASH_BYTES]>,
    /// Not in effect before.
    pub not_before: Option<Timestamp>,
    /// Not in effect after, with grace.
    pub expires: Option<Timestamp>,
    /// Names the key that signed it.
    pub key_id: &'a str,
}

/// An opened envelope; nothing in it is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// What it says about the body.
    pub header: Header<'a>,
    /// The compiled body.
    pub body: &'a [u8],
    /// The exact bytes that the signature covers.
    pub signed: &'a [u8],
    /// The Ed25519 signature.
    pub signature: &'a [u8; SIGNATURE_BYTES],
}

/// Puts a body into an envelope; the result is what is to be signed and completed with [`attach_signature`].
pub fn seal_envelope(header: &Header<'_>, body: &[u8]) -> Vec<u8> {
    let mut out = Writer::new();
    out.raw(MAGIC);
    out.u8(FORMAT);
    out.str(header.project);
    out.str(header.environment);
    out.u64(header.revision);
    out.option(header.parent, |out, hash| out.raw(&hash));
    out.option(header.not_before, |out, at| out.i64(at.0));
    out.option(header.expires, |out, at| out.i64(at.0));
    out.str(header.key_id);
    out.bytes(body);
    out.into_bytes()
}

/// Completes sealed bytes with the signature over them.
pub fn attach_signature(mut sealed: Vec<u8>, signature: &[u8; SIGNATURE_BYTES]) -> Vec<u8> {
    sealed.extend_from_slice(signature);
    sealed
}

/// Opens an envelope without verifying it.
///
/// # Errors
/// What is wrong with the bytes.
pub fn open_envelope(bytes: &[u8]) -> Result<Envelope<'_>, BundleError> {
    if bytes.len() > MAX_BUNDLE_BYTES {
        return Err(BundleError::TooLarge);
    }
    let mut source = Source::new(open_document(bytes, MAGIC)?);
    let (signed, signature) = bytes.split_last_chunk().ok_or(BundleError::Truncated)?;
    let header = Header {
        project: source.str(),
        environment: source.str(),
        revision: source.u64(),
        parent: source.option(Source::array),
        not_before: source.option(|source| Timestamp(source.i64())),
        expires: source.option(|source| Timestamp(source.i64())),
        key_id: source.str(),
    };
    let is_header = source.is_sound();
    let body = source.bytes();
    source.raw(SIGNATURE_BYTES);
    if source.is_whole() {
        return Ok(Envelope { header, body, signed, signature });
    }
    // Behind a sound header only the end of the bytes is in the way of a body and its signature.
    let is_cut = bytes.len() < LEAST_BYTES || is_header && !source.is_sound();
    Err(if is_cut { BundleError::Truncated } else { BundleError::BadEnvelope })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> (Header<'static>, Vec<u8>) {
        let header = Header {
            project: "shop",
            environment: "development",
            revision: 12,
            parent: Some([7; HASH_BYTES]),
            not_before: Some(Timestamp(1_000)),
            expires: None,
            key_id: "dev-1",
        };
        let sealed = seal_envelope(&header, b"body");
        (header, attach_signature(sealed, &[9; SIGNATURE_BYTES]))
    }

    #[test]
    fn an_envelope_gives_back_what_was_sealed() {
        let (header, bytes) = sample();
        let envelope = open_envelope(&bytes).unwrap();
        assert_eq!((envelope.header, envelope.body), (header, &b"body"[..]));
        assert_eq!(envelope.signed, seal_envelope(&header, b"body"));
        assert_eq!(envelope.signature, &[9; SIGNATURE_BYTES]);
    }

    #[test]
    fn every_shortened_or_lengthened_envelope_is_refused() {
        let (header, bytes) = sample();
        assert_eq!(attach_signature(seal_envelope(&Header::default(), b""), &[0; 64]).len(), LEAST_BYTES);
        let long = attach_signature(seal_envelope(&header, &[b'x'; 300]), &[9; SIGNATURE_BYTES]);
        for whole in [&bytes, &long] {
            for length in 0..whole.len() {
                assert_eq!(open_envelope(&whole[..length]), Err(BundleError::Truncated), "{length} bytes");
            }
        }
        let longer = [&bytes[..], b"x"].concat();
        assert_eq!(open_envelope(&longer), Err(BundleError::BadEnvelope));
    }

    #[test]
    fn foreign_bytes_and_later_formats_are_told_apart() {
        assert_eq!(open_envelope(b"PK\x03\x04 and more"), Err(BundleError::BadMagic));
        assert_eq!(open_envelope(b"ATNB\x02 and more"), Err(BundleError::UnsupportedFormat(2)));
        assert_eq!(open_envelope(b"ATN"), Err(BundleError::Truncated));
        assert_eq!(open_envelope(b"ATNB"), Err(BundleError::Truncated));
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(tail: Vec<u8>) {
            let _ = open_envelope(&tail);
            let _ = open_envelope(&[b"ATNB\x01".as_slice(), &tail].concat());
        }
    }
}
