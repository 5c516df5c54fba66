//! Triggers' calls: what has fired is delivered to the operator's destinations, at least once, each by itself.
//!
//! The worker keeps firings in the store in their order. A task here takes them on, keeps beside each call what has become
//! of it, and calls. A firing has one id for good, which receivers know a repetition by: the call and the note of it are two
//! steps, and a crash between them repeats the call.

mod address;
mod backoff;
mod delivery;
mod desk;
mod destination;
mod email;
mod firing;
mod lane;
mod outbox;
mod signature;
mod told;
mod verdict;
mod webhook;

use crate::limits::MAX_ASKED_RETRIES;
use crate::profile::{Page, StoreError};
use desk::{Ask, Desk, Inputs};
use std::sync::{Arc, PoisonError};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

pub use delivery::{CallId, State};
pub use destination::Destinations;
pub use outbox::{Outbox, RetryError, prepare};
pub use told::Told;

/// What others may ask of triggers' calls.
#[derive(Clone, Debug)]
pub struct Triggers {
    outbox: Arc<Outbox>,
    asks: mpsc::Sender<Ask>,
    replaced: Arc<Notify>,
}

/// The running task.
#[derive(Debug)]
pub struct Delivering {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Starts to deliver; `committed` moves on when firings may have been committed.
pub fn start(outbox: Outbox, committed: watch::Receiver<u64>) -> (Triggers, Delivering) {
    let outbox = Arc::new(outbox);
    let (asks, asked) = mpsc::channel(MAX_ASKED_RETRIES);
    let (stop, stopped) = watch::channel(false);
    let replaced = Arc::new(Notify::new());
    let inputs = Inputs { committed, asks: asked, stop: stopped, replaced: replaced.clone() };
    let task = tokio::spawn(Desk::new(outbox.clone()).run(inputs));
    (Triggers { outbox, asks, replaced }, Delivering { stop, task })
}

impl Triggers {
    /// Puts other destinations in effect.
    pub fn replace(&self, destinations: Destinations) {
        *self.outbox.destinations.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(destinations);
        self.replaced.notify_one();
    }

    /// Deliveries in order of firing, of all states or of one: `limit` at most, behind the one of a call.
    ///
    /// # Errors
    /// The store is broken.
    pub fn deliveries(
        &self,
        state: Option<State>,
        after: Option<CallId>,
        limit: usize,
    ) -> Result<Page<CallId>, StoreError> {
        self.outbox.list(state, after, limit)
    }

    /// Has a dead delivery called again.
    ///
    /// # Errors
    /// Says why it is not.
    pub async fn retry(&self, id: &str) -> Result<(), RetryError> {
        let gone = || RetryError::Store(StoreError::damaged("delivery", &"the collector is shutting down"));
        let (answer, answered) = oneshot::channel();
        self.asks.send(Ask { id: id.to_owned(), answer }).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

impl Delivering {
    /// Begins no call any more.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits for open calls, within the time of a shutdown.
    pub async fn ended(self) {
        self.stop();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the task of deliveries had ended early");
        }
    }
}
