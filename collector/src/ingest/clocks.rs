//! The visitor's clocks, as the context of a batch tells of them.

use crate::limits::MAX_ZONES_KEPT;
use attune_core::condition::told_clocks;
use attune_core::time::{Clocks, Timestamp, ZoneTable};
use attune_core::value::{ValueRef, parse};
use quick_cache::sync::Cache;
use std::sync::{Arc, LazyLock};

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
    let table = table_of(name)?;
    let mut zone = table.zone();
    zone.pass_to(now);
    let offset_ms = zone.offset_ms;
    let change = zone.until().map(|until| {
        zone.pass_to(until);
        (until, zone.offset_ms / MINUTE_MS)
    });
    Some(Clocks::new(offset_ms / MINUTE_MS, change))
}

/// Zones by the names that senders give them: their transitions are many, and the same few come again and again.
static ZONES: LazyLock<Cache<Box<str>, Arc<ZoneTable>>> = LazyLock::new(|| Cache::new(MAX_ZONES_KEPT));

fn table_of(name: &str) -> Option<Arc<ZoneTable>> {
    if let Some(table) = ZONES.get(name) {
        return Some(table);
    }
    // A name that is none takes no place from one that is.
    let table = Arc::new(ZoneTable::of_name(name)?);
    ZONES.insert(name.into(), Arc::clone(&table));
    Some(table)
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

    #[test]
    fn a_zone_is_looked_up_once_and_an_unknown_name_takes_no_place() {
        assert!(table_of("Pacific/Chatham").is_some());
        let again = [table_of("Pacific/Chatham"), table_of("Pacific/Chatham")].map(Option::unwrap);
        assert!(Arc::ptr_eq(&again[0], &again[1]));
        for number in 0..2 * MAX_ZONES_KEPT {
            let name = format!("Mars/Crater{number}");
            assert!(table_of(&name).is_none() && ZONES.get(&*name).is_none());
        }
        // The database takes a name in any case: in a thousand spellings it is still no more than the bound.
        for spelling in 0..1_024_u32 {
            let letters = "america/los_angeles".char_indices();
            let is_upper = |place: usize| place < 10 && spelling >> place & 1 == 1;
            let name: String = letters
                .map(|(at, letter)| if is_upper(at) { letter.to_ascii_uppercase() } else { letter })
                .collect();
            assert!(table_of(&name).is_some(), "{name}");
        }
        assert!(ZONES.len() <= MAX_ZONES_KEPT, "{}", ZONES.len());
    }
}
