//! Bundles on the privileged listener: revisions that are kept, one of them, checking rules, and putting into effect.

use super::Edge;
use super::error::ApiError;
use super::events::ending;
use super::privileged::PathText;
use super::privileged::revisions::{CheckReport, InEffect, OrderTroubles, Revisions};
use super::request::{header_text, read_body};
use crate::bundle::{Done, Kept, Order, OrderError, Published, percent, signed_body};
use crate::clock;
use crate::content::etag_matches;
use crate::hex::hex;
use crate::query::{Checked, check_rules};
use attune_core::bundle::author::SourceFile;
use attune_core::bundle::open_envelope;
use attune_core::limits::{MAX_BUNDLE_BYTES, MAX_RULE_FILE_BYTES};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// What a rules document is called in what is found in it.
const DOCUMENT: &str = "rules.json";
/// The media types of what can be published.
const RULES: &str = "application/json";
const SIGNED: &str = "application/octet-stream";

/// Revisions that are kept, the newest first
#[utoipa::path(
    get,
    path = "/v1/bundles",
    operation_id = "listRevisions",
    tag = "bundles",
    responses((status = 200, description = "the revisions", body = Revisions)),
)]
pub async fn list(State(edge): State<Arc<Edge>>) -> Response {
    let published = edge.bundles.borrow().clone();
    let rows =
        published.iter().flat_map(|published| published.kept().iter().map(|kept| row(published, kept)));
    let candidate = published.as_ref().and_then(|published| published.trial()).map(|trial| {
        json!({
            "revision": trial.kept.revision,
            "sha256": hex(&trial.kept.document.hash),
            "percent": percent(trial.share),
            "seed": trial.seed,
        })
    });
    written(&json!({
        "project": edge.signer.project,
        "environment": edge.signer.environment,
        "revision": published.as_ref().map(|published| published.revision()),
        "candidate": candidate,
        "overruled": edge.orders.is_overruled(),
        "revisions": rows.collect::<Vec<_>>(),
    }))
}

fn row(published: &Published, kept: &Kept) -> Value {
    let is_tried = published.trial().is_some_and(|trial| trial.kept.revision == kept.revision);
    let state = match (kept.revision == published.revision(), is_tried) {
        (true, _) => "current",
        (false, true) => "candidate",
        (false, false) => "kept",
    };
    // What is kept has been opened before.
    let header = open_envelope(kept.document.bytes()).ok().map(|envelope| envelope.header);
    json!({
        "revision": kept.revision,
        "sha256": hex(&kept.document.hash),
        "parent": header.and_then(|header| header.parent).map(|parent| hex(&parent)),
        "key_id": header.map(|header| header.key_id),
        "expires": header.and_then(|header| header.expires).map(|end| end.to_string()),
        "bytes": kept.document.bytes().len(),
        "state": state,
    })
}

/// The signed document of a revision
#[utoipa::path(
    get,
    path = "/v1/bundles/{revision}",
    operation_id = "readRevision",
    tag = "bundles",
    params(
        ("revision" = u64, Path, description = "one of the list", example = 1),
        ("If-None-Match" = Option<String>, Header, description = "validators that the asker has"),
    ),
    responses(
        (status = 200, description = "the document, as pages get it", body = Vec<u8>, content_type = "application/octet-stream", headers(("ETag" = String, description = "its SHA-256"))),
        (status = 304, description = "the asker has it"),
        (status = 400, description = "`path_malformed`: it is no UTF-8; `revision_malformed`: it is no number"),
        (status = 404, description = "`revision_unknown`: it is not kept"),
    ),
)]
pub async fn one(
    State(edge): State<Arc<Edge>>,
    PathText(revision): PathText,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let revision = number(&revision)?;
    let published = edge.bundles.borrow().clone();
    let kept = published.iter().flat_map(|published| published.kept());
    let kept = kept.into_iter().find(|kept| kept.revision == revision).ok_or_else(|| unknown(revision))?;
    let document = &kept.document;
    let fixed = [(header::ETAG, document.etag.clone()), (header::CACHE_CONTROL, "no-cache".to_owned())];
    if etag_matches(header_text(&headers, header::IF_NONE_MATCH), &document.etag) {
        return Ok((StatusCode::NOT_MODIFIED, fixed).into_response());
    }
    Ok((fixed, [(header::CONTENT_TYPE, SIGNED)], Body::from(document.bytes().clone())).into_response())
}

/// Checks a rules document, and changes nothing
#[utoipa::path(
    post,
    path = "/v1/bundles/check",
    operation_id = "checkRules",
    tag = "bundles",
    request_body(content = Object, content_type = "application/json", description = "the content of a rule file"),
    responses(
        (status = 200, description = "what `attune bundle check --format json` says, errors included", body = CheckReport),
        (status = 400, description = "`body_broken`: the body broke off"),
        (status = 408, description = "`body_stalled`: the body comes too slowly"),
        (status = 413, description = "`batch_too_large`: it is larger than a rule file may be"),
        (status = 415, description = "`type_not_supported`: it is no JSON by its `Content-Type`"),
        OrderTroubles,
    ),
)]
pub async fn check(State(edge): State<Arc<Edge>>, request: Request) -> Result<Response, ApiError> {
    let media_type = media_type(request.headers());
    if media_type != RULES {
        return Err(unsupported(RULES));
    }
    Ok(written(&checked(&edge, request.into_body()).await?.report))
}

/// Publishes rules under the next revision
///
/// A rules document, the content of a rule file, or a bundle that `attune bundle sign` has signed for this project and environment by a key of
/// the key set; the collector signs what it publishes in any case. The rules folder does not count from then on, until it changes.
#[utoipa::path(
    post,
    path = "/v1/bundles",
    operation_id = "publishBundle",
    tag = "bundles",
    request_body(content((Object = "application/json"), (Vec<u8> = "application/octet-stream")), description = "rules, or a signed bundle"),
    responses(
        (status = 200, description = "it was in effect already", body = InEffect),
        (status = 201, description = "it is in effect", body = InEffect),
        (status = 400, description = "`body_broken`: the body broke off"),
        (status = 408, description = "`body_stalled`: the body comes too slowly"),
        (status = 413, description = "`batch_too_large`: it is larger than a rule file or a bundle may be"),
        (status = 415, description = "`type_not_supported`: it is neither by its `Content-Type`"),
        (
            status = 422,
            description = "`bundle_has_errors`: `report` has what `attune bundle check` says of the rules; `bundle_refused`: `reason` has the code that `attune bundle verify` says of the bundle",
        ),
        OrderTroubles,
    ),
)]
pub async fn publish(State(edge): State<Arc<Edge>>, request: Request) -> Result<Response, ApiError> {
    if let Some(ending) = ending(&edge) {
        return Err(ending);
    }
    let body = match &*media_type(request.headers()) {
        RULES => {
            let Checked { body, errors, report } = checked(&edge, request.into_body()).await?;
            if errors > 0 {
                let noun = if errors == 1 { "error" } else { "errors" };
                let message = format!("the rules have {errors} {noun}; nothing has changed");
                let error = ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bundle_has_errors", &message);
                return Err(error.with("report", report));
            }
            body
        }
        SIGNED => {
            let held = read_body(&edge.ingest.memory, request.into_body(), MAX_BUNDLE_BYTES).await?;
            let opened = signed_body(&held.bytes, &edge.signer, edge.keyset.bytes(), clock::now());
            opened.map_err(|refused| {
                let message = format!("{refused} ({}); nothing has changed", refused.code());
                let error = ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bundle_refused", &message);
                error.with("reason", json!(refused.code()))
            })?
        }
        _ => return Err(unsupported("application/json or application/octet-stream")),
    };
    ordered(&edge, Order::Publish(body)).await
}

/// Puts what an older revision says into effect, under the next one
///
/// No page goes back to a lower revision. The rules folder does not count from then on, until it changes.
#[utoipa::path(
    post,
    path = "/v1/bundles/{revision}/activate",
    operation_id = "activateRevision",
    tag = "bundles",
    params(("revision" = u64, Path, description = "one of the list", example = 1)),
    responses(
        (status = 200, description = "what it says was in effect already", body = InEffect),
        (status = 201, description = "what it says is in effect", body = InEffect),
        (status = 400, description = "`path_malformed`: it is no UTF-8; `revision_malformed`: it is no number"),
        (status = 404, description = "`revision_unknown`: it is not kept"),
        OrderTroubles,
    ),
)]
pub async fn activate(
    State(edge): State<Arc<Edge>>,
    PathText(revision): PathText,
) -> Result<Response, ApiError> {
    if let Some(ending) = ending(&edge) {
        return Err(ending);
    }
    ordered(&edge, Order::Activate(number(&revision)?)).await
}

async fn ordered(edge: &Edge, order: Order) -> Result<Response, ApiError> {
    let unavailable = |code: &str, error: &OrderError| {
        ApiError::retry(StatusCode::SERVICE_UNAVAILABLE, code, &error.to_string())
    };
    let Done { revision, hash, is_new } = edge.orders.ask(order).await.map_err(|error| match &error {
        OrderError::Unknown(revision) => unknown(*revision),
        OrderError::Disk(_) => unavailable("publisher_broken", &error),
        OrderError::Busy => unavailable("publisher_busy", &error),
        OrderError::Ended => unavailable("draining", &error),
    })?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let json = json!({"revision": revision, "sha256": hex(&hash), "is_new": is_new});
    Ok((status, written(&json)).into_response())
}

async fn checked(edge: &Edge, body: Body) -> Result<Checked, ApiError> {
    let held = read_body(&edge.ingest.memory, body, MAX_RULE_FILE_BYTES).await?;
    // As the text of a file is read.
    let text = String::from_utf8_lossy(&held.bytes).into_owned();
    let files = [SourceFile { name: DOCUMENT.to_owned(), text }];
    // Compiling is long; it must not hold a thread that serves requests.
    spawn_blocking(move || check_rules(&files)).await.map_err(|error| {
        ApiError::retry(StatusCode::SERVICE_UNAVAILABLE, "publisher_broken", &error.to_string())
    })
}

fn media_type(headers: &HeaderMap) -> String {
    let named = header_text(headers, header::CONTENT_TYPE).unwrap_or_default();
    named.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn unsupported(takes: &str) -> ApiError {
    let message = format!("Content-Type must be {takes}");
    ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "type_not_supported", &message)
}

fn number(text: &str) -> Result<u64, ApiError> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain).ok_or_else(|| {
        let message = "a revision is a number such as 7";
        ApiError::new(StatusCode::BAD_REQUEST, "revision_malformed", message)
    })
}

fn unknown(revision: u64) -> ApiError {
    let message = OrderError::Unknown(revision).to_string();
    ApiError::new(StatusCode::NOT_FOUND, "revision_unknown", &message)
}

fn written(json: &Value) -> Response {
    ([(header::CONTENT_TYPE, RULES), (header::CACHE_CONTROL, "no-store")], json.to_string()).into_response()
}
