//! From a compiled bundle back to source: each definition in the one form that tools compare and show.
//!
//! What a file may say in several ways or leave out stands here in one: defaults are written out, segments and groups
//! where they are named, namespaces, exclusion groups and holdouts as the filters that they are.

mod condition;
mod experiment;
mod filter;
mod model;
mod rule;
mod schedule;
mod signal;
mod test;
#[cfg(test)]
mod tests;

use super::super::Bundle;
use super::compare::DefinitionKind;
use crate::filter::Policy;
use crate::id::{ModelId, SignalId};
use crate::value::Value;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// A definition's kind, name and source.
pub(super) type Written = (DefinitionKind, Box<str>, Value);

/// Names of what conditions name by id.
struct Names<'a>(&'a Bundle);

impl Names<'_> {
    fn signal(&self, id: SignalId) -> Value {
        Value::string(self.0.signals.by_id(id).map_or("", |signal| signal.name()))
    }

    fn model(&self, id: ModelId) -> Value {
        Value::string(self.0.models.by_id(id).map_or("", |model| model.name))
    }
}

/// All definitions of a bundle but the hidden signals of caps and exposures, which are part of what they belong to.
pub(super) fn definitions(bundle: &Bundle) -> Vec<Written> {
    let names = Names(bundle);
    // No author's signal has a dot in its name.
    let signals = bundle.signals.iter().filter(|signal| !signal.name().contains('.')).map(|signal| {
        let signal = signal.to_signal();
        (DefinitionKind::Signal, signal.name.clone(), signal::source(&signal, &names))
    });
    let experiments = bundle.experiments.iter().map(|trial| {
        let trial = trial.to_trial();
        (DefinitionKind::Experiment, trial.id.clone(), experiment::source(&trial, &names))
    });
    let models = bundle.models.iter().map(|model| {
        let model = model.to_model();
        (DefinitionKind::Model, model.name.clone(), model::source(&model, &names))
    });
    let rules = bundle.rules.iter().map(|rule| {
        let rule = rule.to_rule();
        let kind = if rule.slot.is_some() { DefinitionKind::Rule } else { DefinitionKind::Trigger };
        (kind, rule.id.clone(), rule::source(&rule, &names))
    });
    let policy = Policy::decode(&bundle.policy).ok();
    let policy = policy.map(|policy| (DefinitionKind::Filter, Box::from("policy"), filter::source(&policy)));
    signals.chain(experiments).chain(models).chain(rules).chain(policy).collect()
}

/// Fields of an object in the order in which they are added.
#[derive(Default)]
struct Object(Vec<(Box<str>, Value)>);

impl Object {
    fn add(&mut self, name: &str, value: Value) -> &mut Self {
        self.0.push((Box::from(name), value));
        self
    }

    fn text(&mut self, name: &str, text: &str) -> &mut Self {
        self.add(name, Value::string(text))
    }

    fn number(&mut self, name: &str, number: f64) -> &mut Self {
        self.add(name, Value::Number(number))
    }

    fn some<T>(&mut self, name: &str, value: Option<T>, write: impl FnOnce(T) -> Value) -> &mut Self {
        if let Some(value) = value {
            self.add(name, write(value));
        }
        self
    }

    fn finish(&mut self) -> Value {
        Value::Object(core::mem::take(&mut self.0))
    }
}

/// An object of one field.
fn one(name: &str, value: Value) -> Value {
    Object::default().add(name, value).finish()
}

fn shown(value: impl ToString) -> Value {
    Value::string(&value.to_string())
}

/// A duration in the largest unit of which it is a whole number.
fn duration(ms: i64) -> Value {
    let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];
    let whole = units.iter().find(|(_, size)| ms != 0 && ms % size == 0);
    shown(whole.map_or_else(|| format!("{ms}ms"), |(unit, size)| format!("{}{unit}", ms / size)))
}

/// The name of a variant in rule files, which is the one in code with words set apart.
fn name_of(variant: &dyn core::fmt::Debug) -> String {
    let mut name = String::new();
    for letter in format!("{variant:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}
