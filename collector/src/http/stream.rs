//! `GET /v1/stream`: server-sent events of one member: greeting, profile views, bundle revisions.

use super::Edge;
use super::error::ApiError;
use super::request::query_value;
use crate::clock;
use crate::limits::{DRAIN_RETRY_JITTER_MS, DRAIN_RETRY_MS, STREAM_AGE, STREAM_PING};
use crate::push::{Hello, Mail, Subscription};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::stream;
use std::convert::Infallible;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Opens the stream that the token in the URL lets in.
pub async fn open(State(edge): State<Arc<Edge>>, uri: Uri, headers: HeaderMap) -> Result<Response, ApiError> {
    let token = query_value(&uri, "token").unwrap_or_default();
    let invalid = || {
        let message =
            "the stream token is missing, not ours or has ended; get one from a receipt or /v1/stream/token";
        ApiError::new(StatusCode::UNAUTHORIZED, "stream_token_invalid", message)
    };
    let (member, key) = edge.tokens.open_stream(token, clock::now()).ok_or_else(invalid)?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let last = last.or_else(|| query_value(&uri, "last_event_id"));
    let subscription = edge.hub.subscribe(member, last).map_err(|_| {
        ApiError::retry(
            StatusCode::SERVICE_UNAVAILABLE,
            "streams_exhausted",
            "no further stream can be opened now",
        )
    })?;
    subscription.note_key(&key);
    // Looked at behind the note, so that a key that is taken away meanwhile is seen here or closes the stream.
    if !edge.keys.has(&key) {
        return Err(invalid());
    }
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // Some proxies hold streams back unless told otherwise.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(messages(subscription))).into_response())
}

struct Open {
    subscription: Subscription,
    begun: bool,
    closed: bool,
    ends: Instant,
}

fn messages(subscription: Subscription) -> impl stream::Stream<Item = Result<Bytes, Infallible>> {
    let more = jitter(STREAM_AGE.as_millis() as u64 / 10);
    let open = Open {
        subscription,
        begun: false,
        closed: false,
        ends: Instant::now() + STREAM_AGE + Duration::from_millis(more),
    };
    stream::unfold(open, async |mut open| {
        if !open.begun {
            open.begun = true;
            // The browser's own pause before it reconnects; jittered, so that pages do not return all at once.
            return Some((Ok(Bytes::from(format!("retry: {}\n\n", 1_000 + jitter_ms()))), open));
        }
        let until = open.ends.min(Instant::now() + STREAM_PING);
        match timeout_at(until, open.subscription.next()).await {
            Ok(Some(mail)) => {
                let text = write_mail(&mail, &open.subscription);
                Some((Ok(Bytes::from(text)), open))
            }
            Ok(None) if open.closed => None,
            Ok(None) => {
                open.closed = true;
                // Whoever closes many streams at once does not get all of them back at once.
                let retry = DRAIN_RETRY_MS + jitter(DRAIN_RETRY_JITTER_MS);
                Some((Ok(Bytes::from(format!("retry: {retry}\n\n"))), open))
            }
            Err(_) if Instant::now() >= open.ends => None,
            Err(_) => Some((Ok(Bytes::from_static(b": ping\n\n")), open)),
        }
    })
}

fn write_mail(mail: &Mail, subscription: &Subscription) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    if let Some(hello) = mail.hello {
        let state = match hello {
            Hello::Resumed => "resumed",
            Hello::Gap => "gap",
        };
        let _ = write!(out, "event: hello\ndata: {{\"state\":\"{state}\"}}\n\n");
    }
    if let Some(profile) = &mail.profile {
        let id = subscription.message_id(profile.version);
        let _ = write!(out, "id: {id}\nevent: profile\ndata: ");
        BASE64_STANDARD.encode_string(&profile.bytes, &mut out);
        out.push_str("\n\n");
    }
    if let Some(revision) = mail.bundle {
        let _ = write!(out, "event: bundle\ndata: {{\"revision\":{revision}}}\n\n");
    }
    out
}

fn jitter_ms() -> u64 {
    jitter(2_000)
}

fn jitter(below: u64) -> u64 {
    let mut random = [0; 8];
    // Without a random source all pages wait alike, which is no worse than no jitter.
    let _ = getrandom::fill(&mut random);
    u64::from_le_bytes(random) % below.max(1)
}
