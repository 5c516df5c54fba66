//! Schemas of the document that several routes share.

use utoipa::{IntoParams, IntoResponses, ToSchema};

/// An error.
#[derive(ToSchema)]
#[schema(as = Error)]
#[expect(dead_code, reason = "only its schema is used; the edge's errors write the body")]
pub struct ErrorBody {
    /// Stable name.
    code: String,
    /// What is wrong, for people: it names what, where and the limit.
    message: String,
}

/// Waiting for what has been received.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct Settled {
    /// With 1 the answer waits until everything received has been taken in.
    #[param(inline, required = false)]
    settled: Flag,
}

/// Yes or no.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
enum Flag {
    /// Yes.
    #[schema(rename = "1")]
    Yes,
    /// No.
    #[schema(rename = "0")]
    No,
}

/// What goes wrong where the store is asked.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only its entry in the document is used")]
pub enum StoreTroubles {
    /// `store_broken`: the disk or what is on it cannot be used; `not_settled`: the worker has not caught up in time.
    /// `Retry-After` says when to ask again.
    #[response(status = 503)]
    Broken,
}

/// What goes wrong where something is written behind what has come before.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only its entry in the document is used")]
pub enum WriteTroubles {
    /// `draining`: the collector is shutting down; `disk_full`: there is too little room; `log_busy`: too much waits for the log;
    /// `log_disk_error`: it could not be written; `profile_busy`: what is written depends on a profile of which more comes than can be waited
    /// for; `store_broken`: the disk or what is on it cannot be used; `not_settled`: the worker has not caught up in time; `memory_busy`:
    /// request bodies fill their memory. `Retry-After` says when to ask again.
    #[response(status = 503)]
    Not,
}
