//! The stream from the collector: profiles and bundle revisions, opened with a short-lived token.

use super::Driver;
use crate::browser::base64::decode_base64;
use crate::browser::fetch::{Answer, post};
use crate::browser::lifecycle::is_hidden;
use crate::browser::random::random_u64;
use crate::browser::storage::Storage;
use crate::browser::stream::{Stream, StreamEvent};
use crate::browser::timer::Timer;
use crate::host::Fault;
use attune_core::client::Client;
use attune_core::id::MemberId;
use attune_core::value::{Value, write_string};
use std::cell::{Cell, RefCell};

/// Key of the member token, stored behind the member it is for.
const TOKEN: &str = "token";
/// First delay before the stream is opened again; later ones double.
const REOPEN_BASE_MS: u64 = 500;
/// How often the delay doubles: up to 32 s.
const MAX_DOUBLINGS: u32 = 6;
/// Time after which a hidden page gives its connection up: browsers allow six per server over HTTP/1.1.
const HIDDEN_MS: u64 = 5_000;

/// How the stream stands, and what it takes to open it.
pub struct Push {
    state: RefCell<State>,
    timer: Timer,
    member_token: RefCell<Option<Box<str>>>,
    last_event_id: RefCell<String>,
    failures: Cell<u32>,
    /// Answers to questions asked before are of no use after this has changed.
    era: Cell<u32>,
}

enum State {
    /// Not wanted, or impossible without a token.
    Closed,
    /// On the way: a token is asked for, or a pause lies before that.
    Connecting,
    /// Open.
    Open { _stream: Stream },
}

impl Push {
    /// A closed stream, with the member token that an earlier page load stored.
    pub fn new(storage: &Storage, member: &MemberId) -> Self {
        let stored = storage.get(TOKEN).and_then(|bytes| String::from_utf8(bytes).ok());
        let token = stored.as_deref().and_then(|text| token_of(text, member));
        Self {
            state: RefCell::new(State::Closed),
            timer: Timer::default(),
            member_token: RefCell::new(token),
            last_event_id: RefCell::default(),
            failures: Cell::new(0),
            era: Cell::new(0),
        }
    }

    /// The state's name for a developer panel.
    pub fn name(&self) -> &'static str {
        match *self.state.borrow() {
            State::Closed => "closed",
            State::Connecting => "connecting",
            State::Open { .. } => "open",
        }
    }

    fn is_closed(&self) -> bool {
        matches!(*self.state.borrow(), State::Closed)
    }

    fn enter(&self, state: State) {
        // The state before may be a stream that is just calling; it goes after the cell is free.
        let before = self.state.replace(state);
        drop(before);
    }
}

/// The member token in a stored text, if it is this member's.
fn token_of(stored: &str, member: &MemberId) -> Option<Box<str>> {
    let (owner, token) = stored.split_once('\n')?;
    (owner == &*member.0).then(|| token.into())
}

impl Driver {
    /// Takes the token that another tab of this member has stored, and opens the stream with it.
    pub fn take_token(&'static self, stored: &str) {
        let token = token_of(stored, &self.sender.borrow().0);
        if let Some(token) = token {
            self.push.member_token.replace(Some(token));
            self.open_push();
        }
    }

    /// Takes the tokens of a receipt; opens the stream where it is closed.
    pub(super) fn note_tokens(&'static self, member_token: Option<&str>, stream_token: Option<&str>) {
        if let Some(token) = member_token
            && self.push.member_token.borrow().as_deref() != Some(token)
        {
            self.push.member_token.replace(Some(token.into()));
            let value = [&*self.sender.borrow().0.0, "\n", token].concat();
            self.storage.put(TOKEN, value.as_bytes());
        }
        // A receipt says that the collector answers again, so a pause before the next try is over.
        let pauses = matches!(*self.push.state.borrow(), State::Connecting) && self.push.timer.is_set();
        if let Some(token) = stream_token
            && (self.push.is_closed() || pauses)
            && !is_hidden()
        {
            self.push.timer.clear();
            self.open_stream(token);
        }
    }

    /// Forgets a member's tokens and stream.
    pub(super) fn forget_push(&'static self) {
        self.close_push();
        self.push.member_token.replace(None);
        self.push.last_event_id.take();
        self.storage.delete(TOKEN);
    }

    /// Closes the stream until it is opened again.
    pub(super) fn close_push(&'static self) {
        self.push.timer.clear();
        self.push.era.set(self.push.era.get().wrapping_add(1));
        self.push.enter(State::Closed);
    }

    /// Gives the connection up if the page stays hidden.
    pub(super) fn rest_push(&'static self) {
        self.push.timer.set(HIDDEN_MS, || {
            if is_hidden() {
                self.close_push();
                self.host.changed();
            }
        });
    }

    /// Opens the stream where it is closed and a member token is known.
    pub(super) fn open_push(&'static self) {
        match *self.push.state.borrow() {
            State::Closed => {}
            // It was about to be given up.
            State::Open { .. } => return self.push.timer.clear(),
            State::Connecting => return,
        }
        if !is_hidden() {
            self.ask_stream_token();
        }
    }

    fn ask_stream_token(&'static self) {
        let Some(token) = self.push.member_token.borrow().clone() else {
            return self.push.enter(State::Closed);
        };
        self.push.enter(State::Connecting);
        let mut body = String::from("{\"anonymous_id\":");
        write_string(&self.sender.borrow().0.0, &mut body);
        body.push_str(",\"member_token\":");
        write_string(&token, &mut body);
        body.push('}');
        let era = self.push.era.get();
        let done = Box::new(move |answer| {
            if self.push.era.get() == era {
                self.answered_stream_token(answer);
            }
        });
        post(&self.url("/v1/stream/token"), &body, done);
    }

    fn answered_stream_token(&'static self, answer: Option<Answer>) {
        let Some(answer) = answer else { return self.reopen_later() };
        let body = core::str::from_utf8(&answer.body).ok().and_then(|text| Value::parse(text).ok());
        let token = body.as_ref().and_then(|body| body.field("token")).and_then(Value::as_str);
        match (answer.status, token) {
            (200, Some(token)) => self.open_stream(token),
            // The member token is no longer good; the next receipt brings one.
            (400..=404, _) => {
                self.forget_push();
                self.host.changed();
            }
            _ => self.reopen_later(),
        }
    }

    fn open_stream(&'static self, token: &str) {
        let mut url = [&*self.site.collector, "/v1/stream?token=", token].concat();
        let last_event_id = self.push.last_event_id.borrow();
        if !last_event_id.is_empty() {
            url.push_str("&last_event_id=");
            url.push_str(&last_event_id);
        }
        drop(last_event_id);
        let stream = Stream::open(&url, &["hello", "profile", "bundle"], |event| self.streamed(event));
        self.push.enter(stream.map_or(State::Closed, |stream| State::Open { _stream: stream }));
        self.host.changed();
    }

    fn streamed(&'static self, event: StreamEvent) {
        let StreamEvent::Message { name, data, id } = event else { return self.reopen_later() };
        if !id.is_empty() {
            self.push.last_event_id.replace(id);
        }
        match name {
            "hello" => {
                self.push.failures.set(0);
                let hello = Value::parse(&data).unwrap_or(Value::Null);
                if hello.field("state").and_then(Value::as_str) == Some("gap") {
                    self.poll(Client::handle_stream_gap);
                }
                // The collector answers again: what waits for a retry need not wait longer.
                self.input(|client, _| client.handle_online());
            }
            "profile" => {
                let bytes = decode_base64(&data).unwrap_or_default();
                if self.input(|client, now| client.handle_profile(&bytes, now)).is_err() {
                    self.report("profile_invalid", "a pushed profile cannot be read", Fault::Environment);
                }
            }
            _ => {
                let revision = Value::parse(&data).ok().and_then(|body| body.field("revision")?.as_number());
                if revision.is_some_and(|revision| revision as u64 > self.client.borrow().bundle_revision()) {
                    self.fetch_bundle();
                }
            }
        }
    }

    fn reopen_later(&'static self) {
        let failures = self.push.failures.get();
        self.push.failures.set(failures.saturating_add(1));
        self.push.enter(State::Connecting);
        self.host.changed();
        let delay = REOPEN_BASE_MS << failures.min(MAX_DOUBLINGS);
        self.push.timer.set(delay / 2 + random_u64() % delay, || self.ask_stream_token());
    }
}
