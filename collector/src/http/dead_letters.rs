//! Dead letters on the privileged listener: a list, one of them, and taking them in again.

use super::Edge;
use super::admin::answer;
use super::error::ApiError;
use super::events::moment_of;
use super::privileged::letters::{Among, Letters, OfLetter, Replayed, ReplayedLetters, WholeLetter};
use super::privileged::schemas::{ReplayTroubles, Settled, StoreTroubles};
use super::privileged::{Parameters, PathText, link_next};
use crate::ingest::Outcome;
use crate::limits::{LISTED_LETTERS, MAX_LISTED_LETTERS, MAX_REPLAYED_LETTERS};
use crate::query::{Letter, LetterFilter};
use attune_core::time::Timestamp;
use attune_core::wire::LetterId;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Refused events, oldest first, without their texts
#[utoipa::path(
    get,
    path = "/admin/dead-letters",
    operation_id = "listDeadLetters",
    tag = "dead letters",
    params(
        ("code" = Option<String>, Query, description = "letters of this code"),
        Among,
        ("limit" = Option<u32>, Query, description = "so many letters at most", minimum = 1, maximum = 1000),
        Settled,
    ),
    responses(
        (status = 200, description = "a part of the list", body = Letters, headers(("Link" = String, description = "the next part of the list, `rel=\"next\"`; not behind its end"))),
        (
            status = 400,
            description = "`since_malformed`: no RFC 3339 instant; `after_malformed`: no id of a letter; `limit_malformed`: no number from 1 to 1,000; `settled_malformed`: neither 1 nor 0",
        ),
        StoreTroubles,
    ),
)]
pub async fn list(State(edge): State<Arc<Edge>>, uri: Uri) -> Result<Response, ApiError> {
    let filter = filter_of(&uri, MAX_LISTED_LETTERS)?;
    let page = answer(edge, &uri, move |edge| edge.query.letters(&filter)).await?;
    let letters = page.letters.iter().map(|letter| Value::Object(head_of(letter)));
    let mut response = written(&json!({
        "letters": letters.collect::<Vec<_>>(),
        "next": page.next.map(|id| id.to_string()),
    }));
    link_next(response.headers_mut(), &uri, page.next);
    Ok(response)
}

/// One refused event with its text
#[utoipa::path(
    get,
    path = "/admin/dead-letters/{id}",
    operation_id = "readDeadLetter",
    tag = "dead letters",
    params(OfLetter, Settled),
    responses(
        (status = 200, description = "the letter", body = WholeLetter),
        (status = 400, description = "`letter_id_malformed`: no id of a letter; `path_malformed`: the id is no UTF-8; `settled_malformed`: neither 1 nor 0"),
        (status = 404, description = "`letter_unknown`: there is none of this id"),
        StoreTroubles,
    ),
)]
pub async fn one(
    State(edge): State<Arc<Edge>>,
    PathText(id): PathText,
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

/// Takes one refused event in again
#[utoipa::path(
    post,
    path = "/admin/dead-letters/{id}/replay",
    operation_id = "replayDeadLetter",
    tag = "dead letters",
    params(OfLetter),
    responses(
        (status = 200, description = "what has become of it", body = Replayed),
        (status = 400, description = "`letter_id_malformed`: no id of a letter; `path_malformed`: the id is no UTF-8"),
        (status = 404, description = "`letter_unknown`: there is none of this id"),
        ReplayTroubles,
    ),
)]
pub async fn replay_one(State(edge): State<Arc<Edge>>, PathText(id): PathText) -> Result<Response, ApiError> {
    let id = letter_id(&id, "letter_id_malformed")?;
    let replaying = edge.replaying.lock().await;
    let letter = settled(&edge, move |edge| edge.query.letter(id)).await?.ok_or_else(|| unknown(id))?;
    let results = replay(&edge, vec![letter]).await?;
    drop(replaying);
    Ok(written(&results.into_iter().next().unwrap_or_default()))
}

/// Takes the oldest refused events of a code in again
#[utoipa::path(
    post,
    path = "/admin/dead-letters/replay",
    operation_id = "replayDeadLetters",
    tag = "dead letters",
    params(
        ("code" = String, Query, description = "letters of this code"),
        Among,
        ("limit" = Option<u32>, Query, description = "so many letters at most", minimum = 1, maximum = 500),
    ),
    responses(
        (status = 200, description = "what has become of each", body = ReplayedLetters),
        (
            status = 400,
            description = "`code_missing`: no code is named; `since_malformed`: no RFC 3339 instant; `after_malformed`: no id of a letter; `limit_malformed`: no number from 1 to 500",
        ),
        ReplayTroubles,
    ),
)]
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
    let parameters = Parameters::of(uri);
    let text = |name| parameters.text(name).map(str::to_owned);
    let instant = "an RFC 3339 instant such as 2026-11-20T10:00:02.120Z";
    let after = parameters.text("after").map(|text| letter_id(text, "after_malformed"));
    Ok(LetterFilter {
        code: text("code"),
        event_id: text("event_id"),
        since: parameters.read("since", instant, Timestamp::parse)?,
        after: after.transpose()?,
        limit: parameters.limit(LISTED_LETTERS.min(most), most)?,
    })
}

/// Reads an id as its schema describes it: numbers of so many digits that no log outgrows.
fn letter_id(text: &str, code: &str) -> Result<LetterId, ApiError> {
    let message = || format!("an id of a dead letter is two numbers such as 4096-3, not {text}");
    let id = LetterId::parse(text).filter(|id| id.to_string() == text);
    let id = id.filter(|id| id.position < 10_u64.pow(19) && id.index < 10_u32.pow(9));
    id.ok_or_else(|| ApiError::new(StatusCode::BAD_REQUEST, code, &message()))
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
