//! Events of some members through absorb and combine, timed in batches.

use crate::failure::Failure;
use attune_core::bundle::author::{SourceFile, compile};
use attune_core::id::{EventId, LaneId, MemberId, SessionId, Uuid};
use attune_core::processor::{Processor, ProfileState};
use attune_core::profile::{Absorbed, Change, MemberState, TileChanges};
use attune_core::time::Timestamp;
use attune_core::wire::{Event, LaneSeq, Record};
use serde_json::{Value, json};
use std::time::Instant;

/// The instant of the first event: 12 November 2026, which lies near no bucket's end.
const START_MS: i64 = 1_794_441_600_000;
/// A lane's number follows from its member's.
const LANES_PER_MEMBER: u128 = 1_000;

/// Who sends what, and how fast.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    /// Members, who take turns.
    pub members: usize,
    /// Lanes of each member, which take turns.
    pub lanes: usize,
    /// Event types `type_0`, `type_1`, …, which take turns.
    pub types: usize,
    /// Values of `metadata.category`.
    pub categories: usize,
    /// Values of `metadata.product`.
    pub products: usize,
    /// Time between two events of a member, in milliseconds.
    pub step_ms: i64,
}

/// Members' and profiles' states under one bundle.
#[derive(Debug)]
pub struct Feed {
    processor: Processor,
    states: Vec<(MemberState, ProfileState)>,
    stream: Stream,
    sent: usize,
    /// Firings so far.
    pub firings: usize,
    /// Changed tiles so far.
    pub tiles: usize,
}

/// Microseconds per event.
#[derive(Debug)]
pub struct Figures(Vec<f64>);

impl Feed {
    /// A feed under a bundle of these rules.
    ///
    /// # Errors
    /// A rule or signal that does not compile.
    pub fn new(rules: &Value, stream: Stream) -> Result<Self, Failure> {
        let compiled = compile(&[SourceFile { name: "bench.json".into(), text: rules.to_string() }]);
        if let Some(diagnostic) = compiled.diagnostics.first() {
            return Err(Failure::new(format!("the bench's rules: {diagnostic:?}")));
        }
        let mut processor = Processor::new();
        processor.set_bundle(compiled.bundle, Timestamp(START_MS));
        let states = (0..stream.members)
            .map(|member| (MemberState::new(name(member)), ProfileState::default()))
            .collect();
        Ok(Self { processor, states, stream, sent: 0, firings: 0, tiles: 0 })
    }

    /// Takes events in without timing them; `each` is shown every change.
    ///
    /// # Errors
    /// An event that does not count.
    pub fn warm_up(&mut self, events: usize, each: &mut dyn FnMut(&Change)) -> Result<(), Failure> {
        for _ in 0..events {
            let (member, record) = self.make();
            self.take(member, &record, each)?;
        }
        Ok(())
    }

    /// Makes `made` events and takes the first `taken` of them in, for whoever counts what taking in costs.
    ///
    /// # Errors
    /// An event that does not count.
    pub fn take_some(&mut self, made: usize, taken: usize) -> Result<(), Failure> {
        let records: Vec<_> = (0..made).map(|_| self.make()).collect();
        records.iter().take(taken).try_for_each(|(member, record)| self.take(*member, record, &mut |_| {}))
    }

    /// Takes batches of events in; making the events is not timed.
    ///
    /// # Errors
    /// An event that does not count.
    pub fn time(&mut self, batches: usize, events: usize) -> Result<Figures, Failure> {
        let mut took = Vec::with_capacity(batches);
        for _ in 0..batches {
            let records: Vec<_> = (0..events).map(|_| self.make()).collect();
            let started = Instant::now();
            for (member, record) in &records {
                self.take(*member, record, &mut |_| {})?;
            }
            took.push(started.elapsed().as_secs_f64() * 1e6 / events as f64);
        }
        took.sort_unstable_by(f64::total_cmp);
        Ok(Figures(took))
    }

    /// The states of a member and of its profile.
    pub fn states(&self, member: usize) -> &(MemberState, ProfileState) {
        &self.states[member]
    }

    fn take(&mut self, member: usize, record: &Record, each: &mut dyn FnMut(&Change)) -> Result<(), Failure> {
        let (state, profile) = &mut self.states[member];
        let Absorbed::Change(change) = self.processor.absorb(state, record) else {
            return Err(Failure::new("an event of the bench did not count"));
        };
        let outcome = self.processor.combine(profile, &change, None);
        self.firings += outcome.firings.len();
        if let TileChanges::Touched(tiles) = &change.tiles {
            self.tiles += tiles.len();
        }
        each(&change);
        Ok(())
    }

    fn make(&mut self) -> (usize, Record) {
        let Stream { members, lanes, types, categories, products, step_ms } = self.stream;
        let (member, turn) = (self.sent % members, self.sent / members);
        self.sent += 1;
        let at = Timestamp(START_MS + turn as i64 * step_ms);
        // Strides that share no factor with the counts, so that all pairs of values occur.
        let (category, product) = (turn * 7 % categories, turn * 11 % products);
        let lane = member as u128 * LANES_PER_MEMBER + (turn % lanes) as u128;
        let metadata = json!({
            "category": format!("category-{category}"),
            "product": format!("product-{product}"),
            "price": 5 + turn % 90,
        });
        let event = Event {
            event_id: EventId(Uuid::from_u128((member as u128) << 64 | turn as u128)),
            event_type: format!("type_{}", turn % types).into(),
            timestamp: at,
            member: name(member),
            lane: Some(LaneSeq { lane: LaneId(Uuid::from_u128(lane)), seq: (turn / lanes) as u64 + 1 }),
            session: Some(SessionId(Uuid::from_u128(member as u128))),
            user_id: None,
            metadata: Some(metadata.to_string().into()),
        };
        (member, Record::Event { event, received_at: at, proven: true, facts: None })
    }
}

impl Figures {
    /// The batch in the middle.
    pub fn p50_us(&self) -> f64 {
        hundredths(self.0[(self.0.len() - 1) / 2])
    }

    /// Over all batches.
    pub fn mean_us(&self) -> f64 {
        hundredths(self.0.iter().sum::<f64>() / self.0.len() as f64)
    }

    /// The batch that was disturbed least.
    pub fn least_us(&self) -> f64 {
        hundredths(self.0[0])
    }
}

fn name(member: usize) -> MemberId {
    MemberId(format!("member-{member}").into())
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
