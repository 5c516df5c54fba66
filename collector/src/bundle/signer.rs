//! Signing envelopes with the development key of the data folder.

use crate::hex::hex;
use crate::secret::Secret;
use attune_core::bundle::{Header, attach_signature, seal_envelope};
use ed25519_dalek::{Signer as _, SigningKey};
use std::fmt;

/// Signs with one Ed25519 key.
pub struct Signer {
    key: SigningKey,
    key_id: String,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.key_id)
    }
}

impl Signer {
    /// A signer whose key is derived from a secret; the key id is made of the public key.
    pub fn new(secret: &Secret) -> Self {
        let key = SigningKey::from_bytes(secret.bytes());
        let key_id = format!("dev-{}", &hex(key.verifying_key().as_bytes())[..16]);
        Self { key, key_id }
    }

    /// The signed envelope of a body.
    pub fn seal(&self, revision: u64, body: &[u8]) -> Vec<u8> {
        let header = Header {
            project: "default",
            environment: "development",
            revision,
            key_id: &self.key_id,
            ..Header::default()
        };
        let sealed = seal_envelope(&header, body);
        let signature = self.key.sign(&sealed).to_bytes();
        attach_signature(sealed, &signature)
    }

    /// The public key, for clients that verify.
    pub fn public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_core::bundle::open_envelope;
    use ed25519_dalek::{Signature, VerifyingKey};

    #[test]
    fn an_envelope_verifies_with_the_public_key() {
        let signer = Signer::new(&Secret::random().unwrap());
        let bytes = signer.seal(7, b"body");
        let envelope = open_envelope(&bytes).unwrap();
        let key = VerifyingKey::from_bytes(&signer.public_key()).unwrap();
        assert_eq!((envelope.header.revision, envelope.body), (7, &b"body"[..]));
        assert!(key.verify_strict(envelope.signed, &Signature::from_bytes(envelope.signature)).is_ok());
    }
}
