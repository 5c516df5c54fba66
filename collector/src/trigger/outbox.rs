//! What has become of every call of every firing: read from the store and written to it, and nowhere else.

use super::delivery::{CallId, Delivery, State};
use super::destination::{Destination, Destinations};
use super::firing::Firing;
use super::told::Told;
use super::verdict::Trouble;
use crate::access::Tombstones;
use crate::clock;
use crate::limits::{DELIVERY_AGE_MS, FIRINGS_AT_ONCE, MAX_WAITING_DELIVERIES};
use crate::metrics::Metrics;
use crate::profile::{Changes, Page, Store, StoreError, Table};
use attune_core::id::{MemberId, uuid_from_text};
use attune_core::processor::ProfileState;
use attune_core::time::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

/// Counter of the store: the order number of the first firing whose calls are not among the deliveries.
const CURSOR: &[u8] = b"deliveries";

/// The deliveries in the store.
#[derive(Debug)]
pub struct Outbox {
    /// Where firings are, and deliveries go.
    pub store: Arc<dyn Store>,
    /// Whom triggers may call.
    pub destinations: RwLock<Arc<Destinations>>,
    /// Erased members, of whom nothing is sent.
    pub tombstones: Arc<Tombstones>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What has been said in the log.
    pub told: Told,
}

/// A delivery that is to be called.
#[derive(Debug)]
pub struct Waiting {
    /// Which call.
    pub id: CallId,
    /// The destination's name.
    pub destination: String,
    /// Since when it is tried.
    pub since: Timestamp,
    /// When it is due.
    pub due: Timestamp,
}

/// Why a delivery is not begun again by hand.
#[derive(Debug)]
pub enum RetryError {
    /// There is none of this id.
    Unknown,
    /// It is not dead.
    NotDead(State),
    /// It has nowhere to go.
    NoDestination(Trouble),
    /// The store is broken.
    Store(StoreError),
}

impl From<StoreError> for RetryError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Makes a store ready, before anything fires: what has fired before there were deliveries is never called.
///
/// # Errors
/// The store is broken.
pub fn prepare(store: &dyn Store) -> Result<(), StoreError> {
    if store.get(Table::Progress, CURSOR)?.is_some() {
        return Ok(());
    }
    let mut changes = Changes::default();
    changes.put(Table::Progress, CURSOR, number(store, b"firings")?.to_be_bytes());
    store.commit(changes)
}

impl Outbox {
    /// Everything that has not been done or given up. What has no destination any more is dead.
    ///
    /// # Errors
    /// The store is broken.
    pub fn load(&self) -> Result<Vec<Waiting>, StoreError> {
        let mut pending = Vec::new();
        let mut damaged = None;
        self.store.scan(Table::Deliveries, &mut |key, value| {
            match (CallId::of_key(key), Delivery::decode(value)) {
                (Some(id), Ok(delivery)) if delivery.state == State::Pending => pending.push((id, delivery)),
                (Some(_), Ok(_)) => {}
                (_, Err(error)) => damaged = Some(error),
                (None, Ok(_)) => damaged = Some(StoreError::damaged("delivery", &"its key")),
            }
            true
        })?;
        if let Some(error) = damaged {
            tracing::error!(%error, "a delivery is passed over");
        }
        let mut waiting = Vec::new();
        for (id, mut delivery) in pending {
            let Some(bytes) = self.store.get(Table::Firings, &id.firing.to_be_bytes())? else {
                self.forget(id)?;
                continue;
            };
            let firing = match Firing::decode(&bytes) {
                Ok(firing) => firing,
                Err(error) => {
                    tracing::error!(%error, number = id.firing, "a firing is passed over");
                    continue;
                }
            };
            match self.destination(id, &firing) {
                Ok(destination) => waiting.push(Waiting {
                    id,
                    destination: destination.name.clone(),
                    since: Timestamp(delivery.since_ms),
                    due: Timestamp(delivery.at_ms),
                }),
                Err(trouble) => {
                    self.bury(&mut delivery, trouble, &firing);
                    self.write(id, &delivery)?;
                }
            }
        }
        Ok(waiting)
    }

    /// Takes the calls of the next firings in; `lengths` says how many deliveries wait for each destination. Nothing where
    /// there is no further firing.
    ///
    /// # Errors
    /// The store is broken, and nothing has been taken in.
    pub fn take_on(&self, lengths: &BTreeMap<String, usize>) -> Result<Option<Vec<Waiting>>, StoreError> {
        let (from, end) = (number(&*self.store, CURSOR)?, number(&*self.store, b"firings")?);
        if from >= end {
            return Ok(None);
        }
        let until = end.min(from.saturating_add(FIRINGS_AT_ONCE as u64));
        let (mut lengths, mut waiting, mut written) = (lengths.clone(), Vec::new(), Vec::new());
        let mut changes = Changes::default();
        let now = clock::now();
        for number in from..until {
            // An erased member's is not there any more.
            let Some(bytes) = self.store.get(Table::Firings, &number.to_be_bytes())? else { continue };
            let firing = match Firing::decode(&bytes) {
                Ok(firing) => firing,
                Err(error) => {
                    tracing::error!(%error, number, "a firing is passed over");
                    continue;
                }
            };
            if self.is_erased(&firing) {
                continue;
            }
            for (action, place) in firing.actions.iter().zip(0_u16..) {
                let id = CallId { firing: number, action: place };
                let mut delivery = Delivery::new(&action.kind, action.whom(), now);
                match self.admit(&firing, id, now, &mut lengths) {
                    Ok(destination) => {
                        delivery.destination.clone_from(&destination);
                        waiting.push(Waiting { id, destination, since: now, due: now });
                    }
                    Err(trouble) => self.bury(&mut delivery, trouble, &firing),
                }
                changes.put(Table::Deliveries, id.key(), delivery.encode());
                written.push(id);
            }
        }
        changes.put(Table::Progress, CURSOR, until.to_be_bytes());
        self.store.commit(changes)?;
        for id in written {
            self.take_back_if_erased(id)?;
        }
        Ok(Some(waiting))
    }

    /// Whether a new call may wait for its destination.
    fn admit(
        &self,
        firing: &Firing,
        id: CallId,
        now: Timestamp,
        lengths: &mut BTreeMap<String, usize>,
    ) -> Result<String, Trouble> {
        let destination = self.destination(id, firing)?;
        if now.0.saturating_sub(firing.fired_at().0) > DELIVERY_AGE_MS {
            let days = DELIVERY_AGE_MS / 86_400_000;
            return Err(Trouble::new("expired", format!("it fired more than {days} days ago")));
        }
        let length = lengths.entry(destination.name.clone()).or_default();
        if *length >= MAX_WAITING_DELIVERIES {
            let message = format!("{MAX_WAITING_DELIVERIES} deliveries wait for this destination already");
            return Err(Trouble::new("queue_full", message));
        }
        *length += 1;
        Ok(destination.name.clone())
    }

    /// The destinations that are in effect.
    pub fn destinations(&self) -> Arc<Destinations> {
        self.destinations.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn destination(&self, id: CallId, firing: &Firing) -> Result<Arc<Destination>, Trouble> {
        let action = firing.actions.get(usize::from(id.action));
        let action =
            action.ok_or_else(|| Trouble::new("destination_unknown", "the firing has no such action"))?;
        let destination = self.destinations().find(action).cloned()?;
        if firing.opted_out && destination.is_third_party {
            let message = "the visitor's browser sends Global Privacy Control, and this is a third party's";
            return Err(Trouble::new("opted_out", message));
        }
        Ok(destination)
    }

    /// What is to be called now, with the visitor's traits where the destination reads them; nothing where the firing, or
    /// its member, has been erased.
    ///
    /// # Errors
    /// The store is broken.
    pub fn open(
        &self,
        id: CallId,
        destination: &Destination,
    ) -> Result<Option<(Firing, Delivery, Value)>, StoreError> {
        let delivery = self.store.get(Table::Deliveries, &id.key())?;
        let Some(firing) = self.firing(id)?.filter(|firing| !self.is_erased(firing)) else {
            self.forget(id)?;
            return Ok(None);
        };
        let Some(delivery) = delivery else { return Ok(None) };
        let traits = if destination.reads_traits() { self.traits(&firing)? } else { Value::Null };
        Ok(Some((firing, Delivery::decode(&delivery)?, traits)))
    }

    /// Writes what has become of a call; says whether its firing is still there.
    ///
    /// # Errors
    /// The store is broken; the call will be repeated.
    pub fn write(&self, id: CallId, delivery: &Delivery) -> Result<bool, StoreError> {
        let mut changes = Changes::default();
        changes.put(Table::Deliveries, id.key(), delivery.encode());
        self.store.commit(changes)?;
        self.take_back_if_erased(id)
    }

    /// Has a dead delivery called again, from the first call on.
    ///
    /// # Errors
    /// Says why it is not.
    pub fn revive(&self, id: &str) -> Result<Waiting, RetryError> {
        let id = self.id_of(id)?.ok_or(RetryError::Unknown)?;
        let bytes = self.store.get(Table::Deliveries, &id.key())?.ok_or(RetryError::Unknown)?;
        let firing = self.firing(id)?.filter(|firing| !self.is_erased(firing)).ok_or(RetryError::Unknown)?;
        let old = Delivery::decode(&bytes)?;
        if old.state != State::Dead {
            return Err(RetryError::NotDead(old.state));
        }
        let destination = self.destination(id, &firing).map_err(RetryError::NoDestination)?;
        let now = clock::now();
        if !self.write(id, &Delivery::new(&old.kind, &destination.name, now))? {
            return Err(RetryError::Unknown);
        }
        Ok(Waiting { id, destination: destination.name.clone(), since: now, due: now })
    }

    /// Deliveries in order of firing, of all states or of one: `limit` at most, behind the one of a call.
    ///
    /// # Errors
    /// The store is broken.
    pub fn list(
        &self,
        wanted: Option<State>,
        after: Option<CallId>,
        limit: usize,
    ) -> Result<Page<CallId>, StoreError> {
        let (mut page, mut first) = (Page::new(limit), after.map(CallId::key).unwrap_or_default());
        loop {
            let mut found = Vec::new();
            // Firings are read behind each scan, since the store may be busy with it.
            self.store.scan_from(Table::Deliveries, &first, &mut |key, value| {
                if let (Some(id), Ok(delivery)) = (CallId::of_key(key), Delivery::decode(value))
                    && after.is_none_or(|after| id > after)
                    && wanted.is_none_or(|wanted| wanted == delivery.state)
                {
                    found.push((id, delivery));
                }
                found.len() < FIRINGS_AT_ONCE
            })?;
            let Some((last, _)) = found.last().filter(|_| found.len() == FIRINGS_AT_ONCE) else {
                self.add(&mut page, found)?;
                return Ok(page);
            };
            first = [&last.key()[..], &[0]].concat();
            if !self.add(&mut page, found)? {
                return Ok(page);
            }
        }
    }

    /// Says whether a page takes further deliveries.
    fn add(&self, page: &mut Page<CallId>, found: Vec<(CallId, Delivery)>) -> Result<bool, StoreError> {
        for (id, delivery) in found {
            let Some(bytes) = self.store.get(Table::Firings, &id.firing.to_be_bytes())? else { continue };
            let Ok(firing) = Firing::decode(&bytes) else { continue };
            if !page.take(id, &row(id, &delivery, &firing).to_string()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Ends a delivery badly, which is told and counted.
    pub fn bury(&self, delivery: &mut Delivery, trouble: Trouble, firing: &Firing) {
        let (rule, code, message) = (&*firing.rule, trouble.code, &*trouble.message);
        let destination = &*delivery.destination;
        if self.told.is_news(destination, code, Instant::now()) {
            tracing::error!(rule, destination, code, "a firing is not delivered: {message}");
        }
        // A name that only rules have is no label.
        let is_known = self.destinations().has(&delivery.destination);
        let name = if is_known { &*delivery.destination } else { "" };
        self.metrics.deliveries.add(&[("destination", name), ("outcome", code)], 1);
        delivery.bury(trouble, clock::now());
    }

    fn firing(&self, id: CallId) -> Result<Option<Firing>, StoreError> {
        let bytes = self.store.get(Table::Firings, &id.firing.to_be_bytes())?;
        bytes.map(|bytes| Firing::decode(&bytes)).transpose()
    }

    fn is_erased(&self, firing: &Firing) -> bool {
        self.tombstones.has(&MemberId(firing.member.as_str().into()))
    }

    fn traits(&self, firing: &Firing) -> Result<Value, StoreError> {
        let bytes = self.store.get(Table::Profiles, firing.profile.as_bytes())?;
        let state = bytes.and_then(|bytes| ProfileState::decode(&bytes).ok());
        let mut text = String::new();
        let Some(state) = state else { return Ok(json!({})) };
        state.traits().to_object().write(&mut text);
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    /// The firing may have been erased while a delivery was written; then that goes as well.
    fn take_back_if_erased(&self, id: CallId) -> Result<bool, StoreError> {
        let is_there = self.store.get(Table::Firings, &id.firing.to_be_bytes())?.is_some();
        if !is_there {
            self.forget(id)?;
        }
        Ok(is_there)
    }

    fn forget(&self, id: CallId) -> Result<(), StoreError> {
        let mut changes = Changes::default();
        changes.remove(Table::Deliveries, id.key());
        self.store.commit(changes)
    }

    /// The call of an id as the list has it: a firing's, and the place of the action.
    fn id_of(&self, text: &str) -> Result<Option<CallId>, StoreError> {
        let parts = text
            .rsplit_once('.')
            .and_then(|(firing, action)| Some((uuid_from_text(firing)?.into_bytes(), action.parse().ok()?)));
        let Some((firing, action)) = parts else { return Ok(None) };
        let number = self.store.get(Table::FiringIds, &firing)?;
        let number = number.and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
        Ok(number.map(|firing| CallId { firing, action }))
    }
}

/// A delivery as the list has it.
fn row(id: CallId, delivery: &Delivery, firing: &Firing) -> Value {
    let error = delivery.error.as_ref().map(|error| json!({"code": error.code, "message": error.message}));
    let at = match delivery.state {
        State::Pending => "next_at",
        State::Done | State::Dead => "ended_at",
    };
    json!({
        "id": format!("{}.{}", firing.id, id.action),
        "rule": firing.rule,
        "profile": firing.profile,
        "kind": delivery.kind,
        "destination": delivery.destination,
        "state": delivery.state.name(),
        "calls": delivery.calls,
        "since": Timestamp(delivery.since_ms).to_string(),
        at: Timestamp(delivery.at_ms).to_string(),
        "error": error,
    })
}

fn number(store: &dyn Store, name: &[u8]) -> Result<u64, StoreError> {
    let bytes = store.get(Table::Progress, name)?;
    let read = bytes.map(|bytes| bytes.try_into().map(u64::from_be_bytes));
    read.transpose().map(Option::unwrap_or_default).map_err(|_| StoreError::damaged("number", &"its length"))
}

#[cfg(test)]
mod tests;
