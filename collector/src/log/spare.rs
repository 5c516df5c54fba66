//! The segment after the next, made ready before it is needed, and an eye on the room that is left on the disk.
//!
//! A spare has all its room on the disk and zeros in it, so that a sync of what is written there later waits for nothing but
//! the bytes themselves. It is made of the oldest segment that is given back where there is one: overwritten, so that
//! nothing of what was in it outlives its time.

use super::disk::{Disk, How, Room, remove_where_there, write_all_at};
use super::segment::name_of;
use crate::limits::{DISK_CHECK_INTERVAL, MIN_FREE_FILES, SPARE_WRITE_BYTES};
use crate::metrics::Metrics;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Name of the segment that is ready to be used next.
pub const SPARE: &str = "segment.spare";
/// Name of one that is being made.
pub const UNFINISHED_SPARE: &str = "segment.spare.new";

/// The spare segment of a log, and whether its disk has room.
#[derive(Debug)]
pub struct Spare {
    shared: Arc<Shared>,
    /// The thread ends once this is gone.
    asked: SyncSender<()>,
}

#[derive(Debug)]
struct Shared {
    disk: Disk,
    capacity: u64,
    reserve_bytes: u64,
    stage: Mutex<Stage>,
    is_full: AtomicBool,
    metrics: Arc<Metrics>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Absent,
    Wanted,
    Ready,
}

impl Spare {
    /// Looks for the spare that was left, and for one that was begun. The disk counts as full while it has less than
    /// `reserve_bytes` free. Returns what makes the spares, which [`start`](Self::start) gives its thread.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn open(
        disk: &Disk,
        capacity: u64,
        reserve_bytes: u64,
        metrics: Arc<Metrics>,
    ) -> io::Result<(Self, Maker)> {
        let stage = if disk.length(SPARE)? == Some(capacity) {
            Stage::Ready
        } else if disk.length(UNFINISHED_SPARE)?.is_some() {
            Stage::Wanted
        } else {
            remove_where_there(disk, SPARE)?;
            Stage::Absent
        };
        let shared = Shared {
            disk: disk.clone(),
            capacity,
            reserve_bytes,
            stage: Mutex::new(stage),
            is_full: AtomicBool::new(false),
            metrics,
        };
        let shared = Arc::new(shared);
        shared.look_at_disk();
        let (asked, receiver) = sync_channel(1);
        let maker = Maker { shared: shared.clone(), asked: receiver, has_failed: false };
        Ok((Self { shared, asked }, maker))
    }

    /// Has spares made by a thread of their own.
    ///
    /// # Errors
    /// No thread could be started.
    pub fn start(&self, mut maker: Maker) -> io::Result<()> {
        std::thread::Builder::new().name("log-spare".into()).spawn(move || {
            while maker.asked.recv_timeout(DISK_CHECK_INTERVAL) != Err(RecvTimeoutError::Disconnected) {
                maker.work();
            }
        })?;
        self.ring();
        Ok(())
    }

    /// Has one made, unless there is one.
    pub fn want(&self) {
        let mut stage = self.shared.stage();
        if *stage == Stage::Absent {
            *stage = Stage::Wanted;
            self.ring();
        }
    }

    /// Gives the spare a name that nobody uses; says whether there was one.
    pub fn take(&self, name: &str) -> bool {
        let mut stage = self.shared.stage();
        // Somebody may have removed it.
        let is_taken = *stage == Stage::Ready && self.shared.disk.rename(SPARE, name).is_ok();
        if *stage == Stage::Ready {
            *stage = Stage::Absent;
        }
        is_taken
    }

    /// Takes the segment that begins at `base` out of the log: the next spare is made of it where none is ready.
    ///
    /// # Errors
    /// It can be neither renamed nor removed.
    pub fn give_back(&self, base: u64) -> io::Result<()> {
        let shared = &self.shared;
        let segment = name_of(base);
        let stage = shared.stage();
        let is_wanted = *stage != Stage::Ready && shared.disk.length(UNFINISHED_SPARE)?.is_none();
        if is_wanted {
            shared.disk.rename(&segment, UNFINISHED_SPARE)?;
        }
        // The log waits for it, and removing a large file takes a while.
        drop(stage);
        if !is_wanted {
            return shared.disk.remove(&segment);
        }
        self.want();
        Ok(())
    }

    /// Whether the disk has so little room left that nothing of senders is to be taken.
    pub fn is_full(&self) -> bool {
        self.shared.is_full.load(Ordering::Relaxed)
    }

    /// Counts a sync of the log.
    pub fn note_sync(&self, elapsed: Duration) {
        self.shared.metrics.log_sync.observe_time(elapsed);
    }

    fn ring(&self) {
        // Where it is full the thread is about to look anyway.
        let _ = self.asked.try_send(());
    }
}

/// Makes spares.
#[derive(Debug)]
pub struct Maker {
    shared: Arc<Shared>,
    asked: Receiver<()>,
    has_failed: bool,
}

impl Maker {
    /// Looks at the disk, and makes a spare where one is wanted.
    pub fn work(&mut self) {
        let shared = &self.shared;
        let free = shared.look_at_disk();
        if *shared.stage() != Stage::Wanted {
            return;
        }
        if free.is_some_and(|free| free < shared.capacity + shared.reserve_bytes) {
            // The room of one that was given back is needed, and nothing of what was in it may stay.
            let _stage = shared.stage();
            let _ = remove_where_there(&shared.disk, UNFINISHED_SPARE);
            return;
        }
        let made = shared.make();
        if let Err(error) = &made {
            if !self.has_failed {
                let folder = shared.disk.path().display();
                tracing::warn!(%folder, %error, "no segment could be made ready; one is made when it is needed");
            }
            // What it has taken of a full disk is needed there.
            let _ = remove_where_there(&shared.disk, UNFINISHED_SPARE);
        }
        self.has_failed = made.is_err();
    }
}

impl Shared {
    /// Notes whether the disk has room; returns the free bytes where the system says them.
    fn look_at_disk(&self) -> Option<u64> {
        let Room { bytes: free, files } = self.disk.room().ok()?;
        let is_full = free < self.reserve_bytes || files.is_some_and(|files| files < MIN_FREE_FILES);
        if self.is_full.swap(is_full, Ordering::Relaxed) != is_full {
            let (folder, reserve) = (self.disk.path().display(), self.reserve_bytes);
            if is_full {
                tracing::error!(%folder, free, files, reserve, "the disk is full: senders get 503");
            } else {
                tracing::info!(%folder, free, "the disk has room again");
            }
        }
        self.metrics.disk_free_bytes.set(free);
        Some(free)
    }

    /// Makes a spare, of what was given back or from nothing.
    fn make(&self) -> io::Result<()> {
        // While it has its name nothing else gets it, and it gets and loses that only while the stage is held.
        let stage = self.stage();
        let file = self.disk.open(UNFINISHED_SPARE, How::Kept)?;
        drop(stage);
        // Under its old name it would be a damaged segment after a loss of power.
        self.disk.sync()?;
        file.reserve(self.capacity)?;
        let zeros = vec![0; SPARE_WRITE_BYTES];
        for offset in (0..self.capacity).step_by(SPARE_WRITE_BYTES) {
            let length = (self.capacity - offset).min(SPARE_WRITE_BYTES as u64) as usize;
            write_all_at(&*file, &zeros[..length], offset)?;
            // So that no sync of the log finds all of it in its way.
            file.sync_data()?;
            if self.look_at_disk().is_some_and(|free| free < self.reserve_bytes) {
                return Err(io::ErrorKind::StorageFull.into());
            }
        }
        file.sync_all()?;
        let mut stage = self.stage();
        self.disk.rename(UNFINISHED_SPARE, SPARE)?;
        *stage = Stage::Ready;
        Ok(())
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
