//! A change of one rule among a thousand is a delta of at most 500 bytes, even before compression.
#![cfg(feature = "author")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use attune_core::bundle::author::{SourceFile, compile, delta};
use attune_core::bundle::{
    HASH_BYTES, Header, SIGNATURE_BYTES, attach_signature, open_delta, seal_envelope, settle_body,
};

/// The goal, in bytes.
const MAX_DELTA_BYTES: usize = 500;
const RULES: u32 = 1_000;

/// A rule as sites have them: a text, a list and a bound over twenty traits, and for a third of them a cap, a group and a
/// place in a text.
fn rule(number: u32) -> String {
    let some =
        |salt: u32, bound: u32| (number.wrapping_mul(2_654_435_761) ^ salt.wrapping_mul(0x9e37_79b9)) % bound;
    let more = match number % 3 {
        0 => {
            let text = format!(r#"{{"kind":"text","target":"h1","value":"{{{{traits.name}}}}, {number}"}}"#);
            format!(
                r#""group":"g{}","cap":{{"per":"day","count":2,"min_gap":"1h"}},"actions":[{text}]"#,
                number % 7
            )
        }
        _ => format!(r#""actions":[{{"kind":"variable","name":"rule-{number}","value":true}}]"#),
    };
    format!(
        r#"{{"id":"rule-{number}","slot":"rule-{number}","when":{{"traits.text{}":"v{}","traits.list{}":{{"$in":["a{}","b{}"]}},
            "traits.number{}":{{"$gt":{}}}}},{more}}}"#,
        some(1, 7),
        some(2, 90),
        some(3, 6),
        some(4, 40),
        some(5, 40),
        some(6, 7),
        some(7, 100),
    )
}

fn body(rules: &[String]) -> Vec<u8> {
    let text = format!("{{\"rules\":[{}]}}", rules.join(","));
    let compiled = compile(&[SourceFile { name: "rules.json".to_owned(), text }]);
    assert_eq!(compiled.diagnostics, []);
    compiled.body
}

fn envelope(revision: u64, body: &[u8]) -> Vec<u8> {
    let signature: [u8; SIGNATURE_BYTES] = std::array::from_fn(|at| (at as u8).wrapping_mul(revision as u8));
    let parent = Some([revision as u8; HASH_BYTES]);
    let header =
        Header { project: "shop", revision, parent, key_id: "0123456789abcdef", ..Header::default() };
    attach_signature(seal_envelope(&header, body), &signature)
}

#[test]
fn a_change_of_one_rule_among_a_thousand_is_a_small_delta() {
    let rules: Vec<String> = (0..RULES).map(rule).collect();
    let before = body(&rules);
    let from = envelope(101, &before);
    let changed = |change: &dyn Fn(&mut Vec<String>)| {
        let mut rules = rules.clone();
        change(&mut rules);
        settle_body(&body(&rules), &before).unwrap()
    };
    let condition = |rules: &mut Vec<String>| rules[500] = rules[500].replace("\"$gt\":", "\"$gt\":1");
    let action = |rules: &mut Vec<String>| rules[500] = rules[500].replace("true", "\"another value\"");
    let attribute = |rules: &mut Vec<String>| {
        rules[500] = rules[500].replace("\"when\":{", "\"when\":{\"traits.age\":18,")
    };
    let cap = |rules: &mut Vec<String>| {
        rules[500] =
            rules[500].replace("\"actions\"", "\"cap\":{\"per\":\"session\",\"count\":1},\"actions\"");
    };
    let group = |rules: &mut Vec<String>| {
        rules[500] = rules[500].replace("\"actions\"", "\"group\":\"g3\",\"actions\"")
    };
    let add = |rules: &mut Vec<String>| rules.insert(500, rule(RULES + 3));
    let remove = |rules: &mut Vec<String>| drop(rules.remove(500));
    for (name, body) in [
        ("condition", changed(&condition)),
        ("action", changed(&action)),
        ("attribute", changed(&attribute)),
        ("cap", changed(&cap)),
        ("group", changed(&group)),
        ("added", changed(&add)),
        ("removed", changed(&remove)),
    ] {
        assert_ne!(body, before, "{name}");
        let to = envelope(102, &body);
        let bytes = delta(&from, &[7; HASH_BYTES], &to);
        assert!(bytes.len() <= MAX_DELTA_BYTES, "{name}: {} bytes", bytes.len());
        assert_eq!(open_delta(&bytes).unwrap().apply(&from), Ok(to), "{name}");
    }
}

#[test]
fn rules_that_go_one_by_one_leave_small_deltas_and_what_says_the_same_is_the_same() {
    let mut rules: Vec<String> = (0..300).map(rule).collect();
    let mut before = body(&rules);
    let mut sizes = Vec::new();
    for step in 0..100 {
        rules.remove((step * 389) % rules.len());
        let after = settle_body(&body(&rules), &before).unwrap();
        assert_eq!(settle_body(&body(&rules), &after).unwrap(), after, "step {step}");
        let (from, to) = (envelope(1, &before), envelope(2, &after));
        sizes.push(delta(&from, &[7; HASH_BYTES], &to).len());
        before = after;
    }
    // Once in a while the numbers that have become free are closed up, which moves others.
    let large = sizes.iter().filter(|size| **size > MAX_DELTA_BYTES).count();
    assert!(large <= 5, "{large} of {}: {sizes:?}", sizes.len());
    // What has gone weighs little.
    let grown = rules.iter().cloned().chain((0..100).map(|number| rule(RULES + number))).collect::<Vec<_>>();
    let after = settle_body(&body(&grown), &before).unwrap();
    let fresh = body(&grown);
    assert!(after.len() < fresh.len() * 9 / 8, "{} bytes for {}", after.len(), fresh.len());
}
