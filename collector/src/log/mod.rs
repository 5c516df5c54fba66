//! The append log: nothing is acknowledged before it is durable here, and every state can be rebuilt from it.

mod blank;
mod disk;
mod dump;
mod frame;
#[cfg(test)]
pub mod hand;
mod reader;
mod segment;
mod spare;
mod tail;
mod verify;
mod writer;

use crate::bell::Bell;
use crate::clock;
use crate::limits::{DOOR_REBUILD_BYTES, LOG_QUEUE_BYTES, MAX_FRAME_BYTES};
use crate::metrics::Metrics;
use attune_core::time::Timestamp;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

pub use blank::NewFrame;
use disk::Disk;
pub use dump::dump;
pub use frame::Frame;
use frame::{Form, MAX_RECORD_HEADER_BYTES};
pub use frame::{push_record, records};
pub use reader::{Chunk, LogReader};
use segment::Found;
use segment::Keep;
use spare::{Maker, Spare};
use tail::Tail;
pub use verify::verify;
use writer::{Appender, Submission, Work, Writer};

/// Reads the log of a folder, whether or not a collector runs on it, from its oldest record to the newest that is
/// intact now.
///
/// # Errors
/// A folder or segment that cannot be read, or a folder without a log.
pub fn read_folder(folder: &Path) -> io::Result<LogReader> {
    let disk = disk::folder(folder);
    let bases = segment::bases(&disk)?;
    let (Some(first), Some(newest)) = (bases.first(), bases.last()) else {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the folder holds no log segment"));
    };
    let end = segment::Segment::open(&disk, *newest)?.find_end()?;
    Ok(LogReader::beside(disk, Arc::new(Tail::new(end)), *first))
}

/// Where a log is, and how it is written.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its folder.
    pub folder: PathBuf,
    /// Capacity of a segment.
    pub segment_bytes: u64,
    /// Up to where it has been taken in.
    pub absorbed: u64,
    /// Free bytes of its disk below which nothing of senders is to be taken.
    pub reserve_bytes: u64,
    /// How long it is kept.
    pub retention: Retention,
}

/// How long a log is kept; what has not been taken in stays beyond that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Days since a segment was followed by the next.
    pub days: u32,
    /// So many bytes at most, even if they hold fewer days.
    pub bytes: Option<u64>,
}

/// What identifies an event at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventKey {
    /// The event id.
    pub event_id: u128,
    /// Lane and number within it, for senders that have lanes.
    pub lane: Option<(u128, u64)>,
    /// A fingerprint of what it says.
    pub payload: u32,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where an event at the door comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Its sender.
    Sender,
    /// The dead letters: it is kept already, whatever becomes of it.
    DeadLetters,
}

/// What became of an entry on its way into the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is in the log now.
    New,
    /// It was there before.
    Duplicate,
    /// An event of its id was there before, and says something else.
    PayloadConflict,
    /// Another event has its lane and number.
    LaneConflict,
}

/// Decides, in log order, which events enter the log.
pub trait Gate: Send {
    /// Says when what is decided next is received: by the wall clock, and for how long the log has been open.
    fn begin(&mut self, at: Timestamp, uptime: Duration);
    /// Decides about one event and appends the records that are to enter the log, if any, by [`push_record`]: the event, or
    /// what is kept of one that is refused.
    fn admit(&mut self, key: &EventKey, record: &[u8], out: &mut Vec<u8>) -> Verdict;
    /// Says that everything admitted since the last call is durable, and where the log ends now.
    fn commit(&mut self, end: u64);
    /// Says that nothing admitted since the last commit became durable.
    fn rollback(&mut self);
}

/// Encoded records on their way into the log together.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: Option<EventKey>,
    end: usize,
}

impl Batch {
    /// An empty batch with room for about `bytes` bytes of `entries` records.
    pub fn with_capacity(entries: usize, bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), entries: Vec::with_capacity(entries) }
    }

    /// Appends the record that `encode` writes; the gate is asked where there is a key.
    pub fn push(&mut self, key: Option<EventKey>, encode: impl FnOnce(&mut Vec<u8>)) {
        encode(&mut self.bytes);
        self.entries.push(Entry { key, end: self.bytes.len() });
    }

    /// The records, in order.
    pub fn records(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.entries.iter().map(|entry| entry.end));
        starts.zip(&self.entries).map(|(start, entry)| &self.bytes[start..entry.end])
    }

    /// The records one behind the other, in binary form.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether nothing has been appended.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// What became of a batch that is durable now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// Entries that were not new, by their position in the batch.
    pub not_new: Vec<(usize, Verdict)>,
    /// Log position behind the batch.
    pub end: u64,
}

/// A batch that the writer has been handed.
#[derive(Debug)]
pub struct Submitted(oneshot::Receiver<Result<Appended, LogError>>);

impl Submitted {
    /// Resolves when it is durable.
    ///
    /// # Errors
    /// Nothing of the batch is in the log.
    pub async fn durable(self) -> Result<Appended, LogError> {
        self.0.await.unwrap_or(Err(LogError::Closed))
    }
}

/// Why a batch is not in the log; nothing of it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogError {
    /// Too much is waiting already.
    Busy,
    /// The disk refused.
    Disk,
    /// The disk has too little room left.
    Full,
    /// It is larger than a frame may be.
    TooLarge,
    /// The collector is shutting down.
    Closed,
}

impl LogError {
    /// Stable name for receipts and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Busy => "log_busy",
            Self::Disk => "log_disk_error",
            Self::Full => "disk_full",
            Self::TooLarge => "log_frame_too_large",
            Self::Closed => "draining",
        }
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "too many batches are waiting for the log",
            Self::Disk => "the log could not be written",
            Self::Full => "the disk has too little room left",
            Self::TooLarge => "it is larger than the log can hold in one piece",
            Self::Closed => "the collector is shutting down",
        })
    }
}

impl std::error::Error for LogError {}

/// The open log: appends go through one writer thread, reads go by position.
#[derive(Debug)]
pub struct Log {
    work: SyncSender<Work>,
    waiting_bytes: Arc<AtomicUsize>,
    tail: Arc<Tail>,
    disk: Disk,
    spare: Arc<Spare>,
    retention: Retention,
    /// Held while frames are put in the place of others, and while somebody beside the worker reads.
    replacing: RwLock<()>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// What does the threads' work where there are none.
    #[cfg(test)]
    hand: Option<hand::Hand>,
}

impl Log {
    /// Opens a log behind its last intact frame, and not before what has been taken in; starts the writer.
    ///
    /// `make_gate` is given a reader over the newest part of the log, to remember what it holds. `grown` is rung
    /// after every commit.
    ///
    /// # Errors
    /// Names the file that cannot be read or written.
    pub fn open<G: Gate + 'static>(
        place: Place,
        grown: Arc<Bell>,
        metrics: Arc<Metrics>,
        make_gate: impl FnOnce(LogReader) -> std::io::Result<G>,
    ) -> std::io::Result<Self> {
        std::fs::create_dir_all(&place.folder)?;
        let disk = disk::folder(&place.folder);
        let Parts { writer, spare, maker } = Parts::open(&disk, &place, grown, metrics, make_gate)?;
        let (tail, waiting_bytes) = (writer.tail.clone(), writer.waiting_bytes.clone());
        spare.start(maker)?;
        let (work, thread) = writer::spawn(writer)?;
        let retention = place.retention;
        Ok(Self {
            work,
            waiting_bytes,
            tail,
            disk,
            spare,
            retention,
            replacing: RwLock::default(),
            thread: Mutex::new(Some(thread)),
            #[cfg(test)]
            hand: None,
        })
    }

    /// Appends a batch; resolves when it is durable.
    ///
    /// # Errors
    /// Nothing of the batch is in the log.
    pub async fn append(&self, batch: Batch) -> Result<Appended, LogError> {
        self.submit(batch)?.durable().await
    }

    /// Appends a batch from a thread that may wait; returns when it is durable.
    ///
    /// # Errors
    /// Nothing of the batch is in the log.
    pub fn append_blocking(&self, batch: Batch) -> Result<Appended, LogError> {
        let Submitted(answer) = self.submit(batch)?;
        #[cfg(test)]
        self.write();
        answer.blocking_recv().unwrap_or(Err(LogError::Closed))
    }

    /// Bytes that wait for the writer.
    pub fn waiting_bytes(&self) -> usize {
        self.waiting_bytes.load(Ordering::Relaxed)
    }

    /// The position behind the last durable record.
    pub fn end(&self) -> u64 {
        self.tail.end()
    }

    /// Reads on from a position.
    pub fn reader(&self, from: u64) -> LogReader {
        LogReader::new(self.disk.clone(), self.tail.clone(), from)
    }

    /// Reads from the oldest record on, beside the worker: what is given back meanwhile is not damaged.
    pub fn reader_beside(&self) -> LogReader {
        LogReader::beside(self.disk.clone(), self.tail.clone(), 0)
    }

    /// What such a reader reads next, while no frame is put in the place of another.
    ///
    /// # Errors
    /// A segment that cannot be read, or is of a later version.
    pub fn read_beside(&self, reader: &mut LogReader) -> io::Result<Option<Chunk>> {
        let _still = self.replacing.read().unwrap_or_else(PoisonError::into_inner);
        reader.read_on()
    }

    /// A position from which on at most about so many bytes lead to `end`, and whether it is where everything began.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn position_before(&self, end: u64, bytes: u64) -> io::Result<(u64, bool)> {
        let position = reader::position_within(&self.disk, end, bytes)?;
        Ok((position, position == 0))
    }

    /// Puts frames in the place of those at their positions, durably; what the log holds in memory stays as it was. Readers
    /// beside the worker wait meanwhile; the worker is to read none of them.
    ///
    /// # Errors
    /// The disk refused; it is done when the log is opened the next time.
    pub fn replace(&self, frames: &[NewFrame]) -> io::Result<()> {
        let _still = self.replacing.write().unwrap_or_else(PoisonError::into_inner);
        blank::replace(&self.disk, frames)
    }

    /// Gives back old segments that lie wholly before `needed` and need not be kept.
    ///
    /// # Errors
    /// A folder that cannot be read or a file that cannot be removed.
    pub fn release(&self, needed: u64) -> io::Result<()> {
        let Retention { days, bytes } = self.retention;
        let keep = Keep { since: clock::now().plus(-i64::from(days) * 86_400_000), bytes };
        segment::outlived(&self.disk, needed, keep)?
            .into_iter()
            .try_for_each(|base| self.spare.give_back(base))
    }

    /// Whether the disk has so little room left that nothing of senders is to be taken.
    pub fn is_full(&self) -> bool {
        self.spare.is_full()
    }

    /// Refuses further batches, makes durable what is waiting and ends the writer.
    pub fn close(&self) {
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let stopped = self.work.send(Work::Stop).is_ok();
            if thread.join().is_err() || !stopped {
                tracing::error!("the log writer had ended early");
            }
        }
    }

    /// Hands the writer a batch: batches get into the log in the order of these calls. One without records takes no place in
    /// it, and is answered when all before it are.
    ///
    /// # Errors
    /// Nothing of the batch will be in the log.
    pub fn submit(&self, batch: Batch) -> Result<Submitted, LogError> {
        let bytes = batch.bytes.len();
        // Nobody could read it, nor what stands behind it.
        if bytes + batch.entries.len() * MAX_RECORD_HEADER_BYTES > MAX_FRAME_BYTES {
            return Err(LogError::TooLarge);
        }
        if self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed) > LOG_QUEUE_BYTES {
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Err(LogError::Busy);
        }
        let (reply, receiver) = oneshot::channel();
        self.work.try_send(Work::Append(Submission { batch, reply })).map_err(|error| {
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            match error {
                TrySendError::Full(_) => LogError::Busy,
                TrySendError::Disconnected(_) => LogError::Closed,
            }
        })?;
        Ok(Submitted(receiver))
    }
}

/// What an open log is made of, before its threads run.
struct Parts<G> {
    writer: Writer<G>,
    spare: Arc<Spare>,
    maker: Maker,
}

impl<G: Gate> Parts<G> {
    fn open(
        disk: &Disk,
        place: &Place,
        grown: Arc<Bell>,
        metrics: Arc<Metrics>,
        make_gate: impl FnOnce(LogReader) -> io::Result<G>,
    ) -> io::Result<Self> {
        blank::carry_out(disk)?;
        let (spare, maker) = Spare::open(disk, place.segment_bytes, place.reserve_bytes, metrics.clone())?;
        let spare = Arc::new(spare);
        let appender = Appender::open(disk, place.segment_bytes, place.absorbed, spare.clone())?;
        let tail = Arc::new(Tail::new(appender.position()));
        let newest = reader::position_within(disk, tail.end(), DOOR_REBUILD_BYTES)?;
        let gate = make_gate(LogReader::new(disk.clone(), tail.clone(), newest))?;
        let waiting_bytes = Arc::default();
        let (began, taken) = (Instant::now(), 0);
        metrics.lag.begin(appender.position(), place.absorbed, began);
        let writer = Writer { appender, gate, began, taken, tail, waiting_bytes, grown, metrics };
        Ok(Self { writer, spare, maker })
    }
}

#[cfg(test)]
pub mod tests;
