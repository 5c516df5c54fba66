//! The push hub: open streams by member, each with a mailbox that keeps only the newest state.

mod mailbox;

use crate::bell::Bell;
use crate::limits::{MAX_STREAMS, MAX_STREAMS_PER_MEMBER};
use crate::metrics::Metrics;
use attune_core::id::MemberId;
use hashbrown::{HashMap, HashSet};
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use mailbox::{Hello, Mail, Mailbox, Profile};

/// Who is listening, and for what.
#[derive(Debug)]
pub struct Hub {
    epoch: String,
    state: Mutex<State>,
    open: AtomicUsize,
    arrived: Arc<Bell>,
    metrics: Arc<Metrics>,
}

#[derive(Debug, Default)]
struct State {
    members: HashMap<MemberId, Vec<Arc<Mailbox>>>,
    arrivals: Vec<Arrival>,
    /// The highest revision that pages may have to ask for: of the bundle in effect, or of the candidate beside it.
    bundle_revision: u64,
    closed: bool,
}

/// A stream that waits for its greeting.
#[derive(Debug)]
pub struct Arrival {
    /// Whose stream it is.
    pub member: MemberId,
    /// The version that the page has last seen, if it was of this epoch.
    pub seen_version: Option<u64>,
    /// Where its mail goes.
    pub mailbox: Arc<Mailbox>,
}

/// An open stream; dropping it closes it.
#[derive(Debug)]
pub struct Subscription {
    hub: Arc<Hub>,
    member: MemberId,
    mailbox: Arc<Mailbox>,
}

/// No further stream can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HubFull;

impl Hub {
    /// A hub without streams; `arrived` is rung when one opens.
    pub fn new(epoch: String, arrived: Arc<Bell>, metrics: Arc<Metrics>) -> Self {
        Self { epoch, state: Mutex::default(), open: AtomicUsize::new(0), arrived, metrics }
    }

    /// Opens a stream of a member that last saw the message `last_event_id`.
    ///
    /// # Errors
    /// Too many streams are open, or the hub has closed.
    pub fn subscribe(
        self: &Arc<Self>,
        member: MemberId,
        last_event_id: Option<&str>,
    ) -> Result<Subscription, HubFull> {
        let seen_version = last_event_id.and_then(|id| self.version_of(id));
        let mut state = self.state();
        let boxes = state.members.get(&member).map_or(0, Vec::len);
        if state.closed || boxes >= MAX_STREAMS_PER_MEMBER || self.open.load(Ordering::Relaxed) >= MAX_STREAMS
        {
            return Err(HubFull);
        }
        let mailbox = Arc::new(Mailbox::new(state.bundle_revision));
        state.members.entry(member.clone()).or_default().push(mailbox.clone());
        state.arrivals.push(Arrival { member: member.clone(), seen_version, mailbox: mailbox.clone() });
        drop(state);
        self.metrics.streams.set(self.open.fetch_add(1, Ordering::Relaxed) as u64 + 1);
        self.arrived.ring();
        Ok(Subscription { hub: self.clone(), member, mailbox })
    }

    /// Streams that have opened since the last call.
    pub fn take_arrivals(&self) -> Vec<Arrival> {
        if self.open.load(Ordering::Relaxed) == 0 {
            return Vec::new();
        }
        mem::take(&mut self.state().arrivals)
    }

    /// Whether anybody listens at all.
    pub fn is_idle(&self) -> bool {
        self.open.load(Ordering::Relaxed) == 0
    }

    /// Whether a member has an open stream.
    pub fn is_listening(&self, member: &MemberId) -> bool {
        self.state().members.contains_key(member)
    }

    /// Hands a member's open streams its newest view.
    pub fn publish_profile(&self, member: &MemberId, profile: &Profile) {
        let state = self.state();
        for mailbox in state.members.get(member).into_iter().flatten() {
            let replaced = mailbox.put_profile(profile.clone());
            self.metrics.pushes.add(1);
            self.metrics.coalesced.add(u64::from(replaced));
        }
    }

    /// Tells every stream, and those that open later, of the highest revision that a page may have to ask for: that of the
    /// bundle in effect, or of the candidate beside it, which only some get.
    pub fn publish_bundle(&self, revision: u64) {
        let mut state = self.state();
        state.bundle_revision = revision;
        state.members.values().flatten().for_each(|mailbox| mailbox.put_bundle(revision));
    }

    /// Ends every stream and refuses new ones.
    pub fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.members.values().flatten().for_each(|mailbox| mailbox.close());
    }

    /// Ends the streams that were opened under these write keys.
    pub fn close_under(&self, keys: &HashSet<Box<str>>) {
        let state = self.state();
        let mailboxes = state.members.values().flatten();
        mailboxes
            .filter(|mailbox| mailbox.key.get().is_some_and(|key| keys.contains(key)))
            .for_each(|mailbox| mailbox.close());
    }

    /// The id of a message that carries this version.
    pub fn message_id(&self, version: u64) -> String {
        format!("{}-{version}", self.epoch)
    }

    fn version_of(&self, message_id: &str) -> Option<u64> {
        message_id.strip_prefix(&*self.epoch)?.strip_prefix('-')?.parse().ok()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscription {
    /// Notes under which write key it was opened.
    pub fn note_key(&self, key: &str) {
        self.mailbox.key.get_or_init(|| key.into());
    }

    /// Waits for the newest mail; nothing once the hub has closed.
    pub async fn next(&self) -> Option<Mail> {
        let mail = self.mailbox.take().await?;
        if let Some(since) = mail.since {
            self.hub.metrics.push_wait.observe_time(since.elapsed());
        }
        Some(mail)
    }

    /// The id of a message that carries this version.
    pub fn message_id(&self, version: u64) -> String {
        self.hub.message_id(version)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut state = self.hub.state();
        if let Some(boxes) = state.members.get_mut(&self.member) {
            boxes.retain(|mailbox| !Arc::ptr_eq(mailbox, &self.mailbox));
            if boxes.is_empty() {
                state.members.remove(&self.member);
            }
        }
        state.arrivals.retain(|arrival| !Arc::ptr_eq(&arrival.mailbox, &self.mailbox));
        drop(state);
        self.hub.metrics.streams.set(self.hub.open.fetch_sub(1, Ordering::Relaxed) as u64 - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub() -> Arc<Hub> {
        Arc::new(Hub::new("e1".into(), Arc::default(), Arc::default()))
    }

    fn profile(version: u64) -> Profile {
        Profile { version, bytes: Arc::from([version as u8]) }
    }

    #[tokio::test]
    async fn a_slow_stream_gets_the_newest_state_once() {
        let hub = hub();
        let member = MemberId("m1".into());
        let stream = hub.subscribe(member.clone(), None).unwrap();
        hub.publish_profile(&member, &profile(1));
        hub.publish_profile(&member, &profile(2));
        hub.publish_bundle(7);
        hub.take_arrivals()[0].mailbox.greet(Hello::Gap, None);
        let mail = stream.next().await.unwrap();
        assert_eq!((mail.profile.map(|p| p.version), mail.bundle), (Some(2), Some(7)));
        let metrics = &hub.metrics;
        assert_eq!((metrics.pushes.get(), metrics.coalesced.get()), (2, 1));
        assert_eq!(metrics.push_wait.read().count, 1);
    }

    #[test]
    fn an_arrival_carries_the_version_of_its_epoch_only() {
        let hub = hub();
        let streams = [Some("e1-12"), Some("e0-12"), Some("nonsense"), None]
            .map(|last| hub.subscribe(MemberId("m1".into()), last).unwrap());
        let seen: Vec<_> = hub.take_arrivals().iter().map(|arrival| arrival.seen_version).collect();
        assert_eq!(seen, [Some(12), None, None, None]);
        drop(streams);
        assert!(hub.is_idle());
    }

    #[tokio::test]
    async fn closing_ends_open_streams_and_refuses_new_ones() {
        let hub = hub();
        let stream = hub.subscribe(MemberId("m1".into()), None).unwrap();
        hub.close();
        assert!(stream.next().await.is_none());
        assert_eq!(hub.subscribe(MemberId("m1".into()), None).err(), Some(HubFull));
    }

    #[test]
    fn one_member_cannot_take_every_stream() {
        let hub = hub();
        let open = || hub.subscribe(MemberId("m1".into()), None);
        let streams: Vec<_> = (0..MAX_STREAMS_PER_MEMBER).map(|_| open().unwrap()).collect();
        assert!(open().is_err());
        assert!(hub.subscribe(MemberId("m2".into()), None).is_ok());
        drop(streams);
        assert!(open().is_ok());
    }
}
