//! Publishing: numbers and signs what the rules folder amounts to, keeps it, logs its activation, hands it out.

use super::folder::{Loaded, RulesFolder};
use super::{Published, Signer};
use crate::bell::Bell;
use crate::clock;
use crate::limits::RULES_POLL;
use crate::log::{Batch, Log};
use crate::metrics::Metrics;
use crate::whole_file::{self, named};
use attune_core::bundle::author::Severity;
use attune_core::bundle::open_envelope;
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

/// What the publisher works with.
#[derive(Debug)]
pub struct PublisherParts {
    /// Folder that keeps the bundle in effect and the sound texts of its sources.
    pub data: PathBuf,
    /// Folder of rule files, if there is one.
    pub rules: Option<PathBuf>,
    /// Signs envelopes.
    pub signer: Signer,
    /// Where activations go.
    pub log: Arc<Log>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// The running publisher.
#[derive(Debug)]
pub struct Publisher {
    bundles: watch::Receiver<Option<Arc<Published>>>,
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
        let (sender, bundles) = watch::channel(None);
        let mut watching = Watching { parts, folder, sender, current: None, unlogged: false };
        watching.restore()?;
        if let Some(folder) = &mut watching.folder {
            let loaded = folder.load().map_err(|error| named(folder.path(), &error))?;
            watching.publish(&loaded)?;
        }
        watching.activate()?;
        let stop = Arc::new((AtomicBool::new(false), Bell::default()));
        let stopping = stop.clone();
        let thread =
            std::thread::Builder::new().name("rules".into()).spawn(move || watching.watch(&stopping))?;
        Ok(Self { bundles, stop, thread: Some(thread) })
    }

    /// The bundle in effect, now and later.
    pub fn bundles(&self) -> watch::Receiver<Option<Arc<Published>>> {
        self.bundles.clone()
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
    sender: watch::Sender<Option<Arc<Published>>>,
    /// The signed envelope in effect.
    current: Option<Arc<[u8]>>,
    /// Whether its activation still has to be logged.
    unlogged: bool,
}

impl Watching {
    fn watch(&mut self, stop: &(AtomicBool, Bell)) {
        let mut told = String::new();
        while !stop.0.load(Ordering::Relaxed) {
            stop.1.wait(RULES_POLL);
            match self.look() {
                Ok(()) => told.clear(),
                Err(error) => {
                    // The same trouble is told once, not five times a second.
                    let text = error.to_string();
                    if told != text {
                        self.parts.metrics.bundle_errors.add(1);
                        tracing::error!(error = %text, "the rules folder cannot be used; the bundle in effect stays");
                        told = text;
                    }
                }
            }
        }
    }

    fn look(&mut self) -> io::Result<()> {
        let Some(folder) = &mut self.folder else { return Ok(()) };
        if folder.has_settled_change().map_err(|error| named(folder.path(), &error))? {
            let loaded = folder.load()?;
            self.publish(&loaded)?;
        }
        self.activate()
    }

    /// Takes the bundle that was in effect before this process into effect.
    fn restore(&mut self) -> io::Result<()> {
        let path = self.parts.data.join(CURRENT);
        let Some(bytes) = whole_file::read(&path)? else { return Ok(()) };
        match open_envelope(&bytes) {
            Ok(envelope) => {
                let revision = envelope.header.revision;
                self.hand_out(revision, bytes.into());
                Ok(())
            }
            Err(error) => Err(io::Error::other(format!("{}: {error}", path.display()))),
        }
    }

    /// Publishes a body, if it is new, under the next revision.
    fn publish(&mut self, loaded: &Loaded) -> io::Result<()> {
        self.report(loaded);
        let sources = self.folder.as_ref().map(|folder| serde_json::to_vec(folder.sound()));
        if let Some(sources) = sources.transpose()? {
            whole_file::write(&self.parts.data.join(SOURCES), &sources)?;
        }
        let before = self.current.as_deref().and_then(|bytes| open_envelope(bytes).ok());
        if before.is_some_and(|envelope| envelope.body == loaded.body) {
            return Ok(());
        }
        let revision = before.map_or(0, |envelope| envelope.header.revision) + 1;
        let envelope: Arc<[u8]> = self.parts.signer.seal(revision, &loaded.body).into();
        whole_file::write(&self.parts.data.join(CURRENT), &envelope)?;
        tracing::info!(revision, bytes = envelope.len(), "published a bundle");
        self.hand_out(revision, envelope);
        Ok(())
    }

    fn hand_out(&mut self, revision: u64, envelope: Arc<[u8]>) {
        self.parts.metrics.bundle_revision.set(revision);
        // Handed out before it is logged, so that a page that is told of it finds it.
        self.sender.send_replace(Some(Arc::new(Published::new(revision, envelope.to_vec()))));
        self.current = Some(envelope);
        self.unlogged = true;
    }

    /// Logs that the bundle takes effect; activating the one in effect again changes nothing.
    fn activate(&mut self) -> io::Result<()> {
        let Some(envelope) = self.current.as_deref().filter(|_| self.unlogged) else { return Ok(()) };
        let revision = open_envelope(envelope).map_err(io::Error::other)?.header.revision;
        let record = Record::Bundle { revision, at: clock::now(), bytes: envelope.into() };
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
