//! An assignment that sticks is one for the collector and for every device of a user.
#![cfg(feature = "author")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a step that fails is a failed test")]

use attune_core::bundle::author::{SourceFile, compile};
use attune_core::bundle::{Bundle, Header, attach_signature, seal_envelope};
use attune_core::client::{Client, ClientOptions};
use attune_core::id::{EventId, LaneId, MemberId, SessionId, Uuid};
use attune_core::processor::{Processor, ProfileState};
use attune_core::profile::{Absorbed, MemberState};
use attune_core::queue::QueueOptions;
use attune_core::time::{Monotonic, Now, Timestamp};
use attune_core::value::Value;
use attune_core::wire::{EXPOSURE, Event, Record};

/// Everybody who is new gets `a`.
const RULES: &str = r#"{
    "experiments":[{"id":"look","sticky":true,"variations":[{"key":"a","weight":1},{"key":"b","weight":0}]}],
    "rules":[{"id":"a","slot":"look","when":{"experiments.look":"a"},"actions":[]},
             {"id":"b","slot":"look","when":{"experiments.look":"b"},"actions":[]}]}"#;
const NOW: Now = Now { wall: Timestamp(1_790_000_000_000), monotonic: Monotonic(0) };

fn bundle() -> Vec<u8> {
    let compiled = compile(&[SourceFile { name: "rules.json".into(), text: RULES.into() }]);
    assert_eq!(compiled.diagnostics, []);
    let header = Header { project: "p", environment: "e", revision: 1, key_id: "k", ..Header::default() };
    attach_signature(seal_envelope(&header, &compiled.body), &[0; 64])
}

/// A profile of one user, of two members with one event each.
struct Server {
    processor: Processor,
    state: ProfileState,
    events: u128,
}

impl Server {
    fn take(&mut self, member: &str, event_type: &str, at: i64, variation: &str) {
        self.events += 1;
        let metadata = format!(r#"{{"experiment":"look","variation":"{variation}","bucket_version":0}}"#);
        let event = Event {
            event_id: EventId(Uuid::from_u128(self.events)),
            event_type: event_type.into(),
            timestamp: NOW.wall.plus(at),
            member: MemberId(member.into()),
            lane: None,
            session: None,
            user_id: Some("ada".into()),
            metadata: Some(metadata.into()),
        };
        let mut member = MemberState::new(event.member.clone());
        let record = Record::Event { event, received_at: NOW.wall, proven: true, facts: None };
        let Absorbed::Change(change) = self.processor.absorb(&mut member, &record) else {
            panic!("the event is new")
        };
        self.processor.combine(&mut self.state, &change, None);
    }

    fn look(&self) -> Value {
        self.processor.look(&self.state, |visitor| visitor.experiments.read("look").to_tree())
    }

    /// What fills the slot on a page of a member, before and after it is told of the profile.
    fn pages_of(&self, member: &str) -> [Option<String>; 2] {
        let options = ClientOptions {
            member: MemberId(member.into()),
            lane: LaneId(Uuid::from_u128(1)),
            session: SessionId(Uuid::from_u128(2)),
            queue: QueueOptions { max_batch_events: 50, max_batch_bytes: 50_000, max_queue_bytes: 50_000 },
        };
        let mut page = Client::new(options, NOW);
        page.handle_bundle(&bundle(), NOW).unwrap();
        let look = |page: &Client| page.decision("look").map(|held| held.rule.to_string());
        let before = look(&page);
        let view = self.processor.view(&self.state, &MemberId(member.into())).encode();
        assert_eq!(page.handle_profile(&view, NOW), Ok(true));
        [before, look(&page)]
    }
}

fn server() -> Server {
    let mut processor = Processor::new();
    processor.set_bundle(Bundle::open(&bundle()).unwrap(), Timestamp(0));
    Server { processor, state: ProfileState::default(), events: 0 }
}

fn texts(texts: [&str; 2]) -> [Option<String>; 2] {
    texts.map(|text| Some(text.into()))
}

#[test]
fn the_collector_and_another_device_read_the_assignment_of_the_first() {
    let mut server = server();
    server.take("desk", "page_view", 0, "");
    assert_eq!(server.look(), Value::string("a"), "the hash alone");
    server.take("phone", EXPOSURE, 0, "b");
    assert_eq!(server.look(), Value::string("b"));
    assert_eq!(server.pages_of("desk"), texts(["a", "b"]));
    assert_eq!(server.pages_of("phone"), texts(["a", "b"]));
}

#[test]
fn of_two_devices_the_earlier_exposure_counts_for_both() {
    for [desk, phone] in [[1, 2], [2, 1]] {
        let mut server = server();
        server.take("desk", EXPOSURE, desk, "a");
        server.take("phone", EXPOSURE, phone, "b");
        let expected = if desk < phone { "a" } else { "b" };
        assert_eq!(server.look(), Value::string(expected));
        assert_eq!(server.pages_of("desk"), texts(["a", expected]));
        assert_eq!(server.pages_of("phone"), texts(["a", expected]));
    }
}
