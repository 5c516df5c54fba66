//! A collector without ports and files: batches in, receipts and views out.

use crate::Clock;
use attune_core::bundle::Bundle;
use attune_core::id::{MemberId, ProfileId, write_uuid};
use attune_core::processor::{Firing, Processor, ProfileState};
use attune_core::profile::{Absorbed, MemberState};
use attune_core::time::Timestamp;
use attune_core::wire::{Envelope, Event, Receipt, Record, ResultKind, ResultRow, parse_event};
use std::collections::{BTreeMap, BTreeSet};

/// The server's side of a simulation.
#[derive(Debug, Default)]
pub struct Collector {
    processor: Processor,
    members: BTreeMap<MemberId, MemberState>,
    profiles: BTreeMap<ProfileId, ProfileState>,
    /// Every firing so far, in order.
    pub firings: Vec<Firing>,
    /// Ids of the events that were taken in, each once.
    pub taken: BTreeSet<String>,
}

impl Collector {
    /// A collector with a bundle in effect.
    pub fn new(bundle: Bundle) -> Self {
        let mut collector = Self::default();
        collector.processor.set_bundle(bundle, Clock::new().now().wall);
        collector
    }

    /// Takes a batch in as the HTTP edge and the worker would; events whose metadata says `refused` are rejected.
    pub fn receive(&mut self, body: &str, at: Timestamp) -> Receipt {
        let mut receipt = Receipt::default();
        let Ok(envelope) = Envelope::parse(body) else { return receipt };
        for (index, raw) in envelope.events.iter().enumerate() {
            let Ok(event) = parse_event(raw, envelope.defaults()) else { continue };
            let mut id = String::new();
            write_uuid(event.event_id.0, &mut id);
            if event.metadata.as_deref().is_some_and(|metadata| metadata.contains("refused")) {
                receipt.results.push(ResultRow {
                    index: index as u64,
                    event_id: id.into(),
                    result: ResultKind::Rejected,
                    code: "refused".into(),
                    message: "this simulation refuses it".into(),
                });
                continue;
            }
            if self.take(event, at) {
                self.taken.insert(id);
                receipt.accepted += 1;
            } else {
                receipt.duplicates += 1;
            }
        }
        for void in envelope.void {
            let record = Record::Void { member: void.member, lane: void.lane, from: void.from, to: void.to };
            self.process(&record);
        }
        for closed in envelope.closed {
            let (member, lane, count) = (closed.member, closed.lane, closed.count);
            self.process(&Record::Close { member, lane, count, at });
        }
        receipt
    }

    /// What the stream would push to a member's page now.
    pub fn view(&self, member: &MemberId) -> Option<Vec<u8>> {
        let profile = self.members.get(member)?.profile();
        Some(self.processor.view(self.profiles.get(profile)?, member).encode())
    }

    fn take(&mut self, event: Event, received_at: Timestamp) -> bool {
        self.process(&Record::Event { event, received_at, proven: true, facts: None })
    }

    fn process(&mut self, record: &Record) -> bool {
        let member = match record {
            Record::Event { event, .. } => &event.member,
            Record::Void { member, .. } | Record::Close { member, .. } => member,
            _ => return false,
        };
        let state = self.members.entry(member.clone()).or_insert_with(|| MemberState::new(member.clone()));
        let Absorbed::Change(change) = self.processor.absorb(state, record) else { return false };
        let mut left = change.moved_from.as_ref().and_then(|from| self.profiles.remove(from));
        let profile = self.profiles.entry(change.profile.clone()).or_default();
        let outcome = self.processor.combine(profile, &change, left.as_mut());
        self.firings.extend(outcome.firings);
        if let (Some(from), Some(state)) = (change.moved_from, left) {
            self.profiles.insert(from, state);
        }
        true
    }
}
