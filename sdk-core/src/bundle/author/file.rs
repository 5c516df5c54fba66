//! The lists of one rule file.

use super::diagnostic::{Problem, Problems};
use crate::condition::nearest;
use crate::value::Value;
use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;

/// The elements of a list of the file, each with its JSON pointer.
pub(super) fn items<'a>(file: &'a Value, list: &str) -> impl Iterator<Item = (String, &'a Value)> {
    let items = match file.field(list) {
        Some(Value::Array(items)) => items.as_slice(),
        _ => &[],
    };
    let list = list.to_owned();
    items.iter().enumerate().map(move |(index, item)| (format!("/{list}/{index}"), item))
}

/// The lists of definitions that a rule file has, and the field that names one in each.
pub const DEFINITION_LISTS: [(&str, &str); 7] = [
    ("signals", "name"),
    ("segments", "id"),
    ("groups", "id"),
    ("experiments", "id"),
    ("models", "name"),
    ("rules", "id"),
    ("triggers", "id"),
];

/// Names the fields of the file that no list of definitions is.
pub(super) fn check_lists(file: &Value, problems: &mut Problems) {
    let Value::Object(fields) = file else { return };
    let (mut seen, known) = (BTreeSet::new(), DEFINITION_LISTS.map(|(list, _)| list));
    for (name, value) in fields {
        let at = format!("/{name}");
        match (&**name, value) {
            (name, Value::Array(_)) if known.contains(&name) => {}
            (name, _) if known.contains(&name) => {
                problems.push(Problem::of(&at, "bad_field", name, "expected an array"));
            }
            ("description" | "$schema" | "filter", _) => {}
            (name, _) => {
                let lists = "a rule file has signals, segments, groups, experiments, models, rules, triggers and a filter";
                let message = nearest(name, known.into_iter().chain(["filter"]))
                    .map_or_else(|| lists.to_owned(), |meant| format!("{lists}; did you mean {meant}?"));
                problems.push(Problem::of(&at, "unknown_field", name, &message));
            }
        }
        if !seen.insert(name) {
            problems.push(Problem::of(&at, "duplicate_field", name, "the last of equal fields counts"));
        }
    }
}
