//! Requests in which a browser shows that it is a member: `{"anonymous_id","member_token"}` as JSON.

use super::Edge;
use super::error::ApiError;
use super::request::{header_text, read_body, write_key};
use crate::access::WriteKey;
use crate::limits::MAX_TOKEN_REQUEST_BYTES;
use attune_core::id::MemberId;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Deserialize)]
struct Asked {
    anonymous_id: Box<str>,
    member_token: Box<str>,
}

/// The member that a request proves, and the key that it comes under.
///
/// # Errors
/// An unknown key, a body of another form, a token of somebody else.
pub async fn proven_member(edge: &Edge, request: Request) -> Result<(MemberId, Arc<WriteKey>), ApiError> {
    let (head, body) = request.into_parts();
    let named = write_key(&head.uri, &head.headers);
    let key = edge.keys.authorize(named.as_deref(), header_text(&head.headers, header::ORIGIN))?;
    let held = read_body(&edge.ingest.memory, body, MAX_TOKEN_REQUEST_BYTES).await?;
    let asked: Asked = serde_json::from_slice(&held.bytes).map_err(|error| {
        let message = format!("the body must be {{\"anonymous_id\",\"member_token\"}}: {error}");
        ApiError::new(StatusCode::BAD_REQUEST, "token_request_unreadable", &message)
    })?;
    let member = MemberId(asked.anonymous_id);
    if edge.tokens.is_member(&key, &member, &asked.member_token) {
        return Ok((member, key));
    }
    let message = "the member token is not the one of this anonymous_id under this key";
    Err(ApiError::new(StatusCode::FORBIDDEN, "member_token_invalid", message))
}
