//! What is asked of the publisher by request: to publish rules, or what an older revision says.

use super::key::verify_signature;
use super::signer::Signer;
use crate::bell::Bell;
use crate::limits::MAX_BUNDLE_ORDERS;
use attune_core::bundle::{Demands, Refused, decode_body, open_keyset, verify_envelope};
use attune_core::time::Timestamp;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use tokio::sync::oneshot;

/// What is asked.
#[derive(Debug)]
pub enum Order {
    /// Put this compiled body into effect.
    Publish(Vec<u8>),
    /// Put what a kept revision says into effect, under the next one, since no page goes back.
    Activate(u64),
}

/// What is in effect then, durably.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// The revision in effect.
    pub revision: u64,
    /// Its SHA-256.
    pub hash: [u8; 32],
    /// Whether it says something else than what was in effect before.
    pub is_new: bool,
}

/// Why nothing has changed.
#[derive(Debug)]
pub enum OrderError {
    /// This revision is not kept.
    Unknown(u64),
    /// The disk or the log refused.
    Disk(io::Error),
    /// Too many wait.
    Busy,
    /// The collector is shutting down.
    Ended,
}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(revision) => write!(f, "revision {revision} is not among those that are kept"),
            Self::Disk(error) => error.fmt(f),
            Self::Busy => f.write_str("others are putting bundles into effect"),
            Self::Ended => f.write_str("the collector is shutting down"),
        }
    }
}

/// An order and whom to tell.
#[derive(Debug)]
pub struct Asked {
    /// What is asked.
    pub order: Order,
    /// Who waits for what came of it.
    pub answer: oneshot::Sender<Result<Done, OrderError>>,
}

/// Where to ask.
#[derive(Debug)]
pub struct Orders {
    sender: SyncSender<Asked>,
    stop: Arc<(AtomicBool, Bell)>,
    overruled: Arc<AtomicBool>,
}

impl Orders {
    /// Orders of a publisher, who waits for this bell; `overruled` says whether its folder does not count.
    pub fn new(stop: Arc<(AtomicBool, Bell)>, overruled: Arc<AtomicBool>) -> (Self, Receiver<Asked>) {
        let (sender, receiver) = sync_channel(MAX_BUNDLE_ORDERS);
        (Self { sender, stop, overruled }, receiver)
    }

    /// Whether the rules folder does not count until it changes.
    pub fn is_overruled(&self) -> bool {
        self.overruled.load(Ordering::Relaxed)
    }

    /// Has an order carried out; resolves when that is durable.
    ///
    /// # Errors
    /// Why it was not.
    pub async fn ask(&self, order: Order) -> Result<Done, OrderError> {
        let (answer, answered) = oneshot::channel();
        self.sender.try_send(Asked { order, answer }).map_err(|error| match error {
            std::sync::mpsc::TrySendError::Full(_) => OrderError::Busy,
            std::sync::mpsc::TrySendError::Disconnected(_) => OrderError::Ended,
        })?;
        self.stop.1.ring();
        answered.await.unwrap_or(Err(OrderError::Ended))
    }
}

/// The body of a signed bundle for the signer's project and environment, where its key or one of a key set has signed it.
///
/// # Errors
/// Which no it is, as `attune bundle verify` says it.
pub fn signed_body(bytes: &[u8], signer: &Signer, keyset: &[u8], now: Timestamp) -> Result<Vec<u8>, Refused> {
    let set = open_keyset(keyset).ok().map(|opened| opened.set);
    let key_of = |id: &str| {
        let own = (id == signer.key.id()).then(|| signer.key.public());
        own.or_else(|| set.as_ref()?.key(id, now).ok())
    };
    let demands =
        Demands { project: Some(&signer.project), environment: Some(&signer.environment), above: None, now };
    let envelope = verify_envelope(bytes, &demands, &key_of, &verify_signature)?;
    decode_body(envelope.body).map_err(Refused::Unreadable)?;
    Ok(envelope.body.to_vec())
}
