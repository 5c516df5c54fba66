//! Packed zones and spans of local time against the time zone crate's own local time, minute by minute.
#![cfg(all(feature = "author", not(target_arch = "wasm32")))]
#![allow(clippy::unwrap_used, reason = "a zone that cannot be read is a failed test")]

use attune_core::limits::{ZONE_FIRST_YEAR, ZONE_LAST_YEAR};
use attune_core::time::{CalendarUnit, EVERY_DAY, Span, Timestamp, Zone, ZoneTable};
use jiff::civil::Weekday;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp as Instant, ToSpan, Zoned};
use proptest::prelude::*;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 1_440 * MINUTE_MS;

/// Zones with each kind of change: by an hour and by half of one, in both hemispheres, at midnight, before the date
/// line and behind it, in winter instead of summer, in Ramadan, given up within the years, and none.
const ZONES: [&str; 24] = [
    "Europe/Rome",
    "Europe/Dublin",
    "Europe/London",
    "America/New_York",
    "America/St_Johns",
    "America/Havana",
    "America/Asuncion",
    "America/Santiago",
    "America/Nuuk",
    "America/Sao_Paulo",
    "America/Mexico_City",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Asia/Kathmandu",
    "Asia/Beirut",
    "Asia/Gaza",
    "Africa/Cairo",
    "Africa/Casablanca",
    "UTC",
];

fn zone_of(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

fn local(zone: &TimeZone, at: Timestamp) -> Zoned {
    Instant::from_millisecond(at.0).unwrap().to_zoned(zone.clone())
}

/// The changes of a zone within the years of a table, by bisection over its local time.
fn changes(zone: &TimeZone) -> Vec<Timestamp> {
    let offset = |minute: i64| zone.to_offset(Instant::from_second(minute * 60).unwrap()).seconds();
    let first = Timestamp::parse(&format!("{ZONE_FIRST_YEAR}-01-01T00:00:00Z")).unwrap().0 / MINUTE_MS;
    let last = Timestamp::parse(&format!("{ZONE_LAST_YEAR}-12-31T23:00:00Z")).unwrap().0 / MINUTE_MS;
    let mut found = Vec::new();
    for day in (first..last).step_by(1_440) {
        let (mut before, mut after) = (day, day + 1_440);
        if offset(before) == offset(after) {
            continue;
        }
        while after - before > 1 {
            let middle = (before + after) / 2;
            *(if offset(middle) == offset(before) { &mut before } else { &mut after }) = middle;
        }
        found.push(Timestamp(after * MINUTE_MS));
    }
    found
}

/// What the clocks show at an instant, by the time zone crate.
struct Shown {
    at: Timestamp,
    /// Local time as if it were UTC.
    wall: Timestamp,
    minute: i64,
    today: Weekday,
    yesterday: Weekday,
}

/// What the clocks of a zone show in each minute from an instant on.
fn shown(zone: &TimeZone, from: Timestamp, minutes: i64) -> Vec<Shown> {
    let each = (0..minutes).map(|minute| {
        let at = from.plus(minute * MINUTE_MS);
        let now = local(zone, at);
        let today = now.weekday();
        Shown {
            at,
            wall: at.plus(i64::from(now.offset().seconds()) * 1_000),
            minute: i64::from(now.hour()) * 60 + i64::from(now.minute()),
            today,
            yesterday: today.previous(),
        }
    });
    each.collect()
}

/// What a span says, from what the clocks show.
fn holds(span: &Span, shown: &Shown) -> bool {
    let (from, until) = (i64::from(span.from_minute), i64::from(span.from_minute) + i64::from(span.minutes));
    let is_day = |weekday: Weekday| span.days >> weekday.to_monday_zero_offset() & 1 == 1;
    let today = is_day(shown.today) && (from..until).contains(&shown.minute);
    let since_yesterday = is_day(shown.yesterday) && shown.minute + 1_440 < until;
    let clock = if span.is_local { shown.wall } else { shown.at };
    (today || since_yesterday) && span.starts <= clock && clock < span.ends
}

/// Goes through every minute from `from` on, and checks answer and outlook at each.
fn check_minutes(spans: &[Span], name: &str, from: Timestamp, minutes: i64) {
    let (zone, table) = (zone_of(name), ZoneTable::of_name(name).unwrap());
    let shown = shown(&zone, from, minutes + 9 * 1_440);
    let beyond = shown.last().unwrap().at;
    for span in spans {
        let mut next = None;
        for (minute, now) in shown.iter().enumerate().rev() {
            let answer = holds(span, now);
            if let Some(later) = shown.get(minute + 1)
                && holds(span, later) != answer
            {
                next = Some(later.at);
            }
            if minute as i64 >= minutes {
                continue;
            }
            let found = span.at(table.zone(), now.at);
            // What lies beyond the minutes looked at is no change within them.
            let found_next = found.1.filter(|next| *next <= beyond);
            assert_eq!((found.0, found_next), (answer, next), "{name} at {}: {span:?}", now.at);
            // Seconds do not matter.
            assert_eq!(span.at(table.zone(), now.at.plus(59_999)), found, "{name} at {}: {span:?}", now.at);
        }
    }
}

fn hours(from_minute: u16, minutes: u16) -> Span {
    Span { from_minute, minutes, ..Span::default() }
}

#[test]
fn every_zone_of_the_database_has_its_offsets_at_every_change() {
    let mut zones = 0;
    for name in TimeZoneDatabase::bundled().available() {
        let (zone, table) = (zone_of(name.as_str()), ZoneTable::of_name(name.as_str()).unwrap());
        assert!(Zone::is_table(table.as_bytes()), "{name}");
        let found = changes(&zone);
        let mut expected = found.iter().copied();
        let mut walked = table.zone();
        while let Some(until) = walked.until() {
            assert_eq!(Some(until), expected.next(), "{name}");
            walked.pass_to(until);
        }
        assert_eq!(expected.next(), None, "{name}");
        for at in found.iter().flat_map(|at| [at.plus(-1), *at, at.plus(40 * DAY_MS)]) {
            let mut packed = table.zone();
            packed.pass_to(at);
            let offset_s = local(&zone, at).offset().seconds();
            assert_eq!(packed.offset_ms, i64::from(offset_s) * 1_000, "{name} at {at}");
        }
        zones += 1;
    }
    assert!(zones > 500, "{zones}");
}

#[test]
fn spans_hold_by_the_clocks_through_every_kind_of_change() {
    let weekend = Span { days: 0b110_0000, ..Span::default() };
    let nights = Span { days: 0b100_0000, ..hours(23 * 60, 180) };
    let spans = [
        hours(120, 60),
        hours(150, 45),
        hours(0, 60),
        hours(23 * 60 + 30, 60),
        weekend,
        nights,
        Span::default(),
    ];
    for name in ZONES {
        for at in changes(&zone_of(name)).into_iter().take(3) {
            check_minutes(&spans, name, at.plus(-3 * 60 * MINUTE_MS), 6 * 60);
        }
        let year_end = Timestamp::parse("2027-12-31T00:00:00Z").unwrap();
        check_minutes(&[nights], name, year_end, 2 * 1_440);
    }
}

#[test]
fn days_weeks_and_months_are_those_of_the_clocks() {
    for name in ZONES {
        let (zone, table) = (zone_of(name), ZoneTable::of_name(name).unwrap());
        let around = changes(&zone)
            .into_iter()
            .take(6)
            .flat_map(|at| (-30..30).map(move |half| at.plus(half * 30 * MINUTE_MS)));
        for at in around.chain([Timestamp(1_798_761_599_999), Timestamp(1_798_761_600_000)]) {
            let now = local(&zone, at);
            let ms = |zoned: Zoned| Timestamp(zoned.timestamp().as_millisecond());
            let day = now.start_of_day().unwrap();
            let monday =
                now.date().checked_sub(i64::from(now.weekday().to_monday_zero_offset()).days()).unwrap();
            let monday = monday.to_zoned(zone.clone()).unwrap().start_of_day().unwrap();
            let first = now.first_of_month().unwrap().start_of_day().unwrap();
            for (unit, from, length) in [
                (CalendarUnit::Day, &day, 1.day()),
                (CalendarUnit::Week, &monday, 7.days()),
                (CalendarUnit::Month, &first, 1.month()),
            ] {
                let next = from.date().checked_add(length).unwrap().to_zoned(zone.clone()).unwrap();
                let expected = (ms(from.clone()), ms(next.start_of_day().unwrap()));
                assert_eq!(unit.around(table.zone(), at), expected, "{unit:?} in {name} at {at}");
            }
        }
    }
}

#[test]
fn a_day_that_the_date_line_took_away_is_no_day() {
    // Samoa went from Thursday 29 December 2011 to Saturday the 31st.
    let apia = ZoneTable::of_years("Pacific/Apia", 2010..=2013).unwrap();
    let skipped = Timestamp::parse("2011-12-30T10:00:00Z").unwrap();
    let (from, to) = CalendarUnit::Day.around(apia.zone(), skipped.plus(-1));
    assert_eq!((from, to), (skipped.plus(-DAY_MS), skipped));
    assert_eq!(CalendarUnit::Day.around(apia.zone(), skipped), (skipped, skipped.plus(DAY_MS)));
    let fridays = Span { days: 0b001_0000, ..Span::default() };
    let thursday = skipped.plus(-1);
    assert_eq!(fridays.at(apia.zone(), thursday), (false, Some(skipped.plus(6 * DAY_MS))));
    let thursday_nights = Span { days: 0b000_1000, ..hours(22 * 60, 240) };
    assert_eq!(thursday_nights.at(apia.zone(), thursday), (true, Some(skipped)));
}

#[test]
fn a_day_once_begun_is_not_left_where_clocks_are_put_back_over_midnight() {
    // Until 2011 Newfoundland put its clocks back at one minute past midnight.
    let table = ZoneTable::of_years("America/St_Johns", 2009..=2012).unwrap();
    let midnight = Timestamp::parse("2010-11-07T02:30:00Z").unwrap();
    for minutes in [0, 1, 30, 61, 90] {
        let (from, to) = CalendarUnit::Day.around(table.zone(), midnight.plus(minutes * MINUTE_MS));
        assert_eq!((from, to), (midnight, midnight.plus(25 * 60 * MINUTE_MS)), "{minutes} minutes in");
    }
    assert_eq!(CalendarUnit::Day.around(table.zone(), midnight.plus(-1)).1, midnight);
}

#[test]
fn behind_the_last_change_its_offset_holds() {
    let table = ZoneTable::of_name("Europe/Rome").unwrap();
    let (mut zone, late) = (table.zone(), Timestamp::parse("2050-07-01T00:00:00Z").unwrap());
    zone.pass_to(late);
    assert_eq!((zone.offset_ms, zone.until()), (60 * MINUTE_MS, None));
    assert_eq!(ZoneTable::of_name("Europe/Roma"), None);
    assert_eq!(ZoneTable::of_name("europe/rome").unwrap().name(), "Europe/Rome");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_span_holds_as_local_time_says(
        zone in 0..ZONES.len(),
        days in 1..=EVERY_DAY,
        from_minute in 0_u16..1_440,
        minutes in 1_u16..=1_440,
        change: prop::sample::Index,
        is_local: bool,
        starts in prop::option::of(-300_i64..300),
        length in prop::option::of(1_i64..600),
    ) {
        let name = ZONES[zone];
        let found = changes(&zone_of(name));
        let near = if found.is_empty() { Timestamp(1_793_000_040_000) } else { *change.get(&found) };
        let offset_ms = i64::from(local(&zone_of(name), near).offset().seconds()) * 1_000;
        let clock = near.plus(if is_local { offset_ms } else { 0 });
        let starts = starts.map(|minutes| clock.plus(minutes * MINUTE_MS));
        let ends = length.map(|minutes| starts.unwrap_or(clock).plus(minutes * MINUTE_MS)).unwrap_or(Span::NO_END);
        let starts = starts.unwrap_or(Span::NO_START);
        let span = Span { days, from_minute, minutes, starts, ends, is_local };
        check_minutes(&[span], name, near.plus(-6 * 60 * MINUTE_MS), 12 * 60);
    }

    #[test]
    fn any_bytes_read_as_a_zone_to_an_end(bytes: Vec<u8>, at: i64, days in 1..=EVERY_DAY, is_local: bool, starts: i64) {
        let table = ZoneTable::new(bytes);
        Zone::is_table(table.as_bytes());
        let starts = Timestamp(starts);
        Span { days, is_local, starts, ..hours(7, 90) }.at(table.zone(), Timestamp(at));
        CalendarUnit::Month.around(table.zone(), Timestamp(at));
    }
}
