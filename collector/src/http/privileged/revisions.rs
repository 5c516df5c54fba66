//! Schemas of what is told of bundles and rules.
#![expect(dead_code, reason = "only the schemas are used")]

use super::schemas::Candidate;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::{IntoResponses, ToSchema};

/// What goes wrong where a bundle is to be put into effect.
#[derive(IntoResponses)]
pub enum OrderTroubles {
    /// `draining`: the collector is shutting down; `publisher_busy`: too many others wait; `publisher_broken`: the disk or the log
    /// refused; `memory_busy`: request bodies fill their memory. `Retry-After` says when to ask again.
    #[response(status = 503)]
    Not,
}

/// What goes wrong where the log is counted.
#[derive(IntoResponses)]
pub enum CountTroubles {
    /// `store_broken`: the disk or what is on it cannot be used; `draining`: the collector is shutting down. `Retry-After` says
    /// when to ask again.
    #[response(status = 503)]
    Not,
}

/// Revisions that are kept.
#[derive(ToSchema)]
pub struct Revisions {
    /// What bundles are signed for.
    project: String,
    /// What bundles are signed for.
    environment: String,
    /// The revision in effect; null where nothing is published.
    #[schema(required = true)]
    revision: Option<u64>,
    /// What a share of the members gets instead, if anything.
    #[schema(required = true)]
    candidate: Option<Candidate>,
    /// Whether the rules folder does not count, since a bundle was put into effect by request, until it changes.
    overruled: bool,
    /// The revisions, the newest first.
    revisions: Vec<Revision>,
}

/// A revision that is kept.
#[derive(ToSchema)]
pub struct Revision {
    /// Its number.
    revision: u64,
    /// SHA-256 of the signed document, in hex.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
    /// SHA-256 of the document that it followed.
    #[schema(required = true)]
    parent: Option<String>,
    /// The key that signed it.
    key_id: String,
    /// When it ends; null for never.
    #[schema(required = true, format = DateTime)]
    expires: Option<String>,
    /// Length of the signed document, in bytes.
    bytes: u64,
    /// `current`, `candidate` or `kept`.
    state: String,
}

/// What is in effect.
#[derive(ToSchema)]
pub struct InEffect {
    /// The revision in effect.
    revision: u64,
    /// SHA-256 of its signed document, in hex.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
    /// Whether it says something else than what was in effect before.
    is_new: bool,
}

/// What `attune bundle check --format json` says.
#[derive(ToSchema)]
pub struct CheckReport {
    /// Errors and warnings, each with file, line, path, code and message.
    diagnostics: Vec<BTreeMap<String, Value>>,
    /// What it all costs.
    cost: BTreeMap<String, Value>,
}

/// Raw counts.
#[derive(ToSchema)]
pub struct ExperimentCounts {
    /// When the oldest records were received that the log still has; null where it has none.
    #[schema(required = true, format = DateTime)]
    since: Option<String>,
    /// Whether everything that the log has is counted.
    complete: bool,
    /// Exposures that name no experiment or variation, or one too many.
    left_out: u64,
    /// Bytes of the log that cannot be read.
    damaged_log_bytes: u64,
    /// Exposures by experiment, variation and bucket version.
    variations: Vec<VariationCount>,
    /// Firings by trigger.
    triggers: Vec<TriggerCount>,
}

/// Exposures of a variation.
#[derive(ToSchema)]
pub struct VariationCount {
    /// The experiment.
    experiment: String,
    /// The variation.
    variation: String,
    /// Its bucket version.
    bucket_version: u64,
    /// Exposures.
    exposures: u64,
    /// Members that were exposed.
    members: u64,
    /// Event time of the first of them.
    #[schema(format = DateTime)]
    first_at: String,
    /// Event time of the last of them.
    #[schema(format = DateTime)]
    last_at: String,
}

/// Firings of a trigger.
#[derive(ToSchema)]
pub struct TriggerCount {
    /// The trigger.
    rule: String,
    /// Firings that are kept.
    firings: u64,
}
