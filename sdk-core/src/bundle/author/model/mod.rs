//! From the JSON of a model to its definition.

mod input;
mod lightgbm;
mod plan;
#[cfg(test)]
mod tests;
mod trees;
mod xgboost;

use super::diagnostic::{Problem, Problems};
use super::fields::Fields;
use super::signal::plain_name;
use crate::condition::KnownSignal;
use crate::id::ModelId;
use crate::limits::MAX_MODEL_BYTES;
use crate::model::{Library, Link, Model, ModelTable, Scorer, model_id};
use crate::profile::Signal;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use input::{Named, inputs};
use trees::{Imported, choose_inputs};

/// Finds the signal of a name.
type Signals<'a> = &'a dyn Fn(&str) -> Option<&'a Signal>;

/// Compiles a model; a broken one gives nothing and its problems.
pub(super) fn compile(
    value: &Value,
    at: &str,
    signals: Signals<'_>,
    problems: &mut Problems,
) -> Option<Model> {
    let mut fields = Fields::open(value, at, problems)?;
    let name = plain_name(&mut fields, "name");
    let definition = match fields.required_text("kind") {
        Some("plan") => plan(&mut fields, signals),
        Some("linear") => linear(&mut fields, signals, Link::Identity),
        Some("logistic") => linear(&mut fields, signals, Link::Logistic { scale: 1.0 }),
        Some("lightgbm") => imported(&mut fields, signals, Library::LightGbm),
        Some("xgboost") => imported(&mut fields, signals, Library::XgBoost),
        Some(_) => fields.wrong("kind", "expected plan, linear, logistic, lightgbm or xgboost"),
        None => None,
    };
    if definition.is_some() {
        fields.close(&[], &["inputs", "intercept", "coefficients", "items", "dump"]);
    }
    let (Some(name), Some(mut model), None) = (name, definition, problems.reason()) else { return None };
    model.name = Box::from(name);
    model.id = model_id(&model);
    if ModelTable::open(&ModelTable::pack(core::slice::from_ref(&model))).is_err() {
        let message = format!("it takes more than {MAX_MODEL_BYTES} bytes");
        problems.push(Problem::of(at, "model_too_large", name, &message));
        return None;
    }
    Some(model)
}

fn plan(fields: &mut Fields<'_, '_>, signals: Signals<'_>) -> Option<Model> {
    let intercept = number(fields, "intercept").unwrap_or(0.0);
    let items = plan::items(fields, signals)?;
    Some(model(Link::Identity, intercept, Scorer::Plan(items)))
}

fn linear(fields: &mut Fields<'_, '_>, signals: Signals<'_>, link: Link) -> Option<Model> {
    let intercept = number(fields, "intercept").unwrap_or(0.0);
    let named = inputs(fields, signals)?;
    let Some(Value::Object(given)) = fields.value("coefficients") else {
        return fields.wrong("coefficients", "expected an object of numbers, one for each input");
    };
    for (name, _) in given.iter().filter(|(name, _)| named.iter().all(|input| input.name != *name)) {
        fields.fail("coefficients", "unknown_input", &format!("there is no input {name}"));
    }
    let mut terms = Vec::new();
    for Named { name, input } in named {
        match given.iter().rev().find(|(known, _)| *known == name) {
            Some((_, Value::Number(coefficient))) => terms.push((input, *coefficient)),
            Some(_) => fail_below(fields, "coefficients", &name, "bad_field", "expected a number"),
            None => {
                fields.fail(
                    "coefficients",
                    "missing_coefficient",
                    &format!("input {name} has no coefficient"),
                );
            }
        }
    }
    Some(model(link, intercept, Scorer::Linear(terms)))
}

fn imported(fields: &mut Fields<'_, '_>, signals: Signals<'_>, library: Library) -> Option<Model> {
    let named = inputs(fields, signals)?;
    let Some(dump) = fields.value("dump") else {
        fields.fail("dump", "missing_field", "this field is required: the model as its library writes it");
        return None;
    };
    let read = match library {
        Library::LightGbm => lightgbm::read(dump),
        Library::XgBoost => xgboost::read(dump),
    };
    let Imported { link, intercept, features, mut trees } = match read {
        Ok(imported) => imported,
        Err(fault) => {
            let at = format!("{}{}", fields.place("dump"), fault.at);
            fields.problems().push(Problem::of(&at, fault.code, "", &fault.message));
            return None;
        }
    };
    let mut is_known = true;
    for Named { name, .. } in named.iter().filter(|named| !features.contains(&named.name)) {
        fail_below(fields, "inputs", name, "unknown_input", "the model has no feature of this name");
        is_known = false;
    }
    match choose_inputs(&mut trees, &features, &named) {
        Ok(inputs) if is_known => Some(model(link, intercept, Scorer::Trees { library, inputs, trees })),
        Ok(_) => None,
        Err(feature) => {
            fields.fail("inputs", "missing_input", &format!("the model reads {feature}, which is no input"));
            None
        }
    }
}

fn model(link: Link, intercept: f64, scorer: Scorer) -> Model {
    Model { id: ModelId(0), name: Box::default(), link, intercept, scorer }
}

/// A problem with one entry of an object.
fn fail_below(fields: &mut Fields<'_, '_>, object: &str, name: &str, code: &'static str, message: &str) {
    let at = format!("{}/{}", fields.place(object), name.replace('~', "~0").replace('/', "~1"));
    fields.problems().push(Problem::of(&at, code, name, message));
}

/// A number; absent where it is missing, a problem where it is something else.
fn number(fields: &mut Fields<'_, '_>, name: &'static str) -> Option<f64> {
    match fields.value(name)? {
        Value::Number(number) => Some(*number),
        _ => fields.wrong(name, "expected a number"),
    }
}

fn known(signal: &Signal) -> KnownSignal {
    KnownSignal { id: signal.id, keyed: signal.by.is_some() }
}
