//! Opening the data folder and putting the rooms around it together, in order of need; closing them in order of flow.

use crate::access::{Tokens, Tombstones};
use crate::bell::Bell;
use crate::bundle::{Publisher, PublisherParts, SecretKey, Signer, TrialSettings, own_keyset, read_keyset};
use crate::clock;
use crate::content::Document;
use crate::hex::hex;
use crate::ingest::{Door, DoorParts, Window};
use crate::log::{Log, Place, Retention};
use crate::metrics::Metrics;
use crate::profile::{EmbeddedStore, Store};
use crate::push::Hub;
use crate::secret::Secret;
use crate::selftest;
use crate::settings::{LogSettings, Settings};
use crate::trigger;
use crate::worker::{self, WorkerHandle, WorkerParts};
use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Why the collector cannot start; the text names the setting and the place.
#[derive(Debug)]
pub struct StartError(pub String);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

/// Everything behind the listeners.
#[derive(Debug)]
pub struct Rooms {
    /// The append log.
    pub log: Arc<Log>,
    /// The profile store.
    pub store: Arc<dyn Store>,
    /// Open streams.
    pub hub: Arc<Hub>,
    /// The bundle source.
    pub publisher: Publisher,
    /// Signs what is published.
    pub signer: Arc<Signer>,
    /// What pages verify it by.
    pub trust: Trust,
    /// The worker.
    pub worker: WorkerHandle,
    /// Tokens of browsers.
    pub tokens: Arc<Tokens>,
    /// Erased members.
    pub tombstones: Arc<Tombstones>,
    /// Key of the privileged listener.
    pub secret_key: String,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Keeps other collectors out as long as anything is open.
    pub lock: File,
}

impl Rooms {
    /// Opens everything, the store with so many files at most; waits for the disk, so it is not called on a thread that serves requests.
    pub fn open(settings: &Settings, store_files: usize) -> Result<Self, StartError> {
        let data = &settings.data_dir;
        let told = |error: io::Error| StartError(format!("--data-dir: {}: {error}", data.display()));
        fs::create_dir_all(data.join("secrets")).map_err(told)?;
        let lock = lock(data)?;
        let secret = |name: &str| Secret::load_or_create(&data.join("secrets").join(name)).map_err(told);
        let (metrics, bell) = (Arc::new(Metrics::default()), Arc::new(Bell::default()));
        match selftest::measure(data) {
            Ok(speed) => {
                speed.tell(data);
                let median = u64::try_from(speed.median.as_micros()).unwrap_or(u64::MAX);
                metrics.storage_sync_micros.set(median);
            }
            // A disk that is full is one to be started on: what is there is served, and room is made.
            Err(error) => {
                let folder = data.display();
                tracing::warn!(%folder, %error, "how fast the disk syncs could not be measured");
            }
        }

        let store = EmbeddedStore::open(&data.join("state"), store_files)
            .map_err(|error| StartError(format!("--data-dir: {error}")))?;
        let store: Arc<dyn Store> = Arc::new(store);
        let stored = |error: worker::WorkerError| StartError(format!("--data-dir: {error}"));
        let absorbed = worker::absorbed(&*store).map_err(stored)?;
        let tombstones = Arc::new(Tombstones::new(secret("erased")?));
        worker::note_erased(&*store, &tombstones).map_err(stored)?;
        let LogSettings { segment_mib, keep_days: days, keep_mib, disk_reserve_mib } = settings.log;
        metrics.disk_reserve_bytes.set(disk_reserve_mib << 20);
        let place = Place {
            folder: data.join("log"),
            segment_bytes: segment_mib << 20,
            absorbed,
            reserve_bytes: disk_reserve_mib << 20,
            retention: Retention { days, bytes: keep_mib.map(|mib| mib << 20) },
        };
        let door = DoorParts {
            folder: data.join("door"),
            window: Window::of(settings.dedup_days, settings.dedup_memory_mib),
            absorbed,
            tombstones: &tombstones,
            metrics: metrics.clone(),
        };
        let door = |reader| Door::open(reader, door);
        let log = Log::open(place, bell.clone(), metrics.clone(), door).map_err(told)?;
        let log = Arc::new(log);
        // Versions of views go on where they were after a restart, so the epoch is the data folder's, not the process'.
        let epoch = hex(&secret("epoch")?.bytes()[..6]);
        let hub = Arc::new(Hub::new(epoch, bell.clone(), metrics.clone()));
        let signing = &settings.signing;
        let key = match &signing.key {
            Some(path) => {
                SecretKey::read(path).map_err(|error| StartError(format!("--signing-key: {error}")))?
            }
            None => SecretKey::for_development(&secret("bundle")?),
        };
        let (project, environment) = (signing.project.clone(), signing.environment.clone());
        let signer = Arc::new(Signer { key, project, environment });
        fs::create_dir_all(data.join("bundle")).map_err(told)?;
        let trust = match &signing.keyset {
            Some(path) => Trust::given(path, &signer)?,
            None => Trust::own(&data.join("bundle/keys"), &SecretKey::of(&secret("trust")?), &signer)?,
        };
        trigger::prepare(&*store).map_err(|error| StartError(format!("--data-dir: {error}")))?;
        let publisher = Publisher::start(PublisherParts {
            data: data.join("bundle"),
            rules: settings.rules_dir.clone(),
            trial: settings.candidate.clone().map(|(folder, share)| TrialSettings { folder, share }),
            signer: signer.clone(),
            bundle_valid_ms: signing.bundle_valid_ms,
            statement_valid_ms: signing.statement_valid_ms,
            log: log.clone(),
            metrics: metrics.clone(),
        });
        let publisher = publisher.map_err(|error| StartError(format!("--rules: {error}")))?;
        let worker = WorkerHandle::spawn(WorkerParts {
            log: log.clone(),
            store: store.clone(),
            tombstones: tombstones.clone(),
            hub: hub.clone(),
            bell,
            metrics: metrics.clone(),
            letter_bytes: settings.dead_letters_mib << 20,
        });
        let secret_key = match &settings.secret_key {
            Some(key) => key.clone(),
            None => {
                let key = hex(secret("admin")?.bytes());
                let file = data.join("secrets/admin");
                tracing::info!(file = %file.display(), "no --secret-key given; the privileged listener takes the hex of this file");
                key
            }
        };
        let tokens = Arc::new(Tokens::new(secret("tokens")?));
        let worker = worker.map_err(told)?;
        Ok(Self {
            log,
            store,
            hub,
            publisher,
            signer,
            trust,
            worker,
            tokens,
            tombstones,
            secret_key,
            metrics,
            lock,
        })
    }
}

/// Keeps other collectors out of the data folder before anything in it is touched; given back when the process ends,
/// however it does.
fn lock(data: &Path) -> Result<File, StartError> {
    let path = data.join("lock");
    let told = |why: &dyn fmt::Display| StartError(format!("--data-dir: {}: {why}", path.display()));
    let file = File::options().create(true).append(true).open(&path).map_err(|error| told(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(told(&"another collector uses this folder")),
        Err(TryLockError::Error(error)) => Err(told(&error)),
    }
}

/// What pages verify bundles by.
#[derive(Debug)]
pub struct Trust {
    /// The signed key set.
    pub keyset: Arc<Document>,
    /// The key that pages are to trust, where the collector has made it.
    pub key: Option<String>,
}

impl Trust {
    fn given(path: &Path, signer: &Signer) -> Result<Self, StartError> {
        let read = read_keyset(path, signer, clock::now());
        let (bytes, refused) = read.map_err(|error| StartError(format!("--keyset: {error}")))?;
        if let Some(refused) = refused {
            tracing::error!(file = %path.display(), "pages that verify take no bundle: {refused}");
        }
        Ok(Self { keyset: Arc::new(Document::of(bytes)), key: None })
    }

    fn own(path: &Path, trust: &SecretKey, signer: &Signer) -> Result<Self, StartError> {
        let bytes = own_keyset(path, trust, signer);
        let bytes = bytes.map_err(|error| StartError(format!("--data-dir: {error}")))?;
        let key = trust.public_text();
        tracing::info!(trust = %key, "no --keyset given; pages that verify bundles trust this key");
        Ok(Self { keyset: Arc::new(Document::of(bytes)), key: Some(key) })
    }
}

/// What has to be closed once no request is left.
#[derive(Debug)]
pub struct Closing {
    /// Appends to the log.
    pub publisher: Publisher,
    /// Ends after its last writer and before its last reader.
    pub log: Arc<Log>,
    /// Reads the log to its end.
    pub worker: WorkerHandle,
    /// Given back last.
    pub lock: File,
}

impl Closing {
    /// Makes everything received durable and taken in; waits for the disk.
    pub fn close(self) {
        self.publisher.stop();
        self.log.close();
        self.worker.stop();
        drop(self.lock);
    }
}
