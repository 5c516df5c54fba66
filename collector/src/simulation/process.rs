//! One life of a collector, from its start on what the one before has left to its end, on the simulation's thread.

use super::store::SimulatedStore;
use crate::access::{AddressLimits, Throttle, Tokens, Tombstones, Uses, WriteKey, WriteKeys};
use crate::bell::Bell;
use crate::clock;
use crate::ingest::{
    Body, BodyType, Door, DoorParts, Drops, Ingest, IngestError, Live, Memory, Moment, Watches, Window,
};
use crate::log::tests::simulated::Simulated;
use crate::log::{Batch, Log, Place, Retention};
use crate::metrics::Metrics;
use crate::profile::Store;
use crate::push::Hub;
use crate::secret::Secret;
use crate::worker::hand::{Ears, Hand};
use crate::worker::{WorkerError, WorkerParts, absorbed, note_erased};
use attune_core::id::MemberId;
use attune_core::wire::{Record, encode_record};
use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

const SEGMENT_BYTES: u64 = 32_768;
const BODY_BYTES: usize = 64 << 20;
const LETTER_BYTES: u64 = 1 << 20;

/// Where a collector lives.
#[derive(Clone, Copy, Debug)]
pub struct Home<'a> {
    /// The disk of its log.
    pub disk: &'a Simulated,
    /// The store of its states.
    pub store: &'a Arc<SimulatedStore>,
    /// The folder of its door's files.
    pub door: &'a Path,
    /// Whether nothing of the log is kept that is taken in.
    pub forgets: bool,
}

/// A collector that runs.
pub struct Process {
    /// Takes batches in.
    pub ingest: Ingest,
    /// What its worker works with.
    pub parts: WorkerParts,
    ears: Ears,
    key: WriteKey,
}

impl Process {
    /// Opens what is there.
    pub fn open(home: Home<'_>) -> io::Result<Self> {
        let (metrics, bell) = (Arc::<Metrics>::default(), Arc::<Bell>::default());
        let store: Arc<dyn Store> = home.store.clone();
        let absorbed = absorbed(&*store).unwrap();
        let tombstones = Arc::new(Tombstones::new(Secret::of([1; 32])));
        note_erased(&*store, &tombstones).unwrap();
        let bytes = home.forgets.then_some(0);
        let place = Place {
            folder: "simulated".into(),
            segment_bytes: SEGMENT_BYTES,
            absorbed,
            reserve_bytes: 0,
            retention: Retention { days: if home.forgets { 0 } else { 36_500 }, bytes },
        };
        let door = DoorParts {
            folder: home.door.to_owned(),
            window: Window::of(8, 8),
            absorbed,
            tombstones: &tombstones,
            metrics: metrics.clone(),
        };
        let door = |reader| Door::open(reader, door);
        let log = Log::by_hand(&home.disk.disk(), &place, bell.clone(), metrics.clone(), door)?;
        let log = Arc::new(log);
        let hub = Arc::new(Hub::new("simulated".into(), bell.clone(), metrics.clone()));
        let key = WriteKey::open("demo").unwrap();
        let ingest = Ingest {
            log: log.clone(),
            tokens: Arc::new(Tokens::new(Secret::of([2; 32]))),
            drops: Drops::default(),
            throttle: Throttle::new(&WriteKeys::new([key.clone()]), AddressLimits::default()),
            memory: Memory::new(BODY_BYTES, metrics.clone()),
            watches: Watches::default(),
            live: Live::default(),
            uses: Uses::default(),
            metrics: metrics.clone(),
        };
        let letter_bytes = LETTER_BYTES;
        let parts = WorkerParts { log, store, tombstones, hub, bell, metrics, letter_bytes };
        Ok(Self { ingest, parts, ears: Ears::new(false), key })
    }

    /// A worker that goes on where the state ends.
    pub fn worker(&self) -> Result<Hand<'_>, WorkerError> {
        Hand::open(&self.parts, &self.ears)
    }

    /// Brings bodies at the same time, which share a sync; answers with receipts, or why there are none.
    pub fn receive(&self, bodies: &[String]) -> Vec<Result<String, IngestError>> {
        let moment = Moment {
            now: clock::now(),
            bundle_revision: 1,
            site: None,
            erased: &self.parts.tombstones,
            guard: None,
            enriching: None,
            origins: &[],
        };
        let accepted = bodies.iter().map(|body| {
            let held = self.ingest.memory.begin().whole(body.clone().into());
            let body = Body { body_type: BodyType::Batch, encoding: None, held };
            self.ingest.accept(&self.key, body, moment)
        });
        let mut waiting: Vec<_> = accepted.map(|accepted| (Box::pin(accepted), None)).collect();
        for round in 0..2 {
            for (accepted, answer) in &mut waiting {
                let mut context = Context::from_waker(Waker::noop());
                if answer.is_none()
                    && let Poll::Ready(ready) = accepted.as_mut().poll(&mut context)
                {
                    *answer = Some(ready);
                }
            }
            if round == 0 {
                self.parts.log.write();
            }
        }
        waiting.into_iter().filter_map(|(_, answer)| answer).collect()
    }

    /// Has a member erased; says whether it will be.
    pub fn erase(&self, member: MemberId) -> bool {
        let mut erased = pin!(self.ingest.erase(member, &self.parts.tombstones, clock::now()));
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(done) = erased.as_mut().poll(&mut context) {
            return done.is_ok();
        }
        self.parts.log.write();
        matches!(erased.as_mut().poll(&mut context), Poll::Ready(Ok(())))
    }

    /// Logs a bundle as the one in effect.
    pub fn activate(&self, bytes: &[u8]) -> bool {
        let record = Record::Bundle { revision: 1, at: clock::now(), bytes: bytes.into() };
        let mut batch = Batch::default();
        batch.push(None, |out| encode_record(&record, out));
        self.parts.log.append_blocking(batch).is_ok()
    }
}
