//! The byte interface as its host sees it: a question where the host has to answer, and a refusal of what is garbage.
#![allow(clippy::unwrap_used, reason = "what cannot be read is a failed test")]

use attune_core::bundle::{KeySet, attach_signature, seal_keyset};
use attune_core::codec::{Reader, Writer};
use attune_trust_wasm::{Desk, Operation};

fn call(desk: &mut Desk, operation: Operation, answers: &[u8], write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut out = Writer::new();
    out.f64(1_000.0);
    out.bytes(answers);
    write(&mut out);
    let input = out.into_bytes();
    desk.input(input.len()).copy_from_slice(&input);
    let length = desk.call(operation as u32, input.len());
    assert_eq!(length, desk.output().len());
    desk.output().to_vec()
}

fn started() -> Desk {
    let mut desk = Desk::new();
    let answer = call(&mut desk, Operation::Start, &[], |out| {
        out.len(1);
        out.raw(&[0xab; 32]);
        out.bool(true);
        out.str("shop");
        out.bool(false);
    });
    assert_eq!(answer, [3]);
    desk
}

fn key_set(project: &str) -> Vec<u8> {
    let set = KeySet { project, revision: 7, key_id: "abababababababab", ..KeySet::default() };
    attach_signature(seal_keyset(&set), &[9; 64])
}

fn offer(desk: &mut Desk, set: &[u8], answers: &[u8]) -> Vec<u8> {
    call(desk, Operation::Keys, answers, |out| {
        out.bool(false);
        out.str("");
        out.raw(set);
    })
}

fn refusal(answer: &[u8]) -> String {
    let mut reader = Reader::new(answer);
    assert_eq!(reader.u8(), Ok(0));
    reader.str().unwrap().to_owned()
}

#[test]
fn a_signature_is_the_hosts_question_and_its_answer_decides() {
    let (mut desk, set) = (started(), key_set("shop"));
    let answer = offer(&mut desk, &set, &[]);
    let mut question = Reader::new(&answer);
    assert_eq!(question.u8(), Ok(1));
    assert_eq!(question.bytes(), Ok(&[0xab; 32][..]));
    assert_eq!(question.bytes(), Ok(&[9; 64][..]));
    assert_eq!(question.bytes().unwrap(), &set[..set.len() - 64]);
    assert_eq!(refusal(&offer(&mut desk, &set, &[0])), "bundle_tampered");
    assert_eq!(offer(&mut desk, &set, &[1]), [3, 7]);
    assert_eq!(refusal(&offer(&mut desk, &key_set("news"), &[1])), "bundle_wrong_project");
}

#[test]
fn what_a_host_does_wrong_is_refused() {
    assert_eq!(refusal(&offer(&mut Desk::new(), &key_set("shop"), &[])), "not_started");
    let mut desk = started();
    assert_eq!(refusal(&call(&mut desk, Operation::Bundle, &[], |_| {})), "input_unreadable");
    assert_eq!(
        refusal(&call(&mut desk, Operation::Start, &[], |out| out.raw(&[1, 2, 3]))),
        "input_unreadable"
    );
    desk.input(9);
    desk.call(99, 9);
    assert_eq!(refusal(desk.output()), "operation_unknown");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_bytes_stop_the_desk(
        calls in proptest::collection::vec(
            (0_u32..5, proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)), 1..10),
    ) {
        let mut desk = started();
        for (operation, bytes) in calls {
            desk.input(bytes.len()).copy_from_slice(&bytes);
            let length = desk.call(operation, bytes.len());
            proptest::prop_assert!(length > 0 && desk.output()[0] < 4);
        }
    }
}
