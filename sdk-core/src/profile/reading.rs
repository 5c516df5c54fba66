//! Reading signals out of tiles at an instant.

use super::keys::{Found, bounded_key};
use super::tiles::Slice;
use super::{Bucket, Period, SignalHead, SignalRef, Tile, Tiles, Window, Zone};
use crate::condition::{Outlook, Reading};
use crate::hash::key_hash;
use crate::id::{SessionId, SignalId};
use crate::limits::CALENDAR_BUCKET_MS;
use crate::time::Timestamp;
use crate::value::ValueRef;
use alloc::vec::Vec;

/// From where signals are read.
#[derive(Clone, Copy, Debug)]
pub struct Viewpoint<'a> {
    /// The instant.
    pub now: Timestamp,
    /// The visitor's current session.
    pub session: Option<SessionId>,
    /// The visitor's clocks.
    pub zone: &'a dyn Zone,
}

impl Tiles {
    /// The value of a signal under a key, all parts taken together. Signals without `by` have the empty key.
    ///
    /// Counts, sums and distinct values of nothing are zero, every other aggregate of nothing is missing, and so is
    /// every session signal where there is no session.
    pub fn read<'a>(parts: &[&'a Self], signal: &SignalHead, key: &str, from: Viewpoint<'_>) -> Reading<'a> {
        let mut room = [0; 40];
        let key = bounded_key(key, &mut room);
        let hash = key_hash(key.as_bytes());
        let Some(view) = View::new(signal.window, from) else { return Reading::Missing };
        let mut chosen: Option<(&'a Tile, Option<Timestamp>)> = None;
        let mut total: Option<Tile> = None;
        let mut outlook = Outlook::default();
        let mut truncated = false;
        view.each_slice(parts, signal.id, &mut |bucket, slice| {
            let tile = match slice.keys.get_hashed(hash, key) {
                Found::Value(tile) => tile,
                Found::Absent => return,
                Found::Truncated => {
                    truncated |= view.contains(bucket);
                    return;
                }
            };
            match view.place(bucket) {
                Place::Ahead(enters) => outlook.note(enters),
                Place::Behind => {}
                // Buckets other than that of the chosen tile leave without a trace; of equal ones the last to leave is
                // chosen.
                Place::Inside(leaves) if tile.is_choice() => {
                    let stays = |(mine, until): (&Tile, _)| {
                        mine.beats(tile) || (until >= leaves && !tile.beats(mine))
                    };
                    if !chosen.is_some_and(stays) {
                        chosen = Some((tile, leaves));
                    }
                }
                Place::Inside(leaves) => {
                    leaves.into_iter().for_each(|at| outlook.note(at));
                    match &mut total {
                        Some(mine) => mine.merge(tile),
                        nothing => *nothing = Some(tile.clone()),
                    }
                }
            }
        });
        if truncated {
            return Reading::Truncated;
        }
        let value = match (chosen, total) {
            (Some((tile, leaves)), _) => {
                leaves.into_iter().for_each(|at| outlook.note(at));
                tile.value()
            }
            (None, Some(total)) => ValueRef::Number(total.number()),
            (None, None) if signal.aggregate.starts_at_zero() => ValueRef::Number(0.0),
            (None, None) => return Reading::Missing,
        };
        Reading::Value(value, outlook.next)
    }

    /// Whether what is missing of a signal stays so until it counts again: no bucket is still to come, and none that is covered has
    /// dropped keys. A missing value says of neither when it ends.
    pub(crate) fn is_settled(parts: &[&Self], signal: &SignalHead, from: Viewpoint<'_>) -> bool {
        let Some(view) = View::new(signal.window, from) else { return true };
        let mut is_settled = true;
        view.each_slice(parts, signal.id, &mut |bucket, slice| {
            is_settled &= match view.place(bucket) {
                Place::Ahead(_) => false,
                Place::Inside(_) => !slice.keys.is_truncated(),
                Place::Behind => true,
            };
        });
        is_settled
    }

    /// Shows every key that a tile of a signal has, once for each tile; returns whether none has dropped any.
    pub fn each_key(&self, signal: SignalId, see: &mut dyn FnMut(&str)) -> bool {
        let Some(tiles) = self.get(signal) else { return true };
        let mut is_complete = true;
        for (_, slice) in tiles.slices.iter() {
            slice.keys.iter().for_each(|(key, _)| see(key));
            is_complete &= !slice.keys.is_truncated();
        }
        is_complete
    }

    /// Shows every key of a signal with its value, in order of key.
    pub fn each_entry(
        parts: &[&Self],
        signal: &SignalRef<'_>,
        from: Viewpoint<'_>,
        see: &mut dyn FnMut(&str, ValueRef<'_>),
    ) {
        let Some(view) = View::new(signal.window, from) else { return };
        let mut keys: Vec<&str> = Vec::new();
        view.each_slice(parts, signal.id, &mut |bucket, slice| {
            if view.contains(bucket) {
                for (key, _) in slice.keys.iter() {
                    if let Err(at) = keys.binary_search(&key) {
                        keys.insert(at, key);
                    }
                }
            }
        });
        for key in keys {
            if let Reading::Value(value, _) = Self::read(parts, signal, key, from) {
                see(key, value);
            }
        }
    }
}

/// The buckets a window covers at an instant.
#[derive(Clone, Copy)]
enum View {
    One(Bucket),
    /// The buckets from `first` to `newest`; all of them leave at `ends`, or each when its time has come.
    Range {
        first: i64,
        newest: i64,
        bucket_ms: i64,
        ends: Option<Timestamp>,
    },
}

/// Where a bucket lies, seen from an instant.
enum Place {
    Behind,
    /// Inside, until it leaves.
    Inside(Option<Timestamp>),
    /// Later than now; it enters then.
    Ahead(Timestamp),
}

impl View {
    fn new(window: Window, from: Viewpoint<'_>) -> Option<Self> {
        let (newest, length) = match window {
            Window::Lifetime => return Some(Self::One(Bucket::Lifetime)),
            Window::Session => return Some(Self::One(Bucket::Session(from.session?))),
            _ => window.buckets_at(from.now)?,
        };
        Some(match window {
            Window::Calendar(unit) => {
                let Period { from, until } = Period::of(unit, from.now, from.zone);
                let (first, bucket_ms) = (from.0.div_euclid(CALENDAR_BUCKET_MS), CALENDAR_BUCKET_MS);
                Self::Range { first, newest, bucket_ms, ends: Some(until) }
            }
            Window::Sliding { bucket_ms, .. } => {
                let first = newest.saturating_sub(length).saturating_add(1);
                Self::Range { first, newest, bucket_ms, ends: None }
            }
            Window::Session | Window::Lifetime => return None,
        })
    }

    /// Shows the slices of a signal that this view may cover, now or later.
    fn each_slice<'a>(self, parts: &[&'a Tiles], signal: SignalId, see: &mut dyn FnMut(Bucket, &'a Slice)) {
        for tiles in parts.iter().filter_map(|part| part.get(signal)) {
            match self {
                Self::One(bucket) => {
                    if let Some(slice) = tiles.slices.get(&bucket) {
                        see(bucket, slice);
                    }
                }
                Self::Range { .. } => tiles.slices.iter().for_each(|(bucket, slice)| see(*bucket, slice)),
            }
        }
    }

    fn contains(self, bucket: Bucket) -> bool {
        matches!(self.place(bucket), Place::Inside(_))
    }

    fn place(self, bucket: Bucket) -> Place {
        match (self, bucket) {
            (Self::Range { first, newest, bucket_ms, ends }, Bucket::Time(index)) => {
                // Exact for 285,000 years, then bounded; a saturating product of integers is a call in the page.
                let starts = |index: i64| Timestamp((index as f64 * bucket_ms as f64) as i64);
                if index > newest {
                    Place::Ahead(starts(index))
                } else if index >= first {
                    let length = newest.saturating_sub(first).saturating_add(1);
                    Place::Inside(ends.or_else(|| Some(starts(index.saturating_add(length)))))
                } else {
                    Place::Behind
                }
            }
            (Self::One(one), other) if one == other => Place::Inside(None),
            _ => Place::Behind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Uuid;
    use crate::profile::fixture::{event, signal, table};
    use crate::profile::{Aggregate, Utc};
    use alloc::format;
    use alloc::string::String;
    use alloc::vec;

    const SLIDING: Window = Window::Sliding { window_ms: 60_000, bucket_ms: 10_000 };

    fn at(now: i64, session: Option<SessionId>) -> Viewpoint<'static> {
        Viewpoint { now: Timestamp(now), session, zone: &Utc }
    }

    fn number(number: f64, until: Option<i64>) -> Reading<'static> {
        Reading::Value(ValueRef::Number(number), until.map(Timestamp))
    }

    #[test]
    fn a_sliding_count_says_when_its_oldest_bucket_leaves() {
        let table = table(vec![signal("views", Aggregate::Count, SLIDING, None)]);
        let views = table.by_name("views").unwrap();
        let mut tiles = Tiles::default();
        for at in [5_000, 14_000, 14_500, 90_000] {
            tiles.apply(&table, &event(at, "page_view", "{}"), Timestamp(14_500));
        }
        let at = |now: i64| Tiles::read(&[&tiles], &views, "", at(now, None));
        assert_eq!(at(14_999), number(3.0, Some(60_000)));
        assert_eq!(at(60_000), number(2.0, Some(70_000)));
        assert_eq!(at(70_000), number(0.0, Some(90_000)), "the future event enters in its own time");
        assert_eq!(at(90_000), number(1.0, Some(150_000)));
        assert_eq!(at(150_000), number(0.0, None));
    }

    #[test]
    fn the_last_time_leaves_with_its_own_bucket_only() {
        let table = table(vec![signal("cart_at", Aggregate::LastAt, SLIDING, None)]);
        let cart_at = table.by_name("cart_at").unwrap();
        let (mut own, mut other) = (Tiles::default(), Tiles::default());
        own.apply(&table, &event(5_000, "page_view", "{}"), Timestamp(5_000));
        other.apply(&table, &event(25_000, "page_view", "{}"), Timestamp(25_000));
        let latest = ValueRef::Text("1970-01-01T00:00:25.000Z");
        let at = |now: i64| Tiles::read(&[&own, &other], &cart_at, "", at(now, None));
        assert_eq!(at(30_000), Reading::Value(latest, Some(Timestamp(80_000))));
        assert_eq!(at(80_000), Reading::Missing);
    }

    #[test]
    fn sums_add_up_over_the_parts_and_over_keys_of_their_own() {
        let table = table(vec![signal("spent", Aggregate::Sum, Window::Session, Some("metadata.shop"))]);
        let spent = table.by_name("spent").unwrap();
        let session = Some(SessionId(Uuid::from_u128(1)));
        let (mut own, mut other) = (Tiles::default(), Tiles::default());
        own.apply(&table, &event(1, "page_view", r#"{"shop":"a","value":1.5}"#), Timestamp(1));
        own.apply(&table, &event(2, "page_view", r#"{"shop":"b","value":"much"}"#), Timestamp(2));
        other.apply(&table, &event(3, "page_view", r#"{"shop":"a","value":-0.25}"#), Timestamp(3));
        let read = |key: &str, session| Tiles::read(&[&own, &other], &spent, key, at(9, session));
        assert_eq!(read("a", session), number(1.25, None));
        assert_eq!(read("b", session), number(0.0, None));
        assert_eq!(read("a", None), Reading::Missing);
        let mut entries = Vec::new();
        Tiles::each_entry(&[&own, &other], &spent, at(9, session), &mut |key, value| {
            entries.push((String::from(key), value.as_number()));
        });
        assert_eq!(entries, [(String::from("a"), Some(1.25))]);
    }

    #[test]
    fn a_key_is_unknown_as_soon_as_one_part_may_have_dropped_it() {
        let table = table(vec![signal("views", Aggregate::Count, Window::Lifetime, Some("metadata.page"))]);
        let views = table.by_name("views").unwrap();
        let (mut many, mut one) = (Tiles::default(), Tiles::default());
        for page in 0..300 {
            many.apply(&table, &event(1, "page_view", &format!(r#"{{"page":{page}}}"#)), Timestamp(1));
        }
        fn read<'a>(parts: &[&'a Tiles], views: &SignalRef<'_>, page: i32) -> Reading<'a> {
            Tiles::read(parts, views, &format!("{page}"), at(9, None))
        }
        let dropped = (0..300).find(|page| read(&[&many], &views, *page) == Reading::Truncated).unwrap();
        one.apply(&table, &event(1, "page_view", &format!(r#"{{"page":{dropped}}}"#)), Timestamp(1));
        assert_eq!(read(&[&one], &views, dropped), number(1.0, None));
        assert_eq!(read(&[&one, &many], &views, dropped), Reading::Truncated);
    }
}
