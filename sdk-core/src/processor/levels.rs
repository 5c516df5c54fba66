//! Level triggers: they fire when their condition turns from false to true, by an event or by time alone.

use super::Processor;
use super::edge::Key;
use super::firing::{Cause, Firing, Moment};
use super::state::ProfileState;
use crate::condition::{Outlook, Packer, decode_condition, encode_condition, evaluate};
use crate::hash::key_hash;
use crate::limits::MAX_DUE_STEPS;
use crate::rules::{RuleRef, RuleTable, rule_key};
use crate::time::Timestamp;
use alloc::vec::Vec;

/// A level trigger of the bundle in effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LevelTrigger {
    /// Its place among the rules.
    pub rule: usize,
    /// Hash of its id and condition: with another condition it counts as newly published.
    pub identity: u64,
}

/// The active level triggers, in order of rule.
pub(super) fn level_triggers(rules: &RuleTable) -> Vec<LevelTrigger> {
    let level = rules.iter().filter(|rule| !rule.has_slot() && rule.is_level() && rule.is_active());
    let trigger = level.map(|rule| {
        let mut packer = Packer::canonical();
        packer.text(rule.id);
        encode_condition(&decode_condition(&mut { rule.when }), &mut packer);
        LevelTrigger { rule: rule.index, identity: key_hash(&packer.finish()) }
    });
    trigger.collect()
}

impl Processor {
    /// Brings the state to the bundle in effect: triggers new to it take the level they have when they are published
    /// as given, and fire for it only if they say so.
    pub(super) fn arm(&self, state: &mut ProfileState, firings: &mut Vec<Firing>) {
        let known = state.armed_revision.replace(self.bundle.revision);
        if known == Some(self.bundle.revision) {
            return;
        }
        let before = core::mem::take(&mut state.armed);
        state.armed = self.levels.iter().map(|level| level.identity).collect();
        state.armed.sort_unstable();
        state.edges.retain(|edge| {
            let known = self.levels.iter().filter(|level| before.binary_search(&level.identity).is_ok());
            known.filter_map(|level| self.bundle.rules.get(level.rule)).any(|rule| *rule.id == *edge.rule)
        });
        if known.is_none() {
            // A state that never met a bundle has met no event either: whatever holds from now on is an edge.
            return;
        }
        let at = state.time.max(self.since);
        let mut outlook = Outlook { next: state.wake };
        for level in &self.levels {
            let Some(rule) = self.bundle.rules.get(level.rule) else { continue };
            if before.binary_search(&level.identity).is_ok() {
                continue;
            }
            let held = self.stand(state, &rule, at, &mut outlook);
            if let Some(key) = state.cross_edge(&rule, held)
                && rule.fires_on_publish()
            {
                let member = &state.latest_member();
                let moment = Moment { at, cause: Cause::Due(at), member, session: state.session() };
                firings.extend(state.fire(&rule, key, moment));
            }
        }
        state.wake = outlook.next;
    }

    /// Lets time pass up to `to`: what falls due on the way is judged at its own instant, whether or not its wake-up
    /// has been logged yet.
    pub(super) fn pass_time(&self, state: &mut ProfileState, to: Timestamp, firings: &mut Vec<Firing>) {
        for _ in 0..MAX_DUE_STEPS {
            let Some(due) = state.wake.filter(|due| *due <= to) else { break };
            state.time = state.time.max(due);
            let (at, cause, member) = (state.time, Cause::Due(due), &state.latest_member());
            let moment = Moment { at, cause, member, session: state.session() };
            self.judge_levels(state, moment, firings);
            if state.wake.is_some_and(|next| next <= due) {
                state.wake = None;
            }
        }
        state.time = state.time.max(to);
    }

    /// Judges every level trigger at profile time and notes when time alone can change one.
    pub(super) fn judge_levels(
        &self,
        state: &mut ProfileState,
        moment: Moment<'_>,
        firings: &mut Vec<Firing>,
    ) {
        let mut outlook = Outlook::default();
        for level in &self.levels {
            let Some(rule) = self.bundle.rules.get(level.rule) else { continue };
            let held = self.stand(state, &rule, state.time, &mut outlook);
            if let Some(key) = state.cross_edge(&rule, held) {
                firings.extend(state.fire(&rule, key, moment));
            }
        }
        state.wake = outlook.next;
    }

    /// Under which key the rule holds at an instant, if it does.
    fn stand(
        &self,
        state: &ProfileState,
        rule: &RuleRef<'_>,
        at: Timestamp,
        outlook: &mut Outlook,
    ) -> Option<Key> {
        state.read(self.scene(at), |document| {
            evaluate(rule.when, document, outlook).then(|| rule_key(rule, document))
        })
    }
}
