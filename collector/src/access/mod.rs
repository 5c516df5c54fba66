//! Who may do what: write keys, proofs of identity, and the tokens handed to browsers.

mod keys;
mod secret;
mod token;

pub use keys::{AccessError, Identity, KeyFileError, WriteKey, WriteKeys};
pub use secret::{Secret, hex, same_secret};
pub use token::Tokens;
