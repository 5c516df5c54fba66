//! From the JSON of a rule's `schedule` to the span of local time in which the rule takes part.

use super::fields::Fields;
use crate::condition::{Calendar, Condition, VISITOR, depth, parse_days, parse_zone};
use crate::limits::{MAX_CONDITION_DEPTH, ZONE_LAST_YEAR};
use crate::time::{Span, Timestamp, ZoneTable, parse_local};
use alloc::format;
use alloc::vec;

/// An end of a schedule as its author has written it.
#[derive(Clone, Copy)]
enum Edge {
    /// With an offset.
    Fixed(Timestamp),
    /// By the clocks of the zone.
    Local(i64),
}

/// Compiles the `schedule` of a definition.
pub(super) fn compile(fields: &mut Fields<'_, '_>) -> Option<Calendar> {
    let value = fields.value("schedule")?;
    let at = fields.place("schedule");
    let mut inner = Fields::open(value, &at, fields.problems())?;
    let zone = match parse_zone(inner.text("zone").unwrap_or(VISITOR)) {
        Ok(zone) => zone,
        Err(kind) => {
            inner.fail_of_condition("zone", &kind);
            None
        }
    };
    let hours = inner.text("hours").and_then(|text| {
        let (from, until) = text.split_once('-').unwrap_or_default();
        let expected = "expected two times of day that differ, such as 18:00-23:00";
        Span::of_hours(from, until).or_else(|| inner.wrong("hours", expected))
    });
    let days = inner.value("days").and_then(|days| {
        let expected = "expected days of the week out of mon, tue, wed, thu, fri, sat, sun";
        parse_days(days).or_else(|| inner.wrong("days", expected))
    });
    let (from, until) = (edge(&mut inner, "from"), edge(&mut inner, "until"));
    let mut span = hours.unwrap_or_default();
    span.days = days.unwrap_or(span.days);
    match (&zone, from, until) {
        (Some(table), ..) => {
            let instant = |edge| match edge {
                Edge::Fixed(at) => at,
                Edge::Local(local) => table.zone().first_at(local),
            };
            span.starts = from.map_or(Span::NO_START, instant);
            span.ends = until.map_or(Span::NO_END, instant);
        }
        (None, Some(Edge::Fixed(_)), Some(Edge::Local(_)))
        | (None, Some(Edge::Local(_)), Some(Edge::Fixed(_))) => {
            let message = "expected an offset where from has one, and none where it has none";
            inner.wrong::<()>("until", message);
        }
        (None, from, until) => {
            let clock = |edge| match edge {
                Edge::Fixed(at) => at,
                Edge::Local(local) => Timestamp(local),
            };
            span.is_local = matches!(from.or(until), Some(Edge::Local(_)));
            span.starts = from.map_or(Span::NO_START, clock);
            span.ends = until.map_or(Span::NO_END, clock);
        }
    }
    if span.ends <= span.starts {
        inner.wrong::<()>("until", "expected an instant later than from");
    }
    let is_far = |at: Timestamp| at > ZoneTable::ends_at() && at != Span::NO_END;
    if zone.is_some() && (is_far(span.starts) || is_far(span.ends)) {
        let message = format!("changes of clocks are known up to the end of {ZONE_LAST_YEAR}");
        inner.warn("until", "beyond_known_clocks", &message);
    }
    let says_nothing = !["from", "until", "days", "hours"].iter().any(|name| value.field(name).is_some());
    inner.close(&[], &[]);
    if says_nothing {
        fields.wrong::<()>("schedule", "expected one of from, until, days and hours at least");
    }
    Some(Calendar { span, zone })
}

/// A condition that holds within a schedule only: an `All` that ends with it. Nothing where that is nested too deep.
pub(super) fn within(schedule: Calendar, when: Condition) -> Option<Condition> {
    let mut parts = match when {
        Condition::All(parts) => parts,
        other if depth(&other) >= MAX_CONDITION_DEPTH => return None,
        other => vec![other],
    };
    parts.push(Condition::Calendar(schedule));
    Some(Condition::All(parts))
}

fn edge(fields: &mut Fields<'_, '_>, name: &'static str) -> Option<Edge> {
    let text = fields.text(name)?;
    let found = match Timestamp::parse(text) {
        Some(at) => Some(Edge::Fixed(at)),
        None => parse_local(text).map(Edge::Local),
    };
    let expected =
        "expected a date with a time such as 2026-12-24T18:00, by the clocks of the zone, or with an offset";
    found.or_else(|| fields.wrong(name, expected))
}

#[cfg(test)]
mod tests {
    use super::super::{Compiled, SourceFile, compile};
    use super::*;
    use alloc::borrow::ToOwned;
    use alloc::string::String;

    fn compiled(rule: &str) -> Compiled {
        let text = format!(r#"{{"rules":[{{"id":"r","slot":"s",{rule},"actions":[]}}]}}"#);
        compile(&[SourceFile { name: "a.json".to_owned(), text }])
    }

    fn schedule(schedule: &str) -> Calendar {
        let compiled = compiled(&format!(r#""schedule":{schedule}"#));
        match compiled.bundle.rule("r").map(|rule| rule.to_rule().when) {
            Some(Condition::All(parts)) => match parts.as_slice() {
                [Condition::Calendar(calendar)] => calendar.clone(),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}: {:?}", compiled.diagnostics),
        }
    }

    #[test]
    fn times_without_an_offset_are_those_of_the_zone() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let rome =
            schedule(r#"{"from":"2025-07-01T09:00","until":"2025-12-01T09:00:30","zone":"europe/rome"}"#);
        assert_eq!(rome.zone.as_ref().map(ZoneTable::name), Some("Europe/Rome"));
        assert_eq!(
            (rome.span.starts, rome.span.ends, rome.span.is_local),
            (at("2025-07-01T07:00:00Z"), at("2025-12-01T08:00:30Z"), false)
        );
        // Of a time that comes twice it is the first, of one that does not come the instant clocks go past it.
        let twice =
            schedule(r#"{"from":"2025-03-30T02:30","until":"2025-10-26T02:30","zone":"Europe/Rome"}"#);
        assert_eq!(
            (twice.span.starts, twice.span.ends),
            (at("2025-03-30T01:00:00Z"), at("2025-10-26T00:30:00Z"))
        );
        let visitor = schedule(r#"{"from":"2025-07-01T09:00"}"#);
        assert_eq!(
            (visitor.span.starts, visitor.span.is_local, visitor.zone),
            (at("2025-07-01T09:00:00Z"), true, None)
        );
        let fixed = schedule(r#"{"until":"2025-07-01T09:00:00+02:00"}"#);
        assert_eq!((fixed.span.ends, fixed.span.is_local), (at("2025-07-01T07:00:00Z"), false));
    }

    #[test]
    fn a_time_behind_the_known_changes_of_clocks_is_worth_a_look() {
        let compiled = compiled(r#""schedule":{"until":"2041-06-01T00:00","zone":"Europe/Rome"}"#);
        let found = compiled.diagnostics.first().map(|found| found.code);
        assert_eq!((found, compiled.diagnostics.len()), (Some("beyond_known_clocks"), 1));
        assert!(compiled.bundle.rule("r").is_some_and(|rule| rule.is_active()));
    }

    #[test]
    fn a_schedule_counts_as_nesting() {
        let nested = |depth: usize| {
            let (open, close) = (r#"{"$not":"#.repeat(depth), "}".repeat(depth));
            let when = format!(r#""when":{open}{{"context.a":1}}{close},"schedule":{{"days":["mon"]}}"#);
            let codes: String = compiled(&when).diagnostics.iter().map(|found| found.code).collect();
            codes
        };
        // A path is three deep: itself, its test, its literal.
        assert_eq!(nested(MAX_CONDITION_DEPTH - 4), "");
        assert_eq!(nested(MAX_CONDITION_DEPTH - 3), "condition_too_deep");
    }
}
