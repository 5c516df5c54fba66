//! Read-only questions about profiles and firings, answered from the committed state.

mod experiments;
mod export;
mod letters;
mod person;
mod warming;

use crate::bundle::{Published, Trial};
use crate::limits::SETTLE_TIMEOUT;
use crate::log::Log;
use crate::metrics::Metrics;
use crate::profile::{Store, Table};
use attune_core::bundle::{Bundle, is_in_share};
use attune_core::id::SignalId;
use attune_core::processor::ProfileState;
use attune_core::profile::{Tile, Tiles};
use attune_core::value::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use tokio::sync::watch;

pub use crate::author::{Checked, check_rules};
pub use crate::profile::{Letter, Page, StoreError};
pub use export::ExportError;
pub use letters::{LetterFilter, LetterPage};
pub use person::{Found, Shown, unproven};
use warming::warming_signals;

/// Answers questions.
#[derive(Debug)]
pub struct Query {
    /// Where states and firings are kept.
    pub store: Arc<dyn Store>,
    /// Whose end the state is to reach.
    pub log: Arc<Log>,
    /// The log position up to which the state is committed.
    pub committed: watch::Receiver<u64>,
    /// The bundle in effect, which names the signals.
    pub bundles: watch::Receiver<Option<Arc<Published>>>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl Query {
    /// Waits until everything that is in the log now is committed; says whether that came in time.
    pub async fn settle(&self) -> bool {
        self.settle_to(self.log.end()).await
    }

    /// Waits until the log is committed up to a position; says whether that came in time.
    pub async fn settle_to(&self, end: u64) -> bool {
        let mut committed = self.committed.clone();
        let reached = committed.wait_for(|position| *position >= end);
        matches!(tokio::time::timeout(SETTLE_TIMEOUT, reached).await, Ok(Ok(_)))
    }

    /// Whether nothing takes the log in any more.
    pub fn has_stopped(&self) -> bool {
        self.committed.has_changed().is_err()
    }

    /// Totals over all profiles as JSON.
    ///
    /// # Errors
    /// The store is broken.
    pub fn summary(&self) -> Result<String, StoreError> {
        let bundle = self.bundle();
        let (mut profiles, mut events, mut firings) = (0_u64, 0, 0_u64);
        let mut totals: BTreeMap<SignalId, Tile> = BTreeMap::new();
        self.store.scan(Table::Profiles, &mut |_, bytes| {
            if let Ok(state) = ProfileState::decode(bytes) {
                profiles += u64::from(!state.is_vacant());
                events += state.events();
                add_totals(&bundle, &state.tiles(), &mut totals);
            }
            true
        })?;
        self.store.scan(Table::Firings, &mut |_, _| {
            firings += 1;
            true
        })?;
        let mut out = format!("{{\"profiles\":{profiles},\"events\":{events},");
        let (accepted, duplicates) = (self.metrics.accepted.get(), self.metrics.duplicates.get());
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            "\"accepted\":{accepted},\"duplicates\":{duplicates},\"firings\":{firings},\"signals\":"
        );
        named_totals(&bundle, &totals).write(&mut out);
        out.push('}');
        Ok(out)
    }

    /// Firings as they are kept, in order: `limit` at most, behind the one of an order number.
    ///
    /// # Errors
    /// The store is broken.
    pub fn firings(&self, after: Option<u64>, limit: usize) -> Result<Page<u64>, StoreError> {
        let mut page = Page::new(limit);
        let first = after.map_or(Some(0), |after| after.checked_add(1));
        let Some(first) = first else { return Ok(page) };
        self.store.scan_from(Table::Firings, &first.to_be_bytes(), &mut |key, json| {
            let Ok(number) = key.try_into() else { return true };
            page.take(u64::from_be_bytes(number), &String::from_utf8_lossy(json))
        })?;
        Ok(page)
    }

    fn bundle(&self) -> Bundle {
        self.opened(|published| published.current().bytes())
    }

    /// The bundle by which a profile stands: the candidate where its member with the latest event is in the share.
    fn bundle_of(&self, state: &ProfileState) -> Bundle {
        self.opened(|published| {
            let is_in = |trial: &&Trial| {
                let latest = state.latest_member();
                latest.is_some_and(|member| is_in_share(&trial.seed, &member.0, trial.share))
            };
            let tried = published.trial().filter(is_in);
            tried.map_or(published.current(), |trial| &trial.kept.document).bytes()
        })
    }

    fn opened(&self, choose: impl FnOnce(&Published) -> &[u8]) -> Bundle {
        let published = self.bundles.borrow().clone();
        published.and_then(|published| Bundle::open(choose(&published)).ok()).unwrap_or_default()
    }
}

fn add_totals(bundle: &Bundle, parts: &[&Tiles], totals: &mut BTreeMap<SignalId, Tile>) {
    let mut ids: Vec<SignalId> = bundle.signals.iter().map(|signal| signal.id).collect();
    ids.dedup();
    for id in ids {
        for total in parts.iter().filter_map(|tiles| tiles.get(id)?.total()) {
            totals.entry(id).and_modify(|sum| sum.merge(&total)).or_insert(total);
        }
    }
}

/// Totals by name; the hidden signals of caps have no name of an author's and are left out.
fn named_totals(bundle: &Bundle, totals: &BTreeMap<SignalId, Tile>) -> Value {
    let signals = bundle.signals.iter().filter(|signal| !signal.name().starts_with("attune."));
    let named =
        signals.filter_map(|signal| Some((signal.name().into(), totals.get(&signal.id)?.value().to_tree())));
    Value::Object(named.collect())
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}
