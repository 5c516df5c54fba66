//! Signals that were published later than their member was first seen: since when they count, and until when that shows.

use super::{MemberState, Period, SignalRef, SignalTiles, Tiles, Viewpoint, Window};
use crate::id::SignalId;
use crate::limits::{CALENDAR_BUCKET_MS, SESSION_MAX_MS};
use crate::time::Timestamp;

/// A signal whose window reaches back to before its events were counted. Its value is what has been counted since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warming {
    /// Since when its events are counted.
    pub since: Timestamp,
    /// When the window will have left behind what was not counted; never for a lifetime.
    pub until: Option<Timestamp>,
}

impl Tiles {
    /// Whether a signal's window reaches back to before its events were counted, in any of the parts.
    pub fn warming(parts: &[&Self], signal: &SignalRef<'_>, from: Viewpoint<'_>) -> Option<Warming> {
        let counted = parts.iter().filter_map(|part| part.get(signal.id)).map(SignalTiles::since);
        let since = counted.max().filter(|since| *since > SignalTiles::ALWAYS)?;
        let until = match signal.window {
            Window::Lifetime => None,
            // A session that was there before is over by then.
            Window::Session => Some(since.plus(SESSION_MAX_MS)),
            Window::Sliding { bucket_ms, .. } => {
                // The first bucket that was counted from its start is the oldest one of the window then.
                let (bucket, length) = signal.window.buckets_at(since.plus(bucket_ms - 1))?;
                Some(Timestamp(bucket.saturating_add(length - 1).saturating_mul(bucket_ms)))
            }
            Window::Calendar(unit) => {
                let period = Period::of(unit, from.now, from.zone);
                let first = Timestamp(period.from.0.div_euclid(CALENDAR_BUCKET_MS) * CALENDAR_BUCKET_MS);
                Some(if since > first { period.until } else { since })
            }
        };
        until.is_none_or(|until| until > from.now).then_some(Warming { since, until })
    }

    /// Notes that a signal is counted since an instant and not before; returns whether that was news.
    fn begin(&mut self, signal: SignalId, window: Window, since: Timestamp) -> bool {
        let tiles = self.signal(signal, window);
        let is_news = tiles.since < since;
        tiles.since = tiles.since.max(since);
        is_news
    }

    /// Replaces the tiles of a signal by those of another count, which reaches back to `since`.
    fn replace(&mut self, signal: SignalId, window: Window, counted: &Self, since: Timestamp) {
        let tiles = counted.get(signal).cloned();
        let mine = self.signal(signal, window);
        if let Some(tiles) = tiles {
            *mine = tiles;
        } else {
            mine.slices = super::sorted::SortedMap::default();
        }
        mine.since = since;
    }
}

impl MemberState {
    /// Marks signals that were published after the member was first seen, or after the last of them that it has met;
    /// returns whether there was one. `published` is in order of time.
    pub(crate) fn meet(
        &mut self,
        published: &[(Timestamp, SignalId, Window)],
        first_seen: Timestamp,
    ) -> bool {
        if self.met == Timestamp(0) {
            self.met = first_seen;
        }
        let newer = published.partition_point(|(at, _, _)| *at <= self.met);
        let mut news = false;
        for (at, signal, window) in published.get(newer..).unwrap_or_default() {
            news |= self.tiles.begin(*signal, *window, *at);
            self.met = *at;
        }
        news
    }

    /// The same without a record; nothing for a member of whom there has been no event.
    pub(crate) fn meet_again(&mut self, published: &[(Timestamp, SignalId, Window)]) -> Option<bool> {
        let met = Some(self.met).filter(|met| *met != Timestamp(0))?;
        Some(self.meet(published, met))
    }

    /// Takes the tiles of some signals from a state that has counted the member's records from `since` on.
    pub(crate) fn take_tiles<'a>(
        &mut self,
        signals: impl Iterator<Item = SignalRef<'a>>,
        counted: &Self,
        since: Timestamp,
    ) {
        signals.for_each(|signal| self.tiles.replace(signal.id, signal.window, &counted.tiles, since));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::fixture::{event, signal, table};
    use crate::profile::{Aggregate, CalendarUnit, Utc};

    #[test]
    fn a_window_is_warm_once_it_has_left_behind_what_was_not_counted() {
        const DAY: i64 = 86_400_000;
        let since = Timestamp(10 * DAY + 61_000);
        let sliding = Window::Sliding { window_ms: 600_000, bucket_ms: 20_000 };
        let cases = [
            (sliding, Some(10 * DAY + 80_000 + 580_000)),
            (Window::Session, Some(11 * DAY + 61_000)),
            (Window::Calendar(CalendarUnit::Day), Some(11 * DAY)),
            (Window::Lifetime, None),
        ];
        for (window, until) in cases {
            let table = table(alloc::vec![signal("s", Aggregate::Count, window, None)]);
            let counted = table.by_name("s").unwrap();
            let mut tiles = Tiles::default();
            let at = |now: i64| Viewpoint { now: Timestamp(now), session: None, zone: &Utc };
            tiles.apply(&table, &event(since.0, "page_view", "{}"), since);
            assert_eq!(Tiles::warming(&[&tiles], &counted, at(since.0)), None, "counted all along");
            assert!(tiles.begin(counted.id, window, since) && !tiles.begin(counted.id, window, since));
            let warming = Some(Warming { since, until: until.map(Timestamp) });
            let read = |now: i64| Tiles::warming(&[&Tiles::default(), &tiles], &counted, at(now));
            assert_eq!(read(since.0), warming, "{window:?}");
            match until {
                Some(until) => assert_eq!((read(until - 1), read(until)), (warming, None), "{window:?}"),
                None => assert_eq!(read(since.0 + 4_000 * DAY), warming),
            }
        }
    }
}
