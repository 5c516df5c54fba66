//! `POST /v1/forget`: erases the member that its token names.

use super::Edge;
use super::error::ApiError;
use super::membership::proven_member;
use crate::clock;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Answers 202 once the erasure will be carried out whatever happens; for a member that is erased already as well.
pub async fn erase(State(edge): State<Arc<Edge>>, request: Request) -> Response {
    match take(&edge, request).await {
        Ok(()) => {
            let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
            (StatusCode::ACCEPTED, headers, r#"{"state":"accepted"}"#).into_response()
        }
        Err(error) => {
            edge.metrics.errors.add(error.code(), 1);
            error.into_response()
        }
    }
}

async fn take(edge: &Edge, request: Request) -> Result<(), ApiError> {
    if edge.draining.load(Ordering::Relaxed) {
        let message = "the collector is shutting down";
        return Err(ApiError::retry(StatusCode::SERVICE_UNAVAILABLE, "draining", message));
    }
    let (member, _) = proven_member(edge, request).await?;
    Ok(edge.ingest.erase(member, &edge.tombstones, clock::now()).await?)
}
