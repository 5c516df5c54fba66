//! One client behind the byte interface: an operation in, its effects out.

use crate::effects::Effects;
use crate::input::Input;
use alloc::boxed::Box;
use alloc::vec::Vec;
use attune_core::bundle::is_in_share;
use attune_core::client::{Client, ClientOptions, Stored, StoredEvent, Track};
use attune_core::condition::Consent;
use attune_core::id::{LaneId, MemberId};
use attune_core::limits::{PAGE_BATCH_BYTES, PAGE_BATCH_EVENTS, PAGE_QUEUE_BYTES};
use attune_core::queue::{News, Outcome, Poll, QueueOptions, Reachability};
use attune_core::time::Now;
use attune_core::value::ValueRef;
use attune_core::wire::{Closed, Event, LaneSeq, ResultKind};

/// What a host can ask for, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[allow(missing_docs, reason = "docs/page-abi.md describes each")]
pub enum Operation {
    Start = 0,
    Restore = 1,
    StoredEvent = 2,
    Track = 3,
    Identify = 4,
    Reset = 5,
    Follow = 6,
    Lane = 7,
    Context = 8,
    Bundle = 9,
    Profile = 10,
    Gap = 11,
    Outcome = 12,
    Wake = 13,
    Online = 14,
    Farewell = 15,
    Poll = 16,
    Signal = 17,
    Inspect = 18,
    Matches = 19,
    Consent = 20,
    NamedBundle = 21,
    InShare = 22,
    News = 23,
    Forget = 24,
    Forecast = 25,
    Turn = 26,
}

impl Operation {
    /// Every operation at its number.
    const ALL: [Self; 27] = [
        Self::Start,
        Self::Restore,
        Self::StoredEvent,
        Self::Track,
        Self::Identify,
        Self::Reset,
        Self::Follow,
        Self::Lane,
        Self::Context,
        Self::Bundle,
        Self::Profile,
        Self::Gap,
        Self::Outcome,
        Self::Wake,
        Self::Online,
        Self::Farewell,
        Self::Poll,
        Self::Signal,
        Self::Inspect,
        Self::Matches,
        Self::Consent,
        Self::NamedBundle,
        Self::InShare,
        Self::News,
        Self::Forget,
        Self::Forecast,
        Self::Turn,
    ];
}

/// The one client of an instance, and the buffers through which its host talks to it.
#[derive(Default)]
pub struct Page {
    client: Option<Client>,
    /// The sender that the host knows.
    sender: Option<(MemberId, LaneId)>,
    input: Vec<u8>,
    output: Vec<u8>,
    /// What the host knows of whether requests get through.
    reachability: Reachability,
    /// The revision that the host knows to be in effect.
    revision: u64,
}

impl Page {
    /// A page that has not started.
    pub const fn new() -> Self {
        Self {
            client: None,
            sender: None,
            input: Vec::new(),
            output: Vec::new(),
            reachability: Reachability::Open,
            revision: 0,
        }
    }

    /// Room for an input of so many bytes.
    pub fn input(&mut self, length: usize) -> &mut [u8] {
        self.input.resize(length, 0);
        &mut self.input
    }

    /// The output of the last call.
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// Carries out an operation with the first `length` bytes of the input; returns the length of its output.
    pub fn call(&mut self, operation: u32, length: usize) -> usize {
        let bytes = core::mem::take(&mut self.input);
        let mut input = Input::new(bytes.get(..length).unwrap_or(&bytes));
        let mut effects = Effects::default();
        self.operate(operation, &mut input, &mut effects);
        self.output = effects.into_bytes();
        self.input = bytes;
        self.output.len()
    }

    fn operate(&mut self, operation: u32, input: &mut Input<'_>, effects: &mut Effects) {
        let now = input.now();
        let Some(operation) = Operation::ALL.get(operation as usize).copied() else {
            return effects.failed("operation_unknown");
        };
        if operation == Operation::Start {
            self.start(input, now);
        }
        let Some(client) = &mut self.client else { return effects.failed("not_started") };
        match operation {
            Operation::Start => {}
            Operation::Context => {
                let (size, context) = (input.size(), input.value());
                if input.is_sound() {
                    client.handle_context(context, size, now);
                }
            }
            Operation::Bundle => bundle(client, input, client.bundle_revision(), effects, now),
            Operation::NamedBundle => bundle(client, input, 0, effects, now),
            Operation::Wake => client.handle_wake(now),
            Operation::Consent => {
                let consent = Consent::of_bits(input.byte());
                if input.is_sound() {
                    client.handle_consent(consent, now);
                }
            }
            later => operate_later(client, later, input, effects, now),
        }
        if !input.is_sound() {
            effects.failed("input_unreadable");
        }
        let is_question = matches!(
            operation,
            Operation::Signal | Operation::Inspect | Operation::InShare | Operation::Forecast
        );
        if !is_question {
            self.drain(effects);
        }
    }

    #[inline(never)]
    fn start(&mut self, input: &mut Input<'_>, now: Now) {
        let options = ClientOptions {
            member: input.member(),
            lane: input.lane(),
            session: input.session(),
            queue: QueueOptions {
                max_batch_events: PAGE_BATCH_EVENTS,
                max_batch_bytes: PAGE_BATCH_BYTES,
                max_queue_bytes: PAGE_QUEUE_BYTES,
            },
        };
        if input.is_sound() {
            self.sender = Some((options.member.clone(), options.lane));
            // An instance begins once, and ends with its page: no page is to carry what would take a client apart.
            let mut client = Client::new(options, now);
            client.take_turns();
            core::mem::forget(self.client.replace(client));
        }
    }

    /// Everything that the client wants done after an input.
    #[inline(never)]
    fn drain(&mut self, effects: &mut Effects) {
        let Some(client) = &mut self.client else { return };
        let (member, lane) = client.sender();
        let is_known =
            matches!(&self.sender, Some((known, known_lane)) if known == member && *known_lane == lane);
        if !is_known {
            effects.sender(member, lane);
            self.sender = Some((member.clone(), lane));
        }
        client.take_store().iter().for_each(|write| effects.write(write));
        if client.take_expired() {
            effects.expired();
        }
        let revision = client.bundle_revision();
        if core::mem::replace(&mut self.revision, revision) != revision {
            effects.revision(revision);
        }
        client.take_policy().into_iter().for_each(|policy| effects.policy(policy));
        client.take_decisions().iter().for_each(|change| effects.decision(change));
        client.take_exposures().iter().for_each(|exposed| effects.exposed(exposed));
        let reachability = client.reachability();
        if core::mem::replace(&mut self.reachability, reachability) != reachability {
            effects.blocked(reachability);
        }
        if client.wants_turn() {
            effects.turn();
        }
        client.questions().iter().for_each(|question| effects.question(question));
        effects.wake(client.wake_at());
    }
}

/// Takes a bundle whose revision is above another. A function of its own, so that only what a first visit needs of it comes first.
#[inline(never)]
fn bundle(client: &mut Client, input: &mut Input<'_>, above: u64, effects: &mut Effects, now: Now) {
    if let Err(error) = client.handle_bundle_above(input.rest(), above, now) {
        effects.failed(error.code());
    }
}

/// What a page asks for only behind its first decision.
#[inline(never)]
fn operate_later(
    client: &mut Client,
    operation: Operation,
    input: &mut Input<'_>,
    effects: &mut Effects,
    now: Now,
) {
    match operation {
        Operation::Restore => restore(client, input, effects),
        Operation::StoredEvent => stored_event(client, input, now),
        Operation::Track => track(client, input, effects, now),
        Operation::Identify => {
            let (user, fresh) = (input.text(), (input.member(), input.lane()));
            if input.is_sound() {
                client.handle_identify(user, fresh, now);
            }
        }
        Operation::Reset | Operation::Follow | Operation::Forget => {
            let (member, lane, session) = (input.member(), input.lane(), input.session());
            match operation {
                _ if !input.is_sound() => {}
                Operation::Reset => client.handle_reset(member, lane, session, now),
                Operation::Forget => client.handle_forget(member, lane, session, now),
                _ => client.handle_follow(member, lane, session, now),
            }
        }
        Operation::Lane => {
            let lane = input.lane();
            if input.is_sound() {
                client.handle_lane(lane);
            }
        }
        Operation::Profile => {
            if client.handle_profile(input.rest(), now).is_err() {
                effects.failed("profile_invalid");
            }
        }
        Operation::Gap => client.handle_stream_gap(),
        Operation::Turn => client.handle_turn(now),
        Operation::Outcome => outcome(client, input, now),
        Operation::News => news(client, input, now),
        Operation::Online => {
            if input.flag() {
                client.handle_seen(now);
            } else {
                client.handle_online();
            }
        }
        Operation::Farewell => {
            let requests = if input.flag() { client.handle_leave(now) } else { client.handle_hidden(now) };
            requests.iter().for_each(|request| effects.request(request));
        }
        Operation::Poll => match client.poll_send(now) {
            Poll::Send => client.in_flight().into_iter().for_each(|request| effects.request(request)),
            Poll::Probe => effects.probe(),
            Poll::WaitUntil(at) => effects.wait(at.0),
            Poll::Idle => effects.wait(0),
        },
        Operation::Signal => {
            let (name, key) = (input.text(), input.option(Input::text));
            if let Some(value) = client.signal(name, key, now) {
                effects.answer(value);
            }
        }
        Operation::Inspect => effects.inspection(client),
        Operation::InShare => {
            let (seed, share) = (input.text(), input.count() as u32);
            effects.answer(ValueRef::Bool(is_in_share(seed, &client.sender().0.0, share)));
        }
        Operation::Matches => {
            let answers = input.list(Input::flag);
            if input.is_sound() {
                client.handle_matches(answers, now);
            }
        }
        Operation::Forecast => {
            let session = input.session();
            if input.is_sound() {
                client.forecast(session, now, &mut |one| effects.forecast(&one));
            }
        }
        // The page carries these out itself.
        Operation::Start
        | Operation::Context
        | Operation::Bundle
        | Operation::NamedBundle
        | Operation::Wake
        | Operation::Consent => {}
    }
}

#[inline(never)]
fn stored_event(client: &mut Client, input: &mut Input<'_>, now: Now) {
    let (priority, settled) = (input.priority(), input.flag());
    let member = input.member();
    let lane = Some(LaneSeq { lane: input.lane(), seq: input.count() });
    let event = Event {
        event_id: input.event_id(),
        event_type: Box::from(input.text()),
        timestamp: input.time(),
        member,
        lane,
        session: Some(input.session()),
        user_id: None,
        metadata: None,
    };
    let bytes = input.size();
    let (_, metadata) = input.metadata();
    if input.is_sound() {
        client.handle_stored_event(StoredEvent { event, metadata, bytes, priority, settled }, now);
    }
}

fn restore(client: &mut Client, input: &mut Input<'_>, effects: &mut Effects) {
    let (base, latches) = (input.option(Input::bytes), input.option(Input::bytes));
    let user = input.option(|input| Box::from(input.text()));
    let lanes =
        input.list(|input| Closed { member: input.member(), lane: input.lane(), count: input.count() });
    if input.is_sound() {
        let unreadable = client.handle_stored(Stored { lanes, base, latches, user });
        unreadable.into_iter().for_each(|entry| effects.unreadable(entry));
    }
}

#[inline(never)]
fn track(client: &mut Client, input: &mut Input<'_>, effects: &mut Effects, now: Now) {
    let mut track = Track {
        event_id: input.event_id(),
        event_type: input.text(),
        timestamp: input.time(),
        session: input.session(),
        priority: input.priority(),
        bytes: input.size(),
        metadata_bytes: 0,
        metadata: None,
    };
    (track.metadata_bytes, track.metadata) = input.metadata();
    if input.is_sound() {
        match client.handle_track(track, now) {
            Ok(number) => effects.kept(number),
            Err(rejection) => effects.refused(rejection),
        }
    }
}

#[inline(never)]
fn news(client: &mut Client, input: &mut Input<'_>, now: Now) {
    let random = input.random();
    let news = match input.byte() {
        0 => News::Silence,
        1 => News::Status {
            status: input.count() as u16,
            retry_after_ms: input.option(|input| input.time().0.max(0) as u64),
        },
        2 => News::Receipt,
        4 => News::Answer,
        5 => News::NoAnswer,
        _ => News::Blocked,
    };
    if input.is_sound() {
        client.handle_news(news, now, random);
    }
}

#[inline(never)]
fn outcome(client: &mut Client, input: &mut Input<'_>, now: Now) {
    let (random, request) = (input.random(), input.count());
    let mut shift = None;
    let outcome = match input.byte() {
        0 => Outcome::Network,
        3 => Outcome::Offline,
        1 => Outcome::Status {
            status: input.count() as u16,
            retry_after_ms: input.option(|input| input.time().0.max(0) as u64),
            offending: input.list(Input::size),
        },
        _ => {
            let (accepted, shift_ms) = (input.count(), input.time().0);
            // What was new to the collector it has shifted just now.
            shift = (accepted > 0).then_some(shift_ms);
            Outcome::Receipt(input.list(|input| {
                let id = input.event_id();
                (id, if input.byte() == 1 { ResultKind::Rejected } else { ResultKind::Retry })
            }))
        }
    };
    if input.is_sound() {
        shift.into_iter().for_each(|shift_ms| client.handle_clock_shift(shift_ms));
        client.handle_outcome(request, outcome, now, random);
    }
}
