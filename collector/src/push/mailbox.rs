//! What waits for one stream: the newest of everything, never a backlog.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;

/// A member's encoded profile view.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The view's version.
    pub version: u64,
    /// The view in binary form.
    pub bytes: Arc<[u8]>,
}

/// How a stream begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hello {
    /// Nothing was missed.
    Resumed,
    /// Something may have been missed; the current profile follows.
    Gap,
}

/// What a stream is to send next, in this order.
#[derive(Clone, Debug, Default)]
pub struct Mail {
    /// The greeting.
    pub hello: Option<Hello>,
    /// The newest profile view.
    pub profile: Option<Profile>,
    /// The newest bundle revision.
    pub bundle: Option<u64>,
    /// Since when the oldest of it waits.
    pub since: Option<Instant>,
}

/// Filled by the worker, emptied by one stream.
#[derive(Debug)]
pub struct Mailbox {
    held: Mutex<Held>,
    filled: Notify,
    /// The write key under which the stream was opened.
    pub key: OnceLock<Box<str>>,
}

#[derive(Debug)]
struct Held {
    mail: Mail,
    greeted: bool,
    closed: bool,
}

impl Mailbox {
    /// A mailbox that holds the bundle revision in effect.
    pub fn new(bundle_revision: u64) -> Self {
        let mail = Mail { bundle: Some(bundle_revision).filter(|revision| *revision > 0), ..Mail::default() };
        Self {
            held: Mutex::new(Held { mail, greeted: false, closed: false }),
            filled: Notify::new(),
            key: OnceLock::new(),
        }
    }

    /// Greets, with the current profile where something may have been missed.
    pub fn greet(&self, hello: Hello, profile: Option<Profile>) {
        let mut held = self.held();
        held.mail.hello = Some(hello);
        held.mail.since.get_or_insert_with(Instant::now);
        held.greeted = true;
        if profile.is_some() {
            held.mail.profile = profile;
        }
        drop(held);
        self.filled.notify_one();
    }

    /// Replaces the profile that waits; returns whether one did.
    pub fn put_profile(&self, profile: Profile) -> bool {
        let mut held = self.held();
        held.mail.since.get_or_insert_with(Instant::now);
        let replaced = held.mail.profile.replace(profile);
        drop(held);
        self.filled.notify_one();
        replaced.is_some()
    }

    /// Replaces the bundle revision that waits.
    pub fn put_bundle(&self, revision: u64) {
        let mut held = self.held();
        held.mail.since.get_or_insert_with(Instant::now);
        held.mail.bundle = Some(revision);
        drop(held);
        self.filled.notify_one();
    }

    /// Ends the stream.
    pub fn close(&self) {
        self.held().closed = true;
        self.filled.notify_one();
    }

    /// Waits for mail and takes all of it, the greeting first; nothing once closed.
    pub async fn take(&self) -> Option<Mail> {
        loop {
            {
                let mut held = self.held();
                if held.closed {
                    return None;
                }
                let some =
                    held.mail.hello.is_some() || held.mail.profile.is_some() || held.mail.bundle.is_some();
                if held.greeted && some {
                    return Some(mem::take(&mut held.mail));
                }
            }
            self.filled.notified().await;
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
