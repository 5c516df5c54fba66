//! Runs the numbered condition vectors, natively and in a browser: compile, binary form and back, evaluation, next instant.
#![cfg(feature = "author")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a vector that cannot be read is a failed test"
)]

use attune_core::condition::{
    Condition, ConditionScope, Document, Form, KnownSignal, Matcher, Names, Outlook, Packer, PathRef,
    Pattern, Reading, Root, check_pattern, decode_condition, encode_condition, evaluate, parse_condition,
    pass_condition,
};
use attune_core::hash::key_hash;
use attune_core::id::{SessionId, SignalId};
use attune_core::time::Timestamp;
use attune_core::value::{Value, ValueRef};

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

macro_rules! spec {
    ($($file:literal),+ $(,)?) => {
        [$(($file, include_str!(concat!("../../tests/spec/", $file)))),+]
    };
}

const VECTORS: [(&str, &str); 13] = spec![
    "01-comparison.json",
    "02-coercion.json",
    "03-lists.json",
    "04-kinds.json",
    "05-versions.json",
    "06-texts.json",
    "07-numbers.json",
    "08-patterns.json",
    "09-names.json",
    "10-networks.json",
    "11-places.json",
    "12-keys.json",
    "50-calendar.json",
];

/// Patterns and texts, matched by whoever matches here: the engine natively, the browser's RegExp in a browser.
const CORPUS: &str = include_str!("../../tests/spec/13-pattern-corpus.json");

/// A document given as JSON; signals are their readings.
#[derive(Clone, Copy)]
struct Given<'a>(ValueRef<'a>);

/// What a vector's condition may name.
struct Named<'a> {
    given: Given<'a>,
    segments: Vec<(Box<str>, Condition)>,
    groups: Option<&'a Value>,
}

impl<'a> Named<'a> {
    fn of(case: &'a Value, given: Given<'a>) -> Self {
        let mut named = Self { given, segments: Vec::new(), groups: case.field("groups") };
        if let Some(Value::Object(segments)) = case.field("segments") {
            for (id, when) in segments {
                let condition = parse_condition(when, ConditionScope::Visitor(&named), "").unwrap();
                named.segments.push((id.clone(), condition));
            }
        }
        named
    }
}

impl Names for Named<'_> {
    fn signal(&self, name: &str) -> Option<KnownSignal> {
        self.given.known(name)
    }

    fn segment(&self, id: &str) -> Option<&Condition> {
        self.segments.iter().find(|(known, _)| &**known == id).map(|(_, condition)| condition)
    }

    fn group(&self, id: &str) -> Option<Value> {
        self.groups?.field(id).cloned()
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn matches(pattern: Pattern<'_>, text: &str) -> Option<bool> {
    thread_local!(static ENGINE: attune_core::condition::Engine = attune_core::condition::Engine::default());
    ENGINE.with(|engine| engine.matches(pattern, text))
}

#[cfg(target_arch = "wasm32")]
fn matches(pattern: Pattern<'_>, text: &str) -> Option<bool> {
    struct Browser;
    impl Matcher for Browser {
        fn matches(&self, pattern: Pattern<'_>, text: &str) -> Option<bool> {
            Some(js_sys::RegExp::new(pattern.source, pattern.flags).test(text))
        }
    }
    Browser.matches(pattern, text)
}

impl<'a> Given<'a> {
    fn names(&self) -> Vec<&'a str> {
        let signals = self.0.field("signals").unwrap_or(ValueRef::Null);
        signals.entries().map(|(name, _)| name).collect()
    }

    fn definition(&self, name: &str) -> Option<ValueRef<'a>> {
        self.0.field("signals")?.field(name)
    }

    fn known(&self, name: &str) -> Option<KnownSignal> {
        let keyed = self.definition(name)?.field("keys").is_some();
        Some(KnownSignal { id: SignalId(key_hash(name.as_bytes())), keyed })
    }
}

impl Document for Given<'_> {
    fn value(&self, path: PathRef<'_>) -> ValueRef<'_> {
        let root = match path.root {
            Root::Traits => "traits",
            Root::Context => "context",
            Root::Event => "event",
            Root::Signals | Root::Experiments | Root::Bare => return ValueRef::Null,
        };
        self.0.field(root).and_then(|root| root.at(path.rest)).unwrap_or(ValueRef::Null)
    }

    fn signal(&self, signal: SignalId, key: &str) -> Reading<'_> {
        let name = self.names().into_iter().find(|name| SignalId(key_hash(name.as_bytes())) == signal);
        let definition = name.and_then(|name| self.definition(name));
        let reading = definition.and_then(|found| match found.field("keys") {
            Some(keys) => keys.field(key),
            None => Some(found),
        });
        let Some(reading) = reading else { return Reading::Missing };
        let until = reading.field("until").and_then(ValueRef::as_str).and_then(Timestamp::parse);
        match (reading.field("value"), reading.field("truncated")) {
            (_, Some(_)) => Reading::Truncated,
            (Some(value), None) => Reading::Value(value, until),
            (None, None) => Reading::Missing,
        }
    }

    fn signal_named(&self, name: &str, key: &str) -> Reading<'_> {
        self.known(name).map_or(Reading::Missing, |signal| self.signal(signal.id, key))
    }

    fn each_key(&self, signal: SignalId, see: &mut dyn FnMut(&str)) -> bool {
        let name = self.names().into_iter().find(|name| SignalId(key_hash(name.as_bytes())) == signal);
        let Some(definition) = name.and_then(|name| self.definition(name)) else { return true };
        definition.field("keys").unwrap_or(ValueRef::Null).entries().for_each(|(key, _)| see(key));
        definition.field("dropped").is_none()
    }

    fn matches(&self, pattern: Pattern<'_>, text: &str) -> Option<bool> {
        matches(pattern, text)
    }

    fn now(&self) -> Timestamp {
        self.0.field("now").and_then(ValueRef::as_str).and_then(Timestamp::parse).unwrap_or_default()
    }

    fn session(&self) -> Option<SessionId> {
        None
    }
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn every_condition_vector_gives_its_answer() {
    let mut count = 0;
    for (file, text) in VECTORS {
        let Value::Array(cases) = Value::parse(text).unwrap() else { panic!("{file}: a list of vectors") };
        for (index, case) in cases.iter().enumerate() {
            let name = case.field("name").and_then(Value::as_str).unwrap();
            let name = format!("{file} {}: {name}", index + 1);
            assert_eq!(case.field("number"), Some(&Value::Number(index as f64 + 1.0)), "{name}");
            check(case, &name);
            count += 1;
        }
    }
    assert!(count > 970);
}

fn check(case: &Value, name: &str) {
    let packed = case.field("document").unwrap().to_packed();
    let document = Given(packed.get());
    let named = Named::of(case, document);
    let compiled = parse_condition(case.field("condition").unwrap(), ConditionScope::Visitor(&named), "");
    if let Some(expected) = case.field("error") {
        let errors = compiled.expect_err(name);
        let first = errors.first().unwrap();
        assert_eq!(expected.field("code").and_then(Value::as_str), Some(first.kind.code()), "{name}");
        assert_eq!(expected.field("at").and_then(Value::as_str), Some(&*first.at), "{name}");
        return;
    }
    let condition = compiled.unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
    let mut packer = Packer::new();
    encode_condition(&condition, &mut packer);
    let form = Form::open(&packer.finish()).unwrap();
    let mut code = form.at(0);
    pass_condition(&mut code);
    assert!(code.is_whole(), "{name}");
    assert_eq!(decode_condition(&mut form.at(0)), condition, "{name}");
    let mut outlook = Outlook::default();
    let holds = evaluate(form.at(0), &document, &mut outlook);
    assert_eq!(case.field("holds"), Some(&Value::Bool(holds)), "{name}");
    let wake_at = case.field("wake_at").and_then(Value::as_str).and_then(Timestamp::parse);
    assert_eq!(outlook.next, wake_at, "{name}");
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn every_pattern_of_the_corpus_matches_what_it_says() {
    let corpus = Value::parse(CORPUS).unwrap();
    let list = |name: &str| match corpus.field(name) {
        Some(Value::Array(items)) => items.as_slice(),
        _ => panic!("{name} is a list"),
    };
    let mut count = 0;
    for case in list("patterns") {
        let field = |name: &str| case.field(name).and_then(Value::as_str).unwrap();
        let (source, flags) = (field("pattern"), field("flags"));
        assert_eq!(check_pattern(source, flags), Ok(()), "{source}");
        let expected = field("matches").as_bytes();
        assert_eq!(expected.len(), list("texts").len(), "{source}");
        for (text, expected) in list("texts").iter().zip(expected) {
            let text = text.as_str().unwrap();
            let found = matches(Pattern { source, flags }, text);
            assert_eq!(found, Some(*expected == b'1'), "/{source}/{flags} {text:?}");
            count += 1;
        }
    }
    assert!(count > 20_000);
}
