//! What a page trusts, as WebAssembly: from its keys over a key set and a statement to the bundle, behind a byte
//! interface with zero imports, as `docs/trust.md` describes it.
#![cfg_attr(feature = "page", no_std)]

extern crate alloc;

#[cfg(feature = "page")]
mod abi;
mod asked;
mod checks;
mod desk;
mod keeper;
#[cfg(any(feature = "verifier", test))]
mod own;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "what cannot be is a failed test")]
mod scenario;

pub use asked::Asked;
pub use checks::{Checks, Question};
pub use desk::{Desk, Operation};
pub use keeper::{Keeper, Known, Named, Terms};
