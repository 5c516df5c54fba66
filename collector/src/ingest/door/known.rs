//! All event ids of the door's window, a generation for each stretch of the log.
//!
//! **Time.** Generations go by how long the collector has run, in milliseconds: while it runs, by a clock that nobody sets. What
//! is read from the log again goes by the wall clock of its frames, of which a step back counts nothing and one ahead an
//! hour at most. So a wall clock that jumps by years costs an hour of the window, and silence and time without a collector,
//! in which nothing is added, only make it longer.

use super::filing::{Filing, Job};
use super::generation::{Generation, Trouble, path_of};
use super::hash::HashKey;
use super::hours::hour_of;
use super::ids::{Entry, Head, Mark};
use super::index::Index;
use super::key::Seen;
use crate::limits::{DOOR_GENERATION_MS, DOOR_ID_BYTES, DOOR_SILENCE_MS};
use crate::log::LogReader;
use crate::metrics::Metrics;
use attune_core::time::Timestamp;
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How much is known, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// For how long an id is known at least, in milliseconds.
    pub window_ms: u64,
    /// After how long a generation is closed, in milliseconds.
    pub generation_ms: u64,
    /// Ids of a generation at which it is closed.
    pub generation_ids: usize,
}

impl Window {
    /// One of so many days, of which the newest generation takes so many MiB at most; a group of the log may exceed it.
    pub fn of(days: u32, memory_mib: u64) -> Self {
        Self {
            window_ms: u64::from(days) * 86_400_000,
            generation_ms: DOOR_GENERATION_MS,
            generation_ids: ((memory_mib << 20) / DOOR_ID_BYTES) as usize,
        }
    }
}

/// The ids.
#[derive(Debug)]
pub struct Known {
    pub(super) folder: PathBuf,
    pub(super) window: Window,
    pub(super) log: LogReader,
    pub(super) metrics: Arc<Metrics>,
    pub(super) filing: Filing,
    /// Oldest first; the last is open, and always there.
    pub(super) generations: VecDeque<Generation>,
    /// Now, and up to where of the log everything is here.
    pub(super) now: Mark,
    uptime: Duration,
    /// Whether it has been told that the disk takes nothing.
    has_failed: bool,
}

impl Known {
    pub(super) fn of(
        (folder, window): (PathBuf, Window),
        log: LogReader,
        metrics: Arc<Metrics>,
        generations: VecDeque<Generation>,
    ) -> io::Result<Self> {
        let now = generations.back().map_or_else(Mark::default, |newest| newest.end);
        let (filing, uptime, has_failed) = (Filing::start()?, Duration::ZERO, false);
        Ok(Self { folder, window, log, metrics, filing, generations, now, uptime, has_failed })
    }

    /// The log position up to which every event is here.
    pub const fn covered(&self) -> u64 {
        self.now.covered
    }

    /// Says when what follows is received: by the wall clock, and how long this process runs.
    pub fn begin(&mut self, at: Timestamp, uptime: Duration) {
        let passed = uptime.saturating_sub(self.uptime);
        self.uptime += passed;
        self.now.at = at;
        self.now.ran_ms += passed.as_millis() as u64;
        // What is less than a millisecond adds up.
        self.uptime -= Duration::from_nanos(u64::from(passed.subsec_nanos() % 1_000_000));
    }

    /// Says when what follows was received, where only the log says so.
    pub fn begin_again(&mut self, at: Option<Timestamp>) {
        let Some(at) = at else { return };
        let passed = u64::try_from(at.since(self.now.at)).unwrap_or(0);
        self.now.ran_ms += passed.min(DOOR_SILENCE_MS);
        self.now.at = at;
    }

    /// What is known of an id.
    pub fn find(&mut self, id: u128) -> Option<Seen> {
        let hour = hour_of(id);
        for place in (0..self.generations.len()).rev() {
            let found = self.generations.get(place)?.find(id, hour).or_else(|trouble| {
                self.repair(place, &trouble);
                self.generations.get(place).map_or(Ok(None), |generation| generation.find(id, hour))
            });
            match found {
                Ok(Some(seen)) => return Some(seen),
                Ok(None) => {}
                Err(trouble) => {
                    tracing::error!(%trouble, "a generation of event ids cannot be read, and counts for nothing");
                }
            }
        }
        None
    }

    /// Adds an id that is not known.
    pub fn insert(&mut self, id: u128, seen: Seen) {
        if let Some(newest) = self.generations.back_mut() {
            newest.insert(Entry { id, seen });
        }
    }

    /// Says that what has been added is in the log, up to a position.
    pub fn commit(&mut self, covered: u64) {
        self.now.covered = covered;
        let now = self.now;
        let Some(newest) = self.generations.back_mut() else { return };
        // What is in the log is committed whatever becomes of the head.
        let (dated, committed) = (newest.date(now.at), newest.commit(now));
        let committed = committed.and(dated);
        let age = self.now.ran_ms.saturating_sub(newest.head().begun.ran_ms);
        let is_old = newest.len() > 0 && age >= self.window.generation_ms;
        let is_over = is_old || newest.len() >= self.window.generation_ids;
        while let Some(index) = self.filing.made() {
            self.file(index);
        }
        let turned = if is_over { committed.and_then(|()| self.turn()) } else { committed };
        let forgotten = turned.and_then(|()| self.forget());
        if let Err(error) = &forgotten
            && !self.has_failed
        {
            let folder = self.folder.display();
            tracing::warn!(%folder, %error, "the door's files take nothing; event ids stay in memory");
        }
        self.has_failed = forgotten.is_err();
        self.note();
    }

    /// Takes back what has been added since the last commit.
    pub fn rollback(&mut self) {
        if let Some(newest) = self.generations.back_mut() {
            newest.take_uncommitted();
        }
    }

    /// Closes the newest generation and begins another.
    fn turn(&mut self) -> io::Result<()> {
        let known_from = self.generations.front().map_or(0, |oldest| oldest.head().first);
        let head = Head { key: HashKey::random()?, first: self.now.covered, known_from, begun: self.now };
        let fresh = Generation::create(&self.folder, head)?;
        self.generations.push_back(fresh);
        self.close(self.generations.len() - 2)
    }

    /// Has the index made of a generation that gets nothing more.
    pub(super) fn close(&mut self, place: usize) -> io::Result<()> {
        let Some(generation) = self.generations.get_mut(place) else { return Ok(()) };
        let Some((table, summary)) = generation.close()? else { return Ok(()) };
        let ids = generation.ids.another()?;
        let path = generation.ids.path().with_extension("idx");
        self.filing.ask(Job { table, summary, ids, path });
        Ok(())
    }

    /// Has a generation found by the index that has been made of it, unless it has been made anew meanwhile.
    fn file(&mut self, index: Index) {
        if let Some(generation) = self.generations.iter_mut().find(|generation| generation.wants(&index)) {
            generation.file(index);
        }
    }

    /// Forgets generations whose last id has been known for long enough.
    fn forget(&mut self) -> io::Result<()> {
        let mut has_forgotten = false;
        while let Some(next) = self.generations.get(1)
            && self.now.ran_ms.saturating_sub(next.head().begun.ran_ms) > self.window.window_ms
        {
            if let Some(oldest) = self.generations.pop_front() {
                let path = path_of(&self.folder, oldest.head().first);
                self.filing.remove(path.with_extension("idx"));
                self.filing.remove(path);
            }
            has_forgotten = true;
        }
        let known_from = self.generations.front().map_or(0, |oldest| oldest.head().first);
        match self.generations.back_mut() {
            Some(newest) if has_forgotten => newest.ids.set_known_from(known_from),
            _ => Ok(()),
        }
    }

    /// Makes a generation anew of what is intact of it and of the log.
    fn repair(&mut self, place: usize, trouble: &Trouble) {
        let next = self.generations.get(place + 1);
        let to = next.map_or(self.now.covered, |next| next.head().first);
        let is_newest = next.is_none();
        let Some(generation) = self.generations.get_mut(place) else { return };
        let (head, file) = (*generation.head(), generation.ids.path().to_owned());
        tracing::error!(file = %file.display(), %trouble, "a file of event ids is damaged, and is made anew");
        self.metrics.door_repairs.add(1);
        let uncommitted = generation.take_uncommitted();
        let restored = self.restored(head, to).and_then(|mut fresh| {
            uncommitted.iter().for_each(|entry| fresh.insert(*entry));
            self.generations[place] = fresh;
            if is_newest { Ok(()) } else { self.close(place) }
        });
        if let Err(error) = restored {
            // They are in no file and in no log yet.
            if let Some(generation) = self.generations.get_mut(place) {
                uncommitted.into_iter().for_each(|entry| generation.insert(entry));
            }
            tracing::error!(file = %file.display(), %error, "the file of event ids cannot be made anew");
        }
    }

    /// Says how much there is.
    pub(super) fn note(&self) {
        let (filed, held): (Vec<&Generation>, Vec<&Generation>) =
            self.generations.iter().partition(|generation| generation.is_filed());
        let ids = |of: &[&Generation]| of.iter().map(|generation| generation.len() as u64).sum();
        let bytes = |of: &[&Generation]| of.iter().map(|generation| generation.bytes() as u64).sum();
        let metrics = &self.metrics;
        metrics.door_ids.set(ids(&held));
        metrics.door_bytes.set(bytes(&held));
        metrics.door_filed_ids.set(ids(&filed));
        metrics.door_filed_bytes.set(bytes(&filed));
        metrics.door_generations.set(self.generations.len() as u64);
        let oldest = self.generations.iter().find(|generation| generation.len() > 0);
        let since = oldest.map_or(0, |oldest| oldest.head().begun.at.0.max(0) / 1_000);
        metrics.door_oldest.set(since as u64);
    }

    /// Waits for the indexes that are being made.
    #[cfg(test)]
    pub fn settle(&mut self) {
        while self.generations.iter().any(|generation| !generation.is_open() && !generation.is_filed()) {
            let index = self.filing.wait().expect("the thread makes it");
            self.file(index);
        }
        self.note();
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        let (now, Some(newest)) = (self.now, self.generations.back_mut()) else { return };
        // So that the next start need not read the log for it.
        if let Err(error) = newest.ids.write(now) {
            tracing::warn!(%error, "the last event ids are read from the log at the next start");
        }
    }
}
