//! A bundle's experiment: as a tree for compilers, and read in place.

use super::{HashVersion, Span};
use crate::condition::{
    Code, Condition, Packer, Path, PathRef, Root, decode_condition, encode_condition, encode_path,
    pass_condition,
};
use crate::id::SignalId;
use crate::limits::MAX_VARIATIONS;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// A bundle's experiment as its compiler has made it.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Its id within the bundle.
    pub id: Box<str>,
    /// How a unit becomes a bucket, and with which seed.
    pub hash: Hashing,
    /// Where the unit is found; a bare `anonymous_id` or `user_id` is the visitor's own.
    pub unit: Path,
    /// Keys of the variations, each with its part of the buckets.
    pub variations: Vec<(Box<str>, Span)>,
    /// Filters that all have to let the unit in: namespaces, exclusion groups and holdouts are such.
    pub filters: Vec<Filter>,
    /// What must hold of the visitor, prerequisites included.
    pub when: Condition,
    /// The variation that everybody inside gets.
    pub force: Option<usize>,
    /// Counts up where units are to be exposed anew.
    pub bucket_version: u32,
    /// The hidden signal that counts this session's exposures by variation.
    pub exposed: SignalId,
    /// How assignments stick, where they do.
    pub sticky: Option<Sticky>,
}

/// How the assignments of an experiment stick.
#[derive(Clone, Debug, PartialEq)]
pub struct Sticky {
    /// The hidden signal with the first variation that the visitor was exposed to, by bucket version.
    pub assigned: SignalId,
    /// Whoever was exposed under an earlier version than this is outside.
    pub min_bucket_version: u32,
    /// Where the unit is found if the experiment's own is missing.
    pub fallback: Option<Path>,
    /// What must hold of the page, also for those who are assigned.
    pub page: Condition,
}

/// A hash with its seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hashing {
    /// What stands before (in version 1 behind) the unit.
    pub seed: Box<str>,
    /// Its version.
    pub version: HashVersion,
}

/// A part of the buckets of another hash.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// Where its unit is found; the experiment's own where this is absent.
    pub unit: Option<Path>,
    /// Its hash.
    pub hash: Hashing,
    /// The parts that are let in.
    pub spans: Vec<Span>,
}

/// A bundle's experiment, read in place.
#[derive(Clone, Copy, Debug)]
pub struct TrialRef<'a> {
    /// Its id within the bundle.
    pub id: &'a str,
    /// The hidden signal that counts this session's exposures by variation.
    pub exposed: SignalId,
    /// Counts up where units are to be exposed anew.
    pub bucket_version: u32,
    /// The variation that everybody inside gets, from 1; 0 where the bucket decides.
    pub(super) force: u32,
    /// Seed, version and unit.
    pub(super) hash: HashRef<'a>,
    /// Where the unit is found if its own is missing; [`NO_PATH`] where there is no fallback.
    pub(super) fallback: PathRef<'a>,
    /// Counts, then variations.
    pub(super) variations: Code<'a>,
    /// Counts, then filters.
    pub(super) filters: Code<'a>,
    /// How assignments stick; empty where they do not.
    sticky: Code<'a>,
    /// What must hold: a condition.
    pub(super) when: Code<'a>,
}

/// A hash and where its unit is found; [`NO_PATH`] stands for the experiment's own.
#[derive(Clone, Copy, Debug)]
pub(super) struct HashRef<'a> {
    pub seed: &'a str,
    pub version: HashVersion,
    pub unit: PathRef<'a>,
}

/// How assignments stick.
#[derive(Clone, Copy, Debug)]
pub(super) struct StickyRef<'a> {
    pub assigned: SignalId,
    pub min_bucket_version: u32,
    /// What must hold of the page: a condition.
    pub page: Code<'a>,
}

/// Where nothing is found.
const NO_PATH: PathRef<'static> = PathRef { root: Root::Bare, rest: "" };

/// Appends an experiment. The condition stands last.
pub(super) fn encode_trial(trial: &Trial, packer: &mut Packer) {
    packer.text(&trial.id);
    packer.id(trial.exposed);
    packer.out.u64(u64::from(trial.bucket_version));
    packer.out.len(trial.force.map_or(0, |force| force + 1));
    encode_hash(&trial.hash, Some(&trial.unit), packer);
    encode_optional(trial.sticky.as_ref().and_then(|sticky| sticky.fallback.as_ref()), packer);
    packer.group(&trial.variations, |(key, span), packer| {
        packer.text(key);
        encode_span(span, packer);
    });
    packer.group(&trial.filters, |filter, packer| {
        encode_hash(&filter.hash, filter.unit.as_ref(), packer);
        packer.group(&filter.spans, encode_span);
    });
    packer.sized(|packer| trial.sticky.iter().for_each(|sticky| encode_sticky(sticky, packer)));
    encode_condition(&trial.when, packer);
}

fn encode_hash(hash: &Hashing, unit: Option<&Path>, packer: &mut Packer) {
    packer.text(&hash.seed);
    packer.out.bool(hash.version == HashVersion::Two);
    encode_optional(unit, packer);
}

fn encode_optional(path: Option<&Path>, packer: &mut Packer) {
    encode_path(path.unwrap_or(&NO_PATH.to_path()), packer);
}

fn encode_sticky(sticky: &Sticky, packer: &mut Packer) {
    packer.id(sticky.assigned);
    packer.out.u64(sticky.min_bucket_version.into());
    encode_condition(&sticky.page, packer);
}

fn encode_span(span: &Span, packer: &mut Packer) {
    packer.out.u64(span.from.into());
    packer.out.u64(span.until.into());
}

impl<'a> HashRef<'a> {
    pub(super) fn read(code: &mut Code<'a>) -> Self {
        let seed = code.text();
        let version = match code.byte() {
            0 => HashVersion::One,
            1 => HashVersion::Two,
            _ => {
                code.fail();
                HashVersion::One
            }
        };
        Self { seed, version, unit: code.path() }
    }
}

impl<'a> StickyRef<'a> {
    fn read(code: &mut Code<'a>) -> Self {
        let (assigned, min_bucket_version) = (code.id(), code.number() as u32);
        Self { assigned, min_bucket_version, page: *code }
    }
}

fn some_path(path: PathRef<'_>) -> Option<Path> {
    (path != NO_PATH).then(|| path.to_path())
}

/// Reads a span.
pub(super) fn read_span(code: &mut Code<'_>) -> Span {
    Span { from: code.number() as u32, until: code.number() as u32 }
}

impl<'a> TrialRef<'a> {
    /// Reads the experiment the code begins with and moves to its condition.
    pub(super) fn read(code: &mut Code<'a>) -> Self {
        let (id, exposed) = (code.text(), code.id());
        let (bucket_version, force) = (code.number() as u32, code.number() as u32);
        let (hash, fallback) = (HashRef::read(code), code.path());
        let (variations, filters, sticky) = (code.sized(), code.sized(), code.sized());
        Self { id, exposed, bucket_version, force, hash, fallback, variations, filters, sticky, when: *code }
    }

    /// Moves the code behind the experiment, and makes it unsound if there is none.
    #[inline(never)]
    pub(super) fn pass(code: &mut Code<'a>) {
        let mut trial = Self::read(code);
        let mut variations = 0;
        while !trial.variations.is_empty() {
            trial.variations.text();
            read_span(&mut trial.variations);
            variations += 1;
        }
        while !trial.filters.is_empty() {
            HashRef::read(&mut trial.filters);
            let mut spans = trial.filters.sized();
            while !spans.is_empty() {
                read_span(&mut spans);
            }
            code.join(&spans);
        }
        if !trial.sticky.is_empty() {
            StickyRef::read(&mut trial.sticky);
            pass_condition(&mut trial.sticky);
        }
        pass_condition(code);
        let parts = [trial.variations, trial.filters, trial.sticky];
        parts.iter().for_each(|part| code.join(part));
        // Whoever reads a variation goes through those before it.
        if !parts.iter().all(Code::is_whole) || variations > MAX_VARIATIONS {
            code.fail();
        }
    }

    /// The key of a variation.
    pub fn variation(self, index: usize) -> Option<&'a str> {
        let mut variations = self.variations;
        for _ in 0..index {
            if variations.is_empty() {
                return None;
            }
            variations.text();
            read_span(&mut variations);
        }
        (!variations.is_empty()).then(|| variations.text())
    }

    /// How assignments stick, where they do.
    pub(super) fn sticky(mut self) -> Option<StickyRef<'a>> {
        (!self.sticky.is_empty()).then(|| StickyRef::read(&mut self.sticky))
    }

    /// The experiment as a tree.
    pub fn to_trial(self) -> Trial {
        let hashing = |hash: HashRef<'_>| Hashing { seed: hash.seed.into(), version: hash.version };
        let (mut variations, mut filters) = (Vec::new(), Vec::new());
        let (mut code, mut filter_code) = (self.variations, self.filters);
        while !code.is_empty() {
            variations.push((code.text().into(), read_span(&mut code)));
        }
        while !filter_code.is_empty() {
            let hash = HashRef::read(&mut filter_code);
            let (mut code, mut spans) = (filter_code.sized(), Vec::new());
            while !code.is_empty() {
                spans.push(read_span(&mut code));
            }
            filters.push(Filter { unit: some_path(hash.unit), hash: hashing(hash), spans });
        }
        let sticky = self.sticky().map(|sticky| Sticky {
            assigned: sticky.assigned,
            min_bucket_version: sticky.min_bucket_version,
            fallback: some_path(self.fallback),
            page: decode_condition(&mut { sticky.page }),
        });
        Trial {
            id: self.id.into(),
            hash: hashing(self.hash),
            unit: self.hash.unit.to_path(),
            variations,
            filters,
            when: decode_condition(&mut { self.when }),
            force: self.force.checked_sub(1).map(|force| force as usize),
            bucket_version: self.bucket_version,
            exposed: self.exposed,
            sticky,
        }
    }
}
