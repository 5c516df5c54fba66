//! Signals of a profile read at instants that a host names.

use super::Steps;
use crate::answer::{failure, list, reading};
use crate::cut::elements;
use crate::state::OpenProfile;
use attune_core::condition::time_clocks;
use attune_core::id::{SessionId, uuid_from_text};
use attune_core::profile::{Tiles, Viewpoint};
use attune_core::time::Timestamp;
use attune_core::value::{ValueRef, parse};

impl Steps {
    /// Reads a signal for each `{"signal":…,"key":…,"at":…,"session":…,"time":…}` of a JSON array. What a question leaves
    /// out but for the signal is the profile's own: its time, its session and its clocks; a session that is null is
    /// none. Answers with a reading for each, or why there is none.
    ///
    /// A text that is no array, or has more than 250,000 elements, is answered with an object with `error` and `message`.
    pub fn read(&self, profile: &OpenProfile, questions: &str) -> String {
        let Some(questions) = elements(questions) else {
            return failure("questions_unreadable", "expected a JSON array of at most 250,000 questions");
        };
        let parts = profile.state.tiles();
        list(questions.into_iter().map(|question| self.answer(profile, &parts, question)))
    }

    fn answer(&self, profile: &OpenProfile, parts: &[&Tiles], question: &str) -> String {
        let unreadable = |expected: &str| failure("question_unreadable", &format!("expected {expected}"));
        let Ok(packed) = parse(question) else { return unreadable("a JSON object with signal") };
        let given = |name: &str| packed.get().field(name);
        let told = |name: &str| given(name).filter(|value| !value.is_null());
        let Some(name) = given("signal").and_then(ValueRef::as_str) else {
            return unreadable("the name of a signal as signal");
        };
        let own = &self.processor.bundle_of(&profile.state).signals;
        // During a rollout the other bundle's signals are counted as well.
        let Some(signal) = own.by_name(name).or_else(|| self.processor.counted().by_name(name)) else {
            return failure("signal_unknown", "the bundle has no such signal");
        };
        let key = match (told("key").map(ValueRef::as_str), signal.by.is_some()) {
            (Some(Some(key)), true) => key,
            (Some(None), _) => return unreadable("a text as key"),
            (None, true) => return failure("signal_key_missing", "the signal has one value per key"),
            (Some(_), false) => return failure("signal_key_unexpected", "the signal has no keys"),
            (None, false) => "",
        };
        let own = profile.state.viewpoint();
        let (now, session, clocks);
        match told("at").map(|at| at.as_str().and_then(Timestamp::parse)) {
            None => now = own.now,
            Some(Some(at)) => now = at,
            Some(None) => return unreadable("an instant such as 2026-11-20T10:00:02.120Z as at"),
        }
        match given("session").map(|session| session.as_str().map(uuid_from_text)) {
            None => session = own.session,
            Some(Some(Some(id))) => session = Some(SessionId(id)),
            Some(None) if told("session").is_none() => session = None,
            Some(_) => return unreadable("a text of 1 to 100 characters as session, or null"),
        }
        let from = match told("time") {
            None => Viewpoint { now, session, ..own },
            Some(time) => match time_clocks(time) {
                Some(found) => {
                    clocks = found;
                    Viewpoint { now, session, zone: &clocks }
                }
                None => return unreadable("an object with utc_offset_minutes as time"),
            },
        };
        reading(Tiles::read(parts, &signal, key, from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::State;
    use attune_core::bundle::author::{SourceFile, compile};
    use attune_core::bundle::{Header, attach_signature, seal_envelope};
    use attune_core::value::Value;
    use proptest::prelude::*;

    const SIGNALS: &str = r#"{"signals":[
        {"name":"clicks","on":"click","by":"metadata.category","aggregate":"count","window":"session"},
        {"name":"spent","on":"click","aggregate":"sum","of":"metadata.price","window":"5m"},
        {"name":"left_at","on":"click","aggregate":"last_at","window":"lifetime"},
        {"name":"day","on":"click","aggregate":"count","window":"today"}]}"#;

    /// Two clicks at ten in session s, the second a minute later.
    fn profile() -> (Steps, State) {
        let compiled = compile(&[SourceFile { name: "signals.json".into(), text: SIGNALS.into() }]);
        assert_eq!(compiled.diagnostics, []);
        let header = Header { project: "shop", revision: 1, ..Header::default() };
        let bundle = attach_signature(seal_envelope(&header, &compiled.body), &[0; 64]);
        let steps = Steps::new(&bundle, 0.0).unwrap();
        let (mut member, mut profile) =
            (State::open_member("m", &[]).unwrap(), State::open_profile(&[]).unwrap());
        let click = |minute: u32| {
            format!(
                r#"{{"event":{{"event_id":"e{minute}","event_type":"click","timestamp":"2026-11-20T10:0{minute}:00Z",
                "anonymous_id":"m","session_id":"s","metadata":{{"category":"shoes","price":0.1}}}}}}"#
            )
        };
        let answer = steps.absorb(member.member().unwrap(), &format!("[{},{}]", click(0), click(1)));
        let Some(Value::Array(rows)) = Value::parse(&answer).unwrap().field("changes").cloned() else {
            panic!("{answer}")
        };
        for row in rows {
            let change = format!("[\"{}\"]", row.field("change").and_then(Value::as_str).unwrap());
            assert!(steps.combine(profile.profile().unwrap(), None, &change).contains(r#""accepted":1"#));
        }
        (steps, profile)
    }

    fn read(questions: &str) -> String {
        let (steps, mut profile) = profile();
        steps.read(profile.profile().unwrap(), questions)
    }

    #[test]
    fn a_question_reads_at_the_profiles_own_time_session_and_clocks_or_at_those_it_names() {
        for (question, expected) in [
            (r#"{"signal":"spent"}"#, r#"{"value":0.2,"until":"2026-11-20T10:05:00.000Z"}"#),
            (
                r#"{"signal":"spent","at":"2026-11-20T10:00:30Z"}"#,
                r#"{"value":0.1,"until":"2026-11-20T10:01:00.000Z"}"#,
            ),
            (r#"{"signal":"clicks","key":"shoes"}"#, r#"{"value":2.0,"until":null}"#),
            (r#"{"signal":"clicks","key":"shoes","session":"t"}"#, r#"{"value":0.0,"until":null}"#),
            (r#"{"signal":"clicks","key":"shoes","session":null}"#, r#"{"missing":true}"#),
            (r#"{"signal":"left_at"}"#, r#"{"value":"2026-11-20T10:01:00.000Z","until":null}"#),
            (r#"{"signal":"day"}"#, r#"{"value":2.0,"until":"2026-11-21T00:00:00.000Z"}"#),
            (
                r#"{"signal":"day","time":{"utc_offset_minutes":60}}"#,
                r#"{"value":2.0,"until":"2026-11-20T23:00:00.000Z"}"#,
            ),
        ] {
            assert_eq!(read(&format!("[{question}]")), format!("[{expected}]"), "{question}");
        }
    }

    #[test]
    fn a_question_that_cannot_be_answered_says_why_and_leaves_its_neighbours_alone() {
        for (question, code) in [
            ("7", "question_unreadable"),
            ("oops", "question_unreadable"),
            (r#"{"signal":7}"#, "question_unreadable"),
            (r#"{"signal":"nope"}"#, "signal_unknown"),
            (r#"{"signal":"clicks"}"#, "signal_key_missing"),
            (r#"{"signal":"day","key":"a"}"#, "signal_key_unexpected"),
            (r#"{"signal":"clicks","key":7}"#, "question_unreadable"),
            (r#"{"signal":"day","at":"soon"}"#, "question_unreadable"),
            (r#"{"signal":"day","session":7}"#, "question_unreadable"),
            (r#"{"signal":"day","time":{}}"#, "question_unreadable"),
        ] {
            let found = Value::parse(&read(&format!(r#"[{question},{{"signal":"day"}}]"#))).unwrap();
            assert_eq!(found.at("0.error"), Some(&Value::string(code)), "{question}");
            assert_eq!(found.at("1.value"), Some(&Value::Number(2.0)), "{question}");
        }
        assert!(read("{}").contains("questions_unreadable"));
        assert_eq!(read("[]"), "[]");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_text_is_answered_in_json(
            text in r#"\[?[\[\]{}",:\\a1]{0,30}\]?"#,
            field in r#""(key|at|session|time)":[\[\]{}",:a1]{0,8}"#,
        ) {
            prop_assert!(Value::parse(&read(&text)).is_ok(), "{}", text);
            let question = format!(r#"[{{"signal":"day",{field}}}]"#);
            prop_assert!(Value::parse(&read(&question)).is_ok(), "{}", question);
        }
    }
}
