//! A bundle that profiles are judged by, with what the processor reads from it once.

use super::gates::Gates;
use super::readers::Readers;
use crate::bundle::Bundle;
use crate::condition::{Consent, Packer, decode_condition, encode_condition};
use crate::hash::key_hash;
use crate::time::Timestamp;
use alloc::vec::Vec;

/// A bundle that some profiles are judged by.
#[derive(Debug, Default)]
pub(super) struct Active {
    pub bundle: Bundle,
    /// When it became active.
    pub since: Timestamp,
    pub levels: Vec<LevelTrigger>,
    /// Which of them read what.
    pub readers: Readers,
    /// Its event rules.
    pub gates: Gates,
    /// Hash of revision, signals and level triggers: answers found under one edition hold under no other.
    pub edition: u64,
}

impl Active {
    pub(super) fn new(bundle: Bundle, since: Timestamp) -> Self {
        let (levels, readers) = level_triggers(&bundle);
        Self {
            edition: edition(&bundle, &levels),
            gates: Gates::new(&bundle),
            levels,
            readers,
            since,
            bundle,
        }
    }

    /// The identities of its level triggers.
    pub(super) fn identities(&self) -> impl Iterator<Item = u64> {
        self.levels.iter().map(|level| level.identity)
    }
}

/// A level trigger of an active bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LevelTrigger {
    /// Its place among the rules.
    pub rule: usize,
    /// Hash of its id and condition: with another condition it counts as newly published.
    pub identity: u64,
    /// Whether its answer stays as it is until something it reads moves or its time has come.
    pub is_foreseeable: bool,
}

/// The active level triggers, in order of rule, and what they read.
fn level_triggers(bundle: &Bundle) -> (Vec<LevelTrigger>, Readers) {
    let mut readers = Readers::default();
    let level =
        bundle.rules.triggers().filter(|rule| !rule.has_slot() && rule.is_level() && rule.is_active());
    let trigger = level.enumerate().map(|(level, rule)| {
        let condition = decode_condition(&mut { rule.when });
        let mut packer = Packer::canonical();
        packer.text(rule.id);
        encode_condition(&condition, &mut packer);
        let identity = key_hash(&packer.finish());
        // A key is read without asking until when it stays.
        let is_foreseeable = readers.add(bundle, level, &condition) && rule.head().key.is_none();
        LevelTrigger { rule: rule.index, identity, is_foreseeable }
    });
    (trigger.collect(), readers)
}

/// The edition of a bundle with these level triggers.
fn edition(bundle: &Bundle, levels: &[LevelTrigger]) -> u64 {
    let mut packer = Packer::canonical();
    packer.out.u64(bundle.revision);
    packer.list(levels, |level, packer| {
        packer.out.u64(level.identity);
        let rule = bundle.rules.get(level.rule);
        packer.out.bool(rule.is_some_and(|rule| Consent::default().grants(rule.purpose())));
    });
    bundle.signals.iter().for_each(|signal| {
        packer.id(signal.id);
        packer.text(signal.name());
    });
    key_hash(&packer.finish())
}
