//! Who may do what: write keys, proofs of identity, the tokens handed to browsers, the domain of their cookie, from
//! where somebody asks, and how much.

mod cookie_domain;
mod keys;
mod rate;
mod site;
mod throttle;
mod token;
mod tombstones;
mod used;

pub use cookie_domain::CookieDomain;
pub use keys::{AccessError, Identity, KeyFileError, WriteKey, WriteKeys, id_of};
pub use rate::{AddressLimits, KeyLimits, Rate};
pub use site::{Proxies, ProxyHeader, Site};
pub use throttle::{Allowed, Limited, Throttle};
pub use token::Tokens;
pub use tombstones::{Tombstone, Tombstones};
pub use used::{Used, Uses};
