//! Requests made before they are sent: batches of some thousand visitors of a shop, in one form or another.

mod form;
mod server;
mod visitors;

use crate::failure::Failure;
use crate::process::wall_ms;
use std::num::NonZero;
use std::thread;

pub use form::{Encoding, Form};
pub use server::Server;
pub use visitors::EVENT_TYPES;
use visitors::Visitors;

/// Visitors that take turns: more than the processor's caches hold.
const MEMBERS: u64 = 4_000;

/// Makes requests of which no two have an event in common.
#[derive(Debug)]
pub struct Traffic {
    parts: Vec<Visitors>,
}

/// Requests in the order in which they are due.
#[derive(Debug)]
pub struct Requests {
    /// Each from its first byte to its last.
    pub bytes: Vec<Box<[u8]>>,
    /// Events in each.
    pub events_each: usize,
    /// What they are.
    pub form: Form,
}

impl Traffic {
    /// Visitors that no other traffic of the machine has.
    pub fn new() -> Self {
        let parts = thread::available_parallelism().map_or(1, NonZero::get) as u64;
        let (members, run) = (MEMBERS / parts, wall_ms() as u64);
        Self { parts: (0..parts).map(|part| Visitors::new(part * members, members, run)).collect() }
    }

    /// The next `count` requests; every processor makes a part of them.
    ///
    /// # Errors
    /// A body that does not compress.
    pub fn requests(&mut self, form: Form, events_each: usize, count: usize) -> Result<Requests, Failure> {
        let parts = self.parts.len();
        let made: Vec<Vec<Box<[u8]>>> = thread::scope(|scope| {
            let make = |(part, visitors)| {
                let count = (count + parts - 1 - part) / parts;
                scope.spawn(move || form.requests(visitors, events_each, count))
            };
            let makers: Vec<_> = self.parts.iter_mut().enumerate().map(make).collect();
            let joined = makers
                .into_iter()
                .map(|maker| maker.join().map_err(|_| Failure::new("a maker of bodies ended early"))?);
            joined.collect::<Result<_, Failure>>()
        })?;
        let mut parts: Vec<_> = made.into_iter().map(Vec::into_iter).collect();
        let turns = parts.len();
        let bytes = (0..count).filter_map(|index| parts[index % turns].next()).collect();
        Ok(Requests { bytes, events_each, form })
    }
}

impl Default for Traffic {
    fn default() -> Self {
        Self::new()
    }
}

impl Requests {
    /// Bytes of a request in the mean, head and body.
    pub fn mean_bytes(&self) -> usize {
        self.bytes.iter().map(|bytes| bytes.len()).sum::<usize>() / self.bytes.len().max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_core::wire::{Envelope, parse_event};
    use std::collections::BTreeSet;
    use std::io::Read;

    fn bodies(encoding: Encoding) -> Vec<String> {
        let requests = Traffic::new().requests(Form::Http(encoding), 100, 7).unwrap();
        let read = |request: &[u8]| {
            let head = request.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
            let body = &request[head..];
            let mut text = String::new();
            match encoding {
                Encoding::Json => text.push_str(std::str::from_utf8(body).unwrap()),
                Encoding::Gzip => drop(flate2::read::GzDecoder::new(body).read_to_string(&mut text).unwrap()),
                Encoding::Zstd => text = String::from_utf8(zstd::decode_all(body).unwrap()).unwrap(),
            }
            text
        };
        requests.bytes.iter().map(|request| read(request)).collect()
    }

    #[test]
    fn every_event_can_be_read_and_none_comes_twice() {
        for (_, encoding) in Encoding::ALL {
            let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
            let texts = bodies(encoding);
            for text in &texts {
                let envelope = Envelope::parse(text).unwrap();
                assert_eq!(envelope.clock_skew_ms, Some(0));
                for raw in &envelope.events {
                    assert!((250..=450).contains(&raw.len()), "{raw}");
                    let event = parse_event(raw, envelope.defaults()).unwrap();
                    let lane = event.lane.unwrap();
                    ids.insert(event.event_id.0);
                    places.insert((lane.lane.0, lane.seq));
                }
            }
            assert_eq!((texts.len(), ids.len(), places.len()), (7, 700, 700));
        }
    }

    #[test]
    fn numbers_of_a_lane_follow_each_other() {
        let (mut visitors, mut written) = (Visitors::new(0, 2, 7), visitors::Written::default());
        let mut numbers = || {
            visitors.write_batch(3, &mut written);
            let envelope = Envelope::parse(&written.text).unwrap();
            let seq = |raw: &&str| parse_event(raw, envelope.defaults()).unwrap().lane.unwrap().seq;
            envelope.events.iter().map(seq).collect::<Vec<_>>()
        };
        assert_eq!([numbers(), numbers(), numbers()], [[1, 2, 3], [1, 2, 3], [4, 5, 6]]);
    }
}
