//! What a page load that begins now would decide, and what that depends on: for whoever paints before the core is there.

use super::Client;
use super::decisions::Asking;
use crate::condition::Outlook;
use crate::id::SessionId;
use crate::rules::{Decision, Reads, Visit};
use crate::time::{Now, Timestamp};

/// What would fill one slot.
#[derive(Debug)]
pub struct Forecast<'a> {
    /// The slot.
    pub slot: &'a str,
    /// What would fill it, if anything.
    pub decision: Option<&'a Decision>,
    /// The paths below `context` that were read to find it, each in a line, some several times: under other values
    /// something else may fill the slot.
    pub reads: &'a str,
    /// The first instant of this host's wall clock at which time alone may change it.
    pub until: Option<Timestamp>,
}

impl Client {
    /// Decides every slot as a page load of a session would that begins now: nothing holds a slot yet, so that caps count
    /// what has been shown already. Changes nothing; without a bundle in effect there is nothing to decide.
    #[inline(never)]
    pub fn forecast(&self, session: SessionId, now: Now, see: &mut dyn FnMut(Forecast<'_>)) {
        let (at, end) = (self.instant(now), self.bundle_end());
        if end.is_some_and(|end| at >= end) {
            return;
        }
        let reads = Reads::default();
        let asking = Asking { event: None, now: at, session, reads: Some(&reads) };
        self.ask(asking, &mut Outlook::default(), &mut |document, assigned| {
            let (rules, of_experiments) = (&self.bundle.rules, reads.take());
            let visit = Visit { rules, document, latches: self.latches() };
            let excluded = visit.excluded(&|_| None);
            let of_groups = reads.take();
            let mut number = 0;
            while let Some((slot, _)) = rules.slot(number) {
                let mut outlook = Outlook::default();
                let decision = visit.decide_slot(number, None, &excluded, &mut outlook);
                let (mut read, has_read_variation) = reads.take();
                read.push_str(&of_groups.0);
                if has_read_variation || of_groups.1 {
                    read.push_str(&of_experiments.0);
                    assigned.next.into_iter().for_each(|at| outlook.note(at));
                }
                // Of two rules of a group the one's time is the other's as well.
                let of_others = if rules.has_groups() { self.decisions.wake_at() } else { end };
                of_others.into_iter().for_each(|at| outlook.note(at));
                let until = outlook.next.map(|at| at.plus(-self.overlay.skew_ms()));
                see(Forecast { slot, decision: decision.as_ref(), reads: &read, until });
                number += 1;
            }
        });
    }
}

#[cfg(all(test, feature = "author"))]
mod tests {
    use super::*;
    use crate::bundle::author::{SourceFile, compile};
    use crate::bundle::{Header, SIGNATURE_BYTES, attach_signature, seal_envelope};
    use crate::client::{ClientOptions, Track};
    use crate::id::{EventId, LaneId, MemberId, Uuid};
    use crate::limits::BUNDLE_GRACE_MS;
    use crate::queue::QueueOptions;
    use crate::time::Monotonic;
    use crate::value::parse;
    use crate::wire::Priority;
    use alloc::string::{String, ToString};
    use alloc::vec;
    use alloc::vec::Vec;

    const RULES: &str = r#"{
      "signals": [
        {"name":"views","on":"page_view","aggregate":"count","window":"session"},
        {"name":"recent","on":"page_view","aggregate":"count","window":"1m"}
      ],
      "experiments": [{"id":"look","variations":[{"key":"a"},{"key":"b"}],"when":{"context.locale":"de"}}],
      "rules": [
        {"id":"home","slot":"hero","priority":1,"when":{"context.page.path":"/","context.device.class":"phone"},"actions":[]},
        {"id":"often","slot":"hero","when":{"signals.views":{"$gte":1}},"actions":[]},
        {"id":"once","slot":"bar","when":{"signals.views":{"$gte":1}},"cap":{"per":"lifetime","count":1},"actions":[]},
        {"id":"busy","slot":"busy","when":{"signals.recent":{"$gte":1}},"actions":[]},
        {"id":"tried","slot":"look","when":{"experiments.look":{"$in":["a","b"]}},"actions":[]},
        {"id":"clicked","slot":"aside","on":"page_view","hold":"session","actions":[]}
      ]
    }"#;
    const NOW: Now = Now { wall: Timestamp(1_790_000_000_000), monotonic: Monotonic(5_000) };

    fn session(number: u128) -> SessionId {
        SessionId(Uuid::from_u128(number))
    }

    /// A page on which one event has been tracked in session 9.
    fn client(expires: Option<Timestamp>) -> Client {
        let options = ClientOptions {
            member: MemberId("visitor".into()),
            lane: LaneId(Uuid::from_u128(1)),
            session: session(9),
            queue: QueueOptions { max_batch_events: 50, max_batch_bytes: 50_000, max_queue_bytes: 1_000_000 },
        };
        let mut client = Client::new(options, NOW);
        let compiled = compile(&[SourceFile { name: "a".to_string(), text: RULES.to_string() }]);
        assert_eq!(compiled.diagnostics, []);
        let header = Header { project: "p", revision: 1, expires, ..Header::default() };
        let bundle = attach_signature(seal_envelope(&header, &compiled.body), &[0; SIGNATURE_BYTES]);
        let text = r#"{"page":{"path":"/","url":"https://a.example/","search":""},"device":{"class":"phone"},"locale":"de"}"#;
        client.handle_context(parse(text).unwrap_or_default(), text.len(), NOW);
        assert_eq!(client.handle_bundle(&bundle, NOW), Ok(true));
        for event_type in ["page_view", "attune.shown"] {
            let shown = r#"{"rule":"once","key":""}"#;
            let track = Track {
                event_id: EventId(Uuid::from_u128(event_type.len() as u128)),
                event_type,
                timestamp: NOW.wall,
                session: session(9),
                metadata: (event_type == "attune.shown").then(|| parse(shown).unwrap_or_default()),
                metadata_bytes: shown.len(),
                bytes: 100,
                priority: Priority::Normal,
            };
            assert!(client.handle_track(track, NOW).is_ok());
        }
        client
    }

    /// Of each slot: its name, the rule that would fill it, the context read, and for how long it holds.
    type Found = (String, Option<String>, Vec<String>, Option<i64>);

    fn forecast(client: &Client, number: u128, now: Now) -> Vec<Found> {
        let mut found = Vec::new();
        client.forecast(session(number), now, &mut |one| {
            let rule = one.decision.map(|decision| decision.rule.to_string());
            let reads = one.reads.lines().map(ToString::to_string).collect();
            found.push((one.slot.to_string(), rule, reads, one.until.map(|at| at.0 - NOW.wall.0)));
        });
        found
    }

    fn rules_of(found: &[Found]) -> Vec<(&str, Option<&str>)> {
        found.iter().map(|(slot, rule, ..)| (&**slot, rule.as_deref())).collect()
    }

    #[test]
    fn a_page_load_that_begins_finds_what_is_capped_used_up_and_another_session_without_what_its_own_had() {
        let client = client(None);
        assert!(client.decision("bar").is_some_and(|held| &*held.rule == "once"), "it is shown on this page");
        let same = forecast(&client, 9, NOW);
        let expected = vec![
            ("aside", Some("clicked")),
            ("bar", None),
            ("busy", Some("busy")),
            ("hero", Some("home")),
            ("look", Some("tried")),
        ];
        assert_eq!(rules_of(&same), expected);
        let later = forecast(&client, 10, NOW);
        assert_eq!(rules_of(&later)[0], ("aside", None));
        assert_eq!(client.decision("aside").map(|held| &*held.rule), Some("clicked"), "nothing has changed");
    }

    #[test]
    fn it_names_the_context_it_has_read_and_no_more() {
        let found = forecast(&client(None), 9, NOW);
        let reads: Vec<String> = found.iter().map(|(_, _, reads, _)| reads.join(" ")).collect();
        assert_eq!(reads, ["", "", "", "page.path device.class", "page.search locale"]);
    }

    #[test]
    fn it_says_until_when_and_ends_with_the_bundle() {
        let until = |client: &Client, slot: &str| {
            let found = forecast(client, 9, NOW);
            found.into_iter().find(|(name, ..)| *name == slot).and_then(|(.., until)| until)
        };
        let lasting = client(None);
        assert_eq!(until(&lasting, "hero"), None);
        assert!(until(&lasting, "busy").is_some_and(|ms| ms > 0 && ms <= 60_000));
        let ending = client(Some(NOW.wall.plus(1_000)));
        assert_eq!(until(&ending, "hero"), Some(1_001 + BUNDLE_GRACE_MS));
        let over = Now { wall: NOW.wall.plus(2_000 + BUNDLE_GRACE_MS), ..NOW };
        assert_eq!(forecast(&ending, 9, over), []);
    }
}
