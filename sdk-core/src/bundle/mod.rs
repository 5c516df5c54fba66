//! Bundles: the signed envelope and the compiled body.

#[cfg(feature = "author")]
pub mod author;
mod body;
mod envelope;

use crate::profile::SignalTable;
use crate::rules::Rule;
use alloc::boxed::Box;
use alloc::vec::Vec;

pub use envelope::{Envelope, SIGNATURE_BYTES, open_envelope, seal_envelope};

/// A bundle ready to be evaluated.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bundle {
    /// Its revision; 0 for the empty bundle before the first.
    pub revision: u64,
    /// Its signals, the hidden ones of caps included.
    pub signals: SignalTable,
    /// Its rules, in order of id.
    pub rules: Vec<Rule>,
    /// Slots in order of name.
    pub slots: Vec<Box<str>>,
}
