//! How much a write key, and whoever is at an address, may send: token buckets, and events in a day.

use super::{AddressLimits, KeyLimits, Rate, Site, WriteKey, WriteKeys};
use crate::limits::THROTTLED_ADDRESSES;
use attune_core::time::Timestamp;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use hashbrown::HashMap;
use quick_cache::sync::Cache;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

const DAY_MS: i64 = 86_400_000;

/// Which limit has been reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Requests of an address.
    AddressRequests(Rate),
    /// Events of an address.
    AddressEvents(Rate),
    /// Events of a write key.
    KeyEvents(Rate),
    /// Events of a write key in a day.
    KeyDay(u64),
}

/// More than a limit allows; nothing of it has been taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limited {
    /// The limit.
    pub limit: Limit,
    /// After what time as much would be within it.
    pub wait: Duration,
}

/// Time since the start of this process.
#[derive(Clone, Copy, Debug)]
pub struct Uptime(Instant);

/// Counts what is sent, by write key and by address.
#[derive(Debug)]
pub struct Throttle<C: Clock = Uptime> {
    limits: RwLock<Arc<Limits<C>>>,
    addresses: Cache<Site, Arc<Address<C>>>,
    clock: C,
}

/// What is in effect.
#[derive(Debug)]
struct Limits<C: Clock> {
    of_address: AddressLimits,
    keys: HashMap<Box<str>, Arc<Key<C>>>,
}

type Limiter<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;

#[derive(Debug)]
struct Address<C: Clock> {
    requests: Option<Limiter<C>>,
    events: Option<Limiter<C>>,
}

#[derive(Debug)]
struct Key<C: Clock> {
    limits: KeyLimits,
    events: Option<Limiter<C>>,
    today: Arc<Mutex<Today>>,
}

/// Events of one day.
#[derive(Debug, Default)]
struct Today {
    day: i64,
    events: u64,
}

/// Events that are within the limits and have not been accepted yet.
#[derive(Debug)]
#[must_use]
pub struct Allowed {
    day: Option<(Arc<Mutex<Today>>, i64)>,
    events: u64,
}

impl Clock for Uptime {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

impl Throttle {
    /// Limits of keys and of every address; nothing has been sent yet.
    pub fn new(keys: &WriteKeys, of_address: AddressLimits) -> Self {
        Self::by(Uptime(Instant::now()), &keys.list(), of_address)
    }
}

impl<C: Clock + Clone> Throttle<C> {
    fn by(clock: C, keys: &[Arc<WriteKey>], of_address: AddressLimits) -> Self {
        let limits = Limits { of_address: AddressLimits::default(), keys: HashMap::new() };
        let addresses = Cache::new(THROTTLED_ADDRESSES);
        let throttle = Self { limits: RwLock::new(Arc::new(limits)), addresses, clock };
        throttle.replace(keys, of_address);
        throttle
    }

    /// Puts other limits in effect. What has been sent still counts: of a rate where that has stayed the same, of the day in
    /// any case.
    pub fn replace(&self, keys: &[Arc<WriteKey>], of_address: AddressLimits) {
        let before = self.limits();
        let limited = keys.iter().filter(|key| key.limits != KeyLimits::default());
        let keys = limited.map(|key| {
            let old = before.keys.get(&key.key);
            let same = old.filter(|old| old.limits == key.limits).cloned();
            let kept = same.unwrap_or_else(|| {
                let events = key.limits.events.map(|rate| limiter(rate, &self.clock));
                let today = old.map(|old| old.today.clone()).unwrap_or_default();
                Arc::new(Key { limits: key.limits, events, today })
            });
            (key.key.clone(), kept)
        });
        let limits = Arc::new(Limits { of_address, keys: keys.collect() });
        *self.limits.write().unwrap_or_else(PoisonError::into_inner) = limits;
        if before.of_address != of_address {
            self.addresses.clear();
        }
    }

    fn limits(&self) -> Arc<Limits<C>> {
        self.limits.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes a request of an address.
    ///
    /// # Errors
    /// It has sent as many as it may.
    pub fn take_request(&self, site: Site) -> Result<(), Limited> {
        let limits = self.limits();
        let Some(rate) = limits.of_address.requests else { return Ok(()) };
        let address = self.address(&limits, site);
        self.take(address.requests.as_ref(), 1, Limit::AddressRequests(rate))
    }

    /// Takes events that an address sends under a key. The address is asked first, so that one that sends too much does
    /// not use up what the key has for all.
    ///
    /// # Errors
    /// One of them has sent as many as it may.
    pub fn take_events(
        &self,
        key: &WriteKey,
        site: Option<Site>,
        events: usize,
        now: Timestamp,
    ) -> Result<Allowed, Limited> {
        let limits = self.limits();
        let of_key = limits.keys.get(&key.key);
        // The day's can be given back, and nobody is to lose of the others for what the day refuses.
        let mut allowed = Allowed { day: None, events: events as u64 };
        if let Some(of_key) = of_key
            && let Some(most) = of_key.limits.events_per_day
        {
            let day = take_of_day(&of_key.today, most, allowed.events, now)?;
            allowed.day = Some((of_key.today.clone(), day));
        }
        match self.take_of_rates(&limits, of_key, site, events) {
            Ok(()) => Ok(allowed),
            Err(limited) => {
                allowed.accept(0);
                Err(limited)
            }
        }
    }

    fn take_of_rates(
        &self,
        limits: &Limits<C>,
        of_key: Option<&Arc<Key<C>>>,
        site: Option<Site>,
        events: usize,
    ) -> Result<(), Limited> {
        if let (Some(rate), Some(site)) = (limits.of_address.events, site) {
            let address = self.address(limits, site);
            self.take(address.events.as_ref(), events, Limit::AddressEvents(rate))?;
        }
        match of_key.and_then(|of_key| Some((of_key, of_key.limits.events?))) {
            Some((of_key, rate)) => self.take(of_key.events.as_ref(), events, Limit::KeyEvents(rate)),
            None => Ok(()),
        }
    }

    fn address(&self, limits: &Limits<C>, site: Site) -> Arc<Address<C>> {
        if let Some(address) = self.addresses.get(&site) {
            return address;
        }
        let begin = |rate: Option<Rate>| rate.map(|rate| limiter(rate, &self.clock));
        let new = Arc::new(Address {
            requests: begin(limits.of_address.requests),
            events: begin(limits.of_address.events),
        });
        let made = || Ok::<_, std::convert::Infallible>(new.clone());
        self.addresses.get_or_insert_with(&site, made).unwrap_or(new.clone())
    }

    fn take(&self, limiter: Option<&Limiter<C>>, count: usize, limit: Limit) -> Result<(), Limited> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let (Some(limiter), Some(count)) = (limiter, NonZeroU32::new(count)) else { return Ok(()) };
        match limiter.check_n(count) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_yet)) => Err(Limited { limit, wait: not_yet.wait_time_from(self.clock.now()) }),
            // Limits on events hold the largest batch, so that this is never asked for.
            Err(_) => Err(Limited { limit, wait: Duration::ZERO }),
        }
    }
}

fn limiter<C: Clock + Clone>(rate: Rate, clock: &C) -> Limiter<C> {
    let quota = Quota::per_second(rate.per_second).allow_burst(rate.burst);
    RateLimiter::direct_with_clock(quota, clock.clone())
}

/// Takes events of the day; returns which it is.
fn take_of_day(today: &Mutex<Today>, most: u64, events: u64, now: Timestamp) -> Result<i64, Limited> {
    let day = now.0.div_euclid(DAY_MS);
    let mut today = today.lock().unwrap_or_else(PoisonError::into_inner);
    if today.day != day {
        *today = Today { day, events: 0 };
    }
    if today.events.saturating_add(events) > most {
        let left_ms = DAY_MS - now.0.rem_euclid(DAY_MS);
        let wait = Duration::from_millis(left_ms.unsigned_abs());
        return Err(Limited { limit: Limit::KeyDay(most), wait });
    }
    today.events += events;
    Ok(day)
}

impl Allowed {
    /// Only so many have been accepted: the others count for no day.
    pub fn accept(self, accepted: u64) {
        let Some((today, day)) = self.day else { return };
        let mut today = today.lock().unwrap_or_else(PoisonError::into_inner);
        if today.day == day {
            today.events = today.events.saturating_sub(self.events.saturating_sub(accepted));
        }
    }
}

impl Limited {
    /// Stable name for answers.
    pub const fn code(&self) -> &'static str {
        match self.limit {
            Limit::KeyDay(_) => "quota_exceeded",
            _ => "rate_limited",
        }
    }
}

impl Limit {
    /// Stable name for metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AddressRequests(_) => "address_requests",
            Self::AddressEvents(_) => "address_events",
            Self::KeyEvents(_) => "key_events",
            Self::KeyDay(_) => "key_day",
        }
    }
}

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, rate) = match self.limit {
            Limit::AddressRequests(rate) => ("requests of one address", rate),
            Limit::AddressEvents(rate) => ("events of one address", rate),
            Limit::KeyEvents(rate) => ("events under this write key", rate),
            Limit::KeyDay(most) => {
                let what = "too many events under this write key in a day of UTC";
                return write!(f, "{what}; the limit is {most}");
            }
        };
        write!(f, "too many {what}; the limit is {} a second, {} at once", rate.per_second, rate.burst)
    }
}

impl std::error::Error for Limited {}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;

    const NOON: Timestamp = Timestamp(20_000 * DAY_MS + DAY_MS / 2);

    fn rate(per_second: u32, burst: u32) -> Option<Rate> {
        Some(Rate {
            per_second: NonZeroU32::new(per_second).unwrap(),
            burst: NonZeroU32::new(burst).unwrap(),
        })
    }

    fn site(number: u32) -> Site {
        Site::of(std::net::Ipv4Addr::from(number).into())
    }

    fn key(limits: KeyLimits) -> WriteKey {
        WriteKey { limits, ..WriteKey::open("k").unwrap() }
    }

    fn throttle(
        key: &WriteKey,
        of_address: AddressLimits,
    ) -> (Throttle<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (Throttle::by(clock.clone(), &[Arc::new(key.clone())], of_address), clock)
    }

    #[test]
    fn a_bucket_empties_at_once_fills_by_the_second_and_says_when() {
        let limits = AddressLimits { requests: rate(2, 4), events: None };
        let (throttle, clock) = throttle(&key(KeyLimits::default()), limits);
        let taken = (0..10).filter(|_| throttle.take_request(site(1)).is_ok()).count();
        assert_eq!(taken, 4);
        let limited = throttle.take_request(site(1)).unwrap_err();
        assert_eq!((limited.code(), limited.limit.name()), ("rate_limited", "address_requests"));
        assert_eq!(limited.wait, Duration::from_millis(500));
        assert!(throttle.take_request(site(2)).is_ok(), "others have their own");
        clock.advance(limited.wait);
        assert!(throttle.take_request(site(1)).is_ok());
        assert!(throttle.take_request(site(1)).is_err());
    }

    #[test]
    fn an_address_that_sends_too_much_leaves_the_key_to_others() {
        let key = key(KeyLimits { events: rate(100, 300), events_per_day: Some(1_000) });
        let (throttle, clock) = throttle(&key, AddressLimits { requests: None, events: rate(10, 100) });
        let take = |number, events| throttle.take_events(&key, Some(site(number)), events, NOON).map(|_| ());
        let limit = |result: Result<(), Limited>| result.unwrap_err().limit.name();
        assert_eq!(take(1, 100), Ok(()));
        for _ in 0..50 {
            assert_eq!(limit(take(1, 50)), "address_events");
        }
        assert_eq!((take(2, 100), take(3, 100)), (Ok(()), Ok(())));
        assert_eq!(limit(take(4, 100)), "key_events");
        clock.advance(Duration::from_secs(1));
        assert_eq!(take(5, 100), Ok(()));
        assert_eq!(take(1, 0), Ok(()), "nothing is never too much");
    }

    #[test]
    fn a_day_has_so_many_accepted_events_and_ends() {
        let key = key(KeyLimits { events: None, events_per_day: Some(100) });
        let (throttle, _) = throttle(&key, AddressLimits::default());
        let take = |events, now| throttle.take_events(&key, Some(site(1)), events, now);
        take(60, NOON).unwrap().accept(40);
        take(60, NOON).unwrap().accept(60);
        let limited = take(1, NOON).unwrap_err();
        assert_eq!((limited.code(), limited.limit.name()), ("quota_exceeded", "key_day"));
        assert_eq!(limited.wait, Duration::from_secs(12 * 3_600));
        let begun_yesterday = take(0, NOON).unwrap();
        let tomorrow = NOON.plus(DAY_MS / 2);
        take(100, tomorrow).unwrap().accept(100);
        begun_yesterday.accept(0);
        assert!(take(1, tomorrow).is_err());
    }

    #[test]
    fn other_limits_take_effect_and_what_was_sent_still_counts() {
        let mine = key(KeyLimits { events: rate(1, 100), events_per_day: Some(1_000) });
        let of_address = AddressLimits { requests: rate(1, 1), events: None };
        let (throttle, _) = throttle(&mine, of_address);
        let take = |events| {
            throttle.take_events(&mine, None, events, NOON).map(|allowed| allowed.accept(events as u64))
        };
        assert_eq!((take(100), throttle.take_request(site(1))), (Ok(()), Ok(())));
        // The same once more forgets nothing.
        throttle.replace(&[Arc::new(mine.clone())], of_address);
        assert_eq!(take(1).unwrap_err().limit.name(), "key_events");
        assert!(throttle.take_request(site(1)).is_err());
        // Another rate begins anew, and the day goes on.
        let other = key(KeyLimits { events: rate(1, 950), events_per_day: Some(1_000) });
        throttle.replace(&[Arc::new(other)], AddressLimits::default());
        assert_eq!(take(901).unwrap_err().limit.name(), "key_day");
        assert_eq!(take(900), Ok(()));
        assert!((0..10).all(|_| throttle.take_request(site(1)).is_ok()));
        throttle.replace(&[], AddressLimits::default());
        assert_eq!(take(5_000), Ok(()));
    }

    #[test]
    fn any_number_of_addresses_is_remembered_in_bounded_memory() {
        let limits = AddressLimits { requests: rate(1, 1), events: rate(1, 1) };
        let (throttle, _) = throttle(&key(KeyLimits::default()), limits);
        for number in 0..2 * THROTTLED_ADDRESSES as u32 {
            assert!(throttle.take_request(site(number)).is_ok());
        }
        assert!(throttle.addresses.len() <= THROTTLED_ADDRESSES);
        let last = site(2 * THROTTLED_ADDRESSES as u32 - 1);
        assert!(throttle.take_request(last).is_err(), "the latest is remembered");
    }

    #[test]
    fn where_nothing_is_said_nothing_is_counted() {
        let key = key(KeyLimits::default());
        let (throttle, _) = throttle(&key, AddressLimits::default());
        for _ in 0..10_000 {
            assert!(throttle.take_request(site(1)).is_ok());
            throttle.take_events(&key, Some(site(1)), 2_500, NOON).unwrap().accept(2_500);
        }
        assert!(throttle.addresses.is_empty());
    }
}
