//! Definitions of signals and the identity that follows from them.

use crate::codec::{CodecError, Reader, Writer};
use crate::condition::{
    Condition, Packer, Path, Unpacker, decode_condition, decode_path, encode_condition, encode_path,
};
use crate::hash::key_hash;
use crate::id::SignalId;
use crate::limits::MAX_WINDOW_MS;
use crate::time::Timestamp;
use alloc::boxed::Box;

/// A named windowed aggregate over events.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// Hash of the canonical definition (everything below but the name); tiles are kept under it.
    pub id: SignalId,
    /// The name that conditions use.
    pub name: Box<str>,
    /// The event type it looks at; `*` for all.
    pub on: Box<str>,
    /// Which of those events count.
    pub filter: Option<Condition>,
    /// Where the key is found, for one value per key.
    pub by: Option<Path>,
    /// Where the value is found, for `sum`.
    pub of: Option<Path>,
    /// How events are folded.
    pub aggregate: Aggregate,
    /// Over which time.
    pub window: Window,
}

/// How events are folded into one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// Number of events.
    Count,
    /// Sum of `of`, in micro-units.
    Sum,
    /// Time of the latest event.
    LastAt,
}

/// The time a signal looks back over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The buckets (⌊now/g⌋ − W/g, ⌊now/g⌋] of event time.
    Sliding {
        /// W, in milliseconds; a multiple of `bucket_ms`.
        window_ms: i64,
        /// g, in milliseconds.
        bucket_ms: i64,
    },
    /// The current session.
    Session,
    /// All time.
    Lifetime,
}

/// The identity of a definition: the hash of its binary form without id and name.
pub fn signal_id(signal: &Signal) -> SignalId {
    let mut packer = Packer::new();
    encode_definition(signal, &mut packer);
    SignalId(key_hash(&packer.finish()))
}

/// Appends a signal's binary form, its id included, so that a page need not hash.
pub fn encode_signal(signal: &Signal, packer: &mut Packer) {
    packer.id(signal.id);
    packer.text(&signal.name);
    encode_definition(signal, packer);
}

/// Reads a signal's binary form; unknown kinds and windows out of bounds fail the source.
pub fn decode_signal(source: &mut Unpacker<'_>) -> Signal {
    Signal {
        id: source.id(),
        name: source.text(),
        on: source.text(),
        filter: source.option(decode_condition),
        by: source.option(decode_path),
        of: source.option(decode_path),
        aggregate: match source.byte() {
            0 => Aggregate::Count,
            1 => Aggregate::Sum,
            2 => Aggregate::LastAt,
            _ => {
                source.fail();
                Aggregate::Count
            }
        },
        window: source.read(Window::Lifetime, Window::decode),
    }
}

impl Window {
    /// The newest bucket of a sliding window at an instant and the number of buckets it spans.
    pub(crate) fn buckets_at(self, at: Timestamp) -> Option<(i64, i64)> {
        match self {
            Self::Sliding { window_ms, bucket_ms } => {
                Some((at.0.checked_div_euclid(bucket_ms)?, window_ms.checked_div(bucket_ms)?))
            }
            Self::Session | Self::Lifetime => None,
        }
    }

    /// Appends the binary form.
    pub fn encode(self, out: &mut Writer) {
        match self {
            Self::Lifetime => out.u8(0),
            Self::Session => out.u8(1),
            Self::Sliding { window_ms, bucket_ms } => {
                out.u8(2);
                out.i64(window_ms);
                out.i64(bucket_ms);
            }
        }
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// Fails on bytes that end early, unknown kinds and windows that are no multiple of their bucket.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        match reader.u8()? {
            0 => Ok(Self::Lifetime),
            1 => Ok(Self::Session),
            2 => {
                let (window_ms, bucket_ms) = (reader.i64()?, reader.i64()?);
                let sound = bucket_ms > 0 && window_ms >= bucket_ms && window_ms <= MAX_WINDOW_MS;
                if sound && window_ms % bucket_ms == 0 {
                    Ok(Self::Sliding { window_ms, bucket_ms })
                } else {
                    Err(CodecError)
                }
            }
            _ => Err(CodecError),
        }
    }
}

fn encode_definition(signal: &Signal, packer: &mut Packer) {
    packer.text(&signal.on);
    packer.out.bool(signal.filter.is_some());
    if let Some(filter) = &signal.filter {
        encode_condition(filter, packer);
    }
    for path in [&signal.by, &signal.of] {
        packer.out.bool(path.is_some());
        if let Some(path) = path {
            encode_path(path, packer);
        }
    }
    packer.out.u8(match signal.aggregate {
        Aggregate::Count => 0,
        Aggregate::Sum => 1,
        Aggregate::LastAt => 2,
    });
    signal.window.encode(&mut packer.out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::Root;

    fn signal() -> Signal {
        let mut signal = Signal {
            id: SignalId(0),
            name: Box::from("views"),
            on: Box::from("page_view"),
            filter: None,
            by: Some(Path { root: Root::Bare, rest: Box::from("metadata.category") }),
            of: None,
            aggregate: Aggregate::Count,
            window: Window::Sliding { window_ms: 300_000, bucket_ms: 10_000 },
        };
        signal.id = signal_id(&signal);
        signal
    }

    #[test]
    fn identity_follows_the_definition_and_not_the_name() {
        let renamed = Signal { name: Box::from("other"), ..signal() };
        let longer = Signal { window: Window::Session, ..signal() };
        assert_eq!(signal_id(&renamed), signal().id);
        assert_ne!(signal_id(&longer), signal().id);
    }

    #[test]
    fn binary_form_keeps_the_definition_and_refuses_windows_without_buckets() {
        let mut packer = Packer::new();
        encode_signal(&signal(), &mut packer);
        let bytes = packer.finish();
        let mut source = Unpacker::new(&bytes);
        assert_eq!(decode_signal(&mut source), signal());
        assert_eq!(source.finish(), Ok(()));
        let mut out = Writer::new();
        Window::Sliding { window_ms: 10, bucket_ms: 0 }.encode(&mut out);
        assert_eq!(Window::decode(&mut Reader::new(&out.into_bytes())), Err(CodecError));
    }
}
