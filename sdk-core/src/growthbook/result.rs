//! Results of features and experiments, in the form in which GrowthBook gives them.

use super::attribute::Unit;
use super::bandit::Leaf;
use super::experiment::Experiment;
use super::field::Fields;
use super::text::{is_truthy, number_text};
use crate::value::Value;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Where a feature's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Unknown,
    Default,
    Force,
    Override,
    Experiment,
    Prerequisite,
    Cycle,
}

impl Origin {
    const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknownFeature",
            Self::Default => "defaultValue",
            Self::Force => "force",
            Self::Override => "override",
            Self::Experiment => "experiment",
            Self::Prerequisite => "prerequisite",
            Self::Cycle => "cyclicPrerequisite",
        }
    }
}

/// The value of a feature and why it is that.
#[derive(Clone, Debug)]
pub(super) struct FeatureResult {
    pub value: Value,
    pub origin: Origin,
    pub rule: Box<str>,
    /// The experiment as it was defined, and what it gave.
    pub experiment: Option<(Fields, Outcome)>,
}

impl FeatureResult {
    /// A result that no rule gave.
    pub(super) fn without_rule(value: Value, origin: Origin) -> Self {
        Self { value, origin, rule: Box::default(), experiment: None }
    }

    pub(super) fn to_value(&self) -> Value {
        let is_on = is_truthy(&self.value);
        let mut fields = Vec::from([
            ("value".into(), self.value.clone()),
            ("on".into(), Value::Bool(is_on)),
            ("off".into(), Value::Bool(!is_on)),
            ("source".into(), Value::string(self.origin.name())),
            ("ruleId".into(), Value::String(self.rule.clone())),
        ]);
        if let Some((told, outcome)) = &self.experiment {
            fields.push(("experiment".into(), Value::Object(told.clone())));
            fields.push(("experimentResult".into(), outcome.to_value()));
        }
        Value::Object(fields)
    }
}

/// What an experiment gave somebody.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub is_inside: bool,
    /// Whether the variation comes from hashing, or from an assignment that hashing once gave.
    pub is_hashed: bool,
    pub value: Option<Value>,
    pub passthrough: Option<Value>,
    pub key: Box<str>,
    variation: usize,
    name: Option<Box<str>>,
    feature: Option<Box<str>>,
    unit: Unit,
    bucket: Option<f64>,
    is_sticky: bool,
    leaf: Option<Leaf>,
}

/// How a variation was come by.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Way<'a> {
    pub variation: Option<usize>,
    pub is_hashed: bool,
    pub bucket: Option<f64>,
    pub is_sticky: bool,
    pub leaf: Option<&'a Leaf>,
}

impl Outcome {
    /// The outcome for a unit. A variation that does not exist is the first one, outside of the experiment.
    pub(super) fn new(experiment: &Experiment, feature: Option<&str>, unit: Unit, way: Way<'_>) -> Self {
        let chosen = way.variation.filter(|index| *index < experiment.variations.len());
        let variation = chosen.unwrap_or_default();
        let meta = experiment.meta.as_ref().and_then(|meta| meta.get(variation)).cloned().unwrap_or_default();
        Self {
            is_inside: chosen.is_some(),
            is_hashed: way.is_hashed,
            value: experiment.variations.get(variation).cloned(),
            passthrough: meta.passthrough,
            key: meta.key.unwrap_or_else(|| number_text(variation as f64).into_boxed_str()),
            variation,
            name: meta.name,
            feature: feature.map(Box::from),
            unit,
            bucket: way.bucket,
            is_sticky: way.is_sticky,
            leaf: way.leaf.filter(|_| way.is_hashed && chosen.is_some()).cloned(),
        }
    }

    pub(super) fn to_value(&self) -> Value {
        let text = Value::string;
        let mut fields: Fields = Vec::from([
            ("key".into(), text(&self.key)),
            ("featureId".into(), self.feature.as_deref().map_or(Value::Null, text)),
            ("inExperiment".into(), Value::Bool(self.is_inside)),
            ("hashUsed".into(), Value::Bool(self.is_hashed)),
            ("variationId".into(), Value::Number(self.variation as f64)),
            ("hashAttribute".into(), text(&self.unit.attribute)),
            ("hashValue".into(), self.unit.value.clone()),
            ("stickyBucketUsed".into(), Value::Bool(self.is_sticky)),
        ]);
        let more = [
            ("value", self.value.clone()),
            ("name", self.name.as_deref().map(text)),
            ("bucket", self.bucket.map(Value::Number)),
            ("passthrough", self.passthrough.clone()),
        ];
        fields.extend(more.into_iter().filter_map(|(name, value)| Some((name.into(), value?))));
        if let Some(leaf) = &self.leaf {
            fields.extend(leaf.fields());
        }
        Value::Object(fields)
    }
}
