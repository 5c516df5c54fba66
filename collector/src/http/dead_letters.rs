//! Dead letters on the privileged listener: a list, one of them, and taking them in again.

use super::Edge;
use super::admin::answer;
use super::error::ApiError;
use super::events::moment_of;
use crate::ingest::Outcome;
use crate::limits::{LISTED_LETTERS, MAX_LISTED_LETTERS, MAX_REPLAYED_LETTERS};
use crate::query::{Letter, LetterFilter};
use attune_core::time::Timestamp;
use attune_core::wire::LetterId;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What can stand in the query.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Parameters {
    code: Option<String>,
    event_id: Option<String>,
    since: Option<String>,
    after: Option<String>,
    limit: Option<String>,
}

/// The oldest letters that fit `code`, `event_id` and `since`, behind `after`, without their texts; `?settled=1` as for the summary.
pub async fn list(State(edge): State<Arc<Edge>>, uri: Uri) -> Result<Response, ApiError> {
    let filter = filter_of(&uri, MAX_LISTED_LETTERS)?;
    let page = answer(edge, &uri, move |edge| edge.query.letters(&filter)).await?;
    let letters = page.letters.iter().map(|letter| Value::Object(head_of(letter)));
    Ok(written(&json!({
        "letters": letters.collect::<Vec<_>>(),
        "next": page.next.map(|id| id.to_string()),
    })))
}

/// One letter with its text; `?settled=1` as for the summary.
pub async fn one(
    State(edge): State<Arc<Edge>>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let id = letter_id(&id, "letter_id_malformed")?;
    let letter = answer(edge, &uri, move |edge| edge.query.letter(id)).await?.ok_or_else(|| unknown(id))?;
    let mut fields = head_of(&letter);
    let content = letter.refused.content.as_ref();
    fields.insert("write_key".to_owned(), json!(content.and_then(|content| content.key.as_deref())));
    fields.insert("clock_shift_ms".to_owned(), json!(content.map(|content| content.clock_shift_ms)));
    fields.insert("raw".to_owned(), json!(content.map(|content| &content.raw)));
    Ok(written(&Value::Object(fields)))
}

/// Takes one letter in again.
pub async fn replay_one(State(edge): State<Arc<Edge>>, Path(id): Path<String>) -> Result<Response, ApiError> {
    let id = letter_id(&id, "letter_id_malformed")?;
    let replaying = edge.replaying.lock().await;
    let letter = settled(&edge, move |edge| edge.query.letter(id)).await?.ok_or_else(|| unknown(id))?;
    let results = replay(&edge, vec![letter]).await?;
    drop(replaying);
    Ok(written(&results.into_iter().next().unwrap_or_default()))
}

/// Takes the oldest letters of a code in again.
pub async fn replay_code(State(edge): State<Arc<Edge>>, uri: Uri) -> Result<Response, ApiError> {
    let filter = filter_of(&uri, MAX_REPLAYED_LETTERS)?;
    if filter.code.is_none() {
        let message = "say with ?code= which letters are to be taken in again";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "code_missing", message));
    }
    let replaying = edge.replaying.lock().await;
    let page = settled(&edge, move |edge| edge.query.letters(&filter)).await?;
    let results = replay(&edge, page.letters).await?;
    drop(replaying);
    Ok(written(&json!({"results": results, "next": page.next.map(|id| id.to_string())})))
}

/// Tries letters, and waits until what became of them is in effect, so that nobody finds them a second time.
async fn replay(edge: &Edge, letters: Vec<Letter>) -> Result<Vec<Value>, ApiError> {
    let tried: Vec<_> = letters.into_iter().map(|letter| (letter.id, letter.refused)).collect();
    let published = edge.bundles.borrow().clone();
    // The letters' own senders were judged when they sent.
    let moment = moment_of(edge, published.as_deref(), None, "");
    let outcomes = edge.ingest.replay(&tried, &edge.keys, moment).await?;
    if !edge.query.settle().await {
        return Err(not_settled());
    }
    let results = tried.iter().zip(&outcomes).map(|((id, refused), outcome)| {
        let event_id = refused.content.as_ref().and_then(|content| content.event_id.as_deref());
        let (code, message) = match outcome {
            Outcome::Accepted | Outcome::Duplicate => (None, None),
            Outcome::Refused(code, message) => (Some(&**code), Some(&**message)),
            Outcome::Impossible(code, message) => (Some(*code), Some(&**message)),
        };
        let id = id.to_string();
        json!({"id": id, "event_id": event_id, "result": outcome.result(), "code": code, "message": message})
    });
    Ok(results.collect())
}

/// Asks once everything received is taken in.
async fn settled<T: Send + 'static>(
    edge: &Arc<Edge>,
    ask: impl FnOnce(&Edge) -> Result<T, crate::query::StoreError> + Send + 'static,
) -> Result<T, ApiError> {
    answer(edge.clone(), &Uri::from_static("/?settled=1"), ask).await
}

fn head_of(letter: &Letter) -> Map<String, Value> {
    let refused = &letter.refused;
    let content = refused.content.as_ref();
    let head = json!({
        "id": letter.id.to_string(),
        "position": letter.id.position,
        "code": refused.code,
        "message": refused.message,
        "refused_by": refused.by.name(),
        "received_at": refused.at.to_string(),
        "count": refused.count,
        "event_type": refused.event_type,
        "event_id": content.and_then(|content| content.event_id.as_deref()),
        "member": content.and_then(|content| content.member.as_ref()).map(|member| &member.0),
        "raw_bytes": content.map(|content| content.raw_bytes),
        "replays": letter.replays,
        "replayed_at": letter.replayed_at.map(|at| at.to_string()),
    });
    if let Value::Object(fields) = head { fields } else { Map::new() }
}

fn filter_of(uri: &Uri, most: usize) -> Result<LetterFilter, ApiError> {
    let malformed = |code, message: &str| ApiError::new(StatusCode::BAD_REQUEST, code, message);
    let Query(parameters) = Query::<Parameters>::try_from_uri(uri)
        .map_err(|error| malformed("query_malformed", &error.body_text()))?;
    let since = parameters.since.map(|text| {
        let message = format!("since is no RFC 3339 instant such as 2026-11-20T10:00:02.120Z: {text}");
        Timestamp::parse(&text).ok_or_else(|| malformed("since_malformed", &message))
    });
    let limit = parameters.limit.map(|text| {
        let message = format!("limit is not a number from 1 to {most}: {text}");
        let limit = text.parse().ok().filter(|limit| (1..=most).contains(limit));
        limit.ok_or_else(|| malformed("limit_malformed", &message))
    });
    let after = parameters.after.map(|text| letter_id(&text, "after_malformed"));
    Ok(LetterFilter {
        code: parameters.code,
        event_id: parameters.event_id,
        since: since.transpose()?,
        after: after.transpose()?,
        limit: limit.transpose()?.unwrap_or(LISTED_LETTERS),
    })
}

fn letter_id(text: &str, code: &str) -> Result<LetterId, ApiError> {
    let message = || format!("an id of a dead letter is two numbers such as 4096-3, not {text}");
    LetterId::parse(text).ok_or_else(|| ApiError::new(StatusCode::BAD_REQUEST, code, &message()))
}

fn unknown(id: LetterId) -> ApiError {
    let message = format!("there is no dead letter {id}; it may be in effect by now, or given up for room");
    ApiError::new(StatusCode::NOT_FOUND, "letter_unknown", &message)
}

fn not_settled() -> ApiError {
    let message = "the letters were tried, but the worker did not catch up in time; list them again";
    ApiError::retry(StatusCode::SERVICE_UNAVAILABLE, "not_settled", message)
}

fn written(json: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], json.to_string()).into_response()
}
