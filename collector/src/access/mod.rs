//! Who may do what: write keys, proofs of identity, and the tokens handed to browsers.

mod keys;
mod token;
mod tombstones;

pub use keys::{AccessError, Identity, KeyFileError, WriteKey, WriteKeys};
pub use token::Tokens;
pub use tombstones::{Tombstone, Tombstones};
