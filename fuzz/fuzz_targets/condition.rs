//! Any bytes as a packed condition: passed over and evaluated; what passes holds as its tree does.
#![no_main]

use attune_core::condition::{
    Form, Outlook, Packer, decode_condition, each_leaf, encode_condition, evaluate, pass_condition, truth,
};
use attune_fuzz::Anything;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(form) = Form::open(data) else { return };
    let document = Anything::default();
    // Unsound code ends too.
    evaluate(form.at(0), &document, &mut Outlook::default());
    let mut code = form.at(0);
    pass_condition(&mut code);
    if !code.is_whole() {
        return;
    }
    let tree = decode_condition(&mut form.at(0));
    each_leaf(&tree, &mut |_| {});
    let mut packer = Packer::new();
    encode_condition(&tree, &mut packer);
    let again = Form::open(&packer.finish()).expect("what is packed opens");
    let mut code = again.at(0);
    pass_condition(&mut code);
    assert!(code.is_whole());
    let says = |form: &Form| {
        let mut outlook = Outlook::default();
        (truth(form.at(0), &document, &mut outlook), outlook.next)
    };
    assert_eq!(says(&form), says(&again));
});
