//! `GET /v1/bundle`: the bundle in effect with a strong validator, precompressed.

use super::Edge;
use super::error::ApiError;
use super::request::{header_text, write_key};
use crate::content::{Encoding, etag_matches};
use crate::limits::BUNDLE_MAX_AGE_SECONDS;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Answers with the signed envelope, or 304 where the client has it.
pub async fn current(
    State(edge): State<Arc<Edge>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let named = write_key(&uri, &headers);
    edge.keys.authorize(named.as_deref(), header_text(&headers, header::ORIGIN))?;
    let published = edge.bundles.borrow().clone();
    let Some(published) = published else {
        let message = "no rules have been published; start with --rules <folder>";
        return Err(ApiError::new(StatusCode::NOT_FOUND, "bundle_missing", message));
    };
    let cache = format!("max-age={BUNDLE_MAX_AGE_SECONDS}, stale-while-revalidate=60");
    let fixed = [
        (header::ETAG, published.etag.clone()),
        (header::CACHE_CONTROL, cache),
        (header::VARY, "Accept-Encoding".to_owned()),
    ];
    if etag_matches(header_text(&headers, header::IF_NONE_MATCH), &published.etag) {
        return Ok((StatusCode::NOT_MODIFIED, fixed).into_response());
    }
    let accepted = header_text(&headers, header::ACCEPT_ENCODING).unwrap_or_default();
    let (encoding, bytes) = published.content.choose(accepted);
    let mut response = (fixed, Body::from(bytes)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    if encoding != Encoding::Identity {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    }
    Ok(response)
}
