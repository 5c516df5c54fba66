//! Any bytes as calls of core.wasm's byte interface: wrong addresses, handles and lengths are answered, and what a host
//! forgets stays bounded.
//!
//! Each call is a byte for which, one for its handle or number, and two for how many of the bytes that follow it hands
//! over. Handle 1 is an evaluator of a sound bundle, 2 one of a payload, 3 a processor with a profile's state behind it.
#![no_main]

use attune_core_abi as _;
use attune_fuzz::{ATTRIBUTES, EVENTS, SIGNALS, compiled, sealed, sealed_as, statement, states};
use libfuzzer_sys::fuzz_target;

#[allow(clashing_extern_declarations, reason = "the module exports these very functions")]
unsafe extern "C" {
    safe fn buffer_new(length: usize) -> usize;
    safe fn buffer_length(address: usize) -> usize;
    safe fn buffer_free(address: usize);
    safe fn evaluator_new(bundle: usize) -> u32;
    safe fn last_error() -> usize;
    safe fn evaluator_absorb(handle: u32, events: usize) -> usize;
    safe fn evaluator_publish(handle: u32, bundle: usize, at: f64) -> usize;
    safe fn evaluator_decisions(handle: u32, member: usize) -> usize;
    safe fn scratch(length: usize) -> usize;
    safe fn visitor_name(handle: u32, member: usize);
    safe fn visitor_identify(handle: u32, length: usize) -> i32;
    safe fn visitor_set(handle: u32, length: usize) -> i32;
    safe fn visitor_path(handle: u32, length: usize) -> i32;
    safe fn visitor_change(handle: u32, path: usize, length: usize) -> i32;
    safe fn visitor_change_number(handle: u32, path: usize, value: f64) -> i32;
    safe fn visitor_time(handle: u32, ms: f64) -> i32;
    safe fn visitor_session(handle: u32, length: usize) -> i32;
    safe fn visitor_consent(handle: u32, granted: u32) -> i32;
    safe fn visitor_wake(handle: u32) -> f64;
    safe fn visitor_assignments(handle: u32) -> usize;
    safe fn visitor_exposures(handle: u32) -> usize;
    safe fn visitor_changes(handle: u32) -> usize;
    safe fn visitor_changed(handle: u32) -> usize;
    safe fn visitor_decision(handle: u32, slot: usize) -> usize;
    safe fn visitor_explain(handle: u32, rule: usize) -> usize;
    safe fn evaluator_names(handle: u32) -> usize;
    safe fn evaluator_rules(handle: u32) -> usize;
    safe fn evaluator_variables(handle: u32) -> usize;
    safe fn evaluator_summary(handle: u32) -> usize;
    safe fn evaluator_free(handle: u32);
    safe fn bundle_apply(bundle: usize, delta: usize, sha256: usize) -> usize;
    safe fn evaluator_fixed(handle: u32, rule: usize) -> u32;
    safe fn visitor_moves(handle: u32) -> usize;
    safe fn visitor_moved(handle: u32) -> i32;
    safe fn bucket_hash(seed: usize, unit: usize, version: f64) -> f64;
    safe fn bucket_ranges(division: usize) -> usize;
    safe fn current_bundles(statement: usize, units: usize) -> usize;
    safe fn processor_new(bundle: usize, at: f64) -> u32;
    safe fn processor_rollout(handle: u32, statement: usize, candidate: usize, at: f64) -> i32;
    safe fn processor_read(handle: u32, profile: u32, questions: usize) -> usize;
    safe fn processor_free(handle: u32);
    safe fn profile_open(saved: usize) -> u32;
    safe fn state_close(handle: u32);
    safe fn growthbook_new(payload: usize) -> u32;
    safe fn growthbook_set(handle: u32, options: usize) -> usize;
    safe fn growthbook_feature(handle: u32, key: usize) -> usize;
    safe fn growthbook_run(handle: u32, experiment: usize) -> usize;
    safe fn growthbook_sticky(handle: u32) -> usize;
    safe fn growthbook_free(handle: u32);
    safe fn conditions_hold(cases: usize) -> usize;
    safe fn conditions_judge(cases: usize) -> usize;
}

thread_local! {
    static BUNDLE: Vec<u8> = sealed(&compiled(SIGNALS).body);
    /// The same of a later revision.
    static BUNDLE_AGAIN: Vec<u8> = sealed_as(2, &compiled(SIGNALS).body);
    /// A profile of two events.
    static PROFILE: Vec<u8> = states().1.encode();
    static STATEMENT: Vec<u8> = statement();
}

/// Calls of one input at most.
const CALLS: usize = 64;

fuzz_target!(|data: &[u8]| {
    let known = BUNDLE.with(|bundle| evaluator_new(buffer(bundle)));
    assert_ne!(known, 0);
    let book = growthbook_new(buffer(br#"{"features":{"f":{"defaultValue":1}}}"#));
    let steps = processor_new(buffer(&BUNDLE.with(Clone::clone)), 0.0);
    let profile = profile_open(buffer(&PROFILE.with(Clone::clone)));
    assert_eq!((steps, profile), (known + 2, known + 3));
    let mut made = vec![known, book];
    let mut rest = data;
    for _ in 0..CALLS {
        let Some((head, behind)) = rest.split_first_chunk::<4>() else { break };
        let [call, number, high, low] = *head;
        let length = usize::from(u16::from_be_bytes([high, low])).min(behind.len());
        let (content, behind) = behind.split_at(length);
        rest = behind;
        // Handles that exist, that are over, that never were.
        let handle = if number == 1 {
            known
        } else if number == 2 {
            book
        } else if number == 3 {
            steps
        } else {
            known + u32::from(number)
        };
        made.push(self::call(call, handle, usize::from(number), content));
    }
    for handle in made {
        evaluator_free(handle);
        growthbook_free(handle);
    }
    processor_free(steps);
    state_close(profile);
});

/// A buffer with these bytes; 0 where there are none.
fn buffer(bytes: &[u8]) -> usize {
    let address = buffer_new(bytes.len());
    write(address, bytes);
    address
}

fn fill_scratch(bytes: &[u8]) -> usize {
    write(scratch(bytes.len()), bytes);
    bytes.len()
}

fn write(address: usize, bytes: &[u8]) {
    if address != 0 {
        // The module has just made room for as many bytes there.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), address as *mut u8, bytes.len()) };
    }
}

/// Reads an answer's length and gives it back.
fn done(address: usize) {
    assert_eq!(address == 0, buffer_length(address) == 0);
    buffer_free(address);
}

/// Makes one call; gives the handle that it has made, if one.
fn call(call: u8, handle: u32, number: usize, content: &[u8]) -> u32 {
    match call % 46 {
        0 => return evaluator_new(buffer(content)),
        1 => return evaluator_new(buffer(&sealed(content))),
        2 => return growthbook_new(buffer(content)),
        3 => done(last_error()),
        4 => done(evaluator_absorb(handle, buffer(content))),
        5 => done(evaluator_absorb(handle, buffer(EVENTS.as_bytes()))),
        6 => done(evaluator_decisions(handle, buffer(content))),
        7 => visitor_name(handle, buffer(content)),
        8 => drop(visitor_set(handle, fill_scratch(content))),
        9 => drop(visitor_set(handle, fill_scratch(ATTRIBUTES.as_bytes()))),
        10 => drop(visitor_path(handle, fill_scratch(content))),
        11 => drop(visitor_change(handle, number, fill_scratch(content))),
        12 => drop(visitor_change_number(handle, number, double(content))),
        13 => drop(visitor_time(handle, double(content))),
        14 => assert!(visitor_changed(handle) == 0 || visitor_changes(handle) != 0),
        15 => done(visitor_decision(handle, number)),
        16 => done(visitor_explain(handle, buffer(content))),
        17 => done(evaluator_names(handle)),
        18 => done(evaluator_variables(handle)),
        19 => done(evaluator_summary(handle)),
        20 => drop(bucket_hash(buffer(content), number, double(content))),
        21 => done(growthbook_set(handle, buffer(content))),
        22 => done(growthbook_feature(handle, buffer(content))),
        23 => done(growthbook_run(handle, buffer(content))),
        24 => done(growthbook_sticky(handle)),
        25 => done(conditions_hold(buffer(content))),
        // What was never said, and lengths and addresses that are none.
        26 => drop(visitor_set(handle, number << 24)),
        27 => done(evaluator_publish(handle, buffer(content), double(content))),
        28 => done(evaluator_publish(handle, buffer(&sealed_as(u64::MAX, content)), double(content))),
        29 => done(evaluator_publish(handle, buffer(&BUNDLE_AGAIN.with(Clone::clone)), 0.0)),
        30 => drop(visitor_session(handle, fill_scratch(content))),
        31 => drop(visitor_consent(handle, number as u32)),
        32 => drop(visitor_wake(handle)),
        33 => done(visitor_assignments(handle)),
        34 => done(visitor_exposures(handle)),
        35 => drop(visitor_identify(handle, fill_scratch(content))),
        36 => done(evaluator_rules(handle)),
        37 => done(bucket_ranges(buffer(content))),
        38 => done(conditions_judge(buffer(content))),
        39 => done(current_bundles(buffer(&STATEMENT.with(Clone::clone)), buffer(content))),
        40 => done(current_bundles(buffer(content), buffer(b"[\"a\",7]"))),
        41 => done(processor_read(handle, handle + 1, buffer(content))),
        // A statement of the fuzzer's with a sound candidate, and the sound one with a bundle of the fuzzer's.
        42 if number.is_multiple_of(2) => {
            let candidate = buffer(&BUNDLE_AGAIN.with(Clone::clone));
            let _ = processor_rollout(handle, buffer(content), candidate, double(content));
        }
        42 => {
            let statement = buffer(&STATEMENT.with(Clone::clone));
            let _ = processor_rollout(handle, statement, buffer(&sealed_as(2, content)), 0.0);
        }
        43 => done(bundle_apply(buffer(&BUNDLE_AGAIN.with(Clone::clone)), buffer(content), 0)),
        44 => done(bundle_apply(buffer(content), buffer(content), buffer(content))),
        45 => {
            assert!(visitor_moved(handle) <= 0 || visitor_moves(handle) != 0);
            assert!(evaluator_fixed(handle, number) < 2);
        }
        _ => buffer_free(number),
    }
    0
}

/// Any double, as the first bytes say.
fn double(content: &[u8]) -> f64 {
    content.first_chunk().map_or(f64::NAN, |bytes| f64::from_le_bytes(*bytes))
}
