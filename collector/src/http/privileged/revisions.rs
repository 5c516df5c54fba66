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
