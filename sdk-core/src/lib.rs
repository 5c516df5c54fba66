//! Attune's decisions: signals, conditions, rules and the delivery queue, free of clock, chance and I/O.
//!
//! Two façades are offered: [`client`] for a page and [`processor`] for a server. Both are pure state machines:
//! the host hands in bytes, [`time::Now`] and random bytes, and polls for what to do.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod codec;
pub mod hash;
pub mod id;
pub mod limits;
pub mod time;
pub mod value;

pub mod condition;
pub mod experiment;
pub mod wire;

#[cfg(feature = "author")]
pub mod growthbook;

pub mod filter;
pub mod profile;
pub mod queue;

pub mod model;
pub mod rules;

pub mod bundle;

pub mod client;
pub mod processor;
