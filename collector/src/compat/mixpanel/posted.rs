//! The records of a request to Mixpanel's ingestion, each read alone.

use super::record;
use crate::compat::json::{Fields, fields, text};
use crate::compat::{Arrived, PostedError, Problem, Translated, Translation};
use attune_core::limits::MAX_EVENT_BYTES;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What a path takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Events.
    Events,
    /// Changes of profiles.
    Profiles,
}

/// Records as they arrived.
#[derive(Debug)]
pub struct Posted<'a> {
    takes: Takes,
    records: Vec<&'a str>,
}

impl<'a> Posted<'a> {
    /// Reads one record or a list of them.
    ///
    /// # Errors
    /// Says what keeps them as a whole from being read.
    pub fn parse(json: &'a str, takes: Takes) -> Result<Self, PostedError> {
        let unreadable = |error: serde_json::Error| PostedError::Unreadable(error.to_string());
        let records = if json.trim_start().starts_with('[') {
            let records: Vec<&'a RawValue> = serde_json::from_str(json).map_err(unreadable)?;
            records.into_iter().map(RawValue::get).collect()
        } else {
            vec![serde_json::from_str::<&'a RawValue>(json).map_err(unreadable)?.get()]
        };
        Ok(Self { takes, records })
    }

    /// Each record as text.
    pub fn records(&self) -> &[&'a str] {
        &self.records
    }

    /// The write key that the first record with one names.
    pub fn write_key(&self) -> Option<Cow<'a, str>> {
        self.records.iter().find_map(|raw| self.token(&serde_json::from_str(raw).ok()?))
    }

    /// Puts every record into our form, each alone; where a key is given, those that name another are refused.
    pub fn translate(&self, arrived: Arrived<'a>, key: Option<&str>) -> Translation<'a> {
        let mut translation = Translation::default();
        for (index, raw) in self.records.iter().enumerate() {
            match self.translate_one(raw, key, arrived, index) {
                Ok(translated) => translation.take(translated),
                Err((message_id, problem)) => translation.refuse(index, message_id, problem),
            }
        }
        translation
    }

    fn translate_one(
        &self,
        raw: &'a str,
        key: Option<&str>,
        arrived: Arrived<'_>,
        index: usize,
    ) -> Result<Translated<'a>, (String, Problem)> {
        let nameless = |problem| (String::new(), problem);
        if raw.len() > MAX_EVENT_BYTES {
            let message = format!("the record is {} bytes; the limit is {MAX_EVENT_BYTES}", raw.len());
            return Err(nameless(("event_too_large", message)));
        }
        if !raw.starts_with('{') {
            return Err(nameless(("event_not_an_object", "a record is a JSON object".to_owned())));
        }
        let record: Fields<'a> =
            serde_json::from_str(raw).map_err(|error| nameless(("event_unreadable", error.to_string())))?;
        if key.is_some_and(|key| self.token(&record).as_deref() != Some(key)) {
            let message = "token is missing or another than that of the first record with one".to_owned();
            return Err(nameless(("write_key_mixed", message)));
        }
        let around = record::Around { raw, now: arrived.now, request: arrived.request, index };
        match self.takes {
            Takes::Events => record::event(&record, &around),
            Takes::Profiles => record::profile(&record, &around).map_err(nameless),
        }
    }

    fn token(&self, record: &Fields<'a>) -> Option<Cow<'a, str>> {
        match self.takes {
            Takes::Events => text(fields(record.get("properties").copied())?.get("token").copied()),
            Takes::Profiles => text(record.get("$token").copied()),
        }
    }
}
