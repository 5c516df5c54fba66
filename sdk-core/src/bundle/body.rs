//! The compiled body: tables of texts and ids, the signals, the rules in order of id, the slots with their ranking.

use super::{Bundle, BundleError};
use crate::codec::CodecError;
use crate::condition::{Packer, Unpacker};
use crate::limits::{MAX_RULES, MAX_SIGNALS};
use crate::profile::{Signal, SignalTable, decode_signal, encode_signal};
use crate::rules::{Rule, Slot, decode_rule, encode_rule, slots_of};
use alloc::vec::Vec;

/// Version of the body's form, its first byte.
pub const BODY_VERSION: u8 = 1;

/// Writes a body; `rules` are in order of id, without repeats.
pub fn encode_body(signals: &[Signal], rules: &[Rule]) -> Vec<u8> {
    let mut packer = Packer::new();
    packer.list(signals, encode_signal);
    packer.list(rules, encode_rule);
    packer.list(&slots_of(rules), |slot, packer| {
        packer.text(&slot.name);
        packer.list(&slot.rules, |index, packer| packer.out.len(*index));
    });
    let mut body = alloc::vec![BODY_VERSION];
    body.extend(packer.finish());
    body
}

/// Reads a body into a bundle of revision 0.
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
    let mut source = Unpacker::new(packed);
    let signals = source.list(decode_signal);
    let rules = source.list(decode_rule);
    let slots = source
        .list(|source| Slot { name: source.text(), rules: source.list(|source| source.number() as usize) });
    source.finish()?;
    let in_order = rules.windows(2).all(|pair| matches!(pair, [one, next] if one.id < next.id));
    // Each rule may bring two hidden signals of its own.
    if !in_order || rules.len() > MAX_RULES || signals.len() > MAX_SIGNALS + 2 * MAX_RULES {
        return Err(CodecError);
    }
    Ok(Bundle { revision: 0, signals: SignalTable::new(signals), rules, slots })
}

#[cfg(all(test, feature = "author"))]
mod tests {
    use super::super::author::{SourceFile, compile};
    use super::super::{Bundle, Header, SIGNATURE_BYTES, attach_signature, seal_envelope};
    use super::*;
    use alloc::string::ToString;
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
        assert_eq!((bundle.revision, bundle.rules.len(), bundle.signals.signals().len()), (3, 3, 4));
        let again = encode_body(bundle.signals.signals(), &bundle.rules);
        assert_eq!(decode_body(&again).map(|body| body.rules), Ok(bundle.rules.clone()));
        assert_eq!(bundle.slots[0].rules.len(), 2);
        assert_eq!(bundle.rule("t").map(|rule| rule.fire_on_publish), Some(true));
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
