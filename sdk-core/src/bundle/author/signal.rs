//! From the JSON of a signal to its definition.

use super::diagnostic::{Problem, Problems};
use super::fields::Fields;
use crate::condition::{Condition, ConditionScope, Path, parse_condition, parse_path};
use crate::id::SignalId;
use crate::limits::{MAX_WINDOW_BUCKETS, MAX_WINDOW_MS};
use crate::profile::{Aggregate, CalendarUnit, Signal, Window, signal_id};
use crate::time::parse_duration_ms;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::format;

/// Compiles a signal; a broken one gives nothing and its problems.
pub(super) fn compile(value: &Value, at: &str, problems: &mut Problems) -> Option<Signal> {
    let mut fields = Fields::open(value, at, problems)?;
    let name = plain_name(&mut fields, "name");
    let on = fields.id("on");
    let filter = filter(&mut fields);
    let by = path(&mut fields, "by");
    let aggregate = aggregate(&mut fields);
    let of = path(&mut fields, "of");
    let window = window(&mut fields);
    match aggregate {
        Some(aggregate) if aggregate.takes_values() && fields.value("of").is_none() => {
            fields.fail("of", "missing_field", "this aggregate needs the path of the values it folds");
        }
        Some(aggregate) if !aggregate.takes_values() && of.is_some() => {
            fields.fail("of", "misplaced_field", "count, first_at and last_at fold events, not values");
        }
        _ => {}
    }
    let backfill = match fields.text("on_publish") {
        None | Some("warm_up") => false,
        Some("backfill") => true,
        Some(_) => fields.wrong("on_publish", "expected warm_up or backfill").unwrap_or_default(),
    };
    fields.close(&[], &[]);
    if problems.reason().is_some() {
        return None;
    }
    let mut signal = Signal {
        id: SignalId(0),
        name: Box::from(name?),
        on: Box::from(on?),
        filter,
        by,
        of,
        aggregate: aggregate?,
        window: window?,
        backfill,
    };
    signal.id = signal_id(&signal);
    Some(signal)
}

/// The bucket of a window where the author names none: the largest whole number of seconds that divides the window
/// and is at most the greater of 1 s and a thirtieth of it.
pub(super) fn default_bucket_ms(window_ms: i64) -> Option<i64> {
    let seconds = window_ms / 1_000;
    if window_ms <= 0 || window_ms % 1_000 != 0 {
        return None;
    }
    (1..=(seconds / 30).max(1)).rev().find(|bucket| seconds % bucket == 0).map(|bucket| bucket * 1_000)
}

/// A name that can be a step of a path.
pub(super) fn plain_name<'a>(fields: &mut Fields<'a, '_>, field: &'static str) -> Option<&'a str> {
    let name = fields.id(field)?;
    if name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-') {
        return Some(name);
    }
    fields.wrong(field, "expected letters, digits, _ and - only, since paths are split at dots")
}

fn aggregate(fields: &mut Fields<'_, '_>) -> Option<Aggregate> {
    match fields.required_text("aggregate")? {
        "count" => Some(Aggregate::Count),
        "sum" => Some(Aggregate::Sum),
        "min" => Some(Aggregate::Min),
        "max" => Some(Aggregate::Max),
        "mean" => Some(Aggregate::Mean),
        "distinct" => Some(Aggregate::Distinct),
        "first" => Some(Aggregate::First),
        "last" => Some(Aggregate::Last),
        "first_at" => Some(Aggregate::FirstAt),
        "last_at" => Some(Aggregate::LastAt),
        _ => fields.wrong(
            "aggregate",
            "expected count, sum, min, max, mean, distinct, first, last, first_at or last_at",
        ),
    }
}

fn filter(fields: &mut Fields<'_, '_>) -> Option<Condition> {
    let value = fields.value("where")?;
    match parse_condition(value, ConditionScope::Event, &fields.place("where")) {
        Ok(condition) => Some(condition),
        Err(errors) => {
            errors.iter().for_each(|error| fields.problems().push(Problem::of_condition(error)));
            None
        }
    }
}

fn path(fields: &mut Fields<'_, '_>, name: &'static str) -> Option<Path> {
    let text = fields.text(name)?;
    match parse_path(text, ConditionScope::Event) {
        Ok(path) => Some(path),
        Err(kind) => {
            fields.fail_of_condition(name, &kind);
            None
        }
    }
}

fn window(fields: &mut Fields<'_, '_>) -> Option<Window> {
    let has_bucket = fields.value("bucket").is_some();
    let whole = match fields.required_text("window")? {
        "session" => Some(Window::Session),
        "lifetime" => Some(Window::Lifetime),
        "today" => Some(Window::Calendar(CalendarUnit::Day)),
        "this_week" => Some(Window::Calendar(CalendarUnit::Week)),
        "this_month" => Some(Window::Calendar(CalendarUnit::Month)),
        _ => None,
    };
    if whole.is_some() {
        if has_bucket {
            fields.fail(
                "bucket",
                "misplaced_field",
                "session and lifetime have one tile, and calendar windows move on by 15 minutes",
            );
        }
        return whole;
    }
    let given = fields.text("window").and_then(parse_duration_ms);
    let Some(window_ms) = given.filter(|ms| (1..=MAX_WINDOW_MS).contains(ms) && ms % 1_000 == 0) else {
        return fields.wrong(
            "window",
            "expected session, lifetime, today, this_week, this_month, or a duration of whole seconds such as 30m, 24h or 7d, at most 400d",
        );
    };
    let bucket_ms = if has_bucket { fields.duration("bucket")? } else { default_bucket_ms(window_ms)? };
    if bucket_ms % 1_000 != 0 || window_ms % bucket_ms != 0 {
        return fields.wrong("bucket", "expected whole seconds that divide the window");
    }
    if window_ms / bucket_ms > MAX_WINDOW_BUCKETS {
        let buckets = window_ms / bucket_ms;
        return fields.wrong("bucket", &format!("{buckets} buckets; the limit is {MAX_WINDOW_BUCKETS}"));
    }
    Some(Window::Sliding { window_ms, bucket_ms })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use alloc::vec::Vec;

    #[test]
    fn buckets_default_to_a_thirtieth_of_the_window_at_most() {
        for (window, bucket) in
            [("5m", "10s"), ("1h", "120s"), ("10s", "1s"), ("29s", "1s"), ("24h", "2880s"), ("7d", "20160s")]
        {
            let window_ms = parse_duration_ms(window).unwrap();
            assert_eq!(default_bucket_ms(window_ms), parse_duration_ms(bucket), "{window}");
        }
        assert_eq!(default_bucket_ms(1_500), None);
    }

    #[test]
    fn definitions_outside_their_bounds_say_which_field_is_wrong() {
        let codes = |rest: &str| {
            let text = format!(r#"{{"name":"n","on":"x",{rest}}}"#);
            let mut problems = Problems::default();
            let signal = compile(&Value::parse(&text).unwrap(), "", &mut problems);
            let reason = problems.reason().map(String::from);
            assert_eq!(signal.is_none(), reason.is_some(), "{rest}");
            reason.unwrap_or_else(|| format!("{:?}", signal.unwrap().window))
        };
        for (rest, expected) in [
            (r#""aggregate":"count","window":"1s""#, "Sliding { window_ms: 1000, bucket_ms: 1000 }"),
            (
                r#""aggregate":"count","window":"400d","bucket":"1d""#,
                "Sliding { window_ms: 34560000000, bucket_ms: 86400000 }",
            ),
            (r#""aggregate":"count","window":"401d""#, "bad_field:window"),
            (r#""aggregate":"count","window":"500ms""#, "bad_field:window"),
            (r#""aggregate":"count","window":"0s""#, "bad_field:window"),
            (r#""aggregate":"count","window":"1h","bucket":"7m""#, "bad_field:bucket"),
            (r#""aggregate":"count","window":"1h","bucket":"3s""#, "bad_field:bucket"),
            (r#""aggregate":"count","window":"this_week""#, "Calendar(Week)"),
            (r#""aggregate":"count","window":"today","bucket":"15m""#, "misplaced_field:bucket"),
            (r#""aggregate":"count","window":"yesterday""#, "bad_field:window"),
            (r#""aggregate":"median","window":"1h""#, "bad_field:aggregate"),
            (r#""aggregate":"mean","window":"1h""#, "missing_field:of"),
            (r#""aggregate":"first_at","of":"metadata.v","window":"1h""#, "misplaced_field:of"),
            (
                r#""aggregate":"distinct","of":"metadata.v","window":"lifetime","on_publish":"backfill""#,
                "Lifetime",
            ),
            (r#""aggregate":"count","window":"lifetime","on_publish":"fire""#, "bad_field:on_publish"),
        ] {
            assert_eq!(codes(rest), expected, "{rest}");
        }
    }

    #[test]
    fn a_window_that_is_none_is_followed_by_all_that_there_are() {
        for window in ["5w", "week", "0s", "1500ms", "401d"] {
            let text =
                format!(r#"{{"name":"n","on":"x","aggregate":"count","window":"{window}","bucket":"1m"}}"#);
            let mut problems = Problems::default();
            compile(&Value::parse(&text).unwrap(), "", &mut problems);
            let said: Vec<String> =
                problems.into_iter().map(|problem| problem.in_file("", "").message).collect();
            assert_eq!(
                said,
                [
                    "window: expected session, lifetime, today, this_week, this_month, or a duration of whole seconds such as 30m, 24h or 7d, at most 400d"
                ],
                "{window}"
            );
        }
    }
}
