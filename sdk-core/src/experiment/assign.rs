//! The variations a visitor has: found once, in the order of the experiments, and read by conditions from there on.

use super::trial::{HashRef, TrialRef, read_range};
use super::{Exposure, TrialTable, bucket, previewed};
use crate::condition::{Document, Outlook, PathRef, Reading, Root, evaluate, plain_text};
use crate::value::ValueRef;
use alloc::boxed::Box;
use core::cell::Cell;

/// The variations of one visitor at one instant.
#[derive(Debug, Default)]
pub struct Assigned<'a> {
    table: Option<&'a TrialTable>,
    places: Box<[Cell<Place>]>,
}

/// What is known of one experiment.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// The variation, from 1; 0 outside of the experiment.
    variation: usize,
    /// Whether hashing gave it: what is forced or previewed exposes nobody.
    is_hashed: bool,
    /// Whether a condition has read it.
    is_read: bool,
}

impl<'a> Assigned<'a> {
    /// Nobody has a variation yet.
    pub fn new(table: &'a TrialTable) -> Self {
        Self { table: Some(table), places: (0..table.len()).map(|_| Cell::default()).collect() }
    }

    /// Assigns every experiment for a document that reads its variations from here. `outlook` receives the instant at
    /// which time alone can change one.
    pub fn assign(&self, document: &dyn Document, outlook: &mut Outlook) {
        let Some(table) = self.table else { return };
        for (trial, place) in table.iter().zip(&self.places) {
            let (variation, is_hashed) = find(&trial, document, outlook).unwrap_or_default();
            place.set(Place { variation, is_hashed, is_read: false });
        }
        for place in &self.places {
            place.set(Place { is_read: false, ..place.get() });
        }
    }

    /// The variation of an experiment, which counts as read from then on; null outside of it.
    pub fn read(&self, experiment: &str) -> ValueRef<'a> {
        let mut trials = self.table.iter().flat_map(|table| table.iter()).zip(&self.places);
        let Some((trial, place)) = trials.find(|(trial, _)| trial.id == experiment) else {
            return ValueRef::Null;
        };
        let found = place.get();
        place.set(Place { is_read: true, ..found });
        let key = found.variation.checked_sub(1).and_then(|index| trial.variation(index));
        key.map_or(ValueRef::Null, ValueRef::Text)
    }

    /// Shows what has been read and not been exposed in this session.
    pub fn each_exposure(&self, document: &dyn Document, see: &mut dyn FnMut(&Exposure<'_>)) {
        let trials = self.table.iter().flat_map(|table| table.iter()).zip(&self.places);
        for (trial, place) in trials {
            let Place { variation, is_hashed, is_read } = place.get();
            let (true, true, Some(index)) = (is_hashed, is_read, variation.checked_sub(1)) else { continue };
            let Some(variation) = trial.variation(index) else { continue };
            let is_known = matches!(document.signal(trial.exposed, variation), Reading::Value(ValueRef::Number(count), _) if count > 0.0);
            let mut room = [0; 40];
            if let (false, Some(unit)) = (is_known, plain_text(document.value(trial.hash.unit), &mut room)) {
                see(&Exposure {
                    unit,
                    experiment: trial.id,
                    variation,
                    bucket_version: trial.bucket_version,
                    session: document.session(),
                });
            }
        }
    }
}

/// The variation of an experiment from 1, and whether hashing gave it.
fn find(trial: &TrialRef<'_>, document: &dyn Document, outlook: &mut Outlook) -> Option<(usize, bool)> {
    let url = document.value(PathRef { root: Root::Context, rest: "page.url" });
    if let Some(index) = previewed(trial.id, url.as_str().unwrap_or_default(), usize::MAX)
        && trial.variation(index).is_some()
    {
        return Some((index + 1, false));
    }
    let bucket = bucket_of(&trial.hash, document)?;
    let mut filters = trial.filters;
    while !filters.is_empty() {
        let inside = bucket_of(&HashRef::read(&mut filters), document);
        let (mut ranges, mut is_in) = (filters.sized(), false);
        while !ranges.is_empty() {
            let range = read_range(&mut ranges);
            is_in |= inside.is_some_and(|bucket| range.contains(bucket));
        }
        if !is_in {
            return None;
        }
    }
    if !evaluate(trial.when, document, outlook) {
        return None;
    }
    let (mut variations, mut number) = (trial.variations, 0);
    while !variations.is_empty() {
        number += 1;
        variations.text();
        if read_range(&mut variations).contains(bucket) {
            return Some(if trial.force > 0 { (trial.force, false) } else { (number, true) });
        }
    }
    None
}

/// The bucket of a document's unit; nothing where it has none.
fn bucket_of(hash: &HashRef<'_>, document: &dyn Document) -> Option<f64> {
    let mut room = [0; 40];
    let unit = plain_text(document.value(hash.unit), &mut room).filter(|unit| !unit.is_empty())?;
    Some(bucket(hash.seed, unit, hash.version))
}
