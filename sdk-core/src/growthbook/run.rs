//! The way of an experiment: who is inside, and with which variation.

use super::attribute::Unit;
use super::bandit::Leaf;
use super::condition::condition_holds;
use super::experiment::{Experiment, Filter, HashBy, Status};
use super::field::found;
use super::result::{Origin, Outcome, Way};
use super::sticky::Past;
use super::text::{is_truthy, text_of};
use super::visit::{Stack, Visit};
use crate::experiment::{HashVersion, bucket, bucket_ranges, choose, in_namespace, is_targeted, previewed};
use crate::value::Value;
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// An experiment to be run.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub experiment: &'a Experiment,
    /// Its fields as they were given, for overrides to be put over.
    pub told: &'a [(Box<str>, Value)],
    /// The feature that asks.
    pub feature: Option<&'a str>,
    pub leaf: Option<&'a Leaf>,
}

impl Visit<'_> {
    /// Runs an experiment.
    pub(super) fn run(&mut self, asked: Asked<'_>, stack: Option<&Stack<'_>>) -> Outcome {
        let (key, count) = (&asked.experiment.key, asked.experiment.variations.len());
        if count < 2 || self.options.is_disabled {
            return self.outcome(asked.experiment, asked.feature, Way::default());
        }
        let experiment = &*self.overridden(asked);
        let outcome = |visit: &Self, way| visit.outcome(experiment, asked.feature, way);
        let outside = |visit: &Self| outcome(visit, Way::default());
        let forced = |visit: &Self, variation| outcome(visit, Way { variation, ..Way::default() });

        if experiment.urls.as_ref().is_some_and(|urls| !is_targeted(&self.options.url, urls)) {
            return outside(self);
        }
        if let Some(variation) = previewed(key, &self.options.url, count) {
            return forced(self, Some(variation));
        }
        if let Some(variation) = found(&self.options.variations, key) {
            return forced(self, index(variation.as_number()));
        }
        if experiment.status == Status::Inactive {
            return outside(self);
        }
        let unit = self.unit(&experiment.hash);
        if !unit.is_known() {
            return outside(self);
        }
        let past = match &self.sticky {
            Some(sticky) if experiment.hash.is_sticky => sticky.past(&self.options.visitor, experiment),
            _ => Past::Open,
        };
        let sticky = if let Past::Variation(variation) = past { Some(variation) } else { None };
        if sticky.is_none() && !self.is_let_in(experiment, &unit, stack) {
            return outside(self);
        }
        let seed = experiment.seed.as_deref().unwrap_or(key);
        let Some(bucket) = hash(seed, &unit.value, experiment.hash.version) else { return outside(self) };
        if past == Past::Blocked {
            return outcome(self, Way { is_sticky: true, ..Way::default() });
        }
        let hashed = || match &experiment.ranges {
            Some(ranges) => choose(bucket, ranges.iter().copied()),
            None => choose(bucket, bucket_ranges(count, experiment.coverage, experiment.weights.as_deref())),
        };
        let Some(variation) = sticky.or_else(hashed) else { return outside(self) };
        if let Some(variation) = experiment.force {
            return forced(self, index(Some(variation)));
        }
        if self.options.is_quality_check || experiment.status == Status::Stopped {
            return outside(self);
        }
        let way = Way {
            variation: Some(variation),
            is_hashed: true,
            bucket: Some(bucket),
            is_sticky: sticky.is_some(),
            leaf: asked.leaf,
        };
        let result = outcome(self, way);
        if let Some(sticky) = self.sticky.as_mut().filter(|_| experiment.hash.is_sticky) {
            sticky.keep(&unit, experiment, &result.key);
        }
        result
    }

    /// The experiment with the host's overrides put over it.
    fn overridden<'a>(&self, asked: Asked<'a>) -> Cow<'a, Experiment> {
        match found(&self.options.overrides, &asked.experiment.key) {
            Some(Value::Object(overrides)) => {
                let fields: Vec<_> = asked.told.iter().chain(overrides).cloned().collect();
                Cow::Owned(Experiment::read(&Value::Object(fields)))
            }
            _ => Cow::Borrowed(asked.experiment),
        }
    }

    /// Whether filters or namespace, condition, prerequisites and groups let a visitor in.
    fn is_let_in(&mut self, experiment: &Experiment, unit: &Unit, stack: Option<&Stack<'_>>) -> bool {
        let is_filtered = match (&experiment.filters, &experiment.namespace) {
            (Some(filters), _) => self.is_filtered_out(filters),
            (None, Some((name, part))) => !in_namespace(&text_of(&unit.value), name, *part),
            (None, None) => false,
        };
        if is_filtered || experiment.condition.as_ref().is_some_and(|condition| !self.holds(condition)) {
            return false;
        }
        for parent in &experiment.parents {
            let result = self.feature(&parent.id, stack);
            if result.origin == Origin::Cycle || !self.is_met(parent.condition.as_ref(), result.value) {
                return false;
            }
        }
        let is_in = |group: &str| found(&self.options.groups, group).is_some_and(is_truthy);
        experiment.groups.as_ref().is_none_or(|groups| groups.iter().any(|group| is_in(group)))
    }

    /// Whether a filter leaves the visitor out.
    pub(super) fn is_filtered_out(&self, filters: &[Filter]) -> bool {
        filters.iter().any(|filter| {
            let unit = Unit::find(&self.options.visitor, filter.attribute.as_deref(), None);
            let bucket = hash(&filter.seed, &unit.value, filter.version).filter(|_| unit.is_known());
            !bucket.is_some_and(|bucket| filter.ranges.iter().any(|range| range.contains(bucket)))
        })
    }

    /// Whether a condition holds for the visitor's attributes.
    pub(super) fn holds(&self, condition: &Value) -> bool {
        condition_holds(self.attributes, condition, self.payload.groups.get())
    }

    /// Whether a feature's value is what a prerequisite wants.
    pub(super) fn is_met(&self, condition: Option<&Value>, value: Value) -> bool {
        condition.is_none_or(|condition| {
            let asked = Value::Object(Vec::from([("value".into(), value)])).to_packed();
            condition_holds(asked.get(), condition, self.payload.groups.get())
        })
    }

    /// The unit that is hashed; a fallback counts only where assignments stick.
    pub(super) fn unit(&self, hash: &HashBy) -> Unit {
        let fallback = hash.fallback.as_deref().filter(|_| self.sticky.is_some() && hash.is_sticky);
        Unit::find(&self.options.visitor, hash.attribute.as_deref(), fallback)
    }

    fn outcome(&self, experiment: &Experiment, feature: Option<&str>, way: Way<'_>) -> Outcome {
        Outcome::new(experiment, feature, self.unit(&experiment.hash), way)
    }
}

/// The bucket of a unit; nothing where there is no such version.
pub(super) fn hash(seed: &str, unit: &Value, version: f64) -> Option<f64> {
    HashVersion::of_number(version).map(|version| bucket(seed, &text_of(unit), version))
}

/// A number as an index, where it is one.
fn index(number: Option<f64>) -> Option<usize> {
    number.filter(|number| *number >= 0.0 && *number as usize as f64 == *number).map(|number| number as usize)
}
