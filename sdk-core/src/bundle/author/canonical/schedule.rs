//! Schedules, times of day and days of the week as rule files write them.

use super::{Object, shown};
use crate::condition::{Calendar, VISITOR};
use crate::time::{DAYS, Span, Timestamp, ZoneTable};
use crate::value::Value;
use alloc::format;
use alloc::string::{String, ToString};

const DAY_MINUTES: u16 = 24 * 60;

/// `$tod` or `$dow`.
pub(super) fn clause(calendar: &Calendar) -> (&'static str, Value) {
    let span = &calendar.span;
    let zone = zone_name(calendar);
    if span.days != Span::default().days {
        return ("$dow", Object::default().add("in", days(span)).text("zone", zone).finish());
    }
    let (from, until) = hours(span);
    let between = Value::Array([from, until].into_iter().map(shown).collect());
    ("$tod", Object::default().add("between", between).text("zone", zone).finish())
}

/// The `schedule` of a rule.
pub(super) fn source(calendar: &Calendar) -> Value {
    let span = &calendar.span;
    let mut fields = Object::default();
    let own = |at: Timestamp, none: Timestamp| Some(at).filter(|at| *at != none);
    fields.some("from", own(span.starts, Span::NO_START), |at| edge(calendar, at));
    fields.some("until", own(span.ends, Span::NO_END), |at| edge(calendar, at));
    fields.some("days", Some(span).filter(|span| span.days != Span::default().days), days);
    let whole = Span::default();
    let is_part = (span.from_minute, span.minutes) != (whole.from_minute, whole.minutes);
    fields.some("hours", Some(span).filter(|_| is_part), |span| {
        let (from, until) = hours(span);
        shown(format!("{from}-{until}"))
    });
    fields.text("zone", zone_name(calendar)).finish()
}

fn zone_name(calendar: &Calendar) -> &str {
    calendar.zone.as_ref().map_or(VISITOR, ZoneTable::name)
}

fn days(span: &Span) -> Value {
    let names = DAYS.iter().enumerate().filter(|(place, _)| span.days & (1 << place) != 0);
    Value::Array(names.map(|(_, name)| Value::string(name)).collect())
}

fn hours(span: &Span) -> (String, String) {
    let text = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let until = span.from_minute + span.minutes;
    let until = if until > DAY_MINUTES { until - DAY_MINUTES } else { until };
    (text(span.from_minute), text(until))
}

/// An end by the clocks of the zone where they show it once or for the first time, else as an instant.
fn edge(calendar: &Calendar, at: Timestamp) -> Value {
    let local = match &calendar.zone {
        None => Some(at.0).filter(|_| calendar.span.is_local),
        Some(table) => {
            let mut zone = table.zone();
            zone.pass_to(at);
            Some(zone.local(at)).filter(|local| table.zone().first_at(*local) == at)
        }
    };
    let Some(local) = local else { return shown(at) };
    let text = Timestamp(local).to_string();
    let text = text.trim_end_matches('Z').trim_end_matches(".000");
    shown(text.strip_suffix(":00").filter(|short| short.len() == 16).unwrap_or(text))
}
