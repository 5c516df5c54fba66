//! A firing as the outbox keeps it, and what receivers are sent of it.

use crate::profile::StoreError;
use attune_core::time::Timestamp;
use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

/// One firing of a trigger.
#[derive(Clone, Debug, Deserialize)]
pub struct Firing {
    /// The same whenever the same events are taken in.
    pub id: String,
    /// The trigger.
    pub rule: String,
    /// Whose profile.
    pub profile: String,
    /// The member that set it off.
    pub member: String,
    /// Key of the cap, where the trigger has one.
    pub key: Option<String>,
    /// When, RFC 3339.
    pub at: String,
    /// The event, or the instant that was due.
    pub cause: Value,
    /// The bundle that has the trigger.
    pub bundle_revision: u64,
    /// Whether no third party may hear of it, since the visitor's browser asks not to sell or share what it sends.
    #[serde(default)]
    pub opted_out: bool,
    /// Whom it calls.
    pub actions: Vec<Action>,
}

/// One call as a rule file writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Action {
    /// `webhook` or `email`.
    pub kind: String,
    /// An address.
    pub url: Option<String>,
    /// The name of a destination.
    pub destination: Option<String>,
}

impl Action {
    /// Whom it calls, as its author has written it.
    pub fn whom(&self) -> &str {
        self.destination.as_deref().or(self.url.as_deref()).unwrap_or_default()
    }
}

impl Firing {
    /// Reads what the outbox keeps.
    ///
    /// # Errors
    /// It is not of a form that this version reads.
    pub fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        serde_json::from_slice(bytes).map_err(|error| StoreError::damaged("firing", &error))
    }

    /// When it fired; the beginning of time where that cannot be read.
    pub fn fired_at(&self) -> Timestamp {
        Timestamp::parse(&self.at).unwrap_or(Timestamp(0))
    }

    /// Its fields, by the names that webhooks and templates have for them.
    pub fn fields(&self) -> Value {
        json!({
            "id": self.id,
            "rule": self.rule,
            "profile": self.profile,
            "member": self.member,
            "key": self.key,
            "at": self.at,
            "cause": self.cause,
            "bundle_revision": self.bundle_revision,
        })
    }

    /// The body of a webhook: the same bytes each time it is sent.
    pub fn body(&self) -> Bytes {
        json!({"type": "attune.firing", "timestamp": self.at, "data": self.fields()}).to_string().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trigger::signature::SigningSecret;

    const GUIDE: &str = include_str!("../../../docs/triggers.md");

    #[test]
    fn what_is_sent_is_what_the_guide_shows() {
        let firing = json!({
            "id": "9816e02c-52ce-83de-bf52-c8c06cfde274", "rule": "third-click", "profile": "user:ada",
            "member": "01930000-0000-7000-8000-000000000001", "key": "shoes", "at": "2026-11-20T10:00:02.000Z",
            "cause": {"event_id": "0880953b-13ab-8be9-9aa0-733055b0c70e"}, "bundle_revision": 12,
            "actions": [{"kind": "webhook", "destination": "crm"}],
        });
        let firing = Firing::decode(firing.to_string().as_bytes()).unwrap();
        let body = firing.body();
        assert!(GUIDE.lines().any(|line| line.as_bytes() == body), "{body:?}");
        let secret = SigningSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let seconds = firing.fired_at().0 / 1_000;
        let signature = format!("webhook-signature: {}", secret.sign(&firing.id, seconds, &body));
        assert!(GUIDE.lines().any(|line| line == signature), "{signature}");
        assert!(GUIDE.lines().any(|line| line == format!("webhook-timestamp: {seconds}")));
    }
}
