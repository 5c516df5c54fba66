//! Contextual bandits: weights that depend on who is asked.

use super::condition::condition_holds;
use super::field::{field, list};
use super::payload::{Payload, Trial};
use super::text::number_of;
use crate::value::{Value, ValueRef};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

/// The leaf a visitor falls into, with its weights.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    id: Value,
    pub weights: Value,
    version: Option<Value>,
}

/// The leaf that stands for everybody no other is for.
const FALLBACK: f64 = -1.0;

impl Leaf {
    /// Finds the leaf of a bandit for a visitor, and gives a trial its weights; a bandit that is not there changes
    /// nothing.
    pub(super) fn find(trial: &mut Trial, payload: &Payload, visitor: ValueRef<'_>) -> Option<Self> {
        let bandit = field(&payload.bandits, trial.bandit.as_deref()?)?;
        let version = bandit.field("banditVersion").cloned();
        let contexts = list(bandit, "contexts").unwrap_or_default();
        let holds = |context: &&Value| {
            field(context, "condition")
                .is_none_or(|condition| condition_holds(visitor, condition, payload.groups.get()))
        };
        if let Some(context) = contexts.iter().find(holds) {
            let part = |name: &str| context.field(name).cloned().unwrap_or(Value::Null);
            let (id, weights) = (part("leafId"), part("weights"));
            trial.experiment.weights = numbers(&weights);
            trial.told.retain(|(name, _)| &**name != "weights");
            trial.told.push(("weights".into(), weights.clone()));
            return Some(Self { id, weights, version });
        }
        let count = trial.experiment.variations.len();
        let equal = || Value::Array(vec![Value::Number(1.0 / count as f64); count]);
        let given =
            trial.told.iter().find(|(name, _)| &**name == "weights").map(|(_, weights)| weights.clone());
        Some(Self { id: Value::Number(FALLBACK), weights: given.unwrap_or_else(equal), version })
    }

    /// The leaf as an experiment tells it.
    pub(super) fn to_value(&self) -> Value {
        Value::Object(self.fields().collect())
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = (Box<str>, Value)> {
        let fields = [
            ("leafId", Some(self.id.clone())),
            ("variationWeights", Some(self.weights.clone())),
            ("banditVersion", self.version.clone()),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name.into(), value?)))
    }
}

fn numbers(weights: &Value) -> Option<Vec<f64>> {
    match weights {
        Value::Array(weights) => Some(weights.iter().map(number_of).collect()),
        _ => None,
    }
}
