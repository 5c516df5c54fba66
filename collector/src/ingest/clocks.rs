//! The visitor's clocks, as the context of a batch tells of them.

use attune_core::condition::told_clocks;
use attune_core::time::{Clocks, Timestamp, ZoneTable};
use attune_core::value::{ValueRef, parse};

const MINUTE_MS: i64 = 60_000;

/// The clocks by `time`, as pages send it, or else by the zone that `time_zone` names, from `now` on. Nothing for a
/// context that cannot be read, that has neither, or that names a zone which the database compiled in does not have.
pub fn of_context(context: &str, now: Timestamp) -> Option<Clocks> {
    let context = parse(context).ok()?;
    let context = context.get();
    told_clocks(context).or_else(|| match context.field("time_zone") {
        Some(ValueRef::Text(name)) => of_zone(name, now),
        _ => None,
    })
}

/// The clocks of a zone from `now` on. Nothing for a name that the database compiled in does not have.
pub fn of_zone(name: &str, now: Timestamp) -> Option<Clocks> {
    let table = ZoneTable::of_name(name)?;
    let mut zone = table.zone();
    zone.pass_to(now);
    let offset_ms = zone.offset_ms;
    let change = zone.until().map(|until| {
        zone.pass_to(until);
        (until, zone.offset_ms / MINUTE_MS)
    });
    Some(Clocks::new(offset_ms / MINUTE_MS, change))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-20T10:00:00Z").unwrap()
    }

    #[test]
    fn a_page_tells_its_offset_and_its_next_change() {
        let spring = Timestamp::parse("2027-03-28T01:00:00Z").unwrap();
        let berlin = Some(Clocks::new(60, Some((spring, 120))));
        let cases = [
            (
                r#"{"time":{"utc_offset_minutes":60,"changes_at":"2027-03-28T01:00:00Z","next_utc_offset_minutes":120}}"#,
                berlin,
            ),
            (r#"{"time_zone":"Europe/Berlin"}"#, berlin),
            // What the page has read of its clocks is nearer than a name.
            (r#"{"time_zone":"Asia/Tokyo","time":{"utc_offset_minutes":-90}}"#, Some(Clocks::new(-90, None))),
            (
                r#"{"time_zone":"Asia/Tokyo","time":{"utc_offset_minutes":"soon"}}"#,
                Some(Clocks::new(540, None)),
            ),
            (r#"{"time_zone":"Mars/Olympus"}"#, None),
            (r#"{"time_zone":7}"#, None),
            (r#"{"time":{}}"#, None),
            ("[]", None),
            ("{", None),
        ];
        for (context, clocks) in cases {
            assert_eq!(of_context(context, now()), clocks, "{context}");
        }
    }
}
