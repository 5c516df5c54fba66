//! The native shell of Attune: takes events in, keeps profiles, fires triggers, pushes to open pages.
//!
//! The way of an event: [`http`] → [`ingest`] → [`log`] → [`worker`] → [`profile`] store and [`push`] hub.
#![forbid(unsafe_code)]

pub mod access;
pub mod assets;
pub mod author;
mod bell;
pub mod bundle;
mod clock;
pub mod compat;
mod content;
mod descriptors;
pub mod enrich;
pub mod hex;
pub mod http;
pub mod ingest;
pub mod limits;
pub mod log;
pub mod metrics;
pub mod profile;
pub mod push;
pub mod query;
mod reload;
mod rooms;
mod secret;
mod selftest;
mod server;
pub mod settings;
#[cfg(test)]
mod simulation;
pub mod trigger;
mod whole_file;
pub mod worker;

pub use bell::Bell;
pub use rooms::StartError;
pub use server::Server;
