//! What is answered where a profile was looked for: it, that there is none, or that it cannot be read.

use super::error::ApiError;
use crate::query::Found;
use attune_core::profile::SnapshotError;
use axum::http::StatusCode;

/// What was found under an id, if that can be shown.
///
/// # Errors
/// There is nothing, or nothing that can be read.
pub fn known<T>(id: &str, found: Found<T>) -> Result<T, ApiError> {
    match found {
        Found::Known(found) => Ok(*found),
        Found::Unreadable(error) => Err(unreadable(id, &error)),
        Found::Unknown => {
            let message = format!("there is no profile {id}");
            Err(ApiError::new(StatusCode::NOT_FOUND, "profile_unknown", &message))
        }
    }
}

/// There is something under an id that cannot be read.
pub fn unreadable(id: &str, error: &SnapshotError) -> ApiError {
    let message = format!("there is a profile {id}, but its state cannot be read: {error}");
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "profile_unreadable", &message)
}
