//! What the chain of trust needs of cryptography.

use alloc::vec::Vec;
use attune_core::bundle::{HASH_BYTES, PUBLIC_KEY_BYTES, SIGNATURE_BYTES};

/// Checks signatures and makes hashes, or asks its host to.
pub trait Checks {
    /// Whether an Ed25519 signature by a public key covers these bytes; no, too, while the host is asked.
    fn verify(&self, key: &[u8; PUBLIC_KEY_BYTES], bytes: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool;

    /// The SHA-256 of these bytes; nothing while the host is asked.
    fn hash(&self, bytes: &[u8]) -> Option<[u8; HASH_BYTES]>;

    /// What the host is asked, once a judgement has ended; it counts only where there is nothing.
    fn question(self) -> Option<Question>;
}

/// What only the host can answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether the signature by this key covers these bytes.
    Signature {
        /// The public key.
        key: [u8; PUBLIC_KEY_BYTES],
        /// The signature.
        signature: [u8; SIGNATURE_BYTES],
        /// The bytes that were signed.
        bytes: Vec<u8>,
    },
    /// The SHA-256 of these bytes.
    Hash(Vec<u8>),
}
