//! What the compiler has to say about a rule file: where, what, and which limit.

use super::locate::{definition_of, line_of};
use super::sought::Sought;
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
    /// The definition it is about, such as `rule hero`; empty where that has no usable name.
    pub definition: String,
    /// How much it matters.
    pub severity: Severity,
    /// Stable name.
    pub code: &'static str,
    /// What is wrong, with the limit where there is one.
    pub message: String,
}

impl Diagnostic {
    pub(super) fn of_file(file: &str, line: usize, code: &'static str, message: String) -> Self {
        let (path, definition) = (String::new(), String::new());
        Self { file: file.to_owned(), path, line, definition, severity: Severity::Error, code, message }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = if self.severity == Severity::Error { "error" } else { "warning" };
        write!(f, "{}:{}: {severity}[{}] ", self.file, self.line, self.code)?;
        let name = self.definition.split_once(' ').map_or("", |(_, name)| name);
        let is_named = self.message.strip_prefix(name).is_some_and(|rest| rest.starts_with(": "));
        if !self.definition.is_empty() && !is_named {
            write!(f, "{}: ", self.definition)?;
        }
        f.write_str(&self.message)?;
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
    /// The name that was not found, where that is what is wrong.
    sought: Option<Sought>,
}

/// The findings in one definition; the first error is the reason for which it takes no part.
#[derive(Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problem {
    pub fn of(at: &str, code: &'static str, subject: &str, message: &str) -> Self {
        let message = if subject.is_empty() { message.to_owned() } else { format!("{subject}: {message}") };
        let (at, subject) = (at.to_owned(), Box::from(subject));
        Self { at, severity: Severity::Error, code, subject, message, sought: None }
    }

    pub fn warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    pub fn of_condition(error: &ConditionError) -> Self {
        let (message, sought) = (format!("{}", error.kind), Sought::of_condition(&error.kind));
        let subject = Box::from(error.kind.subject().unwrap_or_default());
        let (at, code) = (error.at.clone(), error.kind.code());
        Self { at, severity: Severity::Error, code, subject, message, sought }
    }

    /// Says that it is about a name that was not found.
    pub fn looked_for(self, sought: Sought) -> Self {
        Self { sought: Some(sought), ..self }
    }

    /// With what is said of the name that was not found.
    pub fn with_hint(mut self, hint: impl FnOnce(&Sought, &str) -> String) -> Self {
        if let Some(sought) = &self.sought {
            self.message += &hint(sought, &self.at);
        }
        self
    }

    pub fn in_file(self, file: &str, text: &str) -> Diagnostic {
        let line = line_of(text, &self.at);
        let definition = definition_of(text, &self.at);
        let definition = definition.map_or_else(String::new, |(kind, name)| format!("{kind} {name}"));
        let Self { at, severity, code, message, .. } = self;
        Diagnostic { file: file.to_owned(), path: at, line, definition, severity, code, message }
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
