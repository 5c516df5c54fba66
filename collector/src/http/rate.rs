//! Requests of an address that sends more of them than it may are refused before anything of them is read.

use super::Edge;
use super::error::ApiError;
use super::request::client;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Lets a request pass that is within its address' rate.
pub async fn limit(State(edge): State<Arc<Edge>>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    if let Err(limited) = edge.ingest.throttle.take_request(client(&edge, &head)) {
        edge.metrics.limited.add(limited.limit.name(), 1);
        edge.metrics.errors.add(limited.code(), 1);
        return ApiError::limited(&limited).into_response();
    }
    next.run(Request::from_parts(head, body)).await
}
