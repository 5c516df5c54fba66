//! A log on a simulated disk, one thread for all of it, and beside it what its senders know: what they have sent, and what
//! was acknowledged.

use super::super::*;
use super::content::Random;
use super::simulated::{Lie, Simulated};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::mpsc::sync_channel;

/// Segments as small as a few batches.
const CAPACITY: u64 = 16_384;

/// What is found that should not be, or is not found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wrong {
    /// Acknowledged, and not there.
    pub lost: BTreeSet<u64>,
    /// There more than once.
    pub twice: BTreeSet<u64>,
    /// There, and never sent so, or refused in this process, or erased.
    pub invented: BTreeSet<u64>,
    /// Anything else.
    pub said: Vec<String>,
}

impl Wrong {
    fn say(text: impl fmt::Display) -> Self {
        Self { said: vec![text.to_string()], ..Self::default() }
    }

    fn or_ok(self) -> Result<(), Self> {
        if self == Self::default() { Ok(()) } else { Err(self) }
    }
}

/// Lets each id in once, as the door does.
struct Known {
    /// With the position behind each that was there when it began.
    ids: HashMap<u128, u64>,
    since_commit: Vec<u128>,
}

impl Gate for Known {
    fn begin(&mut self, _: Timestamp, _: Duration) {}

    fn admit(&mut self, key: &EventKey, record: &[u8], out: &mut Vec<u8>) -> Verdict {
        if self.ids.contains_key(&key.event_id) {
            return Verdict::Duplicate;
        }
        self.ids.insert(key.event_id, 0);
        self.since_commit.push(key.event_id);
        push_record(out, record);
        Verdict::New
    }

    fn commit(&mut self, _: u64) {
        self.since_commit.clear();
    }

    fn rollback(&mut self) {
        for id in self.since_commit.drain(..) {
            self.ids.remove(&id);
        }
    }
}

/// What somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many batches come, and share a sync.
    Append(u64),
    /// One small event comes, which may find room where others have not.
    Small,
    /// The spare's thread looks around.
    Work,
    /// Whatever may be is given back.
    Release,
    /// An event is erased.
    Blank,
    /// The process ends, and another one begins.
    Restart,
}

/// All of it.
pub struct World {
    pub disk: Simulated,
    parts: Option<Parts<Known>>,
    next: u64,
    /// Refused, to be sent again.
    waiting: Vec<u64>,
    sent: BTreeSet<u64>,
    pub acknowledged: BTreeSet<u64>,
    /// What this process knows to be in its log.
    held: BTreeSet<u64>,
    /// Position behind each that was acknowledged, or found.
    ends: BTreeMap<u64, u64>,
    /// Up to where it has been taken in, and given back.
    needed: u64,
    /// What may have been given back.
    gone: BTreeSet<u64>,
    blanked: BTreeSet<u64>,
    /// What was being erased when that failed: all of it may be, or nothing.
    blanking: BTreeSet<u64>,
}

impl World {
    /// An empty disk, and nobody on it.
    pub fn new(lie: Lie, seed: u64) -> Self {
        Self {
            disk: Simulated::new(lie, seed),
            parts: None,
            next: 1,
            waiting: Vec::new(),
            sent: BTreeSet::new(),
            acknowledged: BTreeSet::new(),
            held: BTreeSet::new(),
            ends: BTreeMap::new(),
            needed: 0,
            gone: BTreeSet::new(),
            blanked: BTreeSet::new(),
            blanking: BTreeSet::new(),
        }
    }

    /// Ends the process, however far it is.
    pub fn end(&mut self) {
        self.parts = None;
    }

    /// Whether a process runs.
    pub fn runs(&self) -> bool {
        self.parts.is_some()
    }

    /// Events that the log of this process holds.
    pub fn counted(&self) -> u64 {
        self.held.len() as u64
    }

    /// Segments that are there.
    pub fn segments(&self) -> u64 {
        let disk = self.disk.disk();
        self.disk.aside(|| segment::bases(&disk)).map_or(0, |bases| bases.len() as u64)
    }

    /// Starts a process, and looks at what it finds.
    ///
    /// Says no where the disk did not let it start.
    pub fn start(&mut self) -> Result<bool, Wrong> {
        let place = Place {
            folder: "simulated".into(),
            segment_bytes: CAPACITY,
            absorbed: self.needed,
            reserve_bytes: 0,
            retention: Retention { days: 0, bytes: Some(0) },
        };
        let known = |mut reader: LogReader| {
            let mut ids = HashMap::new();
            while let Some(chunk) = reader.read_on()? {
                for frame in chunk.frames() {
                    ids.extend(frame.records().map(|record| (u128::from(id_of(record)), frame.end)));
                }
            }
            Ok(Known { ids, since_commit: Vec::new() })
        };
        match Parts::open(&self.disk.disk(), &place, Arc::default(), Arc::default(), known) {
            Ok(parts) => {
                // What was refused before may be there after all.
                let found = self.sent.iter().filter_map(|id| {
                    let end = parts.writer.gate.ids.get(&u128::from(*id))?;
                    Some((*id, *end))
                });
                self.held = found.clone().map(|(id, _)| id).collect();
                self.ends.extend(found);
                self.parts = Some(parts);
            }
            Err(_) if self.disk.take_failed() || self.disk.has_ended() => return Ok(false),
            Err(error) => return Err(Wrong::say(format_args!("it did not start: {error}"))),
        }
        Ok(true)
    }

    /// Lets somebody do something, as far as a process runs; says what should not have become of it.
    pub fn take(&mut self, step: Step) -> Result<(), Wrong> {
        match step {
            Step::Append(batches) => self.append(batches, false),
            Step::Small => self.append(1, true),
            Step::Work => {
                if let Some(parts) = &mut self.parts {
                    parts.maker.work();
                }
                Ok(())
            }
            Step::Release => self.release(),
            Step::Blank => self.blank(),
            Step::Restart => {
                self.end();
                self.start().map(drop)
            }
        }
    }

    fn append(&mut self, batches: u64, is_small: bool) -> Result<(), Wrong> {
        let Some(parts) = &mut self.parts else { return Ok(()) };
        let (work, receiver) = sync_channel(batches as usize + 1);
        let mut answers = Vec::new();
        for _ in 0..batches {
            let mut ids = Vec::new();
            if is_small {
                while times_of(self.next) > 20 {
                    self.next += 1;
                }
            } else {
                ids.extend(self.waiting.drain(..self.waiting.len().min(2)));
                ids.push(self.next);
                self.next += 1;
            }
            ids.push(self.next);
            self.next += 1;
            let mut batch = Batch::default();
            for id in &ids {
                self.sent.insert(*id);
                let origin = Origin::Sender;
                let key = EventKey { event_id: u128::from(*id), lane: None, payload: 0, origin };
                batch.push(Some(key), |out| out.extend(record_of(*id)));
            }
            let (reply, answer) = oneshot::channel();
            parts.writer.waiting_bytes.fetch_add(batch.bytes.len(), Ordering::Relaxed);
            work.send(Work::Append(Submission { batch, reply })).map_err(Wrong::say)?;
            answers.push((ids, answer));
        }
        work.send(Work::Stop).map_err(Wrong::say)?;
        parts.writer.run(&receiver);
        let mut refused = false;
        for (ids, answer) in answers {
            match answer.blocking_recv().map_err(Wrong::say)? {
                Ok(Appended { end, not_new }) => {
                    for (index, id) in ids.iter().enumerate() {
                        if not_new.iter().all(|(old, _)| *old != index) {
                            self.ends.insert(*id, end);
                        }
                    }
                    self.held.extend(&ids);
                    self.acknowledged.extend(ids);
                }
                Err(LogError::Disk) => {
                    refused = true;
                    self.waiting.extend(ids);
                }
                Err(error) => return Err(Wrong::say(error)),
            }
        }
        if refused && !self.disk.take_failed() && !self.disk.has_ended() {
            return Err(Wrong::say("a batch was refused, and the disk was well"));
        }
        Ok(())
    }

    fn release(&mut self) -> Result<(), Wrong> {
        let Some(parts) = &self.parts else { return Ok(()) };
        let end = parts.writer.tail.end();
        let disk = self.disk.disk();
        let done = segment::bases(&disk).and_then(|bases| {
            let newest = bases.last().copied().unwrap_or_default();
            self.needed = end;
            self.gone.extend(self.ends.iter().filter(|(_, end)| **end <= newest).map(|(id, _)| *id));
            let keep = Keep { since: clock::now(), bytes: Some(0) };
            let outlived = segment::outlived(&disk, end, keep)?;
            outlived.into_iter().try_for_each(|base| parts.spare.give_back(base))
        });
        self.may_fail(done, "giving back")
    }

    fn blank(&mut self) -> Result<(), Wrong> {
        if self.parts.is_none() {
            return Ok(());
        }
        let is_there = |id: &&u64| !self.gone.contains(id) && !self.blanked.contains(id);
        // Those that have been begun are not given up.
        let chosen: BTreeSet<u64> = if self.blanking.is_empty() {
            self.acknowledged.iter().filter(is_there).rev().step_by(3).take(2).copied().collect()
        } else {
            self.blanking.clone()
        };
        let mut frames = Vec::new();
        let mut reader = match self.reader() {
            Ok(reader) => reader,
            Err(error) => return self.may_fail(Err(error), "reading"),
        };
        loop {
            match reader.read_on() {
                Ok(None) => break,
                Ok(Some(chunk)) => frames.extend(chunk.frames().filter_map(|frame| {
                    NewFrame::blanked(
                        &frame,
                        |record| chosen.contains(&id_of(record)),
                        |record| record.fill(0),
                    )
                })),
                Err(error) => return self.may_fail(Err(error), "reading"),
            }
        }
        let done = blank::replace(&self.disk.disk(), &frames);
        self.blanking = chosen;
        if done.is_ok() {
            self.blanked.append(&mut self.blanking);
        }
        self.may_fail(done, "erasing")
    }

    fn may_fail(&self, done: io::Result<()>, what: &str) -> Result<(), Wrong> {
        match done {
            Err(error) if !self.disk.take_failed() && !self.disk.has_ended() => {
                Err(Wrong::say(format_args!("{what}: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// From the oldest segment to the end that this process knows, from the disk alone.
    fn reader(&self) -> io::Result<LogReader> {
        let disk = self.disk.disk();
        let end = self.parts.as_ref().map_or(0, |parts| parts.writer.tail.end());
        let first = segment::bases(&disk)?.first().copied().unwrap_or_default();
        Ok(LogReader::new(disk, Arc::new(Tail::new(end)), first))
    }

    /// Compares what the log of this process holds with what its senders know; `is_new` where the process has just begun, so
    /// that what was refused before may be there.
    pub fn check(&mut self, is_new: bool) -> Result<(), Wrong> {
        let disk = self.disk.clone();
        disk.aside(|| self.compare(is_new))
    }

    fn compare(&mut self, is_new: bool) -> Result<(), Wrong> {
        let Some(parts) = &self.parts else { return Ok(()) };
        let tail = parts.writer.tail.clone();
        let on_disk = self.reader().and_then(times).map_err(Wrong::say)?;
        if is_new {
            let begun = self.blanking.clone();
            let left = begun.iter().filter(|id| on_disk.contains_key(id)).count();
            if left == 0 {
                self.blanked.extend(begun);
                self.blanking.clear();
            } else if begun.iter().filter(|id| !self.gone.contains(id)).count() > left {
                return Err(Wrong::say(format_args!("of {begun:?} {left} are left")));
            }
        }
        let first = segment::bases(&self.disk.disk()).map_err(Wrong::say)?.first().copied();
        let memory = LogReader::new(self.disk.disk(), tail, first.unwrap_or_default());
        let in_memory = times(memory).map_err(Wrong::say)?;
        let mut wrong = Wrong::default();
        for (found, is_disk) in [(&on_disk, true), (&in_memory, false)] {
            wrong.twice.extend(found.iter().filter(|(_, times)| **times > 1).map(|(id, _)| *id));
            let may_be = |id: &u64| {
                self.held.contains(id) && !(is_disk && self.blanked.contains(id))
                    || self.gone.contains(id)
                    || !is_disk && self.blanked.contains(id)
            };
            wrong.invented.extend(found.keys().filter(|id| !may_be(id)));
            let must_be = self.acknowledged.union(&self.held).filter(|id| {
                !self.gone.contains(id) && !self.blanked.contains(id) && !self.blanking.contains(id)
            });
            // A frame that is written half has its neighbours back once that has been tried again, or at the next start.
            let is_whole = is_new || self.blanking.is_empty();
            wrong.lost.extend(must_be.filter(|_| is_whole).filter(|id| !found.contains_key(id)));
        }
        wrong.or_ok()
    }
}

/// A chance step; most are batches.
pub fn any_step(random: &mut Random) -> Step {
    match random.below(16) {
        0..9 => Step::Append(1 + random.below(3)),
        9..12 => Step::Work,
        12 => Step::Blank,
        13 => Step::Restart,
        _ => Step::Release,
    }
}

/// What an event says: its id, as often as is its own.
fn record_of(id: u64) -> Vec<u8> {
    id.to_le_bytes().repeat(times_of(id))
}

fn times_of(id: u64) -> usize {
    13 + (id * 977 % 190) as usize
}

/// The id of an event that is as it was sent; 0 of one that was erased, and `u64::MAX` of what never was any.
fn id_of(record: &[u8]) -> u64 {
    let id = record.first_chunk().map_or(u64::MAX, |id| u64::from_le_bytes(*id));
    if record.iter().all(|byte| *byte == 0) {
        0
    } else if id < 1 << 32 && record == record_of(id) {
        id
    } else {
        u64::MAX
    }
}

/// How often each event is there.
fn times(mut reader: LogReader) -> io::Result<BTreeMap<u64, u64>> {
    let mut times = BTreeMap::new();
    while let Some(chunk) = reader.read_on()? {
        for record in chunk.frames().flat_map(|frame| frame.records().map(id_of).collect::<Vec<_>>()) {
            *times.entry(record).or_default() += 1;
        }
    }
    times.remove(&0);
    Ok(times)
}
