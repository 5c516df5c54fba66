//! Secrets: random bytes kept in the data folder, MACs over texts, and comparison in constant time.

use crate::whole_file;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use std::io;
use std::path::Path;

/// 32 random bytes.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// The secret of these bytes.
    pub const fn of(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A fresh secret from the system's random source.
    ///
    /// # Errors
    /// A system without a random source.
    pub fn random() -> io::Result<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        Ok(Self(bytes))
    }

    /// The secret stored in a file; a fresh one is stored, readable by its owner only, where there is none.
    ///
    /// # Errors
    /// A file that cannot be read or written, or that holds something else.
    pub fn load_or_create(path: &Path) -> io::Result<Self> {
        if let Some(secret) = Self::load(path)? {
            return Ok(secret);
        }
        let fresh = Self::random()?;
        whole_file::write(path, &fresh.0)?;
        Ok(fresh)
    }

    /// The secret stored in a file; nothing where there is none.
    ///
    /// # Errors
    /// A file that cannot be read, or that holds something else.
    pub fn load(path: &Path) -> io::Result<Option<Self>> {
        let wrong = |_| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{} does not hold 32 bytes", path.display()))
        };
        whole_file::read(path)?.map(|bytes| bytes.try_into().map(Self).map_err(wrong)).transpose()
    }

    /// The bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// HMAC-SHA256 over texts, each set apart from the next by a zero byte.
    pub fn mac(&self, parts: &[&str]) -> [u8; 32] {
        mac(&self.0, parts)
    }
}

/// HMAC-SHA256 over texts, each set apart from the next by a zero byte; a single text stands alone.
pub fn mac(key: &[u8], parts: &[&str]) -> [u8; 32] {
    // HMAC takes keys of every length, so the fallback is never reached.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            mac.update(&[0]);
        }
        mac.update(part.as_bytes());
    }
    mac.finalize().into_bytes().into()
}

/// Whether two texts are equal, in a time that tells nothing but their lengths.
pub fn same_secret(left: &str, right: &str) -> bool {
    left.len() == right.len() && left.bytes().zip(right.bytes()).fold(0, |seen, (a, b)| seen | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex::hex;

    #[test]
    fn a_mac_agrees_with_the_published_vector() {
        // RFC 4231, test case 2.
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex(&mac(b"Jefe", &["what do ya want for nothing?"])), expected);
    }

    #[test]
    fn parts_are_kept_apart() {
        let secret = Secret([7; 32]);
        assert_ne!(secret.mac(&["ab", "c"]), secret.mac(&["a", "bc"]));
    }
}
