//! `GET /v1/experiments`: raw counts of exposures and firings.

use super::Edge;
use super::error::ApiError;
use super::privileged::revisions::{CountTroubles, ExperimentCounts};
use crate::query::ExportError;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task::spawn_blocking;

/// Says that nobody waits any more, once it is dropped.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Exposures by variation, and firings by trigger
///
/// Exposures are counted from the log, as far back as that is kept (`since`); firings are those that are kept. Members are as they
/// were exposed: two browsers of one user are two.
#[utoipa::path(
    get,
    path = "/v1/experiments",
    operation_id = "countExperiments",
    tag = "experiments",
    responses(
        (status = 200, description = "the counts", body = ExperimentCounts),
        (status = 429, description = "`exports_exhausted`: as many readings of the log as may be at a time are under way"),
        CountTroubles,
    ),
)]
pub async fn count(State(edge): State<Arc<Edge>>) -> Result<Response, ApiError> {
    let place = edge.exports.clone().try_acquire_owned().map_err(|_| {
        let message = "as many readings of the log as may be at a time are under way";
        ApiError::retry(StatusCode::TOO_MANY_REQUESTS, "exports_exhausted", message)
    })?;
    let waits = Arc::new(AtomicBool::new(true));
    let _waiting = Waiting(waits.clone());
    // Reading the log is long; it must not hold a thread that serves requests.
    let counted = spawn_blocking(move || {
        let goes_on = || waits.load(Ordering::Relaxed) && !edge.draining.load(Ordering::Relaxed);
        let counted = edge.query.experiments(&goes_on);
        drop(place);
        counted
    });
    let broken = |message: &str| ApiError::retry(StatusCode::SERVICE_UNAVAILABLE, "store_broken", message);
    let json = counted.await.map_err(|error| broken(&error.to_string()))?.map_err(|error| match error {
        ExportError::Left => {
            let message = "the collector is shutting down";
            ApiError::retry(StatusCode::SERVICE_UNAVAILABLE, "draining", message)
        }
        error => broken(&error.to_string()),
    })?;
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, json).into_response())
}
