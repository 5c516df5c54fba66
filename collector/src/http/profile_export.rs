//! `GET /v1/profiles/{id}/export`: all that is kept of a person, written as it is found.

use super::Edge;
use super::error::ApiError;
use super::privileged::PathText;
use super::privileged::schemas::StoreTroubles;
use super::profiles::Subject;
use crate::limits::{EXPORT_PIECE_BYTES, EXPORT_PIECES};
use crate::query::ExportError;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::json;
use std::convert::Infallible;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::spawn_blocking;

/// All that is kept of a profile
///
/// A line of JSON each, told apart by `kind`: `profile`, `member`, `firing`, `delivery`, `dead_letter`, and of the log that is still kept
/// `event`, `void`, `close`, `clocks`, `wake_up` and `refused`; `unreadable` for what is kept and cannot be read. The last line
/// is of kind `end`; where it is missing, or `complete` is false, there is more.
#[utoipa::path(
    get,
    path = "/v1/profiles/{id}/export",
    operation_id = "exportProfile",
    tag = "profiles",
    params(("id" = String, Path, description = "`user:<user id>` or `member:<anonymous id>`", pattern = "^(user|member):[^/]{1,100}$", example = "user:ada")),
    responses(
        (status = 200, description = "what is kept, nothing but the last line where that is nothing", body = [Object], content_type = "application/x-ndjson"),
        (
            status = 400,
            description = "`path_malformed`: the id is no UTF-8; `profile_id_malformed`: it is none of a profile",
        ),
        (status = 429, description = "`exports_exhausted`: as many are being written as may be at a time"),
        StoreTroubles,
    ),
)]
pub async fn export(State(edge): State<Arc<Edge>>, PathText(id): PathText) -> Result<Response, ApiError> {
    let subject = Subject::read(&id)?;
    let place = edge.exports.clone().try_acquire_owned().map_err(|_| {
        let message = "as many exports are being written as may be at a time";
        ApiError::retry(StatusCode::TOO_MANY_REQUESTS, "exports_exhausted", message)
    })?;
    if !edge.query.settle().await {
        let message = "the worker did not catch up in time";
        return Err(ApiError::retry(StatusCode::SERVICE_UNAVAILABLE, "not_settled", message));
    }
    let (pieces, read) = mpsc::channel(EXPORT_PIECES);
    // Reading the log is long; it must not hold a thread that serves requests.
    spawn_blocking(move || write(&edge, &subject, &pieces, place));
    let read = stream::unfold(read, async |mut read| {
        let piece: Bytes = read.recv().await?;
        Some((Ok::<_, Infallible>(piece), read))
    });
    let headers = [(header::CONTENT_TYPE, "application/x-ndjson"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::from_stream(read)).into_response())
}

fn write(edge: &Edge, subject: &Subject, pieces: &mpsc::Sender<Bytes>, place: OwnedSemaphorePermit) {
    let mut piece = Vec::with_capacity(EXPORT_PIECE_BYTES);
    let mut emit = |line: &str| {
        if !line.is_empty() {
            piece.extend_from_slice(line.as_bytes());
            piece.push(b'\n');
        }
        if piece.len() < EXPORT_PIECE_BYTES {
            // Nobody waits for the rest of what a collector says that ends.
            return !pieces.is_closed() && !edge.draining.load(Ordering::Relaxed);
        }
        let full = mem::replace(&mut piece, Vec::with_capacity(EXPORT_PIECE_BYTES));
        pieces.blocking_send(full.into()).is_ok()
    };
    let told = edge.query.export((&subject.id, &subject.member), &mut emit);
    if let Err(error) = &told
        && !matches!(error, ExportError::Left)
    {
        tracing::error!(%error, "an export ended early");
        emit(&json!({"kind": "error", "code": "store_broken", "message": error.to_string()}).to_string());
    }
    // Whoever has gone wants no more.
    let _ = pieces.blocking_send(piece.into());
    drop(place);
}
