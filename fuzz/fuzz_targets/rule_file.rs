//! Any text as a rule file: compiled to a bundle that opens, with a code and a file for whatever is wrong.
#![no_main]

use attune_core::bundle::author::{SourceFile, compile, cost, review};
use attune_core::bundle::decode_body;
use attune_core::rules::decide;
use attune_fuzz::Anything;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let files = [SourceFile { name: "a.json".into(), text: text.into() }];
    let compiled = compile(&files);
    for found in &compiled.diagnostics {
        assert!(!found.code.is_empty());
        // A body that the compiler has written and nobody can read is named with no file.
        assert_eq!(found.file, "a.json", "{found:?}");
    }
    assert_eq!(decode_body(&compiled.body).as_ref(), Ok(&compiled.bundle));
    decide(&compiled.bundle.rules, &Anything::default(), &[], &[]);
    cost(&compiled);
    review(&files, &compiled);
});
