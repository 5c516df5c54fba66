//! A bundle that profiles are judged by, with what the processor reads from it once.

use crate::bundle::Bundle;
use crate::condition::{Packer, decode_condition, encode_condition};
use crate::hash::key_hash;
use crate::rules::RuleTable;
use crate::time::Timestamp;
use alloc::vec::Vec;

/// A bundle that some profiles are judged by.
#[derive(Debug, Default)]
pub(super) struct Active {
    pub bundle: Bundle,
    /// When it became active.
    pub since: Timestamp,
    pub levels: Vec<LevelTrigger>,
}

impl Active {
    pub(super) fn new(bundle: Bundle, since: Timestamp) -> Self {
        Self { levels: level_triggers(&bundle.rules), since, bundle }
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
}

/// The active level triggers, in order of rule.
fn level_triggers(rules: &RuleTable) -> Vec<LevelTrigger> {
    let level = rules.triggers().filter(|rule| !rule.has_slot() && rule.is_level() && rule.is_active());
    let trigger = level.map(|rule| {
        let mut packer = Packer::canonical();
        packer.text(rule.id);
        encode_condition(&decode_condition(&mut { rule.when }), &mut packer);
        LevelTrigger { rule: rule.index, identity: key_hash(&packer.finish()) }
    });
    trigger.collect()
}
