//! The web APIs, one per file. Nothing here knows Attune.

pub mod base64;
pub mod beacon;
pub mod clock;
pub mod compression;
pub mod dom;
pub mod fetch;
pub mod lifecycle;
pub mod locks;
pub mod promise;
pub mod random;
pub mod storage;
pub mod stream;
pub mod timer;
