//! Models as rule files write them. Trees are counted and hashed, since nobody reads them.

use super::{Names, Object, duration, shown};
use crate::id::ModelId;
use crate::model::{Counted, Input, Item, Library, Link, Model, Scorer, Tree, model_id};
use crate::value::Value;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

/// A model without its name. Its inputs have lost theirs and are named by their paths.
pub(super) fn source(model: &Model, names: &Names<'_>) -> Value {
    let mut fields = Object::default();
    match &model.scorer {
        Scorer::Plan(items) => {
            fields.text("kind", "plan").number("intercept", model.intercept);
            fields.add("items", Value::Array(items.iter().map(|one| item(one, names)).collect()));
        }
        Scorer::Linear(terms) => {
            let kind = if model.link == Link::Identity { "linear" } else { "logistic" };
            fields.text("kind", kind).number("intercept", model.intercept);
            fields.add("inputs", inputs(terms.iter().map(|(input, _)| input)));
            let coefficients = named(terms.iter().map(|(input, _)| input)).zip(terms);
            let coefficients = coefficients.map(|(name, (_, number))| (name, Value::Number(*number)));
            fields.add("coefficients", Value::Object(coefficients.collect()));
        }
        Scorer::Trees { library, inputs: read, trees } => {
            let kind = match library {
                Library::LightGbm => "lightgbm",
                Library::XgBoost => "xgboost",
            };
            fields.text("kind", kind).add("inputs", inputs(read.iter()));
            fields.add("dump", dump(model, *library, trees));
        }
    }
    fields.finish()
}

/// Each input's path; those that have it already with the number of their turn.
fn named<'a>(read: impl Iterator<Item = &'a Input>) -> impl Iterator<Item = Box<str>> {
    let mut known: Vec<Box<str>> = Vec::new();
    read.map(move |input| {
        let path: Box<str> = input.path.to_string().into();
        let turn = known.iter().filter(|known| **known == path).count() + 1;
        known.push(path.clone());
        if turn == 1 { path } else { format!("{path} ({turn})").into() }
    })
}

fn inputs<'a>(read: impl Iterator<Item = &'a Input> + Clone) -> Value {
    let each = named(read.clone()).zip(read).map(|(name, input)| {
        let mut fields = Object::default();
        fields.add("path", shown(&input.path)).some("missing", input.missing, Value::Number);
        let categories = input.categories.iter().map(|(text, number)| (text.clone(), Value::Number(*number)));
        let categories = Some(categories.collect::<Vec<_>>()).filter(|categories| !categories.is_empty());
        (name, fields.some("categories", categories, Value::Object).finish())
    });
    Value::Object(each.collect())
}

fn item(item: &Item, names: &Names<'_>) -> Value {
    let mut fields = Object::default();
    let when = Some(names.condition(&item.when)).filter(|when| *when != Value::Object(Vec::new()));
    fields.some("when", when, |when| when);
    if let Some(Counted { signal, key, half_life_ms }) = &item.counted {
        fields.add("signal", names.signal(*signal));
        fields.some("key", Some(key).filter(|key| !key.is_empty()), |key| Value::string(key));
        fields.some("half_life", *half_life_ms, duration);
    }
    fields.number("points", item.points).finish()
}

fn dump(model: &Model, library: Library, trees: &[Tree]) -> Value {
    let alone = Model {
        id: ModelId(0),
        name: Box::default(),
        link: Link::Identity,
        intercept: 0.0,
        scorer: Scorer::Trees { library, inputs: Vec::new(), trees: trees.to_vec() },
    };
    let mut fields = Object::default();
    if let Link::Logistic { scale } = model.link {
        fields.number("scale", scale);
    }
    let leaves: usize = trees.iter().map(leaves).sum();
    fields.number("intercept", model.intercept).number("trees", trees.len() as f64);
    fields.number("leaves", leaves as f64).add("hash", shown(format!("{:016x}", model_id(&alone).0))).finish()
}

fn leaves(tree: &Tree) -> usize {
    match tree {
        Tree::Leaf(_) => 1,
        Tree::Split { left, right, .. } => leaves(left) + leaves(right),
    }
}
