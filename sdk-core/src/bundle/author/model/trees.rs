//! What the importers of trees share: what they give, what can be wrong with a dump, and which inputs are read.

use super::input::Named;
use crate::limits::{MAX_CATEGORIES, MAX_TREE_DEPTH};
use crate::model::{Input, Link, Tree};
use crate::value::Value;
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// Trees as their library has written them; splits name inputs by the index of the feature.
pub(super) struct Imported {
    pub link: Link,
    pub intercept: f64,
    pub features: Vec<Box<str>>,
    pub trees: Vec<Tree>,
}

/// What is wrong with a dump, and where in it.
pub(super) struct Fault {
    /// JSON pointer from the dump on.
    pub at: String,
    pub code: &'static str,
    pub message: String,
}

impl Fault {
    pub fn new(at: &str, code: &'static str, message: &str) -> Self {
        Self { at: at.to_owned(), code, message: message.to_owned() }
    }

    /// A place at which the dump is not of its form.
    pub fn form(at: &str, expected: &str) -> Self {
        Self::new(at, "bad_dump", &format!("expected {expected}"))
    }

    pub fn too_deep(at: &str) -> Self {
        Self::new(at, "tree_too_deep", &format!("the tree is nested deeper than {MAX_TREE_DEPTH}"))
    }
}

/// The value at a JSON pointer whose names have neither `/` nor `~`.
pub(super) fn value_at<'a>(dump: &'a Value, at: &str) -> Result<&'a Value, Fault> {
    let found = at.split('/').skip(1).try_fold(dump, Value::field);
    found.ok_or_else(|| Fault::form(at, "this field"))
}

pub(super) fn text_at<'a>(dump: &'a Value, at: &str) -> Result<&'a str, Fault> {
    value_at(dump, at)?.as_str().ok_or_else(|| Fault::form(at, "a string"))
}

pub(super) fn list_at<'a>(dump: &'a Value, at: &str) -> Result<&'a [Value], Fault> {
    match value_at(dump, at)? {
        Value::Array(items) => Ok(items),
        _ => Err(Fault::form(at, "an array")),
    }
}

/// The texts of a list.
pub(super) fn names_at(dump: &Value, at: &str) -> Result<Vec<Box<str>>, Fault> {
    let names: Option<Vec<Box<str>>> =
        list_at(dump, at)?.iter().map(|name| name.as_str().map(Box::from)).collect();
    names.ok_or_else(|| Fault::form(at, "an array of strings"))
}

/// A set of category numbers as bits.
pub(super) fn set_of(numbers: impl Iterator<Item = Option<usize>>, at: &str) -> Result<Vec<u8>, Fault> {
    let mut set = Vec::new();
    for number in numbers {
        let number = number
            .filter(|number| *number < MAX_CATEGORIES)
            .ok_or_else(|| Fault::form(at, &format!("numbers of categories, each below {MAX_CATEGORIES}")))?;
        if set.len() <= number / 8 {
            set.resize(number / 8 + 1, 0);
        }
        if let Some(byte) = set.get_mut(number / 8) {
            *byte |= 1_u8 << (number % 8);
        }
    }
    Ok(set)
}

/// The inputs that splits read, each once, with the splits turned to their places among them; fails with the name of a
/// feature that is no input.
pub(super) fn choose_inputs(
    trees: &mut [Tree],
    features: &[Box<str>],
    named: &[Named],
) -> Result<Vec<Input>, String> {
    let mut places: Vec<Option<usize>> = vec![None; features.len()];
    let mut inputs = Vec::new();
    let mut missing = None;
    for tree in trees {
        each_feature(tree, &mut |feature| {
            let name = features.get(*feature).map_or("", |name| name);
            if let Some(Some(place)) = places.get(*feature) {
                *feature = *place;
            } else if let Some(found) = named.iter().find(|named| *named.name == *name) {
                let place = inputs.len();
                if let Some(known) = places.get_mut(*feature) {
                    *known = Some(place);
                }
                inputs.push(found.input.clone());
                *feature = place;
            } else {
                missing = Some(if name.is_empty() { format!("feature {feature}") } else { name.to_owned() });
            }
        });
    }
    missing.map_or(Ok(inputs), Err)
}

fn each_feature(tree: &mut Tree, change: &mut dyn FnMut(&mut usize)) {
    if let Tree::Split { input, left, right, .. } = tree {
        change(input);
        each_feature(left, change);
        each_feature(right, change);
    }
}
