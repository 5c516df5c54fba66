//! An open-loop generator: every request is due at an instant that was fixed before the first was sent, whatever becomes of
//! the others, and its latency counts from then.
//!
//! One thread waits on some keep-alive connections and on the next due instant. A request that finds no connection free
//! waits for one, and that wait is part of its latency; so nothing is omitted where the server is slow (Tene's
//! "coordinated omission"). The gaps between arrivals are exponential, as those of independent senders are.

mod answer;
mod connection;
mod figures;
mod schedule;

use crate::failure::Failure;
use crate::traffic::Requests;
use connection::Connection;
use rustix::event::epoll;
use rustix::time::{ClockId, Timespec, clock_gettime};
use std::collections::VecDeque;
use std::num::NonZero;
use std::time::{Duration, Instant};

pub use answer::{Answers, Tally};
pub use figures::Figures;

/// Events of the system taken at once.
const READY_AT_ONCE: usize = 256;
/// Time after which answers that are missing are taken to be lost.
const LOST: Duration = Duration::from_secs(60);

/// What is offered to whom.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// Port on 127.0.0.1.
    pub port: u16,
    /// What is sent.
    pub requests: &'a Requests,
    /// How answers are read.
    pub answers: Answers,
    /// Arrivals a second in the mean; all are due at once where there is none.
    pub rate: Option<f64>,
    /// Connections at a time.
    pub connections: usize,
}

/// Sends everything and waits for every answer.
///
/// # Errors
/// A connection that fails, an answer that is none of success, or none for a minute.
pub fn run(offer: &Offer<'_>) -> Result<Figures, Failure> {
    // By itself the system may wake a sleeper 50 us late.
    rustix::thread::set_current_timer_slack(NonZero::new(1))
        .map_err(|error| Failure::of("timer slack", error))?;
    let due = schedule::arrivals(offer.requests.bytes.len(), offer.rate);
    let cpu_before = thread_cpu();
    let mut generator = Generator::open(offer, &due)?;
    generator.run()?;
    let cpu = thread_cpu().saturating_sub(cpu_before);
    Ok(Figures::new(generator.took, &due, cpu, generator.tally))
}

/// When what happened to each request, from the beginning on.
#[derive(Debug, Default)]
struct Took {
    /// When its answer was there.
    answered: Vec<Duration>,
    /// How late the generator itself was, for those that found a connection free.
    late: Vec<Duration>,
}

struct Generator<'a> {
    offer: &'a Offer<'a>,
    due: &'a [Duration],
    epoll: rustix::fd::OwnedFd,
    connections: Vec<Connection>,
    free: VecDeque<usize>,
    /// The next request to be sent.
    next: usize,
    missing: usize,
    began: Instant,
    /// When a request was last sent or an answer last came.
    moved: Duration,
    took: Took,
    tally: Tally,
}

impl<'a> Generator<'a> {
    fn open(offer: &'a Offer<'a>, due: &'a [Duration]) -> Result<Self, Failure> {
        let epoll =
            epoll::create(epoll::CreateFlags::CLOEXEC).map_err(|error| Failure::of("epoll", error))?;
        let connections = (0..offer.connections)
            .map(|number| Connection::open(offer.port, &epoll, number))
            .collect::<Result<Vec<_>, _>>()?;
        let answered = vec![Duration::ZERO; due.len()];
        let took = Took { answered, late: Vec::with_capacity(due.len()) };
        Ok(Self {
            offer,
            due,
            epoll,
            free: (0..connections.len()).collect(),
            connections,
            next: 0,
            missing: due.len(),
            began: Instant::now(),
            moved: Duration::ZERO,
            took,
            tally: Tally::default(),
        })
    }

    fn run(&mut self) -> Result<(), Failure> {
        let mut ready: Vec<epoll::Event> = Vec::with_capacity(READY_AT_ONCE);
        self.began = Instant::now();
        while self.missing > 0 {
            self.send_due()?;
            let now = self.began.elapsed();
            let until = match self.due.get(self.next) {
                Some(due) if !self.free.is_empty() => due.saturating_sub(now),
                _ => (self.moved + LOST).saturating_sub(now),
            };
            let timeout = Timespec { tv_sec: until.as_secs() as i64, tv_nsec: until.subsec_nanos().into() };
            let waited = epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut ready), Some(&timeout));
            match waited {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(Failure::of("epoll", error)),
            }
            for event in ready.drain(..) {
                self.advance(event.data.u64() as usize)?;
            }
            let is_waiting = self.free.len() < self.connections.len();
            if is_waiting && self.began.elapsed().saturating_sub(self.moved) >= LOST {
                return Err(Failure::new(format!("{} answers did not come within {LOST:?}", self.missing)));
            }
        }
        Ok(())
    }

    /// Sends what is due as long as a connection is free.
    fn send_due(&mut self) -> Result<(), Failure> {
        while let (Some(due), Some(number)) = (self.due.get(self.next), self.free.front().copied()) {
            let late = self.began.elapsed().checked_sub(*due);
            let Some(late) = late else { return Ok(()) };
            self.free.pop_front();
            self.took.late.push(late);
            self.send(number)?;
        }
        Ok(())
    }

    fn send(&mut self, number: usize) -> Result<(), Failure> {
        let request = self.next;
        self.next += 1;
        self.moved = self.began.elapsed();
        let bytes = &self.offer.requests.bytes[request];
        self.connections[number].send(request, bytes, self.offer.port, &self.epoll, number)
    }

    /// Goes on with a connection that has become ready.
    fn advance(&mut self, number: usize) -> Result<(), Failure> {
        let connection = &mut self.connections[number];
        let bytes = connection.request().map(|request| &*self.offer.requests.bytes[request]);
        let Some((request, tally)) = connection.advance(bytes, &self.offer.answers)? else { return Ok(()) };
        let now = self.began.elapsed();
        self.moved = now;
        self.took.answered[request] = now;
        self.tally += tally;
        self.missing -= 1;
        // What has waited for a connection goes first.
        if self.due.get(self.next).is_some_and(|due| *due <= now) && self.free.is_empty() {
            return self.send(number);
        }
        self.free.push_back(number);
        Ok(())
    }
}

fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[cfg(test)]
mod tests;
