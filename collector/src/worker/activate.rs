//! Putting bundles into effect where the log says so: for everybody, or for a share of all members.

use super::{Worker, WorkerError};
use crate::profile::{Changes, Table};
use attune_core::bundle::Bundle;
use attune_core::processor::Rollout;
use attune_core::time::Timestamp;
use attune_core::wire::{LoggedCandidate, Record, decode_record, encode_record};

/// What the records of the active bundles are kept as.
const BUNDLE: &str = "bundle";
const ROLLOUT: &str = "rollout";
/// What the times of publication are kept as.
const PUBLISHED: &str = "published";

impl Worker<'_> {
    /// Puts into effect what was so at the last commit.
    pub(super) fn restore_bundles(&mut self) -> Result<(), WorkerError> {
        for name in [BUNDLE, ROLLOUT] {
            if let Some(bytes) = self.parts.store.get(Table::Progress, name.as_bytes())? {
                let record = decode_record(&bytes).map_err(|_| WorkerError::Damaged("bundle record"))?;
                self.activate(&record)?;
            }
        }
        self.activations.clear();
        if let Some(bytes) = self.parts.store.get(Table::Progress, PUBLISHED.as_bytes())? {
            let restored = self.processor.restore_published(&bytes);
            restored.map_err(|_| WorkerError::Damaged("record of publications"))?;
        }
        Ok(())
    }

    /// Takes a logged activation in; what is in effect already stays as it is.
    pub(super) fn activate(&mut self, record: &Record) -> Result<(), WorkerError> {
        match record {
            Record::Bundle { revision, at, bytes } => {
                if *revision != self.processor.bundle().revision
                    && let Some(bundle) = opened(*revision, bytes)
                {
                    self.take_up(bundle, |worker, bundle| worker.processor.set_bundle(bundle, *at))?;
                    self.note(BUNDLE, record);
                }
            }
            Record::Rollout { at, candidate } => self.roll_out(record, candidate.as_ref(), *at)?,
            _ => {}
        }
        let candidate = self.processor.rollout_terms().map(|(revision, ..)| revision);
        self.parts.hub.publish_bundle(self.processor.bundle().revision.max(candidate.unwrap_or_default()));
        Ok(())
    }

    fn roll_out(
        &mut self,
        record: &Record,
        candidate: Option<&LoggedCandidate>,
        at: Timestamp,
    ) -> Result<(), WorkerError> {
        let terms =
            candidate.map(|LoggedCandidate { revision, share, seed, .. }| (*revision, *share, &**seed));
        if self.processor.rollout_terms() == terms {
            return Ok(());
        }
        match candidate {
            Some(LoggedCandidate { revision, share, seed, bytes }) => {
                let Some(bundle) = opened(*revision, bytes) else { return Ok(()) };
                let (share, seed) = (*share, seed.clone());
                self.take_up(bundle, move |worker, bundle| {
                    worker.processor.set_rollout(Some(Rollout { bundle, share, seed }), at);
                })?;
            }
            None => self.processor.set_rollout(None, at),
        }
        self.note(ROLLOUT, record);
        Ok(())
    }

    /// Puts a bundle into effect, with the past of its signals that ask for it.
    fn take_up(&mut self, bundle: Bundle, put: impl FnOnce(&mut Self, Bundle)) -> Result<(), WorkerError> {
        let (asking, revision) = (self.asking_for_the_past(&bundle), bundle.revision);
        if !asking.is_empty() {
            self.commit()?;
        }
        put(self, bundle);
        if !asking.is_empty() {
            self.backfill(&asking, revision)?;
        }
        Ok(())
    }

    fn note(&mut self, name: &'static str, record: &Record) {
        let mut encoded = Vec::new();
        encode_record(record, &mut encoded);
        self.activations.insert(name, encoded);
    }

    /// Appends what has been put into effect since the last call.
    pub(super) fn write_activations(&mut self, changes: &mut Changes) {
        if !self.activations.is_empty() {
            changes.put(Table::Progress, PUBLISHED, self.processor.encode_published());
        }
        for (name, record) in std::mem::take(&mut self.activations) {
            changes.put(Table::Progress, name, record);
        }
    }
}

fn opened(revision: u64, bytes: &[u8]) -> Option<Bundle> {
    let opened = Bundle::open(bytes);
    if let Err(error) = &opened {
        tracing::error!(%error, revision, "a logged bundle cannot be read and is passed over");
    }
    opened.ok()
}
