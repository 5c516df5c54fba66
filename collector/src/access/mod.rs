//! Who may do what: write keys, proofs of identity, the tokens handed to browsers, and the domain of their cookie.

mod cookie_domain;
mod keys;
mod token;
mod tombstones;

pub use cookie_domain::CookieDomain;
pub use keys::{AccessError, Identity, KeyFileError, WriteKey, WriteKeys};
pub use token::Tokens;
pub use tombstones::{Tombstone, Tombstones};
