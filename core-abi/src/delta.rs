//! The bundle that a delta makes of the one before.

use crate::answer::failure;
use attune_core::bundle::{Refused, open_delta};
use sha2::{Digest, Sha256};

/// The envelope that follows from one by a delta, byte by byte as it was signed. Its signature is not looked at: a bundle
/// that is not trusted is verified before it is published, whether it came whole or as a delta.
///
/// # Errors
/// Bytes that are no delta (`bundle_…`), or one from another envelope (`bundle_wrong_parent`), as an object with `error` and
/// `message`.
pub fn bundle_apply(envelope: &[u8], delta: &[u8]) -> Result<Vec<u8>, String> {
    let told = |refused: Refused| failure(refused.code(), &refused.to_string());
    let delta = open_delta(delta).map_err(|error| told(Refused::Unreadable(error)))?;
    if Sha256::digest(envelope)[..] != delta.from {
        return Err(told(Refused::WrongParent));
    }
    delta.apply(envelope).map_err(|error| told(Refused::Unreadable(error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_core::bundle::author::delta;

    #[test]
    fn a_delta_gives_the_envelope_and_only_from_its_own() {
        let (from, to) = (b"the envelope before".as_slice(), b"the envelope behind".as_slice());
        let bytes = delta(from, &Sha256::digest(from).into(), to);
        assert_eq!(bundle_apply(from, &bytes).as_deref(), Ok(to));
        for (code, envelope, delta) in [
            ("bundle_wrong_parent", to, &bytes[..]),
            ("bundle_bad_delta", from, &bytes[..bytes.len() - 1]),
            ("bundle_bad_magic", from, b"no delta"),
            ("bundle_truncated", from, b""),
        ] {
            let error = bundle_apply(envelope, delta).unwrap_err();
            assert!(error.contains(code), "{code}: {error}");
        }
    }
}
