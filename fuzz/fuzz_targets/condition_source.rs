//! Any JSON text `[condition, attributes, groups]`: read in both manners, evaluated; refusals have code and path.
#![no_main]

use attune_core::condition::{
    ConditionScope, Engine, Form, KnownSignal, Outlook, Packer, Plain, depth, encode_condition, evaluate,
    parse_condition, pass_condition,
};
use attune_core::id::SignalId;
use attune_core::limits::MAX_CONDITION_DEPTH;
use attune_core::value::Value;
use attune_fuzz::Anything;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(value) = Value::parse(text) else { return };
    let part = |index: &str| value.at(index).cloned().unwrap_or(Value::Null);
    let (condition, attributes, groups) = (part("0"), part("1").to_packed(), part("2").to_packed());
    if let Some(plain) = Plain::new(&condition, groups.get()) {
        let engine = Engine::default();
        let holds = plain.holds(attributes.get(), &engine);
        assert_eq!(holds, plain.holds(attributes.get(), &engine));
    }
    let names = |name: &str| {
        Some(KnownSignal { id: SignalId(name.len() as u64), keyed: name.len().is_multiple_of(2) })
    };
    for scope in [ConditionScope::Visitor(&names), ConditionScope::Event] {
        match parse_condition(&condition, scope, "/when") {
            Ok(tree) => {
                assert!(depth(&tree) <= MAX_CONDITION_DEPTH);
                let mut packer = Packer::new();
                encode_condition(&tree, &mut packer);
                let form = Form::open(&packer.finish()).expect("what is packed opens");
                let mut code = form.at(0);
                pass_condition(&mut code);
                assert!(code.is_whole(), "what is compiled passes the check");
                evaluate(form.at(0), &Anything::default(), &mut Outlook::default());
            }
            Err(errors) => assert!(!errors.is_empty()),
        }
    }
});
