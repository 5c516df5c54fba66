//! How fast the disk of the data folder syncs, measured at the start: every acknowledgement waits for a sync.

use crate::limits::{FAST_SYNC, SELFTEST_BYTES, SELFTEST_ROUNDS, SELFTEST_TIME, SLOW_SYNC};
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// The name of the file that is written and removed.
const NAME: &str = "selftest";

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncSpeed {
    /// Half of the syncs took no longer.
    pub median: Duration,
    /// The slowest.
    pub slowest: Duration,
    /// How many there were.
    pub rounds: usize,
}

/// What a speed means for whoever sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As disks are.
    Usual,
    /// So slow that acknowledgements suffer.
    Slow,
    /// So fast that it may be no sync.
    Doubtful,
}

/// Overwrites a file of the folder and syncs it again and again, as the log is written, for a bounded time: it ends with the
/// sync that goes beyond.
///
/// # Errors
/// The folder cannot be written.
pub fn measure(folder: &Path) -> io::Result<SyncSpeed> {
    let path = folder.join(NAME);
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(&path)?;
    let block = vec![0xa5; SELFTEST_BYTES];
    // As in the log, no sync has to note that the file has grown.
    let measured = file.write_all_at(&block, 0).and_then(|()| file.sync_all()).and_then(|()| {
        let begun = Instant::now();
        let mut times = Vec::with_capacity(SELFTEST_ROUNDS);
        while times.len() < SELFTEST_ROUNDS && (times.is_empty() || begun.elapsed() < SELFTEST_TIME) {
            let started = Instant::now();
            file.write_all_at(&block, 0)?;
            file.sync_data()?;
            times.push(started.elapsed());
        }
        times.sort_unstable();
        let at = |index: usize| times.get(index).copied().unwrap_or_default();
        let rounds = times.len();
        Ok(SyncSpeed { median: at(rounds / 2), slowest: at(rounds - 1), rounds })
    });
    let removed = fs::remove_file(&path);
    measured.and_then(|speed| removed.map(|()| speed))
}

impl SyncSpeed {
    /// What it means.
    pub fn verdict(self) -> Verdict {
        match self.median {
            median if median >= SLOW_SYNC => Verdict::Slow,
            median if median < FAST_SYNC => Verdict::Doubtful,
            _ => Verdict::Usual,
        }
    }

    /// Says it in the log.
    pub fn tell(self, folder: &Path) {
        let Self { median, slowest, rounds } = self;
        let folder = folder.display();
        match self.verdict() {
            Verdict::Usual => {
                tracing::info!(%folder, ?median, ?slowest, rounds, "measured how fast the disk syncs")
            }
            Verdict::Slow => tracing::warn!(
                %folder, ?median, ?slowest, rounds,
                "the disk is slow to sync: every batch waits at least that long until it is acknowledged"
            ),
            Verdict::Doubtful => tracing::warn!(
                %folder, ?median, ?slowest, rounds,
                "the disk syncs so fast that it may not sync at all: it is memory, or a cache, and the collector cannot tell \
                 whether that outlives a loss of power; if not, events that are acknowledged can be lost"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_measured_and_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let speed = measure(folder.path()).unwrap();
        assert!((1..=SELFTEST_ROUNDS).contains(&speed.rounds), "{speed:?}");
        assert!(speed.median > Duration::ZERO && speed.median <= speed.slowest, "{speed:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(measure(&folder.path().join("none")).is_err());
    }

    #[test]
    fn what_is_slow_or_too_good_to_be_true_is_told_from_the_rest() {
        let verdict = |median| SyncSpeed { median, slowest: median, rounds: 1 }.verdict();
        assert_eq!(verdict(SLOW_SYNC), Verdict::Slow);
        assert_eq!(verdict(Duration::from_millis(2)), Verdict::Usual);
        assert_eq!(verdict(FAST_SYNC), Verdict::Usual);
        assert_eq!(verdict(Duration::from_micros(2)), Verdict::Doubtful);
    }
}
