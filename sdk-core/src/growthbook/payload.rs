//! A payload, read once into what evaluation asks for.

use super::experiment::{Experiment, Filter, HashBy, Parent};
use super::field::{field, list, range, text};
use super::text::is_truthy;
use crate::experiment::Range;
use crate::value::{Packed, Value};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// Features, saved groups and bandits by name.
#[derive(Clone, Debug)]
pub(super) struct Payload {
    pub features: BTreeMap<Box<str>, Feature>,
    pub groups: Packed,
    pub bandits: Value,
}

/// A feature: what it is, and the rules that make it something else.
#[derive(Clone, Debug)]
pub(super) struct Feature {
    pub default: Value,
    pub rules: Vec<Rule>,
}

/// One rule of a feature.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub id: Box<str>,
    pub parents: Vec<Parent>,
    pub filters: Option<Vec<Filter>>,
    pub kind: Kind,
}

/// What a rule does for those it is about.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Gives everybody, or a part of everybody, one value.
    Force(Box<Force>),
    /// Runs an experiment.
    Experiment(Box<Trial>),
    /// Nothing that can be understood.
    Nothing,
}

/// A value for everybody a condition and a part of the buckets let in.
#[derive(Clone, Debug)]
pub(super) struct Force {
    pub value: Value,
    pub condition: Option<Value>,
    pub seed: Box<str>,
    pub hash: HashBy,
    pub range: Option<Range>,
    pub coverage: Option<Value>,
}

/// An experiment as a rule defines it, and as the result tells it again.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    pub told: Vec<(Box<str>, Value)>,
    pub experiment: Experiment,
    pub bandit: Option<Box<str>>,
}

impl Payload {
    /// Reads a payload; what is no feature is left out.
    pub(super) fn read(value: &Value) -> Self {
        let features = match value.field("features") {
            Some(Value::Object(fields)) => fields.as_slice(),
            _ => &[],
        };
        let features = features.iter().filter(|(_, feature)| is_truthy(feature));
        let whole = |name: &str| value.field(name).cloned().unwrap_or(Value::Null);
        Self {
            features: features.map(|(id, feature)| (id.clone(), Feature::read(id, feature))).collect(),
            groups: whole("savedGroups").to_packed(),
            bandits: whole("contextualBandits"),
        }
    }
}

impl Feature {
    fn read(id: &str, value: &Value) -> Self {
        let rules = list(value, "rules").unwrap_or_default();
        Self {
            default: value.field("defaultValue").cloned().unwrap_or(Value::Null),
            rules: rules.iter().map(|rule| Rule::read(id, rule)).collect(),
        }
    }
}

impl Rule {
    fn read(feature: &str, value: &Value) -> Self {
        let variations = ["contextualVariations", "variations"]
            .into_iter()
            .find_map(|name| value.field(name).filter(|variations| **variations != Value::Null));
        let kind = match (value.field("force"), variations) {
            (Some(force), _) => Kind::Force(Box::new(Force {
                value: force.clone(),
                condition: field(value, "condition").cloned(),
                seed: text(value, "seed").unwrap_or_else(|| feature.into()),
                hash: HashBy::read(value),
                range: field(value, "range").map(|one| range(one, 0)),
                coverage: value.field("coverage").cloned(),
            })),
            (None, Some(variations)) if is_truthy(variations) => {
                Kind::Experiment(Box::new(Trial::read(feature, variations, value)))
            }
            _ => Kind::Nothing,
        };
        Self {
            id: text(value, "id").unwrap_or_default(),
            parents: Parent::read_all(value),
            filters: Filter::read_all(value),
            kind,
        }
    }
}

impl Trial {
    fn read(feature: &str, variations: &Value, rule: &Value) -> Self {
        let key = text(rule, "key").unwrap_or_else(|| feature.into());
        let mut told =
            Vec::from([("variations".into(), variations.clone()), ("key".into(), Value::String(key))]);
        for name in TOLD {
            let is_told = match name {
                "coverage" | "bucketVersion" | "minBucketVersion" => rule.field(name).is_some(),
                _ => field(rule, name).is_some(),
            };
            if let (true, Some(value)) = (is_told, rule.field(name)) {
                told.push((name.into(), value.clone()));
            }
        }
        let experiment = Experiment::read(&Value::Object(told.clone()));
        Self { told, experiment, bandit: text(rule, "contextualBanditRef") }
    }
}

/// Fields of a rule that belong to its experiment.
const TOLD: [&str; 16] = [
    "coverage",
    "weights",
    "hashAttribute",
    "fallbackAttribute",
    "disableStickyBucketing",
    "bucketVersion",
    "minBucketVersion",
    "namespace",
    "meta",
    "ranges",
    "name",
    "phase",
    "seed",
    "hashVersion",
    "filters",
    "condition",
];
