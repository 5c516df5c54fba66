//! `POST /v1/visitor`: sets the cookie by which the hosts of one domain know a visitor for the same.

use super::Edge;
use super::error::ApiError;
use super::request::{header_text, read_body, write_key};
use crate::access::CookieDomain;
use crate::clock;
use crate::limits::MAX_TOKEN_REQUEST_BYTES;
use attune_core::id::{MemberId, Uuid, write_uuid};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Deserialize)]
struct Asked {
    anonymous_id: Box<str>,
}

/// Answers 204 with the cookie. A browser keeps a cookie of any answer to a request with credentials, whether or not the
/// page may read that answer, so no other answer has one.
pub async fn issue(State(edge): State<Arc<Edge>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let key = write_key(&head.uri, &head.headers);
    let origin = header_text(&head.headers, header::ORIGIN).unwrap_or_default();
    let mut answer = match may_ask(&edge, key.as_deref(), origin) {
        Ok(asking) => {
            let mut answer = set(&edge, asking, body).await.unwrap_or_else(|error| told(&edge, error));
            let_read(answer.headers_mut(), &head.headers);
            answer
        }
        Err(error) => told(&edge, error),
    };
    let headers = answer.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// A page that may have the cookie set: for which domain, and whether for encrypted connections only.
struct Asking<'a> {
    domain: &'a CookieDomain,
    is_secure: bool,
}

fn may_ask<'a>(edge: &'a Edge, key: Option<&str>, origin: &str) -> Result<Asking<'a>, ApiError> {
    let Some(domain) = &edge.cookie_domain else {
        let message =
            "this collector sets no visitor's cookie; --visitor-cookie-domain says for which domain it may";
        return Err(ApiError::new(StatusCode::NOT_FOUND, "visitor_cookie_off", message));
    };
    let Some(is_secure) = domain.covers(origin) else {
        let asking: String = if origin.is_empty() { "no origin" } else { origin }.chars().take(200).collect();
        let message = format!(
            "pages of {asking} may not set the visitor's cookie: it is for http and https pages of {} and of hosts below it",
            domain.name()
        );
        return Err(ApiError::new(StatusCode::FORBIDDEN, "origin_outside_cookie_domain", &message));
    };
    edge.keys.authorize(key, Some(origin))?;
    Ok(Asking { domain, is_secure })
}

async fn set(edge: &Edge, asking: Asking<'_>, body: Body) -> Result<Response, ApiError> {
    let held = read_body(&edge.ingest.memory, body, MAX_TOKEN_REQUEST_BYTES).await?;
    let unreadable = |what: &str| {
        let message = format!("the body must be {{\"anonymous_id\":\"<UUID>\"}}: {what}");
        ApiError::new(StatusCode::BAD_REQUEST, "visitor_request_unreadable", &message)
    };
    let asked: Asked = serde_json::from_slice(&held.bytes).map_err(|error| unreadable(&error.to_string()))?;
    if !is_canonical(&asked.anonymous_id) {
        return Err(unreadable("anonymous_id is no UUID of 36 characters in lower case"));
    }
    let member = MemberId(asked.anonymous_id);
    if edge.tombstones.has(&member) {
        // Not to be mistaken for a page that may not ask: who asks for an erased member is to become another.
        return Err(ApiError::new(StatusCode::GONE, "member_erased", "this member has been erased"));
    }
    edge.metrics.visitor_cookies.add(1);
    let cookie = asking.domain.cookie(&member, clock::now(), asking.is_secure);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// Whether a text is a UUID in the one form that pages write: no other text gets into a cookie.
fn is_canonical(text: &str) -> bool {
    let mut written = String::new();
    if let Ok(uuid) = Uuid::try_parse(text) {
        write_uuid(uuid, &mut written);
    }
    written == text && !text.is_empty()
}

/// Lets the page that asks read the answer, and its browser keep the cookie.
fn let_read(headers: &mut HeaderMap, asked: &HeaderMap) {
    if let Some(origin) = asked.get(header::ORIGIN) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
}

fn told(edge: &Edge, error: ApiError) -> Response {
    edge.metrics.errors.add(error.code(), 1);
    error.into_response()
}
