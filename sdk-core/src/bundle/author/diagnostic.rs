//! What the compiler has to say about a rule file: where, what, and which limit.

use super::locate::line_of;
use crate::condition::ConditionError;
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// How much a diagnostic matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Compiled as it stands, and worth a look.
    Warning,
    /// The file, signal or rule takes no part.
    Error,
}

/// One finding in one rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Name of the file.
    pub file: String,
    /// JSON pointer (RFC 6901) to the place; empty for the file as a whole.
    pub path: String,
    /// Line of that place, from 1.
    pub line: usize,
    /// How much it matters.
    pub severity: Severity,
    /// Stable name.
    pub code: &'static str,
    /// What is wrong, with the limit where there is one.
    pub message: String,
}

impl Diagnostic {
    pub(super) fn of_file(file: &str, line: usize, code: &'static str, message: String) -> Self {
        Self { file: file.to_owned(), path: String::new(), line, severity: Severity::Error, code, message }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = if self.severity == Severity::Error { "error" } else { "warning" };
        write!(f, "{}:{}: {severity}[{}] {}", self.file, self.line, self.code, self.message)?;
        if self.path.is_empty() { Ok(()) } else { write!(f, " (at {})", self.path) }
    }
}

/// A finding before its line is looked up.
pub(super) struct Problem {
    at: String,
    severity: Severity,
    code: &'static str,
    subject: Box<str>,
    message: String,
}

/// The findings in one definition; the first error is the reason for which it takes no part.
#[derive(Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problem {
    pub fn of(at: &str, code: &'static str, subject: &str, message: &str) -> Self {
        let message = if subject.is_empty() { message.to_owned() } else { format!("{subject}: {message}") };
        Self { at: at.to_owned(), severity: Severity::Error, code, subject: Box::from(subject), message }
    }

    pub fn warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    pub fn of_condition(error: &ConditionError) -> Self {
        let message = format!("{}", error.kind);
        let subject = Box::from(error.kind.subject().unwrap_or_default());
        Self { at: error.at.clone(), severity: Severity::Error, code: error.kind.code(), subject, message }
    }

    pub fn in_file(self, file: &str, text: &str) -> Diagnostic {
        let line = line_of(text, &self.at);
        let Self { at, severity, code, message, .. } = self;
        Diagnostic { file: file.to_owned(), path: at, line, severity, code, message }
    }
}

impl Problems {
    pub fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// Why the definition takes no part: `<code>:<subject>` of its first error.
    pub fn reason(&self) -> Option<Box<str>> {
        let first = self.0.iter().find(|problem| problem.severity == Severity::Error)?;
        let Problem { code, subject, .. } = first;
        Some(if subject.is_empty() { Box::from(*code) } else { format!("{code}:{subject}").into_boxed_str() })
    }

    pub fn into_iter(self) -> impl Iterator<Item = Problem> {
        self.0.into_iter()
    }
}
