//! The running publisher: watches the folders and the clock on a thread of its own.

use super::issuer::{Issuer, PublisherParts};
use super::orders::{Asked, Orders};
use super::published::Published;
use crate::bell::Bell;
use crate::clock;
use crate::content::Document;
use crate::limits::RULES_POLL;
use crate::metrics::Metrics;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
use tokio::sync::watch;

/// The running publisher.
#[derive(Debug)]
pub struct Publisher {
    bundles: watch::Receiver<Option<Arc<Published>>>,
    statements: watch::Receiver<Option<Arc<Document>>>,
    orders: Arc<Orders>,
    stop: Arc<(AtomicBool, Bell)>,
    thread: Option<JoinHandle<()>>,
}

impl Publisher {
    /// Publishes what the folder holds now, then watches it.
    ///
    /// # Errors
    /// A folder or file that cannot be read or written, named in the text.
    pub fn start(parts: PublisherParts) -> io::Result<Self> {
        let metrics = parts.metrics.clone();
        let mut issuer = Issuer::start(parts, clock::now())?;
        let (bundles, statements) = (issuer.bundles(), issuer.statements());
        let stop = Arc::new((AtomicBool::new(false), Bell::default()));
        let (orders, asked) = Orders::new(stop.clone(), issuer.overruled());
        let stopping = stop.clone();
        let thread = std::thread::Builder::new()
            .name("rules".into())
            .spawn(move || watch(&mut issuer, &metrics, &asked, &stopping))?;
        Ok(Self { bundles, statements, orders: Arc::new(orders), stop, thread: Some(thread) })
    }

    /// The bundle in effect, now and later.
    pub fn bundles(&self) -> watch::Receiver<Option<Arc<Published>>> {
        self.bundles.clone()
    }

    /// The signed statement of which bundle that is, now and later.
    pub fn statements(&self) -> watch::Receiver<Option<Arc<Document>>> {
        self.statements.clone()
    }

    /// Where to ask for what is to be in effect.
    pub fn orders(&self) -> Arc<Orders> {
        self.orders.clone()
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

fn watch(issuer: &mut Issuer, metrics: &Metrics, asked: &Receiver<Asked>, stop: &(AtomicBool, Bell)) {
    let (bundles, mut told) = (issuer.bundles(), String::new());
    while !stop.0.load(Ordering::Relaxed) {
        // Deltas from older bundles are sought one at a time, so that an edit never waits for all of them.
        let published = bundles.borrow().clone();
        if !published.is_some_and(|published| published.seek_next()) {
            stop.1.wait(RULES_POLL);
        }
        for Asked { order, answer } in asked.try_iter() {
            let done = issuer.carry_out(order, clock::now());
            if let Err(error) = &done {
                tracing::warn!(%error, "a bundle that was asked for is not in effect");
            }
            // Who has gone away has no use for the answer.
            let _ = answer.send(done);
        }
        match issuer.look(clock::now()) {
            Ok(()) => told.clear(),
            Err(error) => {
                // The same trouble is told once, not five times a second.
                let text = error.to_string();
                if told != text {
                    metrics.bundle_errors.add(1);
                    tracing::error!(error = %text, "nothing can be published; the bundle in effect stays");
                    told = text;
                }
            }
        }
    }
}
