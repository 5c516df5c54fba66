//! Who the visitor is: whose events count, and what experiments hash.

use super::Evaluator;
use crate::answer::failure;
use attune_core::id::MemberId;

impl Evaluator {
    /// Says whose events are the visitor's, by `anonymous_id`; before, it is `visitor`.
    pub fn set_visitor(&mut self, member: &str) {
        self.visitor.followed_by(MemberId(member.into()));
        self.with_visitor(|visitor, state, processor| visitor.touch_events(state, processor));
    }

    /// Says whose events are the visitor's from now on, and keeps what the host has said: attributes, paths, session,
    /// consent and time. Returns how many slots differ; see [`Evaluator::changes`].
    ///
    /// # Errors
    /// An empty text or bytes that are none, as an object with `error` and `message`; nothing has changed then.
    pub fn identify(&mut self, member: &[u8]) -> Result<usize, String> {
        let member = core::str::from_utf8(member).ok().filter(|member| !member.is_empty());
        let member = member.ok_or_else(|| failure("anonymous_id_invalid", "a visitor is named by a text"))?;
        self.visitor.identify(MemberId(member.into()));
        Ok(self.with_visitor(|visitor, state, processor| {
            visitor.touch_events(state, processor);
            visitor.decide(state, processor)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_core::bundle::author::{SourceFile, compile};
    use attune_core::bundle::{Header, attach_signature, seal_envelope};
    use attune_core::value::Value;

    const RULES: &str = r#"{"experiments":[{"id":"look","variations":[{"key":"a"},{"key":"b"}]}],
        "rules":[
        {"id":"a","slot":"look","when":{"experiments.look":"a","traits.plan":"pro"},"actions":[]},
        {"id":"b","slot":"look","when":{"experiments.look":"b","traits.plan":"pro"},"actions":[]},
        {"id":"promo","slot":"bar","on":"promo","hold":"1h","actions":[]}]}"#;
    const PROMO: &str =
        r#"[{"event_id":"e","event_type":"promo","timestamp":"2026-11-20T10:00:00Z","anonymous_id":"ann"}]"#;

    fn evaluator() -> Evaluator {
        let compiled = compile(&[SourceFile { name: "rules.json".into(), text: RULES.into() }]);
        assert_eq!(compiled.diagnostics, []);
        let header = Header { project: "shop", revision: 1, ..Header::default() };
        Evaluator::new(attach_signature(seal_envelope(&header, &compiled.body), &[0; 64])).unwrap()
    }

    /// The rules that hold the two slots, bar and look.
    fn holders(evaluator: &Evaluator) -> [Option<String>; 2] {
        [0, 1].map(|slot| {
            let decision = Value::parse(&evaluator.decision(slot)).unwrap();
            decision.at("rule").and_then(Value::as_str).map(String::from)
        })
    }

    #[test]
    fn another_visitor_has_an_assignment_and_events_of_its_own_and_what_the_host_has_said() {
        let mut evaluator = evaluator();
        evaluator.set(br#"{"traits":{"plan":"pro"}}"#).unwrap();
        let plan = evaluator.path("traits.plan").unwrap();
        let mut met = std::collections::BTreeSet::new();
        for user in 0..12 {
            let name = format!("user-{user}");
            evaluator.identify(name.as_bytes()).unwrap();
            let look = holders(&evaluator)[1].clone();
            evaluator.identify(b"other").unwrap();
            evaluator.identify(name.as_bytes()).unwrap();
            assert_eq!(holders(&evaluator)[1], look, "{name} again");
            met.extend(look);
        }
        assert_eq!(met.into_iter().collect::<Vec<_>>(), ["a", "b"]);

        evaluator.absorb(PROMO);
        assert_eq!(holders(&evaluator)[0], None);
        evaluator.identify(b"ann").unwrap();
        assert_eq!(holders(&evaluator)[0].as_deref(), Some("promo"));
        assert_eq!(evaluator.identify(b"ann"), Ok(0), "nobody else");
        evaluator.set_consent(0b001);
        evaluator.identify(b"bob").unwrap();
        assert_eq!(holders(&evaluator), [None, None], "consent is kept");
        evaluator.set_consent(0b111);
        assert!(holders(&evaluator)[1].is_some());
        assert_eq!((evaluator.change(plan, b"null"), holders(&evaluator)), (Ok(1), [None, None]));
    }

    #[test]
    fn nobody_is_named_by_nothing() {
        let mut evaluator = evaluator();
        evaluator.set(br#"{"traits":{"plan":"pro"}}"#).unwrap();
        let before = holders(&evaluator);
        for name in [&b""[..], b"\xff"] {
            assert!(evaluator.identify(name).unwrap_err().contains("anonymous_id_invalid"));
        }
        assert_eq!(holders(&evaluator), before);
    }
}
