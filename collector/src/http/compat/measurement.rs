//! Google Analytics 4's Measurement Protocol: `/mp/collect`.

use super::{Arrival, Taken, check_count};
use crate::compat::measurement::Posted;
use crate::http::Edge;
use crate::http::error::ApiError;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use std::sync::Arc;

/// Its routes.
pub fn router() -> Router<Arc<Edge>> {
    Router::new().route("/mp/collect", post(accept))
}

async fn accept(State(edge): State<Arc<Edge>>, request: Request) -> Response {
    match take(&edge, request).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => {
            edge.metrics.errors.add(error.code(), 1);
            error.into_response()
        }
    }
}

async fn take(edge: &Edge, request: Request) -> Result<(), ApiError> {
    let taken = Taken::read(edge, request).await?;
    let key = taken.key(edge, None)?;
    let text = taken.text(edge).await?;
    let posted = Posted::parse(&text)?;
    check_count(posted.events())?;
    let arrival = Arrival::now()?;
    taken.hand_over(edge, &key, &posted.translate(arrival.arrived())).await?;
    Ok(())
}
