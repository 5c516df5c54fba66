//! The worker: one thread that turns the log into profiles, firings and pushes, and stops and starts at any record.

mod activate;
mod apply;
mod backfill;
mod erase;
mod error;
mod firing;
#[cfg(test)]
pub mod hand;
mod hot;
mod letters;
mod publish;
mod rebuild;
mod timers;

use crate::access::Tombstones;
use crate::bell::Bell;
use crate::clock;
use crate::limits::{
    COMMIT_INTERVAL, COMMIT_INTERVAL_BUSY, RESTART_PAUSE, STATE_SYNC_INTERVAL, WORKER_DRAIN_TIMEOUT,
};
use crate::log::{Log, LogReader};
use crate::metrics::{Metrics, Reached, Stage};
use crate::profile::{Changes, Store, Table};
use crate::push::Hub;
use attune_core::condition::Engine;
use attune_core::id::MemberId;
use attune_core::processor::Processor;
use attune_core::wire::{LetterId, Record, decode_record};
pub use erase::note_erased;
pub use error::WorkerError;
use hashbrown::HashSet;
use hot::{Hot, HotStates};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::sync::watch;

/// What the worker works with.
#[derive(Clone, Debug)]
pub struct WorkerParts {
    /// Where records come from and wake-ups go.
    pub log: Arc<Log>,
    /// Where states and firings are kept.
    pub store: Arc<dyn Store>,
    /// Erased members.
    pub tombstones: Arc<Tombstones>,
    /// Where views go.
    pub hub: Arc<Hub>,
    /// Rung when there is something to do.
    pub bell: Arc<Bell>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Bytes of dead letters that are kept at most.
    pub letter_bytes: u64,
}

/// The running worker.
#[derive(Debug)]
pub struct WorkerHandle {
    committed: watch::Receiver<u64>,
    stop: Arc<AtomicBool>,
    bell: Arc<Bell>,
    thread: JoinHandle<()>,
}

impl WorkerHandle {
    /// Starts the worker where the committed state ends.
    ///
    /// # Errors
    /// No thread could be started.
    pub fn spawn(parts: WorkerParts) -> io::Result<Self> {
        let (sender, committed) = watch::channel(0);
        let stop = Arc::new(AtomicBool::new(false));
        let (stopping, bell) = (stop.clone(), parts.bell.clone());
        let run = move || {
            let begin = || Worker::open(&parts, &sender, &stopping).and_then(Worker::run);
            let mut ended = begin();
            // A broken store or log is tried again from the last commit, as after a restart of the process.
            while let Err(error) = ended {
                if stopping.load(Ordering::Relaxed) {
                    tracing::info!(%error, "the worker stopped");
                    break;
                }
                tracing::error!(%error, "the worker stopped and begins again at its last commit");
                parts.metrics.worker_errors.add(1);
                parts.bell.wait(RESTART_PAUSE);
                ended = parts.store.reopen().map_err(WorkerError::from).and_then(|()| begin());
            }
        };
        let thread = std::thread::Builder::new().name("worker".into()).spawn(run)?;
        Ok(Self { committed, stop, bell, thread })
    }

    /// The log position up to which everything is committed.
    pub fn committed(&self) -> watch::Receiver<u64> {
        self.committed.clone()
    }

    /// Lets the worker finish the log, commit and end.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.bell.ring();
        if self.thread.join().is_err() {
            tracing::error!("the worker had ended early");
        }
    }
}

struct Worker<'a> {
    parts: &'a WorkerParts,
    committed: &'a watch::Sender<u64>,
    stop: &'a AtomicBool,
    reader: LogReader,
    processor: Processor,
    states: HotStates,
    outbox: firing::Outbox,
    publisher: publish::Publisher,
    erasures: erase::Erasures,
    letters: letters::Letters,
    /// Profiles whose wake-up did not move on; they wait for their next change.
    stuck: HashSet<Box<str>>,
    /// The records of the bundle in effect and of the rollout, by what they are kept as, while they are not committed.
    activations: BTreeMap<&'static str, Vec<u8>>,
    position: u64,
    /// Records taken in of those that this process has written, and where those begin.
    counted: u64,
    counted_from: u64,
    committed_position: u64,
    committed_at: Instant,
    /// When the state was synced by this worker.
    synced_at: Option<Instant>,
    synced_position: u64,
    /// When it ends at the latest, once it is to end.
    ends_at: Option<Instant>,
}

/// What a worker does after a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Another one.
    Turn,
    /// It waits until something comes, or for a while.
    Wait,
    /// Nothing more.
    End,
}

impl<'a> Worker<'a> {
    fn open(
        parts: &'a WorkerParts,
        committed: &'a watch::Sender<u64>,
        stop: &'a AtomicBool,
    ) -> Result<Self, WorkerError> {
        let position = absorbed(&*parts.store)?;
        let (committed_place, counted_from) = parts.metrics.lag.counted(Stage::Committed);
        let mut worker = Self {
            parts,
            committed,
            stop,
            reader: parts.log.reader(position),
            processor: Processor::asking(Box::new(Engine::default())),
            states: HotStates::default(),
            outbox: firing::Outbox::new(number(&*parts.store, "firings")?),
            publisher: publish::Publisher::default(),
            erasures: erase::Erasures::open(parts)?,
            letters: letters::Letters::open(parts)?,
            stuck: HashSet::new(),
            activations: BTreeMap::new(),
            position,
            counted: committed_place.records,
            counted_from,
            committed_position: position,
            committed_at: clock::instant(),
            synced_at: None,
            synced_position: position,
            ends_at: None,
        };
        worker.restore_bundles()?;
        committed.send_replace(position);
        Ok(worker)
    }

    fn run(mut self) -> Result<(), WorkerError> {
        loop {
            match self.turn()? {
                Next::Turn => {}
                Next::Wait => self.parts.bell.wait(COMMIT_INTERVAL),
                Next::End => return Ok(()),
            }
        }
    }

    /// Takes in what has come of the log, and does what is due.
    fn turn(&mut self) -> Result<Next, WorkerError> {
        let chunk = self.reader.read_on()?;
        for range in self.reader.take_damaged() {
            self.parts.metrics.log_damaged_bytes.add(range.end - range.start);
        }
        if let Some(chunk) = &chunk {
            for frame in chunk.frames() {
                for (index, record) in (0..).zip(frame.records()) {
                    self.take(record, LetterId { position: frame.position, index })?;
                    self.counted += u64::from(frame.position >= self.counted_from);
                }
                self.position = frame.end;
            }
            self.note_stage(Stage::Absorbed);
        }
        self.publish()?;
        let caught_up = self.reader.behind() == 0;
        if self.is_dirty() && self.commit_is_due(caught_up) {
            self.commit()?;
        }
        if self.stop.load(Ordering::Relaxed) {
            // What is left after that time is taken in at the next start; the log keeps it.
            let until = *self.ends_at.get_or_insert_with(|| clock::instant() + WORKER_DRAIN_TIMEOUT);
            if caught_up || clock::instant() >= until {
                self.commit()?;
                self.parts.store.sync()?;
                return Ok(Next::End);
            }
        }
        if self.erase_on()? || chunk.is_some() || !caught_up {
            return Ok(Next::Turn);
        }
        if !self.is_dirty() && self.log_due_wake_ups(clock::now())? {
            return Ok(Next::Turn);
        }
        self.sync_if_due()?;
        Ok(Next::Wait)
    }

    /// Takes the record at a place of the log in.
    fn take(&mut self, bytes: &[u8], place: LetterId) -> Result<(), WorkerError> {
        self.parts.metrics.records.add(1);
        // The log's frames are checked, so this is a record of a later version; the rest goes on without it.
        let Ok(record) = decode_record(bytes) else {
            tracing::error!(position = self.position, "skipped a record that this version does not read");
            return Ok(());
        };
        if let Some(member) = apply::member_of(&record) {
            if self.parts.tombstones.has(member) {
                self.pass_over(member);
                return Ok(());
            }
            return self.absorb(record, place);
        }
        match &record {
            Record::Refused(refused) => {
                let content = refused.content.as_ref();
                match content.and_then(|content| content.member.as_ref()) {
                    Some(member) if self.parts.tombstones.has(member) => self.pass_over(member),
                    _ => match self.erasures.is_named_in(refused) {
                        Some(member) => self.pass_over(&member),
                        None => self.keep_letter(place, (**refused).clone()),
                    },
                }
                Ok(())
            }
            Record::Replayed(replayed) => self.take_replay(replayed),
            Record::WakeUp { profile, at } => {
                let member = profile.0.strip_prefix("member:").map(|member| MemberId(member.into()));
                match member.filter(|member| self.parts.tombstones.has(member)) {
                    Some(member) => {
                        self.pass_over(&member);
                        Ok(())
                    }
                    None => self.wake(profile, *at),
                }
            }
            Record::Bundle { .. } | Record::Rollout { .. } => self.activate(&record),
            Record::Erase { tombstone, member, .. } => self.take_erasure(*tombstone, member.as_ref()),
            // What has a member is absorbed already.
            Record::Event { .. }
            | Record::Void { .. }
            | Record::Close { .. }
            | Record::Clocks { .. }
            | Record::Blank => Ok(()),
        }
    }

    /// Notes for the metrics that a stage has come to where the worker is.
    fn note_stage(&self, stage: Stage) {
        let place = Reached { position: self.position, records: self.counted };
        self.parts.metrics.lag.reached(stage, place);
    }

    fn is_dirty(&self) -> bool {
        self.position != self.committed_position
    }

    fn commit_is_due(&self, caught_up: bool) -> bool {
        let interval = if caught_up { COMMIT_INTERVAL } else { COMMIT_INTERVAL_BUSY };
        clock::elapsed(self.committed_at) >= interval || self.states.is_crowded()
    }

    fn commit(&mut self) -> Result<(), WorkerError> {
        if self.is_dirty() {
            self.write_all()?;
        }
        self.committed_at = clock::instant();
        self.sync_if_due()
    }

    fn write_all(&mut self) -> Result<(), WorkerError> {
        let mut changes = Changes::default();
        self.states.write_changes(&mut changes);
        self.outbox.write_changes(&mut changes);
        self.write_activations(&mut changes);
        self.erasures.write_changes(&mut changes);
        self.letters.write_changes(&mut changes, &self.parts.metrics);
        changes.put(Table::Progress, *b"position", self.position.to_be_bytes());
        self.parts.store.commit(changes)?;
        self.committed_position = self.position;
        self.committed.send_replace(self.position);
        self.note_stage(Stage::Committed);
        self.states.shrink();
        self.parts.metrics.commits.add(1);
        self.parts.metrics.hot_states.set(self.states.len() as u64);
        Ok(())
    }

    /// The log may be given back only where the state would survive a power loss.
    fn sync_if_due(&mut self) -> Result<(), WorkerError> {
        if self.synced_at.is_some_and(|at| clock::elapsed(at) < STATE_SYNC_INTERVAL) {
            return Ok(());
        }
        // What a process before this one has committed may not have been synced.
        if self.synced_position != self.committed_position || self.synced_at.is_none() {
            self.parts.store.sync()?;
            self.synced_position = self.committed_position;
            // What is committed is what the metrics know as committed, whatever has been taken in since.
            let (place, _) = self.parts.metrics.lag.counted(Stage::Committed);
            self.parts.metrics.lag.reached(Stage::Synced, place);
        }
        self.synced_at = Some(clock::instant());
        // Also where nothing comes any more: on a full disk nothing does.
        if let Err(error) = self.parts.log.release(self.synced_position) {
            tracing::error!(%error, "a segment of the log could not be given back");
        }
        Ok(())
    }
}

/// The log position up to which a store has taken the log in.
///
/// # Errors
/// The store cannot be read, or holds what is no position.
pub fn absorbed(store: &dyn Store) -> Result<u64, WorkerError> {
    number(store, "position")
}

fn number(store: &dyn Store, name: &str) -> Result<u64, WorkerError> {
    let bytes = store.get(Table::Progress, name.as_bytes())?;
    let bytes = bytes.map(|bytes| bytes.try_into().map_err(|_| WorkerError::Damaged("number")));
    Ok(bytes.transpose()?.map_or(0, u64::from_be_bytes))
}

/// The state under a key, decoded from the store where it is not held already.
fn load<'s, S: hot::State>(
    hot: &'s mut hot::HotTable<S>,
    store: &dyn Store,
    key: &str,
    make: impl FnOnce() -> S,
) -> Result<&'s mut Hot<S>, WorkerError> {
    hot.look(key, |may_ask| read_or_make(may_ask.then_some(store), key, make))
}

/// The same, to be changed: it is written at the next commit.
fn load_to_change<'s, S: hot::State>(
    hot: &'s mut hot::HotTable<S>,
    store: &dyn Store,
    key: &str,
    make: impl FnOnce() -> S,
) -> Result<&'s mut S, WorkerError> {
    hot.change(key, |may_ask| read_or_make(may_ask.then_some(store), key, make))
}

fn read_or_make<S: hot::State>(
    store: Option<&dyn Store>,
    key: &str,
    make: impl FnOnce() -> S,
) -> Result<S, WorkerError> {
    let stored = store.map(|store| store.get(S::TABLE, key.as_bytes())).transpose()?;
    stored.flatten().map_or_else(|| Ok(make()), |bytes| Ok(S::read(&bytes)?))
}
