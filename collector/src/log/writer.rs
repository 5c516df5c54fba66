//! The one thread that writes the log: many batches become one write and one fdatasync.

use super::disk::Disk;
use super::frame::Form;
use super::segment::{self, PREFIX_BYTES, Segment};
use super::spare::Spare;
use super::tail::Tail;
use super::{Appended, Batch, Gate, LogError, Verdict, frame};
use crate::bell::Bell;
use crate::clock;
use crate::limits::{LOG_QUEUE_BATCHES, MAX_GROUP_BYTES};
use crate::metrics::Metrics;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
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
    /// When the log was opened.
    pub began: Instant,
    pub tail: Arc<Tail>,
    pub waiting_bytes: Arc<AtomicUsize>,
    pub grown: Arc<Bell>,
    pub metrics: Arc<Metrics>,
    /// Records in the group that is being taken.
    pub taken: u64,
}

/// Starts the writer thread.
pub fn spawn<G: Gate + 'static>(mut writer: Writer<G>) -> io::Result<(SyncSender<Work>, JoinHandle<()>)> {
    let (sender, receiver) = sync_channel(LOG_QUEUE_BATCHES);
    let thread = std::thread::Builder::new().name("log".into()).spawn(move || writer.run(&receiver))?;
    Ok((sender, thread))
}

impl<G: Gate> Writer<G> {
    /// Takes in what comes until it is told to stop, or nobody is left to tell it anything.
    pub fn run(&mut self, receiver: &Receiver<Work>) {
        let mut group_bytes = 0;
        while let Ok(Work::Append(first)) = receiver.recv() {
            let mut group = Vec::with_capacity(group_bytes);
            let mut replies = Vec::new();
            self.taken = 0;
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
        let (now, asked) = (clock::now(), Instant::now());
        self.gate.begin(now, asked.saturating_duration_since(self.began));
        for (index, entry) in batch.entries.iter().enumerate() {
            let (record, before) = (&batch.bytes[from..entry.end], group.len());
            from = entry.end;
            match &entry.key {
                None => frame::push_record(group, record),
                Some(key) => match self.gate.admit(key, record, group) {
                    Verdict::New => {}
                    verdict => not_new.push((index, verdict)),
                },
            }
            self.taken += u64::from(group.len() > before);
        }
        self.metrics.door_longest_micros.raise(micros(asked.elapsed()));
        frame::finish(group, frame_start, position, self.appender.epoch, now);
        replies.push(Waiting { reply, appended: Appended { not_new, end: position + group.len() as u64 } });
    }

    fn commit(&mut self, group: Vec<u8>, replies: Vec<Waiting>) {
        let started = Instant::now();
        let written =
            if group.is_empty() { Ok(self.appender.position()) } else { self.appender.append(&group) };
        match written {
            Ok(position) => {
                let asked = Instant::now();
                self.gate.commit(self.appender.position());
                self.metrics.door_longest_micros.raise(micros(asked.elapsed()));
                if !group.is_empty() {
                    self.metrics.log_group(replies.len(), group.len(), started.elapsed());
                    self.metrics.lag.written(self.appender.position(), self.taken, Instant::now());
                    self.tail.push(position, group, self.appender.form());
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
                tracing::error!(folder = %self.appender.disk.path().display(), %error, "the log could not be written");
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
    disk: Disk,
    segment_bytes: u64,
    spare: Arc<Spare>,
    segment: Segment,
    /// What the frames that are written are made with.
    epoch: u64,
    position: u64,
    /// Whether nothing more is written to the segment, since nobody knows what a failed write or sync has left there.
    is_sealed: bool,
}

impl Appender {
    /// Opens the log at its end: behind the last intact frame, and not before `absorbed`, up to which it has been taken in.
    pub fn open(disk: &Disk, segment_bytes: u64, absorbed: u64, spare: Arc<Spare>) -> io::Result<Self> {
        let bases = segment::bases(disk)?;
        let newest = bases.last().map(|base| Segment::open_to_write(disk, *base)).transpose()?;
        let end = newest.as_ref().map_or(Ok(0), Segment::find_end)?;
        // What a killed process has written and not synced is found here, and counts as durable from now on.
        newest.as_ref().map_or(Ok(()), |newest| newest.settle(end))?;
        disk.sync()?;
        let position = end.max(absorbed);
        let held = newest.and_then(|segment| match segment.form {
            Some(Form::Second { epoch }) if position == end => Some((segment, epoch)),
            _ => None,
        });
        let (segment, epoch) = match held {
            Some(held) => held,
            None => {
                let epoch = getrandom::u64().map_err(io::Error::other)?;
                (Segment::create(disk, position, epoch, segment_bytes, |name| spare.take(name))?, epoch)
            }
        };
        Ok(Self { disk: disk.clone(), segment_bytes, spare, segment, epoch, position, is_sealed: false })
    }

    /// The position behind the last durable byte.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// How the frames that are appended are written.
    pub const fn form(&self) -> Form {
        Form::Second { epoch: self.epoch }
    }

    /// Lets the segment take no more.
    #[cfg(test)]
    pub fn break_segment(&mut self) {
        self.segment.make_unwritable();
    }

    /// Appends whole frames and makes them durable; returns where they begin. Where the segment does not take them, a new one
    /// does, before which nothing counts that may have been left behind.
    pub fn append(&mut self, group: &[u8]) -> io::Result<u64> {
        let mut written = Err(None);
        let end = PREFIX_BYTES + (self.position - self.segment.base) + group.len() as u64;
        if !self.is_sealed && end <= self.segment_bytes {
            written = self.put(group).map_err(Some);
        }
        if let Err(error) = written {
            if let Some(error) = error {
                tracing::warn!(segment = %self.segment.path().display(), %error, "the segment takes no more");
                self.is_sealed = true;
            }
            let take_spare = |name: &str| self.spare.take(name);
            // Where it fails late a segment of its name is there, before which all that follows would count for nothing here.
            self.is_sealed = true;
            self.segment =
                Segment::create(&self.disk, self.position, self.epoch, self.segment_bytes, take_spare)?;
            self.is_sealed = false;
            self.put(group).inspect_err(|_| self.is_sealed = true)?;
            // It fills as fast as the one before.
            self.spare.want();
        } else if end > self.segment_bytes / 2 {
            self.spare.want();
        }
        let start = self.position;
        self.position += group.len() as u64;
        Ok(start)
    }

    fn put(&self, group: &[u8]) -> io::Result<()> {
        self.segment.write(group, self.position)?;
        let started = Instant::now();
        self.segment.sync()?;
        self.spare.note_sync(started.elapsed());
        Ok(())
    }
}

fn micros(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX)
}

struct Waiting {
    reply: oneshot::Sender<Result<Appended, LogError>>,
    appended: Appended,
}
