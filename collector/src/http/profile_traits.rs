//! `PATCH /v1/profiles/{id}/traits`: a JSON merge patch (RFC 7396) over the traits of a profile, with its version as a
//! condition where `If-Match` says so.

use super::Edge;
use super::admin::answer;
use super::error::ApiError;
use super::events::{ending, moment_of};
use super::found::{known, unreadable};
use super::privileged::people::{PatchAccepted, Patched, WriteTroubles};
use super::privileged::{Parameters, PathText};
use super::profiles::{Subject, busy, read_behind, read_watched, tag_of, traits_json};
use super::request::{header_text, read_body};
use crate::clock;
use crate::ingest::{TraitError, TraitWrite};
use crate::limits::{MAX_TRAITS_PATCH_BYTES, WATCHED_TRIES};
use crate::query::Found;
use attune_core::id::write_uuid;
use attune_core::processor::ProfileState;
use attune_core::time::Timestamp;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Which versions a write depends on.
#[derive(Debug, PartialEq, Eq)]
enum Condition {
    /// It is made in any case.
    None,
    /// There is to be a profile.
    Exists,
    /// It is to have one of these versions.
    Versions(Vec<u64>),
}

impl Condition {
    /// Reads `If-Match`; validators that are none of ours, weak ones included, match nothing (RFC 9110, section 13.1.1).
    fn read(headers: &HeaderMap) -> Self {
        let values: Vec<&str> = headers.get_all(header::IF_MATCH).iter().flat_map(|it| it.to_str()).collect();
        if !headers.contains_key(header::IF_MATCH) {
            return Self::None;
        }
        let tags: Vec<&str> = values.iter().flat_map(|value| value.split(',')).map(str::trim).collect();
        if tags.contains(&"*") {
            return Self::Exists;
        }
        // The validator of a whole profile begins with its version.
        let version = |tag: &&str| {
            let text = tag.strip_prefix('"')?.strip_suffix('"')?;
            text.split('-').next()?.parse().ok()
        };
        Self::Versions(tags.iter().filter_map(version).collect())
    }

    fn holds(&self, version: Option<u64>) -> bool {
        match (self, version) {
            (Self::None, _) | (Self::Exists, Some(_)) => true,
            (Self::Versions(wanted), Some(version)) => wanted.contains(&version),
            (_, None) => false,
        }
    }
}

/// What a request asks for.
struct Asked {
    subject: Subject,
    patch: Map<String, Value>,
    at: Option<Timestamp>,
    condition: Condition,
}

/// Writes traits by a JSON merge patch (RFC 7396), null taking one away
///
/// It goes through the log as an `attune.identify`. With `If-Match` it is made where the profile has one of these versions, and nothing has
/// come of it since; without, the write with the later event time stands.
#[utoipa::path(
    patch,
    path = "/v1/profiles/{id}/traits",
    operation_id = "patchTraits",
    tag = "profiles",
    params(
        ("id" = String, Path, description = "`user:<user id>` or `member:<anonymous id>`", pattern = "^(user|member):[^/]{1,100}$", example = "user:ada"),
        ("at" = Option<String>, Query, description = "event time of the write, an RFC 3339 instant up to now; now where it is missing"),
        ("If-Match" = Option<String>, Header, description = "`ETag` of the profile or of its traits, or `*` for any"),
    ),
    request_body(content = Object, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, description = "the write is durable and taken in: version and traits behind it, and under `superseded` names of which a later write stands", body = Patched, headers(("ETag" = String, description = "the profile's version"))),
        (status = 202, description = "the write is durable, and will be taken in", body = PatchAccepted),
        (
            status = 400,
            description = "`path_malformed`: the id is no UTF-8; `profile_id_malformed`: it is none of a profile; `at_malformed`: no instant, or of the future; `patch_unreadable`: no JSON; `patch_not_an_object`: something else than traits by name; `patch_invalid`: a value that events cannot have, nested too deep for example; `trait_too_large`: a name or value is over its limit; `body_broken`: the body broke off",
        ),
        (status = 408, description = "`body_stalled`: the body comes too slowly"),
        (status = 409, description = "`profile_moved`: the member is part of the profile that `profile` names"),
        (status = 410, description = "`member_erased`: it has been erased"),
        (status = 412, description = "`version_mismatch`: the profile has the version that `version` and `ETag` say"),
        (status = 413, description = "`batch_too_large`: the patch is over its limit"),
        (status = 415, description = "`type_not_supported`: it is no JSON by its `Content-Type`"),
        (status = 422, description = "`policy_refused`: the filter policy of the bundle takes no such traits"),
        (status = 500, description = "`profile_unreadable`: there is a profile, of which nothing can be read"),
        WriteTroubles,
    ),
)]
pub async fn patch(
    State(edge): State<Arc<Edge>>,
    PathText(id): PathText,
    request: Request,
) -> Result<Response, ApiError> {
    if let Some(ending) = ending(&edge) {
        return Err(ending);
    }
    let asked = read(&edge, &id, request).await?;
    let member = asked.subject.member.clone();
    let lives_in = answer(edge.clone(), &Uri::default(), move |edge| edge.query.profile_of(&member)).await?;
    if let Some(other) = lives_in.filter(|profile| *profile.0 != *id) {
        let message = format!("what {id} names is part of {}; write there", other.0);
        let error = ApiError::new(StatusCode::CONFLICT, "profile_moved", &message);
        return Err(error.with("profile", json!(other.0)));
    }
    // What says everything it needs is written as it comes, and the later event time stands.
    let reads = asked.condition != Condition::None || asked.patch.values().any(Value::is_object);
    if !reads {
        let write = write_of(&edge, &asked, &asked.patch)?;
        let end = edge.ingest.write_traits(&write, None, clock::now()).await?.unwrap_or_default();
        return written(&edge, &asked, &write, end).await;
    }
    for _ in 0..WATCHED_TRIES {
        let (watch, found) = read_watched(&edge, &asked.subject).await?;
        let state = match found {
            Found::Known(state) => Some(state),
            Found::Unknown => None,
            Found::Unreadable(error) => return Err(unreadable(&id, &error)),
        };
        let version = state.as_ref().map(|state| state.version());
        if !asked.condition.holds(version) {
            return Ok(mismatch(&id, version));
        }
        let resolved = resolved(&asked.patch, state.as_deref());
        let write = write_of(&edge, &asked, &resolved)?;
        if let Some(end) = edge.ingest.write_traits(&write, Some(&watch), clock::now()).await? {
            return written(&edge, &asked, &write, end).await;
        }
    }
    Err(busy(&id))
}

async fn read(edge: &Edge, id: &str, request: Request) -> Result<Asked, ApiError> {
    let (head, body) = request.into_parts();
    let invalid = |code, message: &str| ApiError::new(StatusCode::BAD_REQUEST, code, message);
    let subject = Subject::read(id)?;
    let content_type = header_text(&head.headers, header::CONTENT_TYPE).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !["application/merge-patch+json", "application/json"]
        .iter()
        .any(|one| media_type.eq_ignore_ascii_case(one))
    {
        let message = "Content-Type must be application/merge-patch+json or application/json";
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "type_not_supported", message));
    }
    // A write of the future would stand against all that follow.
    let takes = "an RFC 3339 instant up to now, such as 2026-11-20T10:00:02.120Z";
    let read = |text: &str| Timestamp::parse(text).filter(|at| *at <= clock::now());
    let at = Parameters::of(&head.uri).read("at", takes, read)?;
    let held = read_body(&edge.ingest.memory, body, MAX_TRAITS_PATCH_BYTES).await?;
    let patch: Value = serde_json::from_slice(&held.bytes)
        .map_err(|error| invalid("patch_unreadable", &format!("the patch is no JSON: {error}")))?;
    let Value::Object(patch) = patch else {
        let message = "the patch must be an object of traits by name; null takes one away";
        return Err(invalid("patch_not_an_object", message));
    };
    Ok(Asked { subject, patch, at, condition: Condition::read(&head.headers) })
}

/// The patch with what it leaves of traits that are objects, so that what is written needs nothing but itself.
fn resolved(patch: &Map<String, Value>, state: Option<&ProfileState>) -> Map<String, Value> {
    let current = |name: &str| {
        let mut json = String::new();
        state?.traits().get(name)?.to_tree().write(&mut json);
        serde_json::from_str::<Value>(&json).ok()
    };
    let whole = |(name, value): (&String, &Value)| {
        let value = if value.is_object() { merged(current(name), value) } else { value.clone() };
        (name.clone(), value)
    };
    patch.iter().map(whole).collect()
}

/// `MergePatch` of RFC 7396, section 2.
fn merged(target: Option<Value>, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut fields = match target {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(name);
        } else {
            let before = fields.remove(name);
            fields.insert(name.clone(), merged(before, value));
        }
    }
    Value::Object(fields)
}

fn write_of(edge: &Edge, asked: &Asked, traits: &Map<String, Value>) -> Result<TraitWrite, ApiError> {
    let published = edge.bundles.borrow().clone();
    let moment = moment_of(edge, published.as_deref(), None, "");
    let whose = (&asked.subject.member, asked.subject.user.as_deref());
    TraitWrite::new(whose, traits, asked.at.unwrap_or(moment.now), moment).map_err(|error| {
        let (status, code, message) = match error {
            TraitError::Invalid(code, message) => (StatusCode::BAD_REQUEST, code, message),
            TraitError::Refused(code, message) => (StatusCode::UNPROCESSABLE_ENTITY, code, message),
            TraitError::Erased(code, message) => (StatusCode::GONE, code, message),
        };
        ApiError::new(status, code, &message)
    })
}

/// What holds once a write is taken in. It is durable in any case.
async fn written(
    edge: &Arc<Edge>,
    asked: &Asked,
    write: &TraitWrite,
    end: u64,
) -> Result<Response, ApiError> {
    let mut event_id = String::new();
    write_uuid(write.event_id().0, &mut event_id);
    let typed = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    let Ok(found) = read_behind(edge, &asked.subject.id, end).await else {
        let json = json!({"state": "accepted", "event_id": event_id});
        return Ok((StatusCode::ACCEPTED, typed, json.to_string()).into_response());
    };
    let state = known(&asked.subject.id, found)?;
    let stands = |name: &&String| {
        state.traits().written_by(name).is_none_or(|(_, event_id)| event_id != write.event_id())
    };
    let json = json!({
        "profile": asked.subject.id,
        "version": state.version(),
        "event_id": event_id,
        "traits": serde_json::from_str::<Value>(&traits_json(&state)).unwrap_or_default(),
        "superseded": asked.patch.keys().filter(stands).collect::<Vec<_>>(),
    });
    Ok((typed, [(header::ETAG, tag_of(state.version()))], json.to_string()).into_response())
}

fn mismatch(id: &str, version: Option<u64>) -> Response {
    let message = match version {
        Some(version) => format!("the profile {id} has version {version}, which If-Match does not name"),
        None => format!("there is no profile {id}, and If-Match asks for one"),
    };
    let error = ApiError::new(StatusCode::PRECONDITION_FAILED, "version_mismatch", &message);
    let mut response = error.with("version", json!(version)).into_response();
    let tag = version.and_then(|version| HeaderValue::try_from(tag_of(version)).ok());
    tag.into_iter().for_each(|tag| drop(response.headers_mut().insert(header::ETAG, tag)));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(value: &str) -> Condition {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, HeaderValue::try_from(value).unwrap());
        Condition::read(&headers)
    }

    #[test]
    fn a_condition_names_versions_by_either_validator() {
        assert_eq!(Condition::read(&HeaderMap::new()), Condition::None);
        assert_eq!(condition("*"), Condition::Exists);
        assert_eq!(condition(r#""7", "12-00ff""#), Condition::Versions(vec![7, 12]));
        for foreign in [r#"W/"7""#, "7", r#""x""#, ""] {
            assert_eq!(condition(foreign), Condition::Versions(vec![]), "{foreign}");
        }
        assert!(!Condition::Exists.holds(None) && Condition::Exists.holds(Some(0)));
        assert!(!condition(r#""7""#).holds(Some(8)) && !condition(r#""7""#).holds(None));
    }

    /// The test cases of RFC 7396, appendix A, whose patch is an object.
    #[test]
    fn objects_are_merged_as_the_standard_says() {
        for (original, patch, result) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
            ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
            assert_eq!(merged(Some(read(original)), &read(patch)), read(result), "{original} {patch}");
        }
    }
}
