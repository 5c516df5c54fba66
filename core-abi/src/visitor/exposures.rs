//! The variations that a host has newly shown its visitor, to be tracked under the ids that pages derive as well.

use super::Visitor;
use attune_core::condition::{Document, Outlook};
use attune_core::experiment::Exposed;
use attune_core::id::{EventId, SessionId};
use attune_core::processor::{Processor, ProfileState};
use attune_core::rules::{Decision, decide};
use std::collections::BTreeSet;

/// The exposures that the host has been told of in a session.
#[derive(Debug, Default)]
pub(super) struct Told {
    session: Option<SessionId>,
    ids: BTreeSet<EventId>,
}

impl Visitor {
    /// What the decisions in effect have had to read of experiments and the host has not been told of in this session.
    ///
    /// The decisions are made anew for it, slot by slot as pages make them: an index reads ahead, and what is read ahead
    /// has been shown to nobody.
    pub fn take_exposures(&mut self, state: &ProfileState, processor: &Processor) -> Vec<Exposed> {
        let rules = &processor.bundle().rules;
        let (session, mut exposed) = self.look(state, processor, |document| {
            let decision = |slot: usize| -> Option<Decision> {
                let pick = self.decider.pick(slot)?;
                pick.decision(rules.slot(slot)?.0, rules, document, &mut Outlook::default())
            };
            let current: Vec<Decision> = (0..rules.slot_count()).filter_map(decision).collect();
            // Assigned again, nothing has been read.
            document.assigned.assign(document, &mut Outlook::default());
            decide(rules, document, state.latches(), &current);
            (document.session(), document.assigned.exposed(document))
        });
        if self.told.session != session {
            self.told = Told { session, ids: BTreeSet::new() };
        }
        exposed.retain(|exposed| self.told.ids.insert(exposed.event_id));
        exposed
    }
}

#[cfg(test)]
mod tests {
    use crate::Evaluator;
    use attune_core::bundle::author::{SourceFile, compile};
    use attune_core::bundle::{Header, attach_signature, seal_envelope};
    use attune_core::client::{Client, ClientOptions};
    use attune_core::id::{LaneId, MemberId, SessionId, Uuid, uuid_from_text, write_uuid};
    use attune_core::queue::QueueOptions;
    use attune_core::time::{Monotonic, Now, Timestamp};
    use attune_core::value::{Value, parse};

    const RULES: &str = r#"{"experiments":[
        {"id":"kasse-日本","variations":[{"key":"a"},{"key":"ü"}],"sticky":true,"bucket_version":3},
        {"id":"account","variations":[{"key":"a"},{"key":"b"}],"hash_attribute":"context.account","coverage":0.5},
        {"id":"gated","variations":[{"key":"a"},{"key":"b"}],"prerequisites":[{"experiment":"account","variations":["a"]}]},
        {"id":"forced","variations":[{"key":"a"},{"key":"b"}],"force":"b"}],
      "rules":[
        {"id":"kasse","slot":"kasse","when":{"context.page.path":"/kasse","experiments.kasse-日本":"ü"},"actions":[]},
        {"id":"usual","slot":"kasse","priority":-1,"when":{"experiments.account":"b"},"actions":[]},
        {"id":"gated","slot":"side","when":{"experiments.gated":{"$exists":true}},"actions":[]},
        {"id":"forced","slot":"bar","when":{"experiments.forced":"b"},"actions":[]}]}"#;
    const SESSION: &str = "0198c000-0000-7000-8000-000000000009";

    fn bundle() -> Vec<u8> {
        let compiled = compile(&[SourceFile { name: "rules.json".into(), text: RULES.into() }]);
        assert_eq!(compiled.diagnostics, []);
        let header = Header { project: "shop", revision: 1, ..Header::default() };
        attach_signature(seal_envelope(&header, &compiled.body), &[0; 64])
    }

    fn ids(exposures: &str) -> Vec<String> {
        let Value::Array(rows) = Value::parse(exposures).unwrap() else { panic!("{exposures}") };
        let id = |row: &Value| row.field("event_id").and_then(Value::as_str).map(String::from);
        rows.iter().filter_map(id).collect()
    }

    #[test]
    fn a_server_and_a_page_expose_the_same_under_the_same_ids() {
        let (bundle, mut count, mut without) = (bundle(), 0, 0);
        for number in 0..200 {
            let member = format!("visitor-{number}-ü");
            let path = ["/kasse", "/"][number % 2];
            let context = format!(r#"{{"page":{{"path":"{path}"}},"account":"konto-{}"}}"#, number % 7);

            let now = Now { wall: Timestamp(1_790_000_000_000), monotonic: Monotonic(0) };
            let options = ClientOptions {
                member: MemberId(member.as_str().into()),
                lane: LaneId(Uuid::from_u128(1)),
                session: SessionId(uuid_from_text(SESSION).unwrap()),
                queue: QueueOptions {
                    max_batch_events: 50,
                    max_batch_bytes: 50_000,
                    max_queue_bytes: 50_000,
                },
            };
            let mut page = Client::new(options, now);
            page.handle_context(parse(&context).unwrap(), context.len(), now);
            page.handle_bundle(&bundle, now).unwrap();
            let text = |exposed: &attune_core::experiment::Exposed| {
                let mut text = String::new();
                write_uuid(exposed.event_id.0, &mut text);
                text
            };
            let mut on_page: Vec<String> = page.take_exposures().iter().map(text).collect();

            let mut server = Evaluator::new(&bundle).unwrap();
            server.set_visitor(&member);
            server.set_session(SESSION.as_bytes()).unwrap();
            server.set(format!(r#"{{"context":{context}}}"#).as_bytes()).unwrap();
            let mut on_server = ids(&server.take_exposures());
            on_page.sort();
            on_server.sort();
            assert_eq!(on_server, on_page, "{member} at {path}");
            count += on_server.len();
            without += usize::from(on_server.is_empty());
        }
        assert!(count > 150 && without > 20, "{count} exposures, {without} visitors without one");
    }

    #[test]
    fn an_exposure_is_told_once_in_a_session_and_not_once_it_has_been_tracked() {
        let mut server = Evaluator::new(bundle()).unwrap();
        server.set_visitor("ann");
        server.set(r#"{"context":{"page":{"path":"/kasse"}}}"#.as_bytes()).unwrap();
        server.set_session(b"first").unwrap();
        let told = server.take_exposures();
        let row = Value::parse(&told).unwrap();
        assert_eq!(row.at("0.experiment"), Some(&Value::string("kasse-日本")));
        assert_eq!(row.at("0.bucket_version"), Some(&Value::Number(3.0)));
        assert_eq!(server.take_exposures(), "[]");
        server.set_session(b"second").unwrap();
        let again = server.take_exposures();
        assert_ne!(ids(&again), ids(&told));

        let variation = row.at("0.variation").and_then(Value::as_str).unwrap();
        let event = format!(
            r#"[{{"event_id":"{}","event_type":"attune.exposure","timestamp":"2026-11-20T10:00:00Z","anonymous_id":"ann",
            "session_id":"first","metadata":{{"experiment":"kasse-日本","variation":"{variation}","bucket_version":3}}}}]"#,
            ids(&told)[0]
        );
        let mut other = Evaluator::new(bundle()).unwrap();
        other.set_visitor("ann");
        other.set(r#"{"context":{"page":{"path":"/kasse"}}}"#.as_bytes()).unwrap();
        assert!(other.absorb(&event).contains(r#""accepted":1"#));
        assert_eq!(other.take_exposures(), "[]", "the page has tracked it in the session of its event");
        other.set_session(b"second").unwrap();
        assert_eq!(ids(&other.take_exposures()), ids(&again));
        let why = other.explain("kasse");
        let origin = format!(r#"{{"experiment":"kasse-日本","variation":"{variation}","origin":"sticky"}}"#);
        assert!(why.contains(&origin), "{why}");
    }

    #[test]
    fn a_session_that_is_none_is_refused() {
        let mut server = Evaluator::new(bundle()).unwrap();
        for session in ["x".repeat(101).as_bytes(), b"\xff"] {
            assert!(server.set_session(session).unwrap_err().contains("session_invalid"));
        }
        assert!(server.set_session(b"").is_ok() && server.set_session("x".repeat(100).as_bytes()).is_ok());
    }
}
