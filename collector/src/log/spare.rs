//! The segment after the next, made ready before it is needed, and an eye on the room that is left on the disk.
//!
//! A spare has all its room on the disk and zeros in it, so that a sync of what is written there later waits for nothing but
//! the bytes themselves. It is made of the oldest segment that is given back where there is one: overwritten, so that
//! nothing of what was in it outlives its time.

use super::segment::{path_of, remove_where_there};
use crate::limits::{DISK_CHECK_INTERVAL, MIN_FREE_FILES, SPARE_WRITE_BYTES};
use crate::metrics::Metrics;
use rustix::fs::FallocateFlags;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
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
    folder: PathBuf,
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
    /// Looks for the spare that was left, finishes one that was begun, and starts the thread. The disk counts as full while
    /// it has less than `reserve_bytes` free.
    ///
    /// # Errors
    /// No thread could be started, or the folder cannot be read.
    pub fn open(folder: &Path, capacity: u64, reserve_bytes: u64, metrics: Arc<Metrics>) -> io::Result<Self> {
        let stage = if fs::metadata(folder.join(SPARE)).is_ok_and(|file| file.len() == capacity) {
            Stage::Ready
        } else if folder.join(UNFINISHED_SPARE).exists() {
            Stage::Wanted
        } else {
            remove_where_there(&folder.join(SPARE))?;
            Stage::Absent
        };
        let shared = Shared {
            folder: folder.to_owned(),
            capacity,
            reserve_bytes,
            stage: Mutex::new(stage),
            is_full: AtomicBool::new(false),
            metrics,
        };
        let shared = Arc::new(shared);
        shared.look_at_disk();
        let (asked, receiver) = sync_channel(1);
        let worker = shared.clone();
        std::thread::Builder::new().name("log-spare".into()).spawn(move || worker.run(&receiver))?;
        let spare = Self { shared, asked };
        spare.ring();
        Ok(spare)
    }

    /// Has one made, unless there is one.
    pub fn want(&self) {
        let mut stage = self.shared.stage();
        if *stage == Stage::Absent {
            *stage = Stage::Wanted;
            self.ring();
        }
    }

    /// Gives the spare the name of a file that nobody uses; says whether there was one.
    pub fn take(&self, path: &Path) -> bool {
        let mut stage = self.shared.stage();
        // Somebody may have removed it.
        let is_taken = *stage == Stage::Ready && fs::rename(self.shared.folder.join(SPARE), path).is_ok();
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
        let (segment, unfinished) = (path_of(&shared.folder, base), shared.folder.join(UNFINISHED_SPARE));
        let stage = shared.stage();
        let is_wanted = *stage != Stage::Ready && !unfinished.exists();
        if is_wanted {
            fs::rename(&segment, unfinished)?;
        }
        // The log waits for it, and removing a large file takes a while.
        drop(stage);
        if !is_wanted {
            return fs::remove_file(segment);
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

impl Shared {
    fn run(&self, asked: &Receiver<()>) {
        let mut has_failed = false;
        while asked.recv_timeout(DISK_CHECK_INTERVAL) != Err(RecvTimeoutError::Disconnected) {
            let free = self.look_at_disk();
            let is_wanted = *self.stage() == Stage::Wanted;
            if is_wanted && free.is_some_and(|free| free < self.capacity + self.reserve_bytes) {
                // The room of one that was given back is needed, and nothing of what was in it may stay.
                let _stage = self.stage();
                let _ = remove_where_there(&self.folder.join(UNFINISHED_SPARE));
                continue;
            }
            if !is_wanted {
                continue;
            }
            match self.make() {
                Ok(()) => has_failed = false,
                Err(error) => {
                    if !has_failed {
                        let folder = self.folder.display();
                        tracing::warn!(%folder, %error, "no segment could be made ready; one is made when it is needed");
                    }
                    has_failed = true;
                    // What it has taken of a full disk is needed there.
                    let _ = remove_where_there(&self.folder.join(UNFINISHED_SPARE));
                }
            }
        }
    }

    /// Notes whether the disk has room; returns the free bytes where the system says them.
    fn look_at_disk(&self) -> Option<u64> {
        let disk = rustix::fs::statvfs(&self.folder).ok()?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        // Some file systems have no limit of files and say 0.
        let lacks_files = disk.f_files > 0 && disk.f_favail < MIN_FREE_FILES;
        let is_full = free < self.reserve_bytes || lacks_files;
        if self.is_full.swap(is_full, Ordering::Relaxed) != is_full {
            let (folder, reserve) = (self.folder.display(), self.reserve_bytes);
            if is_full {
                tracing::error!(%folder, free, files = disk.f_favail, reserve, "the disk is full: senders get 503");
            } else {
                tracing::info!(%folder, free, "the disk has room again");
            }
        }
        self.metrics.disk_free_bytes.set(free);
        Some(free)
    }

    /// Makes a spare, of what was given back or from nothing.
    fn make(&self) -> io::Result<()> {
        let (unfinished, spare) = (self.folder.join(UNFINISHED_SPARE), self.folder.join(SPARE));
        // While it has its name nothing else gets it, and it gets and loses that only while the stage is held.
        let stage = self.stage();
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&unfinished)?;
        drop(stage);
        // Under its old name it would be a damaged segment after a loss of power.
        File::open(&self.folder)?.sync_all()?;
        file.set_len(self.capacity)?;
        rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, self.capacity)?;
        let zeros = vec![0; SPARE_WRITE_BYTES];
        for offset in (0..self.capacity).step_by(SPARE_WRITE_BYTES) {
            let length = (self.capacity - offset).min(SPARE_WRITE_BYTES as u64) as usize;
            file.write_all_at(&zeros[..length], offset)?;
            // So that no sync of the log finds all of it in its way.
            file.sync_data()?;
            if self.look_at_disk().is_some_and(|free| free < self.reserve_bytes) {
                return Err(io::ErrorKind::StorageFull.into());
            }
        }
        file.sync_all()?;
        let mut stage = self.stage();
        fs::rename(unfinished, spare)?;
        *stage = Stage::Ready;
        Ok(())
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
