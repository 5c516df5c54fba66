//! The issuer: numbers and signs what is published, keeps it, puts candidates on trial, hands all of it out.

use super::held::Held;
use super::history::History;
use super::orders::{Done, Order, OrderError};
use super::published::{Kept, Published, Trial, percent};
use super::signer::Signer;
use super::statements::Statements;
use super::trial::{TrialRecord, TrialSettings};
use super::watched::Watched;
use crate::clock;
use crate::content::Document;
use crate::log::{Batch, Log};
use crate::metrics::Metrics;
use crate::whole_file;
use attune_core::bundle::{Header, open_envelope, settle_body};
use attune_core::time::Timestamp;
use attune_core::wire::{Record, encode_record};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::sync::watch;

/// The bundle in effect, in the folder of bundles.
pub const CURRENT_BUNDLE: &str = "current.bundle";
const SOURCES: &str = "sources.json";
const HISTORY: &str = "kept";
const HELD: &str = "held";
const TRIAL: &str = "trial.json";
const TRIAL_SOURCES: &str = "trial-sources.json";

/// What the publisher works with.
#[derive(Debug)]
pub struct PublisherParts {
    /// Folder that keeps the bundle in effect, those before it and the sound texts of its sources.
    pub data: PathBuf,
    /// Folder of rule files, if there is one.
    pub rules: Option<PathBuf>,
    /// What a share of all units tries.
    pub trial: Option<TrialSettings>,
    /// Signs envelopes and statements.
    pub signer: Arc<Signer>,
    /// For how long envelopes are signed, in milliseconds; absent for without end.
    pub bundle_valid_ms: Option<i64>,
    /// For how long statements are signed, in milliseconds.
    pub statement_valid_ms: i64,
    /// Where activations go.
    pub log: Arc<Log>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// Publishes what the folders amount to.
#[derive(Debug)]
pub struct Issuer {
    parts: PublisherParts,
    rules: Option<Watched>,
    tried: Option<Watched>,
    history: History,
    held: Held,
    /// The bundle in effect.
    current: Option<Arc<Kept>>,
    /// The bundle on trial.
    trial: Option<Trial>,
    /// What the folder of the trial amounts to.
    tried_body: Option<Vec<u8>>,
    /// What pages may have been told of a trial.
    record: Option<TrialRecord>,
    sender: watch::Sender<Option<Arc<Published>>>,
    statements: Statements,
    /// What the log says is active, since this process began: the revision in effect, and what is on trial.
    logged: Option<(u64, Option<TrialRecord>)>,
}

impl Issuer {
    /// Publishes what was in effect before this process, then what the folders hold now.
    ///
    /// # Errors
    /// A folder or file that cannot be read or written, named in the text.
    pub fn start(parts: PublisherParts, now: Timestamp) -> io::Result<Self> {
        fs::create_dir_all(&parts.data)?;
        let (history, left_out) = History::open(parts.data.join(HISTORY))?;
        for what in left_out {
            parts.metrics.bundle_errors.add(1);
            tracing::error!("{what}; pages that have it get the whole bundle");
        }
        let watched = |folder: PathBuf, sound: &str| {
            Watched::open(folder, parts.data.join(sound), parts.metrics.clone())
        };
        let rules = parts.rules.clone().map(|folder| watched(folder, SOURCES)).transpose()?;
        let tried = parts.trial.clone().map(|trial| watched(trial.folder, TRIAL_SOURCES)).transpose()?;
        let record = TrialRecord::read(&parts.data.join(TRIAL))?;
        let statements = Statements::new(parts.statement_valid_ms);
        let held = Held::open(parts.data.join(HELD))?;
        let mut issuer = Self {
            parts,
            rules,
            tried,
            history,
            held,
            current: None,
            trial: None,
            tried_body: None,
            record,
            sender: watch::Sender::new(None),
            statements,
            logged: None,
        };
        issuer.begin(now)?;
        Ok(issuer)
    }

    /// The bundle in effect, now and later.
    pub fn bundles(&self) -> watch::Receiver<Option<Arc<Published>>> {
        self.sender.subscribe()
    }

    /// The signed statement of which bundle that is, now and later.
    pub fn statements(&self) -> watch::Receiver<Option<Arc<Document>>> {
        self.statements.subscribe()
    }

    /// Publishes what has changed in the folders, and renews what is half over.
    ///
    /// # Errors
    /// What could not be read or written, named in the text; the bundle in effect stays.
    pub fn look(&mut self, now: Timestamp) -> io::Result<()> {
        self.renew(now)?;
        if let Some(body) = self.rules.as_mut().map_or(Ok(None), Watched::load_change)? {
            self.publish_folder(&body, now)?;
        }
        if self.tried.as_mut().map_or(Ok(false), Watched::has_changed)? {
            self.load_tried()?;
            self.settle_trial(now)?;
        }
        self.activate()
    }

    /// Whether the rules folder does not count until it changes, now and later.
    pub fn overruled(&self) -> Arc<AtomicBool> {
        self.held.shown()
    }

    /// Puts into effect what is asked for by request; durable when this returns. The folder does not count from then on, until
    /// it changes.
    ///
    /// # Errors
    /// Why it is not in effect. Where the log has refused, it may be from the next look on.
    pub fn carry_out(&mut self, order: Order, now: Timestamp) -> Result<Done, OrderError> {
        let body = match order {
            Order::Publish(body) => body,
            Order::Activate(revision) => {
                let kept = self.history.of_revision(revision).ok_or(OrderError::Unknown(revision))?;
                let opened = open_envelope(kept.document.bytes()).map_err(io::Error::other);
                opened.map_err(OrderError::Disk)?.body.to_vec()
            }
        };
        let before = self.current.as_ref().map(|current| current.revision);
        // Held first: a crash in between leaves what was in effect before.
        self.overrule().and_then(|()| self.publish_change(&body, now)).map_err(OrderError::Disk)?;
        self.activate().map_err(OrderError::Disk)?;
        let current = self.current.as_ref().ok_or(OrderError::Ended)?;
        let is_new = before != Some(current.revision);
        Ok(Done { revision: current.revision, hash: current.document.hash, is_new })
    }

    fn overrule(&mut self) -> io::Result<()> {
        self.rules.as_ref().map_or(Ok(()), |rules| self.held.hold(rules.texts()))
    }

    /// Publishes what the folder amounts to, where it counts.
    fn publish_folder(&mut self, body: &[u8], now: Timestamp) -> io::Result<()> {
        let Some(rules) = &self.rules else { return Ok(()) };
        if self.held.lets(rules.texts())? {
            return self.publish_change(body, now);
        }
        tracing::info!(
            "the rules folder says what it said when another bundle was put into effect; it counts once it changes"
        );
        Ok(())
    }

    fn begin(&mut self, now: Timestamp) -> io::Result<()> {
        self.restore()?;
        self.load_tried()?;
        if let Some(body) = self.rules.as_mut().map(Watched::load).transpose()? {
            self.publish_folder(&body, now)?;
        }
        self.renew(now)?;
        self.settle_trial(now)?;
        self.activate()
    }

    /// Loads what is to be tried; what cannot be leaves what has been so far.
    fn load_tried(&mut self) -> io::Result<()> {
        if let Some(body) = self.tried.as_mut().map_or(Ok(None), Watched::load_whole)? {
            self.tried_body = Some(body);
        }
        Ok(())
    }

    /// Takes the bundle that was in effect before this process into effect.
    fn restore(&mut self) -> io::Result<()> {
        let path = self.parts.data.join(CURRENT_BUNDLE);
        let Some(bytes) = whole_file::read(&path)? else { return Ok(()) };
        let opened = open_envelope(&bytes).map(|envelope| envelope.header.revision);
        let revision = opened.map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
        self.take(revision, bytes);
        // The one that was on trial with it goes on, if it is still to be tried.
        let tried = self.record.as_ref().zip(self.parts.trial.as_ref());
        self.trial = tried.and_then(|(record, settings)| {
            let kept = self.history.of_revision(record.revision)?.clone();
            Some(Trial { kept, share: settings.share, seed: record.seed.clone() })
        });
        Ok(())
    }

    /// Publishes what was loaded, if it says something new.
    fn publish_change(&mut self, loaded: &[u8], now: Timestamp) -> io::Result<()> {
        let body = self.settled(loaded);
        if self.current_body() == Some(&body) { Ok(()) } else { self.publish(&body, now) }
    }

    /// With the numbers of the bundle in effect, what is equal in both is written alike, and the delta is small.
    fn settled(&self, body: &[u8]) -> Vec<u8> {
        let before = self.current_body();
        before.and_then(|before| settle_body(body, before).ok()).unwrap_or_else(|| body.to_vec())
    }

    fn current_body(&self) -> Option<&[u8]> {
        let current = self.current.as_ref()?;
        open_envelope(current.document.bytes()).ok().map(|envelope| envelope.body)
    }

    /// Signs what is in effect or on trial again where its signature is another's or its time is half over, and the
    /// statement likewise.
    fn renew(&mut self, now: Timestamp) -> io::Result<()> {
        if self.current.as_ref().is_some_and(|current| self.is_stale(current, now)) {
            return self.publish_again(now);
        }
        if self.trial.as_ref().is_some_and(|trial| self.is_stale(&trial.kept, now)) {
            return self.settle_trial(now);
        }
        if self.statements.is_due(now) {
            self.issue_statement(now);
        }
        Ok(())
    }

    fn is_stale(&self, kept: &Kept, now: Timestamp) -> bool {
        let stale = |header: &Header<'_>| {
            let is_half_over = match (header.expires, self.parts.bundle_valid_ms) {
                (Some(end), Some(valid_ms)) => end.0.saturating_sub(now.0) < valid_ms / 2,
                (end, valid_ms) => end.is_some() != valid_ms.is_some(),
            };
            is_half_over || !self.parts.signer.is_of(header)
        };
        open_envelope(kept.document.bytes()).is_ok_and(|envelope| stale(&envelope.header))
    }

    /// Publishes the rules in effect under the next revision.
    fn publish_again(&mut self, now: Timestamp) -> io::Result<()> {
        match self.current_body().map(<[u8]>::to_vec) {
            Some(body) => self.publish(&body, now),
            None => Ok(()),
        }
    }

    /// Publishes a body under the next revision, and what is on trial above it.
    fn publish(&mut self, body: &[u8], now: Timestamp) -> io::Result<()> {
        let revision = self.next_revision();
        let envelope = self.sealed(revision, body, now);
        whole_file::write(&self.parts.data.join(CURRENT_BUNDLE), &envelope)?;
        tracing::info!(revision, bytes = envelope.len(), "published a bundle");
        self.take(revision, envelope);
        if let Err(error) = self.put_on_trial(now) {
            self.parts.metrics.bundle_errors.add(1);
            tracing::error!(%error, "nothing is on trial");
        }
        self.hand_out(now);
        Ok(())
    }

    fn next_revision(&self) -> u64 {
        let told = self.record.as_ref().map(|record| record.revision);
        let known = self.history.kept().iter().map(|kept| kept.revision);
        known.chain(self.current.as_ref().map(|kept| kept.revision)).chain(told).max().unwrap_or(0) + 1
    }

    fn sealed(&self, revision: u64, body: &[u8], now: Timestamp) -> Vec<u8> {
        let parent = self.current.as_ref().map(|current| current.document.hash);
        let expires = self.parts.bundle_valid_ms.map(|ms| now.plus(ms));
        self.parts.signer.envelope(revision, parent, expires, body)
    }

    fn take(&mut self, revision: u64, envelope: Vec<u8>) {
        let current = Arc::new(Kept { revision, document: Document::compressed(envelope) });
        self.current = Some(current.clone());
        self.keep(&current);
        self.parts.metrics.bundle_revision.set(revision);
    }

    fn keep(&mut self, new: &Arc<Kept>) {
        let on_trial = self.record.as_ref().map(|record| record.revision);
        let current = self.current.as_ref().map(|current| current.revision);
        let in_use: Vec<u64> = current.into_iter().chain(on_trial).chain([new.revision]).collect();
        if let Err(error) = self.history.keep(new, &in_use) {
            self.parts.metrics.bundle_errors.add(1);
            let revision = new.revision;
            tracing::error!(%error, revision, "this bundle is not kept; pages that have it will get later ones whole");
        }
    }

    /// Brings the trial to what its folder and settings say. Units that leave it get the rules in effect under a
    /// revision above the one that they tried, since no page goes back.
    fn settle_trial(&mut self, now: Timestamp) -> io::Result<()> {
        let Some(current) = self.current.as_ref().map(|current| current.revision) else { return Ok(()) };
        let told = self.record.clone().filter(|record| record.revision > current);
        let share = self.parts.trial.as_ref().map(|settings| settings.share);
        if told.as_ref().is_some_and(|told| share.is_none_or(|share| share < told.share)) {
            self.publish_again(now)?;
        } else {
            self.put_on_trial(now)?;
            match (&self.trial, told) {
                (None, Some(_)) => self.publish_again(now)?,
                _ => self.hand_out(now),
            }
        }
        if share.is_none() && self.record.take().is_some() {
            tracing::info!("the trial is over");
            TrialRecord::remove(&self.parts.data.join(TRIAL))?;
        }
        Ok(())
    }

    /// Signs what is to be tried, above the bundle in effect, and records it before any page is told of it.
    fn put_on_trial(&mut self, now: Timestamp) -> io::Result<()> {
        let before = self.trial.take();
        let Some((body, share)) = self.other_trial() else { return Ok(()) };
        let place = || format!("{}/{}", self.parts.signer.project, self.parts.signer.environment);
        let seed = self.record.as_ref().map(|record| record.seed.clone());
        let seed = seed.unwrap_or_else(|| format!("{}/{}", place(), self.next_revision()));
        let kept = match before.filter(|trial| self.still_says(&trial.kept, &body, now)) {
            Some(trial) => trial.kept,
            None => {
                let revision = self.next_revision();
                let document = Document::compressed(self.sealed(revision, &body, now));
                tracing::info!(revision, percent = percent(share), "put a bundle on trial");
                Arc::new(Kept { revision, document })
            }
        };
        let trial = Trial { kept: kept.clone(), share, seed };
        let record = trial.record();
        if self.record.as_ref() != Some(&record) {
            let before = self.record.as_ref().filter(|before| before.revision == record.revision);
            if let Some(TrialRecord { revision, share, .. }) = before {
                let (from, to) = (percent(*share), percent(record.share));
                tracing::info!(revision, from, to, "the share of the bundle on trial grows");
            }
            record.write(&self.parts.data.join(TRIAL))?;
            self.record = Some(record);
        }
        self.keep(&kept);
        self.trial = Some(trial);
        Ok(())
    }

    /// What is to be tried, where it says something else than the bundle in effect.
    fn other_trial(&self) -> Option<(Vec<u8>, u32)> {
        let (settings, body) = (self.parts.trial.as_ref()?, self.tried_body.as_ref()?);
        let (body, current) = (self.settled(body), self.current_body()?);
        if body == current {
            tracing::info!("what is to be tried is in effect already");
            return None;
        }
        Some((body, settings.share))
    }

    fn still_says(&self, kept: &Kept, body: &[u8], now: Timestamp) -> bool {
        let current = self.current.as_ref();
        let parent = current.map(|current| current.document.hash);
        let is_above = current.is_some_and(|current| kept.revision > current.revision);
        let opened = open_envelope(kept.document.bytes());
        is_above
            && opened.is_ok_and(|envelope| envelope.body == body && envelope.header.parent == parent)
            && !self.is_stale(kept, now)
    }

    fn hand_out(&mut self, now: Timestamp) {
        let Some(current) = self.current.clone() else { return };
        let (revision, share) =
            self.trial.as_ref().map_or((0, 0), |trial| (trial.kept.revision, trial.share));
        self.parts.metrics.candidate_revision.set(revision);
        self.parts.metrics.candidate_share.set(u64::from(share));
        let published = Published::new(current, self.trial.clone(), self.history.kept().to_vec());
        published.seek_first();
        // Handed out before it is stated and logged, so that a page that is told of it finds it.
        self.sender.send_replace(Some(Arc::new(published)));
        self.issue_statement(now);
    }

    fn issue_statement(&mut self, now: Timestamp) {
        let published = self.sender.borrow().clone();
        if let Some(published) = published {
            self.statements.issue(&self.parts.signer, &published, now);
        }
    }

    /// Logs which bundles are active where the log does not say so yet: the worker follows it as pages follow the statement.
    /// Activating again what is active changes nothing.
    fn activate(&mut self) -> io::Result<()> {
        let Some(current) = self.current.clone() else { return Ok(()) };
        let active = (current.revision, self.trial.as_ref().map(Trial::record));
        if self.logged.as_ref() == Some(&active) {
            return Ok(());
        }
        let (at, mut batch) = (clock::now(), Batch::default());
        let mut log = |record: Record| batch.push(None, |out| encode_record(&record, out));
        if self.logged.as_ref().is_none_or(|(revision, _)| *revision != current.revision) {
            let bytes = current.document.bytes()[..].into();
            log(Record::Bundle { revision: current.revision, at, bytes });
        }
        log(Record::Rollout { at, candidate: self.trial.as_ref().map(Trial::logged) });
        self.parts.log.append_blocking(batch).map_err(io::Error::other)?;
        self.logged = Some(active);
        Ok(())
    }
}
