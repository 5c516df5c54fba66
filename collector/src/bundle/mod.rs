//! The bundle source: compiles a watched folder of rule files, signs, numbers and publishes what it amounts to.

mod folder;
mod held;
mod history;
mod import;
mod issuer;
mod key;
mod keyset;
mod orders;
mod published;
mod publisher;
mod signer;
mod statements;
mod trial;
mod watched;

pub use folder::read_sources;
pub use import::import_growthbook;
pub use issuer::{CURRENT_BUNDLE, PublisherParts};
pub use key::{SecretKey, find_key, key_id, parse_public_key, verify_signature};
pub use keyset::{own_keyset, read_keyset};
pub use orders::{Done, Order, OrderError, Orders, signed_body};
pub use published::{Kept, Published, Trial, percent};
pub use publisher::Publisher;
pub use signer::Signer;
pub use trial::TrialSettings;
