//! Bundles: the signed envelope and the compiled body.

#[cfg(feature = "author")]
pub mod author;
mod body;
mod current;
mod delta;
mod document;
mod envelope;
mod error;
mod keyset;
mod verify;

use crate::experiment::TrialTable;
use crate::model::ModelTable;
use crate::profile::SignalTable;
use crate::rules::{RuleRef, RuleTable, Succession};
use crate::time::Timestamp;
use alloc::boxed::Box;

pub use body::{BODY_VERSION, Parts, decode_body, encode_body, policy_of, settle_body};
pub use current::{
    Candidate, Current, OpenedCurrent, WHOLE_SHARE, is_in_share, open_current, seal_current, verify_current,
};
pub use delta::{Delta, open_delta, verify_delta};
pub use document::SIGNATURE_BYTES;
pub use envelope::{Envelope, HASH_BYTES, Header, attach_signature, open_envelope, seal_envelope};
pub use error::BundleError;
pub use keyset::{KeySet, KeySetEntry, OpenedKeySet, PUBLIC_KEY_BYTES, open_keyset, seal_keyset};
pub use verify::{Demands, KeyOf, Refused, VerifySignature, verify_envelope, verify_keyset};

/// A bundle ready to be evaluated, in place, from the bytes it was published as.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bundle {
    /// Its revision; 0 for the empty bundle before the first.
    pub revision: u64,
    /// When it ends, as its envelope says.
    pub expires: Option<Timestamp>,
    /// Its signals, the hidden ones of caps included.
    pub signals: SignalTable,
    /// Its models, in order of id.
    pub models: ModelTable,
    /// Its filter policy, in the form that [`Policy::decode`](crate::filter::Policy::decode) reads; empty where it has
    /// none. It is not read here, so that pages without one need not carry what reads it.
    pub policy: Box<[u8]>,
    /// Its experiments, each behind those it reads.
    pub experiments: TrialTable,
    /// Its rules, in order of id, and its slots, in order of name.
    pub rules: RuleTable,
}

impl Bundle {
    /// Reads an envelope and the body inside; the signature is the caller's to verify, over [`Envelope::signed`].
    ///
    /// # Errors
    /// What is wrong with the bytes; whoever has an older bundle keeps it.
    pub fn open(bytes: &[u8]) -> Result<Self, BundleError> {
        let envelope = open_envelope(bytes)?;
        let mut bundle = decode_body(envelope.body)?;
        bundle.take_header(&envelope.header);
        Ok(bundle)
    }

    /// Reads the envelope of a bundle that follows another, as [`Self::open`] does, in the time that what differs takes
    /// besides a look at the bytes; and says what is the same, for whoever has an index to bring up to date.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub fn open_after(bytes: &[u8], before: &Self) -> Result<(Self, Succession), BundleError> {
        let envelope = open_envelope(bytes)?;
        let (mut bundle, succession) = body::decode_body_after(envelope.body, before)?;
        bundle.take_header(&envelope.header);
        Ok((bundle, succession))
    }

    fn take_header(&mut self, header: &Header<'_>) {
        (self.revision, self.expires) = (header.revision, header.expires);
    }

    /// The rule of an id.
    pub fn rule(&self, id: &str) -> Option<RuleRef<'_>> {
        self.rules.by_id(id)
    }
}
