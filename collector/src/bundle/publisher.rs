//! Publishing: numbers and signs what the rules folder amounts to, keeps it, logs its activation, hands it out.

use super::folder::{Loaded, RulesFolder};
use super::history::History;
use super::published::{Kept, Published};
use super::signer::Signer;
use super::statements::Statements;
use crate::bell::Bell;
use crate::clock;
use crate::content::Document;
use crate::limits::RULES_POLL;
use crate::log::{Batch, Log};
use crate::metrics::Metrics;
use crate::whole_file::{self, named};
use attune_core::bundle::author::Severity;
use attune_core::bundle::{Header, open_envelope, settle_body};
use attune_core::time::Timestamp;
use attune_core::wire::{Record, encode_record};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use tokio::sync::watch;

const CURRENT: &str = "current.bundle";
const SOURCES: &str = "sources.json";
const HISTORY: &str = "kept";

/// What the publisher works with.
#[derive(Debug)]
pub struct PublisherParts {
    /// Folder that keeps the bundle in effect, those before it and the sound texts of its sources.
    pub data: PathBuf,
    /// Folder of rule files, if there is one.
    pub rules: Option<PathBuf>,
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

/// The running publisher.
#[derive(Debug)]
pub struct Publisher {
    bundles: watch::Receiver<Option<Arc<Published>>>,
    statements: watch::Receiver<Option<Arc<Document>>>,
    stop: Arc<(AtomicBool, Bell)>,
    thread: Option<JoinHandle<()>>,
}

impl Publisher {
    /// Publishes what the folder holds now, then watches it.
    ///
    /// # Errors
    /// A folder or file that cannot be read or written, named in the text.
    pub fn start(parts: PublisherParts) -> io::Result<Self> {
        fs::create_dir_all(&parts.data)?;
        let sound = whole_file::read(&parts.data.join(SOURCES))?
            .and_then(|bytes| serde_json::from_slice::<BTreeMap<String, String>>(&bytes).ok());
        let folder = parts.rules.clone().map(|path| RulesFolder::new(path, sound.unwrap_or_default()));
        let (history, left_out) = History::open(parts.data.join(HISTORY))?;
        for what in left_out {
            parts.metrics.bundle_errors.add(1);
            tracing::error!("{what}; pages that have it get the whole bundle");
        }
        let (sender, bundles) = watch::channel(None);
        let statements = Statements::new(parts.statement_valid_ms);
        let told_of = statements.subscribe();
        let mut watching = Watching { parts, folder, history, sender, statements, unlogged: false };
        watching.restore()?;
        if let Some(folder) = &mut watching.folder {
            let loaded = folder.load().map_err(|error| named(folder.path(), &error))?;
            watching.publish_loaded(&loaded)?;
        }
        watching.renew(clock::now())?;
        watching.activate()?;
        let stop = Arc::new((AtomicBool::new(false), Bell::default()));
        let stopping = stop.clone();
        let thread =
            std::thread::Builder::new().name("rules".into()).spawn(move || watching.watch(&stopping))?;
        Ok(Self { bundles, statements: told_of, stop, thread: Some(thread) })
    }

    /// The bundle in effect, now and later.
    pub fn bundles(&self) -> watch::Receiver<Option<Arc<Published>>> {
        self.bundles.clone()
    }

    /// The signed statement of which bundle that is, now and later.
    pub fn statements(&self) -> watch::Receiver<Option<Arc<Document>>> {
        self.statements.clone()
    }

    /// Ends the watching.
    pub fn stop(mut self) {
        self.stop.0.store(true, Ordering::Relaxed);
        self.stop.1.ring();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the watcher of the rules folder had ended early");
        }
    }
}

struct Watching {
    parts: PublisherParts,
    folder: Option<RulesFolder>,
    history: History,
    sender: watch::Sender<Option<Arc<Published>>>,
    statements: Statements,
    /// Whether the activation of the bundle in effect still has to be logged.
    unlogged: bool,
}

impl Watching {
    fn watch(&mut self, stop: &(AtomicBool, Bell)) {
        let mut told = String::new();
        while !stop.0.load(Ordering::Relaxed) {
            // Deltas from older bundles are sought one at a time, so that an edit never waits for all of them.
            let published = self.published();
            if !published.is_some_and(|published| published.seek_delta()) {
                stop.1.wait(RULES_POLL);
            }
            match self.look(clock::now()) {
                Ok(()) => told.clear(),
                Err(error) => {
                    // The same trouble is told once, not five times a second.
                    let text = error.to_string();
                    if told != text {
                        self.parts.metrics.bundle_errors.add(1);
                        tracing::error!(error = %text, "nothing can be published; the bundle in effect stays");
                        told = text;
                    }
                }
            }
        }
    }

    fn look(&mut self, now: Timestamp) -> io::Result<()> {
        self.renew(now)?;
        if let Some(folder) = &mut self.folder
            && folder.has_settled_change().map_err(|error| named(folder.path(), &error))?
        {
            let loaded = folder.load()?;
            self.publish_loaded(&loaded)?;
        }
        self.activate()
    }

    fn published(&self) -> Option<Arc<Published>> {
        self.sender.borrow().clone()
    }

    /// Takes the bundle that was in effect before this process into effect.
    fn restore(&mut self) -> io::Result<()> {
        let path = self.parts.data.join(CURRENT);
        let Some(bytes) = whole_file::read(&path)? else { return Ok(()) };
        match open_envelope(&bytes) {
            Ok(envelope) => {
                self.hand_out(envelope.header.revision, bytes);
                Ok(())
            }
            Err(error) => Err(io::Error::other(format!("{}: {error}", path.display()))),
        }
    }

    /// Publishes what was loaded, if it says something new.
    fn publish_loaded(&mut self, loaded: &Loaded) -> io::Result<()> {
        self.report(loaded);
        let sources = self.folder.as_ref().map(|folder| serde_json::to_vec(folder.sound()));
        if let Some(sources) = sources.transpose()? {
            whole_file::write(&self.parts.data.join(SOURCES), &sources)?;
        }
        let published = self.published();
        let before = published.as_ref().and_then(|published| open_envelope(published.current().bytes()).ok());
        let before = before.map(|envelope| envelope.body);
        // With the numbers of the one before, what is equal in both is written alike, and the delta is small.
        let settled = before.and_then(|before| settle_body(&loaded.body, before).ok());
        let body = settled.as_ref().unwrap_or(&loaded.body);
        if before == Some(body) { Ok(()) } else { self.publish(body, clock::now()) }
    }

    /// Signs what is in effect again where its signature is another's or its time is half over, and the statement of it
    /// likewise.
    fn renew(&mut self, now: Timestamp) -> io::Result<()> {
        let Some(published) = self.published() else { return Ok(()) };
        if let Ok(envelope) = open_envelope(published.current().bytes())
            && self.is_stale(&envelope.header, now)
        {
            return self.publish(envelope.body, now);
        }
        if self.statements.is_due(now) {
            self.statements.issue(&self.parts.signer, &published, now);
        }
        Ok(())
    }

    fn is_stale(&self, header: &Header<'_>, now: Timestamp) -> bool {
        let is_half_over = match (header.expires, self.parts.bundle_valid_ms) {
            (Some(end), Some(valid_ms)) => end.0.saturating_sub(now.0) < valid_ms / 2,
            (end, valid_ms) => end.is_some() != valid_ms.is_some(),
        };
        is_half_over || !self.parts.signer.is_of(header)
    }

    /// Publishes a body under the next revision.
    fn publish(&mut self, body: &[u8], now: Timestamp) -> io::Result<()> {
        let published = self.published();
        let revision = published.as_ref().map_or(0, |published| published.revision()) + 1;
        let parent = published.map(|published| published.current().hash);
        let expires = self.parts.bundle_valid_ms.map(|ms| now.plus(ms));
        let envelope = self.parts.signer.envelope(revision, parent, expires, body);
        whole_file::write(&self.parts.data.join(CURRENT), &envelope)?;
        tracing::info!(revision, bytes = envelope.len(), "published a bundle");
        self.hand_out(revision, envelope);
        Ok(())
    }

    fn hand_out(&mut self, revision: u64, envelope: Vec<u8>) {
        self.parts.metrics.bundle_revision.set(revision);
        let current = Arc::new(Kept { revision, document: Document::compressed(envelope) });
        let published = Published::new(current.clone(), self.history.before(&current));
        if let Err(error) = self.history.keep(&current) {
            self.parts.metrics.bundle_errors.add(1);
            tracing::error!(%error, revision, "this bundle is not kept; pages that have it will get later ones whole");
        }
        // Most pages have the one before, and they all ask at once.
        published.seek_delta();
        // Handed out before it is stated and logged, so that a page that is told of it finds it.
        let published = Arc::new(published);
        self.sender.send_replace(Some(published.clone()));
        self.statements.issue(&self.parts.signer, &published, clock::now());
        self.unlogged = true;
    }

    /// Logs that the bundle takes effect; activating the one in effect again changes nothing.
    fn activate(&mut self) -> io::Result<()> {
        let Some(published) = self.published().filter(|_| self.unlogged) else { return Ok(()) };
        let (revision, bytes) = (published.revision(), published.current().bytes()[..].into());
        let record = Record::Bundle { revision, at: clock::now(), bytes };
        let mut batch = Batch::default();
        batch.push(None, |out| encode_record(&record, out));
        self.parts.log.append_blocking(batch).map_err(io::Error::other)?;
        self.unlogged = false;
        Ok(())
    }

    fn report(&self, loaded: &Loaded) {
        for diagnostic in &loaded.diagnostics {
            if diagnostic.severity == Severity::Error {
                self.parts.metrics.bundle_errors.add(1);
                let kept = loaded.kept.contains(&diagnostic.file);
                let effect =
                    if kept { "the last sound text of this file stays in effect" } else { "left out" };
                tracing::error!("{diagnostic}; {effect}");
            } else {
                tracing::warn!("{diagnostic}");
            }
        }
    }
}
