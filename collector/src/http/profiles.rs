//! Profiles on the privileged listener: one with its version, its traits, and erasing it.

use super::Edge;
use super::admin::answer;
use super::error::ApiError;
use super::events::ending;
use super::found::{known, unreadable};
use super::privileged::PathText;
use super::privileged::people::{Erasure, WriteTroubles};
use super::privileged::schemas::{Profile, Settled, StoreTroubles};
use super::request::header_text;
use crate::clock;
use crate::content::{etag_matches, sha256};
use crate::hex::hex;
use crate::ingest::Watch;
use crate::limits::WATCHED_TRIES;
use crate::query::{Found, unproven};
use attune_core::id::MemberId;
use attune_core::limits::MAX_ID_CHARS;
use attune_core::processor::ProfileState;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Bytes of the hash in a profile's validator, of which it is told that something else than its version has changed.
const SHOWN_HASH_BYTES: usize = 8;

/// Whom the id of a profile names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The profile's id.
    pub id: String,
    /// The member that carries what is written: the lone one, or the one that stands for what servers say of a user.
    pub member: MemberId,
    /// The user.
    pub user: Option<Box<str>>,
}

impl Subject {
    /// Reads an id.
    ///
    /// # Errors
    /// It is none.
    pub fn read(id: &str) -> Result<Self, ApiError> {
        let fits = |name: &&str| (1..=MAX_ID_CHARS).contains(&name.chars().count());
        let named = |start: &str| id.strip_prefix(start).filter(fits);
        let (member, user) = match (named("user:"), named("member:")) {
            (Some(user), _) => (format!("user:{user}"), Some(user.into())),
            (_, Some(member)) => (member.to_owned(), None),
            _ => {
                let message = format!(
                    "an id of a profile is user:<user id> or member:<anonymous id>, of {MAX_ID_CHARS} characters at most"
                );
                return Err(ApiError::new(StatusCode::BAD_REQUEST, "profile_id_malformed", &message));
            }
        };
        Ok(Self { id: id.to_owned(), member: MemberId(member.into()), user })
    }

    fn names(&self) -> BTreeSet<Box<str>> {
        self.user.iter().cloned().chain([self.member.0.clone()]).collect()
    }
}

/// One profile, with a validator that begins with its version
#[utoipa::path(
    get,
    path = "/v1/profiles/{id}",
    operation_id = "showProfile",
    tag = "profiles",
    params(
        ("id" = String, Path, description = "`user:<user id>` or `member:<anonymous id>`", pattern = "^(user|member):[^/]{1,100}$", example = "user:ada"),
        ("If-None-Match" = Option<String>, Header, description = "validators that the asker has"),
        Settled,
    ),
    responses(
        (status = 200, description = "the profile", body = Profile, headers(("ETag" = String, description = "version and hash of the answer"))),
        (status = 304, description = "the asker has it"),
        (status = 400, description = "`path_malformed`: the id is no UTF-8; `settled_malformed`: neither 1 nor 0"),
        (status = 404, description = "`profile_unknown`: there is none of this id"),
        (status = 500, description = "`profile_unreadable`: there is one, of which nothing can be read"),
        StoreTroubles,
    ),
)]
pub async fn show(
    State(edge): State<Arc<Edge>>,
    PathText(id): PathText,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let named = id.clone();
    let shown = known(&id, answer(edge, &uri, move |edge| edge.query.profile(&named)).await?)?;
    let hash = hex(&sha256(shown.json.as_bytes())[..SHOWN_HASH_BYTES]);
    Ok(validated(&headers, format!("\"{}-{hash}\"", shown.version), shown.json))
}

/// The traits of a profile, with its version as their validator
#[utoipa::path(
    get,
    path = "/v1/profiles/{id}/traits",
    operation_id = "showTraits",
    tag = "profiles",
    params(
        ("id" = String, Path, description = "`user:<user id>` or `member:<anonymous id>`", pattern = "^(user|member):[^/]{1,100}$", example = "user:ada"),
        ("If-None-Match" = Option<String>, Header, description = "validators that the asker has"),
        Settled,
    ),
    responses(
        (status = 200, description = "traits by name", body = Object, headers(("ETag" = String, description = "the profile's version"))),
        (status = 304, description = "the asker has them"),
        (status = 400, description = "`path_malformed`: the id is no UTF-8; `settled_malformed`: neither 1 nor 0"),
        (status = 404, description = "`profile_unknown`: there is none of this id"),
        (status = 500, description = "`profile_unreadable`: there is one, of which nothing can be read"),
        StoreTroubles,
    ),
)]
pub async fn traits(
    State(edge): State<Arc<Edge>>,
    PathText(id): PathText,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let named = id.clone();
    let state = known(&id, answer(edge, &uri, move |edge| edge.query.state(&named)).await?)?;
    Ok(validated(&headers, tag_of(state.version()), traits_json(&state)))
}

/// Erases a member, or every member of a user's profile
///
/// What comes of them later is refused. Asked for again, it says whether it has been carried out.
#[utoipa::path(
    delete,
    path = "/v1/profiles/{id}",
    operation_id = "eraseProfile",
    tag = "profiles",
    params(("id" = String, Path, description = "`user:<user id>` or `member:<anonymous id>`", pattern = "^(user|member):[^/]{1,100}$", example = "user:ada")),
    responses(
        (status = 200, description = "it has been erased", body = Erasure),
        (status = 202, description = "it will be, whatever happens", body = Erasure),
        (
            status = 400,
            description = "`path_malformed`: the id is no UTF-8; `profile_id_malformed`: it is none of a profile",
        ),
        (status = 500, description = "`profile_unreadable`: who is in the profile cannot be read"),
        WriteTroubles,
    ),
)]
pub async fn erase(State(edge): State<Arc<Edge>>, PathText(id): PathText) -> Result<Response, ApiError> {
    if let Some(ending) = ending(&edge) {
        return Err(ending);
    }
    let subject = Subject::read(&id)?;
    let Some(user) = &subject.user else {
        let members = vec![subject.member.clone()];
        edge.ingest.erase_all(members, &edge.tombstones, clock::now(), None).await?;
        return erased(&edge, &subject).await;
    };
    for _ in 0..WATCHED_TRIES {
        let (watch, found) = read_watched(&edge, &subject).await?;
        // What cannot be read is erased by the log; only who else is in it is not known.
        let mut members: Vec<MemberId> = match found {
            Found::Known(state) => state.members().cloned().collect(),
            Found::Unreadable(error) => return Err(unreadable(&id, &error)),
            Found::Unknown => Vec::new(),
        };
        members.retain(|member| *member != subject.member);
        members.push(unproven(user));
        // It comes last, so that whoever asks again is told by it when all of them are gone.
        members.push(subject.member.clone());
        if edge.ingest.erase_all(members, &edge.tombstones, clock::now(), Some(&watch)).await? {
            drop(watch);
            return erased(&edge, &subject).await;
        }
    }
    Err(busy(&id))
}

async fn erased(edge: &Arc<Edge>, subject: &Subject) -> Result<Response, ApiError> {
    let tombstone = edge.tombstones.of(&subject.member);
    let is_done = answer(edge.clone(), &Uri::default(), move |edge| edge.query.is_erased(&tombstone)).await?;
    let (status, state) =
        if is_done { (StatusCode::OK, "erased") } else { (StatusCode::ACCEPTED, "accepted") };
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    Ok((status, headers, json!({"state": state}).to_string()).into_response())
}

/// A profile behind everything that had been taken in when this was asked for, and a watch over all its names that began
/// before it was read.
///
/// # Errors
/// The log or the store does not answer, or members come faster than they are read.
pub async fn read_watched<'e>(
    edge: &'e Arc<Edge>,
    subject: &Subject,
) -> Result<(Watch<'e>, Found<ProfileState>), ApiError> {
    let mut names = subject.names();
    for _ in 0..WATCHED_TRIES {
        let watch = edge.ingest.watches.watch(names.iter().cloned().collect());
        let found = read_behind(edge, &subject.id, edge.ingest.barrier().await?).await?;
        let Found::Known(state) = &found else { return Ok((watch, found)) };
        if watch.covers(state.members().map(|member| &*member.0)) {
            return Ok((watch, found));
        }
        names.extend(state.members().map(|member| member.0.clone()));
    }
    Err(busy(&subject.id))
}

/// A profile once the log has been taken in up to a position.
///
/// # Errors
/// That does not come in time, or the store is broken.
pub async fn read_behind(edge: &Arc<Edge>, id: &str, end: u64) -> Result<Found<ProfileState>, ApiError> {
    if !edge.query.settle_to(end).await {
        let message = "the worker did not catch up in time";
        return Err(ApiError::retry(StatusCode::SERVICE_UNAVAILABLE, "not_settled", message));
    }
    let id = id.to_owned();
    answer(edge.clone(), &Uri::default(), move |edge| edge.query.state(&id)).await
}

/// Something about a profile comes whenever it has been read.
pub fn busy(id: &str) -> ApiError {
    let message = format!("so much comes about {id} that nothing can be written behind it; try again");
    ApiError::retry(StatusCode::SERVICE_UNAVAILABLE, "profile_busy", &message)
}

/// The validator of a version.
pub fn tag_of(version: u64) -> String {
    format!("\"{version}\"")
}

/// The traits of a profile as JSON.
pub fn traits_json(state: &ProfileState) -> String {
    let mut json = String::new();
    state.traits().to_object().write(&mut json);
    json
}

/// An answer with a validator, or 304 where the asker has it.
fn validated(headers: &HeaderMap, tag: String, json: String) -> Response {
    let is_known = etag_matches(header_text(headers, header::IF_NONE_MATCH), &tag);
    // Nobody keeps it without asking: it is about a person.
    let fixed = [(header::ETAG, tag), (header::CACHE_CONTROL, "private, no-cache".to_owned())];
    if is_known {
        return (StatusCode::NOT_MODIFIED, fixed).into_response();
    }
    (fixed, [(header::CONTENT_TYPE, "application/json")], json).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_a_member_or_a_user() {
        let read = |id: &str| Subject::read(id).map(|subject| (subject.member.0, subject.user)).ok();
        assert_eq!(read("member:m1"), Some(("m1".into(), None)));
        assert_eq!(read("user:ada"), Some(("user:ada".into(), Some("ada".into()))));
        assert_eq!(read("user:member:x"), Some(("user:member:x".into(), Some("member:x".into()))));
        let long = format!("user:{}", "x".repeat(MAX_ID_CHARS + 1));
        assert_eq!(["", "m1", "user:", "member:", "User:ada", &long].map(read), [const { None }; 6]);
    }
}
