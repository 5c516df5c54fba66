//! Bundles: the signed envelope and the compiled body.

#[cfg(feature = "author")]
pub mod author;
mod body;
mod envelope;
mod error;

use crate::profile::SignalTable;
use crate::rules::{Rule, Slot};
use alloc::vec::Vec;

pub use body::{BODY_VERSION, decode_body, encode_body};
pub use envelope::{Envelope, Header, SIGNATURE_BYTES, attach_signature, open_envelope, seal_envelope};
pub use error::BundleError;

/// A bundle ready to be evaluated.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bundle {
    /// Its revision; 0 for the empty bundle before the first.
    pub revision: u64,
    /// Its signals, the hidden ones of caps included.
    pub signals: SignalTable,
    /// Its rules, in order of id.
    pub rules: Vec<Rule>,
    /// Its slots in order of name, each with its rules in the order in which they win.
    pub slots: Vec<Slot>,
}

impl Bundle {
    /// Reads an envelope and the body inside; the signature is the caller's to verify, over [`Envelope::signed`].
    ///
    /// # Errors
    /// What is wrong with the bytes; whoever has an older bundle keeps it.
    pub fn open(bytes: &[u8]) -> Result<Self, BundleError> {
        let envelope = open_envelope(bytes)?;
        let mut bundle = decode_body(envelope.body)?;
        bundle.revision = envelope.header.revision;
        Ok(bundle)
    }

    /// The rule of an id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.binary_search_by(|rule| (*rule.id).cmp(id)).ok().and_then(|index| self.rules.get(index))
    }
}
