//! Ed25519 keys: read, derived, named, and what they sign.

use crate::hex::hex;
use crate::secret::Secret;
use attune_core::bundle::{PUBLIC_KEY_BYTES, SIGNATURE_BYTES, attach_signature};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use std::fmt;
use std::fs;
use std::path::Path;

const PUBLIC_PREFIX: &str = "ed25519:";
const SECRET_PREFIX: &str = "ed25519-secret:";
const DEVELOPMENT_PREFIX: &str = "dev-";
/// Digits of the public key that make up a key id: 64 bits, so that two keys of a project do not meet.
const KEY_ID_DIGITS: usize = 16;

/// A key that signs, with the id that its public key gives it.
pub struct SecretKey {
    key: SigningKey,
    id: String,
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.id)
    }
}

impl SecretKey {
    /// The key whose secret bytes these are.
    pub fn of(secret: &Secret) -> Self {
        let key = SigningKey::from_bytes(secret.bytes());
        let id = key_id(&key.verifying_key().to_bytes());
        Self { key, id }
    }

    /// The same, named as one that a collector has made for itself.
    pub fn for_development(secret: &Secret) -> Self {
        let key = Self::of(secret);
        Self { id: format!("{DEVELOPMENT_PREFIX}{}", key.id), ..key }
    }

    /// Reads the file that `keygen` has written.
    ///
    /// # Errors
    /// A file that cannot be read or holds something else, named in the text.
    pub fn read(path: &Path) -> Result<Self, String> {
        let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let text = String::from_utf8_lossy(&bytes);
        let secret = text.trim().strip_prefix(SECRET_PREFIX).and_then(key_bytes);
        secret.map(|bytes| Self::of(&Secret::of(bytes))).ok_or_else(|| {
            format!("{}: expected {SECRET_PREFIX}… with 32 bytes, as keygen writes it", path.display())
        })
    }

    /// Names the key in what it signs.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The public half.
    pub fn public(&self) -> [u8; PUBLIC_KEY_BYTES] {
        self.key.verifying_key().to_bytes()
    }

    /// The public half as `keygen` prints it.
    pub fn public_text(&self) -> String {
        format!("{PUBLIC_PREFIX}{}", URL_SAFE_NO_PAD.encode(self.public()))
    }

    /// What `keygen` writes, for [`SecretKey::read`].
    pub fn secret_text(&self) -> String {
        format!("{SECRET_PREFIX}{}\n", URL_SAFE_NO_PAD.encode(self.key.to_bytes()))
    }

    /// Completes sealed bytes with the signature over them.
    pub fn sign(&self, sealed: Vec<u8>) -> Vec<u8> {
        let signature = self.key.sign(&sealed).to_bytes();
        attach_signature(sealed, &signature)
    }
}

/// The id of a public key.
pub fn key_id(public_key: &[u8; PUBLIC_KEY_BYTES]) -> String {
    hex(public_key).chars().take(KEY_ID_DIGITS).collect()
}

/// The public key of an id, among those that are trusted.
pub fn find_key(keys: &[[u8; PUBLIC_KEY_BYTES]], id: &str) -> Option<[u8; PUBLIC_KEY_BYTES]> {
    let id = id.strip_prefix(DEVELOPMENT_PREFIX).unwrap_or(id);
    keys.iter().find(|key| key_id(key) == id).copied()
}

/// Reads a public key as `keygen` prints it.
///
/// # Errors
/// A text that is none, named.
pub fn parse_public_key(text: &str) -> Result<[u8; PUBLIC_KEY_BYTES], String> {
    let bytes = text.trim().strip_prefix(PUBLIC_PREFIX).and_then(key_bytes);
    bytes.filter(|bytes| VerifyingKey::from_bytes(bytes).is_ok()).ok_or_else(|| {
        format!("'{text}': expected {PUBLIC_PREFIX}… with the 32 bytes of a public key, as keygen prints it")
    })
}

fn key_bytes(text: &str) -> Option<[u8; PUBLIC_KEY_BYTES]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

/// Whether an Ed25519 signature by a public key covers these bytes.
pub fn verify_signature(
    public_key: &[u8; PUBLIC_KEY_BYTES],
    bytes: &[u8],
    signature: &[u8; SIGNATURE_BYTES],
) -> bool {
    let key = VerifyingKey::from_bytes(public_key);
    key.is_ok_and(|key| key.verify_strict(bytes, &Signature::from_bytes(signature)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_key_is_read_back_and_its_signatures_hold() {
        let folder = tempfile::tempdir().unwrap();
        let (path, key) = (folder.path().join("key"), SecretKey::of(&Secret::random().unwrap()));
        fs::write(&path, key.secret_text()).unwrap();
        let read = SecretKey::read(&path).unwrap();
        assert_eq!((read.id(), read.public()), (key.id(), key.public()));
        assert_eq!(parse_public_key(&key.public_text()), Ok(key.public()));
        let signed = read.sign(b"sealed".to_vec());
        let (sealed, signature) = signed.split_last_chunk().unwrap();
        assert!(verify_signature(&key.public(), sealed, signature));
        assert!(!verify_signature(&key.public(), b"sealeD", signature));
    }

    #[test]
    fn a_key_for_development_is_found_by_its_public_half() {
        let secret = Secret::random().unwrap();
        let (plain, named) = (SecretKey::of(&secret), SecretKey::for_development(&secret));
        assert_eq!(named.id(), format!("dev-{}", plain.id()));
        assert_eq!(find_key(&[plain.public()], named.id()), Some(plain.public()));
        assert_eq!(find_key(&[], named.id()), None);
    }
}
