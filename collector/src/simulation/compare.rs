//! What has come of it, held against what was done.

use super::process::Process;
use super::store::SimulatedStore;
use super::{RULES, World, mail_of};
use crate::clock;
use crate::profile::Table;
use crate::worker::hand::{Ears, Hand};
use crate::worker::{WorkerError, WorkerParts};
use attune_core::wire::{Event, Record, decode_record};
use attune_tests::{Browser, bundle_of};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

const TABLES: [Table; 9] = [
    Table::Members,
    Table::Profiles,
    Table::Timers,
    Table::Firings,
    Table::FiringIds,
    Table::Deliveries,
    Table::Erased,
    Table::DeadLetters,
    Table::Progress,
];
const YEAR_MS: i64 = 365 * 86_400_000;

impl World {
    /// Compares everything.
    pub fn compare(&mut self, process: &Process, worker: &mut Hand<'_>) -> Result<(), WorkerError> {
        self.compare_pages(process, worker)?;
        self.compare_firings();
        self.compare_log(process);
        self.compare_erased();
        if !self.forgets {
            self.compare_replay(process)?
        }
        Ok(())
    }

    fn kept(&self) -> impl Iterator<Item = usize> {
        (0..self.browsers.len()).filter(|number| !self.erased[*number])
    }

    /// What pages count that were there, and what one counts that knows nothing but the collector's view.
    fn compare_pages(&self, process: &Process, worker: &mut Hand<'_>) -> Result<(), WorkerError> {
        for number in self.kept() {
            let (browser, clicks) = (&self.browsers[number], self.clicks[number] as f64);
            assert_eq!(browser.signal(0, "clicks", None, self.clock), clicks, "page {number}");
            let stream = process.parts.hub.subscribe(browser.member().clone(), None).unwrap();
            worker.work()?;
            let view = mail_of(&stream).and_then(|mail| mail.profile).unwrap();
            let mut fresh = Browser::new(&browser.member().0, bundle_of(RULES, 1));
            fresh.open(self.clock);
            fresh.take_view(0, &view.bytes, self.clock);
            assert_eq!(fresh.signal(0, "clicks", None, self.clock), clicks, "collector, of page {number}");
            let spent = self.cents[number] as f64 / 100.0;
            assert_eq!(fresh.signal(0, "spent", None, self.clock), spent, "collector, of page {number}");
        }
        Ok(())
    }

    fn compare_firings(&self) {
        let firings = firings(&self.store);
        for (number, browser) in self.browsers.iter().enumerate() {
            let of = |rule: &str| {
                firings.iter().filter(|(_, at)| at[0] == rule && at[1] == *browser.member().0).count() as u64
            };
            let clicks = if self.erased[number] { 0 } else { self.clicks[number] };
            assert_eq!(of("every"), clicks, "firings of page {number} by event");
            assert_eq!(of("fifth"), u64::from(clicks >= 5), "firings of page {number} by level");
            let quiet = of("quiet");
            assert!(
                if clicks > 0 { quiet > 0 } else { quiet == 0 },
                "{quiet} firings of page {number} by time"
            );
        }
    }

    /// Nothing in the store names a member that is erased.
    fn compare_erased(&self) {
        let erased = self.browsers.iter().zip(&self.erased).filter(|(_, erased)| **erased);
        for (browser, _) in erased {
            let name = browser.member().0.as_bytes();
            let names = |bytes: &[u8]| bytes.windows(name.len()).any(|window| window == name);
            for table in TABLES {
                let rows = self.store.rows(table);
                let found = rows.iter().find(|(key, value)| names(key) || names(value));
                assert_eq!(found, None, "{table:?} names {}, who is erased", browser.member().0);
            }
        }
    }

    fn compare_log(&self, process: &Process) {
        let (mut ids, mut members) = (BTreeSet::new(), BTreeMap::<_, u64>::new());
        let mut reader = process.parts.log.reader(0);
        while let Some(chunk) = reader.read_on().unwrap() {
            for frame in chunk.frames() {
                for record in frame.records() {
                    match decode_record(record).unwrap() {
                        Record::Event { event: Event { event_id, member, .. }, .. } => {
                            assert!(ids.insert(event_id), "{event_id:?} is in the log twice");
                            *members.entry(member).or_default() += 1;
                        }
                        Record::Void { member, .. } | Record::Close { member, .. } => {
                            members.entry(member).or_default();
                        }
                        _ => {}
                    }
                }
            }
        }
        assert!(self.forgets || reader.take_damaged().is_empty(), "something of the log is lost");
        for (number, browser) in self.browsers.iter().enumerate() {
            let logged = members.get(browser.member()).copied();
            if self.erased[number] {
                assert_eq!(logged, None, "the log names page {number}, which is erased");
            } else if !self.forgets {
                assert_eq!(
                    logged.unwrap_or_default(),
                    self.clicks[number],
                    "events of page {number} in the log"
                );
            }
        }
    }

    /// Reads the log from its beginning into an empty store, a year later.
    fn compare_replay(&mut self, process: &Process) -> Result<(), WorkerError> {
        let store = Arc::new(SimulatedStore::default());
        clock::turned::turn(self.clock.now().wall.plus(YEAR_MS), Duration::from_millis(YEAR_MS as u64));
        let parts = WorkerParts { store: store.clone(), ..process.parts.clone() };
        Hand::open(&parts, &Ears::new(true))?.work()?;
        for table in [Table::Members, Table::Profiles] {
            let (first, second) = (self.store.rows(table), store.rows(table));
            let keys = |rows: &BTreeMap<Vec<u8>, _>| -> Vec<String> {
                rows.keys().map(|key| String::from_utf8_lossy(key).into_owned()).collect()
            };
            assert_eq!(
                keys(&first),
                keys(&second),
                "{table:?} in a replay; erased {:?}, clicks {:?}",
                self.erased,
                self.clicks
            );
            assert!(first == second, "{table:?}: other states in a replay");
        }
        assert_eq!(firings(&self.store), firings(&store), "firings in a replay");
        Ok(())
    }
}

/// Firings by id: rule, member and instant.
fn firings(store: &SimulatedStore) -> BTreeMap<String, [String; 3]> {
    let rows = store.rows(Table::Firings);
    let firings = rows.values().map(|json| {
        let firing: Value = serde_json::from_slice(json).unwrap();
        let text = |name: &str| firing[name].as_str().unwrap().to_owned();
        (text("id"), [text("rule"), text("member"), text("at")])
    });
    let by_id: BTreeMap<_, _> = firings.collect();
    assert_eq!(by_id.len(), rows.len(), "a firing is there twice");
    by_id
}
