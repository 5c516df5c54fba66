//! Who may do what: write keys, proofs of identity, the tokens handed to browsers, the domain of their cookie, and from
//! where somebody asks.

mod cookie_domain;
mod keys;
mod site;
mod token;
mod tombstones;

pub use cookie_domain::CookieDomain;
pub use keys::{AccessError, Identity, KeyFileError, WriteKey, WriteKeys};
pub use site::{Proxies, ProxyHeader, Site};
pub use token::Tokens;
pub use tombstones::{Tombstone, Tombstones};
