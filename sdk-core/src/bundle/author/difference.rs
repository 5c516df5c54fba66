//! In which parts two values differ: as deep as they are alike, each part by its path.

use crate::value::{Value, write_string};
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

/// What tells the elements of a list apart, where all of them have it and no two have the same.
const NAMES: [&str; 2] = ["key", "seed"];

/// A part of a definition that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct PartChange {
    /// Where it stands in the definition, as a JSON pointer without the first `/`; an element of a list of named ones by
    /// its name.
    pub part: String,
    /// What it was; nothing where it is new.
    pub before: Option<Value>,
    /// What it is; nothing where it is gone.
    pub after: Option<Value>,
}

impl fmt::Display for PartChange {
    /// Writes `priority from 1 to 2`; of a list whose values have changed what has come and gone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.part)?;
        if let (Some(Value::Array(before)), Some(Value::Array(after))) = (&self.before, &self.after)
            && are_plain(before)
            && are_plain(after)
        {
            let (gone, come) = (without(before, after), without(after, before));
            if !gone.is_empty() || !come.is_empty() {
                let said = [(" loses ", gone), (" gains ", come)];
                let said = said.iter().filter(|(_, values)| !values.is_empty());
                let said: Vec<String> =
                    said.map(|(word, values)| (*word).to_owned() + &listed(values)).collect();
                return f.write_str(&said.join(" and"));
            }
        }
        let text = |value: &Option<Value>| value.as_ref().map_or_else(|| "none".to_owned(), json);
        write!(f, " from {} to {}", text(&self.before), text(&self.after))
    }
}

/// The parts in which two values differ; none where they are equal. Fields of objects are compared in any order.
pub(super) fn parts(before: &Value, after: &Value) -> Vec<PartChange> {
    let mut found = Vec::new();
    compare(&mut Vec::new(), Some(before), Some(after), &mut found);
    found
}

fn compare(
    path: &mut Vec<String>,
    before: Option<&Value>,
    after: Option<&Value>,
    found: &mut Vec<PartChange>,
) {
    match (before, after) {
        (Some(Value::Object(one)), Some(Value::Object(other))) if are_named(one) && are_named(other) => {
            fields(path, one, other, found);
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) if one != other => {
            if are_plain(one) && are_plain(other) {
                found.push(change(path, before, after));
            } else if let Some((one, other)) = NAMES.iter().find_map(|name| by_name(name, one, other)) {
                fields(path, &one, &other, found);
            } else {
                elements(path, one, other, found);
            }
        }
        _ if before != after => found.push(change(path, before, after)),
        _ => {}
    }
}

fn change(path: &[String], before: Option<&Value>, after: Option<&Value>) -> PartChange {
    PartChange { part: path.join("/"), before: before.cloned(), after: after.cloned() }
}

fn below(
    path: &mut Vec<String>,
    step: String,
    [before, after]: [Option<&Value>; 2],
    found: &mut Vec<PartChange>,
) {
    path.push(step);
    compare(path, before, after, found);
    path.pop();
}

type Fields = [(Box<str>, Value)];

/// Whether no name stands twice.
fn are_named(fields: &Fields) -> bool {
    let mut names: Vec<&str> = fields.iter().map(|(name, _)| &**name).collect();
    names.sort_unstable();
    names.windows(2).all(|pair| pair.first() != pair.last())
}

fn fields(path: &mut Vec<String>, one: &Fields, other: &Fields, found: &mut Vec<PartChange>) {
    let get = |fields: &'_ Fields, name: &str| fields.iter().position(|(known, _)| **known == *name);
    for (name, value) in one {
        let after = get(other, name).and_then(|at| other.get(at)).map(|(_, value)| value);
        below(path, escaped(name), [Some(value), after], found);
    }
    for (name, value) in other.iter().filter(|(name, _)| get(one, name).is_none()) {
        below(path, escaped(name), [None, Some(value)], found);
    }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

type Named = (Vec<(Box<str>, Value)>, Vec<(Box<str>, Value)>);

/// Both lists by what names their elements, where that does.
fn by_name(name: &str, one: &[Value], other: &[Value]) -> Option<Named> {
    let named = |items: &[Value]| -> Option<Vec<(Box<str>, Value)>> {
        let each = items.iter().map(|item| Some((Box::from(item.field(name)?.as_str()?), item.clone())));
        each.collect::<Option<Vec<_>>>().filter(|items| are_named(items))
    };
    let (one, other) = (named(one)?, named(other)?);
    // Where only their order has changed, that is what differs.
    let in_order = one.iter().filter(|(name, _)| other.iter().any(|(known, _)| known == name));
    let order = other.iter().filter(|(name, _)| one.iter().any(|(known, _)| known == name));
    in_order.map(|(name, _)| name).eq(order.map(|(name, _)| name)).then_some((one, other))
}

/// Compares lists element by element between what they begin and end with alike; places are those before.
fn elements(path: &mut Vec<String>, one: &[Value], other: &[Value], found: &mut Vec<PartChange>) {
    let start = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let (one, other) = (one.get(start..).unwrap_or_default(), other.get(start..).unwrap_or_default());
    let same = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    let count = one.len().max(other.len()) - same;
    for index in 0..count {
        let before = one.get(index).filter(|_| index + same < one.len());
        let after = other.get(index).filter(|_| index + same < other.len());
        below(path, (start + index).to_string(), [before, after], found);
    }
}

/// Whether a list holds nothing but texts, numbers and the like.
fn are_plain(items: &[Value]) -> bool {
    items.iter().all(|item| !matches!(item, Value::Array(_) | Value::Object(_)))
}

/// The values of a list that another one does not have.
fn without<'a>(items: &'a [Value], other: &[Value]) -> Vec<&'a Value> {
    items.iter().filter(|item| !other.contains(item)).collect()
}

fn listed(values: &[&Value]) -> String {
    values.iter().map(|value| json(value)).collect::<Vec<_>>().join(", ")
}

/// As JSON in one line.
fn json(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::String(string) => write_string(string, &mut text),
        other => other.write(&mut text),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn said(before: &str, after: &str) -> Vec<String> {
        let [before, after] = [before, after].map(|text| Value::parse(text).unwrap());
        parts(&before, &after).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_alike_is_left_out_and_every_part_has_its_place() {
        assert_eq!(said(r#"{"a":1,"b":{"c":[1]}}"#, r#"{"b":{"c":[1]},"a":1}"#), [""; 0]);
        assert_eq!(said(r#"{"a/b":{"~":1}}"#, r#"{"a/b":{"~":"1"}}"#), [r#"a~1b/~0 from 1 to "1""#]);
        assert_eq!(said(r#"{"a":null}"#, "{}"), ["a from null to none"]);
        assert_eq!(said(r#"{"a":[1]}"#, r#"{"a":{"b":1}}"#), [r#"a from [1] to {"b":1}"#]);
    }

    #[test]
    fn of_lists_it_says_what_has_come_gone_and_moved() {
        assert_eq!(said(r#"{"a":[1,2]}"#, r#"{"a":[2]}"#), ["a loses 1"]);
        assert_eq!(said(r#"{"a":[1,2]}"#, r#"{"a":[2,1]}"#), ["a from [1,2] to [2,1]"]);
        assert_eq!(said(r#"{"a":[]}"#, r#"{"a":["x"]}"#), [r#"a gains "x""#]);
        let list = |items: &str| format!(r#"{{"a":[{items}]}}"#);
        let (one, two, three) = (r#"{"x":1}"#, r#"{"x":2}"#, r#"{"x":3}"#);
        assert_eq!(
            said(&list(&[one, two, three].join(",")), &list(&[one, three].join(","))),
            [r#"a/1 from {"x":2} to none"#]
        );
        assert_eq!(said(&list(one), &list(&[two, one].join(","))), [r#"a/0 from none to {"x":2}"#]);
        assert_eq!(said(&list(&[one, two].join(",")), &list(&[one, three].join(","))), ["a/1/x from 2 to 3"]);
    }

    #[test]
    fn named_elements_are_told_apart_by_name_while_their_order_is_the_same() {
        let (a, b, more) = (r#"{"key":"a","n":1}"#, r#"{"key":"b","n":1}"#, r#"{"key":"b","n":2}"#);
        let list = |items: [&str; 2]| format!("[{}]", items.join(","));
        assert_eq!(said(&list([a, b]), &list([a, more])), ["b/n from 1 to 2"]);
        assert_eq!(said(&format!("[{a}]"), &list([b, a])), [r#"b from none to {"key":"b","n":1}"#]);
        assert_eq!(
            said(&list([a, b]), &list([b, a])),
            [r#"0/key from "a" to "b""#, r#"1/key from "b" to "a""#]
        );
        // Of equal names neither can be told from the other.
        assert_eq!(said(r#"{"a":1,"a":2}"#, r#"{"a":1,"a":3}"#), [r#" from {"a":1,"a":2} to {"a":1,"a":3}"#]);
    }
}
