//! The bundle that a delta makes of the one before.

use crate::answer::failure;
use attune_core::bundle::{HASH_BYTES, Refused, open_delta};
use sha2::{Digest, Sha256};

/// The envelope that follows from one by a delta, byte by byte as it was signed. Its signature is not looked at: a bundle
/// that is not trusted is verified before it is published, whether it came whole or as a delta.
///
/// The delta names the envelope it is from by SHA-256. A host that knows it says so, in 64 hexadecimal digits; without any
/// the envelope is hashed, which takes longer than all else.
///
/// # Errors
/// Bytes that are no delta (`bundle_…`), or one from another envelope (`bundle_wrong_parent`), or that are no SHA-256
/// (`hash_invalid`), as an object with `error` and `message`.
pub fn bundle_apply(envelope: &[u8], delta: &[u8], sha256: &[u8]) -> Result<Vec<u8>, String> {
    let told = |refused: Refused| failure(refused.code(), &refused.to_string());
    let known = match sha256 {
        [] => None,
        digits => Some(
            hash_of(digits).ok_or_else(|| failure("hash_invalid", "a SHA-256 has 64 hexadecimal digits"))?,
        ),
    };
    let delta = open_delta(delta).map_err(|error| told(Refused::Unreadable(error)))?;
    if known.unwrap_or_else(|| Sha256::digest(envelope).into()) != delta.from {
        return Err(told(Refused::WrongParent));
    }
    delta.apply(envelope).map_err(|error| told(Refused::Unreadable(error)))
}

/// The hash that hexadecimal digits stand for.
fn hash_of(digits: &[u8]) -> Option<[u8; HASH_BYTES]> {
    let value = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8);
    let (pairs, rest) = digits.as_chunks();
    let bytes = pairs.iter().map(|[high, low]| Some(value(*high)? << 4 | value(*low)?));
    bytes.collect::<Option<Vec<u8>>>()?.try_into().ok().filter(|_| rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_core::bundle::author::delta;

    #[test]
    fn a_delta_gives_the_envelope_and_only_from_its_own() {
        let (from, to) = (b"the envelope before".as_slice(), b"the envelope behind".as_slice());
        let hash: [u8; HASH_BYTES] = Sha256::digest(from).into();
        let bytes = delta(from, &hash, to);
        let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        for known in ["", &digits, &digits.to_uppercase()] {
            assert_eq!(bundle_apply(from, &bytes, known.as_bytes()).as_deref(), Ok(to));
        }
        for (code, envelope, delta, known) in [
            ("bundle_wrong_parent", to, &bytes[..], ""),
            ("bundle_wrong_parent", from, &bytes, &"0".repeat(64)),
            ("hash_invalid", from, &bytes, &digits[..63]),
            ("hash_invalid", from, &bytes, &digits[..62]),
            ("hash_invalid", from, &bytes, &"g".repeat(64)),
            ("bundle_bad_delta", from, &bytes[..bytes.len() - 1], ""),
            ("bundle_bad_magic", from, b"no delta", ""),
            ("bundle_truncated", from, b"", ""),
        ] {
            let error = bundle_apply(envelope, delta, known.as_bytes()).unwrap_err();
            assert!(error.contains(code), "{code}: {error}");
        }
    }
}
