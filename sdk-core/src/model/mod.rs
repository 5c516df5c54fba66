//! Models that give a visitor a score: scoring plans, linear and logistic models, gradient-boosted trees.
//!
//! A bundle's models are packed bytes that are evaluated where they lie. The trees of types here exist for compilers
//! and tools.

mod codec;
mod evaluate;
mod table;
#[cfg(test)]
mod tests;
mod trees;

use crate::condition::{Condition, Path};
use crate::id::{ModelId, SignalId};
use alloc::boxed::Box;
use alloc::vec::Vec;

pub use codec::model_id;
pub use table::{ModelRef, ModelTable};

/// A named model, as its compiler has made it. Its score is the link of the intercept plus what the scorer gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Hash of the canonical definition (everything below but the name).
    pub id: ModelId,
    /// The name that conditions use.
    pub name: Box<str>,
    /// What the sum is turned into.
    pub link: Link,
    /// What the sum begins with.
    pub intercept: f64,
    /// What is added up.
    pub scorer: Scorer,
}

/// What a model's sum is turned into.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Link {
    /// It is the score as it stands.
    Identity,
    /// A probability: 1 / (1 + exp(−`scale` · sum)); the scale is not 0.
    Logistic {
        /// LightGBM's `sigmoid`; 1 elsewhere.
        scale: f64,
    },
}

/// A value that a model reads, and how it becomes a number.
///
/// Numbers are taken as they are, true is 1 and false is 0, an instant is its milliseconds since 1970, a text is the
/// number it has among the categories. Everything else is missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Where it is found.
    pub path: Path,
    /// The number that stands for a missing value; without one it stays missing.
    pub missing: Option<f64>,
    /// Numbers by text; of equal texts the last counts.
    pub categories: Vec<(Box<str>, f64)>,
}

/// What adds up to a score.
#[derive(Clone, Debug, PartialEq)]
pub enum Scorer {
    /// Points for what holds and what is counted.
    Plan(Vec<Item>),
    /// Inputs, each times its coefficient. With a missing input there is no score.
    Linear(Vec<(Input, f64)>),
    /// Decision trees.
    Trees {
        /// Whose arithmetic they follow.
        library: Library,
        /// What their splits ask for.
        inputs: Vec<Input>,
        /// The trees, in the order in which their leaves are added.
        trees: Vec<Tree>,
    },
}

/// Points of a scoring plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What must hold.
    pub when: Condition,
    /// What it is worth; where something is counted, what one of it is worth.
    pub points: f64,
    /// A signal by whose value the points are multiplied.
    pub counted: Option<Counted>,
}

/// A signal that a plan multiplies points by.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    /// Which.
    pub signal: SignalId,
    /// Under which key; empty for signals without `by`.
    pub key: Box<str>,
    /// Time in which an event loses half of its weight, in milliseconds and above 0; all weigh the same without it.
    pub half_life_ms: Option<i64>,
}

/// The library that has trained trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// Doubles; a value goes left when it is at most the threshold.
    LightGbm,
    /// Singles, inputs and sums included; a value goes left when it is below the threshold.
    XgBoost,
}

/// A decision tree.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// What is added.
    Leaf(f64),
    /// A question.
    Split {
        /// Index of the input that it is about.
        input: usize,
        /// What is asked.
        test: Split,
        /// What counts as missing.
        missing: Missing,
        /// Where missing values go.
        missing_left: bool,
        /// For values that pass.
        left: Box<Tree>,
        /// For all others.
        right: Box<Tree>,
    },
}

/// The question of a split.
#[derive(Clone, Debug, PartialEq)]
pub enum Split {
    /// A bound, as [`Library`] compares with it.
    Threshold(f64),
    /// Whether the whole part of the value is among these numbers of categories: bit n of byte n / 8.
    Categories(Vec<u8>),
}

/// What a split takes as missing, in LightGBM's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Nothing: a missing value is 0.
    None,
    /// A missing value, and 0 up to ±1e−35.
    Zero,
    /// A missing value.
    Nan,
}
