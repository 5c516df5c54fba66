//! From the JSON of a model's inputs to where they are found and how they become numbers.

use super::super::fields::Fields;
use super::{Signals, known, number};
use crate::condition::{ConditionScope, Path, Root, parse_path};
use crate::limits::{MAX_CATEGORIES, MAX_MODEL_INPUTS};
use crate::model::Input;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

/// An input and the name under which coefficients and trees know it.
pub(super) struct Named {
    pub name: Box<str>,
    pub input: Input,
}

/// The `inputs` of a model, in order; those that are broken are left out with their problems.
pub(super) fn inputs(fields: &mut Fields<'_, '_>, signals: Signals<'_>) -> Option<Vec<Named>> {
    let given = match fields.value("inputs") {
        Some(Value::Object(given)) => given,
        _ => return fields.wrong("inputs", "expected an object of inputs by name"),
    };
    if given.len() > MAX_MODEL_INPUTS {
        let message = format!("there are {} inputs; the limit is {MAX_MODEL_INPUTS}", given.len());
        fields.fail("inputs", "too_many_inputs", &message);
        return None;
    }
    let place = fields.place("inputs");
    let mut named: Vec<Named> = Vec::new();
    for (name, value) in given {
        if named.iter().any(|known| known.name == *name) {
            fields.fail("inputs", "duplicate_input", &format!("there are two inputs named {name}"));
            continue;
        }
        let at = format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
        let path = Value::Object(alloc::vec![(Box::from("path"), value.clone())]);
        let value = if matches!(value, Value::String(_)) { &path } else { value };
        let Some(mut inner) = Fields::open(value, &at, fields.problems()) else { continue };
        let input = input(&mut inner, signals);
        inner.close(&[], &[]);
        named.extend(input.map(|input| Named { name: name.clone(), input }));
    }
    Some(named)
}

fn input(fields: &mut Fields<'_, '_>, signals: Signals<'_>) -> Option<Input> {
    let path = path(fields, signals);
    let missing = number(fields, "missing");
    let categories = match fields.value("categories") {
        None => Vec::new(),
        Some(Value::Object(given)) if given.len() <= MAX_CATEGORIES => {
            let number = |(text, value): &(Box<str>, Value)| Some((text.clone(), value.as_number()?));
            let numbers: Option<Vec<_>> = given.iter().map(number).collect();
            match numbers {
                Some(numbers) => numbers,
                None => fields.wrong("categories", "expected a number for each text")?,
            }
        }
        Some(_) => {
            let message = format!("expected an object of numbers by text, {MAX_CATEGORIES} at most");
            fields.wrong("categories", &message)?
        }
    };
    Some(Input { path: path?, missing, categories })
}

fn path(fields: &mut Fields<'_, '_>, signals: Signals<'_>) -> Option<Path> {
    let text = fields.required_text("path")?;
    let lookup = |name: &str| signals(name).map(known);
    match parse_path(text, ConditionScope::Visitor(&lookup)) {
        Ok(path) if path.root == Root::Event => {
            fields.wrong("path", "a score is no matter of one event: expected signals, traits or context")
        }
        Ok(path) => Some(path),
        Err(kind) => {
            fields.fail_of_condition("path", &kind);
            None
        }
    }
}
