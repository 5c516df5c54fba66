//! The evaluation of conditions: GrowthBook's semantics, with "unknown" as a third truth that no negation turns true.

use super::coerce::{instant, is, order, plain_text};
use super::{Condition, Document, Literal, Moment, Outlook, Path, Reading, Root, Test};
use crate::id::SignalId;
use crate::time::Timestamp;
use crate::value::{Value, split_at_byte};
use alloc::borrow::Cow;
use core::cmp::Ordering;

/// Whether the condition holds; what cannot be known, because a tile was truncated, does not hold.
///
/// `outlook` receives the first later instant at which time alone can change the answer.
pub fn evaluate(condition: &Condition, document: &dyn Document, outlook: &mut Outlook) -> bool {
    Scene { document, outlook }.condition(condition) == Some(true)
}

/// The value at a path, signals included; nothing where it is missing or cannot be known.
pub fn resolve<'a>(path: &Path, document: &'a dyn Document, outlook: &mut Outlook) -> Option<Cow<'a, Value>> {
    Scene { document, outlook }.path(path).filter(|value| **value != Value::Null)
}

/// True, false, or nothing where it cannot be known (Kleene's strong three-valued logic).
type Truth = Option<bool>;

struct Scene<'a, 'o> {
    document: &'a dyn Document,
    outlook: &'o mut Outlook,
}

impl<'a> Scene<'a, '_> {
    fn condition(&mut self, condition: &Condition) -> Truth {
        match condition {
            Condition::All(parts) => until(false, parts, |part| self.condition(part)),
            Condition::Any(parts) if parts.is_empty() => Some(true),
            Condition::Any(parts) => until(true, parts, |part| self.condition(part)),
            Condition::Not(inner) => self.condition(inner).map(|truth| !truth),
            Condition::Path { path, test } => {
                let value = self.path(path)?;
                self.test(test, &value)
            }
            Condition::Signal { signal, key, test } => {
                let value = match key {
                    None => self.signal(*signal, "")?,
                    Some(literal) => {
                        let found = self.literal(literal)?;
                        plain_text(&found)
                            .map_or(Some(Cow::Owned(Value::Null)), |key| self.signal(*signal, &key))?
                    }
                };
                self.test(test, &value)
            }
        }
    }

    fn test(&mut self, test: &Test, value: &Value) -> Truth {
        Some(match test {
            Test::All(tests) => return until(false, tests, |test| self.test(test, value)),
            Test::Not(inner) => !self.test(inner, value)?,
            Test::Is(literal) => is(value, &*self.literal(literal)?),
            Test::Eq(literal) => *value == *self.literal(literal)?,
            Test::Ne(literal) => *value != *self.literal(literal)?,
            Test::In(list) => self.contains(list, value)?,
            Test::Nin(list) => !self.contains(list, value)?,
            Test::Gt(literal) => self.order(value, literal)? == Some(Ordering::Greater),
            Test::Gte(literal) => self.order(value, literal)?.is_some_and(Ordering::is_ge),
            Test::Lt(literal) => self.order(value, literal)? == Some(Ordering::Less),
            Test::Lte(literal) => self.order(value, literal)?.is_some_and(Ordering::is_le),
            Test::Exists(expected) => (*value != Value::Null) == *expected,
            Test::Before(moment) => self.distance(value, moment, true)?,
            Test::After(moment) => self.distance(value, moment, false)?,
        })
    }

    fn order(&mut self, value: &Value, literal: &Literal) -> Option<Option<Ordering>> {
        Some(order(value, &*self.literal(literal)?))
    }

    /// Whether the value, or one of its elements, is in the list.
    fn contains(&mut self, list: &Literal, value: &Value) -> Truth {
        let wanted = match value {
            Value::Array(elements) => elements.as_slice(),
            single => core::slice::from_ref(single),
        };
        if let Literal::List(items) = list {
            return until(true, items, |item| Some(wanted.contains(&*self.literal(item)?)));
        }
        Some(match &*self.literal(list)? {
            Value::Array(items) => items.iter().any(|item| wanted.contains(item)),
            _ => false,
        })
    }

    /// Whether the value's instant lies strictly before (or after) the moment; notes when time alone flips that.
    fn distance(&mut self, value: &Value, moment: &Moment, before: bool) -> Truth {
        let Some(at) = instant(value) else { return Some(false) };
        let other = match moment {
            Moment::Fixed(fixed) => *fixed,
            Moment::Relative(ms) => {
                // With every passing millisecond the moment moves on, so "before" becomes true and "after" false.
                self.note(at.plus(ms.saturating_neg()).plus(i64::from(before)));
                self.document.now().plus(*ms)
            }
            Moment::Path(path) => match instant(&*self.path(path)?) {
                Some(found) => found,
                None => return Some(false),
            },
        };
        Some(if before { at < other } else { at > other })
    }

    fn literal<'l>(&mut self, literal: &'l Literal) -> Option<Cow<'l, Value>>
    where
        'a: 'l,
    {
        match literal {
            Literal::Value(value) => Some(Cow::Borrowed(value)),
            Literal::Path(path) => self.path(path),
            Literal::List(_) => Some(Cow::Owned(Value::Null)),
        }
    }

    fn path(&mut self, path: &Path) -> Option<Cow<'a, Value>> {
        if path.root != Root::Signals {
            return Some(self.document.value(path).unwrap_or(Cow::Owned(Value::Null)));
        }
        let (name, key) = split_at_byte(&path.rest, b'.').unwrap_or((&path.rest, ""));
        match self.document.signal_named(name) {
            Some(signal) => self.signal(signal, key),
            None => Some(Cow::Owned(Value::Null)),
        }
    }

    fn signal(&mut self, signal: SignalId, key: &str) -> Option<Cow<'a, Value>> {
        match self.document.signal(signal, key) {
            Reading::Value(value, until) => {
                until.into_iter().for_each(|at| self.note(at));
                Some(Cow::Owned(value))
            }
            Reading::Missing => Some(Cow::Owned(Value::Null)),
            Reading::Truncated => None,
        }
    }

    fn note(&mut self, at: Timestamp) {
        if at > self.document.now() {
            self.outlook.note(at);
        }
    }
}

/// Asks the parts in turn until one gives `decisive`; an unknown part leaves the whole unknown unless one does.
fn until<T>(decisive: bool, parts: &[T], mut ask: impl FnMut(&T) -> Truth) -> Truth {
    let mut whole = Some(!decisive);
    for part in parts {
        match ask(part) {
            Some(truth) if truth == decisive => return Some(decisive),
            Some(_) => {}
            None => whole = None,
        }
    }
    whole
}
