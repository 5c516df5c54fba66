//! From the JSON of `$tod` and `$dow` to spans of local time.

use super::{Calendar, ConditionErrorKind};
use crate::time::{Span, ZoneTable, parse_day};
use crate::value::Value;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// How rules name the zone of whoever visits.
pub const VISITOR: &str = "visitor";

/// Reads a zone: an IANA name, or nothing for `visitor`.
///
/// # Errors
/// A name that the time zone database does not have.
pub fn parse_zone(name: &str) -> Result<Option<ZoneTable>, ConditionErrorKind> {
    if name == VISITOR {
        return Ok(None);
    }
    match ZoneTable::of_name(name) {
        Some(table) => Ok(Some(table)),
        None => Err(ConditionErrorKind::UnknownZone(Box::from(name))),
    }
}

/// Reads a list of days of the week as [`Span::days`]; nothing where it is empty or something else.
pub fn parse_days(value: &Value) -> Option<u8> {
    let Value::Array(items) = value else { return None };
    let mut days = items.iter().map(|item| parse_day(item.as_str()?));
    days.try_fold(0, |sum, day| Some(sum | day?)).filter(|days| *days > 0)
}

/// Reads the object behind `$tod` or `$dow`. Where there is no visitor, as in what a signal asks of an event, the zone
/// must have a name.
///
/// # Errors
/// What is wrong, each with the field it is wrong in, or none.
pub(super) fn parse_calendar(
    operator: &str,
    value: &Value,
    has_visitor: bool,
) -> Result<Calendar, Vec<(Option<&'static str>, ConditionErrorKind)>> {
    let Value::Object(fields) = value else {
        return Err([(None, ConditionErrorKind::BadLiteral("an object with between or in, and zone"))].into());
    };
    let is_hours = operator == "$tod";
    let what = if is_hours { "between" } else { "in" };
    let mut errors = Vec::new();
    for (name, _) in fields.iter().filter(|(name, _)| **name != *what && **name != *"zone") {
        errors.push((None, ConditionErrorKind::UnknownField(name.clone())));
    }
    let span = match value.field(what) {
        Some(Value::Array(pair)) if is_hours => match pair.as_slice() {
            [Value::String(from), Value::String(until)] => Span::of_hours(from, until),
            _ => None,
        },
        Some(days) if !is_hours => parse_days(days).map(|days| Span { days, ..Span::default() }),
        _ => None,
    };
    if span.is_none() {
        let expected = if is_hours {
            "two times of day that differ, from 00:00 to 24:00"
        } else {
            "days of the week out of mon, tue, wed, thu, fri, sat, sun"
        };
        errors.push((Some(what), ConditionErrorKind::BadLiteral(expected)));
    }
    let zone = match value.field("zone") {
        None => Ok(None),
        Some(Value::String(name)) => parse_zone(name),
        Some(_) => Err(ConditionErrorKind::BadLiteral("the IANA name of a zone, or visitor")),
    };
    let zone = zone.and_then(|zone| match zone {
        None if !has_visitor => Err(ConditionErrorKind::BadLiteral(
            "the IANA name of a zone, since an event does not know the visitor's",
        )),
        zone => Ok(zone),
    });
    match (zone, span) {
        (Err(kind), _) => errors.push((Some("zone"), kind)),
        (Ok(zone), Some(span)) if errors.is_empty() => return Ok(Calendar { span, zone }),
        _ => {}
    }
    Err(errors)
}
