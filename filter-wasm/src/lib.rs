//! What may leave a page, as WebAssembly: a filter policy behind a byte interface with zero imports, as
//! `docs/filter.md` describes it.
#![cfg_attr(feature = "page", no_std)]

extern crate alloc;

#[cfg(feature = "page")]
mod abi;
mod door;

pub use door::{Door, Operation};
