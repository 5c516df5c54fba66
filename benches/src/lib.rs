//! What the benches and the replay share: a collector of their own, and recorded input turned into events.

pub mod collector;
pub mod failure;
pub mod feed;
pub mod instructions;
pub mod load;
pub mod mortal;
pub mod oracle;
pub mod replay;
