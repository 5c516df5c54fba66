//! Signatures of webhooks, as the Standard Webhooks specification has them (version 1.0.0, symmetric).

use crate::limits::{MAX_WEBHOOK_SECRET_BYTES, MIN_WEBHOOK_SECRET_BYTES};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// What a secret is written behind.
const PREFIX: &str = "whsec_";

/// The secret that one destination shares with the collector.
pub struct SigningSecret(Box<[u8]>);

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret")
    }
}

impl SigningSecret {
    /// Reads `whsec_` and base64.
    ///
    /// # Errors
    /// Says what a secret has to be, and nothing of what was given.
    pub fn parse(text: &str) -> Result<Self, String> {
        let range = MIN_WEBHOOK_SECRET_BYTES..=MAX_WEBHOOK_SECRET_BYTES;
        let bytes = text.strip_prefix(PREFIX).and_then(|rest| BASE64_STANDARD.decode(rest).ok());
        let fitting = bytes.filter(|bytes| range.contains(&bytes.len())).map(Vec::into_boxed_slice);
        fitting.map(Self).ok_or_else(|| {
            let (least, most) = (range.start(), range.end());
            format!("must be {PREFIX} and {least} to {most} random bytes in base64")
        })
    }

    /// The value of `webhook-signature` for an id, a time in whole seconds since 1970, and a body.
    pub fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        // A key of any length is one.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body);
        format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_standard() {
        // Id, time, body, secret and signature are those of the reference libraries' tests (standard-webhooks,
        // libraries/javascript/src/webhook.test.ts); HMAC-SHA256 by another implementation gives the same.
        let secret = SigningSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        assert_eq!(
            secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        let other = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_331, body);
        assert_ne!(other, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "the time is signed too");
    }

    #[test]
    fn a_secret_that_cannot_be_used_is_told_without_being_shown() {
        let of = |bytes: usize| format!("whsec_{}", BASE64_STANDARD.encode(vec![7; bytes]));
        for text in [&of(23), &of(65), "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_hidden!", "whsec_", ""] {
            let told = SigningSecret::parse(text).unwrap_err();
            assert_eq!(told, "must be whsec_ and 24 to 64 random bytes in base64");
        }
        for bytes in [24, 64] {
            assert!(SigningSecret::parse(&of(bytes)).is_ok(), "{bytes}");
        }
    }
}
