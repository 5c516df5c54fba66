//! Raw counts of experiments and triggers: exposures by variation, out of what the log still has, and firings by trigger.

use super::{ExportError, Query};
use crate::limits::{
    EXPORT_SCAN_ENTRIES, MAX_COUNTED_MEMBERS, MAX_COUNTED_NAME_BYTES, MAX_COUNTED_VARIATIONS,
};
use crate::profile::Table;
use attune_core::id::MemberId;
use attune_core::profile::EventDocument;
use attune_core::time::Timestamp;
use attune_core::value::ValueRef;
use attune_core::wire::{EXPOSURE, Event, Record, decode_record};
use hashbrown::HashSet;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

/// Experiment, variation and bucket version.
type Variation = (String, String, u64);

/// Counts of one reading of the log.
#[derive(Debug, Default)]
struct Counts {
    rows: BTreeMap<Variation, Row>,
    /// Members by row, each pair by 64 bits of a keyed hash: about one of 2³² pairs of a row is taken for another.
    members: HashSet<u64>,
    hasher: RandomState,
    left_out: u64,
    are_members_whole: bool,
}

#[derive(Debug)]
struct Row {
    exposures: u64,
    members: u64,
    first_at: Timestamp,
    last_at: Timestamp,
}

impl Counts {
    fn note(&mut self, event: Event) {
        let (member, at) = (event.member.clone(), event.timestamp);
        let Some(variation) = variation_of(event) else { return self.left_out += 1 };
        // Whoever has a write key may say anything.
        if variation.0.len().max(variation.1.len()) > MAX_COUNTED_NAME_BYTES {
            return self.left_out += 1;
        }
        if !self.rows.contains_key(&variation) && self.rows.len() >= MAX_COUNTED_VARIATIONS {
            return self.left_out += 1;
        }
        let is_first = self.is_first(&variation, &member);
        let row =
            self.rows.entry(variation).or_insert(Row { exposures: 0, members: 0, first_at: at, last_at: at });
        row.exposures += 1;
        row.members += u64::from(is_first);
        (row.first_at, row.last_at) = (row.first_at.min(at), row.last_at.max(at));
    }

    fn is_first(&mut self, variation: &Variation, member: &MemberId) -> bool {
        let hash = self.hasher.hash_one((variation, &member.0));
        if self.members.len() >= MAX_COUNTED_MEMBERS {
            self.are_members_whole = false;
            return false;
        }
        self.members.insert(hash)
    }
}

impl Query {
    /// Counts, as JSON. `goes_on` is asked whether anybody waits for it.
    ///
    /// # Errors
    /// Why there are none.
    pub fn experiments(&self, goes_on: &dyn Fn() -> bool) -> Result<String, ExportError> {
        let end = self.log.end();
        let (mut reader, mut damaged, mut since) = (self.log.reader_beside(), 0, None);
        let mut counts = Counts { are_members_whole: true, ..Counts::default() };
        while reader.position() < end {
            if !goes_on() {
                return Err(ExportError::Left);
            }
            let Some(chunk) = self.log.read_beside(&mut reader).map_err(ExportError::Log)? else { break };
            damaged += reader.take_damaged().iter().map(|range| range.end - range.start).sum::<u64>();
            for frame in chunk.frames() {
                since = since.or(frame.received_at);
                // Most records are none, and need not be read for that.
                if memchr::memmem::find(frame.payload, EXPOSURE.as_bytes()).is_none() {
                    continue;
                }
                for record in frame.records().filter_map(|record| decode_record(record).ok()) {
                    if let Record::Event { event, .. } = record
                        && &*event.event_type == EXPOSURE
                    {
                        counts.note(event);
                    }
                }
            }
        }
        let rows = counts.rows.iter().map(|((experiment, variation, bucket_version), row)| {
            json!({
                "experiment": experiment,
                "variation": variation,
                "bucket_version": bucket_version,
                "exposures": row.exposures,
                "members": row.members,
                "first_at": row.first_at.to_string(),
                "last_at": row.last_at.to_string(),
            })
        });
        let firings = self.firings_by_rule()?;
        let json = json!({
            "since": since.map(|since| since.to_string()),
            "complete": damaged == 0 && counts.left_out == 0 && counts.are_members_whole,
            "left_out": counts.left_out,
            "damaged_log_bytes": damaged,
            "variations": rows.collect::<Vec<_>>(),
            "triggers": firings.iter().map(|(rule, count)| json!({"rule": rule, "firings": count})).collect::<Vec<_>>(),
        });
        Ok(json.to_string())
    }

    fn firings_by_rule(&self) -> Result<BTreeMap<String, u64>, ExportError> {
        let (mut counts, mut first) = (BTreeMap::new(), Vec::new());
        loop {
            let (mut seen, mut next) = (0, None);
            self.store.scan_from(Table::Firings, &first, &mut |key, value| {
                if seen == EXPORT_SCAN_ENTRIES {
                    next = Some(key.to_vec());
                    return false;
                }
                seen += 1;
                let firing: Value = serde_json::from_slice(value).unwrap_or_default();
                *counts.entry(firing["rule"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
                true
            })?;
            match next {
                Some(next) => first = next,
                None => return Ok(counts),
            }
        }
    }
}

/// What an exposure says; nothing where it says no such thing.
fn variation_of(event: Event) -> Option<Variation> {
    let document = EventDocument::new(event);
    let text = |name: &str| match document.metadata().field(name)? {
        ValueRef::Text(text) => Some(text.to_owned()),
        _ => None,
    };
    let bucket_version = match document.metadata().field("bucket_version") {
        Some(ValueRef::Number(number)) if number >= 0.0 => number as u64,
        _ => 0,
    };
    Some((text("experiment")?, text("variation")?, bucket_version))
}
