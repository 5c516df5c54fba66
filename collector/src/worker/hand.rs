//! A worker without a thread, for tests that are to go the same way each time.

use super::{Next, Worker, WorkerError, WorkerParts};
use std::fmt;
use std::sync::atomic::AtomicBool;
use tokio::sync::watch;

/// What a worker says and hears of others.
#[derive(Debug)]
pub struct Ears {
    committed: watch::Sender<u64>,
    stop: AtomicBool,
}

impl Ears {
    /// Those of a worker that goes on, or of one that ends once it has taken the log in.
    pub fn new(ends: bool) -> Self {
        Self { committed: watch::Sender::new(0), stop: AtomicBool::new(ends) }
    }
}

/// The work of a worker's thread.
pub struct Hand<'a>(Worker<'a>);

impl fmt::Debug for Hand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hand")
    }
}

impl<'a> Hand<'a> {
    /// Opens a worker where the committed state ends.
    pub fn open(parts: &'a WorkerParts, ears: &'a Ears) -> Result<Self, WorkerError> {
        Ok(Self(Worker::open(parts, &ears.committed, &ears.stop)?))
    }

    /// One turn; says whether another one is to follow at once.
    pub fn turn(&mut self) -> Result<bool, WorkerError> {
        Ok(self.0.turn()? == Next::Turn)
    }

    /// Turns until it waits or has ended.
    pub fn work(&mut self) -> Result<(), WorkerError> {
        while self.turn()? {}
        Ok(())
    }

    /// Whether all of the log is taken in.
    pub fn has_caught_up(&self) -> bool {
        self.0.reader.behind() == 0
    }

    /// The revision of the bundle in effect; 0 where there is none.
    pub fn bundle_revision(&self) -> u64 {
        self.0.processor.bundle().revision
    }

    /// Members that are still to be erased.
    pub fn erasures(&self) -> u64 {
        self.0.erasures.count()
    }
}
