//! Visitors of a shop as text: the batch of a page load, its events numbered in its lane.

use crate::chance::Chance;
use crate::process::wall_ms;
use crate::rules::CATEGORIES;
use attune_core::time::Timestamp;
use std::fmt::Write;
use std::ops::Range;

/// What visitors do; of ten events, six, three and one are of these types.
pub const EVENT_TYPES: [&str; 10] = [
    "page_view",
    "page_view",
    "product_view",
    "page_view",
    "page_view",
    "product_view",
    "page_view",
    "product_view",
    "page_view",
    "add_to_cart",
];
const PRODUCTS: u64 = 997;
/// Time between two events of a batch, in milliseconds.
const STEP_MS: i64 = 400;
const LISTS: [&str; 5] = ["search results", "home", "new arrivals", "recently viewed", "recommended for you"];
/// What holds for all events of a batch, as the SDK writes it.
const CONTEXT: &str = r#"{"page":{"url":"https://shop.example/c/shoes?page=2","path":"/c/shoes","search":"?page=2","title":"Shoes - Example Shop","referrer":"https://search.example/"},"device":{"class":"phone","viewport":{"width":390,"height":844}},"locale":"de-DE","time_zone":"Europe/Berlin","time":{"utc_offset_minutes":60},"clock_skew_ms":0,"campaign":{"source":"newsletter","medium":"email","name":"autumn"},"sdk":{"name":"attune","version":"0.1.0"}}"#;

/// Some visitors, each with one page load, who take turns.
#[derive(Debug)]
pub struct Visitors {
    first: u64,
    run: u64,
    /// The number of each one's last event.
    seqs: Vec<u64>,
    turn: usize,
    events: usize,
    chance: Chance,
}

/// A batch as text, and where its events stand in it.
#[derive(Debug, Default)]
pub struct Written {
    /// The batch.
    pub text: String,
    /// Its events.
    pub events: Vec<Range<usize>>,
}

impl Visitors {
    /// `count` visitors from number `first` on, of a run that no other shares.
    pub fn new(first: u64, count: u64, run: u64) -> Self {
        Self {
            first,
            run,
            seqs: vec![0; count as usize],
            turn: 0,
            events: 0,
            chance: Chance::new(run ^ first << 48),
        }
    }

    /// Writes the next one's batch in the place of what was written before.
    pub fn write_batch(&mut self, events: usize, out: &mut Written) {
        let visitor = self.turn % self.seqs.len();
        self.turn += 1;
        let number = self.first + visitor as u64;
        let now = wall_ms();
        // One letter tells the visitor from the page load.
        let id = |letter: char| format!("0193{number:04x}-0000-7000-{letter}000-{:012x}", self.run);
        let (member, lane, session) = (id('8'), id('9'), id('a'));
        let Written { text, events: places } = out;
        text.clear();
        places.clear();
        let sent_at = Timestamp(now);
        // Writing to a string does not fail.
        let _ = write!(
            text,
            r#"{{"v":1,"sent_at":"{sent_at}","anonymous_id":"{member}","lane":"{lane}","context":{CONTEXT},"events":["#
        );
        for index in 0..events {
            if index > 0 {
                text.push(',');
            }
            let from = text.len();
            let at = now - STEP_MS * (events - index) as i64;
            self.seqs[visitor] += 1;
            self.write_event((at, self.seqs[visitor]), &session, text);
            places.push(from..text.len());
        }
        text.push_str("]}");
    }

    fn write_event(&mut self, (at, seq): (i64, u64), session: &str, text: &mut String) {
        let event_type = EVENT_TYPES[self.events % EVENT_TYPES.len()];
        self.events += 1;
        let (high, low) = (self.chance.bits(), self.chance.bits());
        // A UUID of version 7 (RFC 9562, section 5.7).
        let _ = write!(
            text,
            r#"{{"event_id":"{:08x}-{:04x}-7{:03x}-{:04x}-{:012x}","event_type":"{event_type}","timestamp":"{}","seq":{seq},"session_id":"{session}""#,
            at >> 16,
            at & 0xffff,
            high & 0xfff,
            0x8000 | (high >> 16 & 0x3fff),
            low >> 16,
            Timestamp(at),
        );
        let product = self.chance.below(PRODUCTS);
        let (category, list) = (product % CATEGORIES as u64, LISTS[(low % LISTS.len() as u64) as usize]);
        let (price, position) = (5 + product * 7 % 90, high % 24);
        let _ = write!(
            text,
            r#","metadata":{{"category":"category-{category}","product":"product-{product}","price":{price},"currency":"EUR","list":"{list}","position":{position},"in_stock":true}}}}"#
        );
    }
}
