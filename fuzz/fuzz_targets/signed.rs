//! Any bytes as what is signed around bundles: envelope, delta, statement, key set. Each is refused with a code, or read,
//! verified and written alike.
#![no_main]

use attune_core::bundle::{
    Demands, HASH_BYTES, PUBLIC_KEY_BYTES, Refused, open_current, open_delta, open_keyset, seal_current,
    seal_envelope, seal_keyset, verify_current, verify_delta, verify_envelope, verify_keyset,
};
use attune_core::limits::MAX_BUNDLE_BYTES;
use attune_core::time::Timestamp;
use attune_fuzz::{SIGNALS, compiled, sealed};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static BASE: Vec<u8> = sealed(&compiled(SIGNALS).body);
}

const DEMANDS: Demands<'static> =
    Demands { project: Some("shop"), environment: Some("test"), above: Some(0), now: Timestamp(5) };

/// Every name is that of a key.
fn key_of(_: &str) -> Option<[u8; PUBLIC_KEY_BYTES]> {
    Some([7; PUBLIC_KEY_BYTES])
}

/// Half of all signatures hold.
fn holds(_: &[u8; PUBLIC_KEY_BYTES], _: &[u8], signature: &[u8; 64]) -> bool {
    signature[0].is_multiple_of(2)
}

fn refused(error: Refused) {
    assert!(!error.code().is_empty() && !error.to_string().is_empty());
}

fuzz_target!(|data: &[u8]| {
    match verify_envelope(data, &DEMANDS, &key_of, &holds) {
        Ok(envelope) => {
            assert!(seal_envelope(&envelope.header, envelope.body).len() <= envelope.signed.len())
        }
        Err(error) => refused(error),
    }
    if let Ok(opened) = open_current(data) {
        assert!(seal_current(&opened.current).len() <= opened.signed.len(), "numbers may be written longer");
        opened.current.bundle_for("member-1");
    }
    if let Err(error) = verify_current(data, &DEMANDS, None, &key_of, &holds) {
        refused(error);
    }
    if let Ok(opened) = open_keyset(data) {
        assert!(seal_keyset(&opened.set).len() <= opened.signed.len());
    }
    match verify_keyset(data, &DEMANDS, &key_of, &holds) {
        Ok(set) => drop(set),
        Err(error) => refused(error),
    }
    BASE.with(|base| delta(data, base));
});

fn delta(data: &[u8], base: &[u8]) {
    let Ok(delta) = open_delta(data) else { return };
    assert!(delta.length <= MAX_BUNDLE_BYTES);
    if let Ok(next) = delta.apply(base) {
        assert_eq!(next.len(), delta.length);
    }
    if let Err(error) = verify_delta(data, base, &[0; HASH_BYTES], &DEMANDS, &key_of, &holds) {
        refused(error);
    }
}
