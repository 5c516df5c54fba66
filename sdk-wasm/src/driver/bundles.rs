//! The bundle: fetched at start and whenever a newer one is heard of; the last good one stays.

use super::Driver;
use crate::browser::fetch::{Answer, get};
use crate::browser::random::random_u64;
use crate::browser::timer::Timer;
use crate::host::Fault;
use std::cell::Cell;

/// First delay after a failure; later ones double.
const RETRY_BASE_MS: u64 = 2_000;
/// How often the delay doubles.
const MAX_DOUBLINGS: u32 = 5;

/// How fetching stands.
#[derive(Default)]
pub struct Bundles {
    retry: Timer,
    is_fetching: Cell<bool>,
    /// Whether another one was asked for while one was on its way.
    is_stale: Cell<bool>,
    failures: Cell<u32>,
    was_ready: Cell<bool>,
}

impl Bundles {
    /// Fetches no more.
    pub fn end(&self) {
        self.retry.clear();
        self.is_fetching.set(true);
    }
}

impl Driver {
    /// Fetches the bundle now.
    pub(super) fn fetch_bundle(&'static self) {
        if self.bundles.is_fetching.replace(true) {
            return self.bundles.is_stale.set(true);
        }
        self.bundles.retry.clear();
        get(&self.url("/v1/bundle"), Box::new(|answer| self.fetched_bundle(answer)));
    }

    fn fetched_bundle(&'static self, answer: Option<Answer>) {
        let bundles = &self.bundles;
        bundles.is_fetching.set(false);
        match answer {
            Some(answer) if answer.status == 200 => {
                bundles.failures.set(0);
                if let Err(error) = self.input(|client, now| client.handle_bundle(&answer.body, now)) {
                    self.report(error.code(), "the collector's bundle cannot be read", Fault::Environment);
                }
            }
            // Nothing has been published; a receipt or the stream will say when something has.
            Some(answer) if answer.status == 404 => bundles.failures.set(0),
            _ => self.retry_bundle(),
        }
        if !bundles.was_ready.replace(true) {
            self.host.ready();
        }
        if bundles.is_stale.take() {
            self.fetch_bundle();
        }
    }

    fn retry_bundle(&'static self) {
        let bundles = &self.bundles;
        let failures = bundles.failures.get();
        if failures == 0 {
            let message = "the bundle cannot be fetched; the one in effect stays, and fetching goes on";
            self.report("bundle_unreachable", message, Fault::Environment);
        }
        bundles.failures.set(failures.saturating_add(1));
        let delay = RETRY_BASE_MS << failures.min(MAX_DOUBLINGS);
        bundles.retry.set(delay / 2 + random_u64() % delay, || self.fetch_bundle());
    }
}
