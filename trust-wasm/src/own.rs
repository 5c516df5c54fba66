//! Checks of our own, for hosts without WebCrypto.

use crate::checks::{Checks, Question};
use attune_core::bundle::{HASH_BYTES, PUBLIC_KEY_BYTES, SIGNATURE_BYTES};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

/// Answers by itself.
pub struct Own;

impl Checks for Own {
    fn verify(&self, key: &[u8; PUBLIC_KEY_BYTES], bytes: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        let key = VerifyingKey::from_bytes(key);
        key.is_ok_and(|key| key.verify_strict(bytes, &Signature::from_bytes(signature)).is_ok())
    }

    fn hash(&self, bytes: &[u8]) -> Option<[u8; HASH_BYTES]> {
        Some(Sha256::digest(bytes).into())
    }

    fn question(self) -> Option<Question> {
        None
    }
}
