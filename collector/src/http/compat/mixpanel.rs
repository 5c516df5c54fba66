//! Mixpanel's ingestion: `/track`, `/engage` and `/import`.

use super::{Arrival, Taken, check_count};
use crate::compat::mixpanel::{Payload, Posted, Takes};
use crate::http::Edge;
use crate::http::error::ApiError;
use crate::http::request::query_value;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::json;
use std::sync::Arc;

/// Paths and what each takes; pages write them with a slash behind.
const PATHS: [(&str, Takes); 5] = [
    ("/track", Takes::Events),
    ("/track/", Takes::Events),
    ("/engage", Takes::Profiles),
    ("/engage/", Takes::Profiles),
    ("/import", Takes::Events),
];

/// In which words an answer says that everything went well.
#[derive(Clone, Copy, Debug)]
enum Answer {
    /// `1`.
    Terse,
    /// JSON, as those who ask for `verbose=1` read it.
    Verbose,
    /// JSON with a count, as importers read it.
    Import,
}

/// Its routes.
pub fn router() -> Router<Arc<Edge>> {
    let mut router = Router::new();
    for (path, takes) in PATHS {
        let usual = if path == "/import" { Answer::Import } else { Answer::Terse };
        router = router.route(path, post(move |edge, request| accept(edge, takes, usual, request)));
    }
    router
}

async fn accept(State(edge): State<Arc<Edge>>, takes: Takes, usual: Answer, request: Request) -> Response {
    match take(&edge, takes, usual, request).await {
        Ok(body) => {
            let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
            (headers, body).into_response()
        }
        Err(error) => {
            edge.metrics.errors.add(error.code(), 1);
            error.for_mixpanel().into_response()
        }
    }
}

async fn take(edge: &Edge, takes: Takes, usual: Answer, request: Request) -> Result<String, ApiError> {
    let taken = Taken::read(edge, request).await?;
    let text = taken.text(edge).await?;
    let payload = Payload::find(&text)?;
    let is_verbose = payload.verbose || query_value(&taken.head.uri, "verbose") == Some("1");
    let posted = Posted::parse(&payload.json, takes)?;
    let in_body = posted.write_key().filter(|_| taken.key.is_none());
    let key = taken.key(edge, in_body.as_deref())?;
    check_count(posted.records())?;
    let arrival = Arrival::now()?;
    let translation = posted.translate(arrival.arrived(), in_body.as_deref());
    let refused = taken.hand_over(edge, &key, &translation).await?;
    Ok(match if is_verbose { Answer::Verbose } else { usual } {
        Answer::Terse => "1".to_owned(),
        Answer::Verbose => json!({"status": 1, "error": null}).to_string(),
        Answer::Import => {
            let imported = posted.records().len() - refused;
            json!({"code": 200, "num_records_imported": imported, "status": "OK"}).to_string()
        }
    })
}
