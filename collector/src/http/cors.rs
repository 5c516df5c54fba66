//! Cross-origin rules: pages of a key's origins may call the API, and may read when to come back.

use super::bundle::CANDIDATE;
use super::request::query_value;
use crate::access::WriteKeys;
use axum::http::{HeaderName, HeaderValue, Method, header, request::Parts};
use std::sync::Arc;
use std::time::Duration;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// The layer of all API routes.
///
/// A preflight is answered by the key's origins. Actual requests are judged by their handlers; the answer may then be
/// read by the page in any case, so that a refusal reaches it as the status it is.
pub fn layer(keys: Arc<WriteKeys>) -> CorsLayer {
    let allowed = move |origin: &HeaderValue, request: &Parts| {
        request.method != Method::OPTIONS || preflight_allowed(&keys, origin, request)
    };
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(allowed))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            header::CONTENT_TYPE,
            header::CONTENT_ENCODING,
            header::AUTHORIZATION,
            header::IF_NONE_MATCH,
            // Libraries of other makers say how often they have tried, and RudderStack's who the visitor is.
            HeaderName::from_static("x-retry-count"),
            HeaderName::from_static("anonymousid"),
        ])
        .expose_headers([
            header::RETRY_AFTER,
            header::DATE,
            HeaderName::from_static("x-request-id"),
            HeaderName::from_static(CANDIDATE),
        ])
        .max_age(Duration::from_secs(86_400))
}

fn preflight_allowed(keys: &WriteKeys, origin: &HeaderValue, request: &Parts) -> bool {
    match query_value(&request.uri, "k") {
        Some(key) => keys.authorize(Some(key), origin.to_str().ok()).is_ok(),
        // Without a key in the URL the handler judges the request itself.
        None => true,
    }
}
