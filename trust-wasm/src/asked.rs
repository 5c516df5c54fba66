//! Checks that the host carries out: a judgement runs again with each answer that it needed.

use crate::checks::{Checks, Question};
use alloc::vec::Vec;
use attune_core::bundle::{HASH_BYTES, PUBLIC_KEY_BYTES, SIGNATURE_BYTES};
use attune_core::codec::Source;
use core::cell::{Cell, RefCell};

/// The host's answers so far, in the order of the questions: a byte for a signature, the bytes of a hash.
pub struct Asked<'a> {
    answers: Cell<Source<'a>>,
    open: RefCell<Option<Question>>,
}

impl<'a> Asked<'a> {
    /// With these answers.
    pub const fn new(answers: &'a [u8]) -> Self {
        Self { answers: Cell::new(Source::new(answers)), open: RefCell::new(None) }
    }

    /// The next answer; where there is none, the question is open from now on.
    fn answer<T>(&self, read: fn(&mut Source<'a>) -> T, question: impl FnOnce() -> Question) -> Option<T> {
        let mut answers = self.answers.get();
        let is_answered = !answers.is_empty();
        let answer = is_answered.then(|| read(&mut answers)).filter(|_| answers.is_sound());
        self.answers.set(answers);
        if answer.is_none()
            && let Ok(mut open) = self.open.try_borrow_mut()
        {
            open.get_or_insert_with(question);
        }
        answer
    }
}

impl Checks for Asked<'_> {
    fn verify(&self, key: &[u8; PUBLIC_KEY_BYTES], bytes: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        let question = || Question::Signature { key: *key, signature: *signature, bytes: Vec::from(bytes) };
        self.answer(|answers| answers.u8() == 1, question).unwrap_or(false)
    }

    fn hash(&self, bytes: &[u8]) -> Option<[u8; HASH_BYTES]> {
        self.answer(|answers| answers.array(), || Question::Hash(Vec::from(bytes)))
    }

    fn question(self) -> Option<Question> {
        self.open.into_inner()
    }
}
