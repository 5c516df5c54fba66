//! Runs the numbered vectors of the filter, natively and in a browser: what is redacted, which parameters an address keeps,
//! which events a policy keeps, and who is a program.
#![cfg(feature = "author")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a vector that cannot be read is a failed test"
)]

use attune_core::bundle::author::{SourceFile, read_policy};
use attune_core::codec::Writer;
use attune_core::filter::{
    Asking, Counts, Kind, Kinds, Policy, RateState, Sender, Verdict, is_bot, redact_value, scrub_url,
};
use attune_core::id::MemberId;
use attune_core::time::{Monotonic, Now, Timestamp};
use attune_core::value::Value;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

const VECTORS: &str = include_str!("../../tests/spec/80-filter.json");

fn list<'a>(case: &'a Value, name: &str) -> &'a [Value] {
    match case.field(name) {
        Some(Value::Array(items)) => items,
        _ => panic!("{name} is a list"),
    }
}

fn text<'a>(case: &'a Value, name: &str) -> Option<&'a str> {
    case.field(name).and_then(Value::as_str)
}

/// A policy as its file says, through its binary form and back.
fn policy(source: &Value, name: &str) -> Policy {
    let mut text = String::new();
    source.write(&mut text);
    let (policy, found) = read_policy(&SourceFile { name: "policy.json".into(), text });
    assert_eq!(found, [], "{name}");
    let mut out = Writer::new();
    policy.clone().unwrap().encode(&mut out);
    let decoded = Policy::decode(&out.into_bytes()).unwrap();
    assert_eq!(Some(&decoded), policy.as_ref(), "{name}");
    decoded
}

fn counted(counts: Counts, expected: Option<&Value>, name: &str) {
    for kind in Kind::ALL {
        let number = expected.and_then(|counts| counts.field(kind.name())).and_then(Value::as_number);
        assert_eq!(f64::from(counts.of(kind)), number.unwrap_or_default(), "{name}: {}", kind.name());
    }
}

fn run_redaction(case: &Value, given: &Value, name: &str) {
    let kinds = match case.field("kinds") {
        Some(_) => list(case, "kinds").iter().fold(Kinds::NONE, |kinds, kind| {
            let named = Kind::ALL.into_iter().find(|known| Some(known.name()) == kind.as_str());
            kinds.with(named.unwrap())
        }),
        None => Kinds::ALL,
    };
    let mut counts = Counts::default();
    let redacted = redact_value(given.to_packed().get(), kinds, &mut counts);
    assert_eq!(Some(&redacted.get().to_tree()), case.field("result"), "{name}");
    counted(counts, case.field("counts"), name);
    let again = redact_value(redacted.get(), kinds, &mut Counts::default());
    assert_eq!(again, redacted, "{name}, once more");
}

fn run_url(case: &Value, url: &str, name: &str) {
    let params = case.field("params").unwrap().clone();
    let policy = policy(&Value::Object(vec![("url_params".into(), params)]), name);
    let scrubbed = scrub_url(url, &policy.url_params);
    let result = text(case, "result").unwrap();
    assert_eq!(scrubbed.as_deref(), (result != url).then_some(result), "{name}");
    assert_eq!(scrub_url(result, &policy.url_params), None, "{name}, once more");
}

fn run_policy(case: &Value, source: &Value, name: &str) {
    let (policy, mut rates) = (policy(source, name), RateState::default());
    let (events, verdicts) = (list(case, "events"), list(case, "verdicts"));
    assert_eq!(events.len(), verdicts.len(), "{name}");
    for (place, (event, expected)) in events.iter().zip(verdicts).enumerate() {
        let name = format!("{name}, event {}", place + 1);
        let metadata = event.field("metadata").unwrap_or(&Value::Object(Vec::new())).to_packed();
        let at = event.field("at").and_then(Value::as_number).unwrap_or_default();
        let asking = Asking {
            event_type: text(event, "type").unwrap(),
            member: &MemberId(text(event, "member").unwrap_or("a").into()),
            metadata: metadata.get(),
            sender: if text(event, "sender") == Some("bot") { Sender::Bot } else { Sender::Person },
            now: Now { wall: Timestamp(0), monotonic: Monotonic(at as u64) },
        };
        match policy.judge(&asking, &mut rates) {
            Verdict::Keep(kept) => {
                assert_eq!(Some(&kept.metadata.get().to_tree()), expected.field("keep"), "{name}");
                counted(kept.redacted, expected.field("redacted").or(Some(&Value::Null)), &name);
            }
            Verdict::Drop(reason) => {
                assert_eq!(Some(reason.code()), text(expected, "drop"), "{name}");
                let message = reason.message();
                assert_eq!(text(expected, "message").unwrap_or(&message), message, "{name}");
            }
        }
    }
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn every_vector_of_the_filter_gives_its_result() {
    let Value::Array(cases) = Value::parse(VECTORS).unwrap() else { panic!("a list of vectors") };
    assert!(cases.len() >= 200);
    for (index, case) in cases.iter().enumerate() {
        let name = text(case, "name").unwrap();
        assert_eq!(case.field("number"), Some(&Value::Number(index as f64 + 1.0)), "{name}");
        if let Some(given) = case.field("redact") {
            run_redaction(case, given, name);
        } else if let Some(url) = text(case, "url") {
            run_url(case, url, name);
        } else if let Some(source) = case.field("policy") {
            run_policy(case, source, name);
        } else {
            let is_program = Value::Bool(is_bot(text(case, "user_agent").unwrap()));
            assert_eq!(case.field("bot"), Some(&is_program), "{name}");
        }
    }
}
