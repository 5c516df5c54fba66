//! Schemas of the document: what answers hold. The rooms behind the edge write the JSON; `tests/contract` holds that each
//! field of an answer is here, and the other way round.
#![expect(dead_code, reason = "only the schemas are used")]

use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::{IntoParams, IntoResponses, ToSchema};

/// An error.
#[derive(ToSchema)]
#[schema(as = Error, example = json!({"code": "not_found", "message": "nothing is served at /admin/sumary"}))]
pub struct ErrorBody {
    /// Stable name.
    code: String,
    /// What is wrong, for people: it names what, where and the limit.
    message: String,
}

/// Waiting for what has been received.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Settled {
    /// With 1 the answer waits until everything received has been taken in.
    #[param(inline, required = false)]
    settled: Flag,
}

/// Yes or no.
#[derive(ToSchema)]
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
pub enum StoreTroubles {
    /// `store_broken`: the disk or what is on it cannot be used; `not_settled`: the worker has not caught up in time.
    /// `Retry-After` says when to ask again.
    #[response(status = 503)]
    Broken,
}

/// What goes wrong where letters are taken in again.
#[derive(IntoResponses)]
pub enum ReplayTroubles {
    /// `store_broken`: the disk or what is on it cannot be used; `not_settled`: the letters were tried, but the worker has
    /// not caught up in time; `log_busy`: too much waits for the log; `log_disk_error`: the log cannot be written;
    /// `disk_full`: there is no room for it; `draining`: the collector is shutting down. `Retry-After` says when to try
    /// again.
    #[response(status = 503)]
    Broken,
}

/// Totals.
#[derive(ToSchema)]
#[schema(example = json!({
    "profiles": 1, "events": 3, "accepted": 3, "duplicates": 0, "firings": 1, "signals": {"views": 3},
}))]
pub struct Summary {
    /// Profiles that somebody has left something in.
    profiles: u64,
    /// Events in all of them.
    events: u64,
    /// Events accepted since the process started.
    accepted: u64,
    /// Events that had been there before, since the process started.
    duplicates: u64,
    /// Firings of triggers that are kept.
    firings: u64,
    /// The sum of each signal over all profiles, by its name.
    signals: BTreeMap<String, Value>,
}

/// A bundle that is kept.
#[derive(ToSchema)]
pub struct KeptBundle {
    /// Its revision.
    #[schema(minimum = 1)]
    revision: u64,
    /// SHA-256 of the signed document, in hex.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
    /// Length of the signed document, in bytes.
    bytes: u64,
}

/// A bundle that a share of the members is given.
#[derive(ToSchema)]
pub struct Candidate {
    /// Its revision.
    revision: u64,
    /// SHA-256 of the signed document, in hex.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
    /// The share of the members, in percent.
    percent: f64,
    /// What the share is drawn with.
    seed: String,
}

/// What is published.
#[derive(ToSchema)]
#[schema(example = json!({
    "project": "default",
    "environment": "development",
    "key": "ed25519:TbFpzrgbfh11Ciun2r6CD3DdioPqH6Os9x1YkvkU3eY",
    "key_id": "dev-4db169ceb81b7e1d",
    "trust": "ed25519:hmdw-Ov6Hjby2qx2W-FEDZqAscWDGsWkwCdYPIN9pks",
    "revision": 1,
    "candidate": null,
    "bundles": [{
        "revision": 1,
        "sha256": "c0be994578017d85cc53616e06096cc872c5181e7cdbfba54206d91abecdd9cc",
        "bytes": 198,
    }],
}))]
pub struct Bundles {
    /// What bundles are signed for.
    project: String,
    /// What bundles are signed for.
    environment: String,
    /// The key that signs bundles.
    key: String,
    /// Its id.
    key_id: String,
    /// The key that pages are to trust, where the collector has made it.
    #[schema(required = true)]
    trust: Option<String>,
    /// The revision in effect; null where nothing is published.
    #[schema(required = true)]
    revision: Option<u64>,
    /// The bundle on trial, if there is one.
    #[schema(required = true)]
    candidate: Option<Candidate>,
    /// The bundles that are kept, the one in effect included.
    bundles: Vec<KeptBundle>,
}

/// A signal that has not counted all of its window.
#[derive(ToSchema)]
pub struct Warming {
    /// Since when it counts.
    #[schema(format = DateTime)]
    since: String,
    /// Until when that shows; null where its window has no end.
    #[schema(required = true, format = DateTime)]
    until: Option<String>,
    /// How each rule that reads it stands, in words, by the rule's id.
    rules: BTreeMap<String, String>,
}

/// A cap of a rule that is reached.
#[derive(ToSchema)]
pub struct Latch {
    /// The rule.
    rule: String,
    /// The key of its cap, where it has one.
    #[schema(required = true)]
    key: Option<String>,
    /// Since when.
    #[schema(format = DateTime)]
    at: String,
}

/// A profile.
#[derive(ToSchema)]
#[schema(example = json!({
    "profile": "user:ada",
    "version": 2,
    "bundle_revision": 1,
    "time": "2026-11-20T10:00:02.000Z",
    "members": ["01930000-0000-7000-8000-000000000001"],
    "events": 2,
    "firings": 1,
    "traits": {"plan": "gold"},
    "signals": {"views": 2},
    "warming": {},
    "latches": [],
}))]
pub struct Profile {
    /// `user:<user id>` or `member:<anonymous id>`.
    profile: String,
    /// Grows with each change.
    version: u64,
    /// The bundle by which it stands.
    bundle_revision: u64,
    /// Its time: that of its latest event, or of what was due since.
    #[schema(format = DateTime)]
    time: String,
    /// Its members' anonymous ids.
    members: Vec<String>,
    /// Events that it has taken in.
    events: u64,
    /// Firings of its triggers.
    firings: u64,
    /// Traits by name.
    traits: BTreeMap<String, Value>,
    /// Signals by name.
    signals: BTreeMap<String, Value>,
    /// Signals that have not counted all of their window, by name.
    warming: BTreeMap<String, Warming>,
    /// Caps that are reached.
    latches: Vec<Latch>,
}

/// A firing of a trigger.
#[derive(ToSchema)]
#[schema(example = json!({
    "id": "9816e02c-52ce-83de-bf52-c8c06cfde274",
    "rule": "third-click",
    "profile": "user:ada",
    "member": "01930000-0000-7000-8000-000000000001",
    "key": "shoes",
    "at": "2026-11-20T10:00:02.000Z",
    "cause": {"event_id": "0880953b-13ab-8be9-9aa0-733055b0c70e"},
    "bundle_revision": 12,
    "actions": [{"kind": "webhook", "destination": "crm"}],
}))]
pub struct Firing {
    /// The same whenever the same events are taken in.
    #[schema(format = "uuid")]
    id: String,
    /// The trigger.
    rule: String,
    /// Whose profile.
    profile: String,
    /// The member that set it off.
    member: String,
    /// The key of the cap, where the trigger has one.
    #[schema(required = true)]
    key: Option<String>,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// What set it off.
    cause: Cause,
    /// The bundle that has the trigger.
    bundle_revision: u64,
    /// Whom it calls, as the rule file says.
    actions: Vec<BTreeMap<String, Value>>,
}

/// The event, or the instant that was due.
#[derive(ToSchema)]
pub struct Cause {
    /// The event.
    #[schema(format = "uuid", nullable = false)]
    event_id: Option<String>,
    /// The instant.
    #[schema(format = DateTime, nullable = false)]
    due: Option<String>,
}

/// What has become of a trigger's call.
#[derive(ToSchema)]
#[schema(example = json!({
    "id": "9816e02c-52ce-83de-bf52-c8c06cfde274.0",
    "rule": "third-click",
    "profile": "user:ada",
    "kind": "webhook",
    "destination": "crm",
    "state": "pending",
    "calls": 2,
    "since": "2026-11-20T10:00:02.310Z",
    "next_at": "2026-11-20T10:00:12.481Z",
    "error": {"code": "status", "message": "the answer was 503"},
}))]
pub struct Delivery {
    /// The firing's id, and the place among its actions.
    id: String,
    /// The trigger.
    rule: String,
    /// Whose profile.
    profile: String,
    /// `webhook` or `email`.
    kind: String,
    /// The destination's name, or the address of one that has none.
    destination: String,
    /// Where it stands.
    state: crate::trigger::State,
    /// Calls made since it began, or was begun again by hand.
    calls: u32,
    /// Since when it is tried.
    #[schema(format = DateTime)]
    since: String,
    /// When it is called next, where it is pending.
    #[schema(format = DateTime, nullable = false)]
    next_at: Option<String>,
    /// When it ended, where it is done or dead.
    #[schema(format = DateTime, nullable = false)]
    ended_at: Option<String>,
    /// What went wrong last.
    #[schema(required = true)]
    error: Option<DeliveryError>,
}

/// What went wrong with a call.
#[derive(ToSchema)]
pub struct DeliveryError {
    /// Stable name.
    code: String,
    /// What happened, for people.
    message: String,
}
