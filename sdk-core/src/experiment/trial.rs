//! A bundle's experiment: as a tree for compilers, and read in place.

use super::{HashVersion, Span};
use crate::condition::{
    Code, Condition, Packer, Path, PathRef, decode_condition, encode_condition, encode_path, pass_condition,
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
    /// Where its unit is found.
    pub unit: Path,
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
    /// Counts, then variations.
    pub(super) variations: Code<'a>,
    /// Counts, then filters.
    pub(super) filters: Code<'a>,
    /// What must hold: a condition.
    pub(super) when: Code<'a>,
}

/// A hash and where its unit is found.
#[derive(Clone, Copy, Debug)]
pub(super) struct HashRef<'a> {
    pub seed: &'a str,
    pub version: HashVersion,
    pub unit: PathRef<'a>,
}

/// Appends an experiment. The condition stands last.
pub(super) fn encode_trial(trial: &Trial, packer: &mut Packer) {
    packer.text(&trial.id);
    packer.id(trial.exposed);
    packer.out.u64(u64::from(trial.bucket_version));
    packer.out.len(trial.force.map_or(0, |force| force + 1));
    encode_hash(&trial.hash, &trial.unit, packer);
    packer.group(&trial.variations, |(key, span), packer| {
        packer.text(key);
        encode_span(span, packer);
    });
    packer.group(&trial.filters, |filter, packer| {
        encode_hash(&filter.hash, &filter.unit, packer);
        packer.group(&filter.spans, encode_span);
    });
    encode_condition(&trial.when, packer);
}

fn encode_hash(hash: &Hashing, unit: &Path, packer: &mut Packer) {
    packer.text(&hash.seed);
    packer.out.bool(hash.version == HashVersion::Two);
    encode_path(unit, packer);
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

/// Reads a span.
pub(super) fn read_span(code: &mut Code<'_>) -> Span {
    Span { from: code.number() as u32, until: code.number() as u32 }
}

impl<'a> TrialRef<'a> {
    /// Reads the experiment the code begins with and moves to its condition.
    pub(super) fn read(code: &mut Code<'a>) -> Self {
        let (id, exposed) = (code.text(), code.id());
        let (bucket_version, force) = (code.number() as u32, code.number() as u32);
        let hash = HashRef::read(code);
        let (variations, filters) = (code.sized(), code.sized());
        Self { id, exposed, bucket_version, force, hash, variations, filters, when: *code }
    }

    /// Moves the code behind the experiment, and makes it unsound if there is none.
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
        code.join(&trial.variations);
        code.join(&trial.filters);
        pass_condition(code);
        // Whoever reads a variation goes through those before it.
        let is_whole = trial.variations.is_whole() && trial.filters.is_whole();
        if !is_whole || variations > MAX_VARIATIONS {
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
            filters.push(Filter { unit: hash.unit.to_path(), hash: hashing(hash), spans });
        }
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
        }
    }
}
