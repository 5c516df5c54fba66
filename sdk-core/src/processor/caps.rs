//! How often triggers have fired, per rule, period and key.

use crate::codec::{Source, Writer};
use crate::id::{SessionId, Uuid, write_uuid};
use crate::limits::{MAX_DAY_FIRINGS, SESSION_KEEP_MS, SESSION_MAX_MS};
use crate::profile::sorted::SortedMap;
use crate::profile::{Found, Keys};
use crate::rules::{Cap, CapPeriod};
use crate::time::Timestamp;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

const DAY_MS: i64 = 24 * 3_600_000;

/// What firings are counted within. The last 24 h slide, so their firings are counted one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Period {
    Lifetime,
    Day,
    Session(SessionId),
}

/// Firings of one rule, in one period, under one key.
#[derive(Clone, Debug, Default, PartialEq)]
struct Count {
    total: u64,
    /// Instants in ascending order: all of the last 24 h for [`Period::Day`], else the last one alone.
    recent: Vec<Timestamp>,
}

/// Counts by rule and period, then by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Caps {
    counts: SortedMap<(Box<str>, Period), Keys<Count>>,
}

impl Period {
    /// The period of a cap; nothing for a session cap where there is no session.
    pub fn of(cap: &Cap, session: Option<SessionId>) -> Option<Self> {
        match cap.per {
            CapPeriod::Session => session.map(Self::Session),
            CapPeriod::Day => Some(Self::Day),
            CapPeriod::Lifetime => Some(Self::Lifetime),
        }
    }

    /// The name under which it takes part in a firing's id.
    pub fn name(self) -> String {
        let mut name = String::new();
        match self {
            Self::Lifetime => name.push_str("lifetime"),
            Self::Day => name.push_str("day"),
            Self::Session(session) => write_uuid(session.0, &mut name),
        }
        name
    }
}

impl Caps {
    /// Counts a firing at `now` if the cap leaves room; returns whether it does. What cannot be known counts as
    /// reached.
    pub fn take(&mut self, (rule, period): (&str, Period), cap: &Cap, key: &str, now: Timestamp) -> bool {
        let keys = self.counts.or_insert_with((Box::from(rule), period), Keys::default);
        match keys.get(key) {
            Found::Truncated => return false,
            Found::Value(count) if !count.leaves_room(cap, period, now) => return false,
            Found::Value(_) | Found::Absent if cap.count == 0 => return false,
            Found::Value(_) | Found::Absent => {}
        }
        let Some(count) = keys.or_insert_with(key, Count::default) else { return false };
        count.total = count.total.saturating_add(1);
        count.note(now, period);
        true
    }

    /// Adds the counts of a profile that has joined.
    pub fn join(&mut self, other: &Self) {
        for ((rule, period), theirs) in other.counts.iter() {
            let mine = self.counts.or_insert_with((rule.clone(), *period), Keys::default);
            mine.merge(theirs, |count, other| {
                count.total = count.total.saturating_add(other.total);
                other.recent.iter().for_each(|at| count.note(*at, *period));
            });
        }
    }

    /// Forgets periods that are over at `now`.
    pub fn prune(&mut self, now: Timestamp) {
        self.counts.retain(|(_, period), keys| {
            let last = keys.iter().filter_map(|(_, count)| count.recent.last()).max().copied();
            let idle_ms = last.map_or(i64::MAX, |last| now.since(last));
            match period {
                Period::Lifetime => true,
                Period::Day => idle_ms <= DAY_MS || keys.is_truncated(),
                Period::Session(_) => idle_ms <= SESSION_KEEP_MS + SESSION_MAX_MS,
            }
        });
    }

    pub fn encode(&self, out: &mut Writer) {
        out.len(self.counts.len());
        for ((rule, period), keys) in self.counts.iter() {
            out.str(rule);
            match period {
                Period::Lifetime => out.u8(0),
                Period::Day => out.u8(1),
                Period::Session(session) => {
                    out.u8(2);
                    out.raw(session.0.as_bytes());
                }
            }
            keys.encode(out, |count, out| {
                out.u64(count.total);
                out.len(count.recent.len());
                count.recent.iter().for_each(|at| out.i64(at.0));
            });
        }
    }

    pub fn decode(source: &mut Source<'_>) -> Self {
        let counts = SortedMap::decode(source, |source| {
            let rule = source.boxed_str();
            let period = match source.u8() {
                0 => Period::Lifetime,
                1 => Period::Day,
                2 => Period::Session(SessionId(Uuid::from_bytes(source.array()))),
                _ => {
                    source.fail();
                    Period::Lifetime
                }
            };
            let keys = Keys::decode(source, |source| Count {
                total: source.u64(),
                recent: source.list(|source| Timestamp(source.i64())),
            });
            ((rule, period), keys)
        });
        Self { counts }
    }
}

impl Count {
    fn leaves_room(&self, cap: &Cap, period: Period, now: Timestamp) -> bool {
        let last = self.recent.last();
        let gap_over = cap.min_gap_ms.zip(last).is_none_or(|(gap_ms, last)| now.since(*last) >= gap_ms);
        let fired = match period {
            Period::Lifetime | Period::Session(_) => self.total,
            Period::Day => self.recent.iter().filter(|at| now.since(**at) < DAY_MS).count() as u64,
        };
        gap_over && fired < u64::from(cap.count) && (fired as usize) < MAX_DAY_FIRINGS
    }

    fn note(&mut self, at: Timestamp, period: Period) {
        let place = self.recent.partition_point(|other| *other <= at);
        self.recent.insert(place, at);
        if period != Period::Day {
            let surplus = self.recent.len() - 1;
            self.recent.drain(..surplus);
        } else if let Some(last) = self.recent.last().copied() {
            self.recent.retain(|at| last.since(*at) < DAY_MS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cap(per: CapPeriod, count: u32, min_gap_ms: Option<i64>) -> Cap {
        Cap { per, count, min_gap_ms, shown: None, shown_at: None }
    }

    #[test]
    fn a_session_cap_counts_each_session_and_key_alone() {
        let mut caps = Caps::default();
        let once = cap(CapPeriod::Session, 1, None);
        let session = |number| Period::Session(SessionId(Uuid::from_u128(number)));
        assert!(caps.take(("rule", session(1)), &once, "a", Timestamp(1)));
        assert!(!caps.take(("rule", session(1)), &once, "a", Timestamp(2)));
        assert!(caps.take(("rule", session(1)), &once, "b", Timestamp(3)));
        assert!(caps.take(("rule", session(2)), &once, "a", Timestamp(4)));
    }

    #[test]
    fn a_day_cap_has_room_again_after_its_oldest_firing_is_a_day_old() {
        let mut caps = Caps::default();
        let twice = cap(CapPeriod::Day, 2, Some(1_000));
        let mut at = |ms| caps.take(("rule", Period::Day), &twice, "", Timestamp(ms));
        assert!(at(0));
        assert!(!at(999), "the gap is not over");
        assert!(at(1_000) && !at(2_000));
        assert!(at(DAY_MS) && !at(DAY_MS + 1));
    }

    #[test]
    fn a_joined_profile_brings_its_firings_along() {
        let (mut mine, mut theirs) = (Caps::default(), Caps::default());
        let twice = cap(CapPeriod::Lifetime, 2, None);
        assert!(mine.take(("rule", Period::Lifetime), &twice, "", Timestamp(1)));
        assert!(theirs.take(("rule", Period::Lifetime), &twice, "", Timestamp(2)));
        mine.join(&theirs);
        assert!(!mine.take(("rule", Period::Lifetime), &twice, "", Timestamp(3)));
        let mut out = Writer::new();
        mine.encode(&mut out);
        let bytes = out.into_bytes();
        let mut source = Source::new(&bytes);
        assert_eq!((Caps::decode(&mut source), source.finish()), (mine, Ok(())));
    }
}
