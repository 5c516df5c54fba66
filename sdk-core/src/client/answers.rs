//! What the host is asked about regular expressions, and what it has answered.

use super::Client;
use crate::condition::{Matcher, Pattern};
use crate::limits::{MAX_PATTERN_ANSWERS, MAX_PATTERN_QUESTIONS};
use crate::rules::Touched;
use crate::time::Now;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

/// Questions and answers, at most [`MAX_PATTERN_QUESTIONS`]. A question is the pattern's flags and its source, each in a line, and then the text.
#[derive(Debug, Default)]
pub(super) struct Answers(RefCell<Table>);

#[derive(Debug, Default)]
struct Table {
    answered: Vec<(String, bool)>,
    open: Vec<String>,
}

impl Matcher for Answers {
    fn matches(&self, pattern: Pattern<'_>, text: &str) -> Option<bool> {
        let mut question = String::from(pattern.flags);
        for line in [pattern.source, text] {
            question.push('\n');
            question.push_str(line);
        }
        let mut table = self.0.try_borrow_mut().ok()?;
        let answer = table.answered.iter().find(|(known, _)| *known == question).map(|(_, answer)| *answer);
        let has_room = table.answered.len() + table.open.len() < MAX_PATTERN_QUESTIONS;
        if answer.is_none() && has_room && !table.open.contains(&question) {
            table.open.push(question);
        }
        answer
    }
}

impl Client {
    /// What the host is to match, in order: whether the text has a match of the pattern, each question as the
    /// pattern's flags and its source, each in a line, and then the text. Ask after every input, and answer with
    /// [`Client::handle_matches`] before any other.
    pub fn questions(&mut self) -> &[String] {
        &self.answers.0.get_mut().open
    }

    /// Takes the host's answers in, in the order of [`Client::questions`], and judges again what was open.
    #[inline(never)]
    pub fn handle_matches(&mut self, answers: Vec<bool>, now: Now) {
        let table = self.answers.0.get_mut();
        if table.answered.len() > MAX_PATTERN_ANSWERS {
            table.answered.clear();
        }
        table.answered.extend(core::mem::take(&mut table.open).into_iter().zip(answers));
        if let Some(event_id) = self.judged {
            self.judge(event_id, now);
        }
        self.touch(Touched::All);
        self.decide(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn a_page_keeps_no_more_questions_than_their_bound() {
        let answers = Answers::default();
        let ask = |number: usize| answers.matches(Pattern { source: "a", flags: "" }, &format!("{number}"));
        assert!((0..MAX_PATTERN_QUESTIONS + 9).all(|number| ask(number).is_none()));
        let mut table = answers.0.borrow_mut();
        assert_eq!(table.open.len(), MAX_PATTERN_QUESTIONS);
        // Those beyond are not asked in a later turn either, or a host would never come to an end.
        table.answered =
            core::mem::take(&mut table.open).into_iter().map(|question| (question, true)).collect();
        drop(table);
        assert_eq!((ask(7), ask(MAX_PATTERN_QUESTIONS)), (Some(true), None));
        assert!(answers.0.borrow().open.is_empty());
    }
}
