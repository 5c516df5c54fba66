//! Ed25519 key pairs in files: made, read, named.

use super::source::{named, read_file};
use super::{Outcome, print};
use crate::hex::hex;
use crate::secret::Secret;
use crate::settings::KeygenArguments;
use attune_core::bundle::{PUBLIC_KEY_BYTES, SIGNATURE_BYTES};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const PUBLIC_PREFIX: &str = "ed25519:";
const SECRET_PREFIX: &str = "ed25519-secret:";
/// Digits of the public key that make up a key id: 64 bits, so that two keys of a project do not meet.
const KEY_ID_DIGITS: usize = 16;

/// Makes a key pair; a file that is there already is left alone.
pub fn generate(arguments: &KeygenArguments) -> Result<Outcome, String> {
    let secret = Secret::random().map_err(|error| format!("random source: {error}"))?;
    let key = SigningKey::from_bytes(secret.bytes());
    let public = public_text(&key.verifying_key().to_bytes());
    let secret_text = format!("{SECRET_PREFIX}{}\n", URL_SAFE_NO_PAD.encode(secret.bytes()));
    let mut public_path = arguments.output.clone().into_os_string();
    public_path.push(".pub");
    write_new(&arguments.output, &secret_text, 0o600)?;
    write_new(Path::new(&public_path), &format!("{public}\n"), 0o644)?;
    print(&format!("{public}\n"))?;
    Ok(Outcome::Clean)
}

fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), String> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| named(path, &error))
}

/// A key that signs, with the id that its public key gives it.
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// Reads the file that `keygen` has written.
    pub fn read(path: &Path) -> Result<Self, String> {
        let bytes = read_file(path)?;
        let text = String::from_utf8_lossy(&bytes);
        let key = text.trim().strip_prefix(SECRET_PREFIX).and_then(key_bytes);
        key.map(|bytes| Self(SigningKey::from_bytes(&bytes))).ok_or_else(|| {
            format!("{}: expected {SECRET_PREFIX}… with 32 bytes, as keygen writes it", path.display())
        })
    }

    /// Names the key in what it signs.
    pub fn id(&self) -> String {
        key_id(&self.0.verifying_key().to_bytes())
    }

    /// The signature over bytes.
    pub fn sign(&self, bytes: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.0.sign(bytes).to_bytes()
    }
}

/// The id of a public key.
pub fn key_id(public_key: &[u8; PUBLIC_KEY_BYTES]) -> String {
    hex(public_key).chars().take(KEY_ID_DIGITS).collect()
}

/// A public key as `keygen` prints it.
pub fn public_text(public_key: &[u8; PUBLIC_KEY_BYTES]) -> String {
    format!("{PUBLIC_PREFIX}{}", URL_SAFE_NO_PAD.encode(public_key))
}

/// Reads a public key as `keygen` prints it.
pub fn parse_public(text: &str) -> Result<[u8; PUBLIC_KEY_BYTES], String> {
    let bytes = text.trim().strip_prefix(PUBLIC_PREFIX).and_then(key_bytes);
    bytes.filter(|bytes| VerifyingKey::from_bytes(bytes).is_ok()).ok_or_else(|| {
        format!("'{text}': expected {PUBLIC_PREFIX}… with the 32 bytes of a public key, as keygen prints it")
    })
}

fn key_bytes(text: &str) -> Option<[u8; PUBLIC_KEY_BYTES]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

/// Whether an Ed25519 signature by a public key covers these bytes.
pub fn verify(public_key: &[u8; PUBLIC_KEY_BYTES], bytes: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
    let key = VerifyingKey::from_bytes(public_key);
    key.is_ok_and(|key| key.verify_strict(bytes, &Signature::from_bytes(signature)).is_ok())
}
