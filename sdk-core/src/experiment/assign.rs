//! The variations a visitor has: found once, in the order of the experiments, and read by conditions from there on.

use super::exposure::{Exposure, exposure_id};
use super::trial::{HashRef, StickyRef, TrialRef, read_span};
use super::{TrialTable, bucket_number, previewed};
use crate::condition::{Document, Outlook, PathRef, Reading, Root, evaluate, plain_text, to_number};
use crate::id::EventId;
use crate::limits::MAX_VARIATIONS;
use crate::value::{Room, ValueRef};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::Cell;

/// The variations of one visitor at one instant.
#[derive(Debug)]
pub struct Assigned<'a> {
    table: &'a TrialTable,
    /// For each experiment the variation, from 1, or 0 outside of it, with marks.
    places: Vec<Cell<u32>>,
}

/// The part of a place that is the variation.
const NUMBER: u32 = IS_PREVIEWED - 1;
/// No past exposure says anything; no place of an experiment.
const IS_OPEN: u32 = u32::MAX;
/// The page's address gave the variation.
const IS_PREVIEWED: u32 = 1 << 28;
/// A past exposure gave the variation or, where there is none, keeps the visitor out.
const IS_STICKY: u32 = 1 << 29;
/// Hashing gave the variation, now or in the past: what is forced or previewed exposes nobody.
const IS_HASHED: u32 = 1 << 30;
/// A condition has read the variation.
const IS_READ: u32 = 1 << 31;

/// How a visitor stands to an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assignment<'a> {
    /// The experiment.
    pub experiment: &'a str,
    /// The variation's key; absent outside of the experiment.
    pub variation: Option<&'a str>,
    /// What gave the variation, or kept the visitor out.
    pub origin: Origin,
}

/// What gave a variation, or kept a visitor out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The bucket.
    Hashed,
    /// An earlier exposure.
    Sticky,
    /// The experiment gives it to everybody inside.
    Forced,
    /// The page's address.
    Previewed,
    /// An exposure under a bucket version before `min_bucket_version` keeps the visitor out.
    Blocked,
    /// Condition, filters, coverage or a missing unit keep the visitor out.
    Outside,
}

impl Origin {
    /// Stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Hashed => "hashed",
            Self::Sticky => "sticky",
            Self::Forced => "forced",
            Self::Previewed => "previewed",
            Self::Blocked => "blocked",
            Self::Outside => "outside",
        }
    }
}

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
    #[inline(never)]
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
        self.places.iter().map(|place| place.get() & (NUMBER | IS_HASHED)).collect()
    }

    /// How the visitor stands to each experiment, in their order.
    pub fn assignments(&self) -> impl Iterator<Item = Assignment<'a>> {
        self.table.iter().zip(&self.places).map(|(trial, place)| {
            let (place, variation) = (place.get(), variation(&trial, place.get()));
            let is = |mark: u32| place & mark != 0;
            let origin = match variation {
                None if is(IS_STICKY) => Origin::Blocked,
                None => Origin::Outside,
                Some(_) if is(IS_PREVIEWED) => Origin::Previewed,
                Some(_) if is(IS_STICKY) => Origin::Sticky,
                Some(_) if is(IS_HASHED) => Origin::Hashed,
                Some(_) => Origin::Forced,
            };
            Assignment { experiment: trial.id, variation, origin }
        })
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
            let Some(unit) = unit_at(unit_of(&trial, document), document, &mut room) else { continue };
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
    trial.variation((place & NUMBER).checked_sub(1)? as usize)
}

/// The place of an experiment: its variation from 1, and what gave it; without a variation outside of it.
#[inline(never)]
fn find(trial: &TrialRef<'_>, document: &dyn Document, outlook: &mut Outlook) -> u32 {
    if let ValueRef::Text(url) = document.address()
        && let Some(index) = previewed(trial.id, url, MAX_VARIATIONS)
        && trial.variation(index).is_some()
    {
        return (index as u32 + 1) | IS_PREVIEWED;
    }
    let unit = unit_of(trial, document);
    let bucket = bucket_of(&trial.hash, unit, document);
    let mut place = IS_OPEN;
    if let Some(sticky) = trial.sticky() {
        place = match bucket != NOWHERE && evaluate(sticky.page, document, outlook) {
            true => past(trial, &sticky, document),
            false => 0,
        };
    }
    if place == IS_OPEN {
        place = drawn(trial, (unit, bucket), document, outlook);
    }
    if trial.force != 0 && place & NUMBER != 0 { trial.force } else { place }
}

/// The place that a bucket gives.
fn drawn(
    trial: &TrialRef<'_>,
    (unit, bucket): (PathRef<'_>, u32),
    document: &dyn Document,
    outlook: &mut Outlook,
) -> u32 {
    let (mut filters, mut variations, mut number) = (trial.filters, trial.variations, 0);
    while !filters.is_empty() {
        let hash = HashRef::read(&mut filters);
        let is_own = hash.unit.rest.is_empty() && hash.unit.root == Root::Bare;
        let bucket = bucket_of(&hash, if is_own { unit } else { hash.unit }, document);
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
            return if evaluate(trial.when, document, outlook) { number | IS_HASHED } else { 0 };
        }
    }
    0
}

/// The place that past exposures give. A variation that is no longer there leaves it open; what cannot be known keeps
/// the visitor out.
fn past(trial: &TrialRef<'_>, sticky: &StickyRef<'_>, document: &dyn Document) -> u32 {
    let (least, mut is_blocked) = (f64::from(sticky.min_bucket_version), false);
    let is_whole = document.each_key(sticky.assigned, &mut |version| {
        is_blocked |= to_number(ValueRef::Text(version)) < least;
    });
    if is_blocked || !is_whole {
        return IS_STICKY;
    }
    let mut room = [0; 40];
    let version = plain_text(ValueRef::Number(trial.bucket_version.into()), &mut room);
    let Reading::Value(ValueRef::Text(key), _) =
        document.signal(sticky.assigned, version.unwrap_or_default())
    else {
        return IS_OPEN;
    };
    let mut number = 0;
    while let Some(known) = trial.variation(number as usize) {
        number += 1;
        if known == key {
            return number | IS_HASHED | IS_STICKY;
        }
    }
    IS_OPEN
}

/// Where the unit of an experiment is found: where its own is missing, at the fallback.
fn unit_of<'a>(trial: &TrialRef<'a>, document: &dyn Document) -> PathRef<'a> {
    let is_there = unit_at(trial.hash.unit, document, &mut [0; 40]).is_some();
    if is_there { trial.hash.unit } else { trial.fallback }
}

/// The unit at a path, which is not empty.
fn unit_at<'a>(path: PathRef<'_>, document: &'a dyn Document, room: &'a mut Room) -> Option<&'a str> {
    plain_text(document.value(path), room).filter(|unit| !unit.is_empty())
}

/// Behind all buckets.
const NOWHERE: u32 = u32::MAX;

/// The bucket of a unit; behind all others where there is none.
fn bucket_of(hash: &HashRef<'_>, unit: PathRef<'_>, document: &dyn Document) -> u32 {
    match unit_at(unit, document, &mut [0; 40]) {
        None => NOWHERE,
        Some(unit) => bucket_number(hash.seed, unit, hash.version),
    }
}
