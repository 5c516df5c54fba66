//! The two files answer as the whole does, whenever the rest comes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use attune_wasm::Operation;
use std::path::Path;
use std::sync::LazyLock;
use wasm_split::kinds::{ACTIONS, CONDITIONS, CONTEXTS, FORMS, LATER, site, when};
use wasm_split::run::Running;
use wasm_split::visit::{Call, Page, RULES, bundle, first_visit, first_visits};
use wasm_split::{Parts, divide, observe};
use wasmi::{Engine, Module};

/// What few pages have: an experiment, a network, a place, a pattern, a version, the time of day.
const RARE_RULES: &str = r#"{
  "experiments": [{"id":"tone","variations":[{"key":"a","weight":0.5},{"key":"b","weight":0.5}]}],
  "rules": [
    {"id":"near","slot":"hero","when":{"context.ip":{"$cidr":"10.0.0.0/8"}},"actions":[]},
    {"id":"new","slot":"layout","when":{"context.version":{"$vgt":"1.9.0"}},"actions":[]},
    {"id":"late","slot":"offer","when":{"$tod":{"between":["22:00","02:00"]}},"actions":[]}
  ]
}"#;

/// The whole core, and its two files.
static CORE: LazyLock<(Vec<u8>, Parts)> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk-wasm/pkg/attune_bg.wasm");
    let whole = std::fs::read(&path).unwrap_or_else(|error| {
        panic!("{}: {error}; cargo xtask build makes it", path.display());
    });
    let reached = observe(&whole, &first_visits().unwrap()).unwrap();
    let parts = divide(&whole, &reached).unwrap();
    (whole, parts)
});

/// Plays a first visit with the first file alone and with the whole core; returns whether the first file was enough,
/// after it has said the same.
fn decides_alone(rules: &str, context: &str, consent: u8) -> bool {
    static MODULES: LazyLock<[Module; 2]> = LazyLock::new(|| {
        let engine = Engine::default();
        [&CORE.1.first, &CORE.0].map(|bytes| Module::new(&engine, &**bytes).unwrap())
    });
    let [mut alone, mut all] = MODULES.each_ref().map(|module| Running::anew(module).unwrap());
    first_visit(rules, context, consent).unwrap().iter().all(|call| {
        let expected = all.call(call).unwrap();
        let answer = alone.try_call(call).unwrap();
        assert!(answer.is_none() || answer == Some(expected), "{rules}");
        answer.is_some()
    })
}

/// Numbers that follow from a seed, below a bound.
fn draws(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move |bound| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % bound
    }
}

/// A visit that goes on: events, signals, receipts, bad input, the end of the lane.
fn longer_visit() -> Vec<Call> {
    let mut page = Page::new();
    page.start();
    page.context(CONTEXTS[0]).unwrap();
    let rules = bundle(RULES).unwrap();
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
fn the_first_file_decides_common_rules_alone() {
    let (_, action) = ACTIONS[0];
    for context in CONTEXTS {
        for consent in [7, 1, 0] {
            assert!(decides_alone(RULES, context, consent), "{context}");
            for (kind, condition) in CONDITIONS {
                assert!(decides_alone(&site([(&*when(condition), action)]), context, consent), "{kind}");
            }
            for (kind, form) in FORMS {
                assert!(decides_alone(&site([(*form, action)]), context, consent), "{kind}");
            }
            for (kind, action) in ACTIONS {
                assert!(decides_alone(&site([(r#""when":{}"#, *action)]), context, consent), "{kind}");
            }
        }
    }
}

#[test]
fn the_first_file_decides_sites_it_was_not_made_by() {
    let contexts = [
        r#"{"page":{"url":"https://a.example/","path":"/","search":"","title":"A","referrer":""},"device":{"class":"tablet",
            "viewport":{"width":800,"height":1100}},"locale":"fr","time_zone":"America/New_York","time":{"utc_offset_minutes":-240,
            "changes_at":"2026-11-01T06:00:00.000Z","next_utc_offset_minutes":-300},"shop":{"items":[1,2,{"id":"x"}],"open":null}}"#,
        r#"{"page":{"path":"/hats/Καπέλο","title":"Καπέλο"},"device":{"class":"desktop","viewport":{"width":1920,"height":990}},
            "locale":"el-GR","campaign":{"source":"ads","name":"Καλοκαίρι"},"tags":["new","old","sale"],"category":"hats","member":true}"#,
    ];
    for seed in 1..=120 {
        let mut draw = draws(seed);
        let forms: Vec<String> = (0..=draw(40))
            .map(|_| match draw(4) {
                0 => FORMS[draw(FORMS.len())].1.to_owned(),
                1 => {
                    let [one, other] = [(); 2].map(|()| CONDITIONS[draw(CONDITIONS.len())].1);
                    when(&format!(r#"{{"${}":[{one},{other}]}}"#, ["and", "or", "nor"][draw(3)]))
                }
                _ => when(CONDITIONS[draw(CONDITIONS.len())].1),
            })
            .collect();
        let rules = forms.iter().map(|form| (&**form, ACTIONS[draw(ACTIONS.len())].1));
        let rules = site(rules.collect::<Vec<_>>());
        assert!(decides_alone(&rules, contexts[seed as usize % 2], [7, 1][draw(2)]), "{seed}: {rules}");
    }
}

#[test]
fn what_few_rules_have_waits_for_the_rest() {
    const EXPERIMENT: &str = r#"{"experiments":[{"id":"tone","variations":[{"key":"a"},{"key":"b"}]}],"#;
    for (kind, condition) in LATER {
        let mut rules = site([(&*when(condition), ACTIONS[0].1)]);
        if condition.contains("experiments.") {
            rules = rules.replacen('{', EXPERIMENT, 1);
        }
        assert!(
            !decides_alone(&rules, CONTEXTS[1], 7),
            "{kind} is common by now: it belongs into CONDITIONS"
        );
    }
}

#[test]
fn with_its_rest_it_answers_as_the_whole_does() {
    let (whole, parts) = &*CORE;
    let visit = longer_visit();
    for rest_after in (0..visit.len()).step_by(4) {
        let mut divided = Running::whole(&parts.first).unwrap();
        let mut all = Running::whole(whole).unwrap();
        let mut has_waited = false;
        for (place, call) in visit.iter().enumerate() {
            if place == rest_after {
                divided.complete(parts).unwrap();
            }
            let early = if place < rest_after { divided.try_call(call).unwrap() } else { None };
            if place < rest_after && early.is_none() {
                // A page would hold this call; here the rest comes at once.
                divided.complete(parts).unwrap();
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
    let (whole, parts) = &*CORE;
    let mut divided = Running::whole(&parts.first).unwrap();
    let mut page = Page::new();
    page.start();
    page.context(CONTEXTS[0]).unwrap();
    let rules = bundle(RARE_RULES).unwrap();
    page.make(Operation::Bundle, |out| out.raw(&rules));
    let (last, before) = page.calls.split_last().unwrap();
    for call in before {
        assert!(divided.try_call(call).unwrap().is_some());
    }
    let memory = divided.memory().to_vec();
    assert_eq!(divided.try_call(last).unwrap(), None, "these rules need the rest");
    assert_eq!(divided.memory().get(..memory.len()).unwrap(), memory);
    divided.complete(parts).unwrap();
    let mut all = Running::whole(whole).unwrap();
    let answers: Vec<_> = page.calls.iter().map(|call| all.call(call).unwrap()).collect();
    assert_eq!(&divided.call(last).unwrap(), answers.last().unwrap());
}

#[test]
fn names_what_it_cannot_divide() {
    let empty = b"\0asm\x01\0\0\0";
    let reached = observe(&CORE.0, &[]).unwrap();
    let error = divide(empty, &reached).unwrap_err().to_string();
    assert_eq!(error, "another module has been observed");
}
