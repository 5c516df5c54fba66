//! Opening the door's files: what is intact is used, and everything else is read from the log again.

use super::generation::{Generation, firsts, path_of, remove};
use super::hash::HashKey;
use super::ids::{Entry, Head, Mark};
use super::key::{key_of, seen};
use super::known::{Known, Window};
use crate::limits::DOOR_SILENCE_MS;
use crate::log::{LogReader, Origin};
use crate::metrics::Metrics;
use attune_core::wire::{Record, decode_record};
use std::collections::VecDeque;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl Known {
    /// Opens the files of a folder, so that every event is known that stood in the log when they were last written to; behind
    /// [`Known::covered`] the log has to be read yet.
    ///
    /// # Errors
    /// A file or the log cannot be read, or a file not written.
    pub fn open(folder: PathBuf, window: Window, log: LogReader, metrics: Arc<Metrics>) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let mut generations = opened(&folder)?;
        let said = generations.back().map(|newest| newest.head().known_from);
        while let Some(newest) = generations.pop_back_if(|newest| newest.end.covered > log.end()) {
            let file = newest.ids.path().display();
            tracing::error!(%file, "the log ends before what this file is of, which is made anew");
            discard(&newest)?;
        }
        let known_from = match said.filter(|said| *said <= log.end()) {
            Some(known_from) => known_from,
            None => log.position_of_time(window.window_ms, DOOR_SILENCE_MS)?,
        };
        // What had been forgotten and not been removed yet.
        while generations.len() > 1 && generations[1].head().first <= known_from {
            generations.pop_front().iter().try_for_each(discard)?;
        }
        let begun = generations.front().map_or_else(Mark::default, |oldest| oldest.head().begun);
        if generations.front().is_none_or(|oldest| oldest.head().first > known_from) {
            let begun = Mark { covered: known_from, ..begun };
            let head = Head { key: HashKey::random()?, first: known_from, known_from, begun };
            generations.push_front(Generation::create(&folder, head)?);
        }
        if let Some(newest) = generations.back().filter(|newest| !newest.is_open()) {
            let first = newest.end.covered;
            let head = Head { key: HashKey::random()?, first, known_from, begun: newest.end };
            generations.push_back(Generation::create(&folder, head)?);
        }
        let mut known = Self::of((folder, window), log, metrics, generations)?;
        for place in 0..known.generations.len() - 1 {
            known.complete(place)?;
        }
        known.note();
        Ok(known)
    }

    /// Reads from the log what an old generation does not have up to where the next begins, and has its index made.
    fn complete(&mut self, place: usize) -> io::Result<()> {
        let generation = &self.generations[place];
        let to = self.generations[place + 1].head().first;
        if generation.end.covered < to {
            let head = *generation.head();
            self.generations[place] = self.restored(head, to)?;
        }
        self.close(place)
    }

    /// Forgets what stood in a part of the log that is lost before anybody has taken it in: it is to count when it comes again.
    ///
    /// # Errors
    /// A file cannot be written, or the log not be read.
    pub fn forget_lost(&mut self, lost: &Range<u64>) -> io::Result<()> {
        for place in 0..self.generations.len() {
            let next = self.generations.get(place + 1);
            let to = next.map_or(self.now.covered, |next| next.head().first);
            let (generation, is_newest) = (&self.generations[place], next.is_none());
            let head = *generation.head();
            if head.first < lost.end && lost.start < to {
                let begun = Mark { covered: head.first, ..head.begun };
                let head = Head { key: HashKey::random()?, begun, ..head };
                let mut fresh = Generation::create(&self.folder, head)?;
                self.fill(&mut fresh, to)?;
                self.generations[place] = fresh;
                if !is_newest {
                    self.close(place)?;
                }
            }
        }
        self.note();
        Ok(())
    }

    /// A generation of what is intact in its file and of what the log has of it.
    pub(super) fn restored(&self, head: Head, to: u64) -> io::Result<Generation> {
        let loaded = Generation::load(&self.folder, head.first)?;
        let mut generation = match loaded {
            Some(loaded) => loaded,
            None => Generation::create(&self.folder, Head { key: HashKey::random()?, ..head })?,
        };
        self.fill(&mut generation, to)?;
        Ok(generation)
    }

    /// Adds what the log has between where a generation has come and a position.
    fn fill(&self, generation: &mut Generation, to: u64) -> io::Result<()> {
        let mark = generation.end;
        let (mut from, oldest) = (mark.covered, self.log.oldest()?);
        if from < oldest.min(to) {
            let (folder, to) = (self.folder.display(), oldest.min(to));
            tracing::warn!(%folder, from, to, "the log does not have this part any more: its events may count again");
            from = oldest;
        }
        let mut reader = self.log.at(from);
        'log: while from < to {
            let Some(chunk) = reader.read_on()? else { break };
            for frame in chunk.frames() {
                if frame.position >= to {
                    break 'log;
                }
                for key in frame.records().filter_map(key_in) {
                    if !matches!(generation.find(key.event_id, None), Ok(Some(_))) {
                        generation.insert(Entry { id: key.event_id, seen: seen(&key) });
                    }
                }
                from = frame.end;
            }
            generation.commit(Mark { covered: from.min(to), ..mark })?;
        }
        generation.commit(Mark { covered: to, ..mark })
    }
}

/// What the door goes by of an event in the log; nothing of another record.
fn key_in(record: &[u8]) -> Option<crate::log::EventKey> {
    match decode_record(record) {
        Ok(Record::Event { event, .. }) => Some(key_of(&event, Origin::Sender)),
        _ => None,
    }
}

/// The generations of a folder whose heads are intact, oldest first.
fn opened(folder: &Path) -> io::Result<VecDeque<Generation>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "new") {
            remove(&path)?;
        }
    }
    let mut generations = VecDeque::new();
    for first in firsts(folder)? {
        let path = path_of(folder, first);
        match Generation::open(folder, first)? {
            Some(generation) => generations.push_back(generation),
            None => {
                tracing::error!(file = %path.display(), "the file of event ids is damaged, and is made anew");
                remove(&path.with_extension("idx"))?;
                remove(&path)?;
            }
        }
    }
    Ok(generations)
}

fn discard(generation: &Generation) -> io::Result<()> {
    remove(&generation.ids.path().with_extension("idx"))?;
    remove(generation.ids.path())
}
