//! What the document is asked for: a path, a signal under one key, or a signal under any.

use crate::condition::{Code, Document, NO_ID, Outlook, PathRef, Root, taken, value_at};
use crate::id::SignalId;
use crate::profile::SignalTable;
use crate::value::{ValueRef, cut};

/// Tag of a signal under one key, above every root's.
pub(in crate::rules) const ONE_KEY: u8 = 0x40;
/// Tag of a signal under keys that are not known beforehand.
pub(in crate::rules) const ALL_KEYS: u8 = 0x41;

/// Tag of whatever there is.
pub(in crate::rules) const ANYTHING: u8 = 0x42;

/// Something that can be read of a visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// The value at a path.
    Path(PathRef<'a>),
    /// The value of a signal under a key.
    Signal(SignalId, &'a str),
    /// Whatever a signal has.
    Keys(SignalId),
    /// Whatever there is.
    Anything,
}

impl<'a> Subject<'a> {
    /// Stands in the place of what an earlier bundle has read: a signal that there is not.
    pub const NOTHING: Self = Self::Keys(NO_ID);

    /// Reads the subject the code begins with.
    pub fn read(code: &mut Code<'a>) -> Self {
        match { *code }.byte() {
            ONE_KEY => {
                code.byte();
                Self::Signal(code.id(), code.text())
            }
            ALL_KEYS => {
                code.byte();
                Self::Keys(code.id())
            }
            ANYTHING => {
                code.byte();
                Self::Anything
            }
            _ => Self::Path(code.path()),
        }
    }

    /// Its value: null where it is missing, nothing where it cannot be known or is not one value.
    pub fn value<'d>(self, document: &'d dyn Document, outlook: &mut Outlook) -> Option<ValueRef<'d>> {
        match self {
            Self::Path(path) => value_at(document, path, outlook),
            Self::Signal(signal, key) => taken(document.signal(signal, key), document, outlook),
            Self::Keys(_) | Self::Anything => None,
        }
    }

    /// The signal it reads, if it reads one.
    pub fn signal(self, signals: &SignalTable) -> Option<SignalId> {
        match self {
            Self::Path(PathRef { root: Root::Signals, rest }) => {
                signals.by_name(cut(rest, b'.').0).map(|signal| signal.id)
            }
            Self::Path(_) | Self::Anything => None,
            Self::Signal(signal, _) | Self::Keys(signal) => Some(signal),
        }
    }
}
