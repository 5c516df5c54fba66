//! Once in effect and no double counting, over random lives of two browsers of one user: tabs, reloads, crashes, lost
//! requests, lost receipts, repeats, refusals, pushes in any order.
#![allow(clippy::expect_used, reason = "a simulation that cannot start is a failed test")]

use attune_core::bundle::Bundle;
use attune_tests::{Browser, Clock, Collector, Network, bundle};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Step {
    Open(usize),
    Crash(usize, usize),
    Click { browser: usize, page: usize, category: usize, cents: u32 },
    Refused(usize, usize),
    Deliver(usize, usize, Network),
    Repeat(usize, usize),
    Push(usize, usize),
    Identify(usize, usize),
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let place = (0..2_usize, 0..3_usize);
    prop_oneof![
        1 => (0..2_usize).prop_map(Step::Open),
        1 => place.clone().prop_map(|(browser, page)| Step::Crash(browser, page)),
        8 => (place.clone(), 0..3_usize, 0..10_000_u32).prop_map(|((browser, page), category, cents)| {
            Step::Click { browser, page, category, cents }
        }),
        1 => place.clone().prop_map(|(browser, page)| Step::Refused(browser, page)),
        4 => place.clone().prop_map(|(browser, page)| Step::Deliver(browser, page, Network::Works)),
        2 => place.clone().prop_map(|(browser, page)| Step::Deliver(browser, page, Network::LosesRequest)),
        2 => place.clone().prop_map(|(browser, page)| Step::Deliver(browser, page, Network::LosesReceipt)),
        1 => place.clone().prop_map(|(browser, page)| Step::Repeat(browser, page)),
        3 => place.clone().prop_map(|(browser, page)| Step::Push(browser, page)),
        1 => place.prop_map(|(browser, page)| Step::Identify(browser, page)),
        2 => (1..2_000_i64).prop_map(Step::Wait),
    ]
}

/// What has truly happened, counted without any of the product's code.
#[derive(Default)]
struct Truth {
    clicks: [u64; 2],
    refused: [u64; 2],
    cents: [u64; 2],
    by_category: BTreeMap<(usize, usize), u64>,
    linked: [bool; 2],
}

impl Truth {
    /// The browsers whose events belong to one browser's profile.
    fn profile(&self, browser: usize) -> Vec<usize> {
        if self.linked == [true, true] { vec![0, 1] } else { vec![browser] }
    }

    fn clicks(&self, browser: usize) -> f64 {
        self.profile(browser).into_iter().map(|one| self.clicks[one] as f64).sum()
    }

    fn spent(&self, browser: usize) -> f64 {
        self.profile(browser).into_iter().map(|one| self.cents[one]).sum::<u64>() as f64 / 100.0
    }

    fn category(&self, browser: usize, category: usize) -> f64 {
        let of = |one| self.by_category.get(&(one, category)).copied().unwrap_or_default();
        self.profile(browser).into_iter().map(of).sum::<u64>() as f64
    }
}

struct World {
    clock: Clock,
    collector: Collector,
    browsers: [Browser; 2],
    truth: Truth,
}

impl World {
    fn new() -> Self {
        let bytes = bundle(1);
        let opened = Bundle::open(&bytes).expect("the bundle opens");
        let mut browsers = [Browser::new("browser-a", bytes.clone()), Browser::new("browser-b", bytes)];
        let clock = Clock::new();
        browsers.iter_mut().for_each(|browser| browser.open(clock));
        Self { clock, collector: Collector::new(opened), browsers, truth: Truth::default() }
    }

    fn apply(&mut self, step: &Step) {
        self.clock.advance(1);
        let clock = self.clock;
        match *step {
            Step::Open(browser) if self.browsers[browser].pages.len() < 3 => {
                self.browsers[browser].open(clock)
            }
            Step::Crash(browser, page) if self.has(browser, page) => {
                self.browsers[browser].crash(page);
                if self.browsers[browser].pages.is_empty() {
                    self.browsers[browser].open(clock);
                }
            }
            Step::Click { browser, page, category, cents } if self.has(browser, page) => {
                let metadata =
                    format!(r#"{{"category":"c{category}","price":{}.{:02}}}"#, cents / 100, cents % 100);
                self.browsers[browser].track(page, "click", &metadata, clock);
                self.truth.clicks[browser] += 1;
                self.truth.cents[browser] += u64::from(cents);
                *self.truth.by_category.entry((browser, category)).or_default() += 1;
            }
            Step::Refused(browser, page) if self.has(browser, page) => {
                self.browsers[browser].track(
                    page,
                    "click",
                    r#"{"category":"c0","price":1,"refused":true}"#,
                    clock,
                );
                self.truth.refused[browser] += 1;
            }
            Step::Deliver(browser, page, network) if self.has(browser, page) => {
                self.browsers[browser].deliver(page, network, &mut self.collector, clock);
            }
            Step::Repeat(browser, page) if self.has(browser, page) => {
                self.browsers[browser].repeat(page, &mut self.collector, clock);
            }
            Step::Push(browser, page) if self.has(browser, page) => {
                self.browsers[browser].push(page, &self.collector, clock);
            }
            Step::Identify(browser, page) if self.has(browser, page) => {
                self.browsers[browser].identify(page, "user-1", clock);
                self.truth.linked[browser] = true;
            }
            Step::Wait(ms) => self.clock.advance(ms),
            _ => {}
        }
    }

    fn has(&self, browser: usize, page: usize) -> bool {
        page < self.browsers[browser].pages.len()
    }

    /// Opens one more page in each browser, so that nothing lies unadopted, closes the others where asked to, then
    /// delivers and pushes until nothing moves.
    fn settle(&mut self, reload: bool) {
        for browser in &mut self.browsers {
            while reload && !browser.pages.is_empty() {
                browser.crash(0);
            }
            browser.open(self.clock);
        }
        for (browser, page) in self.places() {
            self.browsers[browser].online(page);
        }
        for _ in 0..2_000 {
            self.clock.advance(3_000);
            let mut moved = false;
            for (browser, page) in self.places() {
                moved |=
                    self.browsers[browser].deliver(page, Network::Works, &mut self.collector, self.clock);
            }
            let waiting = |(browser, page): (usize, usize)| self.browsers[browser].waiting(page);
            if !moved && self.places().into_iter().map(waiting).sum::<usize>() == 0 {
                break;
            }
        }
        for (browser, page) in self.places() {
            self.browsers[browser].push(page, &self.collector, self.clock);
        }
    }

    /// Every open page, as browser and page.
    fn places(&self) -> Vec<(usize, usize)> {
        let pages =
            |(index, browser): (usize, &Browser)| (0..browser.pages.len()).map(move |page| (index, page));
        self.browsers.iter().enumerate().flat_map(pages).collect()
    }

    fn never_more_than_happened(&self) -> Result<(), TestCaseError> {
        for (index, browser) in self.browsers.iter().enumerate() {
            for page in 0..browser.pages.len() {
                let seen = browser.signal(page, "clicks", None, self.clock);
                let happened = self.truth.clicks(index) + self.truth.refused[index] as f64;
                prop_assert!(seen <= happened, "browser {index} page {page} shows {seen}");
            }
        }
        Ok(())
    }

    fn exactly_what_happened(&self) -> Result<(), TestCaseError> {
        for (index, page) in self.places() {
            let browser = &self.browsers[index];
            prop_assert_eq!(browser.waiting(page), 0, "browser {} page {} still has events", index, page);
            let clicks = browser.signal(page, "clicks", None, self.clock);
            prop_assert_eq!(clicks, self.truth.clicks(index), "clicks of browser {} page {}", index, page);
            let spent = browser.signal(page, "spent", None, self.clock);
            prop_assert!((spent - self.truth.spent(index)).abs() < 1e-6, "spent {spent}");
            for category in 0..3 {
                let key = format!("c{category}");
                let seen = browser.signal(page, "by_category", Some(&key), self.clock);
                prop_assert_eq!(seen, self.truth.category(index, category), "browser {} {}", index, key);
            }
            prop_assert_eq!(browser.stored_events(), 0, "browser {} keeps covered events", index);
        }
        let happened: u64 = self.truth.clicks.iter().sum();
        prop_assert!(self.collector.taken.len() as u64 >= happened);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn every_page_shows_what_happened_and_never_more(
        steps in prop::collection::vec(step(), 1..120),
        reload: bool,
    ) {
        let mut world = World::new();
        for step in &steps {
            world.apply(step);
            world.never_more_than_happened()?;
        }
        world.settle(reload);
        world.never_more_than_happened()?;
        world.exactly_what_happened()?;
    }
}

#[test]
fn a_collector_that_counts_repeats_is_caught() {
    // The control of the property above: a truth that lacks one click must be exceeded.
    let mut world = World::new();
    world.apply(&Step::Click { browser: 0, page: 0, category: 0, cents: 100 });
    world.truth.clicks[0] = 0;
    assert!(world.never_more_than_happened().is_err());
}
