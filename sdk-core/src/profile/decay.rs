//! Sums over the tiles of a window in which what lies further back weighs less.

use super::{SignalRef, Tiles, Viewpoint, Window};
use crate::condition::Reading;
use crate::limits::MAX_DECAY_BUCKETS;
use crate::time::Timestamp;
use crate::value::ValueRef;
use core::f64::consts::LN_2;

impl Tiles {
    /// The decayed value of a counting or summing signal under a key at `now`, all parts taken together. Without a
    /// half-life, which is above 0, and where a window is not cut into buckets, it is the value that
    /// [`Tiles::read`] gives.
    ///
    /// The tiles of one bucket are added up exactly, over all parts. Then the latest [`MAX_DECAY_BUCKETS`] buckets of
    /// the window are added as doubles in their order, the oldest first, each as its value times 2^(−age/half-life),
    /// where the age is the time from its beginning to the beginning of the current bucket. So the value changes only
    /// when a bucket begins or an event comes, and it is equal to the last bit however the tiles are spread and whoever
    /// asks.
    pub fn read_decayed<'a>(
        parts: &[&'a Self],
        signal: &SignalRef<'_>,
        key: &str,
        half_life_ms: i64,
        from: Viewpoint<'_>,
    ) -> Reading<'a> {
        let now = from.now;
        let (Window::Sliding { bucket_ms, .. }, Some((newest, length)), true) =
            (signal.window, signal.window.buckets_at(now), half_life_ms > 0)
        else {
            return Self::read(parts, signal, key, from);
        };
        let mut bucket = **signal;
        bucket.window = Window::Sliding { window_ms: bucket_ms, bucket_ms };
        let (mut sum, mut until) = (0.0, None);
        let mut age = bucket_ms.wrapping_mul(length.min(MAX_DECAY_BUCKETS));
        while age > 0 {
            age -= bucket_ms;
            let at = Timestamp(now.0.saturating_sub(age));
            match Self::read(parts, &bucket, key, Viewpoint { now: at, session: None, ..from }) {
                Reading::Value(ValueRef::Number(value), next) => {
                    sum += value * weight(age, half_life_ms);
                    until = next;
                }
                other => return other,
            }
        }
        if sum != 0.0 {
            // Exact for 285,000 years, then bounded; a saturating product of integers is a call in the page.
            until = Some(Timestamp((newest.saturating_add(1) as f64 * bucket_ms as f64) as i64));
        }
        Reading::Value(ValueRef::Number(sum), until)
    }
}

/// 2^(−age/half-life): whole half-lives are exact, and only the rest goes through `exp`, which `libm` gives alike on
/// every host. Nothing is left after 1,022 half-lives.
fn weight(age_ms: i64, half_life_ms: i64) -> f64 {
    let (Some(whole), Some(rest)) = (age_ms.checked_div(half_life_ms), age_ms.checked_rem(half_life_ms))
    else {
        return 0.0;
    };
    let power =
        if (0..1_023).contains(&whole) { f64::from_bits(((1_023 - whole) as u64) << 52) } else { 0.0 };
    power * libm::exp(-LN_2 * (rest as f64 / half_life_ms as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Utc;
    use crate::profile::fixture::{event, signal, table};
    use crate::profile::{Aggregate, SignalTable};
    use alloc::format;
    use alloc::vec;
    use proptest::prelude::*;

    const WINDOW: Window = Window::Sliding { window_ms: 60_000, bucket_ms: 10_000 };
    const HALF_LIFE: i64 = 20_000;

    fn spent() -> SignalTable {
        table(vec![signal("spent", Aggregate::Count, WINDOW, None)])
    }

    fn read<'a>(parts: &[&'a Tiles], table: &SignalTable, half_life: i64, now: i64) -> Reading<'a> {
        Tiles::read_decayed(parts, &table.by_name("spent").unwrap(), "", half_life, at(Timestamp(now)))
    }

    fn counted(table: &SignalTable, times: &[i64]) -> Tiles {
        let mut tiles = Tiles::default();
        for at in times {
            tiles.apply(table, &event(*at, "page_view", "{}"), Timestamp(*at));
        }
        tiles
    }

    fn number(number: f64, until: Option<i64>) -> Reading<'static> {
        Reading::Value(ValueRef::Number(number), until.map(Timestamp))
    }

    const fn at(now: Timestamp) -> Viewpoint<'static> {
        Viewpoint { now, session: None, zone: &Utc }
    }

    #[test]
    fn a_count_halves_with_every_half_life_and_moves_on_with_its_buckets() {
        let table = spent();
        let tiles = counted(&table, &[1_000, 1_500, 9_999, 22_000]);
        assert_eq!(read(&[&tiles], &table, HALF_LIFE, 9_999), number(3.0, Some(10_000)));
        assert_eq!(read(&[&tiles], &table, HALF_LIFE, 20_000), number(3.0 * 0.5 + 1.0, Some(30_000)));
        assert_eq!(read(&[&tiles], &table, HALF_LIFE, 45_999), number(3.0 * 0.25 + 0.5, Some(50_000)));
        assert_eq!(
            read(&[&tiles], &table, HALF_LIFE, 60_000),
            number(0.25, Some(70_000)),
            "the first bucket left"
        );
        assert_eq!(read(&[&tiles], &table, HALF_LIFE, 90_000), number(0.0, None));
        assert_eq!(
            read(&[&tiles], &table, HALF_LIFE, -60_000),
            number(0.0, Some(0)),
            "what is to come enters then"
        );
    }

    #[test]
    fn nothing_decays_without_buckets_or_a_half_life() {
        let lifetime = table(vec![signal("spent", Aggregate::Count, Window::Lifetime, None)]);
        assert_eq!(read(&[&counted(&lifetime, &[5, 6])], &lifetime, HALF_LIFE, 9), number(2.0, None));
        let table = spent();
        for half_life in [0, -1] {
            assert_eq!(read(&[&counted(&table, &[5])], &table, half_life, 11_000), number(1.0, Some(60_000)));
        }
    }

    #[test]
    fn a_key_that_may_have_been_dropped_is_unknown() {
        let table = table(vec![signal("spent", Aggregate::Count, WINDOW, Some("metadata.a"))]);
        let mut tiles = Tiles::default();
        for key in 0..=crate::limits::MAX_KEYS_PER_TILE {
            tiles.apply(&table, &event(5, "page_view", &format!(r#"{{"a":{key}}}"#)), Timestamp(5));
        }
        let signal = table.by_name("spent").unwrap();
        let reading = |key: usize| {
            Tiles::read_decayed(&[&tiles], &signal, &format!("{key}"), HALF_LIFE, at(Timestamp(9)))
        };
        let unknown = (0..=256).filter(|key| reading(*key) == Reading::Truncated).count();
        assert_eq!((unknown, reading(1_000)), (1, Reading::Truncated));
    }

    #[test]
    fn weights_follow_the_power_of_two() {
        for (age, expected) in
            [(0, 1.0), (7, 0.5), (14, 0.25), (7 * 1_022, f64::MIN_POSITIVE), (7 * 1_023, 0.0)]
        {
            assert_eq!(weight(age, 7), expected, "{age}");
        }
        for age in 0..700 {
            let (found, exact) = (weight(age, 7), libm::exp2(-(age as f64) / 7.0));
            assert!((found - exact).abs() <= exact * 1e-14, "{age}: {found} {exact}");
        }
    }

    proptest! {
        #[test]
        fn any_split_and_order_gives_the_same_bits(
            times in proptest::collection::vec(0_i64..200_000, 1..40), split: prop::sample::Index, now in 0_i64..250_000,
        ) {
            let table = spent();
            let mut backwards = times.clone();
            backwards.reverse();
            // Two members' clocks: nothing expires before it is read.
            let count = |times: &[i64]| {
                let mut tiles = Tiles::default();
                times.iter().for_each(|at| tiles.apply(&table, &event(*at, "page_view", "{}"), Timestamp(0)));
                tiles
            };
            let (left, right) = backwards.split_at(split.index(times.len()));
            let [all, left, right] = [count(&times), count(left), count(right)];
            let whole = read(&[&all], &table, 7_777, now);
            prop_assert_eq!(read(&[&left, &right], &table, 7_777, now), whole);
            let newest = now.div_euclid(10_000);
            let plain: f64 = times
                .iter()
                .map(|at| at.div_euclid(10_000))
                .filter(|index| (newest - 5..=newest).contains(index))
                .map(|index| libm::exp2(-((newest - index) * 10_000) as f64 / 7_777.0))
                .sum();
            let Reading::Value(ValueRef::Number(found), _) = whole else { panic!("a number") };
            prop_assert!((found - plain).abs() < 1e-12, "{} {}", found, plain);
        }
    }
}
