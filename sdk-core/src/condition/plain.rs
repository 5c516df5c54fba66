//! GrowthBook-shaped conditions asked over a plain object of attributes, with GrowthBook's leniency.

use super::parse::{ConditionScope, KnownSignal, Names, Parser};
use super::problem::ConditionErrorKind;
use super::{
    Condition, Document, Form, Literal, Matcher, Outlook, Packer, Path, PathRef, Pattern, Reading, Root,
    Test, encode_condition, evaluate, parse_condition,
};
use crate::id::{SessionId, SignalId};
use crate::limits::MAX_CONDITION_DEPTH;
use crate::time::Timestamp;
use crate::value::{Value, ValueRef};
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

/// Whether a condition holds of attributes, as GrowthBook's SDKs judge it; `groups` are the saved groups by id.
///
/// What is unknown does not hold, and neither does what cannot be judged: a condition nested deeper than
/// [`MAX_CONDITION_DEPTH`](crate::limits::MAX_CONDITION_DEPTH) or larger than
/// [`MAX_CONDITION_TESTS`](crate::limits::MAX_CONDITION_TESTS), a pattern that the matcher leaves open.
pub fn holds(
    attributes: ValueRef<'_>,
    condition: &Value,
    groups: ValueRef<'_>,
    matcher: &dyn Matcher,
) -> bool {
    Plain::new(condition, groups).is_some_and(|plain| plain.holds(attributes, matcher))
}

/// A condition that has been read once, to be asked of many attributes.
#[derive(Clone, Debug)]
pub struct Plain(Form);

impl Plain {
    /// Reads a condition; nothing where it is nested too deeply or too large, and so never holds.
    pub fn new(condition: &Value, groups: ValueRef<'_>) -> Option<Self> {
        let condition = parse_condition(condition, ConditionScope::Plain(&Groups(groups)), "").ok()?;
        let mut packer = Packer::new();
        encode_condition(&condition, &mut packer);
        Form::open(&packer.finish()).ok().map(Self)
    }

    /// Whether it holds of attributes.
    pub fn holds(&self, attributes: ValueRef<'_>, matcher: &dyn Matcher) -> bool {
        evaluate(self.0.at(0), &Attributes { attributes, matcher }, &mut Outlook::default())
    }
}

struct Groups<'a>(ValueRef<'a>);

impl Names for Groups<'_> {
    fn signal(&self, _name: &str) -> Option<KnownSignal> {
        None
    }

    fn group(&self, id: &str) -> Option<Value> {
        self.0.field(id).map(ValueRef::to_tree)
    }
}

struct Attributes<'a> {
    attributes: ValueRef<'a>,
    matcher: &'a dyn Matcher,
}

impl Document for Attributes<'_> {
    fn value(&self, path: PathRef<'_>) -> ValueRef<'_> {
        self.attributes.at(path.rest).unwrap_or(ValueRef::Null)
    }

    fn signal(&self, _signal: SignalId, _key: &str) -> Reading<'_> {
        Reading::Missing
    }

    fn signal_named(&self, _name: &str, _key: &str) -> Reading<'_> {
        Reading::Missing
    }

    fn matches(&self, pattern: Pattern<'_>, text: &str) -> Option<bool> {
        self.matcher.matches(pattern, text)
    }

    fn now(&self) -> Timestamp {
        Timestamp(0)
    }

    fn session(&self) -> Option<SessionId> {
        None
    }
}

impl Parser<'_> {
    /// A condition that is no object, as JavaScript's `Object.entries` takes it: lists and texts by index, all else
    /// without entries, so that nothing fails; null, which JavaScript stops at, does not hold.
    pub(super) fn shapeless(&mut self, value: &Value) -> Condition {
        let items: Vec<Value> = match value {
            Value::Array(items) => items.clone(),
            Value::String(text) => text.chars().map(|c| Value::string(c.encode_utf8(&mut [0; 4]))).collect(),
            Value::Null => return nobody(),
            _ => return Condition::All(Vec::new()),
        };
        let fields = items.into_iter().enumerate();
        let fields = fields.map(|(index, item)| (format!("{index}").into_boxed_str(), item));
        self.condition(&Value::Object(fields.collect()))
    }

    /// `$savedGroup`: the members of a list by an attribute, or whoever a condition holds of.
    pub(super) fn saved_group(&mut self, reference: &Value) -> Condition {
        self.saved(reference).unwrap_or_else(nobody)
    }

    fn saved(&mut self, reference: &Value) -> Option<Condition> {
        let ConditionScope::Plain(names) = self.scope else { return None };
        let id = reference.field("id")?.as_str()?;
        if self.groups.iter().any(|open| &**open == id) || !self.bring(1, 0) {
            return None;
        }
        let key = match reference.field("attributeKey") {
            Some(key) => Some(key.as_str()?),
            None => None,
        };
        let group = names.group(id)?;
        match group.field("type")?.as_str()? {
            "list" => {
                let key = match key {
                    Some(key) => key,
                    None => group.field("attributeKey")?.as_str()?,
                };
                let list = group.field("values")?;
                let Value::Array(values) = list else { return None };
                if !self.bring(0, values.len()) {
                    return None;
                }
                let test = Test::In(Literal::Value(list.clone()));
                Some(if self.in_item {
                    Condition::Item { path: Box::from(key), test }
                } else {
                    Condition::Path { path: Path { root: Root::Bare, rest: Box::from(key) }, test }
                })
            }
            "condition" => {
                let condition = group
                    .field("condition")
                    .filter(|found| matches!(found, Value::Object(_) | Value::Array(_)))?;
                if self.groups.len() == MAX_CONDITION_DEPTH {
                    self.refuse(ConditionErrorKind::TooDeep);
                    return None;
                }
                self.groups.push(Box::from(id));
                let condition = self.condition(condition);
                self.groups.pop();
                Some(condition)
            }
            _ => None,
        }
    }
}

fn nobody() -> Condition {
    Condition::Not(Box::new(Condition::All(Vec::new())))
}
