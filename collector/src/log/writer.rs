//! The one thread that writes the log: many batches become one write and one fdatasync.

use super::segment::{self, PREFIX_BYTES, Segment};
use super::tail::Tail;
use super::{Appended, Batch, Gate, LogError, Verdict, frame};
use crate::bell::Bell;
use crate::limits::{LOG_QUEUE_BATCHES, MAX_GROUP_BYTES, SEGMENT_BYTES};
use crate::metrics::Metrics;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::sync::oneshot;

/// What the writer is asked to do.
#[derive(Debug)]
pub enum Work {
    /// Append a batch.
    Append(Submission),
    /// End after what came before.
    Stop,
}

/// A batch and whom to tell.
#[derive(Debug)]
pub struct Submission {
    pub batch: Batch,
    pub reply: oneshot::Sender<Result<Appended, LogError>>,
}

/// The writer's state; it lives on its thread.
pub struct Writer<G> {
    pub appender: Appender,
    pub gate: G,
    pub tail: Arc<Tail>,
    pub waiting_bytes: Arc<AtomicUsize>,
    pub grown: Arc<Bell>,
    pub metrics: Arc<Metrics>,
}

/// Starts the writer thread.
pub fn spawn<G: Gate + 'static>(mut writer: Writer<G>) -> io::Result<(SyncSender<Work>, JoinHandle<()>)> {
    let (sender, receiver) = sync_channel(LOG_QUEUE_BATCHES);
    let thread = std::thread::Builder::new().name("log".into()).spawn(move || writer.run(&receiver))?;
    Ok((sender, thread))
}

impl<G: Gate> Writer<G> {
    fn run(&mut self, receiver: &Receiver<Work>) {
        let mut group_bytes = 0;
        while let Ok(Work::Append(first)) = receiver.recv() {
            let mut group = Vec::with_capacity(group_bytes);
            let mut replies = Vec::new();
            let mut stopping = false;
            self.take(first, &mut group, &mut replies);
            while group.len() < MAX_GROUP_BYTES {
                match receiver.try_recv() {
                    Ok(Work::Append(next)) => self.take(next, &mut group, &mut replies),
                    Ok(Work::Stop) => {
                        stopping = true;
                        break;
                    }
                    Err(_) => break,
                }
            }
            group_bytes = group.len();
            self.commit(group, replies);
            if stopping {
                break;
            }
        }
    }

    fn take(&mut self, submission: Submission, group: &mut Vec<u8>, replies: &mut Vec<Waiting>) {
        let Submission { batch, reply } = submission;
        self.waiting_bytes.fetch_sub(batch.bytes.len(), Ordering::Relaxed);
        let position = self.appender.position();
        let frame_start = frame::begin(group);
        let mut not_new = Vec::new();
        let mut from = 0;
        for (index, entry) in batch.entries.iter().enumerate() {
            let record = &batch.bytes[from..entry.end];
            from = entry.end;
            match &entry.key {
                None => frame::push_record(group, record),
                Some(key) => match self.gate.admit(key, record, group) {
                    Verdict::New => {}
                    verdict => not_new.push((index, verdict)),
                },
            }
        }
        frame::finish(group, frame_start, position);
        replies.push(Waiting { reply, appended: Appended { not_new, end: position + group.len() as u64 } });
    }

    fn commit(&mut self, group: Vec<u8>, replies: Vec<Waiting>) {
        let started = Instant::now();
        let written =
            if group.is_empty() { Ok(self.appender.position()) } else { self.appender.append(&group) };
        match written {
            Ok(position) => {
                self.gate.commit();
                if !group.is_empty() {
                    self.metrics.log_group(replies.len(), group.len(), started.elapsed());
                    self.tail.push(position, group);
                    self.grown.ring();
                }
                for waiting in replies {
                    // A requester that has gone away has no use for the answer.
                    let _ = waiting.reply.send(Ok(waiting.appended));
                }
            }
            Err(error) => {
                self.gate.rollback();
                self.metrics.log_errors.add(1);
                tracing::error!(folder = %self.appender.folder.display(), %error, "the log could not be written");
                for waiting in replies {
                    let _ = waiting.reply.send(Err(LogError::Disk));
                }
            }
        }
    }
}

/// The open end of the log.
#[derive(Debug)]
pub struct Appender {
    folder: PathBuf,
    segment: Segment,
    position: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Good,
    /// A write failed half way; what it left must be cut off first.
    Torn,
    /// A sync failed, after which the system may have dropped pages that it reports as written.
    Lost,
}

impl Appender {
    /// Opens the log at its end, which is behind the last intact frame.
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let segment = match segment::bases(folder)?.last() {
            None => Segment::create(folder, 0, SEGMENT_BYTES)?,
            Some(base) => Segment::open(folder, *base)?,
        };
        let position = segment.find_end()?;
        if segment.cut(position)? {
            tracing::warn!(segment = %segment.path().display(), position, "cut a torn tail off the log");
        }
        Ok(Self { folder: folder.to_owned(), segment, position, state: State::Good })
    }

    /// The position behind the last durable byte.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// Appends whole frames and makes them durable; returns where they begin.
    fn append(&mut self, group: &[u8]) -> io::Result<u64> {
        match self.state {
            State::Good => {}
            State::Torn => {
                self.segment.cut(self.position)?;
                self.state = State::Good;
            }
            State::Lost => return Err(io::Error::other("an earlier sync failed; restart to recover")),
        }
        let used = PREFIX_BYTES + (self.position - self.segment.base);
        if used + group.len() as u64 > SEGMENT_BYTES {
            self.segment = Segment::create(&self.folder, self.position, SEGMENT_BYTES)?;
        }
        self.segment.write(group, self.position).inspect_err(|_| self.state = State::Torn)?;
        self.segment.sync().inspect_err(|_| self.state = State::Lost)?;
        let start = self.position;
        self.position += group.len() as u64;
        Ok(start)
    }
}

struct Waiting {
    reply: oneshot::Sender<Result<Appended, LogError>>,
    appended: Appended,
}
