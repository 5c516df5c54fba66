//! What has become of one call of a firing, as it is kept.

use super::verdict::Trouble;
use crate::profile::{StoreError, delivery_key};
use attune_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// Which call: the order number of its firing, and its place among the actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId {
    /// The order number of the firing.
    pub firing: u64,
    /// The place among its actions, from 0.
    pub action: u16,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DeliveryState)]
pub enum State {
    /// It is called, or waits to be called again.
    Pending,
    /// It has been taken.
    Done,
    /// It is not called again by itself.
    Dead,
}

/// What is kept of a delivery: nothing of the visitor, so that it may outlive the firing by a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// `webhook` or `email`.
    pub kind: String,
    /// The destination's name, or the URL of one that has none.
    pub destination: String,
    /// Where it stands.
    pub state: State,
    /// Calls made since it began, or was begun again by hand.
    pub calls: u32,
    /// When that was, in milliseconds since 1970.
    pub since_ms: i64,
    /// When it is called next, or when it ended, in milliseconds since 1970.
    pub at_ms: i64,
    /// What went wrong last.
    pub error: Option<KeptTrouble>,
}

/// What went wrong, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptTrouble {
    /// Stable name.
    pub code: String,
    /// What happened, for people.
    pub message: String,
}

impl CallId {
    /// Its key in the store.
    pub fn key(self) -> Vec<u8> {
        delivery_key(&self.firing.to_be_bytes(), self.action)
    }

    /// The call of a text, as it is written.
    pub fn parse(text: &str) -> Option<Self> {
        let (firing, action) = text.split_at_checked(16)?;
        let firing = u64::from_str_radix(firing, 16).ok()?;
        let id = Self { firing, action: u16::from_str_radix(action, 16).ok()? };
        Some(id).filter(|id| id.to_string() == text)
    }

    /// Reads a key of the store.
    pub fn of_key(key: &[u8]) -> Option<Self> {
        let (firing, action) = key.split_first_chunk::<8>()?;
        let action = action.try_into().ok()?;
        Some(Self { firing: u64::from_be_bytes(*firing), action: u16::from_be_bytes(action) })
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:04x}", self.firing, self.action)
    }
}

impl State {
    /// The state of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Pending, Self::Done, Self::Dead].into_iter().find(|state| state.name() == name)
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }
}

impl Delivery {
    /// One that is to be called at once.
    pub fn new(kind: &str, destination: &str, now: Timestamp) -> Self {
        let (kind, destination) = (kind.to_owned(), destination.to_owned());
        Self {
            kind,
            destination,
            state: State::Pending,
            calls: 0,
            since_ms: now.0,
            at_ms: now.0,
            error: None,
        }
    }

    /// Ends it well.
    pub fn finish(&mut self, now: Timestamp) {
        (self.state, self.at_ms, self.error) = (State::Done, now.0, None);
    }

    /// Ends it badly.
    pub fn bury(&mut self, trouble: Trouble, now: Timestamp) {
        (self.state, self.at_ms, self.error) = (State::Dead, now.0, Some(trouble.into()));
    }

    /// Has it called again.
    pub fn postpone(&mut self, trouble: Trouble, until: Timestamp) {
        (self.state, self.at_ms, self.error) = (State::Pending, until.0, Some(trouble.into()));
    }

    /// As the store keeps it.
    pub fn encode(&self) -> Vec<u8> {
        // Texts and numbers always have a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what the store keeps.
    ///
    /// # Errors
    /// It is not of a form that this version reads.
    pub fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        serde_json::from_slice(bytes).map_err(|error| StoreError::damaged("delivery", &error))
    }
}

impl From<Trouble> for KeptTrouble {
    fn from(trouble: Trouble) -> Self {
        Self { code: trouble.code.to_owned(), message: trouble.message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_survives_its_bytes_and_its_key() {
        let mut delivery = Delivery::new("webhook", "crm", Timestamp(5));
        delivery.postpone(Trouble::new("status", "the answer was 503"), Timestamp(9));
        assert_eq!(Delivery::decode(&delivery.encode()).unwrap(), delivery);
        assert!(Delivery::decode(b"{}").is_err());
        let id = CallId { firing: 1 << 40, action: 3 };
        assert_eq!(CallId::of_key(&id.key()), Some(id));
        assert_eq!(CallId::parse(&id.to_string()), Some(id));
        assert_eq!(id.to_string(), "00000100000000000003");
        for text in ["", "1", "0000010000000000000", "0000010000000000+003", "0000010000000000000A", "ä"] {
            assert_eq!(CallId::parse(text), None, "{text}");
        }
        for key in [&b""[..], &[0; 8], &[0; 11]] {
            assert_eq!(CallId::of_key(key), None);
        }
    }
}
