//! Conditions over attributes as conditions over the visitor, saved groups written out.

use crate::growthbook::field::{field, fields, list};
use crate::limits::MAX_CONDITION_DEPTH;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Why a rule is left out: code and message.
pub(super) type LeftOut = (&'static str, &'static str);

const UNKNOWN_GROUP: LeftOut =
    ("saved_group_unknown", "it names a saved group that the payload does not have; this rule is left out");
const TOO_DEEP: LeftOut = ("condition_too_deep", "its condition is nested too deeply; this rule is left out");

/// The condition with attributes below `traits` and groups in place of their names.
pub(super) fn visitor(condition: &Value, groups: &Value) -> Result<Value, LeftOut> {
    clause(condition, groups, MAX_CONDITION_DEPTH)
}

/// Where an attribute is found.
pub(super) fn attribute(name: &str) -> String {
    match name {
        "url" => String::from("context.page.url"),
        "path" => String::from("context.page.path"),
        _ => format!("traits.{name}"),
    }
}

fn clause(condition: &Value, groups: &Value, depth: usize) -> Result<Value, LeftOut> {
    let Value::Object(parts) = condition else { return Ok(condition.clone()) };
    let depth = depth.checked_sub(1).ok_or(TOO_DEEP)?;
    let mut moved: Vec<(Box<str>, Value)> = Vec::new();
    let mut groups_named = Vec::new();
    for (name, part) in parts {
        match (&**name, part) {
            ("$and" | "$or" | "$nor", Value::Array(items)) => {
                let items = items.iter().map(|item| clause(item, groups, depth)).collect::<Result<_, _>>()?;
                moved.push((name.clone(), Value::Array(items)));
            }
            ("$not", _) => moved.push((name.clone(), clause(part, groups, depth)?)),
            ("$savedGroup", _) => groups_named.push(saved_group(part, groups, depth)?),
            _ if name.starts_with('$') => moved.push((name.clone(), part.clone())),
            _ => moved.push((attribute(name).into_boxed_str(), test(part, groups)?)),
        }
    }
    if groups_named.is_empty() {
        return Ok(Value::Object(moved));
    }
    groups_named.push(Value::Object(moved));
    Ok(fields([("$and", Value::Array(groups_named))]))
}

fn saved_group(reference: &Value, groups: &Value, depth: usize) -> Result<Value, LeftOut> {
    let id = reference.field("id").and_then(Value::as_str).unwrap_or_default();
    let group = groups.field(id).ok_or(UNKNOWN_GROUP)?;
    match group.field("type").and_then(Value::as_str) {
        Some("condition") => clause(field(group, "condition").ok_or(UNKNOWN_GROUP)?, groups, depth),
        Some("list") => {
            let own = group.field("attributeKey").and_then(Value::as_str);
            let key = reference.field("attributeKey").and_then(Value::as_str).or(own).ok_or(UNKNOWN_GROUP)?;
            let values = list(group, "values").ok_or(UNKNOWN_GROUP)?;
            let is_in = fields([("$in", Value::Array(values.to_vec()))]);
            Ok(Value::Object(Vec::from([(attribute(key).into_boxed_str(), is_in)])))
        }
        _ => Err(UNKNOWN_GROUP),
    }
}

fn test(test: &Value, groups: &Value) -> Result<Value, LeftOut> {
    let Value::Object(operators) = test else { return Ok(test.clone()) };
    let moved = operators.iter().map(|(name, operand)| {
        let replaced = match &**name {
            "$inGroup" => "$in",
            "$notInGroup" => "$nin",
            "$not" => return Ok((name.clone(), self::test(operand, groups)?)),
            _ => return Ok((name.clone(), operand.clone())),
        };
        let group = groups.field(operand.as_str().unwrap_or_default()).ok_or(UNKNOWN_GROUP)?;
        let values = match group {
            Value::Array(values) => values,
            group => list(group, "values").ok_or(UNKNOWN_GROUP)?,
        };
        Ok((replaced.into(), Value::Array(values.to_vec())))
    });
    moved.collect::<Result<Vec<_>, _>>().map(Value::Object)
}
