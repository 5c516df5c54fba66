//! One policy behind the byte interface: an operation in, an answer out.

use alloc::boxed::Box;
use alloc::vec::Vec;
use attune_core::codec::{Source, Writer};
use attune_core::filter::{Asking, Counts, Kind, Policy, RateState, Sender, Verdict, is_bot, strip};
use attune_core::id::MemberId;
use attune_core::time::{Monotonic, Now, Timestamp};
use attune_core::value::Packed;

/// What an output begins with: a refusal, or what was asked for.
const REFUSED: u8 = 0;
const ANSWERED: u8 = 1;

/// What a host can ask for, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[allow(missing_docs, reason = "docs/filter.md describes each")]
pub enum Operation {
    Policy = 0,
    Judge = 1,
    Strip = 2,
}

impl Operation {
    /// Every operation at its number.
    const ALL: [Self; 3] = [Self::Policy, Self::Judge, Self::Strip];
}

/// A policy, whose events it judges, and how many there have been.
struct Guard {
    policy: Policy,
    sender: Sender,
    rates: RateState,
}

/// The one policy of an instance, and the buffers through which its host talks to it.
#[derive(Default)]
pub struct Door {
    guard: Option<Guard>,
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Door {
    /// A door through which nothing leaves before it has a policy.
    pub const fn new() -> Self {
        Self { guard: None, input: Vec::new(), output: Vec::new() }
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
        let mut source = Source::new(bytes.get(..length).unwrap_or(&bytes));
        let mut out = Writer::new();
        match Operation::ALL.get(operation as usize) {
            Some(Operation::Policy) => self.take_policy(&mut source, &mut out),
            Some(Operation::Judge) => self.judge(&mut source, &mut out),
            Some(Operation::Strip) => self.strip(&mut source, &mut out),
            None => refuse(&mut out, "operation_unknown", ""),
        }
        self.output = out.into_bytes();
        self.input = bytes;
        self.output.len()
    }

    fn take_policy(&mut self, source: &mut Source<'_>, out: &mut Writer) {
        let user_agent = source.str();
        match Policy::decode(source.rest()) {
            Ok(policy) if source.is_sound() => {
                let sender = if is_bot(user_agent) { Sender::Bot } else { Sender::Person };
                self.guard = Some(Guard { policy, sender, rates: RateState::default() });
                out.u8(ANSWERED);
            }
            _ => refuse(out, "filter_invalid", ""),
        }
    }

    fn judge(&mut self, source: &mut Source<'_>, out: &mut Writer) {
        let monotonic = Monotonic(source.f64().max(0.0) as u64);
        let member = MemberId(Box::from(source.str()));
        let event_type = source.str();
        let metadata = Packed::read(source);
        let Some(Guard { policy, sender, rates }) = &mut self.guard else {
            return refuse(out, "not_started", "");
        };
        if !source.is_sound() {
            return refuse(out, "input_unreadable", "");
        }
        // No rule of a policy looks at the wall clock.
        let now = Now { wall: Timestamp::default(), monotonic };
        let asking = Asking { event_type, member: &member, metadata: metadata.get(), sender: *sender, now };
        match policy.judge(&asking, rates) {
            Verdict::Keep(kept) => {
                out.u8(ANSWERED);
                counts(&kept.redacted, out);
                kept.metadata.get().encode(out);
            }
            Verdict::Drop(reason) => refuse(out, reason.code(), &reason.message()),
        }
    }

    fn strip(&mut self, source: &mut Source<'_>, out: &mut Writer) {
        let value = Packed::read(source);
        let Some(Guard { policy, .. }) = &self.guard else { return refuse(out, "not_started", "") };
        if !source.is_sound() {
            return refuse(out, "input_unreadable", "");
        }
        let mut redacted = Counts::default();
        let stripped = strip(value.get(), policy.redact, &policy.url_params, &mut redacted);
        out.u8(ANSWERED);
        counts(&redacted, out);
        stripped.get().encode(out);
    }
}

fn counts(redacted: &Counts, out: &mut Writer) {
    for kind in Kind::ALL {
        out.u64(redacted.of(kind).into());
    }
}

fn refuse(out: &mut Writer, code: &str, message: &str) {
    out.u8(REFUSED);
    out.str(code);
    out.str(message);
}
