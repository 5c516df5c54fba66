//! The outbox of firings: each kept once, under its id, in order.

use crate::profile::{Changes, Store, StoreError, Table};
use attune_core::id::write_uuid;
use attune_core::processor::{Cause, Firing};
use attune_core::value::Value;
use hashbrown::HashSet;
use serde_json::json;

/// Firings on their way into the store.
#[derive(Debug)]
pub struct Outbox {
    next: u64,
    pending_ids: HashSet<[u8; 16]>,
    pending: Vec<([u8; 16], String)>,
}

impl Outbox {
    /// An outbox that goes on numbering at `next`.
    pub fn new(next: u64) -> Self {
        Self { next, pending_ids: HashSet::new(), pending: Vec::new() }
    }

    /// Takes a firing in; says whether it is new.
    pub fn take(&mut self, store: &dyn Store, firing: &Firing) -> Result<bool, StoreError> {
        let id = firing.id.into_bytes();
        if self.pending_ids.contains(&id) || store.get(Table::FiringIds, &id)?.is_some() {
            return Ok(false);
        }
        self.pending_ids.insert(id);
        self.pending.push((id, firing_json(firing)));
        Ok(true)
    }

    /// Appends everything taken in since the last call.
    pub fn write_changes(&mut self, changes: &mut Changes) {
        if self.pending.is_empty() {
            return;
        }
        for (id, json) in self.pending.drain(..) {
            changes.put(Table::FiringIds, id, self.next.to_be_bytes());
            changes.put(Table::Firings, self.next.to_be_bytes(), json);
            self.next += 1;
        }
        self.pending_ids.clear();
        changes.put(Table::Progress, *b"firings", self.next.to_be_bytes());
    }
}

fn firing_json(firing: &Firing) -> String {
    let text = |id| {
        let mut out = String::new();
        write_uuid(id, &mut out);
        out
    };
    let cause = match firing.cause {
        Cause::Event(event_id) => json!({"event_id": text(event_id.0)}),
        Cause::Due(at) => json!({"due": at.to_string()}),
    };
    let mut actions = String::new();
    Value::Array(firing.actions.iter().map(|action| action.to_value()).collect()).write(&mut actions);
    let mut fields = json!({
        "id": text(firing.id),
        "rule": firing.rule,
        "profile": firing.profile.0,
        "member": firing.member.0,
        "key": firing.key,
        "at": firing.at.to_string(),
        "cause": cause,
        "bundle_revision": firing.revision,
        "actions": serde_json::from_str::<serde_json::Value>(&actions).unwrap_or_default(),
    });
    if firing.opted_out {
        fields["opted_out"] = json!(true);
    }
    fields.to_string()
}
