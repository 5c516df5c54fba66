//! Key sets: a signed document that names the keys which may sign a project's bundles, and until when.
//!
//! Layout: magic `ATNK`, format version, project, revision, expires, key id of the signer, the entries with their
//! count (key id, public key, not-before, expires), then 64 bytes of Ed25519 signature over every byte before them.

use super::document::{FORMAT, Signed, open_signed};
use super::{BundleError, SIGNATURE_BYTES};
use crate::codec::Writer;
use crate::limits::MAX_KEY_SET_KEYS;
use crate::time::Timestamp;
use alloc::vec::Vec;

/// Length of an Ed25519 public key, in bytes.
pub const PUBLIC_KEY_BYTES: usize = 32;

const MAGIC: &[u8; 4] = b"ATNK";

/// What a key set says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySet<'a> {
    /// The project whose bundles its keys may sign.
    pub project: &'a str,
    /// Grows with every set.
    pub revision: u64,
    /// Not to be used after.
    pub expires: Option<Timestamp>,
    /// Names the trusted key that signed it.
    pub key_id: &'a str,
    /// The keys, at most [`MAX_KEY_SET_KEYS`].
    pub keys: Vec<KeySetEntry<'a>>,
}

/// A key that may sign bundles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySetEntry<'a> {
    /// Names the key in the bundles it signs.
    pub key_id: &'a str,
    /// The Ed25519 public key.
    pub public_key: [u8; PUBLIC_KEY_BYTES],
    /// Not to be used before.
    pub not_before: Option<Timestamp>,
    /// Not to be used after.
    pub expires: Option<Timestamp>,
}

/// An opened key set; nothing in it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedKeySet<'a> {
    /// What it says.
    pub set: KeySet<'a>,
    /// The exact bytes that the signature covers.
    pub signed: &'a [u8],
    /// The Ed25519 signature.
    pub signature: &'a [u8; SIGNATURE_BYTES],
}

/// Writes a key set; the result is what is to be signed and completed with [`super::attach_signature`].
pub fn seal_keyset(set: &KeySet<'_>) -> Vec<u8> {
    let mut out = Writer::new();
    out.raw(MAGIC);
    out.u8(FORMAT);
    out.str(set.project);
    out.u64(set.revision);
    out.option(set.expires, |out, at| out.i64(at.0));
    out.str(set.key_id);
    out.len(set.keys.len());
    for key in &set.keys {
        out.str(key.key_id);
        out.raw(&key.public_key);
        out.option(key.not_before, |out, at| out.i64(at.0));
        out.option(key.expires, |out, at| out.i64(at.0));
    }
    out.into_bytes()
}

/// Opens a key set without verifying it.
///
/// # Errors
/// What is wrong with the bytes; more keys than [`MAX_KEY_SET_KEYS`] are a damaged envelope.
pub fn open_keyset(bytes: &[u8]) -> Result<OpenedKeySet<'_>, BundleError> {
    let Signed { bytes: signed, mut source, signature } = open_signed(bytes, MAGIC)?;
    let mut set = KeySet {
        project: source.str(),
        revision: source.u64(),
        expires: source.option(|source| Timestamp(source.i64())),
        key_id: source.str(),
        keys: Vec::new(),
    };
    let count = source.count();
    for _ in 0..count.min(MAX_KEY_SET_KEYS) {
        set.keys.push(KeySetEntry {
            key_id: source.str(),
            public_key: source.array(),
            not_before: source.option(|source| Timestamp(source.i64())),
            expires: source.option(|source| Timestamp(source.i64())),
        });
    }
    match source.is_whole() {
        true => Ok(OpenedKeySet { set, signed, signature }),
        false => Err(BundleError::BadEnvelope),
    }
}

#[cfg(test)]
mod tests {
    use super::super::attach_signature;
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn entry(key_id: &str) -> KeySetEntry<'_> {
        let (not_before, expires) = (Some(Timestamp(-5)), None);
        KeySetEntry { key_id, public_key: [3; PUBLIC_KEY_BYTES], not_before, expires }
    }

    fn sample(keys: Vec<KeySetEntry<'static>>) -> (KeySet<'static>, Vec<u8>) {
        let set = KeySet { project: "shop", revision: 4, expires: Some(Timestamp(9)), key_id: "root", keys };
        let bytes = attach_signature(seal_keyset(&set), &[9; SIGNATURE_BYTES]);
        (set, bytes)
    }

    #[test]
    fn a_key_set_gives_back_what_was_sealed() {
        let (set, bytes) = sample(vec![entry("a"), entry("b")]);
        let opened = open_keyset(&bytes).unwrap();
        assert_eq!((&opened.set, opened.signed), (&set, &seal_keyset(&set)[..]));
    }

    #[test]
    fn every_shortened_or_lengthened_set_and_one_of_too_many_keys_is_refused() {
        let (_, bytes) = sample(vec![entry("a")]);
        for length in 0..bytes.len() {
            assert!(open_keyset(&bytes[..length]).is_err(), "{length} bytes");
        }
        assert!(open_keyset(&[&bytes[..], b"x"].concat()).is_err());
        let full = sample(vec![entry("a"); MAX_KEY_SET_KEYS]).1;
        assert_eq!(open_keyset(&full).map(|opened| opened.set.keys.len()), Ok(MAX_KEY_SET_KEYS));
        let over = sample(vec![entry("a"); MAX_KEY_SET_KEYS + 1]).1;
        assert_eq!(open_keyset(&over), Err(BundleError::BadEnvelope));
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(tail: Vec<u8>) {
            let _ = open_keyset(&tail);
            let _ = open_keyset(&[b"ATNK\x01".as_slice(), &tail].concat());
        }
    }
}
