//! Schemas of dead letters.
#![expect(dead_code, reason = "only the schemas are used")]

use utoipa::{IntoParams, ToSchema};

/// Which letter.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct OfLetter {
    /// The letter's id, as the list has it.
    #[param(pattern = "^(0|[1-9][0-9]{0,18})-(0|[1-9][0-9]{0,8})$", example = "4096-3")]
    id: String,
}

/// Which letters.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Among {
    /// Letters of this event id, as it was sent.
    event_id: Option<String>,
    /// Letters received at this instant or later.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Letters behind this one: `next` of the answer before.
    #[param(pattern = "^(0|[1-9][0-9]{0,18})-(0|[1-9][0-9]{0,8})$")]
    after: Option<String>,
}

/// Which part of the collector has refused an event.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum RefusedBy {
    /// It cannot be read, or may not be there.
    Reading,
    /// Another event has its place.
    Door,
    /// The state of its member refuses it.
    Worker,
}

/// A refused event without its text.
#[derive(ToSchema)]
#[schema(example = json!({
    "id": "4096-3",
    "position": 4096,
    "code": "timestamp_missing",
    "message": "timestamp is missing",
    "refused_by": "reading",
    "received_at": "2026-11-20T10:00:02.180Z",
    "count": 1,
    "event_type": "view",
    "event_id": "e3",
    "member": "01930000-0000-7000-8000-000000000001",
    "raw_bytes": 37,
    "replays": 0,
    "replayed_at": null,
}))]
pub struct Letter {
    /// Its place in the log.
    #[schema(pattern = "^[0-9]+-[0-9]+$")]
    id: String,
    /// Position of its batch in the log, in bytes.
    position: u64,
    /// Stable name of the reason.
    code: String,
    /// The reason, for people.
    message: String,
    /// Who has refused it.
    refused_by: RefusedBy,
    /// When it was received.
    #[schema(format = DateTime)]
    received_at: String,
    /// Events that it stands for.
    count: u64,
    /// The event's type, where it has one.
    #[schema(required = true)]
    event_type: Option<String>,
    /// The event's id, where that is kept.
    #[schema(required = true)]
    event_id: Option<String>,
    /// Whom the event or its batch names, where that is kept.
    #[schema(required = true)]
    member: Option<String>,
    /// Length of its text as it was sent, in bytes, where that is kept.
    #[schema(required = true)]
    raw_bytes: Option<u64>,
    /// How often it was refused again.
    replays: u64,
    /// When that was.
    #[schema(required = true, format = DateTime)]
    replayed_at: Option<String>,
}

/// A refused event with its text.
#[derive(ToSchema)]
#[schema(example = json!({
    "id": "4096-3",
    "position": 4096,
    "code": "timestamp_missing",
    "message": "timestamp is missing",
    "refused_by": "reading",
    "received_at": "2026-11-20T10:00:02.180Z",
    "count": 1,
    "event_type": "view",
    "event_id": "e3",
    "member": "01930000-0000-7000-8000-000000000001",
    "raw_bytes": 37,
    "replays": 0,
    "replayed_at": null,
    "write_key": "demo",
    "clock_shift_ms": 0,
    "raw": "{\"event_id\":\"e3\",\"event_type\":\"view\"}",
}))]
pub struct WholeLetter {
    /// Its place in the log.
    #[schema(pattern = "^[0-9]+-[0-9]+$")]
    id: String,
    /// Position of its batch in the log, in bytes.
    position: u64,
    /// Stable name of the reason.
    code: String,
    /// The reason, for people.
    message: String,
    /// Who has refused it.
    refused_by: RefusedBy,
    /// When it was received.
    #[schema(format = DateTime)]
    received_at: String,
    /// Events that it stands for.
    count: u64,
    /// The event's type, where it has one.
    #[schema(required = true)]
    event_type: Option<String>,
    /// The event's id, where that is kept.
    #[schema(required = true)]
    event_id: Option<String>,
    /// Whom the event or its batch names, where that is kept.
    #[schema(required = true)]
    member: Option<String>,
    /// Length of its text as it was sent, in bytes, where that is kept.
    #[schema(required = true)]
    raw_bytes: Option<u64>,
    /// How often it was refused again.
    replays: u64,
    /// When that was.
    #[schema(required = true, format = DateTime)]
    replayed_at: Option<String>,
    /// The write key under which it came, where that is kept.
    #[schema(required = true)]
    write_key: Option<String>,
    /// By which its timestamp is moved when it is taken in, in milliseconds.
    #[schema(required = true)]
    clock_shift_ms: Option<i64>,
    /// Its text, where that is kept.
    #[schema(required = true)]
    raw: Option<String>,
}

/// A part of the list of refused events.
#[derive(ToSchema)]
pub struct Letters {
    /// The letters.
    letters: Vec<Letter>,
    /// What `after` is for the next part; null at the end.
    #[schema(required = true)]
    next: Option<String>,
}

/// What has become of a letter that was tried again.
#[derive(ToSchema)]
#[schema(example = json!({
    "id": "4096-3",
    "event_id": "e3",
    "result": "accepted",
    "code": null,
    "message": null,
}))]
pub struct Replayed {
    /// The letter.
    id: String,
    /// The event's id, where that is kept.
    #[schema(required = true)]
    event_id: Option<String>,
    /// Where the event is now.
    result: ReplayResult,
    /// Stable name of the reason why it is still refused.
    #[schema(required = true)]
    code: Option<String>,
    /// The reason, for people.
    #[schema(required = true)]
    message: Option<String>,
}

/// Where an event that was tried again is.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum ReplayResult {
    /// In effect.
    Accepted,
    /// It had been in effect already.
    Duplicate,
    /// Refused.
    Rejected,
}

/// What has become of several letters.
#[derive(ToSchema)]
pub struct ReplayedLetters {
    /// Of each.
    results: Vec<Replayed>,
    /// What `after` is for the next part; null at the end.
    #[schema(required = true)]
    next: Option<String>,
}
