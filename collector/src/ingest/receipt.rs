//! The receipt of a batch, from what was refused while reading and what was not new at the door.

use super::batch::row;
use super::door::{LANE_CONFLICT, PAYLOAD_CONFLICT};
use crate::log::Verdict;
use crate::metrics::Metrics;
use attune_core::wire::{Receipt, ResultKind, ResultRow};

/// What became of a batch.
#[derive(Debug)]
pub struct Outcome {
    /// Indexes of the events that reached the log writer, in order.
    pub places: Vec<usize>,
    /// Rows of refused events and warnings.
    pub rows: Vec<ResultRow>,
    /// Entries that were not new.
    pub not_new: Vec<(usize, Verdict)>,
    /// How many entries stood before those of the events.
    pub entries_before: usize,
}

impl Outcome {
    /// Counts everything and lists what is not plainly accepted of the events as they were sent.
    pub fn settle(self, events: &[&str], metrics: &Metrics) -> Receipt {
        let Self { places, mut rows, not_new, entries_before } = self;
        let mut receipt = Receipt::default();
        for (entry, verdict) in &not_new {
            let place = places.get(*entry - entries_before);
            let told = |index: usize, result, (code, message): (&str, &str)| {
                let raw = events.get(index).copied().unwrap_or_default();
                row(index, raw, result, code, message.to_owned())
            };
            match (verdict, place) {
                (Verdict::LaneConflict, Some(index)) => {
                    rows.retain(|row| row.index != *index as u64);
                    rows.push(told(*index, ResultKind::Rejected, LANE_CONFLICT));
                }
                (Verdict::PayloadConflict, Some(index)) => {
                    receipt.duplicates += 1;
                    metrics.payload_conflicts.add(1);
                    rows.push(told(*index, ResultKind::Warning, PAYLOAD_CONFLICT));
                }
                _ => receipt.duplicates += 1,
            }
        }
        for row in rows.iter().filter(|row| row.result == ResultKind::Rejected) {
            metrics.rejected.add(&row.code, 1);
        }
        receipt.accepted = (places.len() - not_new.len()) as u64;
        rows.sort_by_key(|row| row.index);
        receipt.results = rows;
        metrics.accepted.add(receipt.accepted);
        metrics.duplicates.add(receipt.duplicates);
        receipt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_lists_what_is_not_plainly_accepted() {
        let events = [r#"{"event_id":"a"}"#, "", "", "", r#"{"event_id":"b"}"#];
        let not_new =
            vec![(1, Verdict::PayloadConflict), (2, Verdict::Duplicate), (3, Verdict::LaneConflict)];
        let outcome = Outcome { places: vec![0, 2, 4, 5], rows: Vec::new(), not_new, entries_before: 1 };
        let metrics = Metrics::default();
        let receipt = outcome.settle(&events, &metrics);
        assert_eq!((receipt.accepted, receipt.duplicates), (1, 2));
        let rows: Vec<_> =
            receipt.results.iter().map(|row| (row.index, &*row.event_id, row.result, &*row.code)).collect();
        let conflicts = [
            (0, "a", ResultKind::Warning, "payload_conflict"),
            (4, "b", ResultKind::Rejected, "lane_conflict"),
        ];
        assert_eq!((rows, metrics.payload_conflicts.get()), (conflicts.to_vec(), 1));
    }
}
