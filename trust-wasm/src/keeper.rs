//! The chain of trust: the page's keys sign a key set, its keys sign a statement, and the statement names the bundle.
//!
//! What was taken last stays until something better is taken; every judgement is the core's.

use crate::checks::Checks;
use alloc::boxed::Box;
use alloc::vec::Vec;
use attune_core::bundle::{
    BundleError, Demands, HASH_BYTES, KeySet, PUBLIC_KEY_BYTES, Refused, open_delta, open_keyset,
    verify_current, verify_delta, verify_envelope, verify_keyset,
};
use attune_core::time::Timestamp;
use core::cell::Cell;

/// Before the id of a key that a collector has made for development.
const DEVELOPMENT_PREFIX: &str = "dev-";
const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// What a page asks for, for as long as it is open.
#[derive(Debug, Default)]
pub struct Terms {
    /// The public keys that may sign key sets.
    pub trust: Vec<[u8; PUBLIC_KEY_BYTES]>,
    /// The project that everything must be for; where none is asked for, the one of the key set.
    pub project: Option<Box<str>>,
    /// The environment that statement and bundle must be for.
    pub environment: Option<Box<str>>,
}

/// A statement that was taken before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The revision it named; never that of a candidate, which may be taken back.
    pub revision: u64,
    /// When it was issued.
    pub issued_at: Timestamp,
}

/// What a statement that was taken says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// What later statements are measured by.
    pub known: Known,
    /// When it is to be followed no more.
    pub expires: Timestamp,
    /// The revision that the unit gets.
    pub revision: u64,
    /// SHA-256 of the envelope that the unit gets.
    pub hash: [u8; HASH_BYTES],
}

/// What is in effect of the chain.
#[derive(Debug, Default)]
pub struct Keeper {
    terms: Terms,
    /// The key set as it was verified; empty before the first.
    key_set: Vec<u8>,
    /// The hash of the bundle that the statement names.
    named: Option<[u8; HASH_BYTES]>,
    /// The envelope taken last, and its hash.
    held: Vec<u8>,
    held_hash: [u8; HASH_BYTES],
}

impl Keeper {
    /// With nothing taken yet.
    pub fn new(terms: Terms) -> Self {
        Self { terms, ..Self::default() }
    }

    /// Takes a key set, in place of the one before; returns its revision. `known` is that of the last one.
    ///
    /// # Errors
    /// The first demand that it does not meet.
    pub fn take_keys(
        &mut self,
        bytes: &[u8],
        known: Option<u64>,
        now: Timestamp,
        checks: &impl Checks,
    ) -> Result<u64, Refused> {
        let demands = Demands { project: self.terms.project.as_deref(), now, ..Demands::default() };
        let key_of = |id: &str| trusted(&self.terms.trust, id);
        let set = verify_keyset(bytes, &demands, &key_of, &|key, bytes, signature| {
            checks.verify(key, bytes, signature)
        })?;
        if let Some(above) = known.filter(|known| set.revision < *known) {
            return Err(Refused::LowerRevision { found: set.revision, above });
        }
        let revision = set.revision;
        self.key_set = Vec::from(bytes);
        Ok(revision)
    }

    /// Takes a statement; from now on the bundle that it gives the unit is the one to take. `known` is the last one.
    ///
    /// # Errors
    /// The first demand that it does not meet; without a key set in its time every key is unknown.
    pub fn take_current(
        &mut self,
        bytes: &[u8],
        known: Option<Known>,
        unit: &str,
        now: Timestamp,
        checks: &impl Checks,
    ) -> Result<Named, Refused> {
        let keys = Keys::open(&self.key_set, now)?;
        let demands = Demands { above: known.map(|known| known.revision), ..self.demands(&keys, now) };
        let since = known.map(|known| known.issued_at);
        let current = verify_current(bytes, &demands, since, &|id| keys.key(id), &|key, bytes, signature| {
            checks.verify(key, bytes, signature)
        })
        .map_err(|refused| keys.reason(refused))?;
        let (revision, hash) = current.bundle_for(unit);
        self.named = Some(hash);
        let known = Known { revision: current.revision, issued_at: current.issued_at };
        Ok(Named { known, expires: current.expires, revision, hash })
    }

    /// Takes the bundle that the statement names, as an envelope or as a delta from the one taken before it; returns
    /// the envelope. What is refused changes nothing.
    ///
    /// # Errors
    /// The first demand that it does not meet.
    pub fn take_bundle(
        &mut self,
        bytes: &[u8],
        now: Timestamp,
        checks: &impl Checks,
    ) -> Result<&[u8], Refused> {
        let keys = Keys::open(&self.key_set, now)?;
        let demands = self.demands(&keys, now);
        let key_of = |id: &str| keys.key(id);
        let verify = |key: &_, bytes: &_, signature: &_| checks.verify(key, bytes, signature);
        let taken = match open_delta(bytes) {
            Err(BundleError::BadMagic) => {
                verify_envelope(bytes, &demands, &key_of, &verify).map(|_| Vec::from(bytes))
            }
            _ => verify_delta(bytes, &self.held, &self.held_hash, &demands, &key_of, &verify),
        };
        let envelope = taken.map_err(|refused| keys.reason(refused))?;
        let hash = checks.hash(&envelope).filter(|hash| self.named == Some(*hash));
        self.held_hash = hash.ok_or(Refused::WrongHash)?;
        self.held = envelope;
        Ok(&self.held)
    }

    fn demands<'a>(&'a self, keys: &'a Keys<'_>, now: Timestamp) -> Demands<'a> {
        let project = self.terms.project.as_deref().unwrap_or(keys.set.project);
        let environment = self.terms.environment.as_deref();
        Demands { project: Some(project), environment, above: None, now }
    }
}

/// The keys in effect, and why the last one that was asked for is not among them.
struct Keys<'a> {
    set: KeySet<'a>,
    now: Timestamp,
    missing: Cell<Refused>,
}

impl<'a> Keys<'a> {
    fn open(bytes: &'a [u8], now: Timestamp) -> Result<Self, Refused> {
        let set = open_keyset(bytes).map_err(|_| Refused::UnknownKey)?.set;
        match set.expires.filter(|at| now > *at) {
            Some(at) => Err(Refused::Expired(at)),
            None => Ok(Self { set, now, missing: Cell::new(Refused::UnknownKey) }),
        }
    }

    fn key(&self, id: &str) -> Option<[u8; PUBLIC_KEY_BYTES]> {
        self.set.key(id, self.now).map_err(|refused| self.missing.set(refused)).ok()
    }

    /// A key that is out of its time is not simply unknown.
    fn reason(&self, refused: Refused) -> Refused {
        if refused == Refused::UnknownKey { self.missing.get() } else { refused }
    }
}

/// The trusted key of an id: ids are the first digits of the public key.
fn trusted(trust: &[[u8; PUBLIC_KEY_BYTES]], id: &str) -> Option<[u8; PUBLIC_KEY_BYTES]> {
    let id = id.strip_prefix(DEVELOPMENT_PREFIX).unwrap_or(id).as_bytes();
    trust.iter().find(|key| is_id_of(id, key)).copied()
}

fn is_id_of(id: &[u8], key: &[u8; PUBLIC_KEY_BYTES]) -> bool {
    let digit = |half: u8| DIGITS.get(usize::from(half)).copied().unwrap_or_default();
    let digits = key.iter().take(8).flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    digits.eq(id.iter().copied())
}
