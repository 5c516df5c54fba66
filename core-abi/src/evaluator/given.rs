//! What the host says of the visitor as a whole: attributes, time and session.

use super::{Evaluator, read};
use crate::answer::failure;
use crate::steps::instant;
use attune_core::id::{SessionId, uuid_from_text};
use attune_core::value::ValueRef;

impl Evaluator {
    /// Replaces the visitor's attributes, `{"traits":{…},"context":{…}}` as JSON text or as a packed value, and returns
    /// how many slots differ; see [`Evaluator::changes`].
    ///
    /// # Errors
    /// Bytes that are no such value, or more than 10,000 fields of either object, as an object with `error` and
    /// `message`; nothing has changed then.
    pub fn set(&mut self, attributes: &[u8]) -> Result<usize, String> {
        let attributes = read(attributes)?;
        let attributes = objects(attributes.get())?;
        let changed = self.with_visitor(|visitor, state, processor| {
            visitor.set(attributes, processor).then(|| visitor.decide(state, processor))
        });
        changed.ok_or_else(|| failure("attributes_too_many", "traits and context have 10,000 fields at most"))
    }

    /// Moves the visitor's clock, in milliseconds since 1970, and returns how many slots differ. The visitor's time is the
    /// later one of this and of the latest event.
    ///
    /// # Errors
    /// A number that is no instant, as an object with `error` and `message`; nothing has changed then.
    pub fn set_time(&mut self, ms: f64) -> Result<usize, String> {
        let at = instant(ms)?;
        Ok(self.with_visitor(|visitor, state, processor| {
            visitor.set_time(at);
            visitor.decide(state, processor)
        }))
    }

    /// Says which session the visitor is in, a UUID or any text of 1 to 100 characters, and returns how many slots
    /// differ. Before, and after an empty text, it is the one of the visitor's latest event.
    ///
    /// # Errors
    /// A longer text, or bytes that are none.
    pub fn set_session(&mut self, session: &[u8]) -> Result<usize, String> {
        let text = core::str::from_utf8(session).ok();
        let session = text.and_then(uuid_from_text).map(SessionId);
        if session.is_none() && text != Some("") {
            return Err(match text {
                Some(text) => {
                    let found = text.chars().count();
                    failure("session_invalid", &format!("a session has 1 to 100 characters, not {found}"))
                }
                None => failure("session_invalid", "a session is a text in UTF-8"),
            });
        }
        Ok(self.with_visitor(|visitor, state, processor| {
            visitor.set_session(session, processor);
            visitor.decide(state, processor)
        }))
    }
}

/// Attributes whose parts are objects, or null where they are left out.
fn objects(attributes: ValueRef<'_>) -> Result<ValueRef<'_>, String> {
    let is_object = |value: ValueRef<'_>| matches!(value, ValueRef::Object(_));
    if !is_object(attributes) {
        return Err(failure("attributes_no_object", "expected an object of traits and context"));
    }
    for part in ["traits", "context"] {
        if attributes.field(part).is_some_and(|value| !value.is_null() && !is_object(value)) {
            return Err(failure("attributes_no_object", &format!("{part}: expected an object")));
        }
    }
    Ok(attributes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_core::bundle::author::{SourceFile, compile};
    use attune_core::bundle::{Header, attach_signature, seal_envelope};

    const RULES: &str = r#"{"rules":[{"id":"pro","slot":"hero","when":{"traits.plan":"pro"},"actions":[]}]}"#;

    #[test]
    fn what_is_no_object_and_no_instant_is_refused_and_changes_nothing() {
        let compiled = compile(&[SourceFile { name: "rules.json".into(), text: RULES.into() }]);
        let header = Header { project: "shop", revision: 1, ..Header::default() };
        let bundle = attach_signature(seal_envelope(&header, &compiled.body), &[0; 64]);
        let mut evaluator = Evaluator::new(bundle).unwrap();
        evaluator.set(br#"{"traits":{"plan":"pro"}}"#).unwrap();
        for (part, given) in [
            ("of traits and context", "[1]"),
            ("of traits and context", "7"),
            ("of traits and context", "null"),
            ("of traits and context", "\0"),
            ("traits: ", r#"{"traits":"pro"}"#),
            ("context: ", r#"{"traits":{},"context":[]}"#),
        ] {
            let error = evaluator.set(given.as_bytes()).unwrap_err();
            assert!(error.contains("attributes_no_object") && error.contains(part), "{given}: {error}");
        }
        for ms in [f64::NAN, f64::INFINITY, -8.65e15] {
            assert!(evaluator.set_time(ms).unwrap_err().contains("time_out_of_range"), "{ms}");
        }
        let long = evaluator.set_session("s".repeat(101).as_bytes()).unwrap_err();
        assert!(long.contains("session_invalid") && long.contains("not 101"), "{long}");
        assert!(evaluator.set_session(b"\xff").unwrap_err().contains("UTF-8"));
        assert!(evaluator.decision(0).contains("pro"));
        assert_eq!(evaluator.set(br#"{"traits":null,"context":{}}"#), Ok(1));
    }
}
