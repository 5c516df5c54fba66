//! The variations a visitor has: found once, in the order of the experiments, and read by conditions from there on.

use super::exposure::{Exposure, exposure_id};
use super::trial::{HashRef, TrialRef, read_span};
use super::{TrialTable, bucket_number, previewed};
use crate::condition::{Document, Outlook, PathRef, Reading, Root, evaluate, plain_text};
use crate::id::EventId;
use crate::limits::MAX_VARIATIONS;
use crate::value::ValueRef;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::Cell;

/// The variations of one visitor at one instant.
#[derive(Debug)]
pub struct Assigned<'a> {
    table: &'a TrialTable,
    /// For each experiment the variation, from 1, with [`IS_HASHED`] and [`IS_READ`]; 0 outside of it.
    places: Vec<Cell<u32>>,
}

/// Hashing gave the variation: what is forced or previewed exposes nobody.
const IS_HASHED: u32 = 1 << 30;
/// A condition has read the variation.
const IS_READ: u32 = 1 << 31;

/// A variation that somebody has seen: to be tracked as `attune.exposure` under this id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposed {
    /// Derived, so that the same exposure has the same id wherever it is found.
    pub event_id: EventId,
    /// The experiment.
    pub experiment: Box<str>,
    /// The variation's key.
    pub variation: Box<str>,
    /// The experiment's bucket version.
    pub bucket_version: u32,
}

impl<'a> Assigned<'a> {
    /// Nobody has a variation yet.
    pub fn new(table: &'a TrialTable) -> Self {
        Self { table, places: vec![Cell::new(0); table.len()] }
    }

    /// Assigns every experiment for a document that reads its variations from here. `outlook` receives the instant at
    /// which time alone can change one.
    pub fn assign(&self, document: &dyn Document, outlook: &mut Outlook) {
        for (index, place) in self.places.iter().enumerate() {
            place.set(self.table.get(index).map_or(0, |trial| find(&trial, document, outlook)));
        }
        for place in &self.places {
            place.set(place.get() & !IS_READ);
        }
    }

    /// The variation of an experiment, which counts as read from then on; null outside of it.
    pub fn read(&self, experiment: &str) -> ValueRef<'a> {
        for (index, place) in self.places.iter().enumerate() {
            let Some(trial) = self.table.get(index).filter(|trial| trial.id == experiment) else { continue };
            let found = place.get();
            place.set(found | IS_READ);
            return variation(&trial, found).map_or(ValueRef::Null, ValueRef::Text);
        }
        ValueRef::Null
    }

    /// For each experiment its variation, comparable with what another instant has found.
    pub fn found(&self) -> Vec<u32> {
        self.places.iter().map(|place| place.get() & !IS_READ).collect()
    }

    /// What has been read and not been exposed in this session.
    pub fn exposed(&self, document: &dyn Document) -> Vec<Exposed> {
        let mut exposed = Vec::new();
        for (index, place) in self.places.iter().enumerate() {
            let found = place.get();
            if found < IS_READ | IS_HASHED {
                continue;
            }
            let Some(trial) = self.table.get(index) else { continue };
            let Some(variation) = variation(&trial, found) else { continue };
            let counted = document.signal(trial.exposed, variation);
            if matches!(counted, Reading::Value(ValueRef::Number(count), _) if count > 0.0) {
                continue;
            }
            let (mut room, experiment, bucket_version) = ([0; 40], trial.id, trial.bucket_version);
            let Some(unit) = plain_text(document.value(trial.hash.unit), &mut room) else { continue };
            let exposure =
                Exposure { unit, experiment, variation, bucket_version, session: document.session() };
            exposed.push(Exposed {
                event_id: EventId(exposure_id(&exposure)),
                experiment: Box::from(experiment),
                variation: Box::from(variation),
                bucket_version,
            });
        }
        exposed
    }
}

/// The key of the variation of a place.
fn variation<'a>(trial: &TrialRef<'a>, place: u32) -> Option<&'a str> {
    trial.variation((place & !(IS_READ | IS_HASHED)).checked_sub(1)? as usize)
}

/// The place of an experiment: its variation from 1, and whether hashing gave it; 0 outside of it.
fn find(trial: &TrialRef<'_>, document: &dyn Document, outlook: &mut Outlook) -> u32 {
    let url = document.value(PathRef { root: Root::Context, rest: "page.url" });
    if let ValueRef::Text(url) = url
        && let Some(index) = previewed(trial.id, url, MAX_VARIATIONS)
        && trial.variation(index).is_some()
    {
        return index as u32 + 1;
    }
    let bucket = bucket_of(&trial.hash, document);
    let (mut filters, mut variations, mut number) = (trial.filters, trial.variations, 0);
    while !filters.is_empty() {
        let bucket = bucket_of(&HashRef::read(&mut filters), document);
        let (mut spans, mut is_in) = (filters.sized(), false);
        while !spans.is_empty() {
            let span = read_span(&mut spans);
            is_in |= span.from <= bucket && bucket < span.until;
        }
        if !is_in {
            return 0;
        }
    }
    while !variations.is_empty() {
        number += 1;
        variations.text();
        let span = read_span(&mut variations);
        if span.from <= bucket && bucket < span.until {
            return match trial.force {
                _ if !evaluate(trial.when, document, outlook) => 0,
                0 => number | IS_HASHED,
                force => force,
            };
        }
    }
    0
}

/// The bucket of a document's unit; behind all others where it has none.
fn bucket_of(hash: &HashRef<'_>, document: &dyn Document) -> u32 {
    match plain_text(document.value(hash.unit), &mut [0; 40]) {
        None | Some("") => u32::MAX,
        Some(unit) => bucket_number(hash.seed, unit, hash.version),
    }
}
