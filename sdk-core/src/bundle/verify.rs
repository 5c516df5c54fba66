//! Whether an envelope may be taken: signed by a key in effect, for this project, newer, and in its time.
//!
//! Nothing of the body is read before the signature holds. The check of a signature is the host's.

use super::keyset::{KeySet, PUBLIC_KEY_BYTES, open_keyset};
use super::{BundleError, Envelope, SIGNATURE_BYTES, open_envelope};
use crate::time::Timestamp;
use core::fmt;

/// Says whether an Ed25519 signature by a public key covers these bytes.
pub type VerifySignature<'a> = dyn Fn(&[u8; PUBLIC_KEY_BYTES], &[u8], &[u8; SIGNATURE_BYTES]) -> bool + 'a;

/// Gives the key of an id that is in effect at the instant of the demands.
pub type KeyOf<'a> = dyn Fn(&str) -> Option<[u8; PUBLIC_KEY_BYTES]> + 'a;

/// What is asked of an envelope besides its signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demands<'a> {
    /// The project it must be for.
    pub project: Option<&'a str>,
    /// The environment it must be for.
    pub environment: Option<&'a str>,
    /// The revision in effect, which it must be above.
    pub above: Option<u64>,
    /// The instant of judgement.
    pub now: Timestamp,
}

/// Why an envelope or a key set is not taken; what is in effect stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It cannot be opened.
    Unreadable(BundleError),
    /// No key in effect has the id that it names.
    UnknownKey,
    /// Its signature is not one of that key over these bytes.
    Tampered,
    /// It is for another project.
    WrongProject,
    /// It is for another environment.
    WrongEnvironment,
    /// Its revision is not above the one in effect.
    LowerRevision {
        /// Its revision.
        found: u64,
        /// The one in effect.
        above: u64,
    },
    /// It is not in effect yet.
    NotYet(Timestamp),
    /// Its time is over.
    Expired(Timestamp),
    /// It is a delta from another envelope than the one in effect.
    WrongParent,
    /// It is another envelope than the one that the statement in effect names.
    WrongHash,
    /// It is a statement issued before the one in effect.
    Superseded(Timestamp),
}

impl Refused {
    /// Stable name for metrics and the page's `error.code`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unreadable(error) => error.code(),
            Self::UnknownKey => "bundle_unknown_key",
            Self::Tampered => "bundle_tampered",
            Self::WrongProject => "bundle_wrong_project",
            Self::WrongEnvironment => "bundle_wrong_environment",
            Self::LowerRevision { .. } => "bundle_lower_revision",
            Self::NotYet(_) => "bundle_not_yet",
            Self::Expired(_) => "bundle_expired",
            Self::WrongParent => "bundle_wrong_parent",
            Self::WrongHash => "bundle_wrong_hash",
            Self::Superseded(_) => "bundle_superseded",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(f),
            Self::UnknownKey => f.write_str("no trusted key has the id that it names"),
            Self::Tampered => f.write_str("the signature does not cover these bytes"),
            Self::WrongProject => f.write_str("it is for another project"),
            Self::WrongEnvironment => f.write_str("it is for another environment"),
            Self::LowerRevision { found, above } => {
                write!(f, "its revision {found} is not above {above}, which is in effect")
            }
            Self::NotYet(at) => write!(f, "it is not in effect before {at}"),
            Self::Expired(at) => write!(f, "it has expired at {at}"),
            Self::WrongParent => f.write_str("it is a delta from another bundle than the one in effect"),
            Self::WrongHash => f.write_str("it is not the bundle that the statement in effect names"),
            Self::Superseded(at) => write!(f, "it was issued at {at}, before the statement in effect"),
        }
    }
}

impl core::error::Error for Refused {}

/// Opens an envelope if it may be taken.
///
/// # Errors
/// The first demand that it does not meet, the signature before all others.
pub fn verify_envelope<'a>(
    bytes: &'a [u8],
    demands: &Demands<'_>,
    key_of: &KeyOf<'_>,
    verify: &VerifySignature<'_>,
) -> Result<Envelope<'a>, Refused> {
    let envelope = open_envelope(bytes).map_err(Refused::Unreadable)?;
    let header = &envelope.header;
    let key = key_of(header.key_id).ok_or(Refused::UnknownKey)?;
    if !verify(&key, envelope.signed, envelope.signature) {
        return Err(Refused::Tampered);
    }
    demands.meets_place(header.project, header.environment)?;
    if let Some(above) = demands.above.filter(|above| header.revision <= *above) {
        return Err(Refused::LowerRevision { found: header.revision, above });
    }
    in_time(header.not_before, header.expires, demands.now)?;
    Ok(envelope)
}

/// Opens a key set if a trusted key has signed it and its time is not over.
///
/// # Errors
/// The first demand that it does not meet, the signature before all others; only project and instant are asked for.
pub fn verify_keyset<'a>(
    bytes: &'a [u8],
    demands: &Demands<'_>,
    key_of: &KeyOf<'_>,
    verify: &VerifySignature<'_>,
) -> Result<KeySet<'a>, Refused> {
    let opened = open_keyset(bytes).map_err(Refused::Unreadable)?;
    let key = key_of(opened.set.key_id).ok_or(Refused::UnknownKey)?;
    if !verify(&key, opened.signed, opened.signature) {
        return Err(Refused::Tampered);
    }
    if demands.project.is_some_and(|project| project != opened.set.project) {
        return Err(Refused::WrongProject);
    }
    in_time(None, opened.set.expires, demands.now)?;
    Ok(opened.set)
}

impl KeySet<'_> {
    /// The key of an id, where it is in its time.
    ///
    /// # Errors
    /// There is no such key, or its time has not come or is over.
    pub fn key(&self, key_id: &str, now: Timestamp) -> Result<[u8; PUBLIC_KEY_BYTES], Refused> {
        let entry = self.keys.iter().find(|entry| entry.key_id == key_id).ok_or(Refused::UnknownKey)?;
        in_time(entry.not_before, entry.expires, now).map(|()| entry.public_key)
    }
}

impl Demands<'_> {
    /// Whether something is for the project and environment asked for.
    pub(super) fn meets_place(&self, project: &str, environment: &str) -> Result<(), Refused> {
        if self.project.is_some_and(|asked| asked != project) {
            return Err(Refused::WrongProject);
        }
        match self.environment.is_some_and(|asked| asked != environment) {
            true => Err(Refused::WrongEnvironment),
            false => Ok(()),
        }
    }
}

pub(super) fn in_time(
    not_before: Option<Timestamp>,
    expires: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Refused> {
    match (not_before, expires) {
        (Some(at), _) if now < at => Err(Refused::NotYet(at)),
        (_, Some(at)) if now > at => Err(Refused::Expired(at)),
        _ => Ok(()),
    }
}

/// What stands for keys and signatures in tests.
#[cfg(test)]
pub(super) mod proofs {
    use super::{PUBLIC_KEY_BYTES, SIGNATURE_BYTES};

    /// Stands for Ed25519: a signature repeats the first byte of the key and the sum of all bytes.
    pub fn sign(key: u8, bytes: &[u8]) -> [u8; SIGNATURE_BYTES] {
        let sum = bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte));
        let mut signature = [sum; SIGNATURE_BYTES];
        signature[0] = key;
        signature
    }

    pub fn holds(key: &[u8; PUBLIC_KEY_BYTES], bytes: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        sign(key[0], bytes) == *signature
    }

    pub fn key_of(id: &str) -> Option<[u8; PUBLIC_KEY_BYTES]> {
        (id == "known").then_some([7; PUBLIC_KEY_BYTES])
    }
}

#[cfg(test)]
mod tests {
    use super::super::keyset::{KeySetEntry, seal_keyset};
    use super::super::{Header, attach_signature, seal_envelope};
    use super::proofs::{holds, key_of, sign};
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    fn bundle(header: &Header<'_>) -> Vec<u8> {
        let sealed = seal_envelope(header, b"body");
        let signature = sign(7, &sealed);
        attach_signature(sealed, &signature)
    }

    const HEADER: Header<'static> = Header {
        project: "shop",
        environment: "production",
        revision: 5,
        parent: None,
        not_before: Some(Timestamp(10)),
        expires: Some(Timestamp(20)),
        key_id: "known",
    };
    const DEMANDS: Demands<'static> = Demands {
        project: Some("shop"),
        environment: Some("production"),
        above: Some(4),
        now: Timestamp(20),
    };

    #[test]
    fn every_demand_that_is_not_met_has_its_code() {
        let refused = |header: &Header<'_>, demands: &Demands<'_>| {
            verify_envelope(&bundle(header), demands, &key_of, &holds).err().map(Refused::code)
        };
        assert_eq!(refused(&HEADER, &DEMANDS), None);
        for (header, demands, code) in [
            (Header { key_id: "other", ..HEADER }, DEMANDS, "bundle_unknown_key"),
            (HEADER, Demands { project: Some("news"), ..DEMANDS }, "bundle_wrong_project"),
            (HEADER, Demands { environment: Some("staging"), ..DEMANDS }, "bundle_wrong_environment"),
            (HEADER, Demands { above: Some(5), ..DEMANDS }, "bundle_lower_revision"),
            (HEADER, Demands { now: Timestamp(9), ..DEMANDS }, "bundle_not_yet"),
            (HEADER, Demands { now: Timestamp(21), ..DEMANDS }, "bundle_expired"),
        ] {
            assert_eq!(refused(&header, &demands), Some(code));
        }
    }

    #[test]
    fn every_changed_byte_is_refused() {
        let bytes = bundle(&HEADER);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(verify_envelope(&changed, &DEMANDS, &key_of, &holds).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_key_set_is_taken_from_a_trusted_key_and_its_keys_count_in_their_time() {
        let entry = KeySetEntry {
            key_id: "k",
            public_key: [9; PUBLIC_KEY_BYTES],
            not_before: None,
            expires: Some(Timestamp(15)),
        };
        let set = KeySet {
            project: "shop",
            revision: 1,
            expires: Some(Timestamp(30)),
            key_id: "known",
            keys: vec![entry],
        };
        let sealed = seal_keyset(&set);
        let signature = sign(7, &sealed);
        let bytes = attach_signature(sealed, &signature);
        let opened = verify_keyset(&bytes, &DEMANDS, &key_of, &holds).unwrap();
        assert_eq!(opened.key("k", Timestamp(15)), Ok([9; PUBLIC_KEY_BYTES]));
        assert_eq!(opened.key("k", Timestamp(16)), Err(Refused::Expired(Timestamp(15))));
        assert_eq!(opened.key("other", Timestamp(1)), Err(Refused::UnknownKey));
        let late = Demands { now: Timestamp(31), ..DEMANDS };
        assert_eq!(verify_keyset(&bytes, &late, &key_of, &holds), Err(Refused::Expired(Timestamp(30))));
        let unknown = |_: &str| None;
        assert_eq!(verify_keyset(&bytes, &DEMANDS, &unknown, &holds), Err(Refused::UnknownKey));
    }
}
