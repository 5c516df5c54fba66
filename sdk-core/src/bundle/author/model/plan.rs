//! From the JSON of a scoring plan to its items.

use super::super::diagnostic::Problem;
use super::super::fields::Fields;
use super::{Signals, known, number};
use crate::condition::{Condition, ConditionErrorKind, ConditionScope, Root, parse_condition, visit_paths};
use crate::limits::{MAX_DECAY_BUCKETS, MAX_KEY_BYTES, MAX_PLAN_ITEMS};
use crate::model::{Counted, Item};
use crate::profile::{Aggregate, Window};
use crate::value::Value;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

/// The `items` of a plan; those that are broken are left out with their problems.
pub(super) fn items(fields: &mut Fields<'_, '_>, signals: Signals<'_>) -> Option<Vec<Item>> {
    let given = match fields.value("items") {
        Some(Value::Array(given)) if given.len() <= MAX_PLAN_ITEMS => given,
        _ => return fields.wrong("items", &format!("expected an array of at most {MAX_PLAN_ITEMS} items")),
    };
    let place = fields.place("items");
    let mut items = Vec::new();
    for (index, value) in given.iter().enumerate() {
        let at = format!("{place}/{index}");
        let Some(mut inner) = Fields::open(value, &at, fields.problems()) else { continue };
        let item = item(&mut inner, signals);
        inner.close(&[], &[]);
        items.extend(item);
    }
    Some(items)
}

fn item(fields: &mut Fields<'_, '_>, signals: Signals<'_>) -> Option<Item> {
    let when = when(fields, signals);
    let counted = counted(fields, signals);
    let points = match number(fields, "points") {
        Some(points) => points,
        None if fields.value("points").is_none() => {
            fields.fail("points", "missing_field", "this field is required");
            return None;
        }
        None => return None,
    };
    Some(Item { when: when?, points, counted: counted? })
}

/// What must hold; always, where nothing is given.
fn when(fields: &mut Fields<'_, '_>, signals: Signals<'_>) -> Option<Condition> {
    let Some(value) = fields.value("when") else { return Some(Condition::All(Vec::new())) };
    let lookup = |name: &str| signals(name).map(known);
    match parse_condition(value, ConditionScope::Visitor(&lookup), &fields.place("when")) {
        Ok(condition) => {
            let mut reads_event = false;
            visit_paths(&condition, &mut |path| reads_event |= path.root == Root::Event);
            if reads_event {
                return fields.wrong("when", "a score is no matter of one event, so it cannot read event.*");
            }
            Some(condition)
        }
        Err(errors) => {
            errors.iter().for_each(|error| fields.problems().push(Problem::of_condition(error)));
            None
        }
    }
}

/// The signal by which points are multiplied: `Some(None)` where there is none, nothing where it is broken.
fn counted(fields: &mut Fields<'_, '_>, signals: Signals<'_>) -> Option<Option<Counted>> {
    let name = fields.text("signal");
    let key = fields.text("key");
    let half_life_ms =
        if fields.value("half_life").is_some() { Some(fields.duration("half_life")?) } else { None };
    let Some(name) = name else {
        for field in ["key", "half_life"].into_iter().filter(|field| match *field {
            "key" => key.is_some(),
            _ => half_life_ms.is_some(),
        }) {
            fields.fail(field, "misplaced_field", "it belongs to a signal");
        }
        return Some(None);
    };
    let Some(signal) = signals(name) else {
        fields.fail_of_condition("signal", &ConditionErrorKind::UnknownSignal(Box::from(name)));
        return None;
    };
    if !matches!(signal.aggregate, Aggregate::Count | Aggregate::Sum) {
        return fields.wrong("signal", "expected a signal that counts or sums");
    }
    match (signal.by.is_some(), key) {
        (true, None) => fields.fail("key", "signal_key_missing", "the signal has one value per key"),
        (false, Some(_)) => {
            fields.fail("key", "signal_key_unexpected", "the signal has no `by`, so it has no keys")
        }
        (_, Some(key)) if key.len() > MAX_KEY_BYTES => {
            fields.fail("key", "bad_field", &format!("expected at most {MAX_KEY_BYTES} bytes"));
        }
        _ => {}
    }
    let is_cut = match signal.window {
        Window::Sliding { window_ms, bucket_ms } => window_ms / bucket_ms.max(1) <= MAX_DECAY_BUCKETS,
        _ => false,
    };
    if half_life_ms.is_some() && !is_cut {
        let message =
            format!("a half-life needs a window that is a duration of at most {MAX_DECAY_BUCKETS} buckets");
        return fields.wrong("half_life", &message);
    }
    Some(Some(Counted { signal: signal.id, key: Box::from(key.unwrap_or_default()), half_life_ms }))
}
