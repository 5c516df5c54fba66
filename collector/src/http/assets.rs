//! The SDK at `/sdk/*` and the demo shop at `/`.

use super::Edge;
use super::error::{ApiError, nothing_at};
use super::request::{PathText, header_text};
use crate::assets::Asset;
use crate::content::{Encoding, etag_matches};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

const IMMUTABLE: &str = "public, max-age=31536000, immutable";
const SHORT: &str = "public, max-age=60, stale-while-revalidate=600";
const NONE: &str = "no-cache";

/// A file of the SDK.
pub async fn sdk(
    State(edge): State<Arc<Edge>>,
    PathText(path): PathText,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if !edge.assets.has_sdk() {
        let message =
            "this binary was built without the SDK; run `cargo xtask build`, then build the collector again";
        return Err(ApiError::new(StatusCode::NOT_FOUND, "sdk_not_built", message));
    }
    let asset = edge.assets.sdk(&path).ok_or_else(|| nothing_at(&format!("/sdk/{path}")))?;
    let mut response = send(asset, SHORT, &headers);
    // Pages of every origin load it, as scripts, modules and WebAssembly.
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let policy = header::HeaderName::from_static("cross-origin-resource-policy");
    response.headers_mut().insert(policy, HeaderValue::from_static("cross-origin"));
    Ok(response)
}

/// A file of the demo; paths of its pages are answered with its one document.
pub async fn demo(State(edge): State<Arc<Edge>>, uri: Uri, headers: HeaderMap) -> Result<Response, ApiError> {
    if !edge.assets.has_demo() {
        let message =
            "this binary was built without the demo; run `cargo xtask build`, then build the collector again";
        return Err(ApiError::new(StatusCode::NOT_FOUND, "demo_not_built", message));
    }
    let path = uri.path().trim_start_matches('/');
    if let Some(asset) = edge.assets.demo(path) {
        return Ok(send(asset, NONE, &headers));
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    let wants_page = header_text(&headers, header::ACCEPT).is_none_or(|accept| accept.contains("html"));
    let is_page = path.is_empty() || (wants_page && !last.contains('.'));
    match edge.assets.demo("index.html").filter(|_| is_page && !path.starts_with("v1/")) {
        Some(document) => Ok(send(document, NONE, &headers)),
        None => Err(nothing_at(uri.path())),
    }
}

/// What the demo needs to know of its collector.
pub async fn demo_config(State(edge): State<Arc<Edge>>) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (headers, edge.demo_config.clone().unwrap_or_default()).into_response()
}

fn send(asset: &Asset, cache: &'static str, headers: &HeaderMap) -> Response {
    let fixed = [
        (header::ETAG, asset.etag.clone()),
        (header::CACHE_CONTROL, (if asset.immutable { IMMUTABLE } else { cache }).to_owned()),
        (header::VARY, "Accept-Encoding".to_owned()),
    ];
    if etag_matches(header_text(headers, header::IF_NONE_MATCH), &asset.etag) {
        return (StatusCode::NOT_MODIFIED, fixed).into_response();
    }
    let accepted = header_text(headers, header::ACCEPT_ENCODING).unwrap_or_default();
    let (encoding, bytes) = asset.content.choose(accepted);
    let mut response = (fixed, Body::from(bytes)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    if encoding != Encoding::Identity {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    }
    response
}
