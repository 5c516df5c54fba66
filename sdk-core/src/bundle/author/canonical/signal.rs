//! Signals as rule files write them.

use super::super::signal::default_bucket_ms;
use super::{Names, Object, duration, name_of, shown};
use crate::profile::{CalendarUnit, Signal, Window};
use crate::value::Value;

/// A signal without its name.
pub(super) fn source(signal: &Signal, names: &Names<'_>) -> Value {
    let mut fields = Object::default();
    fields.text("on", &signal.on);
    fields.some("where", signal.filter.as_ref(), |filter| names.condition(filter));
    fields.some("by", signal.by.as_ref(), shown).some("of", signal.of.as_ref(), shown);
    fields.text("aggregate", &name_of(&signal.aggregate));
    match signal.window {
        Window::Sliding { window_ms, bucket_ms } => {
            fields.add("window", duration(window_ms));
            let own = Some(bucket_ms).filter(|ms| default_bucket_ms(window_ms) != Some(*ms));
            fields.some("bucket", own, duration);
        }
        Window::Session => drop(fields.text("window", "session")),
        Window::Lifetime => drop(fields.text("window", "lifetime")),
        Window::Calendar(CalendarUnit::Day) => drop(fields.text("window", "today")),
        Window::Calendar(CalendarUnit::Week) => drop(fields.text("window", "this_week")),
        Window::Calendar(CalendarUnit::Month) => drop(fields.text("window", "this_month")),
    }
    fields.text("on_publish", if signal.backfill { "backfill" } else { "warm_up" }).finish()
}
