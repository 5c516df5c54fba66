//! Why the worker cannot go on.

use crate::profile::StoreError;
use attune_core::profile::SnapshotError;
use std::fmt;
use std::io;

/// Why the worker cannot go on.
#[derive(Debug)]
pub enum WorkerError {
    /// The store is broken.
    Store(StoreError),
    /// The log cannot be read.
    Log(io::Error),
    /// The store holds a state that cannot be restored.
    State(SnapshotError),
    /// It was told to stop within what is committed as a whole.
    Stopped,
    /// The store holds what cannot be read.
    Damaged(&'static str),
}

impl fmt::Display for WorkerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Log(error) => error.fmt(f),
            Self::State(error) => write!(f, "profile store: {}: {error}", error.code()),
            Self::Stopped => f.write_str("stopped while signals were filled from the log, which begins anew"),
            Self::Damaged(what) => write!(f, "profile store: a {what} is not of a form this version reads"),
        }
    }
}

impl From<StoreError> for WorkerError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<SnapshotError> for WorkerError {
    fn from(error: SnapshotError) -> Self {
        Self::State(error)
    }
}

impl From<io::Error> for WorkerError {
    fn from(error: io::Error) -> Self {
        Self::Log(error)
    }
}
