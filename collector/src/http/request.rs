//! What every handler needs of a request: its place in the path, the key it names, its body within limits, its id.

use super::Edge;
use super::error::ApiError;
use super::listen::{Pace, Peer};
use crate::access::Site;
use crate::ingest::{Held, Memory};
use crate::limits::{MIN_BYTES_PER_SECOND, STALL_TIMEOUT};
use axum::body::{Body, HttpBody};
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri, header};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::{Instant, timeout_at};
use tower_http::request_id::{MakeRequestId, RequestId};

/// The raw value of a query parameter; our parameters need no escapes.
pub fn query_value<'a>(uri: &'a Uri, name: &str) -> Option<&'a str> {
    let pairs = uri.query()?.split('&');
    pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// The one place in a path that a route leaves open, decoded.
#[derive(Debug)]
pub struct PathText(pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathText {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let told = |rejection: PathRejection| {
            ApiError::new(StatusCode::BAD_REQUEST, "path_malformed", &rejection.body_text())
        };
        Path::from_request_parts(parts, state).await.map(|Path(text)| Self(text)).map_err(told)
    }
}

/// A header as text.
pub fn header_text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// The write key of a request: `?k=`, `Authorization: Bearer`, or the user name of `Basic`.
pub fn write_key<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<Cow<'a, str>> {
    if let Some(key) = query_value(uri, "k") {
        return Some(Cow::Borrowed(key));
    }
    let (scheme, value) = header_text(headers, header::AUTHORIZATION)?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Cow::Borrowed(value.trim()));
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let pair = String::from_utf8(BASE64_STANDARD.decode(value.trim()).ok()?).ok()?;
        return Some(Cow::Owned(pair.split(':').next().unwrap_or_default().to_owned()));
    }
    None
}

/// Where a request comes from, as far as counting goes.
pub fn client(edge: &Edge, head: &Parts) -> Site {
    Site::of(client_address(edge, head))
}

/// The address that a request comes from, by its connection or by what trusted proxies say.
pub fn client_address(edge: &Edge, head: &Parts) -> IpAddr {
    // Whatever has no peer shares one place, rather than to have no limits.
    let peer = head.extensions.get().map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |Peer(peer)| *peer);
    let values = head.headers.get_all(edge.proxies.header().name()).iter();
    // What is no text is no address either, and ends the way back as one.
    edge.proxies.client(peer, values.map(|value| value.to_str().unwrap_or_default()))
}

/// The whole body, within a size, at a pace and in the memory that bodies may take.
///
/// # Errors
/// 413 over the size, 408 below the pace, 400 for a body that breaks off, 503 where there is no memory.
pub async fn read_body(memory: &Arc<Memory>, body: Body, max_bytes: usize) -> Result<Held, ApiError> {
    let mut body = Limited::new(body, max_bytes);
    let (mut read, mut pace, mut arriving) = (Vec::new(), Pace::new(), memory.begin());
    loop {
        let end = pace.wait(Instant::now());
        let next = tokio::select! {
            next = timeout_at(end, body.frame()) => next,
            busy = arriving.ended() => return Err(busy.into()),
        };
        let bytes = match next {
            // Trailers are nothing of ours.
            Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
            Ok(Some(Err(error))) if error.is::<LengthLimitError>() => {
                let message = format!("a request body holds at most {max_bytes} bytes as it arrives");
                return Err(ApiError::batch_too_large(&message, max_bytes, &[]));
            }
            Ok(Some(Err(_))) => {
                return Err(ApiError::new(StatusCode::BAD_REQUEST, "body_broken", "the body broke off"));
            }
            Ok(None) => return Ok(arriving.whole(read.into())),
            Err(_) => return Err(stalled()),
        };
        pace.gain(bytes.len(), Instant::now());
        arriving.take(bytes.len()).await?;
        // Most come in one piece, which need not be copied.
        if read.is_empty() && body.is_end_stream() {
            return Ok(arriving.whole(bytes));
        }
        arriving.wait();
        // No more than is counted; doubling would take twice as much.
        read.reserve_exact(bytes.len());
        read.extend_from_slice(&bytes);
    }
}

fn stalled() -> ApiError {
    let seconds = STALL_TIMEOUT.as_secs();
    let message = format!(
        "the body stalled: after {seconds} seconds it has to arrive at {MIN_BYTES_PER_SECOND} bytes a second or more"
    );
    ApiError::new(StatusCode::REQUEST_TIMEOUT, "body_stalled", &message)
}

/// Numbers requests of one process: `<epoch>-<number>`.
#[derive(Clone, Debug)]
pub struct RequestIds {
    epoch: Arc<str>,
    next: Arc<AtomicU64>,
}

impl RequestIds {
    /// Ids that begin with the epoch of this process.
    pub fn new(epoch: &str) -> Self {
        Self { epoch: epoch.into(), next: Arc::default() }
    }
}

impl MakeRequestId for RequestIds {
    fn make_request_id<B>(&mut self, _request: &Request<B>) -> Option<RequestId> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        HeaderValue::try_from(format!("{}-{number:x}", self.epoch)).ok().map(RequestId::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_found_wherever_senders_put_it() {
        for (uri, authorization, expected) in [
            ("/v1/events?k=demo", None, Some("demo")),
            ("/v1/events?a=b&k=demo&c=d", Some("Bearer other"), Some("demo")),
            ("/v1/events", Some("Bearer demo"), Some("demo")),
            ("/v1/events", Some("Basic ZGVtbzo="), Some("demo")),
            ("/v1/events?key=demo", None, None),
            ("/v1/events", Some("Digest x"), None),
        ] {
            let mut headers = HeaderMap::new();
            headers.extend(authorization.map(|text| (header::AUTHORIZATION, HeaderValue::from_static(text))));
            let uri = Uri::from_static(uri);
            assert_eq!(write_key(&uri, &headers).as_deref(), expected, "{uri}");
        }
    }
}
