//! `POST /v1/stream/token`: a fresh stream token for a member that proves its membership.

use super::Edge;
use super::error::ApiError;
use super::membership::proven_member;
use crate::clock;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;

/// Answers `{"token","expires"}`.
pub async fn issue(State(edge): State<Arc<Edge>>, request: Request) -> Result<Response, ApiError> {
    let (member, key) = proven_member(&edge, request).await?;
    if edge.tombstones.has(&member) {
        return Err(ApiError::new(StatusCode::FORBIDDEN, "member_erased", "this member has been erased"));
    }
    let (token, expires) = edge.tokens.stream(&key, &member, clock::now()).map_err(|error| {
        ApiError::retry(StatusCode::SERVICE_UNAVAILABLE, "random_source_missing", &error.to_string())
    })?;
    let body = json!({"token": token, "expires": expires.to_string()}).to_string();
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, body).into_response())
}
