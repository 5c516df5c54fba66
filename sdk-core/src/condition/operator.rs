//! The JSON forms of the operators beyond plain comparison.

use super::coerce::text_of;
use super::geo::{Place, place, reach};
use super::operators::OperatorPlace;
use super::parse::{ConditionScope, Parser, is_operators, never};
use super::pattern::check_pattern;
use super::problem::ConditionErrorKind;
use super::{Kind, Literal, Network, Test};
use crate::limits::{MAX_SEQ, MAX_SOUGHT_BYTES};
use crate::value::Value;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

impl Parser<'_> {
    pub(super) fn further(&mut self, name: &str, value: &Value) -> Test {
        let not = |test| Test::Not(Box::new(test));
        match name {
            "$ini" | "$nini" => match self.caseless_list(value) {
                Some(list) if name == "$ini" => Test::In(list),
                Some(list) => Test::Nin(list),
                None => self.expected("a list"),
            },
            "$all" | "$alli" => self.all(value, name == "$alli"),
            "$size" => Test::Size(Box::new(self.test(value))),
            "$elemMatch" => self.element(value),
            "$type" => match value.as_str().and_then(kind) {
                Some(kind) => Test::Type(kind),
                None => self.expected("null, boolean, number, string, array or object"),
            },
            "$veq" => Test::VersionIs(self.literal(value)),
            "$vne" => not(Test::VersionIs(self.literal(value))),
            "$vgt" => Test::VersionAbove(self.literal(value)),
            "$vgte" => not(Test::VersionBelow(self.literal(value))),
            "$vlt" => Test::VersionBelow(self.literal(value)),
            "$vlte" => not(Test::VersionAbove(self.literal(value))),
            "$inGroup" | "$notInGroup" => self.group(value, name == "$inGroup"),
            "$regex" => self.pattern(value, ""),
            "$regexi" => self.pattern(value, "i"),
            "$startsWith" | "$startsWithi" => self.sought(name, value, Test::StartsWith),
            "$endsWith" | "$endsWithi" => self.sought(name, value, Test::EndsWith),
            "$contains" | "$containsi" => self.sought(name, value, Test::Contains),
            "$between" => match value {
                Value::Array(bounds) if bounds.len() == 2 => {
                    let tests = bounds.iter().zip([Test::Gte as fn(Literal) -> Test, Test::Lte]).enumerate();
                    Test::All(
                        tests
                            .map(|(index, (bound, wrap))| {
                                self.below(&format!("{index}"), |parser| wrap(parser.literal(bound)))
                            })
                            .collect(),
                    )
                }
                _ => self.expected("a list of two bounds"),
            },
            "$mod" => match value {
                Value::Array(items) => match items.iter().map(whole).collect::<Vec<_>>().as_slice() {
                    [Some(divisor), Some(remainder)] if *divisor != 0 => {
                        Test::Mod { divisor: *divisor, remainder: *remainder }
                    }
                    _ => self.expected("a whole divisor that is not 0 and a whole remainder"),
                },
                _ => self.expected("a list of divisor and remainder"),
            },
            "$cidr" => {
                let texts = match value {
                    Value::Array(items) => items.as_slice(),
                    single => core::slice::from_ref(single),
                };
                match texts.iter().map(|text| Network::parse(text.as_str()?)).collect() {
                    Some(networks) => Test::Cidr(networks),
                    None => self.expected("a network such as 10.0.0.0/8 or 2001:db8::/32, or a list of them"),
                }
            }
            "$geoWithin" => area(value).unwrap_or_else(|| {
                self.expected(
                    "{\"circle\":{\"center\":{\"lat\",\"lon\"},\"radius\":metres}} or {\"polygon\":[…]} of three corners at least",
                )
            }),
            _ => {
                self.fail(ConditionErrorKind::UnknownOperator { name: Box::from(name), place: OperatorPlace::Test });
                never()
            }
        }
    }

    /// A list whose texts are without regard to case.
    fn caseless_list(&mut self, value: &Value) -> Option<Literal> {
        let Value::Array(items) = value else { return None };
        let each = items.iter().enumerate();
        let literals = each.map(|(index, item)| match item {
            Value::String(text) => caseless(text),
            item => self.below(&format!("{index}"), |parser| parser.literal(item)),
        });
        Some(Literal::List(literals.collect()))
    }

    fn all(&mut self, value: &Value, is_caseless: bool) -> Test {
        let Value::Array(items) = value else { return self.expected("a list") };
        let each = items.iter().enumerate();
        let tests = each.map(|(index, item)| {
            let test = match item {
                Value::String(text) if is_caseless => Test::Is(caseless(text)),
                item => self.below(&format!("{index}"), |parser| parser.test(item)),
            };
            Test::Some(Box::new(test))
        });
        // Something that is no list has not even all of nothing.
        let is_list = core::iter::once(Test::Type(Kind::Array)).filter(|_| items.is_empty());
        Test::All(tests.chain(is_list).collect())
    }

    fn element(&mut self, value: &Value) -> Test {
        if !self.is_plain() && !matches!(value, Value::Object(_)) {
            return self.expected("an object of operators or of paths into the element");
        }
        Test::SomeValue(Box::new(if is_operators(value) {
            self.test(value)
        } else {
            let outer = core::mem::replace(&mut self.in_item, true);
            let condition = self.condition(value);
            self.in_item = outer;
            Test::Of(Box::new(condition))
        }))
    }

    fn group(&mut self, value: &Value, is_inside: bool) -> Test {
        let (names, is_plain) = match self.scope {
            ConditionScope::Visitor(names) => (Some(names), false),
            ConditionScope::Plain(names) => (Some(names), true),
            ConditionScope::Event => (None, false),
        };
        let packed = value.to_packed();
        let mut made = String::new();
        let id = if is_plain { text_of(packed.get(), &mut made) } else { value.as_str().unwrap_or_default() };
        let values = match names.and_then(|names| names.group(id)) {
            Some(list @ Value::Array(_)) => list,
            // GrowthBook: a group that nobody knows has no members, one that is broken is no test at all.
            None if is_plain => Value::Array(Vec::new()),
            Some(Value::Object(fields)) if is_plain => {
                let group = Value::Object(fields);
                let is_list = group.field("type") == Some(&Value::string("list"));
                match group.field("values") {
                    Some(list @ Value::Array(_)) if is_list => list.clone(),
                    _ => return never(),
                }
            }
            _ => {
                self.fail(ConditionErrorKind::UnknownGroup(Box::from(id)));
                return never();
            }
        };
        if let Value::Array(items) = &values
            && !self.bring(0, items.len())
        {
            return never();
        }
        let list = Literal::Value(values);
        if is_inside { Test::In(list) } else { Test::Nin(list) }
    }

    fn pattern(&mut self, value: &Value, flags: &str) -> Test {
        if matches!(self.scope, ConditionScope::Event) {
            self.fail(ConditionErrorKind::MisplacedPattern);
            return never();
        }
        let Some(pattern) = value.as_str() else { return self.expected("a regular expression") };
        match check_pattern(pattern, flags) {
            Ok(()) => Test::Matches { pattern: Box::from(pattern), flags: Box::from(flags) },
            Err(error) => {
                self.fail(ConditionErrorKind::BadPattern(error));
                never()
            }
        }
    }

    fn sought(&mut self, name: &str, value: &Value, wrap: fn(Literal) -> Test) -> Test {
        let is_caseless = name.ends_with('i');
        match value {
            Value::String(text) if text.len() <= MAX_SOUGHT_BYTES => {
                wrap(if is_caseless { caseless(text) } else { Literal::Value(value.clone()) })
            }
            Value::Object(_) if !is_caseless && !self.is_plain() => match self.literal(value) {
                path @ Literal::Path(_) => wrap(path),
                _ => self.expected("a text"),
            },
            _ if is_caseless => self.expected("a text of at most 1,024 bytes that stands here"),
            _ => self.expected("a text of at most 1,024 bytes, or a $path"),
        }
    }
}

/// A text without regard to case: in lower case, and each character in the upper case that comes back to it.
fn caseless(text: &str) -> Literal {
    let lower = text.to_lowercase();
    let other = lower.chars().map(|c| {
        let mut upper = c.to_uppercase();
        match (upper.next(), upper.next()) {
            // A sigma at the end of a word is written as any other in upper case.
            _ if c == 'ς' => 'Σ',
            (Some(upper), None) if upper.to_lowercase().eq([c]) => upper,
            _ => c,
        }
    });
    let other = other.collect::<String>().into_boxed_str();
    Literal::Caseless { lower: lower.into_boxed_str(), other }
}

fn kind(name: &str) -> Option<Kind> {
    Some(match name {
        "null" => Kind::Null,
        "boolean" => Kind::Boolean,
        "number" => Kind::Number,
        "string" => Kind::String,
        "array" => Kind::Array,
        "object" => Kind::Object,
        _ => return None,
    })
}

/// A whole number that a double holds exactly.
fn whole(value: &Value) -> Option<i64> {
    let number = value.as_number()?;
    let whole = number as i64;
    (whole as f64 == number && whole.unsigned_abs() <= MAX_SEQ).then_some(whole)
}

fn area(value: &Value) -> Option<Test> {
    let Value::Object(fields) = value else { return None };
    let [(kind, form)] = fields.as_slice() else { return None };
    match &**kind {
        "circle" => {
            let radius = form.field("radius")?.as_number().filter(|radius| *radius >= 0.0)?;
            let centre = place(form.field("center")?.to_packed().get())?;
            let known = |name: &str| matches!(name, "center" | "radius");
            let is_whole =
                matches!(form, Value::Object(fields) if fields.iter().all(|(name, _)| known(name)));
            is_whole.then(|| Test::InCircle { centre, reach: reach(radius) })
        }
        "polygon" => {
            let Value::Array(corners) = form else { return None };
            let corners: Option<Vec<Place>> =
                corners.iter().map(|corner| place(corner.to_packed().get())).collect();
            corners.filter(|corners| corners.len() >= 3).map(Test::InPolygon)
        }
        _ => None,
    }
}
