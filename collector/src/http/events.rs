//! `POST /v1/events`: authenticate, read, hand to ingest, answer with the receipt.

use super::Edge;
use super::error::ApiError;
use super::request::{client_address, header_text, read_body, write_key};
use crate::access::{AccessError, Site};
use crate::bundle::Published;
use crate::clock;
use crate::enrich::{Hints, Source};
use crate::ingest::{
    Body, BodyError, BodyType, Enriching, Guard, IngestError, Moment, body_type, is_compressed, key_inside,
};
use attune_core::limits::MAX_REQUEST_BYTES;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

const BRANDS: HeaderName = HeaderName::from_static("sec-ch-ua");
const FULL_VERSION_LIST: HeaderName = HeaderName::from_static("sec-ch-ua-full-version-list");
const MOBILE: HeaderName = HeaderName::from_static("sec-ch-ua-mobile");
const PLATFORM: HeaderName = HeaderName::from_static("sec-ch-ua-platform");
const PLATFORM_VERSION: HeaderName = HeaderName::from_static("sec-ch-ua-platform-version");
const MODEL: HeaderName = HeaderName::from_static("sec-ch-ua-model");
const GPC: HeaderName = HeaderName::from_static("sec-gpc");

/// Takes a batch in; the receipt says what became of every event.
pub async fn accept(State(edge): State<Arc<Edge>>, request: Request) -> Response {
    match take(&edge, request).await {
        Ok(receipt) => {
            let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
            (headers, receipt).into_response()
        }
        Err(error) => {
            edge.metrics.errors.add(error.code(), 1);
            error.into_response()
        }
    }
}

async fn take(edge: &Edge, request: Request) -> Result<String, ApiError> {
    if let Some(ending) = ending(edge) {
        return Err(ending);
    }
    let (head, body) = request.into_parts();
    let named = write_key(&head.uri, &head.headers);
    let origin = header_text(&head.headers, header::ORIGIN);
    let outside = named.map(|named| edge.keys.authorize(Some(&named), origin)).transpose()?;
    let body_type = body_type(header_text(&head.headers, header::CONTENT_TYPE)).map_err(IngestError::Body)?;
    let encoding = encoding(&head.headers)?;
    // Who names no key outside has to be heard out, unless there can be none inside.
    if outside.is_none() && (body_type == BodyType::Lines || is_compressed(&[], encoding)) {
        return Err(AccessError::KeyMissing.into());
    }
    let held = read_body(&edge.ingest.memory, body, MAX_REQUEST_BYTES).await?;
    let key = match outside {
        Some(key) => key,
        None => edge.keys.authorize(key_inside(&held.bytes, body_type, encoding).as_deref(), origin)?,
    };
    let published = edge.bundles.borrow().clone();
    let moment = moment(edge, published.as_deref(), &head);
    Ok(edge.ingest.accept(&key, Body { body_type, encoding, held }, moment).await?)
}

/// What is answered instead of taking events in while the collector shuts down.
pub fn ending(edge: &Edge) -> Option<ApiError> {
    let message = "the collector is shutting down";
    let is_draining = edge.draining.load(Ordering::Relaxed);
    is_draining.then(|| ApiError::retry(StatusCode::SERVICE_UNAVAILABLE, "draining", message))
}

/// The encoding that a request names.
///
/// # Errors
/// It is no text.
pub fn encoding(headers: &HeaderMap) -> Result<Option<&str>, IngestError> {
    let named = headers.get(header::CONTENT_ENCODING).map(|value| value.to_str()).transpose();
    named.map_err(|_| IngestError::Body(BodyError::EncodingUnsupported))
}

/// What holds now for a request with this head, under the bundle in effect.
pub fn moment<'a>(edge: &'a Edge, published: Option<&'a Published>, head: &'a Parts) -> Moment<'a> {
    let user_agent = header_text(&head.headers, header::USER_AGENT).unwrap_or_default();
    let address = client_address(edge, head);
    // What a server calls itself, and where it stands, says nothing of its visitors.
    let visitor = head.headers.contains_key(header::ORIGIN).then(|| visitor(&head.headers, address));
    let enriching = Some(Enriching { enricher: &edge.enricher, visitor });
    Moment { enriching, ..moment_of(edge, published, Some(Site::of(address)), user_agent) }
}

/// What a page's request says of its visitor.
fn visitor(headers: &HeaderMap, address: IpAddr) -> Source<'_> {
    let text = |name: &HeaderName| headers.get(name)?.to_str().ok();
    let hints = Hints {
        brands: text(&FULL_VERSION_LIST).or_else(|| text(&BRANDS)),
        mobile: text(&MOBILE),
        platform: text(&PLATFORM),
        platform_version: text(&PLATFORM_VERSION),
        model: text(&MODEL),
    };
    let gpc = text(&GPC).is_some_and(|value| value.trim() == "1");
    Source { user_agent: text(&header::USER_AGENT), hints, address: Some(address), gpc }
}

/// What holds now for events from somewhere, under the bundle in effect.
pub fn moment_of<'a>(
    edge: &'a Edge,
    published: Option<&'a Published>,
    site: Option<Site>,
    user_agent: &'a str,
) -> Moment<'a> {
    let policy = published.and_then(Published::policy);
    Moment {
        now: clock::now(),
        bundle_revision: published.map_or(0, Published::revision),
        site,
        erased: &edge.tombstones,
        guard: policy.map(|policy| Guard { policy, user_agent }),
        enriching: None,
        origins: &[],
    }
}
