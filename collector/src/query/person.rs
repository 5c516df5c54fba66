//! One profile: its state with what HTTP tells versions by, and who its members are.

use super::{Query, add_totals, named_totals, object, warming_signals};
use crate::profile::{ERASURE_DONE, StoreError, Table};
use attune_core::id::{MemberId, ProfileId};
use attune_core::processor::ProfileState;
use attune_core::profile::{MemberState, SnapshotError};
use attune_core::value::Value;
use std::collections::BTreeMap;

/// The member that a server's events have under a key that asks for proofs, where they only name a user.
pub fn unproven(user: &str) -> MemberId {
    MemberId(format!("unproven:{user}").into())
}

/// What there is under the id of a profile or member.
#[derive(Debug)]
pub enum Found<T> {
    /// Nothing.
    Unknown,
    /// A state that this version cannot read: damaged, or of another version.
    Unreadable(SnapshotError),
    /// It.
    Known(Box<T>),
}

/// A profile as it is shown.
#[derive(Debug)]
pub struct Shown {
    /// Grows with every change of a member's part.
    pub version: u64,
    /// It as JSON.
    pub json: String,
}

impl<T> Found<T> {
    fn of(stored: Option<Vec<u8>>, read: impl FnOnce(&[u8]) -> Result<T, SnapshotError>) -> Self {
        match stored.map(|bytes| read(&bytes)) {
            None => Self::Unknown,
            Some(Ok(state)) => Self::Known(Box::new(state)),
            Some(Err(error)) => Self::Unreadable(error),
        }
    }

    /// Something made of it.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Found<U> {
        match self {
            Self::Unknown => Found::Unknown,
            Self::Unreadable(error) => Found::Unreadable(error),
            Self::Known(state) => Found::Known(Box::new(make(*state))),
        }
    }
}

impl Query {
    /// The state of a profile.
    ///
    /// # Errors
    /// The store is broken.
    pub fn state(&self, profile: &str) -> Result<Found<ProfileState>, StoreError> {
        let stored = self.store.get(Table::Profiles, profile.as_bytes())?;
        Ok(Found::of(stored, ProfileState::decode))
    }

    /// The state of a member.
    ///
    /// # Errors
    /// The store is broken.
    pub fn member(&self, member: &MemberId) -> Result<Found<MemberState>, StoreError> {
        let stored = self.store.get(Table::Members, member.0.as_bytes())?;
        Ok(Found::of(stored, MemberState::decode))
    }

    /// The profile that a member is part of; nothing where the member is not known.
    ///
    /// # Errors
    /// The store is broken.
    pub fn profile_of(&self, member: &MemberId) -> Result<Option<ProfileId>, StoreError> {
        Ok(match self.member(member)? {
            Found::Known(state) => Some(state.profile().clone()),
            Found::Unknown | Found::Unreadable(_) => None,
        })
    }

    /// Whether the erasure under a tombstone has been carried out.
    ///
    /// # Errors
    /// The store is broken.
    pub fn is_erased(&self, tombstone: &[u8]) -> Result<bool, StoreError> {
        let stored = self.store.get(Table::Erased, tombstone)?;
        Ok(stored.is_some_and(|value| value.first() == Some(&ERASURE_DONE)))
    }

    /// One profile.
    ///
    /// # Errors
    /// The store is broken.
    pub fn profile(&self, id: &str) -> Result<Found<Shown>, StoreError> {
        Ok(self.state(id)?.map(|state| self.show(id, &state)))
    }

    pub(super) fn show(&self, id: &str, state: &ProfileState) -> Shown {
        let bundle = self.bundle_of(state);
        let mut totals = BTreeMap::new();
        add_totals(&bundle, &state.tiles(), &mut totals);
        let text = |text: &str| Value::string(text);
        let latches = state.latches().iter().map(|latch| {
            let key = latch.key.as_deref().map_or(Value::Null, text);
            object([("rule", text(&latch.rule)), ("key", key), ("at", text(&latch.at.to_string()))])
        });
        let value = object([
            ("profile", text(id)),
            ("version", Value::Number(state.version() as f64)),
            ("bundle_revision", Value::Number(bundle.revision as f64)),
            ("time", text(&state.time().to_string())),
            ("members", Value::Array(state.members().map(|member| text(&member.0)).collect())),
            ("events", Value::Number(state.events() as f64)),
            ("firings", Value::Number(state.firings() as f64)),
            ("traits", state.traits().to_object()),
            ("signals", named_totals(&bundle, &totals)),
            ("warming", warming_signals(bundle, state)),
            ("latches", Value::Array(latches.collect())),
        ]);
        let mut json = String::new();
        value.write(&mut json);
        Shown { version: state.version(), json }
    }
}
