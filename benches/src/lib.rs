//! What the benches and the replay share: a collector of their own, recorded input turned into events, an open-loop
//! generator, and the servers that are measured beside the collector.

pub mod chance;
pub mod collector;
pub mod failure;
pub mod feed;
pub mod instructions;
pub mod mortal;
pub mod open_loop;
pub mod options;
pub mod oracle;
pub mod peers;
pub mod process;
pub mod replay;
pub mod rules;
pub mod search;
pub mod traffic;
