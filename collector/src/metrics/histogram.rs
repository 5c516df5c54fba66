//! Histograms: what was measured, counted by how large it was. To observe is two additions, and waits for nobody.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What a histogram measures, and where its buckets end.
pub trait Scale {
    /// The inclusive upper bounds of the buckets, ascending, in whole steps; a last one without end follows them.
    const BOUNDS: &'static [u64];
    /// Steps to the unit that is exported.
    const STEPS: f64;
}

/// Durations, in steps of a microsecond, exported in seconds: from what a fast disk takes to sync to what no sender waits for.
#[derive(Debug)]
pub struct Seconds;

impl Scale for Seconds {
    const BOUNDS: &'static [u64] = &[
        100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
        2_500_000, 5_000_000, 10_000_000,
    ];
    const STEPS: f64 = 1_000_000.0;
}

/// Numbers of things, up to as many batches as can wait for the log.
#[derive(Debug)]
pub struct Count;

impl Scale for Count {
    const BOUNDS: &'static [u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024];
    const STEPS: f64 = 1.0;
}

/// Counts of what was observed, by bucket.
#[derive(Debug)]
pub struct Histogram<S> {
    buckets: Vec<AtomicU64>,
    sum: AtomicU64,
    scale: PhantomData<S>,
}

/// A histogram as it stood.
#[derive(Debug, PartialEq)]
pub struct Observed {
    /// All that was observed together, in the unit that is exported.
    pub sum: f64,
    /// How often something was.
    pub count: u64,
    /// Upper bounds in that unit and how many were within them and above the one before; the last is without end.
    pub buckets: Vec<(f64, u64)>,
}

impl<S: Scale> Default for Histogram<S> {
    fn default() -> Self {
        let buckets = (0..=S::BOUNDS.len()).map(|_| AtomicU64::default()).collect();
        Self { buckets, sum: AtomicU64::default(), scale: PhantomData }
    }
}

impl<S: Scale> Histogram<S> {
    /// Counts something of so many steps.
    pub fn observe(&self, steps: u64) {
        let bucket = S::BOUNDS.partition_point(|bound| *bound < steps);
        if let Some(count) = self.buckets.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(steps, Ordering::Relaxed);
    }

    /// What has been observed. The count is the sum of the buckets that were read, so that both agree whatever is observed
    /// meanwhile.
    pub fn read(&self) -> Observed {
        let bounds = S::BOUNDS.iter().map(|bound| *bound as f64 / S::STEPS).chain([f64::INFINITY]);
        let counts = self.buckets.iter().map(|count| count.load(Ordering::Relaxed));
        let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
        Observed {
            sum: self.sum.load(Ordering::Relaxed) as f64 / S::STEPS,
            count: buckets.iter().map(|(_, count)| count).sum(),
            buckets,
        }
    }
}

impl Histogram<Seconds> {
    /// Counts what took so long.
    pub fn observe_time(&self, elapsed: Duration) {
        self.observe(u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket_and_what_is_above_all_to_the_last() {
        let sizes = Histogram::<Count>::default();
        for size in [1, 2, 3, 4, 1_024, 1_025] {
            sizes.observe(size);
        }
        let read = sizes.read();
        assert_eq!((read.sum, read.count), (2_059.0, 6));
        let counted: Vec<_> = read.buckets.into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(counted, [(1.0, 1), (2.0, 1), (4.0, 2), (1_024.0, 1), (f64::INFINITY, 1)]);
    }

    #[test]
    fn durations_are_exported_in_seconds() {
        let times = Histogram::<Seconds>::default();
        times.observe_time(Duration::from_micros(1_500));
        let read = times.read();
        assert_eq!((read.sum, read.count), (0.001_5, 1));
        assert!(read.buckets.contains(&(0.002_5, 1)), "{:?}", read.buckets);
    }
}
