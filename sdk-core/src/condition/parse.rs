//! From rule JSON to conditions; whatever is unknown is an error with its place, never a test that passes.

use super::coerce::truthy;
use super::depth::depth;
use super::inspect::count_tests;
use super::operators::OperatorPlace;
use super::problem::{ConditionError, ConditionErrorKind};
use super::{Condition, Literal, Moment, Over, Path, Root, Test};
use crate::id::{ModelId, SignalId};
use crate::limits::{MAX_CONDITION_DEPTH, MAX_CONDITION_TESTS, MAX_CONDITION_VALUES};
use crate::time::{Timestamp, parse_duration_ms};
use crate::value::Value;
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Which document a condition is about.
#[derive(Clone, Copy)]
pub enum ConditionScope<'a> {
    /// One event: bare paths, for `where` of a signal.
    Event,
    /// The visitor: `traits.*`, `signals.*`, `segments.*`, `context.*`, `event.*`; what has a name is looked up.
    Visitor(&'a dyn Names),
    /// Any object: bare paths, read as GrowthBook does: what is unknown does not hold and is no error.
    Plain(&'a dyn Names),
}

/// What conditions name.
pub trait Names {
    /// A signal.
    fn signal(&self, name: &str) -> Option<KnownSignal>;
    /// The condition of a segment.
    fn segment(&self, _id: &str) -> Option<&Condition> {
        None
    }
    /// The elements of a group, or what else the author has put there.
    fn group(&self, _id: &str) -> Option<Value> {
        None
    }
    /// Counts tests and values that names bring in; whether they fit beside all others.
    fn brings(&self, _count: usize) -> bool {
        true
    }
}

impl<F: Fn(&str) -> Option<KnownSignal>> Names for F {
    fn signal(&self, name: &str) -> Option<KnownSignal> {
        self(name)
    }
}

/// A signal as conditions need to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownSignal {
    /// Its id.
    pub id: SignalId,
    /// Whether it has one value per key.
    pub keyed: bool,
}

/// Finds the model of a name.
pub type KnownModels<'a> = &'a dyn Fn(&str) -> Option<ModelId>;

/// Compiles a condition in which no score can be read; `at` is the JSON pointer under which it stands.
///
/// # Errors
/// Everything that is wrong with it, in reading order.
pub fn parse_condition(
    value: &Value,
    scope: ConditionScope<'_>,
    at: &str,
) -> Result<Condition, Vec<ConditionError>> {
    parse_with(value, scope, None, at)
}

/// Compiles a condition that may read scores; `models` finds the model of a name.
///
/// # Errors
/// Everything that is wrong with it, in reading order.
pub fn parse_scored_condition(
    value: &Value,
    scope: ConditionScope<'_>,
    models: KnownModels<'_>,
    at: &str,
) -> Result<Condition, Vec<ConditionError>> {
    parse_with(value, scope, Some(models), at)
}

fn parse_with(
    value: &Value,
    scope: ConditionScope<'_>,
    models: Option<KnownModels<'_>>,
    at: &str,
) -> Result<Condition, Vec<ConditionError>> {
    let mut parser = Parser {
        scope,
        models,
        at: at.to_owned(),
        errors: Vec::new(),
        in_item: false,
        tests: 0,
        values: 0,
        groups: Vec::new(),
    };
    let condition = parser.condition(value);
    if depth(&condition) > MAX_CONDITION_DEPTH {
        parser.refuse(ConditionErrorKind::TooDeep);
    } else if count_tests(&condition) > MAX_CONDITION_TESTS {
        parser.refuse(ConditionErrorKind::TooLarge);
    }
    if parser.errors.is_empty() { Ok(condition) } else { Err(parser.errors) }
}

/// Compiles a path such as the one of `by`, `of` or a cap's `key`.
///
/// # Errors
/// A path that this document does not have.
pub fn parse_path(text: &str, scope: ConditionScope<'_>) -> Result<Path, ConditionErrorKind> {
    let (first, rest) = text.split_once('.').unwrap_or((text, ""));
    let unknown = || ConditionErrorKind::UnknownPath(Box::from(text));
    match scope {
        ConditionScope::Event => {
            let known = match first {
                "metadata" => !rest.split('.').any(str::is_empty) || !text.contains('.'),
                "event_type" | "timestamp" | "event_id" | "session_id" | "user_id" => rest.is_empty(),
                _ => false,
            };
            match known {
                true => Ok(Path { root: Root::Bare, rest: Box::from(text) }),
                false => Err(ConditionErrorKind::UnknownEventPath(Box::from(text))),
            }
        }
        ConditionScope::Visitor(signals) => {
            let path =
                Path::parse(text).filter(|_| !rest.split('.').any(str::is_empty)).ok_or_else(unknown)?;
            match path.root {
                Root::Event => {
                    parse_path(rest, ConditionScope::Event).map_err(|_| unknown())?;
                }
                Root::Signals => {
                    let (name, key) = rest.split_once('.').map_or((rest, false), |(name, _)| (name, true));
                    check_key(name, key, signals.signal(name))?;
                }
                _ => {}
            }
            Ok(path)
        }
        ConditionScope::Plain(_) => Ok(Path { root: Root::Bare, rest: Box::from(text) }),
    }
}

fn check_key(name: &str, has_key: bool, known: Option<KnownSignal>) -> Result<SignalId, ConditionErrorKind> {
    let signal = known.ok_or_else(|| ConditionErrorKind::UnknownSignal(Box::from(name)))?;
    match (signal.keyed, has_key) {
        (true, false) => Err(ConditionErrorKind::KeyMissing(Box::from(name))),
        (false, true) => Err(ConditionErrorKind::KeyUnexpected(Box::from(name))),
        _ => Ok(signal.id),
    }
}

pub(super) struct Parser<'a> {
    pub(super) scope: ConditionScope<'a>,
    pub(super) models: Option<KnownModels<'a>>,
    at: String,
    errors: Vec<ConditionError>,
    /// Whether paths lead into the element that `$elemMatch` looks at.
    pub(super) in_item: bool,
    /// Tests and values that names have brought in so far.
    tests: usize,
    values: usize,
    /// The saved groups whose conditions are being read.
    pub(super) groups: Vec<Box<str>>,
}

impl Parser<'_> {
    /// Notes an error; where leniency is asked for there is none.
    pub(super) fn fail(&mut self, kind: ConditionErrorKind) {
        if !self.is_plain() {
            self.refuse(kind);
        }
    }

    pub(super) fn refuse(&mut self, kind: ConditionErrorKind) {
        self.errors.push(ConditionError { at: self.at.clone(), kind });
    }

    /// Notes what was expected of a literal; the test that takes its place does not hold.
    pub(super) fn expected(&mut self, what: &'static str) -> Test {
        self.fail(ConditionErrorKind::BadLiteral(what));
        never()
    }

    pub(super) const fn is_plain(&self) -> bool {
        matches!(self.scope, ConditionScope::Plain(_))
    }

    /// Where an operator stands that stands where a path would.
    const fn place(&self) -> OperatorPlace {
        match self.scope {
            _ if self.in_item => OperatorPlace::Item,
            ConditionScope::Event => OperatorPlace::Event,
            ConditionScope::Visitor(_) | ConditionScope::Plain(_) => OperatorPlace::Visitor,
        }
    }

    /// Reads what stands under a key or index, with the pointer moved there.
    pub(super) fn below<T>(&mut self, step: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.at.len();
        self.at.push('/');
        self.at.push_str(&step.replace('~', "~0").replace('/', "~1"));
        let result = read(self);
        self.at.truncate(length);
        result
    }

    pub(super) fn condition(&mut self, value: &Value) -> Condition {
        let Value::Object(fields) = value else {
            if self.is_plain() {
                return self.shapeless(value);
            }
            self.fail(ConditionErrorKind::BadLiteral("an object of paths and operators"));
            return Condition::Any(Vec::new());
        };
        let parts = fields.iter().map(|(name, field)| self.below(name, |parser| parser.clause(name, field)));
        single(parts.collect(), Condition::All)
    }

    fn clause(&mut self, name: &str, value: &Value) -> Condition {
        match name {
            "$and" => Condition::All(self.conditions(value)),
            "$or" => Condition::Any(self.conditions(value)),
            "$nor" => Condition::Not(Box::new(Condition::Any(self.conditions(value)))),
            "$not" => Condition::Not(Box::new(self.condition(value))),
            "$savedGroup" if self.is_plain() => self.saved_group(value),
            _ if self.in_item && (self.is_plain() || !name.starts_with('$')) => {
                Condition::Item { path: Box::from(name), test: self.test(value) }
            }
            "$signal" if !self.is_plain() && !self.in_item => self.signal(value),
            "$segment" if !self.is_plain() && !self.in_item => {
                self.segment(value.as_str().unwrap_or_default())
            }
            "$bucket" if !self.is_plain() && !self.in_item => self.bucket(value),
            "$tod" | "$dow" if !self.is_plain() && !self.in_item => self.calendar(name, value),
            "$score" if !self.is_plain() && !self.in_item => self.score(value),
            _ if name.starts_with('$') && !self.is_plain() => {
                let place = self.place();
                self.fail(ConditionErrorKind::UnknownOperator { name: Box::from(name), place });
                Condition::Any(Vec::new())
            }
            _ => match (self.scope, name.strip_prefix("segments.")) {
                (ConditionScope::Visitor(_), Some(id)) => {
                    Condition::Truth { of: Box::new(self.segment(id)), test: self.test(value) }
                }
                _ => Condition::Path { path: self.path(name), test: self.test(value) },
            },
        }
    }

    fn segment(&mut self, id: &str) -> Condition {
        let found = match self.scope {
            ConditionScope::Visitor(names) => names.segment(id),
            ConditionScope::Event | ConditionScope::Plain(_) => None,
        };
        let Some(found) = found else {
            self.fail(ConditionErrorKind::UnknownSegment(Box::from(id)));
            return Condition::Any(Vec::new());
        };
        if self.bring(count_tests(found), 0) { found.clone() } else { Condition::Any(Vec::new()) }
    }

    /// Counts tests and values that a name brings in; too many are an error.
    pub(super) fn bring(&mut self, tests: usize, values: usize) -> bool {
        self.tests += tests;
        self.values += values;
        let fits = self.tests <= MAX_CONDITION_TESTS && self.values <= MAX_CONDITION_VALUES;
        if !fits {
            self.refuse(ConditionErrorKind::TooLarge);
            return false;
        }
        let fits_all = match self.scope {
            ConditionScope::Visitor(names) => names.brings(tests + values),
            ConditionScope::Event | ConditionScope::Plain(_) => true,
        };
        if !fits_all {
            self.refuse(ConditionErrorKind::TooMuchBrought);
        }
        fits_all
    }

    fn conditions(&mut self, value: &Value) -> Vec<Condition> {
        let Value::Array(items) = value else {
            // GrowthBook: what has no elements has nothing that does not hold.
            self.fail(ConditionErrorKind::BadLiteral("an array of conditions"));
            return Vec::new();
        };
        let each = items.iter().enumerate();
        each.map(|(index, item)| self.below(&format!("{index}"), |parser| parser.condition(item))).collect()
    }

    fn signal(&mut self, value: &Value) -> Condition {
        let Value::Object(fields) = value else {
            self.fail(ConditionErrorKind::BadLiteral("an object with name, key and is"));
            return Condition::Any(Vec::new());
        };
        self.check_fields(fields, &["name", "key", "is"]);
        let over = value.field("key").and_then(over);
        let key = value.field("key").filter(|_| over.is_none());
        let key = key.map(|key| self.below("key", |parser| parser.literal(key)));
        let test = self.is(value);
        let name = value.field("name").and_then(Value::as_str).unwrap_or_default();
        let known = match self.scope {
            ConditionScope::Event | ConditionScope::Plain(_) => None,
            ConditionScope::Visitor(names) => names.signal(name),
        };
        match check_key(name, key.is_some() || over.is_some(), known) {
            Ok(signal) => match over {
                Some(over) => Condition::Keys { signal, over, test },
                None => Condition::Signal { signal, key, test },
            },
            Err(kind) => {
                self.below("name", |parser| parser.fail(kind));
                Condition::Any(Vec::new())
            }
        }
    }

    /// What must hold of a signal or a score.
    pub(super) fn is(&mut self, value: &Value) -> Test {
        match value.field("is") {
            Some(test) => self.below("is", |parser| parser.test(test)),
            None => {
                self.fail(ConditionErrorKind::BadLiteral("`is` with what must hold of the value"));
                Test::All(Vec::new())
            }
        }
    }

    pub(super) fn check_fields(&mut self, fields: &[(Box<str>, Value)], known: &[&str]) {
        for (name, _) in fields.iter().filter(|(name, _)| !known.contains(&&**name)) {
            self.below(name, |parser| parser.fail(ConditionErrorKind::UnknownField(name.clone())));
        }
    }

    pub(super) fn test(&mut self, value: &Value) -> Test {
        let operators = match value {
            Value::Object(fields)
                if is_operators(value) && (self.is_plain() || value.field("$path").is_none()) =>
            {
                fields
            }
            _ => return Test::Is(self.literal(value)),
        };
        let tests =
            operators.iter().map(|(name, field)| self.below(name, |parser| parser.operator(name, field)));
        single(tests.collect(), Test::All)
    }

    fn operator(&mut self, name: &str, value: &Value) -> Test {
        let wrap = match name {
            "$not" => return Test::Not(Box::new(self.test(value))),
            "$in" => return Test::In(self.list(value)),
            // GrowthBook: a `$nin` of something that is no list does not hold, as little as its `$in` does.
            "$nin" => {
                let list = self.list(value);
                let wrap = if matches!(list, Literal::Value(Value::Null)) { Test::In } else { Test::Nin };
                return wrap(list);
            }
            "$exists" => {
                if !matches!(value, Value::Bool(_)) {
                    self.fail(ConditionErrorKind::BadLiteral("true or false"));
                }
                return Test::Exists(truthy(value.to_packed().get()));
            }
            "$before" if !self.is_plain() => return Test::Before(self.moment(value)),
            "$after" if !self.is_plain() => return Test::After(self.moment(value)),
            "$eq" => Test::Eq,
            "$ne" => Test::Ne,
            "$gt" => Test::Gt,
            "$gte" => Test::Gte,
            "$lt" => Test::Lt,
            "$lte" => Test::Lte,
            _ => return self.further(name, value),
        };
        wrap(self.literal(value))
    }

    pub(super) fn literal(&mut self, value: &Value) -> Literal {
        let Value::Object(fields) = value else { return Literal::Value(value.clone()) };
        if self.is_plain() {
            return Literal::Value(value.clone());
        }
        if let (1, Some(path)) = (fields.len(), value.field("$path")) {
            let text = path.as_str().unwrap_or_default();
            return Literal::Path(self.below("$path", |parser| parser.path(text)));
        }
        if let Some((operator, _)) = fields.iter().find(|(name, _)| name.starts_with('$')) {
            let (name, place) = (operator.clone(), OperatorPlace::Literal);
            self.below(operator, |parser| parser.fail(ConditionErrorKind::UnknownOperator { name, place }));
        }
        Literal::Value(value.clone())
    }

    fn list(&mut self, value: &Value) -> Literal {
        let Value::Array(items) = value else {
            return match self.literal(value) {
                Literal::Path(path) => Literal::Path(path),
                _ => Literal::Value(Value::Null),
            };
        };
        let each = items.iter().enumerate();
        let literals: Vec<Literal> = each
            .map(|(index, item)| self.below(&format!("{index}"), |parser| parser.literal(item)))
            .collect();
        if literals.iter().any(|literal| matches!(literal, Literal::Path(_))) {
            Literal::List(literals)
        } else {
            Literal::Value(value.clone())
        }
    }

    fn moment(&mut self, value: &Value) -> Moment {
        match value {
            Value::Number(ms) => return Moment::Fixed(Timestamp(*ms as i64)),
            Value::String(text) => {
                if let Some(found) = parse_duration_ms(text).map(Moment::Relative) {
                    return found;
                }
                if let Some(found) = Timestamp::parse(text).map(Moment::Fixed) {
                    return found;
                }
            }
            _ => {
                if let Literal::Path(path) = self.literal(value) {
                    return Moment::Path(path);
                }
            }
        }
        self.fail(ConditionErrorKind::BadLiteral(
            "an RFC 3339 instant, a duration relative to now such as \"-30m\", milliseconds or a $path",
        ));
        Moment::Relative(0)
    }

    pub(super) fn path(&mut self, text: &str) -> Path {
        parse_path(text, self.scope).unwrap_or_else(|kind| {
            self.fail(kind);
            Path { root: Root::Bare, rest: Box::default() }
        })
    }
}

/// What a key stands for that is `{"any":true}` or `{"max":true}`.
fn over(key: &Value) -> Option<Over> {
    let Value::Object(fields) = key else { return None };
    match fields.as_slice() {
        [(name, Value::Bool(true))] if &**name == "any" => Some(Over::Any),
        [(name, Value::Bool(true))] if &**name == "max" => Some(Over::Max),
        _ => None,
    }
}

/// A test that does not hold.
pub(super) fn never() -> Test {
    Test::Not(Box::new(Test::All(Vec::new())))
}

pub(super) fn is_operators(value: &Value) -> bool {
    matches!(value, Value::Object(fields)
        if !fields.is_empty() && fields.iter().all(|(name, _)| name.starts_with('$')))
}

fn single<T>(mut parts: Vec<T>, many: impl FnOnce(Vec<T>) -> T) -> T {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            many(parts)
        }
    }
}
