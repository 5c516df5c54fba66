//! The current statement: a small signed document that says which bundle is in effect, and which one a share of all
//! units tries.
//!
//! Layout: magic `ATNC`, format version, project, environment, revision, hash, candidate (revision, hash, share, seed),
//! issued-at, expires, key id, then 64 bytes of Ed25519 signature over every byte before them.

use super::document::{FORMAT, Signed, open_signed};
use super::verify::in_time;
use super::{BundleError, Demands, HASH_BYTES, KeyOf, Refused, SIGNATURE_BYTES, VerifySignature};
use crate::codec::{Source, Writer};
use crate::hash::bucket;
use crate::time::Timestamp;
use alloc::vec::Vec;

const MAGIC: &[u8; 4] = b"ATNC";
/// Version of the hash that divides units: that of new experiments, with as many steps as a share has.
const HASH_VERSION: u8 = 2;
/// The share of a candidate that everybody gets: shares are hundredths of a percent.
pub const WHOLE_SHARE: u32 = 10_000;

/// What a statement says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Current<'a> {
    /// The project it is for.
    pub project: &'a str,
    /// The environment it is for, such as `production`.
    pub environment: &'a str,
    /// The revision in effect.
    pub revision: u64,
    /// SHA-256 of its envelope.
    pub hash: [u8; HASH_BYTES],
    /// What a share of all units gets instead.
    pub candidate: Option<Candidate<'a>>,
    /// When it was written; a later statement counts more.
    pub issued_at: Timestamp,
    /// Not to be followed after.
    pub expires: Timestamp,
    /// Names the key that signed it.
    pub key_id: &'a str,
}

/// A bundle on trial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// Its revision.
    pub revision: u64,
    /// SHA-256 of its envelope.
    pub hash: [u8; HASH_BYTES],
    /// For how many units, in hundredths of a percent, at most [`WHOLE_SHARE`].
    pub share: u32,
    /// Divides the units; a share that grows under one seed keeps the units it had.
    pub seed: &'a str,
}

/// An opened statement; nothing in it is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenedCurrent<'a> {
    /// What it says.
    pub current: Current<'a>,
    /// The exact bytes that the signature covers.
    pub signed: &'a [u8],
    /// The Ed25519 signature.
    pub signature: &'a [u8; SIGNATURE_BYTES],
}

impl<'a> Current<'a> {
    /// The candidate, where a unit gets it: pages and workers answer alike. `unit` is the text that names the unit, such
    /// as a member's id.
    pub fn candidate_for(&self, unit: &str) -> Option<Candidate<'a>> {
        self.candidate.filter(|candidate| is_in_share(candidate.seed, unit, candidate.share))
    }

    /// Revision and hash of the bundle that a unit gets.
    pub fn bundle_for(&self, unit: &str) -> (u64, [u8; HASH_BYTES]) {
        let candidate = self.candidate_for(unit);
        candidate.map_or((self.revision, self.hash), |candidate| (candidate.revision, candidate.hash))
    }
}

/// Whether a unit is in a candidate's share, of which a seed divides the units.
#[inline(never)]
pub fn is_in_share(seed: &str, unit: &str, share: u32) -> bool {
    bucket(seed, unit, HASH_VERSION).is_some_and(|step| step < share)
}

/// Writes a statement; the result is what is to be signed and completed with [`super::attach_signature`].
pub fn seal_current(current: &Current<'_>) -> Vec<u8> {
    let mut out = Writer::new();
    out.raw(MAGIC);
    out.u8(FORMAT);
    out.str(current.project);
    out.str(current.environment);
    out.u64(current.revision);
    out.raw(&current.hash);
    out.option(current.candidate, |out, candidate| {
        out.u64(candidate.revision);
        out.raw(&candidate.hash);
        out.u64(u64::from(candidate.share));
        out.str(candidate.seed);
    });
    out.i64(current.issued_at.0);
    out.i64(current.expires.0);
    out.str(current.key_id);
    out.into_bytes()
}

/// Opens a statement without verifying it.
///
/// # Errors
/// What is wrong with the bytes; a share above [`WHOLE_SHARE`] is a damaged envelope.
pub fn open_current(bytes: &[u8]) -> Result<OpenedCurrent<'_>, BundleError> {
    let Signed { bytes: signed, mut source, signature } = open_signed(bytes, MAGIC)?;
    let current = Current {
        project: source.str(),
        environment: source.str(),
        revision: source.u64(),
        hash: source.array(),
        candidate: source.option(candidate),
        issued_at: Timestamp(source.i64()),
        expires: Timestamp(source.i64()),
        key_id: source.str(),
    };
    match source.is_whole() {
        true => Ok(OpenedCurrent { current, signed, signature }),
        false => Err(BundleError::BadEnvelope),
    }
}

fn candidate<'a>(source: &mut Source<'a>) -> Candidate<'a> {
    let (revision, hash, share, seed) = (source.u64(), source.array(), source.u64(), source.str());
    if share > u64::from(WHOLE_SHARE) {
        source.fail();
    }
    Candidate { revision, hash, share: share as u32, seed }
}

/// Opens a statement if it may be followed. A revision equal to that of the demands is taken, since statements are
/// renewed; `since` is when the statement in effect was issued. One issued later than the client's clock says is taken,
/// since such clocks are often behind.
///
/// # Errors
/// The first demand that it does not meet, the signature before all others.
pub fn verify_current<'a>(
    bytes: &'a [u8],
    demands: &Demands<'_>,
    since: Option<Timestamp>,
    key_of: &KeyOf<'_>,
    verify: &VerifySignature<'_>,
) -> Result<Current<'a>, Refused> {
    let OpenedCurrent { current, signed, signature } = open_current(bytes).map_err(Refused::Unreadable)?;
    let key = key_of(current.key_id).ok_or(Refused::UnknownKey)?;
    if !verify(&key, signed, signature) {
        return Err(Refused::Tampered);
    }
    demands.meets_place(current.project, current.environment)?;
    if let Some(above) = demands.above.filter(|above| current.revision < *above) {
        return Err(Refused::LowerRevision { found: current.revision, above });
    }
    if since.is_some_and(|since| current.issued_at < since) {
        return Err(Refused::Superseded(current.issued_at));
    }
    in_time(None, Some(current.expires), demands.now)?;
    Ok(current)
}

#[cfg(test)]
mod tests {
    use super::super::attach_signature;
    use super::super::verify::proofs::{holds, key_of, sign};
    use super::*;
    use proptest::prelude::*;

    const CANDIDATE: Candidate<'static> =
        Candidate { revision: 8, hash: [8; HASH_BYTES], share: 2_500, seed: "roll" };
    const CURRENT: Current<'static> = Current {
        project: "shop",
        environment: "production",
        revision: 7,
        hash: [7; HASH_BYTES],
        candidate: Some(CANDIDATE),
        issued_at: Timestamp(10),
        expires: Timestamp(20),
        key_id: "known",
    };
    const DEMANDS: Demands<'static> = Demands {
        project: Some("shop"),
        environment: Some("production"),
        above: Some(7),
        now: Timestamp(20),
    };

    fn signed(current: &Current<'_>) -> Vec<u8> {
        let sealed = seal_current(current);
        let signature = sign(7, &sealed);
        attach_signature(sealed, &signature)
    }

    #[test]
    fn a_statement_gives_back_what_was_sealed() {
        for current in [CURRENT, Current { candidate: None, ..CURRENT }] {
            let bytes = signed(&current);
            assert_eq!(verify_current(&bytes, &DEMANDS, Some(Timestamp(10)), &key_of, &holds), Ok(current));
        }
    }

    #[test]
    fn every_demand_that_is_not_met_has_its_code() {
        let refused = |current: &Current<'_>, demands: &Demands<'_>, since: i64| {
            let bytes = signed(current);
            let found = verify_current(&bytes, demands, Some(Timestamp(since)), &key_of, &holds);
            found.err().map(Refused::code)
        };
        for (current, demands, since, code) in [
            (Current { key_id: "other", ..CURRENT }, DEMANDS, 10, "bundle_unknown_key"),
            (CURRENT, Demands { project: Some("news"), ..DEMANDS }, 10, "bundle_wrong_project"),
            (CURRENT, Demands { environment: Some("staging"), ..DEMANDS }, 10, "bundle_wrong_environment"),
            (CURRENT, Demands { above: Some(8), ..DEMANDS }, 10, "bundle_lower_revision"),
            (CURRENT, DEMANDS, 11, "bundle_superseded"),
            (CURRENT, Demands { now: Timestamp(21), ..DEMANDS }, 10, "bundle_expired"),
        ] {
            assert_eq!(refused(&current, &demands, since), Some(code));
        }
        let greedy = Candidate { share: WHOLE_SHARE + 1, ..CANDIDATE };
        let greedy = Current { candidate: Some(greedy), ..CURRENT };
        assert_eq!(refused(&greedy, &DEMANDS, 10), Some("bundle_bad_envelope"));
    }

    #[test]
    fn every_shortened_lengthened_or_changed_statement_is_refused() {
        let bytes = signed(&CURRENT);
        let taken = |bytes: &[u8]| verify_current(bytes, &DEMANDS, None, &key_of, &holds).is_ok();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(!taken(&changed) && !taken(&bytes[..at]), "byte {at}");
        }
        assert!(!taken(&[&bytes[..], b"x"].concat()));
    }

    #[test]
    fn a_candidate_is_for_its_share_and_a_growing_share_keeps_its_units() {
        let of = |share: u32| Current { candidate: Some(Candidate { share, ..CANDIDATE }), ..CURRENT };
        let units: Vec<alloc::string::String> =
            (0..2_000).map(|unit| alloc::format!("unit-{unit}")).collect();
        let count = |share| units.iter().filter(|unit| of(share).candidate_for(unit).is_some()).count();
        assert_eq!((count(0), count(WHOLE_SHARE)), (0, units.len()));
        assert!((400..600).contains(&count(2_500)));
        for unit in &units {
            assert!(of(2_500).candidate_for(unit).is_none() || of(5_000).candidate_for(unit).is_some());
        }
        assert_eq!(of(WHOLE_SHARE).bundle_for("x"), (8, [8; HASH_BYTES]));
        assert_eq!(of(0).bundle_for("x"), (7, [7; HASH_BYTES]));
        assert_eq!(Current { candidate: None, ..CURRENT }.bundle_for("x"), (7, [7; HASH_BYTES]));
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(tail: Vec<u8>) {
            let _ = open_current(&tail);
            let _ = open_current(&[b"ATNC\x01".as_slice(), &tail].concat());
        }
    }
}
