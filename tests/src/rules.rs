//! The bundle that simulations run.

use attune_core::bundle::author::{SourceFile, compile};
use attune_core::bundle::{Header, SIGNATURE_BYTES, attach_signature, seal_envelope};

/// Signals of every kind and a rule by event, as an envelope's bytes.
///
/// # Panics
/// When the rules below do not compile, which a test should see.
pub fn bundle(revision: u64) -> Vec<u8> {
    let text = r#"{
      "signals": [
        {"name":"clicks","on":"click","aggregate":"count","window":"lifetime"},
        {"name":"spent","on":"click","of":"metadata.price","aggregate":"sum","window":"lifetime"},
        {"name":"by_category","on":"click","by":"metadata.category","aggregate":"count","window":"1d"},
        {"name":"last_click","on":"click","aggregate":"last_at","window":"lifetime"}
      ],
      "rules": [
        {"id":"third","slot":"hero","on":"click","hold":"1d",
         "when":{"$signal":{"name":"by_category","key":{"$path":"event.metadata.category"},"is":{"$gte":3}}},
         "actions":[{"kind":"variable","name":"hero","value":"third"}]}
      ]
    }"#;
    bundle_of(text, revision)
}

/// The text of a rule file, as an envelope's bytes.
///
/// # Panics
/// When the rules do not compile, which a test should see.
#[allow(clippy::panic, reason = "a simulation without its rules has nothing to say")]
pub fn bundle_of(text: &str, revision: u64) -> Vec<u8> {
    let compiled = compile(&[SourceFile { name: "simulation.json".into(), text: text.into() }]);
    if !compiled.diagnostics.is_empty() {
        panic!("the simulation's rules do not compile: {:?}", compiled.diagnostics);
    }
    let header = Header {
        project: "simulation",
        environment: "test",
        revision,
        parent: None,
        not_before: None,
        expires: None,
        key_id: "none",
    };
    attach_signature(seal_envelope(&header, &compiled.body), &[0; SIGNATURE_BYTES])
}
