//! `GET /v1/bundle` and what is below it: envelopes, deltas, the key set and the statement of which bundle is in effect.

use super::Edge;
use super::error::ApiError;
use super::request::{PathText, header_text, query_value, write_key};
use crate::bundle::{Published, Trial};
use crate::content::{Document, Encoding, etag_matches};
use crate::hex::{hex, parse_hex};
use crate::limits::{BUNDLE_MAX_AGE_SECONDS, KEPT_BUNDLES};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Names the candidate to pages that follow no statements.
pub const CANDIDATE: &str = "attune-candidate";
/// What is found under a hash never changes.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// Answers with the envelope in effect; with `?since=<revision>` with what leads to it from that one, where that is
/// known and smaller.
pub async fn latest(
    State(edge): State<Arc<Edge>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    authorize(&edge, &uri, &headers)?;
    let since = query_value(&uri, "since").map(|text| {
        let message = format!("since is a revision, a whole number; '{text}' is none");
        text.parse().map_err(|_| ApiError::new(StatusCode::BAD_REQUEST, "since_malformed", &message))
    });
    let since = since.transpose()?;
    let published = published(&edge)?;
    let delta = since.and_then(|revision| published.delta_since(revision));
    let mut response = send(delta.unwrap_or(published.current()), &short(), &headers);
    if let Some(candidate) = published.trial().and_then(told) {
        response.headers_mut().insert(CANDIDATE, candidate);
    }
    Ok(response)
}

/// The candidate beside the bundle in effect: SHA-256 of its envelope, its share in hundredths of a percent, and the
/// seed in percent-encoding.
fn told(trial: &Trial) -> Option<HeaderValue> {
    let mut text = format!("{};{};", hex(&trial.kept.document.hash), trial.share);
    for byte in trial.seed.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'/' => {
                text.push(char::from(byte))
            }
            _ => text.push_str(&format!("%{}", hex(&[byte]))),
        }
    }
    HeaderValue::from_str(&text).ok()
}

/// Answers with the signed key set.
pub async fn keys(State(edge): State<Arc<Edge>>, uri: Uri, headers: HeaderMap) -> Result<Response, ApiError> {
    authorize(&edge, &uri, &headers)?;
    Ok(send(&edge.keyset, &short(), &headers))
}

/// Answers with the signed statement of which bundle is in effect.
pub async fn current(
    State(edge): State<Arc<Edge>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    authorize(&edge, &uri, &headers)?;
    let statement = edge.statements.borrow().clone().ok_or_else(nothing_published)?;
    Ok(send(&statement, &format!("max-age={BUNDLE_MAX_AGE_SECONDS}"), &headers))
}

/// Answers with the envelope of a hash; with `?from=<hash>` with what leads to it from that one, where that is known and
/// smaller.
pub async fn by_hash(
    State(edge): State<Arc<Edge>>,
    PathText(hash): PathText,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    authorize(&edge, &uri, &headers)?;
    let to = read_hash(&hash)?;
    let from = query_value(&uri, "from").map(read_hash).transpose()?;
    let published = published(&edge)?;
    let whole = published.by_hash(&to).ok_or_else(|| {
        let message = format!("no bundle of this hash is among the last {KEPT_BUNDLES}");
        ApiError::new(StatusCode::NOT_FOUND, "bundle_missing", &message)
    })?;
    let delta = from.and_then(|from| published.delta_between(&from, &to));
    Ok(send(delta.unwrap_or(whole), IMMUTABLE, &headers))
}

fn authorize(edge: &Edge, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
    let named = write_key(uri, headers);
    edge.keys.authorize(named.as_deref(), header_text(headers, header::ORIGIN))?;
    Ok(())
}

fn published(edge: &Edge) -> Result<Arc<Published>, ApiError> {
    edge.bundles.borrow().clone().ok_or_else(nothing_published)
}

fn nothing_published() -> ApiError {
    let message = "no rules have been published; start with --rules <folder>";
    ApiError::new(StatusCode::NOT_FOUND, "bundle_missing", message)
}

fn read_hash(text: &str) -> Result<[u8; 32], ApiError> {
    parse_hex(text).ok_or_else(|| {
        let message = "a bundle is named by its SHA-256, 64 hexadecimal digits";
        ApiError::new(StatusCode::BAD_REQUEST, "hash_malformed", message)
    })
}

fn short() -> String {
    format!("max-age={BUNDLE_MAX_AGE_SECONDS}, stale-while-revalidate=60")
}

fn send(document: &Document, cache: &str, headers: &HeaderMap) -> Response {
    let fixed = [
        (header::ETAG, document.etag.clone()),
        (header::CACHE_CONTROL, cache.to_owned()),
        (header::VARY, "Accept-Encoding".to_owned()),
    ];
    if etag_matches(header_text(headers, header::IF_NONE_MATCH), &document.etag) {
        return (StatusCode::NOT_MODIFIED, fixed).into_response();
    }
    let accepted = header_text(headers, header::ACCEPT_ENCODING).unwrap_or_default();
    let (encoding, bytes) = document.content.choose(accepted);
    let mut response = (fixed, Body::from(bytes)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    if encoding != Encoding::Identity {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    }
    response
}
