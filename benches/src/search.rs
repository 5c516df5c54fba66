//! How much a server sustains: more and more is offered until a backlog grows, at the door or behind it.

use crate::failure::Failure;
use crate::open_loop::{self, Answers, Figures, Offer, Tally};
use crate::traffic::{Form, Requests, Traffic};
use std::time::{Duration, Instant};

/// How long each rate is offered.
const TRIAL: Duration = Duration::from_millis(1_500);
/// Rates that are tried.
const TRIALS: u32 = 4;
/// Requests that are offered all at once first, to see about which rates to try.
const FLOOD_REQUESTS: usize = 1_000;
/// Bytes of the requests of one trial, which are made before it: a server that takes more is offered its rate for less long.
const MOST_BYTES: usize = 512 * 1024 * 1024;
/// From such a share of what was taken of the flood on the rates lie, and up to such a multiple.
const FROM: f64 = 0.4;
const TO: f64 = 1.2;
/// Share of a trial's requests that may be waiting when the last is due, and share of its time that everything may take longer.
const SLACK: f64 = 0.1;
/// What the end of a trial takes by itself: answers to the last requests, the worker's next commit.
const END: Duration = Duration::from_millis(200);

/// A server that is offered events.
pub trait Target {
    /// Its port on 127.0.0.1.
    fn port(&self) -> u16;

    /// Processor time that it has taken so far, with its children.
    ///
    /// # Errors
    /// It has ended.
    fn cpu_time(&self) -> Result<Duration, Failure>;

    /// Waits until it has nothing left to do, and says how many events it has taken in since it started, where it counts them.
    ///
    /// # Errors
    /// It cannot be asked.
    fn settle(&self) -> Result<Option<u64>, Failure>;
}

/// What is offered to a server, and what it has said of it so far.
pub struct Bench<'a> {
    /// The server.
    pub target: &'a dyn Target,
    /// Who sends.
    pub traffic: &'a mut Traffic,
    /// How.
    pub form: Form,
    /// Events in a request.
    pub events_each: usize,
    /// Connections at a time.
    pub connections: usize,
    /// How answers are read.
    pub answers: Answers,
}

/// What a server knows of the events that it is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nothing.
    Never,
    /// It has acknowledged every one.
    Already,
}

/// One rate that was offered.
#[derive(Debug)]
pub struct Trial {
    /// What the generator has seen.
    pub figures: Figures,
    /// From the beginning until the server had nothing left to do.
    pub settled_after: Duration,
    /// Processor time of the server for everything that was offered.
    pub server_cpu: Duration,
    /// Bytes of a request in the mean.
    pub request_bytes: usize,
    events_each: usize,
}

/// What a search has found.
#[derive(Debug)]
pub struct Found {
    /// Everything at once.
    pub flood: Trial,
    /// The highest rate that was sustained.
    pub sustained: Option<Trial>,
    /// Whether a rate was not sustained while the generator was at its own end.
    pub generator_was_the_limit: bool,
}

impl Bench<'_> {
    /// Searches for the highest rate that the server sustains.
    ///
    /// # Errors
    /// A request that fails, or an event that is missing.
    pub fn search(&mut self) -> Result<Found, Failure> {
        // The first connections and tables are not what is measured.
        self.offer(FLOOD_REQUESTS / 4, None)?;
        let flood = self.offer(self.flood_requests(), None)?;
        let most = flood.settled_per_second() / self.events_each as f64;
        let most_requests = MOST_BYTES / flood.request_bytes.max(1);
        let (mut low, mut high) = (FROM * most, TO * most);
        let (mut sustained, mut generator_was_the_limit) = (None, false);
        for _ in 0..TRIALS {
            let rate = (low * high).sqrt();
            let count = (rate * TRIAL.as_secs_f64()) as usize;
            let trial = self.offer(count.min(most_requests), Some(rate))?;
            if trial.is_sustained() {
                low = rate;
                sustained = Some(trial);
            } else {
                high = rate;
                generator_was_the_limit |= trial.figures.generator_was_the_limit();
            }
        }
        Ok(Found { flood, sustained, generator_was_the_limit })
    }

    /// Offers so many requests, at so many a second or all at once, and waits until nothing is left of them.
    ///
    /// # Errors
    /// A request that fails, or an event that is missing.
    pub fn offer(&mut self, count: usize, rate: Option<f64>) -> Result<Trial, Failure> {
        let requests = self.traffic.requests(self.form, self.events_each, count.max(1))?;
        self.send(&requests, rate, Seen::Never)
    }

    /// Offers requests that are made already, of which the server has seen every event or none.
    ///
    /// # Errors
    /// A request that fails, an event that is missing, or one that is taken for what it is not.
    pub fn send(&self, requests: &Requests, rate: Option<f64>, seen: Seen) -> Result<Trial, Failure> {
        let (port, answers, connections) = (self.target.port(), self.answers, self.connections);
        let before = self.target.settle()?;
        let cpu_before = self.target.cpu_time()?;
        let began = Instant::now();
        let figures = open_loop::run(&Offer { port, requests, answers, rate, connections })?;
        let after = self.target.settle()?;
        let settled_after = began.elapsed();
        let server_cpu = self.target.cpu_time()?.saturating_sub(cpu_before);
        let sent = (requests.bytes.len() * requests.events_each) as u64;
        check(figures.tally, (sent, seen), before, after)?;
        let request_bytes = requests.mean_bytes();
        Ok(Trial { figures, settled_after, server_cpu, request_bytes, events_each: requests.events_each })
    }

    const fn flood_requests(&self) -> usize {
        // A single event takes far less than a batch.
        if self.events_each == 1 { 10 * FLOOD_REQUESTS } else { FLOOD_REQUESTS }
    }
}

/// Holds what was answered against what was sent, and against what the server itself counts.
fn check(
    tally: Tally,
    (sent, seen): (u64, Seen),
    before: Option<u64>,
    after: Option<u64>,
) -> Result<(), Failure> {
    let Tally { accepted, duplicates, rejected } = tally;
    let expected = match seen {
        Seen::Never => Tally { accepted: sent, ..Tally::default() },
        Seen::Already => Tally { duplicates: sent, ..Tally::default() },
    };
    if tally != expected {
        let which = match seen {
            Seen::Never => "no two of them the same",
            Seen::Already => "all of them sent before",
        };
        return Err(Failure::new(format!(
            "of {sent} events, {which}, {accepted} were accepted, {duplicates} called duplicates and {rejected} rejected"
        )));
    }
    match (before, after) {
        (Some(before), Some(after)) if after != before + accepted => Err(Failure::new(format!(
            "{accepted} events were acknowledged, and the server counts {}",
            after.saturating_sub(before)
        ))),
        _ => Ok(()),
    }
}

impl Trial {
    /// Whether no backlog has grown.
    pub fn is_sustained(&self) -> bool {
        let Figures { backlog, offered_for, .. } = self.figures;
        let is_door_open = (backlog as f64) <= self.figures.requests() as f64 * SLACK;
        is_door_open && self.settled_after <= offered_for.mul_f64(1.0 + SLACK) + END
    }

    /// Events a second that were offered.
    pub fn offered_per_second(&self) -> f64 {
        self.per_second(self.figures.offered_for)
    }

    /// Events a second from the first request to the last answer.
    pub fn answered_per_second(&self) -> f64 {
        self.per_second(self.figures.answered_after)
    }

    /// Events a second from the first request until nothing was left to do.
    pub fn settled_per_second(&self) -> f64 {
        self.per_second(self.settled_after)
    }

    /// Processor time of the server for one request, in microseconds.
    pub fn server_cpu_us(&self) -> f64 {
        self.server_cpu.as_secs_f64() * 1e6 / self.figures.requests() as f64
    }

    /// Processor time of the generator for one request, in microseconds.
    pub fn generator_cpu_us(&self) -> f64 {
        self.figures.cpu.as_secs_f64() * 1e6 / self.figures.requests() as f64
    }

    fn per_second(&self, time: Duration) -> f64 {
        let events = self.figures.requests() * self.events_each;
        (events as f64 / time.as_secs_f64().max(f64::MIN_POSITIVE)).round()
    }
}

/// A figure with one decimal.
pub fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_event_and_one_too_many_are_told() {
        let tally = |accepted, duplicates, rejected| Tally { accepted, duplicates, rejected };
        let (new, old) = ((3, Seen::Never), (3, Seen::Already));
        assert!(check(tally(3, 0, 0), new, Some(4), Some(7)).is_ok());
        assert!(check(tally(3, 0, 0), new, None, None).is_ok());
        assert!(check(tally(0, 3, 0), old, Some(4), Some(4)).is_ok());
        for (tally, sent, counted) in [
            (tally(2, 0, 0), new, 6),
            (tally(2, 1, 0), new, 6),
            (tally(2, 0, 1), new, 6),
            (tally(3, 0, 0), new, 6),
            (tally(3, 0, 0), new, 8),
            (tally(1, 2, 0), old, 5),
            (tally(0, 3, 0), old, 5),
        ] {
            assert!(check(tally, sent, Some(4), Some(counted)).is_err(), "{tally:?} {counted}");
        }
    }
}
