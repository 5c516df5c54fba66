//! Assignments that outlast changes of weights: read from documents per attribute value, and written back to them.

use super::attribute::Unit;
use super::experiment::Experiment;
use super::field::{Fields, field, found};
use super::text::{json_of, number_text};
use crate::value::Value;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Documents by `<attribute>||<value>`.
#[derive(Clone, Debug, Default)]
pub(super) struct Assignments(Fields);

/// What past assignments say about an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Past {
    /// Nothing.
    Open,
    /// The visitor has seen a version that must not see another.
    Blocked,
    /// This variation.
    Variation(usize),
}

impl Assignments {
    pub(super) fn read(documents: Fields) -> Self {
        Self(documents)
    }

    pub(super) fn to_value(&self) -> Value {
        Value::Object(self.0.clone())
    }

    /// What an experiment's own attribute and its fallback have been assigned; the own attribute's word counts more.
    pub(super) fn past(&self, visitor: &[(Box<str>, Value)], experiment: &Experiment) -> Past {
        let own = Unit::find(visitor, experiment.hash.attribute.as_deref(), None);
        let fallback = Unit::find(visitor, experiment.hash.fallback.as_deref(), None);
        let documents =
            [Some(document_key(&own)), fallback.is_known().then(|| document_key(&fallback))].map(|key| {
                match key
                    .and_then(|key| self.document(&key))
                    .and_then(|document| field(document, "assignments"))
                {
                    Some(Value::Object(assignments)) => assignments.as_slice(),
                    _ => &[],
                }
            });
        let prefix = format!("{}__", experiment.key);
        let is_blocked = |(name, _): &(Box<str>, Value)| {
            name.strip_prefix(&*prefix)
                .and_then(version)
                .is_some_and(|version| version < experiment.min_bucket_version)
        };
        if documents.iter().any(|assignments| assignments.iter().any(is_blocked)) {
            return Past::Blocked;
        }
        let id = experiment_key(experiment);
        let key = documents.iter().find_map(|assignments| found(assignments, &id));
        let variation = key.and_then(Value::as_str).and_then(|key| {
            experiment.meta.iter().flatten().position(|meta| meta.key.as_deref() == Some(key))
        });
        variation.map_or(Past::Open, Past::Variation)
    }

    /// Keeps an assignment.
    pub(super) fn keep(&mut self, unit: &Unit, experiment: &Experiment, variation: &str) {
        let key = document_key(unit);
        let known = self.document(&key).and_then(|document| field(document, "assignments"));
        let mut assignments = match known {
            Some(Value::Object(assignments)) => assignments.clone(),
            _ => Vec::new(),
        };
        let (id, kept) = (experiment_key(experiment), Value::string(variation));
        match assignments.iter_mut().rev().find(|(name, _)| **name == *id) {
            Some((_, before)) if *before == kept => return,
            Some((_, before)) => *before = kept,
            None => assignments.push((id.into_boxed_str(), kept)),
        }
        let document = Value::Object(Vec::from([
            ("attributeName".into(), Value::String(unit.attribute.clone())),
            ("attributeValue".into(), Value::String(plain(&unit.value).into_boxed_str())),
            ("assignments".into(), Value::Object(assignments)),
        ]));
        match self.0.iter_mut().rev().find(|(name, _)| **name == *key) {
            Some((_, before)) => *before = document,
            None => self.0.push((key.into_boxed_str(), document)),
        }
    }

    fn document(&self, key: &str) -> Option<&Value> {
        found(&self.0, key)
    }
}

fn document_key(unit: &Unit) -> String {
    format!("{}||{}", unit.attribute, plain(&unit.value))
}

fn experiment_key(experiment: &Experiment) -> String {
    format!("{}__{}", experiment.key, number_text(experiment.bucket_version))
}

/// A text as it is, anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| json_of(value), String::from)
}

/// A whole number as it is written without leading zeros.
fn version(text: &str) -> Option<f64> {
    let is_plain = text == "0" || !text.starts_with('0');
    let is_number = is_plain && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse::<u64>().ok()).flatten().map(|version| version as f64)
}
