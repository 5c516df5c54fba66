//! Segment's Tracking API, for libraries that speak it: authenticate, translate, hand to ingest, answer as they expect.

use super::Edge;
use super::error::ApiError;
use super::events::{encoding, ending, moment};
use super::request::{header_text, query_value, read_body, write_key};
use crate::access::{AccessError, WriteKey};
use crate::clock;
use crate::compat::{Arrived, Call, Kind, Posted, PostedError, Refusal};
use crate::hex::hex;
use crate::ingest::{Guard, IngestError, Moment, too_large};
use crate::limits::BUNDLE_MAX_AGE_SECONDS;
use attune_core::limits::{MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_REQUEST_BYTES};
use attune_core::wire::{Envelope, Receipt, ResultKind};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
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

/// All of its routes.
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
    if let Some(ending) = ending(edge) {
        return Err(ending);
    }
    let (head, body) = request.into_parts();
    let (headers, origin) = (&head.headers, header_text(&head.headers, header::ORIGIN));
    let named = write_key(&head.uri, headers).or_else(|| query_value(&head.uri, "writeKey").map(Into::into));
    let encoding = encoding(headers)?;
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        let key = edge.keys.authorize(Some(&named), origin)?;
        // Their libraries count the bytes of a batch wrongly, and split none.
        let bytes = read_body(body, MAX_BATCH_BYTES).await?;
        let text = edge.ingest.text(&bytes, encoding)?;
        return hand_over(edge, key, &Posted::parse(&text, call)?, headers).await;
    }
    let bytes = read_body(body, MAX_REQUEST_BYTES).await?;
    if is_compressed(&bytes, encoding) {
        return Err(AccessError::KeyMissing.into());
    }
    let text = edge.ingest.text(&bytes, encoding)?;
    let posted = Posted::parse(&text, call)?;
    let key = edge.keys.authorize(posted.write_key.as_deref(), origin)?;
    hand_over(edge, key, &posted, headers).await
}

/// Whether a body would have to be decompressed before it could say whose it is.
fn is_compressed(bytes: &Bytes, encoding: Option<&str>) -> bool {
    let is_named = encoding.is_some_and(|encoding| !encoding.trim().eq_ignore_ascii_case("identity"));
    is_named || bytes.starts_with(&[0x1f, 0x8b])
}

async fn hand_over(
    edge: &Edge,
    key: &WriteKey,
    posted: &Posted<'_>,
    headers: &HeaderMap,
) -> Result<(), ApiError> {
    if posted.messages().len() > MAX_BATCH_EVENTS {
        return Err(IngestError::TooLarge(too_large(posted.messages())).into());
    }
    let request = nonce()?;
    let translation = posted.translate(Arrived { now: clock::now(), request: &request });
    for refusal in &translation.refused {
        edge.metrics.rejected.add(refusal.code, 1);
    }
    let published = edge.bundles.borrow().clone();
    let mut here = moment(edge, published.as_deref(), headers);
    if !headers.contains_key(header::ORIGIN) {
        // What a server calls itself says nothing of its visitors.
        here.guard = here.guard.map(|guard| Guard { user_agent: "", ..guard });
    }
    let events = translation.events.iter().map(String::as_str).collect();
    let envelope = Envelope { events, ..Envelope::default() };
    let here = Moment { origins: &translation.origins, ..here };
    let receipt = edge.ingest.take(key, &envelope, here).await?;
    tell(key, &translation.refused, &receipt);
    Ok(())
}

/// The sender gets no receipt, so that the log says what has been refused: one line for a request.
fn tell(key: &WriteKey, refused: &[Refusal], receipt: &Receipt) {
    let rejected = || receipt.results.iter().filter(|row| row.result == ResultKind::Rejected);
    let count = refused.len() + rejected().count();
    let first = refused.first().map(|first| (&*first.message_id, first.code, &*first.message));
    let first = first.or_else(|| rejected().next().map(|row| (&*row.event_id, &*row.code, &*row.message)));
    if let Some((message_id, code, message)) = first {
        tracing::warn!(key = %key.key, count, message_id, code, "messages were refused, first: {message}");
    }
}

/// Unlike what any other request has.
fn nonce() -> Result<String, ApiError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| {
        ApiError::retry(StatusCode::SERVICE_UNAVAILABLE, "random_source_missing", &error.to_string())
    })?;
    Ok(hex(&random))
}

/// What analytics-next asks for when it starts: where to send, and that there is nothing else to load.
async fn settings(
    State(edge): State<Arc<Edge>>,
    Path(key): Path<String>,
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

impl From<PostedError> for ApiError {
    fn from(error: PostedError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error.code(), &error.to_string())
    }
}
