//! What other makers' libraries send: authenticate, translate, hand to ingest, answer as they expect.

mod measurement;
mod mixpanel;
mod segment;

use super::Edge;
use super::error::ApiError;
use super::events::{encoding, ending, moment};
use super::request::{header_text, query_value, read_body, write_key};
use crate::access::{AccessError, WriteKey};
use crate::clock;
use crate::compat::{Arrived, PostedError, Refusal, Translation};
use crate::hex::hex;
use crate::ingest::{Guard, Held, IngestError, Moment, Text, is_compressed, too_large};
use attune_core::limits::{MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_REQUEST_BYTES};
use attune_core::time::Timestamp;
use attune_core::wire::{Envelope, Receipt, ResultKind};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use std::sync::Arc;

pub use measurement::router as measurement;
pub use mixpanel::router as mixpanel;
pub use segment::router as segment;

/// Parameters in which libraries give the write key: RudderStack's, Google's.
const QUERY_KEYS: [&str; 2] = ["writeKey", "api_secret"];

/// A request's body as text, and the key where that came outside of it.
struct Taken {
    key: Option<Arc<WriteKey>>,
    head: Parts,
    held: Held,
}

impl Taken {
    /// Reads the body of a request within limits: those of strangers are smaller, and never decompressed.
    async fn read(edge: &Edge, request: Request) -> Result<Self, ApiError> {
        if let Some(ending) = ending(edge) {
            return Err(ending);
        }
        let (head, body) = request.into_parts();
        let in_address = || QUERY_KEYS.iter().find_map(|name| query_value(&head.uri, name)).map(Into::into);
        let given = write_key(&head.uri, &head.headers).filter(|named| !named.is_empty());
        let named = given.or_else(in_address).filter(|named| !named.is_empty());
        let origin = header_text(&head.headers, header::ORIGIN);
        let key = named.map(|named| edge.keys.authorize(Some(&named), origin)).transpose()?;
        // Libraries count the bytes of a batch wrongly, and split none.
        let max_bytes = if key.is_some() { MAX_BATCH_BYTES } else { MAX_REQUEST_BYTES };
        let held = read_body(&edge.ingest.memory, body, max_bytes).await?;
        if key.is_none() && is_compressed(&held.bytes, encoding(&head.headers)?) {
            return Err(AccessError::KeyMissing.into());
        }
        Ok(Self { key, head, held })
    }

    async fn text(&self, edge: &Edge) -> Result<Text<'_>, ApiError> {
        Ok(edge.ingest.text(&self.held, encoding(&self.head.headers)?).await?)
    }

    /// The key that came with the request, or else the one that its body names.
    fn key(&self, edge: &Edge, in_body: Option<&str>) -> Result<Arc<WriteKey>, ApiError> {
        match &self.key {
            Some(key) => Ok(key.clone()),
            None => Ok(edge.keys.authorize(in_body, header_text(&self.head.headers, header::ORIGIN))?),
        }
    }

    /// Hands messages over; returns how many of them cannot be taken.
    async fn hand_over(
        &self,
        edge: &Edge,
        key: &WriteKey,
        translation: &Translation<'_>,
    ) -> Result<usize, ApiError> {
        for refusal in &translation.refused {
            edge.metrics.rejected.add(refusal.code, 1);
        }
        let published = edge.bundles.borrow().clone();
        let mut here = moment(edge, published.as_deref(), &self.head);
        if !self.head.headers.contains_key(header::ORIGIN) {
            // What a server calls itself says nothing of its visitors.
            here.guard = here.guard.map(|guard| Guard { user_agent: "", ..guard });
        }
        let events = translation.events.iter().map(String::as_str).collect();
        let envelope = Envelope { events, ..Envelope::default() };
        let here = Moment { origins: &translation.origins, ..here };
        // What has been made of the body may be many times as large.
        let bytes = translation.events.iter().map(String::len).sum();
        let _room = edge.ingest.memory.take(bytes).await.map_err(IngestError::Memory)?;
        let receipt = edge.ingest.take(key, &envelope, here).await?;
        Ok(tell(key, &translation.refused, &receipt))
    }
}

/// Refuses a batch of too many messages.
fn check_count(messages: &[&str]) -> Result<(), ApiError> {
    if messages.len() > MAX_BATCH_EVENTS {
        return Err(IngestError::TooLarge(too_large(messages)).into());
    }
    Ok(())
}

/// The sender gets no receipt, so that the log says what has been refused: one line for a request. Returns how many.
fn tell(key: &WriteKey, refused: &[Refusal], receipt: &Receipt) -> usize {
    let rejected = || receipt.results.iter().filter(|row| row.result == ResultKind::Rejected);
    let count = refused.len() + rejected().count();
    let first = refused.first().map(|first| (&*first.message_id, first.code, &*first.message));
    let first = first.or_else(|| rejected().next().map(|row| (&*row.event_id, &*row.code, &*row.message)));
    if let Some((message_id, code, message)) = first {
        tracing::warn!(key = %key.key, count, message_id, code, "messages were refused, first: {message}");
    }
    count
}

/// What holds for all messages of a request; its text is unlike that of any other.
struct Arrival {
    now: Timestamp,
    request: String,
}

impl Arrival {
    fn now() -> Result<Self, ApiError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| {
            ApiError::retry(StatusCode::SERVICE_UNAVAILABLE, "random_source_missing", &error.to_string())
        })?;
        Ok(Self { now: clock::now(), request: hex(&random) })
    }

    fn arrived(&self) -> Arrived<'_> {
        Arrived { now: self.now, request: &self.request }
    }
}

impl From<PostedError> for ApiError {
    fn from(error: PostedError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error.code(), &error.to_string())
    }
}
