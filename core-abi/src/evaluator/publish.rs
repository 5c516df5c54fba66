//! Another bundle for an evaluator that has taken events in: states and the visitor go on, decisions follow.

use super::Evaluator;
use crate::answer::Answer;
use crate::steps::later_bundle;
use attune_core::value::ValueRef;

impl Evaluator {
    /// Puts another bundle into effect at an instant, in milliseconds since 1970, and answers as [`Evaluator::absorb`]
    /// does, with the decisions of those whose events are known. The visitor keeps what the host has said, and is decided
    /// for anew: slots and rules have the numbers that [`Evaluator::names`] gives from now on.
    ///
    /// # Errors
    /// Bytes that are no bundle, a revision that is not above the one in effect, or a number that is no instant, as an
    /// object with `error` and `message`; the bundle in effect stays then.
    pub fn publish(&mut self, bundle: &[u8], at_ms: f64) -> Result<String, String> {
        let (bundle, succession, at) = later_bundle(&self.processor, bundle, at_ms)?;
        self.visitor.renew(&self.processor.bundle().rules, &bundle, &succession);
        self.processor.set_bundle(bundle, at);
        self.with_visitor(|visitor, state, processor| {
            visitor.touch_latches(state, processor);
            visitor.decide(state, processor)
        });
        let mut answer = Answer::default();
        for (id, profile) in &mut self.profiles {
            let decided = self.processor.decide(&mut profile.state, ValueRef::Null, &profile.decisions);
            profile.follow(id, decided, &mut answer);
        }
        Ok(answer.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_core::bundle::author::{SourceFile, compile};
    use attune_core::bundle::{Header, attach_signature, seal_envelope};
    use attune_core::value::Value;

    const FIRST: &str = r#"{"rules":[
        {"id":"pro","slot":"hero","when":{"traits.plan":"pro"},"actions":[]},
        {"id":"old","slot":"aside","actions":[]},
        {"id":"promo","slot":"bar","on":"promo","hold":"1h","actions":[]}]}"#;
    const SECOND: &str = r#"{"rules":[
        {"id":"cart","slot":"basket","when":{"context.cart.count":{"$gte":1}},"actions":[]},
        {"id":"team","slot":"hero","when":{"traits.plan":"team"},"actions":[]},
        {"id":"promo","slot":"bar","on":"promo","hold":"1h","actions":[]},
        {"id":"late","slot":"night","schedule":{"from":"2026-11-20T22:00:00Z"},"actions":[]}]}"#;
    const START_MS: f64 = 1_795_168_800_000.0;

    fn sealed(revision: u64, rules: &str) -> Vec<u8> {
        let compiled = compile(&[SourceFile { name: "rules.json".into(), text: rules.into() }]);
        assert_eq!(compiled.diagnostics, []);
        let header = Header { project: "shop", revision, ..Header::default() };
        attach_signature(seal_envelope(&header, &compiled.body), &[0; 64])
    }

    fn promo(id: &str, member: &str) -> String {
        format!(
            r#"[{{"event_id":"{id}","event_type":"promo","timestamp":"2026-11-20T10:00:00Z","anonymous_id":"{member}"}}]"#
        )
    }

    /// Who holds each slot by the visitor's decisions, in order of number.
    fn holders(evaluator: &Evaluator) -> Vec<Option<String>> {
        let rule = |slot| Value::parse(&evaluator.decision(slot)).unwrap().at("rule").cloned();
        let names = Value::parse(&evaluator.names()).unwrap();
        let Some(Value::Array(slots)) = names.field("slots") else { panic!("{names:?}") };
        (0..slots.len()).map(|slot| rule(slot)?.as_str().map(String::from)).collect()
    }

    fn some(rule: &str) -> Option<String> {
        Some(rule.into())
    }

    #[test]
    fn the_visitor_goes_on_with_what_was_said_and_paths_reach_the_conditions_that_follow() {
        let mut evaluator = Evaluator::new(sealed(1, FIRST)).unwrap();
        evaluator.set_visitor("ann");
        evaluator.set(br#"{"traits":{"plan":"team"},"context":{"cart":{"count":0}}}"#).unwrap();
        evaluator.absorb(&promo("e1", "ann"));
        let count = evaluator.path("context.cart.count").unwrap();
        assert_eq!(holders(&evaluator), [some("old"), some("promo"), None]);

        evaluator.publish(&sealed(2, SECOND), START_MS).unwrap();
        assert_eq!(
            holders(&evaluator),
            [some("promo"), None, some("team"), None],
            "by slot: bar, basket, hero, night"
        );
        assert_eq!(evaluator.change_number(count, 2.0), Ok(1));
        assert_eq!(evaluator.changes(), [1, 1]);
        assert_eq!(evaluator.set(br#"{"context":{"cart":{"count":3}}}"#), Ok(1), "the plan is gone");
        assert_eq!(holders(&evaluator), [some("promo"), some("cart"), None, None]);
    }

    #[test]
    fn it_is_told_which_slots_have_other_numbers() {
        let mut evaluator = Evaluator::new(sealed(1, FIRST)).unwrap();
        assert_eq!(evaluator.moves(), None);
        let texts = FIRST.replace("\"pro\"}", "\"max\"}");
        for (revision, rules, expected) in [
            (2, &*texts, None),
            (3, SECOND, Some(&[2, 0, 3, 0][..])),
            (4, r#"{"rules":[]}"#, Some(&[][..])),
            (5, SECOND, Some(&[0, 0, 0, 0][..])),
        ] {
            evaluator.publish(&sealed(revision, rules), START_MS).unwrap();
            assert_eq!(evaluator.moves(), expected, "revision {revision}");
        }
    }

    #[test]
    fn everybody_is_decided_for_and_what_differs_is_told() {
        let mut evaluator = Evaluator::new(sealed(1, FIRST)).unwrap();
        evaluator.absorb(&promo("e1", "bob"));
        let answer = Value::parse(&evaluator.publish(&sealed(2, SECOND), START_MS).unwrap()).unwrap();
        assert_eq!(answer.at("decisions.0.profile"), Some(&Value::string("member:bob")));
        assert_eq!(answer.at("decisions.0.slot"), Some(&Value::string("aside")));
        assert_eq!(answer.at("decisions.0.rule"), Some(&Value::Null));
        assert_eq!(answer.at("decisions.1"), None, "the latch goes on");
        assert!(evaluator.decisions("bob").contains("promo"));
    }

    #[test]
    fn what_cannot_follow_is_refused_and_the_bundle_in_effect_stays() {
        let mut evaluator = Evaluator::new(sealed(2, FIRST)).unwrap();
        evaluator.set(b"{}").unwrap();
        let names = evaluator.names();
        for (code, bundle, at) in [
            ("bundle_lower_revision", sealed(2, SECOND), START_MS),
            ("bundle_truncated", sealed(3, SECOND)[..40].to_vec(), START_MS),
            ("bundle_bad_magic", vec![7; 300], START_MS),
            ("time_out_of_range", sealed(3, SECOND), f64::NAN),
        ] {
            let error = evaluator.publish(&bundle, at).unwrap_err();
            assert!(error.contains(code), "{error}");
        }
        assert_eq!((evaluator.names(), evaluator.set(br#"{"traits":{"plan":"pro"}}"#)), (names, Ok(1)));
    }

    #[test]
    fn the_next_instant_is_that_at_which_time_alone_changes_a_decision() {
        let mut evaluator = Evaluator::new(sealed(1, FIRST)).unwrap();
        evaluator.set_time(START_MS).unwrap();
        assert!(evaluator.wake_at().is_nan());
        evaluator.publish(&sealed(2, SECOND), START_MS).unwrap();
        let at = evaluator.wake_at();
        assert_eq!((evaluator.set_time(at - 1.0), evaluator.set_time(at)), (Ok(0), Ok(1)));
    }

    #[test]
    fn an_event_of_the_visitor_latches_no_rule_whose_purpose_is_not_granted() {
        let mut evaluator = Evaluator::new(sealed(1, FIRST)).unwrap();
        evaluator.set_visitor("ann");
        evaluator.set_consent(0b001);
        evaluator.absorb(&promo("e1", "ann"));
        evaluator.absorb(&promo("e2", "bob"));
        evaluator.set_consent(0b111);
        assert_eq!(holders(&evaluator), [some("old"), None, None]);
        assert!(evaluator.decisions("bob").contains("promo"), "others are not the visitor");
        evaluator.absorb(&promo("e3", "ann"));
        assert_eq!(holders(&evaluator), [some("old"), some("promo"), None]);
    }
}
