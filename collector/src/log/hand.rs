//! A log without threads, for tests that are to go the same way each time.

use super::disk::Disk;
use super::writer::Work;
use super::{Gate, Log, LogReader, Parts, Place};
use crate::bell::Bell;
use crate::limits::LOG_QUEUE_BATCHES;
use crate::metrics::Metrics;
use std::fmt;
use std::io;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// The work of a log's threads.
pub struct Hand {
    write: Mutex<Box<dyn FnMut() + Send>>,
    make_spare: Mutex<Box<dyn FnMut() + Send>>,
}

impl fmt::Debug for Hand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hand")
    }
}

impl Log {
    /// As [`Log::open`], on any disk: what is appended waits for [`Log::write`].
    pub fn by_hand<G: Gate + 'static>(
        disk: &Disk,
        place: &Place,
        grown: Arc<Bell>,
        metrics: Arc<Metrics>,
        make_gate: impl FnOnce(LogReader) -> io::Result<G>,
    ) -> io::Result<Self> {
        let Parts { mut writer, spare, mut maker } = Parts::open(disk, place, grown, metrics, make_gate)?;
        let (tail, waiting_bytes) = (writer.tail.clone(), writer.waiting_bytes.clone());
        let (work, receiver) = sync_channel(LOG_QUEUE_BATCHES + 1);
        let hand = Hand {
            write: Mutex::new(Box::new(move || writer.run(&receiver))),
            make_spare: Mutex::new(Box::new(move || maker.work())),
        };
        let (disk, retention) = (disk.clone(), place.retention);
        let (thread, replacing) = (Mutex::default(), RwLock::default());
        Ok(Self { work, waiting_bytes, tail, disk, spare, retention, replacing, thread, hand: Some(hand) })
    }

    /// Writes what waits; nothing where a thread does.
    pub fn write(&self) {
        let Some(hand) = &self.hand else { return };
        // Nothing waits for it longer than what is there now.
        let stops = self.work.try_send(Work::Stop).is_ok();
        assert!(stops, "the queue is full");
        hand.write.lock().unwrap_or_else(PoisonError::into_inner)();
    }

    /// Makes a spare segment where one is wanted.
    pub fn make_spare(&self) {
        if let Some(hand) = &self.hand {
            hand.make_spare.lock().unwrap_or_else(PoisonError::into_inner)();
        }
    }
}
