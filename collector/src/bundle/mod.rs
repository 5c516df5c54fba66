//! The bundle source: compiles a watched folder of rule files, signs, numbers and publishes what it amounts to.

mod folder;
mod import;
mod publisher;
mod signer;

use crate::content::{Content, Quality, sha256_etag};
use axum::body::Bytes;

pub use folder::read_sources;
pub use import::import_growthbook;
pub use publisher::{Publisher, PublisherParts};
pub use signer::Signer;

/// The bundle in effect, ready to be sent.
#[derive(Debug)]
pub struct Published {
    /// Its revision.
    pub revision: u64,
    /// Strong validator: the hash of the signed envelope.
    pub etag: String,
    /// The signed envelope, with compressed forms.
    pub content: Content,
}

impl Published {
    fn new(revision: u64, envelope: Vec<u8>) -> Self {
        let content = Content::of(Bytes::from(envelope));
        content.compress(Quality::Quick);
        Self { revision, etag: sha256_etag(content.identity()), content }
    }
}
