//! One chain of trust behind the byte interface: an operation in, a verdict or a question out.

use crate::checks::{Checks, Question};
use crate::keeper::{Keeper, Known, Terms};
use alloc::string::ToString;
use alloc::vec::Vec;
use attune_core::codec::{Source, Writer};
use attune_core::time::Timestamp;

/// Most trusted keys of a page, as its options allow.
const MAX_TRUST_KEYS: usize = 16;

/// What an output begins with: a refusal, one of two questions, or what was taken.
const REFUSED: u8 = 0;
const SIGNATURE: u8 = 1;
const HASH: u8 = 2;
const TAKEN: u8 = 3;

/// What a host can ask for, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[allow(missing_docs, reason = "docs/trust.md describes each")]
pub enum Operation {
    Start = 0,
    Keys = 1,
    Current = 2,
    Bundle = 3,
}

impl Operation {
    /// Every operation at its number.
    const ALL: [Self; 4] = [Self::Start, Self::Keys, Self::Current, Self::Bundle];
}

/// The one keeper of an instance, and the buffers through which its host talks to it.
#[derive(Default)]
pub struct Desk {
    keeper: Option<Keeper>,
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Desk {
    /// A desk that has not started.
    pub const fn new() -> Self {
        Self { keeper: None, input: Vec::new(), output: Vec::new() }
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
        self.operate(operation, &mut source, &mut out);
        self.output = out.into_bytes();
        self.input = bytes;
        self.output.len()
    }

    fn operate(&mut self, operation: u32, source: &mut Source<'_>, out: &mut Writer) {
        let now = Timestamp(source.f64() as i64);
        let answers = source.bytes();
        let operation = Operation::ALL.get(operation as usize).copied();
        if operation == Some(Operation::Start) {
            self.keeper = start(source);
            return match self.keeper {
                Some(_) => out.u8(TAKEN),
                None => fail(out, "input_unreadable"),
            };
        }
        match (operation, &mut self.keeper) {
            (None, _) => fail(out, "operation_unknown"),
            (_, None) => fail(out, "not_started"),
            (Some(operation), Some(keeper)) => {
                judge(keeper, operation, source, now, checks(answers), out);
            }
        }
    }
}

#[cfg(not(feature = "verifier"))]
const fn checks(answers: &[u8]) -> crate::asked::Asked<'_> {
    crate::asked::Asked::new(answers)
}

#[cfg(feature = "verifier")]
const fn checks(_answers: &[u8]) -> crate::own::Own {
    crate::own::Own
}

fn start(source: &mut Source<'_>) -> Option<Keeper> {
    let mut terms = Terms::default();
    for _ in 0..source.count().min(MAX_TRUST_KEYS) {
        terms.trust.push(source.array());
    }
    terms.project = source.option(Source::boxed_str);
    terms.environment = source.option(Source::boxed_str);
    source.is_whole().then(|| Keeper::new(terms))
}

/// Writes the verdict on what is offered or, where the host has to answer first, the question.
fn judge(
    keeper: &mut Keeper,
    operation: Operation,
    source: &mut Source<'_>,
    now: Timestamp,
    checks: impl Checks,
    out: &mut Writer,
) {
    let mut taken = Writer::new();
    taken.u8(TAKEN);
    let known =
        source.option(|source| Known { revision: source.u64(), issued_at: Timestamp(source.f64() as i64) });
    let unit = source.str();
    if !source.is_sound() {
        return fail(out, "input_unreadable");
    }
    let bytes = source.rest();
    let verdict = match operation {
        Operation::Start => Ok(()),
        Operation::Keys => {
            let revision = known.map(|known| known.revision);
            keeper.take_keys(bytes, revision, now, &checks).map(|revision| taken.u64(revision))
        }
        Operation::Current => keeper.take_current(bytes, known, unit, now, &checks).map(|named| {
            taken.u64(named.known.revision);
            taken.f64(named.known.issued_at.0 as f64);
            taken.f64(named.expires.0 as f64);
            taken.u64(named.revision);
            taken.bytes(&named.hash);
        }),
        Operation::Bundle => keeper.take_bundle(bytes, now, &checks).map(|envelope| taken.bytes(envelope)),
    };
    match (checks.question(), verdict) {
        (Some(question), _) => ask(out, &question),
        (None, Ok(())) => *out = taken,
        (None, Err(refused)) => refuse(out, refused.code(), &refused.to_string()),
    }
}

fn ask(out: &mut Writer, question: &Question) {
    match question {
        Question::Signature { key, signature, bytes } => {
            out.u8(SIGNATURE);
            out.bytes(key);
            out.bytes(signature);
            out.bytes(bytes);
        }
        Question::Hash(bytes) => {
            out.u8(HASH);
            out.bytes(bytes);
        }
    }
}

/// What the host has not said as it should.
fn fail(out: &mut Writer, code: &str) {
    refuse(out, code, "the host of the chain of trust has made a mistake");
}

fn refuse(out: &mut Writer, code: &str, message: &str) {
    out.u8(REFUSED);
    out.str(code);
    out.str(message);
}
