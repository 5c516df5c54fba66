//! The exports about conditions without a bundle: over plain attributes, over whole documents.

use super::HOST;
use crate::answer::failure;

/// Whether conditions hold, a byte for each case in a buffer.
#[unsafe(no_mangle)]
pub extern "C" fn conditions_hold(cases: usize) -> usize {
    HOST.with_borrow_mut(|host| {
        let bytes = host.take(cases);
        match crate::conditions_hold(core::str::from_utf8(&bytes).unwrap_or_default()) {
            Some(answers) if answers.is_empty() => 0,
            Some(answers) => host.keep(answers.into_boxed_slice()),
            None => {
                let words = "expected a JSON array of at most 250,000 cases";
                host.last_error = failure("conditions_unreadable", words);
                0
            }
        }
    })
}

/// How conditions of rules stand to documents, for the cases in a buffer.
#[unsafe(no_mangle)]
pub extern "C" fn conditions_judge(cases: usize) -> usize {
    HOST.with_borrow_mut(|host| {
        let cases = host.text(cases);
        host.answer(crate::conditions_judge(&cases))
    })
}
