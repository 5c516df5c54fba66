//! The one place at which a payload's condition is asked.

use crate::condition::{
    ConditionScope, Document, Form, Outlook, Packer, PathRef, Reading, Root, encode_condition, evaluate,
    parse_condition,
};
use crate::id::{SessionId, SignalId};
use crate::time::Timestamp;
use crate::value::{Value, ValueRef};
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

/// Whether a condition holds for attributes. One that cannot be compiled does not.
pub(super) fn condition_holds(attributes: ValueRef<'_>, condition: &Value, _groups: ValueRef<'_>) -> bool {
    let Ok(condition) = parse_condition(&over_traits(condition), ConditionScope::Visitor(&|_| None), "")
    else {
        return false;
    };
    let mut packer = Packer::new();
    encode_condition(&condition, &mut packer);
    let Ok(form) = Form::open(&packer.finish()) else { return false };
    evaluate(form.at(0), &Attributes(attributes), &mut Outlook::default())
}

/// The condition with its paths below `traits`.
fn over_traits(condition: &Value) -> Value {
    let Value::Object(fields) = condition else { return condition.clone() };
    let moved = fields.iter().map(|(name, field)| match (&**name, field) {
        ("$and" | "$or" | "$nor", Value::Array(items)) => {
            (name.clone(), Value::Array(items.iter().map(over_traits).collect()))
        }
        ("$not", _) => (name.clone(), over_traits(field)),
        _ if name.starts_with('$') => (name.clone(), field.clone()),
        _ => (Box::from(format!("traits.{name}")), field.clone()),
    });
    Value::Object(moved.collect::<Vec<_>>())
}

#[derive(Clone, Copy)]
struct Attributes<'a>(ValueRef<'a>);

impl Document for Attributes<'_> {
    fn value(&self, path: PathRef<'_>) -> ValueRef<'_> {
        let found = if path.root == Root::Traits { self.0.at(path.rest) } else { None };
        found.unwrap_or(ValueRef::Null)
    }

    fn signal(&self, _signal: SignalId, _key: &str) -> Reading<'_> {
        Reading::Missing
    }

    fn signal_named(&self, _name: &str, _key: &str) -> Reading<'_> {
        Reading::Missing
    }

    fn now(&self) -> Timestamp {
        Timestamp(0)
    }

    fn session(&self) -> Option<SessionId> {
        None
    }
}
