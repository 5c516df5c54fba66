//! The tokens handed to browsers: proof of membership, and the short-lived key to a stream.

use super::keys::WriteKey;
use crate::hex::hex;
use crate::limits::STREAM_TOKEN_MS;
use crate::secret::{Secret, same_secret};
use attune_core::codec::{Reader, Writer};
use attune_core::id::MemberId;
use attune_core::time::Timestamp;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chacha20poly1305::aead::Aead;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use std::io;

const NONCE_BYTES: usize = 24;

/// Makes and reads tokens with one secret of the collector.
pub struct Tokens {
    secret: Secret,
    cipher: XChaCha20Poly1305,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

impl Tokens {
    /// Tokens under a secret.
    pub fn new(secret: Secret) -> Self {
        let cipher = XChaCha20Poly1305::new(&secret.mac(&["stream token"]).into());
        Self { secret, cipher }
    }

    /// The proof of membership of a member under a write key; the same at every call.
    pub fn member(&self, key: &WriteKey, member: &MemberId) -> String {
        hex(&self.secret.mac(&["member token", &key.key, &member.0]))
    }

    /// Whether a member token is the one of this member under this key.
    pub fn is_member(&self, key: &WriteKey, member: &MemberId, token: &str) -> bool {
        same_secret(&self.member(key, member), token)
    }

    /// A fresh stream token of a member under a write key and when it ends. It is encrypted, so that a URL shows no id.
    ///
    /// # Errors
    /// A system without a random source.
    pub fn stream(
        &self,
        key: &WriteKey,
        member: &MemberId,
        now: Timestamp,
    ) -> io::Result<(String, Timestamp)> {
        let expires = now.plus(STREAM_TOKEN_MS);
        let mut plain = Writer::new();
        plain.i64(expires.0);
        plain.str(&member.0);
        plain.str(&key.key);
        let mut sealed = vec![0; NONCE_BYTES];
        getrandom::fill(&mut sealed).map_err(io::Error::other)?;
        let nonce = XNonce::try_from(&sealed[..]).map_err(io::Error::other)?;
        let cipher_text =
            self.cipher.encrypt(&nonce, &*plain.into_bytes()).map_err(|_| io::ErrorKind::Other)?;
        sealed.extend_from_slice(&cipher_text);
        Ok((BASE64_URL_SAFE_NO_PAD.encode(sealed), expires))
    }

    /// The member that a stream token lets in, and under which write key; nothing where it is not ours or has ended.
    pub fn open_stream(&self, token: &str, now: Timestamp) -> Option<(MemberId, Box<str>)> {
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
        let (nonce, cipher_text) = sealed.split_at_checked(NONCE_BYTES)?;
        let plain = self.cipher.decrypt(&XNonce::try_from(nonce).ok()?, cipher_text).ok()?;
        let mut reader = Reader::new(&plain);
        let expires = Timestamp(reader.i64().ok()?);
        let member = MemberId(reader.boxed_str().ok()?);
        let key = reader.boxed_str().ok()?;
        (now < expires).then_some((member, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> Tokens {
        Tokens::new(Secret::random().unwrap())
    }

    fn key() -> WriteKey {
        WriteKey::open("k").unwrap()
    }

    #[test]
    fn a_stream_token_lets_its_member_in_until_it_ends() {
        let (tokens, member, now) = (tokens(), MemberId("m1".into()), Timestamp(1_000));
        let (token, expires) = tokens.stream(&key(), &member, now).unwrap();
        assert_eq!(tokens.open_stream(&token, now), Some((member, "k".into())));
        assert_eq!(tokens.open_stream(&token, expires), None);
    }

    #[test]
    fn a_changed_or_foreign_token_lets_nobody_in() {
        let (tokens, other) = (tokens(), tokens());
        let (token, _) = tokens.stream(&key(), &MemberId("m1".into()), Timestamp(0)).unwrap();
        assert_eq!(other.open_stream(&token, Timestamp(0)), None);
        for index in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(tokens.open_stream(&changed, Timestamp(0)), None, "character {index}");
        }
        assert_eq!(tokens.open_stream("", Timestamp(0)), None);
    }

    #[test]
    fn a_member_token_is_bound_to_member_and_key() {
        let tokens = tokens();
        let (key, other) = (WriteKey::open("k").unwrap(), WriteKey::open("l").unwrap());
        let member = MemberId("m1".into());
        let token = tokens.member(&key, &member);
        assert!(tokens.is_member(&key, &member, &token));
        assert!(!tokens.is_member(&other, &member, &token));
        assert!(!tokens.is_member(&key, &MemberId("m2".into()), &token));
    }
}
