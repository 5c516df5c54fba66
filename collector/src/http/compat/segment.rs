//! Segment's Tracking API, which RudderStack's libraries speak as well.

use super::{Arrival, Taken, check_count};
use crate::compat::segment::{Call, Kind, Posted};
use crate::http::Edge;
use crate::http::error::ApiError;
use crate::http::request::{PathText, header_text};
use crate::limits::BUNDLE_MAX_AGE_SECONDS;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;
use std::sync::Arc;

/// What libraries take for success: some of them no other status than 200.
const TAKEN: &str = r#"{"success":true}"#;
/// Paths and what each takes: long and short names, and where RudderStack's pages send when they leave.
const PATHS: [(&str, Call); 15] = [
    ("/v1/batch", Call::Batch),
    ("/v1/b", Call::Batch),
    ("/beacon/v1/batch", Call::Batch),
    ("/v1/track", Call::One(Kind::Track)),
    ("/v1/t", Call::One(Kind::Track)),
    ("/v1/identify", Call::One(Kind::Identify)),
    ("/v1/i", Call::One(Kind::Identify)),
    ("/v1/page", Call::One(Kind::Page)),
    ("/v1/p", Call::One(Kind::Page)),
    ("/v1/screen", Call::One(Kind::Screen)),
    ("/v1/s", Call::One(Kind::Screen)),
    ("/v1/group", Call::One(Kind::Group)),
    ("/v1/g", Call::One(Kind::Group)),
    ("/v1/alias", Call::One(Kind::Alias)),
    ("/v1/a", Call::One(Kind::Alias)),
];

/// Its routes.
pub fn router() -> Router<Arc<Edge>> {
    let mut router = Router::new().route("/v1/projects/{key}/settings", get(settings));
    for (path, call) in PATHS {
        router = router.route(path, post(move |edge, request| accept(edge, call, request)));
    }
    router
}

async fn accept(State(edge): State<Arc<Edge>>, call: Call, request: Request) -> Response {
    match take(&edge, call, request).await {
        Ok(()) => {
            let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
            (headers, TAKEN).into_response()
        }
        Err(error) => {
            edge.metrics.errors.add(error.code(), 1);
            error.into_response()
        }
    }
}

async fn take(edge: &Edge, call: Call, request: Request) -> Result<(), ApiError> {
    let taken = Taken::read(edge, request).await?;
    let text = taken.text(edge).await?;
    let posted = Posted::parse(&text, call)?;
    let key = taken.key(edge, posted.write_key.as_deref())?;
    check_count(posted.messages())?;
    let arrival = Arrival::now()?;
    taken.hand_over(edge, &key, &posted.translate(arrival.arrived())).await?;
    Ok(())
}

/// What analytics-next asks for when it starts: where to send, and that there is nothing else to load.
async fn settings(
    State(edge): State<Arc<Edge>>,
    PathText(key): PathText,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    edge.keys.authorize(Some(&key), header_text(&headers, header::ORIGIN))?;
    let host = header_text(&headers, header::HOST).or(uri.authority().map(|host| host.as_str()));
    let is_enabled = || json!({"__default": {"enabled": true, "integrations": {}}});
    let body = json!({
        "integrations": {
            "Segment.io": {
                "apiKey": key,
                "apiHost": format!("{}/v1", host.unwrap_or_default()),
                "protocol": scheme(&headers),
                "unbundledIntegrations": [],
                "addBundledMetadata": true,
                "maybeBundledConfigIds": {},
                "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
            },
        },
        "plan": {"track": is_enabled(), "identify": is_enabled(), "group": is_enabled()},
        "edgeFunction": {},
        "analyticsNextEnabled": true,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
        "legacyVideoPluginsEnabled": false,
        "remotePlugins": [],
    });
    let cache = format!("max-age={BUNDLE_MAX_AGE_SECONDS}");
    let fixed = [(header::CONTENT_TYPE, "application/json".to_owned()), (header::CACHE_CONTROL, cache)];
    Ok((fixed, body.to_string()).into_response())
}

/// How pages reach this collector: by what the proxy in front says, or else as they have been reached themselves.
fn scheme(headers: &HeaderMap) -> &'static str {
    let forwarded = headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok());
    match forwarded.map(|list| list.split(',').next().unwrap_or_default().trim()) {
        Some("https") => "https",
        Some("http") => "http",
        _ if header_text(headers, header::ORIGIN).is_some_and(|page| page.starts_with("https:")) => "https",
        _ => "http",
    }
}
