//! `POST /v1/stream/token`: a fresh stream token for a member that proves its membership.

use super::Edge;
use super::error::ApiError;
use super::request::{header_text, read_body, write_key};
use crate::clock;
use crate::limits::MAX_TOKEN_REQUEST_BYTES;
use attune_core::id::MemberId;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

#[derive(Deserialize)]
struct Asked {
    anonymous_id: Box<str>,
    member_token: Box<str>,
}

/// Answers `{"token","expires"}`.
pub async fn issue(State(edge): State<Arc<Edge>>, request: Request) -> Result<Response, ApiError> {
    let (head, body) = request.into_parts();
    let named = write_key(&head.uri, &head.headers);
    let key = edge.keys.authorize(named.as_deref(), header_text(&head.headers, header::ORIGIN))?;
    let bytes = read_body(body, MAX_TOKEN_REQUEST_BYTES).await?;
    let asked: Asked = serde_json::from_slice(&bytes).map_err(|error| {
        let message = format!("the body must be {{\"anonymous_id\",\"member_token\"}}: {error}");
        ApiError::new(StatusCode::BAD_REQUEST, "token_request_unreadable", &message)
    })?;
    let member = MemberId(asked.anonymous_id);
    if !edge.tokens.is_member(key, &member, &asked.member_token) {
        let message = "the member token is not the one of this anonymous_id under this key";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "member_token_invalid", message));
    }
    let (token, expires) = edge.tokens.stream(&member, clock::now()).map_err(|error| {
        ApiError::retry(StatusCode::SERVICE_UNAVAILABLE, "random_source_missing", &error.to_string())
    })?;
    let body = json!({"token": token, "expires": expires.to_string()}).to_string();
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, body).into_response())
}
