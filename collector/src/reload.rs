//! What is read again while the collector runs, on SIGHUP and where its files change: write keys, limits, destinations. What
//! is broken is told once, and the old stays in effect.

use crate::access::WriteKey;
use crate::enrich::GeoDatabase;
use crate::http::Edge;
use crate::limits::RULES_POLL;
use crate::settings::{ServeArguments, SettingsError, Stamps};
use crate::trigger::Destinations;
use std::sync::Arc;
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, spawn_blocking};

/// The parts that are refused each by itself, as metrics name them.
pub const PARTS: [&str; 4] = ["config", "write_keys", "destinations", "geo_database"];

/// The running task.
#[derive(Debug)]
pub struct Reloading {
    asked: Arc<Notify>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// What has been read.
struct Read {
    arguments: ServeArguments,
    /// What the files were like before they were read.
    stamps: Stamps,
    keys: Option<Vec<WriteKey>>,
    destinations: Option<Destinations>,
    /// Absent where it could not be read.
    geo_database: Option<Option<GeoDatabase>>,
    refused: Vec<(&'static str, SettingsError)>,
}

impl Reloading {
    /// Begins to watch.
    ///
    /// `read` is what the files were like before they were read.
    pub fn start(arguments: ServeArguments, read: Stamps, edge: Arc<Edge>) -> Self {
        let asked = Arc::new(Notify::new());
        let (stop, stopped) = watch::channel(false);
        // So that the first failure is an increase.
        PARTS.iter().for_each(|part| edge.metrics.reload_failed.add(part, 0));
        let task = tokio::spawn(run(arguments, read, edge, asked.clone(), stopped));
        Self { asked, stop, task }
    }

    /// Has everything read again, whether or not it seems to have changed.
    pub fn ask(&self) {
        self.asked.notify_one();
    }

    /// Watches no more.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the task that reads settings again had ended early");
        }
    }
}

async fn run(
    mut arguments: ServeArguments,
    mut in_effect: Stamps,
    edge: Arc<Edge>,
    asked: Arc<Notify>,
    mut stop: watch::Receiver<bool>,
) {
    let mut seen = in_effect.clone();
    loop {
        let is_asked = tokio::select! {
            _ = stop.wait_for(|stopped| *stopped) => return,
            () = asked.notified() => true,
            () = tokio::time::sleep(RULES_POLL) => false,
        };
        let looking = arguments.clone();
        let Ok(now) = spawn_blocking(move || looking.stamps()).await else { continue };
        // A file that is being written is not read half way.
        let has_settled = now == std::mem::replace(&mut seen, now.clone());
        if !is_asked && (now == in_effect || !has_settled) {
            continue;
        }
        let before = arguments.clone();
        match spawn_blocking(move || read(&before)).await {
            Ok(found) => {
                in_effect.clone_from(&found.stamps);
                arguments = take(&edge, &arguments, found);
            }
            Err(error) => tracing::error!(%error, "the settings could not be read again"),
        }
    }
}

/// Reads everything again; what is broken is left out.
fn read(before: &ServeArguments) -> Read {
    let mut refused = Vec::new();
    let mut stamps = before.stamps();
    let arguments = before.read_again().unwrap_or_else(|error| {
        refused.push(("config", error));
        before.clone()
    });
    // The file of settings may name others now; what changes from here on is read once more.
    let now = arguments.stamps();
    stamps.retain(|file, _| now.contains_key(file));
    now.into_iter().for_each(|(file, stamp)| {
        stamps.entry(file).or_insert(stamp);
    });
    let mut keep = |part, error| refused.push((part, error));
    let keys = arguments.read_keys().map_err(|error| keep("write_keys", error)).ok();
    let destinations = arguments.read_destinations().map_err(|error| keep("destinations", error)).ok();
    let geo_database = arguments.read_geo_database().map_err(|error| keep("geo_database", error)).ok();
    Read { arguments, stamps, keys, destinations, geo_database, refused }
}

/// Puts in effect what has been read; returns the arguments that are then.
fn take(edge: &Edge, before: &ServeArguments, found: Read) -> ServeArguments {
    let Read { arguments, keys, destinations, geo_database, refused, .. } = found;
    if let Some(keys) = keys {
        let removed = edge.keys.replace(keys);
        edge.hub.close_under(&removed);
    }
    edge.ingest.throttle.replace(&edge.keys.list(), arguments.of_address());
    if let Some(destinations) = destinations {
        edge.triggers.replace(destinations);
    }
    if let Some(database) = geo_database {
        edge.enricher.replace_database(database);
    }
    if arguments.differs_elsewhere(before) {
        tracing::warn!("settings have changed that take effect with a restart");
    }
    for (part, error) in &refused {
        edge.metrics.reload_failed.add(part, 1);
        tracing::error!(part, "what was in effect stays so: {error}");
    }
    if refused.is_empty() {
        edge.metrics.reloads.add(1);
        tracing::info!("read write keys, limits and destinations again");
    }
    arguments
}
