//! Delivery: what the client's queue wants sent goes out after the task that captured it, and settles by receipt.

use super::Driver;
use super::fresh::now;
use crate::browser::fetch::{Answer, post};
use crate::browser::random::random_u64;
use crate::browser::timer::Timer;
use crate::host::Fault;
use attune_core::client::Client;
use attune_core::id::MemberId;
use attune_core::queue::{Outcome, Poll, Request};
use attune_core::value::Value;
use attune_core::wire::{Receipt, ResultKind, parse_receipt};
use std::cell::{Cell, OnceCell};
use wasm_bindgen::prelude::*;
use web_sys::window;

/// When the client is asked next what it wants sent.
#[derive(Default)]
pub struct Delivery {
    timer: Timer,
    pump: OnceCell<Closure<dyn FnMut()>>,
    is_requested: Cell<bool>,
    /// Status of the last refusal that was reported, so that a repeated one is not.
    refusal: Cell<u16>,
}

impl Delivery {
    /// Asks no more.
    pub fn end(&self) {
        self.timer.clear();
        self.is_requested.set(true);
    }
}

impl Driver {
    /// Where batches go.
    pub(super) fn events_url(&'static self) -> String {
        self.url("/v1/events")
    }

    /// An address of the collector with the write key.
    pub(super) fn url(&'static self, path: &str) -> String {
        [&*self.site.collector, path, "?k=", &self.site.write_key].concat()
    }

    /// Asks the client after the current task: `track()` never sends, and events of one task leave together.
    pub(super) fn request_delivery(&'static self) {
        if let Some(window) = window()
            && !self.delivery.is_requested.replace(true)
        {
            let pump = self.delivery.pump.get_or_init(|| Closure::new(|| self.pump()));
            window.queue_microtask(pump.as_ref().unchecked_ref());
        }
    }

    fn pump(&'static self) {
        self.delivery.is_requested.set(false);
        loop {
            match self.poll(|client| client.poll_send(now(), random_u64())) {
                Poll::Send(request) => self.send(request),
                Poll::WaitUntil(at) => {
                    self.delivery.timer.set(at.since(now().monotonic), || self.pump());
                    break;
                }
                Poll::Idle => {
                    self.delivery.timer.clear();
                    break;
                }
            }
        }
        self.drain_writes();
        self.host.changed();
    }

    fn send(&'static self, request: Request) {
        let sender = self.sender.borrow().0.clone();
        let done = Box::new(move |answer| self.answered(request.id, &sender, answer));
        post(&self.events_url(), &request.body, done);
    }

    fn answered(&'static self, request: u64, sender: &MemberId, answer: Option<Answer>) {
        let outcome = match &answer {
            None => Outcome::Network,
            Some(answer) => self.outcome_of(answer),
        };
        let receipt = match &outcome {
            Outcome::Receipt(receipt) => Some(receipt.clone()),
            _ => None,
        };
        self.input(|client, now| client.handle_outcome(request, outcome, now, random_u64()));
        if let Some(receipt) = receipt {
            self.note_receipt(&receipt, sender);
        }
    }

    fn outcome_of(&'static self, answer: &Answer) -> Outcome {
        let text = core::str::from_utf8(&answer.body).unwrap_or_default();
        if answer.status == 200 {
            return match parse_receipt(text) {
                Ok(receipt) => Outcome::Receipt(Box::new(receipt)),
                Err(_) => {
                    let message = "the collector's answer is no receipt; is something else at this address?";
                    self.refused(200, "receipt_invalid", message);
                    Outcome::Network
                }
            };
        }
        let body = Value::parse(text).unwrap_or(Value::Null);
        if (400..500).contains(&answer.status) && !matches!(answer.status, 408 | 429) {
            let says = |name: &str| body.field(name).and_then(Value::as_str).unwrap_or("no reason given");
            let message = ["the collector refuses events: ", says("code"), ": ", says("message")].concat();
            self.refused(answer.status, "collector_refused", &message);
        }
        let offending = match body.field("offending") {
            Some(Value::Array(items)) => {
                items.iter().filter_map(Value::as_number).map(|at| at as usize).collect()
            }
            _ => Vec::new(),
        };
        let retry_after_ms = answer.retry_after.as_deref().and_then(|text| delay_ms(text, now().wall.0));
        Outcome::Status { status: answer.status, retry_after_ms, offending }
    }

    fn refused(&'static self, status: u16, code: &str, message: &str) {
        if self.delivery.refusal.replace(status) != status {
            self.report(code, message, Fault::Environment);
        }
    }

    fn note_receipt(&'static self, receipt: &Receipt, sender: &MemberId) {
        self.delivery.refusal.set(0);
        for row in receipt.results.iter().filter(|row| row.result != ResultKind::Retry) {
            let code = if row.result == ResultKind::Rejected { "event_rejected" } else { "event_warning" };
            let message = ["event ", &*row.event_id, ": ", &*row.code, ": ", &*row.message].concat();
            self.report(code, &message, Fault::Usage);
        }
        // A receipt that comes after a new member has begun speaks of the one before.
        if self.sender.borrow().0 == *sender {
            self.note_tokens(receipt.member_token.as_deref(), receipt.stream_token.as_deref());
        }
        if self.poll(|client| Client::known_revision(client) > client.bundle_revision()) {
            self.fetch_bundle();
        }
    }
}

/// `Retry-After` as a delay: seconds, or a date that browsers can read.
fn delay_ms(text: &str, wall_ms: i64) -> Option<u64> {
    match text.trim().parse::<u64>() {
        Ok(seconds) => Some(seconds.saturating_mul(1_000)),
        Err(_) => {
            let date = js_sys::Date::parse(text);
            (!date.is_nan()).then(|| (date as i64).saturating_sub(wall_ms).max(0) as u64)
        }
    }
}
