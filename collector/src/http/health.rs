//! Health and metrics, on both listeners.

use super::Edge;
use super::error::ApiError;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The process answers.
pub async fn live() -> &'static str {
    "live\n"
}

/// New requests are welcome.
pub async fn ready(State(edge): State<Arc<Edge>>) -> Result<&'static str, ApiError> {
    if edge.draining.load(Ordering::Relaxed) {
        let message = "the collector is shutting down";
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "draining", message));
    }
    if edge.query.has_stopped() {
        let message = "the worker has stopped; events are kept, profiles stand still";
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "worker_stopped", message));
    }
    Ok("ready\n")
}

/// Everything counted, as Prometheus text.
pub async fn metrics(State(edge): State<Arc<Edge>>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], edge.metrics.render()).into_response()
}
