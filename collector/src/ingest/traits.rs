//! Traits that whoever holds the secret key writes: an `attune.identify` in the log, as a login of the same traits is.

use super::batch::{MEMBER_ERASED, read_text};
use super::door::key_of;
use super::watch::Watch;
use super::{Ingest, IngestError, Moment};
use crate::log::{Batch, Origin};
use attune_core::id::{EventId, MemberId, uuid_v7, write_uuid};
use attune_core::limits::MAX_TRAIT_BYTES;
use attune_core::profile::{EventDocument, Traits};
use attune_core::time::Timestamp;
use attune_core::wire::{Event, EventDefaults, IDENTIFY, Record, encode_record};
use serde_json::{Map, Value, json};

/// Traits of somebody, ready to be written.
#[derive(Debug)]
pub struct TraitWrite {
    event: Event,
}

/// Why traits are not written: code and message.
#[derive(Debug, PartialEq, Eq)]
pub enum TraitError {
    /// They are not as traits have to be.
    Invalid(&'static str, String),
    /// The bundle's filter policy lets nothing of the kind in.
    Refused(&'static str, String),
    /// The member has been erased.
    Erased(&'static str, String),
}

impl TraitWrite {
    /// A write of traits of a member, and, where there is one, of its user, as of an instant; null takes a trait away.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn new(
        (member, user): (&MemberId, Option<&str>),
        traits: &Map<String, Value>,
        at: Timestamp,
        moment: Moment<'_>,
    ) -> Result<Self, TraitError> {
        if moment.erased.has(member) {
            return Err(TraitError::Erased(MEMBER_ERASED.0, MEMBER_ERASED.1.to_owned()));
        }
        let mut random = [0; 10];
        // Without a random source the time alone tells writes apart.
        let _ = getrandom::fill(&mut random);
        let mut event_id = String::new();
        write_uuid(uuid_v7(moment.now, &random), &mut event_id);
        let raw = json!({
            "event_id": event_id,
            "event_type": IDENTIFY,
            "timestamp": at.to_string(),
            "anonymous_id": member.0,
            "user_id": user,
            "metadata": {"traits": traits},
        });
        let read = read_text(&"the patch", &raw.to_string(), EventDefaults::default());
        let mut event = read
            .map_err(|(code, message)| TraitError::Invalid("patch_invalid", format!("{message} ({code})")))?;
        check(&event, traits)?;
        if let Some(guard) = moment.guard {
            guard.judge(&mut event).map_err(|reason| {
                let message = format!("the filter policy: {} ({})", reason.message(), reason.code());
                TraitError::Refused("policy_refused", message)
            })?;
        }
        Ok(Self { event })
    }

    /// The event by which they are written.
    pub const fn event_id(&self) -> EventId {
        self.event.event_id
    }
}

/// Every name is to have an effect: what is too large would have none, in silence.
fn check(event: &Event, traits: &Map<String, Value>) -> Result<(), TraitError> {
    let mut kept = Traits::default();
    kept.apply(&EventDocument::new(event.clone()));
    match traits.keys().find(|name| kept.written_by(name).is_none()) {
        None => Ok(()),
        Some(name) => {
            let shown: String = name.chars().take(100).collect();
            let message = format!(
                "traits.{shown}: a name and a value have at most {MAX_TRAIT_BYTES} bytes each, the value in binary form, and a patch at most 256 names"
            );
            Err(TraitError::Invalid("trait_too_large", message))
        }
    }
}

impl Ingest {
    /// Waits until everything that was handed to the log before is durable; returns where the log ends then.
    ///
    /// # Errors
    /// The log takes nothing.
    pub async fn barrier(&self) -> Result<u64, IngestError> {
        let submitted = self.log.submit(Batch::default()).map_err(IngestError::Log)?;
        Ok(submitted.durable().await.map_err(IngestError::Log)?.end)
    }

    /// Writes traits; returns where the log ends behind them once they are durable. With a watch they are written only where
    /// nothing about its names has been handed over since that began; nothing otherwise.
    ///
    /// # Errors
    /// The log could not take them.
    pub async fn write_traits(
        &self,
        write: &TraitWrite,
        watch: Option<&Watch<'_>>,
        received_at: Timestamp,
    ) -> Result<Option<u64>, IngestError> {
        if self.log.is_full() {
            return Err(IngestError::Log(crate::log::LogError::Full));
        }
        let mut batch = Batch::default();
        let key = key_of(&write.event, Origin::Sender);
        let record = Record::Event { event: write.event.clone(), received_at, proven: true, facts: None };
        batch.push(Some(key), |out| encode_record(&record, out));
        Ok(self.log_behind(batch, watch).await?.map(|appended| appended.end))
    }
}
