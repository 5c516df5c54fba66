//! Level triggers: they fire when their condition turns from false to true, by an event or by time alone.

use super::Processor;
use super::active::{Active, LevelTrigger};
use super::edge::Key;
use super::firing::{Cause, Firing, Moment};
use super::state::ProfileState;
use crate::condition::{Outlook, evaluate};
use crate::limits::MAX_DUE_STEPS;
use crate::rules::{RuleRef, VisitorDocument, rule_key};
use crate::time::Timestamp;
use crate::value::ValueRef;
use alloc::vec::Vec;
use core::mem;

impl Processor {
    /// Lets time pass up to an instant, by the bundle that the profile stands by until then.
    pub(super) fn let_pass(&self, state: &mut ProfileState, to: Timestamp, firings: &mut Vec<Firing>) {
        let active = self.active_of(state);
        self.arm(state, active, firings);
        self.pass_time(state, active, to, firings);
    }

    /// Brings the state to a bundle: triggers new to it take the level they have when they are published as given, and
    /// fire for it only if they say so. One that was armed already before the state stood by the other bundle of a rollout
    /// is not published again.
    pub(super) fn arm(&self, state: &mut ProfileState, active: &Active, firings: &mut Vec<Firing>) {
        let Active { bundle, since, levels, .. } = active;
        let revision = bundle.revision;
        let known = state.armed_revision.replace(revision);
        if known == Some(revision) {
            return;
        }
        state.agenda.forget();
        let (before, laid_down) = (mem::take(&mut state.armed), mem::take(&mut state.laid_down));
        let was_armed = |identity: &u64| before.binary_search(identity).is_ok();
        let was_laid_down = |identity: &u64| laid_down.binary_search(identity).is_ok();
        state.armed = active.identities().collect();
        state.armed.sort_unstable();
        let beside = self.active_beside(active).into_iter().flat_map(Active::identities);
        let beside = beside.filter(|identity| was_armed(identity) || was_laid_down(identity));
        state.laid_down = beside.filter(|identity| state.armed.binary_search(identity).is_err()).collect();
        state.laid_down.sort_unstable();
        state.edges.retain(|edge| {
            let known = levels.iter().filter(|level| was_armed(&level.identity));
            known.filter_map(|level| bundle.rules.get(level.rule)).any(|rule| *rule.id == *edge.rule)
        });
        if known.is_none() {
            // A state that never met a bundle has met no event either: whatever holds from now on is an edge.
            return;
        }
        let at = state.time.max(*since);
        let mut outlook = Outlook { next: state.wake };
        for level in levels {
            let Some(rule) = bundle.rules.get(level.rule) else { continue };
            if was_armed(&level.identity) {
                continue;
            }
            let held = self.stand(state, (active, &rule), at, &mut outlook);
            if let Some(key) = state.cross_edge(&rule, held)
                && rule.fires_on_publish()
                && !was_laid_down(&level.identity)
            {
                let (cause, member, session) = (Cause::Due(at), &state.spokesman(), state.session());
                let moment = Moment { at, cause, member, session, revision };
                firings.extend(state.fire(&rule, key, moment));
            }
        }
        state.wake = outlook.next;
    }

    /// Lets time pass up to `to`: what falls due on the way is judged at its own instant, whether or not its wake-up
    /// has been logged yet.
    fn pass_time(&self, state: &mut ProfileState, active: &Active, to: Timestamp, firings: &mut Vec<Firing>) {
        for _ in 0..MAX_DUE_STEPS {
            let Some(due) = state.wake.filter(|due| *due <= to) else { break };
            state.time = state.time.max(due);
            let (at, cause, member) = (state.time, Cause::Due(due), &state.spokesman());
            let (session, revision) = (state.session(), active.bundle.revision);
            let moment = Moment { at, cause, member, session, revision };
            self.judge_levels(state, active, moment, firings);
            if state.wake.is_some_and(|next| next <= due) {
                state.wake = None;
            }
        }
        state.time = state.time.max(to);
    }

    /// Judges the level triggers at profile time and notes when time alone can change one.
    pub(super) fn judge_levels(
        &self,
        state: &mut ProfileState,
        active: &Active,
        moment: Moment<'_>,
        firings: &mut Vec<Firing>,
    ) {
        let mut outlook = Outlook::default();
        let held = self.stands(state, active, &mut outlook);
        for (rule, held) in held {
            let Some(rule) = active.bundle.rules.get(rule) else { continue };
            if let Some(key) = state.cross_edge(&rule, held) {
                firings.extend(state.fire(&rule, key, moment));
            }
        }
        state.wake = outlook.next;
    }

    /// Under which key each level trigger holds now, if it does, of those that may have moved since they were asked last.
    fn stands(
        &self,
        state: &mut ProfileState,
        active: &Active,
        outlook: &mut Outlook,
    ) -> Vec<(usize, Option<Key>)> {
        let (mut agenda, mut held) = (mem::take(&mut state.agenda), Vec::new());
        agenda.begin(active, state.session(), state.clocks);
        let levels = active.levels.iter().enumerate();
        let asked = levels.filter(|(level, _)| agenda.asks(*level, state.time, outlook));
        let asked: Vec<_> = asked.map(|(level, trigger)| (level, *trigger)).collect();
        // When a variation changes concerns every level trigger that there is.
        if !asked.is_empty() || !(active.levels.is_empty() || active.bundle.experiments.is_empty()) {
            let scene = self.scene(active, (state.time, None), ValueRef::Null);
            state.read(scene, outlook, |document, outlook| {
                for (level, LevelTrigger { rule: index, is_foreseeable, .. }) in asked {
                    let Some(rule) = active.bundle.rules.get(index) else { continue };
                    let mut until = Outlook::default();
                    held.push((index, stand(&rule, document, &mut until)));
                    until.next.into_iter().for_each(|at| outlook.note(at));
                    let is_settled =
                        || active.readers.read_by(level).iter().all(|id| document.is_settled(*id));
                    agenda.note(level, until.next, is_foreseeable && is_settled());
                }
            });
        }
        state.agenda = agenda;
        held
    }

    /// Under which key a rule of an active bundle holds at an instant, if it does.
    fn stand(
        &self,
        state: &ProfileState,
        (active, rule): (&Active, &RuleRef<'_>),
        at: Timestamp,
        outlook: &mut Outlook,
    ) -> Option<Key> {
        state.read(self.scene(active, (at, None), ValueRef::Null), outlook, |document, outlook| {
            stand(rule, document, outlook)
        })
    }
}

/// Under which key a rule holds for a document, if it does.
fn stand(rule: &RuleRef<'_>, document: &VisitorDocument<'_>, outlook: &mut Outlook) -> Option<Key> {
    let holds = rule.is_granted(document) && evaluate(rule.when, document, outlook);
    holds.then(|| rule_key(rule, document))
}
