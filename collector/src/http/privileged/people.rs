//! Schemas of what is told and written about profiles, and of write keys.
#![expect(dead_code, reason = "only the schemas are used")]

use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::{IntoResponses, ToSchema};

/// What goes wrong where something is written behind what has come before.
#[derive(IntoResponses)]
pub enum WriteTroubles {
    /// `draining`: the collector is shutting down; `disk_full`: there is too little room; `log_busy`: too much waits for the log;
    /// `log_disk_error`: it could not be written; `log_frame_too_large`: more is to be written than it holds in one piece;
    /// `profile_busy`: what is written depends on a profile of which more comes than can be waited for; `store_broken`: the
    /// disk or what is on it cannot be used; `not_settled`: the worker has not caught up in time; `memory_busy`: request
    /// bodies fill their memory. `Retry-After` says when to ask again.
    #[response(status = 503)]
    Not,
}

/// How far an erasure is.
#[derive(ToSchema)]
pub struct Erasure {
    /// `accepted`: it will be carried out, whatever happens; `erased`: it has been.
    state: String,
}

/// What holds behind a write of traits.
#[derive(ToSchema)]
pub struct Patched {
    /// The profile.
    profile: String,
    /// Its version.
    version: u64,
    /// The event by which they were written.
    #[schema(format = "uuid")]
    event_id: String,
    /// All of its traits by name.
    traits: BTreeMap<String, Value>,
    /// Names of the patch without effect: a later write stands, or the profile has as many traits as it may.
    superseded: Vec<String>,
}

/// A write of traits that is durable, and not taken in yet.
#[derive(ToSchema)]
pub struct PatchAccepted {
    /// `accepted`.
    state: String,
    /// The event by which they are written.
    #[schema(format = "uuid")]
    event_id: String,
}

/// Write keys.
#[derive(ToSchema)]
pub struct Keys {
    /// What bundles are signed for.
    project: String,
    /// What bundles are signed for.
    environment: String,
    /// The keys, in order of `id`.
    keys: Vec<Key>,
}

/// A write key.
#[derive(ToSchema)]
pub struct Key {
    /// 64 bits of its SHA-256, in hex.
    #[schema(pattern = "^[0-9a-f]{16}$")]
    id: String,
    /// Its beginning.
    name: String,
    /// Origins of pages that may use it.
    origins: Vec<String>,
    /// `open` or `proven`: how far user ids are believed.
    identity: String,
    /// What events under it may be; null for all.
    #[schema(required = true)]
    event_types: Option<Vec<String>>,
    /// What it may send.
    limits: KeyLimits,
    /// What has come under it since the process began.
    used: KeyUse,
}

/// What a write key may send; null for without end.
#[derive(ToSchema)]
pub struct KeyLimits {
    /// Events a second.
    #[schema(required = true)]
    events_per_second: Option<u32>,
    /// Events at once.
    #[schema(required = true)]
    events_burst: Option<u32>,
    /// Events in a day of UTC.
    #[schema(required = true)]
    events_per_day: Option<u64>,
}

/// What has come under a write key.
#[derive(ToSchema)]
pub struct KeyUse {
    /// Batches whose receipts were given.
    batches: u64,
    /// Events accepted.
    accepted: u64,
    /// Events that were known already.
    duplicates: u64,
    /// Events refused.
    rejected: u64,
    /// When the last batch came; null where none has.
    #[schema(required = true, format = DateTime)]
    last_at: Option<String>,
}
