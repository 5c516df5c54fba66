//! The privileged listener: totals, firings and single profiles.

use super::Edge;
use super::error::ApiError;
use super::found::known;
use super::privileged::schemas::{Bundles, Delivery, Firing, Profile, Settled, StoreTroubles, Summary};
use super::privileged::{Parameters, PathText, lines};
use super::request::{header_text, write_key};
use crate::bundle::percent;
use crate::hex::hex;
use crate::limits::{LISTED_ROWS, MAX_LISTED_ROWS};
use crate::query::StoreError;
use crate::secret::same_secret;
use crate::trigger::{CallId, RetryError, State as DeliveryState};
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// Lets requests through that carry the secret key as `Authorization: Bearer`.
pub async fn require_secret(State(edge): State<Arc<Edge>>, request: Request, next: Next) -> Response {
    // The key must not end up in logs of URLs, so a parameter is not taken.
    let is_header = header_text(request.headers(), header::AUTHORIZATION).is_some();
    let no_parameters = Uri::default();
    let given = write_key(&no_parameters, request.headers());
    if is_header && given.is_some_and(|given| same_secret(&given, &edge.secret_key)) {
        return next.run(request).await;
    }
    let message = "give the secret key as Authorization: Bearer <key>";
    ApiError::new(StatusCode::UNAUTHORIZED, "secret_key_invalid", message).into_response()
}

/// Totals over all profiles
#[utoipa::path(
    get,
    path = "/admin/summary",
    operation_id = "readSummary",
    tag = "state",
    params(Settled),
    responses(
        (status = 200, description = "the totals", body = Summary),
        (status = 400, description = "`settled_malformed`: neither 1 nor 0"),
        StoreTroubles,
    ),
)]
pub async fn summary(State(edge): State<Arc<Edge>>, uri: Uri) -> Result<Response, ApiError> {
    let json = answer(edge, &uri, |edge| edge.query.summary()).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}

/// What is published, by which key, and which key pages are to trust
#[utoipa::path(
    get,
    path = "/admin/bundle",
    operation_id = "readBundle",
    tag = "bundles",
    responses((status = 200, description = "the bundle in effect, and those that are kept", body = Bundles)),
)]
pub async fn bundle(State(edge): State<Arc<Edge>>) -> Response {
    let published = edge.bundles.borrow().clone();
    let kept = published.iter().flat_map(|published| published.kept()).map(|kept| {
        let document = &kept.document;
        json!({"revision": kept.revision, "sha256": hex(&document.hash), "bytes": document.bytes().len()})
    });
    let candidate = published.as_ref().and_then(|published| published.trial()).map(|trial| {
        let sha256 = hex(&trial.kept.document.hash);
        let (revision, percent) = (trial.kept.revision, percent(trial.share));
        json!({"revision": revision, "sha256": sha256, "percent": percent, "seed": trial.seed})
    });
    let json = json!({
        "project": edge.signer.project,
        "environment": edge.signer.environment,
        "key": edge.signer.key.public_text(),
        "key_id": edge.signer.key.id(),
        "trust": edge.trust_key,
        "revision": published.as_ref().map(|published| published.revision()),
        "candidate": candidate,
        "bundles": kept.collect::<Vec<Value>>(),
    });
    ([(header::CONTENT_TYPE, "application/json")], json.to_string()).into_response()
}

/// Firings, in order
///
/// Each with its actions and the bundle that has its rule. `Link` has the address of the next part of the list.
#[utoipa::path(
    get,
    path = "/admin/firings",
    operation_id = "listFirings",
    tag = "triggers",
    params(
        ("limit" = Option<u32>, Query, description = "so many at most; 1,000 without it", minimum = 1, maximum = 10_000),
        ("after" = Option<String>, Query, description = "those behind this place, which `Link` names", pattern = "^[0-9a-f]{16}$"),
        Settled,
    ),
    responses(
        (
            status = 200,
            description = "a firing a line; the lines together are of the schema", body = [Firing],
            content_type = "application/x-ndjson",
            headers(("Link" = String, description = "the next part of the list, `rel=\"next\"`; not behind its end")),
        ),
        (
            status = 400,
            description = "`limit_malformed`: no number from 1 to 10,000; `after_malformed`: no place in the list; `settled_malformed`: neither 1 nor 0",
        ),
        StoreTroubles,
    ),
)]
pub async fn firings(State(edge): State<Arc<Edge>>, uri: Uri) -> Result<Response, ApiError> {
    let parameters = Parameters::of(&uri);
    let limit = parameters.limit(LISTED_ROWS, MAX_LISTED_ROWS)?;
    let after = parameters.read("after", "a place that Link has named", firing_number)?;
    let page = answer(edge, &uri, move |edge| edge.query.firings(after, limit)).await?;
    Ok(lines(&uri, page, |number| format!("{number:016x}")))
}

/// The order number of a firing, as the address of the next part of the list has it.
fn firing_number(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok().filter(|number| format!("{number:016x}") == text)
}

/// Triggers' calls, in order of firing
///
/// `Link` has the address of the next part of the list.
#[utoipa::path(
    get,
    path = "/admin/deliveries",
    operation_id = "listDeliveries",
    tag = "triggers",
    params(
        ("state" = Option<DeliveryState>, Query, description = "those of this state"),
        ("limit" = Option<u32>, Query, description = "so many at most; 1,000 without it", minimum = 1, maximum = 10_000),
        ("after" = Option<String>, Query, description = "those behind this place, which `Link` names", pattern = "^[0-9a-f]{20}$"),
        Settled,
    ),
    responses(
        (
            status = 200,
            description = "a delivery a line; the lines together are of the schema", body = [Delivery],
            content_type = "application/x-ndjson",
            headers(("Link" = String, description = "the next part of the list, `rel=\"next\"`; not behind its end")),
        ),
        (
            status = 400,
            description = "`state_unknown`: there is no such state; `limit_malformed`: no number from 1 to 10,000; `after_malformed`: no place in the list; `settled_malformed`: neither 1 nor 0",
        ),
        StoreTroubles,
    ),
)]
pub async fn deliveries(State(edge): State<Arc<Edge>>, uri: Uri) -> Result<Response, ApiError> {
    let parameters = Parameters::of(&uri);
    let state = parameters.text("state").map(|name| {
        let message = format!("state '{name}' must be pending, done or dead");
        DeliveryState::of_name(name)
            .ok_or_else(|| ApiError::new(StatusCode::BAD_REQUEST, "state_unknown", &message))
    });
    let state = state.transpose()?;
    let limit = parameters.limit(LISTED_ROWS, MAX_LISTED_ROWS)?;
    let after = parameters.read("after", "a place that Link has named", CallId::parse)?;
    let page = answer(edge, &uri, move |edge| edge.triggers.deliveries(state, after, limit)).await?;
    Ok(lines(&uri, page, |id| id.to_string()))
}

/// Has a dead delivery called again
#[utoipa::path(
    post,
    path = "/admin/deliveries/{id}/retry",
    operation_id = "retryDelivery",
    tag = "triggers",
    params(("id" = String, Path, description = "the delivery's id, as the list has it", example = "9816e02c-52ce-83de-bf52-c8c06cfde274.0")),
    responses(
        (status = 202, description = "it will be called; without a body"),
        (status = 400, description = "`path_malformed`: the id is no UTF-8"),
        (status = 404, description = "`delivery_unknown`: there is none of this id"),
        (
            status = 409,
            description = "`delivery_not_dead`: only a dead one is called again by hand; `destination_unknown`: it has nowhere to go",
        ),
        (status = 503, description = "`store_broken`: the disk or what is on it cannot be used; `Retry-After` says when to ask again"),
    ),
)]
pub async fn retry_delivery(
    State(edge): State<Arc<Edge>>,
    PathText(id): PathText,
) -> Result<StatusCode, ApiError> {
    edge.triggers.retry(&id).await.map(|()| StatusCode::ACCEPTED).map_err(|error| match error {
        RetryError::Unknown => {
            let message = format!("there is no delivery {id}");
            ApiError::new(StatusCode::NOT_FOUND, "delivery_unknown", &message)
        }
        RetryError::NotDead(state) => {
            let message =
                format!("only a dead delivery is called again by hand; this one is {}", state.name());
            ApiError::new(StatusCode::CONFLICT, "delivery_not_dead", &message)
        }
        RetryError::NoDestination(trouble) => {
            ApiError::new(StatusCode::CONFLICT, trouble.code, &trouble.message)
        }
        RetryError::Store(error) => {
            ApiError::retry(StatusCode::SERVICE_UNAVAILABLE, "store_broken", &error.to_string())
        }
    })
}

/// One profile
#[utoipa::path(
    get,
    path = "/admin/profiles/{id}",
    operation_id = "readProfile",
    tag = "state",
    params(("id" = String, Path, description = "`user:<user id>` or `member:<anonymous id>`", example = "user:ada"), Settled),
    responses(
        (status = 200, description = "the profile", body = Profile),
        (status = 400, description = "`path_malformed`: the id is no UTF-8; `settled_malformed`: neither 1 nor 0"),
        (status = 404, description = "`profile_unknown`: there is none of this id"),
        (status = 500, description = "`profile_unreadable`: there is one, of which nothing can be read"),
        StoreTroubles,
    ),
)]
pub async fn profile(
    State(edge): State<Arc<Edge>>,
    PathText(id): PathText,
    uri: Uri,
) -> Result<Response, ApiError> {
    let named = id.clone();
    let shown = known(&id, answer(edge, &uri, move |edge| edge.query.profile(&named)).await?)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], shown.json).into_response())
}

/// What a question is answered with; with `?settled=1` once everything received is taken in.
pub async fn answer<T: Send + 'static>(
    edge: Arc<Edge>,
    uri: &Uri,
    ask: impl FnOnce(&Edge) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, ApiError> {
    if Parameters::of(uri).is_settled()? && !edge.query.settle().await {
        let message = "the worker did not catch up in time";
        return Err(ApiError::retry(StatusCode::SERVICE_UNAVAILABLE, "not_settled", message));
    }
    // Scans are long; they must not hold a thread that serves requests.
    let answered = spawn_blocking(move || ask(&edge)).await.map_err(|error| error.to_string());
    let broken = |message: &str| ApiError::retry(StatusCode::SERVICE_UNAVAILABLE, "store_broken", message);
    answered.map_err(|message| broken(&message))?.map_err(|error| broken(&error.to_string()))
}
