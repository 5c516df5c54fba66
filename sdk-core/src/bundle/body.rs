//! The compiled body: the packed signals and the packed rules, each with its own tables.

use super::{Bundle, BundleError};
use crate::codec::{CodecError, Reader, Writer};
use crate::limits::{MAX_RULES, MAX_SIGNALS};
use crate::profile::{Signal, SignalTable};
use crate::rules::{Rule, RuleTable};
use alloc::vec::Vec;

/// Version of the body's form, its first byte.
pub const BODY_VERSION: u8 = 3;

/// Writes a body; `rules` are in order of id, without repeats.
pub fn encode_body(signals: &[Signal], rules: &[Rule]) -> Vec<u8> {
    let mut out = Writer::new();
    out.u8(BODY_VERSION);
    out.bytes(&SignalTable::pack(signals));
    out.raw(&RuleTable::pack(rules));
    out.into_bytes()
}

/// Takes a body in, as a bundle of revision 0. It is checked to its last byte here, once, so that evaluation cannot
/// meet anything unsound.
///
/// # Errors
/// Fails on another version, on bytes that are no body, and on more signals or rules than their bounds.
pub fn decode_body(bytes: &[u8]) -> Result<Bundle, BundleError> {
    match bytes.split_first() {
        Some((&BODY_VERSION, packed)) => unpack(packed).map_err(|CodecError| BundleError::BadBody),
        Some((other, _)) => Err(BundleError::UnsupportedBody(*other)),
        None => Err(BundleError::BadBody),
    }
}

fn unpack(packed: &[u8]) -> Result<Bundle, CodecError> {
    let mut reader = Reader::new(packed);
    let signals = SignalTable::open(reader.bytes()?)?;
    let rules = RuleTable::open(reader.rest())?;
    // Each rule may bring two hidden signals of its own.
    if rules.len() > MAX_RULES || signals.len() > MAX_SIGNALS + 2 * MAX_RULES {
        return Err(CodecError);
    }
    Ok(Bundle { revision: 0, signals, rules })
}

#[cfg(all(test, feature = "author"))]
mod tests {
    use super::super::author::{SourceFile, compile};
    use super::super::{Bundle, Header, SIGNATURE_BYTES, attach_signature, seal_envelope};
    use super::*;
    use crate::profile::SignalRef;
    use crate::rules::RuleRef;
    use alloc::string::ToString;
    use alloc::vec;
    use proptest::prelude::*;

    const RULES: &str = r##"{
        "signals":[{"name":"views","on":"page_view","where":{"metadata.category":{"$exists":true}},
                    "by":"metadata.category","aggregate":"count","window":"5m"},
                   {"name":"spent","on":"purchase","of":"metadata.price","aggregate":"sum","window":"session"}],
        "rules":[{"id":"b","slot":"hero","priority":-3,"on":"page_view","hold":"10m",
                  "when":{"$signal":{"name":"views","key":{"$path":"event.metadata.category"},"is":{"$gte":3,"$not":9}}},
                  "cap":{"per":"day","key":"event.metadata.category","count":2,"min_gap":"1m"},
                  "actions":[{"kind":"text","target":"h1","value":"More {{key}}"},
                             {"kind":"attribute","target":"a","name":"title","value":"x"},
                             {"kind":"class","target":"p","add":["on"],"remove":["off"]},
                             {"kind":"style","target":"p","property":"color","value":"red"},
                             {"kind":"hide","target":".x"},{"kind":"show","target":".y"},
                             {"kind":"variable","name":"v","value":{"n":[1,null]}}]},
                 {"id":"a","slot":"hero","when":{"$or":[{"signals.spent":{"$gt":5.5}},{"traits.plan":{"$in":["x",{"$path":"traits.old"}]}}],
                  "context.at":{"$before":"-30m","$after":"2026-01-01T00:00:00Z"}},"actions":[]}],
        "triggers":[{"id":"t","on":"click","on_publish":"fire","actions":[{"kind":"webhook","url":"https://x.example/"}]}]
    }"##;

    fn sealed() -> Vec<u8> {
        let compiled = compile(&[SourceFile { name: "a".to_string(), text: RULES.to_string() }]);
        assert_eq!(compiled.diagnostics, []);
        let header = Header { project: "p", environment: "e", revision: 3, key_id: "k", ..Header::default() };
        attach_signature(seal_envelope(&header, &compiled.body), &[0; SIGNATURE_BYTES])
    }

    #[test]
    fn a_compiled_bundle_survives_its_bytes() {
        let bundle = Bundle::open(&sealed()).unwrap();
        assert_eq!((bundle.revision, bundle.rules.len(), bundle.signals.len()), (3, 3, 4));
        let signals: Vec<Signal> = bundle.signals.iter().map(SignalRef::to_signal).collect();
        let rules: Vec<Rule> = bundle.rules.iter().map(RuleRef::to_rule).collect();
        assert_eq!(decode_body(&encode_body(&signals, &rules)), Ok(Bundle { revision: 0, ..bundle.clone() }));
        let (slot, ranking) = bundle.rules.slot(0).unwrap();
        assert_eq!((slot, ranking.map(|rule| rule.id).collect()), ("hero", vec!["a", "b"]));
        assert_eq!(bundle.rule("t").map(|rule| rule.fires_on_publish()), Some(true));
    }

    #[test]
    fn another_body_version_is_told_apart() {
        assert_eq!(decode_body(&[9, 0]).err(), Some(BundleError::UnsupportedBody(9)));
        assert_eq!(decode_body(&[]).err(), Some(BundleError::BadBody));
    }

    proptest! {
        #[test]
        fn random_and_damaged_bodies_never_panic(random: Vec<u8>, at: prop::sample::Index, byte: u8) {
            let _ = decode_body(&[[BODY_VERSION].as_slice(), &random].concat());
            let mut bytes = sealed();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = Bundle::open(&bytes);
            let _ = Bundle::open(&bytes[..at]);
        }
    }
}
