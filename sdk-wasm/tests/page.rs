//! The byte interface as its host sees it, natively and in a browser: operations in, effects out, garbage refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot be read is a failed test"
)]

use attune_core::bundle::author::{SourceFile, compile};
use attune_core::bundle::{Header, SIGNATURE_BYTES, attach_signature, seal_envelope};
use attune_core::codec::{Reader, Writer};
use attune_core::time::Timestamp;
use attune_wasm::{Operation, Page};

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

const RULES: &str = r#"{
  "signals": [{"name":"views","on":"page_view","by":"metadata.category","aggregate":"count","window":"session"}],
  "rules": [
    {"id":"third","slot":"hero","on":"page_view",
     "when":{"$signal":{"name":"views","key":{"$path":"event.metadata.category"},"is":{"$gte":3}}},
     "actions":[{"kind":"text","target":"h1","value":"More hats"},{"kind":"variable","name":"tone","value":"warm"}]},
    {"id":"phone","slot":"layout","when":{"context.device":"phone"},
     "actions":[{"kind":"class","target":"body","add":["phone"],"remove":[]}]}
  ]
}"#;

/// An effect of this test's interest, read out of an output.
#[derive(Clone, Debug, PartialEq)]
enum Effect {
    Kept(u64),
    Forgotten(u64),
    Decision { slot: String, rule: Option<String>, first_action: Option<u8> },
    Refused { code: String, actual: u64, limit: u64 },
    Request { id: u64, seqs: Vec<u64> },
    Wait(f64),
    Answer(f64),
    Truth(bool),
    Blocked(u8),
    Probe,
    Revision(u64),
    Failed(String),
    Other(u8),
}

struct Host {
    page: Page,
    wall_ms: f64,
    ids: u8,
}

impl Host {
    fn started() -> Self {
        let mut host = Self { page: Page::new(), wall_ms: 1_790_000_000_000.0, ids: 0 };
        let effects = host.call(Operation::Start, |out| {
            out.str("visitor");
            out.raw(&[1; 16]);
            out.raw(&[9; 16]);
        });
        assert_eq!(effects, [Effect::Other(13)]);
        host
    }

    fn with_rules() -> Self {
        let mut host = Self::started();
        let bundle = bundle();
        assert_eq!(
            host.call(Operation::Bundle, |out| out.raw(&bundle)),
            [Effect::Revision(1), Effect::Other(13)]
        );
        host
    }

    fn call(&mut self, operation: Operation, write: impl FnOnce(&mut Writer)) -> Vec<Effect> {
        let mut out = Writer::new();
        out.f64(self.wall_ms);
        out.f64(0.0);
        write(&mut out);
        self.raw(operation as u32, &out.into_bytes())
    }

    fn raw(&mut self, operation: u32, input: &[u8]) -> Vec<Effect> {
        self.page.input(input.len()).copy_from_slice(input);
        let length = self.page.call(operation, input.len());
        assert_eq!(length, self.page.output().len());
        let mut reader = Reader::new(self.page.output());
        let mut effects = Vec::new();
        while !reader.is_empty() {
            effects.push(effect(&mut reader));
        }
        effects
    }

    fn view(&mut self, category: &str, metadata_bytes: usize) -> Vec<Effect> {
        self.ids += 1;
        let (id, wall_ms) = ([self.ids; 16], self.wall_ms);
        self.call(Operation::Track, |out| {
            out.raw(&id);
            out.str("page_view");
            out.f64(wall_ms);
            out.raw(&[9; 16]);
            out.u8(1);
            out.u64(300);
            out.bool(true);
            out.len(metadata_bytes);
            out.raw(&[6, 1]);
            out.str("category");
            out.u8(4);
            out.str(category);
        })
    }

    fn views(&mut self, category: &str) -> Vec<Effect> {
        self.call(Operation::Signal, |out| {
            out.str("views");
            out.bool(true);
            out.str(category);
        })
    }

    fn poll(&mut self) -> Vec<Effect> {
        self.call(Operation::Poll, |_| {})
    }
}

fn bundle() -> Vec<u8> {
    bundle_of(1, None)
}

fn bundle_of(revision: u64, expires: Option<Timestamp>) -> Vec<u8> {
    let compiled = compile(&[SourceFile { name: "rules.json".into(), text: RULES.into() }]);
    assert!(compiled.diagnostics.is_empty(), "{:?}", compiled.diagnostics);
    let header =
        Header { project: "p", environment: "e", revision, expires, key_id: "k", ..Header::default() };
    attach_signature(seal_envelope(&header, &compiled.body), &[0; SIGNATURE_BYTES])
}

fn effect(from: &mut Reader<'_>) -> Effect {
    let text = |from: &mut Reader<'_>| from.str().unwrap().to_owned();
    let tag = from.u8().unwrap();
    match tag {
        1 => Effect::Kept(from.u64().unwrap()),
        2 | 3 => {
            from.raw(16).unwrap();
            let seq = from.u64().unwrap();
            if tag == 3 { Effect::Forgotten(seq) } else { Effect::Other(2) }
        }
        4 | 5 | 16 => {
            from.u8().unwrap();
            if tag == 4 {
                from.bytes().unwrap();
            }
            Effect::Other(tag)
        }
        6 => {
            from.raw(16).unwrap();
            Effect::Other(6)
        }
        7 => {
            let slot = text(from);
            if !from.bool().unwrap() {
                return Effect::Decision { slot, rule: None, first_action: None };
            }
            let rule = Some(text(from));
            from.option(Reader::str).unwrap();
            from.u8().unwrap();
            from.f64().unwrap();
            let actions: Vec<u8> = from.list(action).unwrap();
            Effect::Decision { slot, rule, first_action: actions.first().copied() }
        }
        9 => {
            from.str().unwrap();
            from.raw(16).unwrap();
            Effect::Other(9)
        }
        10 => Effect::Refused { code: text(from), actual: from.u64().unwrap(), limit: from.u64().unwrap() },
        11 => {
            let id = from.u64().unwrap();
            from.str().unwrap();
            from.raw(16).unwrap();
            from.bool().unwrap();
            let seqs = from
                .list(|from| {
                    from.raw(16)?;
                    from.u64()
                })
                .unwrap();
            from.list(|from| {
                from.bool()?;
                from.str()?;
                from.raw(16)?;
                from.u64()?;
                from.u64()
            })
            .unwrap();
            for _ in 0..3 {
                from.u64().unwrap();
            }
            Effect::Request { id, seqs }
        }
        12 => Effect::Wait(from.f64().unwrap()),
        13 => {
            from.f64().unwrap();
            Effect::Other(13)
        }
        14 => {
            let kind = from.u8().unwrap();
            assert!((1..=3).contains(&kind), "this test asks for truths and numbers only");
            if kind < 3 { Effect::Truth(kind == 2) } else { Effect::Answer(from.f64().unwrap()) }
        }
        15 => Effect::Failed(text(from)),
        20 => Effect::Other(20),
        21 => Effect::Blocked(from.u8().unwrap()),
        24 => Effect::Revision(from.u64().unwrap()),
        25 => Effect::Probe,
        other => panic!("effect {other} is unknown to this test"),
    }
}

fn action(from: &mut Reader<'_>) -> Result<u8, attune_core::codec::CodecError> {
    let kind = from.u8()?;
    match kind {
        0 => (0..2).try_for_each(|_| from.str().map(drop))?,
        2 => {
            from.str()?;
            from.list(|from| from.str().map(drop))?;
            from.list(|from| from.str().map(drop))?;
        }
        6 => {
            from.str()?;
            assert_eq!(from.u8(), Ok(4), "the variable of this test is a text");
            from.str()?;
        }
        other => panic!("action {other} is not in this test's rules"),
    }
    Ok(kind)
}

fn filled(slot: &str, rule: &str, first_action: u8) -> Effect {
    Effect::Decision { slot: slot.into(), rule: Some(rule.into()), first_action: Some(first_action) }
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn the_third_view_answers_with_the_decision_in_the_same_call() {
    let mut host = Host::with_rules();
    assert_eq!(host.view("hats", 20), [Effect::Kept(1), Effect::Other(13)]);
    host.view("hats", 20);
    let third = host.view("hats", 20);
    assert_eq!(third[0], Effect::Kept(3));
    assert!(third.contains(&filled("hero", "third", 0)), "{third:?}");
    assert_eq!(host.views("hats"), [Effect::Answer(3.0)]);
    assert_eq!(host.views("shoes"), [Effect::Answer(0.0)]);
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn a_batch_is_settled_by_event_id() {
    let mut host = Host::with_rules();
    host.view("hats", 20);
    host.view("hats", 20);
    assert_eq!(host.poll()[0], Effect::Request { id: 1, seqs: vec![1, 2] });
    assert_eq!(host.poll()[0], Effect::Wait(0.0));
    let effects = host.call(Operation::Outcome, |out| {
        out.raw(&[0; 8]);
        out.u64(1);
        out.u8(2);
        out.u64(1);
        out.f64(0.0);
        out.len(1);
        out.raw(&[2; 16]);
        out.u8(1);
    });
    assert!(effects.contains(&Effect::Forgotten(2)), "{effects:?}");
    assert_eq!(host.views("hats"), [Effect::Answer(1.0)], "a rejected event leaves the count");
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn a_page_says_when_requests_seem_to_be_blocked_and_hears_it_from_others() {
    let outcome = |host: &mut Host, request: u64, kind: u8| {
        host.call(Operation::Outcome, |out| {
            out.raw(&[0; 8]);
            out.u64(request);
            out.u8(kind);
        })
    };
    let news = |host: &mut Host, kind: u8| {
        host.call(Operation::News, |out| {
            out.raw(&[0; 8]);
            out.u8(kind);
        })
    };
    let mut host = Host::with_rules();
    host.view("hats", 20);
    let polled = |host: &mut Host| host.poll()[0].clone();
    for (request, kind, blocked) in [(1, 0, false), (2, 3, false), (3, 0, false), (4, 0, true)] {
        assert_eq!(polled(&mut host), Effect::Request { id: request, seqs: vec![1] });
        let told = outcome(&mut host, request, kind).contains(&Effect::Blocked(2));
        assert_eq!(told, blocked, "request {request}");
    }
    assert_eq!(polled(&mut host), Effect::Wait(300_000.0));
    let online = |host: &mut Host, is_seen: bool| {
        host.call(Operation::Online, |out| out.bool(is_seen));
        host.poll()[0].clone()
    };
    // Seen twice within five minutes, and asked for in between.
    assert_eq!(online(&mut host, true), Effect::Probe);
    assert_eq!(online(&mut host, true), Effect::Wait(0.0));
    assert_eq!(online(&mut host, false), Effect::Probe);
    assert_eq!(news(&mut host, 5), [Effect::Other(13)]);
    assert_eq!(polled(&mut host), Effect::Wait(0.0));
    // Another page has got through.
    assert!(news(&mut host, 2).contains(&Effect::Blocked(0)));
    assert_eq!(polled(&mut host), Effect::Request { id: 5, seqs: vec![1] });

    let mut warned = Host::with_rules();
    assert!(news(&mut warned, 3).contains(&Effect::Blocked(1)));
    warned.view("hats", 20);
    assert_eq!(polled(&mut warned), Effect::Probe);
    assert!(news(&mut warned, 5).contains(&Effect::Blocked(2)));
    assert_eq!(polled(&mut warned), Effect::Wait(0.0));
    assert!(news(&mut warned, 4).contains(&Effect::Blocked(0)));
    assert_eq!(polled(&mut warned), Effect::Request { id: 1, seqs: vec![1] });
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn the_context_decides_levels() {
    let mut host = Host::with_rules();
    let mut device = |name: &str| {
        host.call(Operation::Context, |out| {
            out.len(20);
            out.raw(&[6, 1]);
            out.str("device");
            out.u8(4);
            out.str(name);
        })
    };
    assert!(device("phone").contains(&filled("layout", "phone", 2)));
    let emptied = Effect::Decision { slot: "layout".into(), rule: None, first_action: None };
    assert!(device("desktop").contains(&emptied));
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn a_purpose_that_is_not_granted_empties_the_slots_of_its_rules() {
    let mut host = Host::with_rules();
    let granted = |host: &mut Host, bits: u8| host.call(Operation::Consent, |out| out.u8(bits));
    assert_eq!(granted(&mut host, 3), [Effect::Other(13)]);
    let phone = |out: &mut Writer| {
        out.len(18);
        out.raw(&[6, 1]);
        out.str("device");
        out.u8(4);
        out.str("phone");
    };
    assert_eq!(host.call(Operation::Context, phone), [Effect::Other(13)]);
    assert!(granted(&mut host, 4).contains(&filled("layout", "phone", 2)));
    let emptied = Effect::Decision { slot: "layout".into(), rule: None, first_action: None };
    assert!(granted(&mut host, 3).contains(&emptied));
    let unread = host.call(Operation::Consent, |_| {});
    assert!(unread.contains(&Effect::Failed("input_unreadable".into())), "{unread:?}");
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn a_member_is_in_the_share_of_a_candidate_by_the_hash_of_its_seed() {
    let mut host = Host::with_rules();
    let mut is_in = |share: u64| {
        let effects = host.call(Operation::InShare, |out| {
            out.str("seed");
            out.u64(share);
        });
        let [Effect::Truth(is_in)] = effects[..] else { panic!("{effects:?}") };
        is_in
    };
    let step = (0..10_000).find(|share| is_in(share + 1)).unwrap();
    assert_eq!(Some(step as u32), attune_core::hash::bucket("seed", "visitor", 2));
    assert!(!is_in(0) && !is_in(step) && is_in(10_000));
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn a_bundle_by_name_may_go_back_and_one_past_its_time_is_told_of_once() {
    let mut host = Host::with_rules();
    let revision = |host: &mut Host| {
        host.page.input(16);
        host.page.call(Operation::Inspect as u32, 16);
        host.page.output().last().copied()
    };
    let next = bundle_of(9, None);
    assert_eq!(
        host.call(Operation::NamedBundle, |out| out.raw(&next)),
        [Effect::Revision(9), Effect::Other(13)]
    );
    assert_eq!(revision(&mut host), Some(9));
    let over = bundle_of(8, Some(Timestamp(1_000_000_000_000)));
    host.call(Operation::Bundle, |out| out.raw(&over));
    assert_eq!(revision(&mut host), Some(9));
    assert_eq!(
        host.call(Operation::NamedBundle, |out| out.raw(&over)),
        [Effect::Other(20), Effect::Revision(8), Effect::Other(13)]
    );
    assert_eq!(revision(&mut host), Some(8));
    assert_eq!(host.call(Operation::Wake, |_| {}), [Effect::Other(13)]);
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn what_is_over_a_bound_is_refused_with_the_limit_and_changes_nothing() {
    let mut host = Host::with_rules();
    let refused = Effect::Refused { code: "metadata_too_large".into(), actual: 40_112, limit: 31_744 };
    assert_eq!(host.view("hats", 40_112)[0], refused);
    assert_eq!(host.view("hats", 20)[0], Effect::Kept(1));
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn an_input_that_cannot_be_read_fails_and_changes_nothing() {
    let mut page = Page::new();
    page.input(16);
    page.call(Operation::Track as u32, 16);
    assert!(page.output().ends_with(b"not_started"));
    let mut host = Host::with_rules();
    let failed = |code: &str| Effect::Failed(code.into());
    assert!(host.call(Operation::Track, |out| out.raw(&[7; 20])).contains(&failed("input_unreadable")));
    assert!(host.call(Operation::Context, |out| out.raw(&[9; 3])).contains(&failed("input_unreadable")));
    assert!(host.call(Operation::Bundle, |out| out.raw(b"no bundle")).contains(&failed("bundle_bad_magic")));
    assert!(host.call(Operation::Profile, |out| out.raw(b"none")).contains(&failed("profile_invalid")));
    assert_eq!(host.raw(99, &[0; 16]), [failed("operation_unknown")]);
    assert_eq!(host.view("hats", 20)[0], Effect::Kept(1));
}

#[cfg(not(target_arch = "wasm32"))]
proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_bytes_stop_the_page(calls in proptest::collection::vec((0_u32..23, proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)), 1..20)) {
        let mut host = Host::with_rules();
        for (operation, input) in &calls {
            host.page.input(input.len()).copy_from_slice(input);
            host.page.call(*operation, input.len());
        }
    }
}
