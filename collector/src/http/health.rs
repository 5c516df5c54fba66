//! Health and metrics, on both listeners.

use super::Edge;
use super::error::ApiError;
use super::request::header_text;
use crate::metrics::Form;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Whether the process answers
#[utoipa::path(
    get,
    path = "/health/live",
    operation_id = "isLive",
    tag = "health",
    security(()),
    responses((status = 200, description = "it does", body = String, content_type = "text/plain", example = "live\n")),
)]
pub async fn live() -> &'static str {
    "live\n"
}

/// Whether new requests are welcome
#[utoipa::path(
    get,
    path = "/health/ready",
    operation_id = "isReady",
    tag = "health",
    security(()),
    responses(
        (status = 200, description = "they are", body = String, content_type = "text/plain", example = "ready\n"),
        (
            status = 503,
            description = "`draining`: the collector is shutting down; `worker_stopped`: events are kept, profiles stand still",
        ),
    ),
)]
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

/// Everything counted
///
/// As OpenMetrics 1.0 where `Accept` prefers it, else as Prometheus' own text.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "readMetrics",
    tag = "health",
    security(()),
    responses((
        status = 200,
        description = "the counts",
        content((String = "text/plain"), (String = "application/openmetrics-text")),
    )),
)]
pub async fn metrics(State(edge): State<Arc<Edge>>, headers: HeaderMap) -> Response {
    let form = Form::preferred(header_text(&headers, header::ACCEPT).unwrap_or_default());
    edge.metrics.log_queue_bytes.set(edge.ingest.log.waiting_bytes() as u64);
    let headers = [(header::CONTENT_TYPE, form.content_type()), (header::VARY, "accept")];
    (headers, form.write(&edge.metrics)).into_response()
}
