//! Tests and literals as rule files write them.

use super::{Names, Object, duration, one, shown};
use crate::condition::{Kind, Literal, Moment, Network, Place, Test, metres};
use crate::value::Value;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::Ipv6Addr;

type Operator = (&'static str, Value);

impl Names<'_> {
    /// What must hold of a value: a bare literal, or an object of operators.
    pub(super) fn test(&self, test: &Test) -> Value {
        match test {
            Test::Is(of) => literal(of),
            Test::Of(condition) => self.condition(condition),
            other => {
                let mut fields = Object::default();
                for (name, value) in operators(other, self) {
                    fields.add(name, value);
                }
                fields.finish()
            }
        }
    }
}

/// A literal; one without regard to case in lower case.
pub(super) fn literal(of: &Literal) -> Value {
    match of {
        Literal::Value(value) => value.clone(),
        Literal::Path(path) => one("$path", shown(path)),
        Literal::List(items) => Value::Array(items.iter().map(literal).collect()),
        Literal::Caseless { lower, .. } => Value::string(lower),
    }
}

fn operators(of: &Test, names: &Names<'_>) -> Vec<Operator> {
    match of {
        Test::All(tests) => several(tests, names),
        Test::Not(inner) => Vec::from([negated(inner, names)]),
        single => Vec::from([operator(single, names)]),
    }
}

/// Operators side by side. What `$all` asks of some element each stands in one list of it.
fn several(tests: &[Test], names: &Names<'_>) -> Vec<Operator> {
    let mut found: Vec<Operator> = Vec::new();
    for (name, value) in tests.iter().flat_map(|test| operators(test, names)) {
        match (found.iter_mut().find(|(known, _)| *known == name), value) {
            (Some((_, Value::Array(items))), Value::Array(more)) if takes_more(name) => {
                items.extend(more);
            }
            (_, value) => found.push((name, value)),
        }
    }
    found
}

/// Whether lists of an operator that stands twice are one list: some element has to pass for each entry.
pub(super) fn takes_more(operator: &str) -> bool {
    matches!(operator, "$all" | "$alli")
}

fn negated(inner: &Test, names: &Names<'_>) -> Operator {
    match inner {
        Test::VersionIs(of) => ("$vne", literal(of)),
        Test::VersionAbove(of) => ("$vlte", literal(of)),
        Test::VersionBelow(of) => ("$vgte", literal(of)),
        other => ("$not", names.test(other)),
    }
}

fn operator(of: &Test, names: &Names<'_>) -> Operator {
    let caseless = |of: &Literal, plain, other| (if is_caseless(of) { other } else { plain }, literal(of));
    match of {
        Test::Eq(of) => ("$eq", literal(of)),
        Test::Ne(of) => ("$ne", literal(of)),
        Test::In(of) => caseless(of, "$in", "$ini"),
        Test::Nin(of) => caseless(of, "$nin", "$nini"),
        Test::Gt(of) => ("$gt", literal(of)),
        Test::Gte(of) => ("$gte", literal(of)),
        Test::Lt(of) => ("$lt", literal(of)),
        Test::Lte(of) => ("$lte", literal(of)),
        Test::Exists(is_there) => ("$exists", Value::Bool(*is_there)),
        Test::Before(at) => ("$before", moment(at)),
        Test::After(at) => ("$after", moment(at)),
        Test::Some(inner) => {
            let name = if matches!(&**inner, Test::Is(of) if is_caseless(of)) { "$alli" } else { "$all" };
            (name, Value::Array(Vec::from([names.test(inner)])))
        }
        Test::SomeValue(inner) => ("$elemMatch", names.test(inner)),
        Test::Size(inner) => ("$size", names.test(inner)),
        Test::Type(kind) => ("$type", Value::string(kind_name(*kind))),
        Test::VersionIs(of) => ("$veq", literal(of)),
        Test::VersionAbove(of) => ("$vgt", literal(of)),
        Test::VersionBelow(of) => ("$vlt", literal(of)),
        Test::StartsWith(of) => caseless(of, "$startsWith", "$startsWithi"),
        Test::EndsWith(of) => caseless(of, "$endsWith", "$endsWithi"),
        Test::Contains(of) => caseless(of, "$contains", "$containsi"),
        Test::Mod { divisor, remainder } => ("$mod", numbers([*divisor as f64, *remainder as f64])),
        Test::Matches { pattern, flags } => {
            (if flags.is_empty() { "$regex" } else { "$regexi" }, Value::string(pattern))
        }
        Test::Cidr(networks) => (
            "$cidr",
            match networks.as_slice() {
                [single] => network(single),
                several => Value::Array(several.iter().map(network).collect()),
            },
        ),
        Test::InCircle { centre, reach } => ("$geoWithin", circle(*centre, *reach)),
        Test::InPolygon(corners) => {
            let corners = corners.iter().map(|corner| numbers([corner.lat, corner.lon])).collect();
            ("$geoWithin", one("polygon", Value::Array(corners)))
        }
        Test::Is(of) => ("$eq", literal(of)),
        Test::Of(inner) => ("$elemMatch", names.condition(inner)),
        Test::All(_) | Test::Not(_) => ("$not", one("$not", names.test(of))),
    }
}

fn is_caseless(of: &Literal) -> bool {
    match of {
        Literal::Caseless { .. } => true,
        Literal::List(items) => items.iter().any(is_caseless),
        Literal::Value(_) | Literal::Path(_) => false,
    }
}

fn moment(at: &Moment) -> Value {
    match at {
        Moment::Relative(ms) => duration(*ms),
        Moment::Fixed(at) => shown(at),
        Moment::Path(path) => one("$path", shown(path)),
    }
}

const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "null",
        Kind::Boolean => "boolean",
        Kind::Number => "number",
        Kind::String => "string",
        Kind::Array => "array",
        Kind::Object => "object",
    }
}

fn numbers<const N: usize>(numbers: [f64; N]) -> Value {
    Value::Array(numbers.into_iter().map(Value::Number).collect())
}

/// A network; those of IPv4 with four numbers.
fn network(network: &Network) -> Value {
    let bits = network.bits.min(128);
    let address = Ipv6Addr::from(network.address);
    let text: String = match address.to_ipv4_mapped().filter(|_| bits >= 96) {
        Some(four) => format!("{four}/{}", bits - 96),
        None => format!("{address}/{bits}"),
    };
    Value::string(&text)
}

fn circle(centre: Place, reach: f64) -> Value {
    let centre = Object::default().number("lat", centre.lat).number("lon", centre.lon).finish();
    let circle = Object::default().add("center", centre).number("radius", metres(reach)).finish();
    one("circle", circle)
}
