//! How far a replay has come, about once a second on standard error.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Time between two reports.
const EVERY: Duration = Duration::from_secs(1);

/// Tells how far it has come, where somebody looks.
pub struct Progress {
    is_shown: bool,
    is_terminal: bool,
    total_bytes: u64,
    begun: Instant,
    told: Option<Instant>,
}

impl Progress {
    /// Progress over so many bytes; shown on a terminal, and elsewhere where it is asked for.
    pub fn new(is_asked_for: bool, total_bytes: u64) -> Self {
        let is_terminal = io::stderr().is_terminal();
        let begun = Instant::now();
        Self { is_shown: is_asked_for || is_terminal, is_terminal, total_bytes, begun, told: None }
    }

    /// Says how many bytes have been read and how many events were in them, if it is time to.
    pub fn tell(&mut self, read_bytes: u64, events: u64) {
        if self.is_shown && self.told.is_none_or(|told| told.elapsed() >= EVERY) {
            self.told = Some(Instant::now());
            let percent = (read_bytes * 100).checked_div(self.total_bytes).unwrap_or(100).min(100);
            self.write(&format!("{percent:>3} % read, {events} events"), false);
        }
    }

    /// Says that it is done.
    pub fn end(&mut self, events: u64) {
        if self.is_shown {
            let seconds = self.begun.elapsed().as_secs();
            self.write(&format!("100 % read, {events} events, {seconds} s"), true);
        }
    }

    fn write(&self, text: &str, is_last: bool) {
        let end = if self.is_terminal && !is_last { "\r" } else { "\n" };
        // Where nobody can be told, the work goes on all the same.
        let _ = write!(io::stderr().lock(), "{text}{end}");
    }
}
