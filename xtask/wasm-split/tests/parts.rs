//! The two files answer as the whole does, whenever the rest comes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use attune_wasm::Operation;
use std::path::Path;
use wasm_split::run::Running;
use wasm_split::visit::{Call, Page, bundle, first_visit};
use wasm_split::{Parts, divide, observe};

/// What few pages have: an experiment, a network, a place, a pattern, a version, the time of day.
const RARE_RULES: &str = r#"{
  "experiments": [{"id":"tone","variations":[{"key":"a","weight":0.5},{"key":"b","weight":0.5}]}],
  "rules": [
    {"id":"near","slot":"hero","when":{"context.ip":{"$cidr":"10.0.0.0/8"}},"actions":[]},
    {"id":"new","slot":"layout","when":{"context.version":{"$vgt":"1.9.0"}},"actions":[]},
    {"id":"late","slot":"offer","when":{"$tod":{"between":["22:00","02:00"]}},"actions":[]}
  ]
}"#;

fn whole() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk-wasm/pkg/attune_bg.wasm");
    std::fs::read(&path).unwrap_or_else(|error| {
        panic!("{}: {error}; cargo xtask build makes it", path.display());
    })
}

fn parts(whole: &[u8]) -> Parts {
    divide(whole, &observe(whole, &first_visit().unwrap()).unwrap()).unwrap()
}

/// A visit that goes on: events, signals, receipts, bad input, the end of the lane.
fn longer_visit() -> Vec<Call> {
    let mut page = Page::new();
    page.start();
    page.context();
    let rules = bundle(wasm_split::visit::RULES).unwrap();
    page.make(Operation::Bundle, |out| out.raw(&rules));
    for (event_type, category) in [("page_view", "hats"), ("add_to_cart", "hats"), ("page_view", "hats")] {
        page.track(event_type, category);
        page.poll();
    }
    page.make(Operation::Outcome, |out| {
        out.raw(&[0; 8]);
        out.u64(1);
        out.u8(0);
    });
    page.wait(60_000.0);
    page.make(Operation::Wake, |_| {});
    page.poll();
    page.make(Operation::Signal, |out| {
        out.str("category_views");
        out.bool(true);
        out.str("hats");
    });
    page.make(Operation::Inspect, |_| {});
    page.make(Operation::Forecast, |out| out.raw(&[9; 16]));
    page.make(Operation::Bundle, |out| out.raw(b"no bundle"));
    page.make(Operation::Track, |out| out.raw(&[1, 2, 3]));
    page.make(Operation::Farewell, |out| out.bool(true));
    page.calls
}

#[test]
fn the_first_file_plays_a_first_visit_alone() {
    let whole = whole();
    let mut alone = Running::whole(&parts(&whole).first).unwrap();
    let mut all = Running::whole(&whole).unwrap();
    let visit = first_visit().unwrap();
    for call in &visit {
        assert_eq!(alone.try_call(call).unwrap(), Some(all.call(call).unwrap()), "{}", call.operation);
    }
    assert!(visit.iter().any(|call| all.call(call).unwrap().len() > 40), "nothing has been decided");
}

#[test]
fn with_its_rest_it_answers_as_the_whole_does() {
    let whole = whole();
    let parts = parts(&whole);
    let visit = longer_visit();
    for rest_after in (0..visit.len()).step_by(4) {
        let mut divided = Running::whole(&parts.first).unwrap();
        let mut all = Running::whole(&whole).unwrap();
        let mut has_waited = false;
        for (place, call) in visit.iter().enumerate() {
            if place == rest_after {
                divided.complete(&parts).unwrap();
            }
            let early = if place < rest_after { divided.try_call(call).unwrap() } else { None };
            if place < rest_after && early.is_none() {
                // A page would hold this call; here the rest comes at once.
                divided.complete(&parts).unwrap();
                has_waited = true;
            }
            let answer = early.unwrap_or_else(|| divided.call(call).unwrap());
            assert_eq!(answer, all.call(call).unwrap(), "call {place}, the rest after {rest_after}");
        }
        assert!(has_waited || rest_after < 5, "the rest was not needed for events");
    }
}

#[test]
fn a_call_that_needs_the_rest_leaves_no_trace() {
    let whole = whole();
    let parts = parts(&whole);
    let mut divided = Running::whole(&parts.first).unwrap();
    let mut page = Page::new();
    page.start();
    page.context();
    let rules = bundle(RARE_RULES).unwrap();
    page.make(Operation::Bundle, |out| out.raw(&rules));
    let (last, before) = page.calls.split_last().unwrap();
    for call in before {
        assert!(divided.try_call(call).unwrap().is_some());
    }
    let memory = divided.memory().to_vec();
    assert_eq!(divided.try_call(last).unwrap(), None, "these rules need the rest");
    assert_eq!(divided.memory().get(..memory.len()).unwrap(), memory);
    divided.complete(&parts).unwrap();
    let mut all = Running::whole(&whole).unwrap();
    let answers: Vec<_> = page.calls.iter().map(|call| all.call(call).unwrap()).collect();
    assert_eq!(&divided.call(last).unwrap(), answers.last().unwrap());
}

#[test]
fn names_what_it_cannot_divide() {
    let empty = b"\0asm\x01\0\0\0";
    let whole = whole();
    let entered = observe(&whole, &[]).unwrap();
    let error = divide(empty, &entered).unwrap_err().to_string();
    assert_eq!(error, "another module has been observed");
}
