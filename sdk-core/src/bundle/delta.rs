//! Deltas: how a bundle's envelope follows from the one that a client has, byte by byte.
//!
//! Layout: magic `ATND`, format version, SHA-256 of the envelope it starts from, length of the envelope it gives, then
//! instructions until that length is reached: new bytes with their length, then, unless all is there, a part of the
//! first envelope to copy, as its distance from where it would be if the new bytes stood in place of as many old ones,
//! and its length. Header and signature of the new envelope are among its bytes, so a delta is signed by what it gives.

#[cfg(feature = "author")]
use super::document::FORMAT;
use super::document::open_document;
use super::{BundleError, Demands, HASH_BYTES, KeyOf, Refused, VerifySignature, verify_envelope};
use crate::codec::Source;
#[cfg(feature = "author")]
use crate::codec::Writer;
use crate::limits::MAX_BUNDLE_BYTES;
use alloc::vec::Vec;

const MAGIC: &[u8; 4] = b"ATND";

/// An opened delta; its instructions are checked as they are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delta<'a> {
    /// SHA-256 of the envelope it starts from.
    pub from: [u8; HASH_BYTES],
    /// Length of the envelope it gives, in bytes, at most [`MAX_BUNDLE_BYTES`].
    pub length: usize,
    instructions: &'a [u8],
}

/// Opens a delta, to see what it starts from.
///
/// # Errors
/// What is wrong with the bytes.
pub fn open_delta(bytes: &[u8]) -> Result<Delta<'_>, BundleError> {
    let mut source = Source::new(open_document(bytes, MAGIC)?);
    let (from, length) = (source.array(), source.u64());
    if !source.is_sound() || length > MAX_BUNDLE_BYTES as u64 {
        return Err(BundleError::BadDelta);
    }
    Ok(Delta { from, length: length as usize, instructions: source.rest() })
}

impl Delta<'_> {
    /// The bytes that follow from an envelope's; nothing in them is verified, see [`verify_delta`]. They never become
    /// longer than [`Delta::length`].
    ///
    /// # Errors
    /// [`BundleError::BadDelta`]: it copies what is not there, or gives more or less than it says.
    pub fn apply(&self, envelope: &[u8]) -> Result<Vec<u8>, BundleError> {
        let (mut source, mut from) = (Source::new(self.instructions), 0_usize);
        // Most give little more than they start from; one that says otherwise has to give it.
        let mut out = Vec::with_capacity(self.length.min(2 * envelope.len()));
        loop {
            let new = source.bytes();
            out.extend_from_slice(new);
            if !source.is_sound() || out.len() >= self.length {
                break;
            }
            from = from.wrapping_add(new.len()).wrapping_add(source.i64() as usize);
            let length = source.u64() as usize;
            let part = envelope.get(from..).and_then(|rest| rest.get(..length)).unwrap_or_default();
            // An empty part is what cannot be copied, too.
            if part.is_empty() || part.len() > self.length - out.len() {
                break;
            }
            out.extend_from_slice(part);
            from += length;
        }
        if source.is_whole() && out.len() == self.length { Ok(out) } else { Err(BundleError::BadDelta) }
    }
}

/// The envelope that a delta makes of the one in effect, if it may be taken: it is verified as a whole, as one that
/// comes in full. `hash` is the SHA-256 of `envelope`, which the host computes.
///
/// # Errors
/// It starts from another envelope ([`Refused::WrongParent`]: fetch the bundle in full), is damaged, or gives what is
/// refused by [`verify_envelope`].
pub fn verify_delta(
    bytes: &[u8],
    envelope: &[u8],
    hash: &[u8; HASH_BYTES],
    demands: &Demands<'_>,
    key_of: &KeyOf<'_>,
    verify: &VerifySignature<'_>,
) -> Result<Vec<u8>, Refused> {
    let delta = open_delta(bytes).map_err(Refused::Unreadable)?;
    if delta.from != *hash {
        return Err(Refused::WrongParent);
    }
    let next = delta.apply(envelope).map_err(Refused::Unreadable)?;
    verify_envelope(&next, demands, key_of, verify)?;
    Ok(next)
}

/// Writes a delta; for whoever finds the instructions.
#[cfg(feature = "author")]
pub(super) fn seal_delta(from: &[u8; HASH_BYTES], length: usize, instructions: &[u8]) -> Vec<u8> {
    let mut out = Writer::new();
    out.raw(MAGIC);
    out.u8(FORMAT);
    out.raw(from);
    out.len(length);
    out.raw(instructions);
    out.into_bytes()
}

#[cfg(all(test, feature = "author"))]
mod tests {
    use super::super::author::delta;
    use super::super::verify::proofs::{holds, key_of, sign};
    use super::super::{Header, attach_signature, seal_envelope};
    use super::*;
    use proptest::prelude::*;

    const DEMANDS: Demands<'static> =
        Demands { project: Some("shop"), environment: None, above: Some(4), now: crate::time::Timestamp(0) };

    fn envelope(revision: u64, body: &[u8]) -> Vec<u8> {
        let header = Header { project: "shop", revision, key_id: "known", ..Header::default() };
        let sealed = seal_envelope(&header, body);
        let signature = sign(7, &sealed);
        attach_signature(sealed, &signature)
    }

    fn taken(bytes: &[u8], from: &[u8], hash: u8) -> Result<Vec<u8>, Refused> {
        verify_delta(bytes, from, &[hash; HASH_BYTES], &DEMANDS, &key_of, &holds)
    }

    #[test]
    fn a_delta_gives_the_envelope_that_was_signed_and_only_from_its_parent() {
        let (from, to) = (envelope(4, b"the body before"), envelope(5, b"the body after"));
        let bytes = delta(&from, &[1; HASH_BYTES], &to);
        assert_eq!(taken(&bytes, &from, 1), Ok(to.clone()));
        assert_eq!(taken(&bytes, &from, 2), Err(Refused::WrongParent));
        let back = delta(&to, &[1; HASH_BYTES], &from);
        assert_eq!(taken(&back, &to, 1).err().map(Refused::code), Some("bundle_lower_revision"));
        let other = envelope(4, b"another body before");
        assert!(taken(&bytes, &other, 1).is_err());
    }

    proptest! {
        #[test]
        fn a_damaged_delta_gives_the_same_envelope_or_none(at: prop::sample::Index, byte: u8, before: Vec<u8>, after: Vec<u8>) {
            let (from, to) = (envelope(4, &before), envelope(5, &after));
            let mut bytes = delta(&from, &[1; HASH_BYTES], &to);
            let at = at.index(bytes.len());
            prop_assert!(taken(&bytes[..at], &from, 1).is_err());
            bytes[at] = byte;
            prop_assert!(taken(&bytes, &from, 1).is_ok_and(|found| found == to) || taken(&bytes, &from, 1).is_err());
        }
    }
}
