//! A disk in memory that knows what of it is durable: it fails when it is told to, loses its power, or lies.
//!
//! What a file system may do to what has not been synced is taken as widely as POSIX has it. Each page of 4 KiB that was
//! written is there as it was after any of the writes since, or as a mixture of those by sectors of 512 bytes; a file is as
//! long as it was after any of them; and of names any change is made that does not need one that is not. What was written
//! before a sync that fails is not written by the next one either, as on Linux (Rebello et al., "Can Applications Recover
//! from fsync Failures?", USENIX ATC 2020).

use super::super::disk::{Disk, File, Folder, How, Room};
use super::content::{Content, Random};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// How calls fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Whatever is asked for.
    Error,
    /// What takes room.
    NoRoom,
    /// What changes anything.
    ReadOnly,
    /// Writes take only half of what they are given, without an error.
    Short,
}

impl Trouble {
    fn concerns(self, call: Call) -> bool {
        match self {
            Self::Error => true,
            Self::NoRoom => matches!(call, Call::TakeRoom | Call::Write),
            Self::ReadOnly => call != Call::Read,
            Self::Short => call == Call::Write,
        }
    }
}

/// Which calls fail.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// The first one, counted from 0.
    pub at: u64,
    /// How.
    pub trouble: Trouble,
    /// Whether all that follow fail as well, until it is lifted.
    pub lasts: bool,
}

/// What the disk says is durable and is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Nothing.
    Honest,
    /// Everything.
    None,
    /// Everything, for so many calls.
    Late,
    /// Names.
    Folders,
}

impl Lie {
    /// Calls for which it is late.
    const CALLS: u64 = 12;
}

/// The disk.
#[derive(Clone, Debug)]
pub struct Simulated(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    files: Vec<Content>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    changes: Vec<Change>,
    calls: u64,
    seen: Vec<Call>,
    fault: Option<Fault>,
    has_failed: bool,
    ends_at: Option<u64>,
    is_aside: bool,
    lie: Lie,
    /// Syncs that are still to be done, with the call at which they are: of a file, or of the names.
    late: Vec<(u64, Option<usize>)>,
    random: Random,
}

#[derive(Clone, Debug)]
struct Change {
    file: usize,
    from: Option<String>,
    to: Option<String>,
}

impl Change {
    /// Whether this one can only have been made where `before` has.
    fn needs(&self, before: &Self) -> bool {
        let own = [&self.from, &self.to];
        self.file == before.file
            || [&before.from, &before.to].into_iter().flatten().any(|name| own.contains(&&Some(name.clone())))
    }

    fn make(&self, names: &mut BTreeMap<String, usize>) {
        if let Some(from) = &self.from {
            names.remove(from);
        }
        if let Some(to) = &self.to {
            names.insert(to.clone(), self.file);
        }
    }
}

impl Simulated {
    /// An empty one.
    pub fn new(lie: Lie, seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            files: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            changes: Vec::new(),
            calls: 0,
            seen: Vec::new(),
            fault: None,
            has_failed: false,
            ends_at: None,
            is_aside: false,
            lie,
            late: Vec::new(),
            random: Random(seed),
        })))
    }

    /// As a log takes it.
    pub fn disk(&self) -> Disk {
        Arc::new(self.clone())
    }

    /// Calls so far.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Those of the calls so far that a trouble would have had fail.
    pub fn concerned(&self, trouble: Trouble) -> Vec<u64> {
        let state = self.state();
        (0..)
            .zip(&state.seen)
            .filter(|(_, call)| trouble.concerns(**call))
            .map(|(number, _)| number)
            .collect()
    }

    /// Lets calls fail.
    pub fn fail(&self, fault: Option<Fault>) {
        self.state().fault = fault;
    }

    /// Whether a call has failed since this was asked last.
    pub fn take_failed(&self) -> bool {
        std::mem::take(&mut self.state().has_failed)
    }

    /// Lets this call and all behind it fail, as for a process that is not there any more.
    pub fn end_at(&self, call: Option<u64>) {
        self.state().ends_at = call;
    }

    /// Looks at it without being counted, and without trouble.
    pub fn aside<T>(&self, look: impl FnOnce() -> T) -> T {
        self.state().is_aside = true;
        let seen = look();
        self.state().is_aside = false;
        seen
    }

    /// Whether it has come to that.
    pub fn has_ended(&self) -> bool {
        let state = self.state();
        state.ends_at.is_some_and(|at| state.calls > at)
    }

    /// Takes the power from it; what is left of what was not durable is chance.
    pub fn cut(&self) {
        let mut state = self.state();
        let State { files, durable_names, changes, random, .. } = &mut *state;
        files.iter_mut().for_each(|file| file.survive(random));
        let mut lost: Vec<Change> = Vec::new();
        let odds = random.below(3);
        for change in changes.drain(..) {
            if lost.iter().any(|before| change.needs(before)) || random.below(2) < odds {
                lost.push(change);
            } else {
                change.make(durable_names);
            }
        }
        state.names = state.durable_names.clone();
        state.late.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a call does, as far as troubles tell calls apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Read,
    Change,
    TakeRoom,
    Write,
}

impl State {
    /// Counts a call; says what becomes of it.
    fn call(&mut self, call: Call) -> io::Result<bool> {
        if self.is_aside {
            return Ok(false);
        }
        let number = self.calls;
        self.calls += 1;
        self.seen.push(call);
        let due: Vec<_> = self.late.iter().filter(|(at, _)| *at <= number).map(|(_, what)| *what).collect();
        self.late.retain(|(at, _)| *at > number);
        due.into_iter().for_each(|what| self.make_durable(what));
        if self.ends_at.is_some_and(|at| number >= at) {
            return Err(Errno::IO.into());
        }
        let Some(fault) = self.fault.filter(|fault| number == fault.at || fault.lasts && number > fault.at)
        else {
            return Ok(false);
        };
        if !fault.trouble.concerns(call) {
            return Ok(false);
        }
        self.has_failed = true;
        match fault.trouble {
            Trouble::Error => Err(Errno::IO.into()),
            Trouble::NoRoom => Err(Errno::NOSPC.into()),
            Trouble::ReadOnly => Err(Errno::ROFS.into()),
            Trouble::Short => Ok(true),
        }
    }

    fn make_durable(&mut self, what: Option<usize>) {
        match what {
            Some(file) => self.files[file].sync(),
            None => {
                self.changes.clear();
                self.durable_names.clone_from(&self.names);
            }
        }
    }

    fn sync(&mut self, what: Option<usize>) -> io::Result<()> {
        if let Err(error) = self.call(Call::Change) {
            if let Some(file) = what
                && self.ends_at.is_none_or(|at| self.calls <= at)
            {
                self.files[file].fail_to_sync(&mut self.random);
            }
            return Err(error);
        }
        match self.lie {
            Lie::None => {}
            Lie::Folders if what.is_none() => {}
            Lie::Late => self.late.push((self.calls + Lie::CALLS, what)),
            _ => self.make_durable(what),
        }
        Ok(())
    }

    fn change(&mut self, change: Change) {
        change.make(&mut self.names);
        self.changes.push(change);
    }

    fn find(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Folder for Simulated {
    fn path(&self) -> &Path {
        Path::new("simulated")
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut state = self.state();
        state.call(Call::Read)?;
        Ok(state.names.keys().cloned().collect())
    }

    fn open(&self, name: &str, how: How) -> io::Result<Box<dyn File>> {
        let mut state = self.state();
        let call = match how {
            How::Read => Call::Read,
            How::Write => Call::Change,
            How::Kept | How::Empty | How::Private => Call::TakeRoom,
        };
        state.call(call)?;
        let is_made = matches!(call, Call::TakeRoom);
        let file = match state.find(name) {
            Err(error) if !is_made => return Err(error),
            Err(_) => {
                state.files.push(Content::default());
                let file = state.files.len() - 1;
                state.change(Change { file, from: None, to: Some(name.to_owned()) });
                file
            }
            Ok(file) => {
                if matches!(how, How::Empty | How::Private) {
                    // Its old pages count for nothing, however long it is again.
                    let content = &mut state.files[file];
                    content.write(&vec![0; content.now.len()], 0);
                    content.set_length(0);
                }
                file
            }
        };
        Ok(Box::new(Open { disk: self.clone(), file, is_written: how != How::Read }))
    }

    fn length(&self, name: &str) -> io::Result<Option<u64>> {
        let mut state = self.state();
        state.call(Call::Read)?;
        Ok(state.names.get(name).map(|file| state.files[*file].now.len() as u64))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        state.call(Call::Change)?;
        let file = state.find(from)?;
        state.change(Change { file, from: Some(from.to_owned()), to: Some(to.to_owned()) });
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.call(Call::Change)?;
        let file = state.find(name)?;
        state.change(Change { file, from: Some(name.to_owned()), to: None });
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.state().sync(None)
    }

    fn room(&self) -> io::Result<Room> {
        self.state().call(Call::Read)?;
        Ok(Room { bytes: u64::MAX / 2, files: None })
    }
}

#[derive(Debug)]
struct Open {
    disk: Simulated,
    file: usize,
    is_written: bool,
}

impl File for Open {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut state = self.disk.state();
        state.call(Call::Read)?;
        let held = state.files[self.file].now.get(offset as usize..).unwrap_or_default();
        let count = held.len().min(bytes.len());
        bytes[..count].copy_from_slice(&held[..count]);
        Ok(count)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut state = self.disk.state();
        if !self.is_written {
            return Err(Errno::BADF.into());
        }
        let is_ended = state.ends_at.is_some_and(|at| state.calls >= at);
        let called = state.call(Call::Write);
        let count = match &called {
            Ok(false) => bytes.len(),
            Ok(true) => bytes.len().div_ceil(2),
            // What fails, and what is under way when everything ends, may have been written in part.
            Err(_) if is_ended && state.calls > state.ends_at.unwrap_or_default() + 1 => 0,
            Err(_) => state.random.below(bytes.len() as u64 + 1) as usize,
        };
        state.files[self.file].write(&bytes[..count], offset as usize);
        called.map(|_| count)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.state().sync(Some(self.file))
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn length(&self) -> io::Result<u64> {
        let mut state = self.disk.state();
        state.call(Call::Read)?;
        Ok(state.files[self.file].now.len() as u64)
    }

    fn modified(&self) -> io::Result<SystemTime> {
        self.disk.state().call(Call::Read)?;
        Ok(SystemTime::now())
    }

    fn reserve(&self, bytes: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        state.call(Call::TakeRoom)?;
        state.files[self.file].set_length(bytes as usize);
        Ok(())
    }
}
