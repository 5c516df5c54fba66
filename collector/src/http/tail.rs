//! `GET /v1/events/tail`: server-sent events of what is taken in, as it is.

use super::Edge;
use super::error::ApiError;
use super::events::ending;
use super::privileged::Parameters;
use crate::access::id_of;
use crate::ingest::{Follower, News};
use crate::limits::STREAM_PING;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::json;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::time::{Instant, timeout_at};

/// Which events are wanted.
#[derive(Debug, Default)]
struct Filter {
    event_type: Option<String>,
    key: Option<String>,
    member: Option<String>,
}

impl Filter {
    fn wants(&self, event_type: &str, key: Option<&str>, member: &str) -> bool {
        let is_type = |wanted: &String| match wanted.strip_suffix('*') {
            Some(start) => event_type.starts_with(start),
            None => event_type == wanted,
        };
        let is_key = |wanted: &String| key.is_some_and(|key| key == wanted || id_of(key) == *wanted);
        self.event_type.as_ref().is_none_or(is_type)
            && self.key.as_ref().is_none_or(is_key)
            && self.member.as_ref().is_none_or(|wanted| member == wanted)
    }
}

/// Accepted events as they are taken in, as server-sent events
///
/// Messages `event` have the event with `received_at`, the `position` behind its batch in the log, `key_id` as the list of keys has it, and
/// `project`. Who reads too slowly loses the oldest that wait, of whatever filter, and is told how many by `lost`. `end` is the last message
/// of a collector that shuts down.
#[utoipa::path(
    get,
    path = "/v1/events/tail",
    operation_id = "followEvents",
    tag = "events",
    params(
        ("type" = Option<String>, Query, description = "events of this type; a `*` at the end stands for whatever follows"),
        ("key" = Option<String>, Query, description = "events under this write key, or under the one of this `key_id`"),
        ("member" = Option<String>, Query, description = "events of this member"),
    ),
    responses(
        (status = 200, description = "the stream", body = String, content_type = "text/event-stream"),
        (status = 429, description = "`followers_exhausted`: as many follow as may at a time"),
        (status = 503, description = "`draining`: the collector is shutting down"),
    ),
)]
pub async fn follow(State(edge): State<Arc<Edge>>, parameters: Parameters) -> Result<Response, ApiError> {
    if let Some(ending) = ending(&edge) {
        return Err(ending);
    }
    let text = |name: &str| parameters.text(name).map(str::to_owned);
    let filter = Filter { event_type: text("type"), key: text("key"), member: text("member") };
    let follower = edge.ingest.live.follow().ok_or_else(|| {
        let message = "as many follow the events as may at a time";
        ApiError::retry(StatusCode::TOO_MANY_REQUESTS, "followers_exhausted", message)
    })?;
    let project = edge.signer.project.clone();
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // Some proxies hold streams back unless told otherwise.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(messages(follower, filter, project))).into_response())
}

fn messages(
    follower: Follower,
    filter: Filter,
    project: String,
) -> impl stream::Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold((Some(follower), filter, project), async |(follower, filter, project)| {
        let mut follower = follower?;
        // Whatever is taken in that this reader does not want.
        let ping_at = Instant::now() + STREAM_PING;
        loop {
            let message = match timeout_at(ping_at, follower.next()).await {
                Err(_) => ": ping\n\n".to_owned(),
                Ok(News::Lost(lost)) => written("lost", &json!({"events": lost}).to_string()),
                Ok(News::Closed) => {
                    let end = written("end", &json!({"reason": "draining"}).to_string());
                    return Some((Ok(end.into()), (None, filter, project)));
                }
                Ok(News::Taken(taken)) => {
                    let key = taken.key.as_deref();
                    if !filter.wants(&taken.event.event_type, key, &taken.event.member.0) {
                        continue;
                    }
                    let head = json!({
                        "received_at": taken.received_at.to_string(),
                        "position": taken.position,
                        "key_id": key.map(id_of),
                        "project": project,
                    });
                    let head = head.to_string();
                    written("event", &format!("{},\"event\":{}}}", &head[..head.len() - 1], taken.json()))
                }
            };
            return Some((Ok(Bytes::from(message)), (Some(follower), filter, project)));
        }
    })
}

fn written(kind: &str, data: &str) -> String {
    format!("event: {kind}\ndata: {data}\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_wanted_where_all_that_is_asked_for_fits() {
        let filter = |event_type: &str, key: &str, member: &str| {
            let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            Filter { event_type: text(event_type), key: text(key), member: text(member) }
        };
        for (asked, expected) in [
            (filter("", "", ""), true),
            (filter("cart_add", "demo", "m1"), true),
            (filter("cart_*", &id_of("demo"), ""), true),
            (filter("cart", "", ""), false),
            (filter("", "dem", ""), false),
            (filter("", "", "m"), false),
            (filter("cart_add", "demo", "m2"), false),
        ] {
            assert_eq!(asked.wants("cart_add", Some("demo"), "m1"), expected, "{asked:?}");
        }
        assert!(!filter("", "demo", "").wants("cart_add", None, "m1"));
    }
}
