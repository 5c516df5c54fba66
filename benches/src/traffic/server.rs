//! What a server sends: batches in which each event is another visitor's, so that a batch touches as many profiles as it has
//! events.

use super::Requests;
use super::form::{Encoding, Form, post};
use crate::chance::Chance;
use crate::failure::Failure;
use crate::process::wall_ms;
use crate::rules::CATEGORIES;
use attune_core::time::Timestamp;
use std::fmt::Write;

const EVENTS_PER_BATCH: usize = 100;
const ENCODING: Encoding = Encoding::Zstd;

/// Its visitors take turns: everybody's first event comes before anybody's second.
#[derive(Debug)]
pub struct Server {
    visitors: u64,
    lanes: u64,
    types: &'static [&'static str],
    run: u64,
    next: u64,
    chance: Chance,
}

impl Server {
    /// One with so many visitors, each of whom sends in so many lanes in turn, in none where that is
    /// 0, and does what is of these types.
    pub fn new(visitors: u64, lanes: u64, types: &'static [&'static str]) -> Self {
        let run = wall_ms() as u64;
        Self { visitors: visitors.max(1), lanes, types, run, next: 0, chance: Chance::new(run) }
    }

    /// The next `count` batches.
    ///
    /// # Errors
    /// A body that does not compress.
    pub fn requests(&mut self, count: usize) -> Result<Requests, Failure> {
        let mut text = String::new();
        let mut make = || {
            self.write_batch(&mut text);
            post(ENCODING, text.as_bytes())
        };
        let bytes = (0..count).map(|_| make()).collect::<Result<_, _>>()?;
        Ok(Requests { bytes, events_each: EVENTS_PER_BATCH, form: Form::Http(ENCODING) })
    }

    fn write_batch(&mut self, text: &mut String) {
        let now = Timestamp(wall_ms());
        text.clear();
        // Writing to a string does not fail.
        let _ = write!(text, r#"{{"v":1,"sent_at":"{now}","events":["#);
        for index in 0..EVENTS_PER_BATCH {
            if index > 0 {
                text.push(',');
            }
            self.write_event(now, text);
        }
        text.push_str("]}");
    }

    fn write_event(&mut self, now: Timestamp, text: &mut String) {
        let (visitor, round) = (self.next % self.visitors, self.next / self.visitors);
        self.next += 1;
        let id =
            |letter: char, lane: u64| format!("{visitor:08x}-0000-7000-{letter}{lane:03x}-{:012x}", self.run);
        // Each type with each category, and then anew.
        let types = self.types.len() as u64;
        let (event_type, category) =
            (self.types[(round % types) as usize], round / types % CATEGORIES as u64);
        let (high, low) = (self.chance.bits(), self.chance.bits());
        let _ = write!(
            text,
            r#"{{"event_id":"{:08x}-{:04x}-7{:03x}-{:04x}-{:012x}","event_type":"{event_type}","timestamp":"{now}","anonymous_id":"{}""#,
            now.0 >> 16,
            now.0 & 0xffff,
            high & 0xfff,
            0x8000 | (high >> 16 & 0x3fff),
            low >> 16,
            id('8', 0),
        );
        if self.lanes > 0 {
            let (lane, seq) = (round % self.lanes, round / self.lanes + 1);
            let _ = write!(text, r#","lane":"{}","seq":{seq}"#, id('9', lane));
        }
        let _ =
            write!(text, r#","metadata":{{"category":"category-{category}","price":{}}}}}"#, 5 + high % 90);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_core::wire::{Envelope, parse_event};
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn visitors_take_turns_and_their_lanes_have_no_hole() {
        let (mut server, mut text) = (Server::new(40, 5, &["a", "b", "c"]), String::new());
        let (mut kinds, mut lanes) = (BTreeMap::<_, BTreeSet<_>>::new(), BTreeMap::<_, Vec<_>>::new());
        for _ in 0..6 {
            server.write_batch(&mut text);
            let envelope = Envelope::parse(&text).unwrap();
            for raw in &envelope.events {
                let event = parse_event(raw, envelope.defaults()).unwrap();
                let place = event.lane.unwrap();
                kinds.entry(event.member.0.clone()).or_default().insert((
                    event.event_type,
                    event.metadata.map(|text| text.split("price").next().map(String::from)),
                ));
                lanes.entry(place.lane.0).or_default().push(place.seq);
            }
        }
        assert_eq!((kinds.len(), lanes.len()), (40, 200));
        assert!(kinds.values().all(|kinds| kinds.len() == 12), "{kinds:?}");
        assert!(lanes.values().all(|seqs| *seqs == [1, 2, 3]), "{lanes:?}");
    }
}
