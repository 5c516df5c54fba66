//! The task that delivers: takes firings on, begins what is due, writes what has become of it.

use super::backoff::{gives_up, pause, pause_asked_for};
use super::delivery::{CallId, Delivery, State};
use super::destination::Destination;
use super::firing::Firing;
use super::lane::Lane;
use super::outbox::{Outbox, RetryError, Waiting};
use super::verdict::{Trouble, Verdict};
use crate::clock;
use crate::limits::{DRAIN_TIMEOUT, FIRST_RETRY, MAX_CALLS, MAX_RETRY_AFTER, RESTART_PAUSE};
use crate::profile::StoreError;
use attune_core::time::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::{Id, JoinError, JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

/// A dead delivery that somebody wants to be called again, by the id that the list has.
#[derive(Debug)]
pub struct Ask {
    /// Which one.
    pub id: String,
    /// Where the answer goes.
    pub answer: oneshot::Sender<Result<(), RetryError>>,
}

/// What the task listens to.
#[derive(Debug)]
pub struct Inputs {
    /// Moves on when firings may have been committed.
    pub committed: watch::Receiver<u64>,
    /// What is asked for by hand.
    pub asks: mpsc::Receiver<Ask>,
    /// True when it has to end.
    pub stop: watch::Receiver<bool>,
    /// Told where other destinations have taken effect.
    pub replaced: Arc<Notify>,
}

/// The task's state.
#[derive(Debug)]
pub struct Desk {
    outbox: Arc<Outbox>,
    lanes: BTreeMap<String, (Arc<Destination>, Lane)>,
    calls: JoinSet<Settled>,
    /// Which delivery each open call is of.
    open: HashMap<Id, (String, CallId)>,
    /// When the store is asked for further firings; nothing while there are none.
    take_on_at: Option<Instant>,
}

/// What a call has come to.
#[derive(Debug)]
enum Settled {
    /// The delivery is done, dead or erased.
    Ended,
    /// It is called again after a pause, which all of its destination keep where the receiver has asked for it.
    Again { after: Duration, asked: Option<Duration> },
}

impl Desk {
    /// A desk with nothing on it.
    pub fn new(outbox: Arc<Outbox>) -> Self {
        Self {
            lanes: lanes(&outbox, &mut BTreeMap::new()),
            outbox,
            calls: JoinSet::new(),
            open: HashMap::new(),
            take_on_at: Some(Instant::now()),
        }
    }

    /// Delivers until it has to end; then waits for open calls for a while, and leaves the others to the next start.
    pub async fn run(mut self, mut inputs: Inputs) {
        if !self.load(&mut inputs.stop).await {
            return;
        }
        let mut is_fed = true;
        loop {
            self.begin_due();
            self.report();
            let wake = self.next_wake();
            tokio::select! {
                () = stopped(&mut inputs.stop) => break,
                moved = inputs.committed.changed(), if is_fed => {
                    // Without a worker nothing fires any more; what waits is delivered nevertheless.
                    is_fed = moved.is_ok();
                    self.take_on_at.get_or_insert_with(Instant::now);
                }
                Some(ended) = self.calls.join_next_with_id(), if !self.calls.is_empty() => self.settle(ended),
                () = inputs.replaced.notified() => self.redirect(&mut inputs.stop).await,
                Some(ask) = inputs.asks.recv() => self.answer(ask).await,
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
            }
            if self.take_on_at.is_some_and(|at| at <= Instant::now()) {
                self.take_on().await;
            }
        }
        let end = Instant::now() + DRAIN_TIMEOUT;
        while let Ok(Some(ended)) = timeout_at(end, self.calls.join_next_with_id()).await {
            self.settle(ended);
        }
        self.report();
        let left = self.calls.len();
        if left > 0 {
            tracing::warn!(left, "calls that had no answer are repeated at the next start");
        }
    }

    /// Says whether it has come to an end; not where it had to stop.
    async fn load(&mut self, stop: &mut watch::Receiver<bool>) -> bool {
        loop {
            let outbox = self.outbox.clone();
            match blocking(move || outbox.load()).await {
                Ok(waiting) => {
                    waiting.into_iter().for_each(|waiting| self.hold(waiting));
                    return true;
                }
                Err(error) => tracing::error!(%error, "deliveries wait for the store"),
            }
            tokio::select! {
                () = stopped(stop) => return false,
                () = tokio::time::sleep(RESTART_PAUSE) => {}
            }
        }
    }

    /// Goes over to the destinations in effect. What waits goes on with the destination that it has now; what has none any
    /// more is dead. Calls that are open end as they were begun.
    async fn redirect(&mut self, stop: &mut watch::Receiver<bool>) {
        let mut before = std::mem::take(&mut self.lanes);
        self.lanes = lanes(&self.outbox, &mut before);
        for name in before.keys() {
            let label = [("destination", &**name)];
            self.outbox.metrics.deliveries_pending.set(&label, 0);
            self.outbox.metrics.deliveries_oldest.set(&label, 0);
        }
        if self.load(stop).await {
            self.take_on_at.get_or_insert_with(Instant::now);
        }
    }

    async fn take_on(&mut self) {
        let lengths = self.lanes.iter().map(|(name, (_, lane))| (name.clone(), lane.len())).collect();
        let outbox = self.outbox.clone();
        self.take_on_at = match blocking(move || outbox.take_on(&lengths)).await {
            Ok(Some(waiting)) => {
                waiting.into_iter().for_each(|waiting| self.hold(waiting));
                Some(Instant::now())
            }
            Ok(None) => None,
            Err(error) => {
                tracing::error!(%error, "firings wait for the store");
                Some(Instant::now() + RESTART_PAUSE)
            }
        };
    }

    fn hold(&mut self, waiting: Waiting) {
        let ahead = waiting.due.0.saturating_sub(clock::now().0);
        let ahead = Duration::from_millis(u64::try_from(ahead).unwrap_or(0)).min(MAX_RETRY_AFTER);
        if let Some((_, lane)) = self.lanes.get_mut(&waiting.destination) {
            lane.hold(waiting.id, waiting.since, Instant::now() + ahead);
        }
    }

    /// Begins calls, one of each destination in turn, until none may be begun.
    fn begin_due(&mut self) {
        let now = Instant::now();
        loop {
            let mut has_begun = false;
            for (name, (destination, lane)) in &mut self.lanes {
                if !may_begin(self.calls.len(), destination, lane) {
                    continue;
                }
                if let Some(id) = lane.begin(now) {
                    let call = call(self.outbox.clone(), destination.clone(), id);
                    self.open.insert(self.calls.spawn(call).id(), (name.clone(), id));
                    has_begun = true;
                }
            }
            if !has_begun {
                return;
            }
        }
    }

    fn next_wake(&self) -> Option<Instant> {
        let open = self.calls.len();
        let free = self.lanes.values().filter(|(destination, lane)| may_begin(open, destination, lane));
        free.filter_map(|(_, lane)| lane.next_due()).chain(self.take_on_at).min()
    }

    fn settle(&mut self, ended: Result<(Id, Settled), JoinError>) {
        let (task, settled) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                tracing::error!(%error, "a call broke off and is repeated");
                (error.id(), Settled::Again { after: FIRST_RETRY, asked: None })
            }
        };
        let Some((name, id)) = self.open.remove(&task) else { return };
        let Some((_, lane)) = self.lanes.get_mut(&name) else { return };
        match settled {
            Settled::Ended => lane.end(id),
            Settled::Again { after, asked } => {
                let now = Instant::now();
                lane.postpone(id, now + after);
                if let Some(asked) = asked {
                    lane.pause(now + asked.min(MAX_RETRY_AFTER));
                }
            }
        }
    }

    async fn answer(&mut self, ask: Ask) {
        let outbox = self.outbox.clone();
        let revived = spawn_blocking(move || outbox.revive(&ask.id)).await;
        let revived = revived.unwrap_or_else(|error| Err(StoreError::damaged("delivery", &error).into()));
        // Whoever asked may have gone.
        let _ = ask.answer.send(revived.map(|waiting| self.hold(waiting)));
    }

    fn report(&self) {
        let metrics = &self.outbox.metrics;
        for (name, (_, lane)) in &self.lanes {
            let label = [("destination", &**name)];
            metrics.deliveries_pending.set(&label, lane.len() as u64);
            let since = lane.oldest().map_or(0, |since| since.0.div_euclid(1_000));
            metrics.deliveries_oldest.set(&label, u64::try_from(since).unwrap_or(0));
        }
    }
}

/// A queue for each destination in effect; that of its name goes on.
fn lanes(
    outbox: &Outbox,
    before: &mut BTreeMap<String, (Arc<Destination>, Lane)>,
) -> BTreeMap<String, (Arc<Destination>, Lane)> {
    let destinations = outbox.destinations();
    let each = destinations.iter().map(|destination| {
        let lane = before.remove(&destination.name).map(|(_, lane)| lane).unwrap_or_default();
        (destination.name.clone(), (destination.clone(), lane))
    });
    each.collect()
}

/// Waits until the task has to end, or nobody is left who could say so.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Whether a destination may have one more call open. Each may have one, however many the others have.
fn may_begin(open: usize, destination: &Destination, lane: &Lane) -> bool {
    lane.open() < destination.calls && (lane.open() == 0 || open < MAX_CALLS)
}

/// One call, from reading what is to be said to writing what has become of it.
async fn call(outbox: Arc<Outbox>, destination: Arc<Destination>, id: CallId) -> Settled {
    let (reading, called) = (outbox.clone(), destination.clone());
    let (firing, delivery, traits) = match blocking(move || reading.open(id, &called)).await {
        Ok(Some(opened)) => opened,
        Ok(None) => return Settled::Ended,
        Err(error) => {
            tracing::error!(%error, "a delivery waits for the store");
            return Settled::Again { after: RESTART_PAUSE, asked: None };
        }
    };
    let verdict = destination.call(&firing, traits).await;
    let (delivery, settled) = weigh(&outbox, &firing, delivery, verdict);
    let mut failed = 0;
    loop {
        let (writing, written) = (outbox.clone(), delivery.clone());
        match blocking(move || writing.write(id, &written)).await {
            Ok(true) => return settled,
            Ok(false) => return Settled::Ended,
            // Only the note is repeated: who has been called is not to be called again for it.
            Err(error) => {
                failed += 1;
                if failed == 1 {
                    tracing::error!(%error, "what has become of a delivery waits for the store");
                }
                sleep(pause(failed, u16::MAX)).await;
            }
        }
    }
}

/// What a verdict makes of a delivery.
fn weigh(outbox: &Outbox, firing: &Firing, mut delivery: Delivery, verdict: Verdict) -> (Delivery, Settled) {
    let now = clock::now();
    delivery.calls = delivery.calls.saturating_add(1);
    let count = |outcome| {
        outbox.metrics.deliveries.add(&[("destination", &delivery.destination), ("outcome", outcome)], 1);
    };
    let mut random = [0; 2];
    // Without a random source all wait alike, which is no worse than no jitter.
    let _ = getrandom::fill(&mut random);
    match verdict {
        Verdict::Done => {
            count("done");
            delivery.finish(now);
        }
        Verdict::Dead(trouble) => outbox.bury(&mut delivery, trouble, firing),
        Verdict::Again(trouble, asked) => {
            let after = pause_asked_for(pause(delivery.calls, u16::from_ne_bytes(random)), asked);
            if gives_up(Timestamp(delivery.since_ms), now, delivery.calls, after) {
                let message =
                    format!("given up after {} calls; the last: {}", delivery.calls, trouble.message);
                outbox.bury(&mut delivery, Trouble::new("given_up", message), firing);
            } else {
                count("again");
                let (destination, code) = (&*delivery.destination, trouble.code);
                if outbox.told.is_news(destination, code, std::time::Instant::now()) {
                    let (rule, message) = (&*firing.rule, &*trouble.message);
                    tracing::warn!(rule, destination, code, "a firing is not delivered yet: {message}");
                }
                let ms = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
                delivery.postpone(trouble, Timestamp(now.0.saturating_add(ms)));
                return (delivery, Settled::Again { after, asked });
            }
        }
    }
    debug_assert!(delivery.state != State::Pending, "it has ended");
    (delivery, Settled::Ended)
}

/// Asks the store where nothing else has to wait for it.
async fn blocking<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    spawn_blocking(ask).await.unwrap_or_else(|error| Err(StoreError::damaged("delivery", &error)))
}
