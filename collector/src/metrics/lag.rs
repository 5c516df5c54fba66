//! How far the worker is behind the log, in time, bytes and records.

use crate::limits::{LAG_MARK_INTERVAL, LAG_MARKS};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What the worker does with a record, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is in the states in memory, and on its way to pages.
    Absorbed,
    /// It is in the store; whoever asks sees it, and triggers are called.
    Committed,
    /// The store is on the disk, so that the log is not needed for it any more.
    Synced,
}

impl Stage {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Absorbed, Self::Committed, Self::Synced];

    /// Its name as a label.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Absorbed => "absorbed",
            Self::Committed => "committed",
            Self::Synced => "synced",
        }
    }
}

/// A place of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// The position behind it.
    pub position: u64,
    /// Records before it that this process has written.
    pub records: u64,
}

/// How far a stage is behind the end of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Behind {
    /// For how long the oldest record before it has been waiting; what was there when this process started, since then.
    pub waiting: Duration,
    /// Bytes of the log.
    pub bytes: u64,
    /// Records that this process has written.
    pub records: u64,
}

/// Where the log ends, since when, and how far each stage has come.
#[derive(Debug, Default)]
pub struct Lag(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    end: Reached,
    /// Where this process began to write.
    begun: u64,
    stages: [Reached; Stage::ALL.len()],
    /// What is not synced yet, oldest first: up to which position, and when the first of it was written.
    marks: VecDeque<(u64, Instant)>,
}

impl Lag {
    /// Notes that the log had an end when it was opened, and how far it had been taken in.
    pub fn begin(&self, end: u64, absorbed: u64, now: Instant) {
        let mut state = self.state();
        state.end.position = end;
        state.begun = end;
        state.stages = [Reached { position: absorbed, records: 0 }; Stage::ALL.len()];
        state.marks = if end > absorbed { VecDeque::from([(end, now)]) } else { VecDeque::new() };
    }

    /// Notes that the log has grown by so many records.
    pub fn written(&self, end: u64, records: u64, now: Instant) {
        let mut state = self.state();
        state.end = Reached { position: end, records: state.end.records + records };
        let is_full = state.marks.len() >= LAG_MARKS;
        match state.marks.back_mut() {
            // Within a mark all is as old as its oldest, so a stage is never said to be less behind than it is.
            Some((position, since)) if is_full || now.duration_since(*since) < LAG_MARK_INTERVAL => {
                *position = end;
            }
            _ => state.marks.push_back((end, now)),
        }
    }

    /// Notes that a stage has come to a place.
    pub fn reached(&self, stage: Stage, place: Reached) {
        let mut state = self.state();
        state.stages[stage as usize] = place;
        let oldest = state.stages.iter().map(|place| place.position).min().unwrap_or_default();
        while state.marks.front().is_some_and(|(position, _)| *position <= oldest) {
            state.marks.pop_front();
        }
    }

    /// How many records of this process are before a place that a stage had come to, and from which position on records are
    /// counted.
    pub fn counted(&self, stage: Stage) -> (Reached, u64) {
        let state = self.state();
        (state.stages[stage as usize], state.begun)
    }

    /// How far each stage is behind.
    pub fn read(&self, now: Instant) -> [Behind; Stage::ALL.len()] {
        let state = self.state();
        state.stages.map(|place| {
            let oldest = state.marks.iter().find(|(position, _)| *position > place.position);
            Behind {
                waiting: oldest.map_or(Duration::ZERO, |(_, since)| now.duration_since(*since)),
                bytes: state.end.position.saturating_sub(place.position),
                records: state.end.records.saturating_sub(place.records),
            }
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(position: u64, records: u64) -> Reached {
        Reached { position, records }
    }

    fn behind(lag: &Lag, stage: Stage, now: Instant) -> (u64, u64, u64) {
        let found = lag.read(now)[stage as usize];
        (found.waiting.as_secs(), found.bytes, found.records)
    }

    #[test]
    fn a_stage_is_behind_by_the_age_of_the_oldest_record_that_it_has_not_reached() {
        let (lag, start) = (Lag::default(), Instant::now());
        lag.begin(100, 100, start);
        assert_eq!(behind(&lag, Stage::Absorbed, start + 60 * SECOND), (0, 0, 0));
        lag.written(150, 5, start + 60 * SECOND);
        lag.written(180, 2, start + 62 * SECOND);
        lag.reached(Stage::Absorbed, at(150, 5));
        let now = start + 65 * SECOND;
        assert_eq!(behind(&lag, Stage::Absorbed, now), (3, 30, 2));
        assert_eq!(behind(&lag, Stage::Synced, now), (5, 80, 7));
        for stage in Stage::ALL {
            lag.reached(stage, at(180, 7));
            assert_eq!(behind(&lag, stage, now), (0, 0, 0));
        }
    }

    #[test]
    fn what_was_there_at_the_start_waits_since_then() {
        let (lag, start) = (Lag::default(), Instant::now());
        lag.begin(100, 40, start);
        assert_eq!(behind(&lag, Stage::Committed, start + SECOND), (1, 60, 0));
        assert_eq!(lag.counted(Stage::Committed), (at(40, 0), 100));
    }

    #[test]
    fn marks_are_few_and_never_younger_than_what_they_stand_for() {
        let (lag, start) = (Lag::default(), Instant::now());
        lag.begin(0, 0, start);
        for step in 0..2 * LAG_MARKS as u64 {
            lag.written(step + 1, 1, start + SECOND * step as u32);
        }
        assert_eq!(lag.state().marks.len(), LAG_MARKS);
        // The last mark stands for all that came when there were as many as there may be.
        lag.reached(Stage::Absorbed, at(2 * LAG_MARKS as u64 - 1, 2 * LAG_MARKS as u64 - 1));
        let now = start + SECOND * (2 * LAG_MARKS as u32 - 1);
        assert_eq!(behind(&lag, Stage::Absorbed, now), (LAG_MARKS as u64, 1, 1));
    }
}
