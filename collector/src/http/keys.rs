//! `GET /v1/keys`: the write keys that are in effect, without telling them.

use super::Edge;
use super::privileged::people::Keys;
use crate::access::{Identity, WriteKey};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;

/// The write keys in effect, and what has come under them since the process began
///
/// A key is told by its beginning and by `id`, 64 bits of its SHA-256, never whole.
#[utoipa::path(
    get,
    path = "/v1/keys",
    operation_id = "listKeys",
    tag = "keys",
    responses((status = 200, description = "the keys, in order of `id`", body = Keys)),
)]
pub async fn list(State(edge): State<Arc<Edge>>) -> Response {
    let mut keys: Vec<Value> = edge.keys.list().iter().map(|key| row(&edge, key)).collect();
    keys.sort_by(|a, b| a["id"].as_str().cmp(&b["id"].as_str()));
    let json = json!({"project": edge.signer.project, "environment": edge.signer.environment, "keys": keys});
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], json.to_string())
        .into_response()
}

fn row(edge: &Edge, key: &WriteKey) -> Value {
    let used = edge.ingest.uses.read(&key.key);
    let identity = match key.identity {
        Identity::Open => "open",
        Identity::Proven { .. } => "proven",
    };
    json!({
        "id": key.id(),
        "name": key.name(),
        "origins": key.origins,
        "identity": identity,
        "event_types": key.event_types,
        "limits": {
            "events_per_second": key.limits.events.map(|rate| rate.per_second),
            "events_burst": key.limits.events.map(|rate| rate.burst),
            "events_per_day": key.limits.events_per_day,
        },
        "used": {
            "batches": used.batches,
            "accepted": used.accepted,
            "duplicates": used.duplicates,
            "rejected": used.refused,
            "last_at": used.last_at.map(|at| at.to_string()),
        },
    })
}
