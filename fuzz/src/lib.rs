//! What the targets share: a document that has something to say to every question, events, a processor.

pub mod following;

use attune_core::bundle::author::{Compiled, SourceFile, compile};
use attune_core::bundle::{
    Candidate, Current, HASH_BYTES, Header, SIGNATURE_BYTES, attach_signature, seal_current, seal_envelope,
};
use attune_core::condition::{Document, Engine, Matcher, Outlook, PathRef, Pattern, Reading};
use attune_core::id::{MemberId, ModelId, SessionId, SignalId, Uuid};
use attune_core::processor::{Processor, ProfileState};
use attune_core::profile::{Absorbed, Change, MemberState};
use attune_core::time::Timestamp;
use attune_core::value::{Packed, Value, ValueRef, parse};
use attune_core::wire::Record;
use attune_core_abi::read_event;

/// The rule file of the processor that absorbs into damaged states: every aggregate, every kind of window.
pub const SIGNALS: &str = r#"{"signals":[
    {"name":"views","on":"page_view","by":"metadata.category","aggregate":"count","window":"5m"},
    {"name":"spent","on":"page_view","of":"metadata.price","aggregate":"sum","window":"lifetime"},
    {"name":"kinds","on":"page_view","of":"metadata.category","aggregate":"distinct","window":"session"},
    {"name":"last","on":"page_view","of":"metadata.category","aggregate":"last","window":"today"},
    {"name":"mean","on":"*","of":"metadata.price","aggregate":"mean","window":"this_month"},
    {"name":"least","on":"*","of":"metadata.price","aggregate":"min","window":"7d"},
    {"name":"seen","on":"*","aggregate":"last_at","window":"lifetime"}],
  "rules":[{"id":"a","slot":"s","when":{"signals.spent":{"$gt":5}},"cap":{"per":"day","count":2},
            "actions":[{"kind":"text","target":"h1","value":"{{signals.last|-}}"}]},
           {"id":"b","slot":"s","on":"page_view","hold":"10m","when":{"signals.views.shoes":{"$gte":1}},"actions":[]}],
  "triggers":[{"id":"t","when":{"signals.mean":{"$gt":1}},"cap":{"per":"session","count":1},"actions":[]},
              {"id":"u","on":"page_view","when":{},"cap":{"per":"day","key":"event.metadata.category","count":1},"actions":[]}]}"#;

/// Two events of one member.
pub const EVENTS: &str = r#"[
    {"event_id":"00000000-0000-4000-8000-000000000001","event_type":"page_view","timestamp":"2026-11-20T10:00:00Z",
     "anonymous_id":"m","session_id":"00000000-0000-4000-8000-0000000000aa","metadata":{"category":"shoes","price":12.5}},
    {"event_id":"00000000-0000-4000-8000-000000000002","event_type":"click","timestamp":"2026-11-20T10:00:01Z",
     "anonymous_id":"m","metadata":{"category":"hats","list":[1,"a",null]}}]"#;

/// What the visitor is and where.
pub const ATTRIBUTES: &str = r#"{"traits":{"plan":"pro","age":41,"id":"ü1","tags":["a","b"],"at":{"lat":52.5,"lon":13.4}},
    "context":{"page":{"path":"/cart"},"ip":"10.1.2.3","version":"1.10.0","time":{"zone":[]}}}"#;

/// A bundle envelope around a body, of revision 1.
pub fn sealed(body: &[u8]) -> Vec<u8> {
    sealed_as(1, body)
}

/// A bundle envelope of a revision around a body.
pub fn sealed_as(revision: u64, body: &[u8]) -> Vec<u8> {
    let header = Header { project: "shop", environment: "test", revision, key_id: "k", ..Header::default() };
    attach_signature(seal_envelope(&header, body), &[0; SIGNATURE_BYTES])
}

/// A rule file that is sound, compiled.
pub fn compiled(text: &str) -> Compiled {
    let compiled = compile(&[SourceFile { name: "a.json".into(), text: text.into() }]);
    assert!(compiled.diagnostics.is_empty(), "{:?}", compiled.diagnostics);
    compiled
}

/// A processor with a small sound bundle.
pub fn processor() -> Processor {
    let compiled = compiled(SIGNALS);
    let mut processor = Processor::asking(Box::new(Engine::default()));
    processor.set_bundle(compiled.bundle, Timestamp(0));
    processor
}

/// A member and a profile into which the events of [`EVENTS`] have been taken, with the changes between them.
pub fn states() -> (MemberState, ProfileState, Vec<Change>) {
    let (processor, mut changes) = (processor(), Vec::new());
    let mut member = MemberState::new(MemberId("m".into()));
    let mut profile = ProfileState::default();
    let Ok(Value::Array(events)) = Value::parse(EVENTS) else { return (member, profile, changes) };
    for event in events {
        let mut text = String::new();
        event.write(&mut text);
        let Ok(event) = read_event(&text) else { continue };
        let received_at = Timestamp(event.timestamp.0 + 500);
        let record = Record::Event { event, received_at, proven: false, facts: None };
        if let Absorbed::Change(change) = processor.absorb(&mut member, &record) {
            processor.combine(&mut profile, &change, None);
            changes.push(*change);
        }
    }
    (member, profile, changes)
}

/// A statement of what is current, with a candidate.
pub fn statement() -> Vec<u8> {
    let candidate = Candidate { revision: 3, hash: [3; HASH_BYTES], share: 2_500, seed: "roll" };
    let current = Current {
        project: "shop",
        environment: "test",
        revision: 2,
        candidate: Some(candidate),
        expires: Timestamp(20),
        key_id: "k",
        ..Current::default()
    };
    attach_signature(seal_current(&current), &[0; SIGNATURE_BYTES])
}

/// A document in which every path leads to something: a text, a number, a list or an object, by the path's length.
#[derive(Debug)]
pub struct Anything {
    values: [Packed; 6],
    engine: Engine,
}

impl Default for Anything {
    fn default() -> Self {
        let texts = [
            "\"a1.2ü\"",
            "41.5",
            "[1,\"a\",null,[2],{\"a\":1}]",
            "{\"lat\":52.5,\"lon\":13.4,\"a\":\"b\"}",
            "\"10.1.2.3\"",
            "true",
        ];
        let values = texts.map(|text| parse(text).unwrap_or_default());
        Self { values, engine: Engine::default() }
    }
}

impl Document for Anything {
    fn value(&self, path: PathRef<'_>) -> ValueRef<'_> {
        self.values.get(path.rest.len() % 7).map_or(ValueRef::Null, Packed::get)
    }

    fn signal(&self, signal: SignalId, key: &str) -> Reading<'_> {
        match (signal.0 ^ key.len() as u64) % 3 {
            0 => Reading::Missing,
            1 => Reading::Truncated,
            _ => Reading::Value(ValueRef::Number(3.0), Some(Timestamp(9))),
        }
    }

    fn signal_named(&self, name: &str, key: &str) -> Reading<'_> {
        self.signal(SignalId(name.len() as u64), key)
    }

    fn signal_decayed(&self, signal: SignalId, key: &str, half_life_ms: i64) -> Reading<'_> {
        self.signal(SignalId(signal.0 ^ half_life_ms as u64), key)
    }

    fn score(&self, model: ModelId, _outlook: &mut Outlook) -> Reading<'_> {
        self.signal(SignalId(model.0), "")
    }

    fn each_key(&self, signal: SignalId, see: &mut dyn FnMut(&str)) -> bool {
        see("a");
        see("bb");
        signal.0.is_multiple_of(2)
    }

    fn matches(&self, pattern: Pattern<'_>, text: &str) -> Option<bool> {
        self.engine.matches(pattern, text)
    }

    fn now(&self) -> Timestamp {
        Timestamp(1_795_000_000_000)
    }

    fn session(&self) -> Option<SessionId> {
        Some(SessionId(Uuid::from_u128(1)))
    }
}
