//! Erasing members: out of the states at once, then out of the log and the store's files, a slice at a time.
//!
//! The order makes a crash at any step harmless. What is to be erased is in the log, and then, with the state that has
//! lost it, in the store; only when both are durable are records blanked, and only when they are does the store forget
//! the name and begin new files.

use super::rebuild::Rebuild;
use super::{Worker, WorkerError, load};
use crate::access::{Tombstone, Tombstones};
use crate::clock;
use crate::limits::ERASE_PAUSE;
use crate::log::{Chunk, NewFrame};
use crate::profile::{Changes, ERASURE_DONE, Store, Table, delivery_key, is_of as is_letter_of};
use attune_core::codec::{Reader, Writer};
use attune_core::id::{MemberId, ProfileId, uuid_from_text};
use attune_core::processor::ProfileState;
use attune_core::profile::MemberState;
use attune_core::wire::{Record, Refused, blank_record, decode_record};
use std::collections::BTreeMap;
use std::time::Instant;

/// What the store has of an erasure: records are to be blanked, files are to be begun anew, or nothing is left to do.
const BLANKING: u8 = 1;
const PURGING: u8 = 2;
const DONE: u8 = ERASURE_DONE;

/// Erasures that have not been finished.
#[derive(Debug, Default)]
pub struct Erasures {
    /// Whose records are to be blanked, with the profile that each was of.
    pending: BTreeMap<Tombstone, (MemberId, ProfileId)>,
    /// Those of whom only the store's files may still say something.
    blanked: Vec<Tombstone>,
    /// What the next commit is to write.
    unwritten: BTreeMap<Tombstone, Vec<u8>>,
    pass: Option<Pass>,
    /// When the last pass ended in this process.
    ended_at: Option<Instant>,
}

/// One reading of the log.
#[derive(Debug)]
struct Pass {
    members: BTreeMap<Tombstone, (MemberId, ProfileId)>,
    /// Up to where the log has been read.
    position: u64,
    /// Up to where it may be blanked: what stands behind that is durable nowhere else yet, and has another pass follow.
    until: u64,
    /// What rules remember of the profiles that go on, computed anew; nothing where the log has not all there was.
    rebuild: Option<Rebuild>,
}

/// Notes who has been erased by what a store has, before anybody can send something of theirs.
///
/// # Errors
/// The store cannot be read.
pub fn note_erased(store: &dyn Store, tombstones: &Tombstones) -> Result<(), WorkerError> {
    store.scan(Table::Erased, &mut |key, _| {
        Tombstone::try_from(key).map(|tombstone| tombstones.note(tombstone)).is_ok()
    })?;
    Ok(())
}

impl Erasures {
    /// Takes back what the store has.
    pub fn open(parts: &super::WorkerParts) -> Result<Self, WorkerError> {
        let mut erasures = Self::default();
        let mut damaged = false;
        parts.store.scan(Table::Erased, &mut |key, value| {
            let Ok(tombstone) = Tombstone::try_from(key) else {
                damaged = true;
                return false;
            };
            match (value.first(), names_in(value)) {
                (Some(&BLANKING), Some(names)) => drop(erasures.pending.insert(tombstone, names)),
                (Some(&PURGING), _) => erasures.blanked.push(tombstone),
                (Some(&DONE), _) => {}
                _ => damaged = true,
            }
            true
        })?;
        parts.metrics.erasures_pending.set(erasures.count());
        if damaged { Err(WorkerError::Damaged("erasure")) } else { Ok(erasures) }
    }

    /// Appends what has changed since the last call.
    pub fn write_changes(&mut self, changes: &mut Changes) {
        for (tombstone, value) in std::mem::take(&mut self.unwritten) {
            changes.put(Table::Erased, tombstone, value);
        }
    }

    /// Whether a pass may begin: those that are asked for in quick succession share one.
    fn is_due(&self) -> bool {
        !self.pending.is_empty() && self.ended_at.is_none_or(|ended| clock::elapsed(ended) >= ERASE_PAUSE)
    }

    /// The member whose records are being blanked that a refused event names.
    pub fn is_named_in(&self, refused: &Refused) -> Option<MemberId> {
        let being = self.pass.iter().flat_map(|pass| pass.members.values()).chain(self.pending.values());
        being.map(|(member, _)| member).find(|member| is_letter_of(refused, member)).cloned()
    }

    /// Members that are to be erased.
    pub fn count(&self) -> u64 {
        let running = self.pass.as_ref().map_or(0, |pass| pass.members.len());
        (self.pending.len() + running + self.blanked.len()) as u64
    }
}

impl Worker<'_> {
    /// Takes the record of an erasure in: states lose the member; its records are blanked later.
    pub(super) fn take_erasure(
        &mut self,
        tombstone: Tombstone,
        member: Option<&MemberId>,
    ) -> Result<(), WorkerError> {
        self.parts.tombstones.note(tombstone);
        let Some(member) = member else {
            // Its records are blank already, as in a log that is read again.
            self.erasures.unwritten.entry(tombstone).or_insert_with(|| vec![DONE]);
            return Ok(());
        };
        let store = &*self.parts.store;
        let make = || MemberState::new(member.clone());
        let profile = match load(&mut self.states.members, store, &member.0, make) {
            Ok(hot) => hot.state.profile().clone(),
            // What cannot be read goes all the same; whose profile it was in is not known.
            Err(WorkerError::State(error)) => {
                tracing::error!(member = &*member.0, error = error.code(), "an unreadable member is erased");
                self.states.members.discard(&member.0);
                ProfileId(format!("member:{}", member.0).into())
            }
            Err(error) => return Err(error),
        };
        self.states.members.remove(&member.0);
        self.erase_from(&profile.0, member)?;
        self.blank_later(tombstone, member, &profile);
        Ok(())
    }

    /// Passes over a record of a member that is erased already, which was on its way at that moment.
    pub(super) fn pass_over(&mut self, member: &MemberId) {
        let tombstone = self.parts.tombstones.of(member);
        // One that waits already knows its profile.
        if self.erasures.pending.contains_key(&tombstone) {
            return;
        }
        self.blank_later(tombstone, member, &ProfileId(format!("member:{}", member.0).into()));
    }

    fn blank_later(&mut self, tombstone: Tombstone, member: &MemberId, profile: &ProfileId) {
        let mut value = Writer::new();
        value.u8(BLANKING);
        value.str(&member.0);
        value.str(&profile.0);
        self.erasures.unwritten.insert(tombstone, value.into_bytes());
        self.erasures.pending.insert(tombstone, (member.clone(), profile.clone()));
        self.parts.metrics.erasures_pending.set(self.erasures.count());
    }

    /// Takes a member out of a profile, which goes where nobody is left.
    fn erase_from(&mut self, profile: &str, member: &MemberId) -> Result<(), WorkerError> {
        let hot = match load(&mut self.states.profiles, &*self.parts.store, profile, ProfileState::default) {
            Ok(hot) => hot,
            Err(WorkerError::State(error)) => {
                tracing::error!(
                    profile,
                    error = error.code(),
                    "somebody is erased from an unreadable profile"
                );
                // Nobody else is in one of a member alone.
                if profile.strip_prefix("member:") == Some(&*member.0) {
                    self.states.profiles.discard(profile);
                }
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if hot.state.erase(member) {
            self.states.profiles.remove(profile);
        } else {
            if hot.mark_dirty() {
                self.states.profiles.note_dirty(profile);
            }
            self.publisher.note(profile);
        }
        Ok(())
    }

    /// Goes on with what is to be erased by one slice; says whether there was anything to do.
    pub(super) fn erase_on(&mut self) -> Result<bool, WorkerError> {
        match self.erasures.pass.take() {
            Some(pass) => self.read_slice(pass)?,
            None if !self.erasures.blanked.is_empty() => self.purge()?,
            None if self.erasures.is_due() => self.begin_pass()?,
            None => return Ok(false),
        }
        self.parts.metrics.erasures_pending.set(self.erasures.count());
        Ok(true)
    }

    fn begin_pass(&mut self) -> Result<(), WorkerError> {
        self.commit()?;
        let members = std::mem::take(&mut self.erasures.pending);
        for (member, _) in members.values() {
            self.erase_traces(member)?;
        }
        self.commit_all()?;
        let (position, is_whole) = self.parts.log.position_before(self.position, self.position)?;
        let mut rebuild = Rebuild::default();
        for (_, profile) in members.values() {
            let store = &*self.parts.store;
            let hot = load(&mut self.states.profiles, store, &profile.0, ProfileState::default)?;
            rebuild.want(&hot.state);
        }
        let rebuild = Some(rebuild).filter(|rebuild| is_whole && !rebuild.is_empty());
        self.erasures.pass = Some(Pass { members, position, until: self.position, rebuild });
        Ok(())
    }

    /// Takes a member out of the profiles that it has left, out of the dead letters, and out of the firings.
    fn erase_traces(&mut self, member: &MemberId) -> Result<(), WorkerError> {
        let (name, store) = (member.0.as_bytes(), &*self.parts.store);
        let is_in = |bytes: &[u8]| contains(bytes, name);
        let (mut profiles, mut firings) = (Vec::new(), Vec::new());
        store.scan(Table::Profiles, &mut |key, value| {
            if is_in(key) || is_in(value) {
                profiles.push(String::from_utf8_lossy(key).into_owned());
            }
            true
        })?;
        store.scan(Table::Firings, &mut |key, value| {
            // They are kept as JSON, which may write a name otherwise.
            if may_name(value, member) {
                firings.push((key.to_vec(), value.to_vec()));
            }
            true
        })?;
        for profile in profiles {
            self.erase_from(&profile, member)?;
        }
        self.erase_letters(member)?;
        let mut changes = Changes::default();
        for (key, json) in firings {
            let firing: serde_json::Value = serde_json::from_slice(&json).unwrap_or_default();
            if firing["member"] != *member.0 {
                continue;
            }
            if let Some(id) = firing["id"].as_str().and_then(uuid_from_text) {
                changes.remove(Table::FiringIds, id.into_bytes());
            }
            // What is being delivered finds its firing gone; what that writes later, it takes back itself.
            let actions = firing["actions"].as_array().map_or(0, Vec::len);
            for action in 0..u16::try_from(actions).unwrap_or(u16::MAX) {
                changes.remove(Table::Deliveries, delivery_key(&key, action));
            }
            changes.remove(Table::Firings, key);
        }
        Ok(self.parts.store.commit(changes)?)
    }

    /// Blanks the records of some frames. The log is read up to where the worker is itself.
    fn read_slice(&mut self, mut pass: Pass) -> Result<(), WorkerError> {
        // Segments may have been given back meanwhile.
        let (first, _) = self.parts.log.position_before(self.position, self.position)?;
        pass.position = pass.position.max(first);
        let chunk = self.parts.log.reader(pass.position).read_on()?;
        let mut frames = Vec::new();
        let before = pass.position;
        for frame in chunk.iter().flat_map(Chunk::frames).take_while(|frame| frame.end <= self.position) {
            pass.position = frame.end;
            let is_erased = |record: &[u8]| is_of(record, &pass.members);
            let may_name = |(member, _): &(MemberId, ProfileId)| may_name(frame.payload, member);
            if frame.end <= pass.until && pass.members.values().any(may_name) {
                frames.extend(NewFrame::blanked(&frame, is_erased, blank_record));
            }
            if let Some(rebuild) = &mut pass.rebuild {
                let decoded = frame.records().filter_map(|record| decode_record(record).ok());
                decoded.for_each(|record| rebuild.take(&record));
            }
        }
        self.parts.log.replace(&frames)?;
        // What rules remember is computed up to where the state is.
        let end = if pass.rebuild.is_some() { self.position } else { pass.until };
        // Where nothing intact is left up to there, nothing is left to be read.
        if before < pass.position && pass.position < end {
            self.erasures.pass = Some(pass);
            return Ok(());
        }
        self.end_pass(pass)
    }

    fn end_pass(&mut self, pass: Pass) -> Result<(), WorkerError> {
        for (profile, rebuilt) in pass.rebuild.into_iter().flat_map(Rebuild::into_profiles) {
            let store = &*self.parts.store;
            let hot = load(&mut self.states.profiles, store, &profile, ProfileState::default)?;
            if hot.state.members().next().is_none() {
                // The last of them has been erased meanwhile.
                continue;
            }
            hot.state.remember_as(rebuilt);
            if hot.mark_dirty() {
                self.states.profiles.note_dirty(&profile);
            }
            self.publisher.note(&profile);
        }
        // Some may have come while the log was read, by whoever sends for others.
        self.commit()?;
        for (member, _) in pass.members.values() {
            self.erase_letters(member)?;
        }
        for tombstone in pass.members.into_keys() {
            // One that was sent something in between waits for the next reading.
            if !self.erasures.pending.contains_key(&tombstone) {
                self.erasures.unwritten.insert(tombstone, vec![PURGING]);
                self.erasures.blanked.push(tombstone);
            }
        }
        self.commit_all()
    }

    /// Begins new files for the store, in which nothing is left of what has been removed.
    fn purge(&mut self) -> Result<(), WorkerError> {
        self.commit()?;
        self.parts.store.purge()?;
        self.erasures.ended_at = Some(clock::instant());
        let purged = std::mem::take(&mut self.erasures.blanked);
        self.parts.metrics.erasures.add(purged.len() as u64);
        for tombstone in purged {
            // One that was sent something in between has another reading before it.
            if !self.erasures.pending.contains_key(&tombstone) {
                self.erasures.unwritten.insert(tombstone, vec![DONE]);
            }
        }
        self.commit_all()
    }

    /// Commits even where no record has been taken in since, and makes it durable.
    fn commit_all(&mut self) -> Result<(), WorkerError> {
        self.write_all()?;
        Ok(self.parts.store.sync()?)
    }
}

/// Whether a record is of one of these members.
fn is_of(record: &[u8], members: &BTreeMap<Tombstone, (MemberId, ProfileId)>) -> bool {
    let Ok(record) = decode_record(record) else { return false };
    let is_one = |member: &MemberId| members.values().any(|(erased, _)| erased == member);
    match record {
        Record::Event { event, .. } => is_one(&event.member),
        Record::Void { member, .. } | Record::Close { member, .. } | Record::Clocks { member, .. } => {
            is_one(&member)
        }
        Record::Erase { member, .. } => member.is_some_and(|member| is_one(&member)),
        Record::WakeUp { profile, .. } => {
            // A user's profile is named as the member is that carries its traits.
            is_one(&MemberId(profile.0.strip_prefix("member:").unwrap_or(&profile.0).into()))
        }
        Record::Refused(refused) => members.values().any(|(erased, _)| is_letter_of(&refused, erased)),
        Record::Bundle { .. } | Record::Rollout { .. } | Record::Replayed(_) | Record::Blank => false,
    }
}

/// Whether bytes hold a member's id, as it is or as a text of JSON has it.
fn may_name(bytes: &[u8], member: &MemberId) -> bool {
    let written = serde_json::Value::from(&*member.0).to_string();
    contains(bytes, member.0.as_bytes())
        || contains(bytes, written.get(1..written.len() - 1).unwrap_or_default().as_bytes())
}

fn names_in(value: &[u8]) -> Option<(MemberId, ProfileId)> {
    let mut reader = Reader::new(value.get(1..)?);
    Some((MemberId(reader.boxed_str().ok()?), ProfileId(reader.boxed_str().ok()?)))
}

fn contains(bytes: &[u8], name: &[u8]) -> bool {
    memchr::memmem::find(bytes, name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_may_name_a_member_as_it_is_or_as_json_writes_it() {
        let member = MemberId("m\"ü".into());
        for (bytes, expected) in
            [("..m\"ü..", true), (r#"{"anonymous_id":"m\"ü"}"#, true), (r#"{"anonymous_id":"m"}"#, false)]
        {
            assert_eq!(may_name(bytes.as_bytes(), &member), expected, "{bytes}");
        }
    }
}
