//! The way of a feature: through its rules to a value.

use super::bandit::Leaf;
use super::field::found;
use super::payload::{Force, Kind, Rule, Trial};
use super::result::{FeatureResult, Origin};
use super::run::{Asked, hash};
use super::text::number_of;
use super::visit::{Stack, Visit};
use crate::limits::MAX_PREREQUISITE_DEPTH;
use crate::value::Value;

impl Visit<'_> {
    /// The value of a feature. Prerequisites deeper or more than their bounds count as a cycle.
    pub(super) fn feature(&mut self, id: &str, below: Option<&Stack<'_>>) -> FeatureResult {
        let depth = below.map_or(0, |below| below.depth + 1);
        let is_cycle = below.is_some_and(|below| below.has(id));
        if is_cycle || depth > MAX_PREREQUISITE_DEPTH || self.visits == 0 {
            return FeatureResult::without_rule(Value::Null, Origin::Cycle);
        }
        self.visits -= 1;
        if let Some(value) = found(&self.options.values, id) {
            return FeatureResult::without_rule(value.clone(), Origin::Override);
        }
        let Some(feature) = self.payload.features.get(id) else {
            return FeatureResult::without_rule(Value::Null, Origin::Unknown);
        };
        let stack = Stack { feature: id, depth, below };
        for rule in &feature.rules {
            if let Some(result) = self.rule(id, rule, &stack) {
                return result;
            }
        }
        FeatureResult::without_rule(feature.default.clone(), Origin::Default)
    }

    /// What a rule gives; nothing where it passes the visitor on to the next one.
    fn rule(&mut self, feature: &str, rule: &Rule, stack: &Stack<'_>) -> Option<FeatureResult> {
        for parent in &rule.parents {
            let result = self.feature(&parent.id, Some(stack));
            if result.origin == Origin::Cycle {
                return Some(FeatureResult::without_rule(Value::Null, Origin::Cycle));
            }
            if !self.is_met(parent.condition.as_ref(), result.value) {
                return if parent.is_gate {
                    Some(FeatureResult::without_rule(Value::Null, Origin::Prerequisite))
                } else {
                    None
                };
            }
        }
        if rule.filters.as_ref().is_some_and(|filters| self.is_filtered_out(filters)) {
            return None;
        }
        match &rule.kind {
            Kind::Force(force) if self.is_rolled_out(force) => Some(FeatureResult {
                value: force.value.clone(),
                origin: Origin::Force,
                rule: rule.id.clone(),
                experiment: None,
            }),
            Kind::Experiment(trial) => self.trial(feature, rule, Trial::clone(trial), stack),
            _ => None,
        }
    }

    fn trial(
        &mut self,
        feature: &str,
        rule: &Rule,
        mut trial: Trial,
        stack: &Stack<'_>,
    ) -> Option<FeatureResult> {
        let leaf = Leaf::find(&mut trial, self.payload, self.attributes);
        let asked = Asked {
            experiment: &trial.experiment,
            told: &trial.told,
            feature: Some(feature),
            leaf: leaf.as_ref(),
        };
        let outcome = self.run(asked, Some(stack));
        if !outcome.is_inside || outcome.passthrough.is_some() {
            return None;
        }
        if let Some(leaf) = leaf.filter(|_| outcome.is_hashed) {
            trial.told.push(("contextualBandit".into(), leaf.to_value()));
        }
        Some(FeatureResult {
            value: outcome.value.clone().unwrap_or(Value::Null),
            origin: Origin::Experiment,
            rule: rule.id.clone(),
            experiment: Some((trial.told, outcome)),
        })
    }

    /// Whether condition and part of the buckets let the visitor have a forced value.
    fn is_rolled_out(&self, force: &Force) -> bool {
        if force.condition.as_ref().is_some_and(|condition| !self.holds(condition)) {
            return false;
        }
        let coverage = match (&force.range, &force.coverage) {
            (None, None) => return true,
            (None, Some(Value::Number(0.0))) => return false,
            (_, coverage) => coverage.as_ref().map(number_of),
        };
        let unit = self.unit(&force.hash);
        let Some(bucket) = hash(&force.seed, &unit.value, force.hash.version).filter(|_| unit.is_known())
        else {
            return false;
        };
        match force.range {
            Some(range) => range.contains(bucket),
            None => coverage.is_none_or(|coverage| bucket <= coverage),
        }
    }
}
