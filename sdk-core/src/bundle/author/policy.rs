//! From the JSON of a filter policy to its data.

use super::SourceFile;
use super::diagnostic::{Diagnostic, Problem, Problems, Severity};
use super::fields::Fields;
use super::json_error::json_message;
use super::locate::line_of_offset;
use crate::condition::nearest;
use crate::filter::{
    BotRule, Kind, Kinds, Others, Policy, Presence, Property, PropertyType, TypePolicy, UrlMode, UrlParams,
};
use crate::limits::{
    MAX_ID_CHARS, MAX_POLICY_BYTES, MAX_POLICY_NAMES, MAX_POLICY_PROPERTIES, MAX_POLICY_RATE,
    MAX_POLICY_TYPES, MAX_RULE_FILE_BYTES, SAMPLE_STEPS,
};
use crate::value::Value;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Reads the file of a filter policy. One with an error gives none: a policy of which a part is left out would let
/// through what its author has forbidden.
pub fn read_policy(file: &SourceFile) -> (Option<Policy>, Vec<Diagnostic>) {
    let broken = |offset: usize, code, message| {
        let line = line_of_offset(&file.text, offset);
        (None, Vec::from([Diagnostic::of_file(&file.name, line, code, message)]))
    };
    if file.text.len() > MAX_RULE_FILE_BYTES {
        let size = file.text.len();
        return broken(
            0,
            "file_too_large",
            format!("the file has {size} bytes; the limit is {MAX_RULE_FILE_BYTES}"),
        );
    }
    let value = match Value::parse(&file.text) {
        Ok(value) => value,
        Err(error) => return broken(error.offset(), error.code(), json_message(error, &file.text)),
    };
    let mut problems = Problems::default();
    let policy = compile(&value, "", &mut problems);
    let found: Vec<Diagnostic> =
        problems.into_iter().map(|problem| problem.in_file(&file.name, &file.text)).collect();
    let is_sound = found.iter().all(|diagnostic| diagnostic.severity != Severity::Error);
    (policy.filter(|_| is_sound), found)
}

/// Compiles a policy that stands at a place of a file.
pub(super) fn compile(value: &Value, at: &str, problems: &mut Problems) -> Option<Policy> {
    let mut fields = Fields::open(value, at, problems)?;
    let mut policy = Policy {
        allow: patterns(&mut fields, "allow"),
        deny: patterns(&mut fields, "deny"),
        bots: if chosen(&mut fields, "bots", &["keep", "drop"]) == 1 { BotRule::Drop } else { BotRule::Keep },
        seed: fields.text("seed").map(Box::from).unwrap_or_default(),
        per_minute: rate(&mut fields, "per_minute", MAX_POLICY_RATE),
        redact: kinds(&mut fields).unwrap_or_default(),
        url_params: UrlParams::default(),
        types: Vec::new(),
    };
    if policy.allow.is_empty() && fields.value("allow").is_some() {
        fields.fail(
            "allow",
            "bad_field",
            "an empty list would allow no event at all; leave it out to allow all",
        );
    }
    let (url_params, types) = (fields.value("url_params"), fields.value("types"));
    let (url_at, types_at) = (fields.place("url_params"), fields.place("types"));
    match types {
        None => {}
        Some(Value::Array(items)) if items.len() <= MAX_POLICY_TYPES => {
            for (index, item) in items.iter().enumerate() {
                let at = format!("{types_at}/{index}");
                let Some(of_type) = of_type(item, &at, fields.problems()) else { continue };
                if policy.types.iter().any(|known| known.on == of_type.on) {
                    let message = "an entry for these event types exists";
                    fields.problems().push(Problem::of(&at, "duplicate_type", &of_type.on, message));
                }
                policy.types.push(of_type);
            }
        }
        Some(_) => {
            fields.fail("types", "bad_field", &format!("expected a list of at most {MAX_POLICY_TYPES}"))
        }
    }
    // The first that covers a type counts: exact ones before longer patterns before shorter ones.
    policy.types.sort_by_key(|of_type| (of_type.on.ends_with('*'), core::cmp::Reverse(of_type.on.len())));
    if let Some(value) = url_params {
        policy.url_params = self::url_params(value, &url_at, fields.problems()).unwrap_or_default();
    }
    let size = policy.to_bytes().len();
    if size > MAX_POLICY_BYTES {
        let message = format!("the policy has {size} bytes when compiled; the limit is {MAX_POLICY_BYTES}");
        fields.problems().push(Problem::of(at, "policy_too_large", "", &message));
    }
    fields.close(&[], &[]);
    Some(policy)
}

fn of_type(value: &Value, at: &str, problems: &mut Problems) -> Option<TypePolicy> {
    let mut fields = Fields::open(value, at, problems)?;
    let on = fields.id("on").filter(|on| is_pattern(on, &mut fields, "on")).unwrap_or_default();
    let mut of_type = TypePolicy::new(on);
    of_type.share = share(&mut fields);
    of_type.per_minute = rate(&mut fields, "per_minute", MAX_POLICY_RATE);
    of_type.redact = kinds(&mut fields);
    let is_closed = chosen(&mut fields, "others", &["keep", "remove"]) == 1;
    of_type.others = if is_closed { Others::Remove } else { Others::Keep };
    let at = fields.place("properties");
    match fields.value("properties") {
        None => {}
        Some(Value::Object(listed)) if listed.len() <= MAX_POLICY_PROPERTIES => {
            for (name, value) in listed {
                let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                of_type.properties.extend(property(name, value, &at, fields.problems()));
            }
        }
        Some(_) => {
            let message = format!("expected an object of at most {MAX_POLICY_PROPERTIES} properties");
            fields.fail("properties", "bad_field", &message);
        }
    }
    fields.close(&[], &[]);
    Some(of_type)
}

fn property(name: &str, value: &Value, at: &str, problems: &mut Problems) -> Option<Property> {
    let mut fields = Fields::open(value, at, problems)?;
    let of = chosen(&mut fields, "type", &PropertyType::ALL.map(PropertyType::name));
    let presence = match fields.value("required") {
        None | Some(Value::Bool(false)) => Presence::Optional,
        Some(Value::Bool(true)) => Presence::Required,
        Some(_) => fields.wrong("required", "expected true or false").unwrap_or_default(),
    };
    let max_bytes = rate(&mut fields, "max_bytes", u32::MAX);
    fields.close(&[], &[]);
    let of = PropertyType::ALL.get(of).copied().unwrap_or_default();
    Some(Property { name: Box::from(name), of, presence, max_bytes })
}

fn url_params(value: &Value, at: &str, problems: &mut Problems) -> Option<UrlParams> {
    let mut fields = Fields::open(value, at, problems)?;
    let (removes, keeps) = (fields.value("remove").is_some(), fields.value("keep").is_some());
    let without_defaults = chosen(&mut fields, "defaults", &["remove", "keep"]) == 1;
    let mode = match (keeps, without_defaults) {
        (true, _) if removes || fields.value("defaults").is_some() => fields
            .wrong("keep", "what is not kept is removed, so neither remove nor defaults stands beside it"),
        (true, _) => Some(UrlMode::KeepListed),
        (false, true) => Some(UrlMode::RemoveListed),
        (false, false) => Some(UrlMode::RemoveSensitive),
    };
    let names = names(&mut fields, if keeps { "keep" } else { "remove" });
    for name in &names {
        is_pattern(name, &mut fields, if keeps { "keep" } else { "remove" });
    }
    fields.close(&[], &[]);
    Some(UrlParams { mode: mode?, names })
}

/// The share of visitors that `sample` names, in steps.
fn share(fields: &mut Fields<'_, '_>) -> u32 {
    let steps = match fields.value("sample") {
        None => return SAMPLE_STEPS,
        Some(Value::Number(share)) if (0.0..=1.0).contains(share) => share * f64::from(SAMPLE_STEPS),
        Some(_) => return fields.wrong("sample", "expected a share from 0 to 1").unwrap_or_default(),
    };
    let whole = libm::round(steps);
    if libm::fabs(whole - steps) > 1e-6 {
        let message = format!("a share has {SAMPLE_STEPS} steps, so it is rounded to {whole} of them");
        fields.warn("sample", "rounded", &message);
    }
    whole as u32
}

fn kinds(fields: &mut Fields<'_, '_>) -> Option<Kinds> {
    let value = fields.value("redact")?;
    if value.as_str() == Some("all") {
        return Some(Kinds::ALL);
    }
    let mut kinds = Kinds::NONE;
    for name in names(fields, "redact") {
        match Kind::ALL.into_iter().find(|kind| kind.name() == &*name) {
            Some(kind) => kinds = kinds.with(kind),
            None => {
                let known = Kind::ALL.map(Kind::name);
                let message = unknown(&name, &known);
                fields.fail("redact", "unknown_kind", &message);
            }
        }
    }
    Some(kinds)
}

/// Which of some words a field has; the first where it is missing or wrong.
fn chosen(fields: &mut Fields<'_, '_>, name: &'static str, known: &[&'static str]) -> usize {
    if fields.value(name).is_none() {
        return 0;
    }
    let Some(word) = fields.text(name) else { return 0 };
    let place = known.iter().position(|known| *known == word);
    if place.is_none() {
        fields.fail(name, "bad_field", &unknown(word, known));
    }
    place.unwrap_or_default()
}

fn unknown(word: &str, known: &[&'static str]) -> String {
    let meant = nearest(word, known.iter().copied())
        .map_or(String::new(), |meant| format!("; did you mean {meant}?"));
    format!("{word} is none of {}{meant}", known.join(", "))
}

/// A whole number above zero.
fn rate(fields: &mut Fields<'_, '_>, name: &'static str, most: u32) -> Option<u32> {
    fields.integer(name, 1, most.into()).and_then(|rate| u32::try_from(rate).ok())
}

fn patterns(fields: &mut Fields<'_, '_>, name: &'static str) -> Vec<Box<str>> {
    let names = names(fields, name);
    for pattern in &names {
        is_pattern(pattern, fields, name);
    }
    names
}

/// Whether a name has its only `*` at its end.
fn is_pattern(pattern: &str, fields: &mut Fields<'_, '_>, name: &str) -> bool {
    let is_sound = !pattern.strip_suffix('*').unwrap_or(pattern).contains('*');
    if !is_sound {
        fields.fail(name, "bad_pattern", &format!("{pattern}: a * stands at the end only"));
    }
    is_sound
}

fn names(fields: &mut Fields<'_, '_>, name: &'static str) -> Vec<Box<str>> {
    let items = match fields.value(name) {
        None => return Vec::new(),
        Some(Value::Array(items)) if items.len() <= MAX_POLICY_NAMES => items,
        Some(_) => {
            let message = format!("expected a list of at most {MAX_POLICY_NAMES} texts");
            return fields.wrong(name, &message).unwrap_or_default();
        }
    };
    let mut names = Vec::new();
    for item in items {
        match item.as_str().filter(|text| !text.is_empty() && text.chars().count() <= MAX_ID_CHARS) {
            Some(text) => names.push(Box::from(text)),
            None => {
                fields.fail(name, "bad_field", &format!("expected texts of 1 to {MAX_ID_CHARS} characters"))
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::author::{Compiled, compile};
    use alloc::borrow::ToOwned;

    fn read(text: &str) -> (Option<Policy>, Vec<Diagnostic>) {
        read_policy(&SourceFile { name: "policy.json".to_owned(), text: text.to_owned() })
    }

    #[test]
    fn a_policy_is_read_with_all_its_parts() {
        let (policy, found) = read(
            r#"{"description":"shop","allow":["page_view","shop.*"],"deny":["shop.debug"],"bots":"drop","seed":"s",
                "per_minute":600,"redact":["email","ip"],"url_params":{"remove":["ref"]},
                "types":[{"on":"shop.*","sample":0.25,"per_minute":60,"redact":[],"others":"remove",
                          "properties":{"price":{"type":"number","required":true,"max_bytes":9},"tag":{}}},
                         {"on":"*"},{"on":"shop.cart"}]}"#,
        );
        assert_eq!(found, []);
        let policy = policy.unwrap();
        assert_eq!((policy.allow.len(), policy.deny.len(), policy.bots), (2, 1, BotRule::Drop));
        assert_eq!(
            (policy.per_minute, policy.redact),
            (Some(600), Kinds::NONE.with(Kind::Email).with(Kind::Ip))
        );
        assert_eq!(policy.url_params.mode, UrlMode::RemoveSensitive);
        let order: Vec<&str> = policy.types.iter().map(|of_type| &*of_type.on).collect();
        assert_eq!(order, ["shop.cart", "shop.*", "*"]);
        let shop = &policy.types[1];
        assert_eq!((shop.share, shop.per_minute, shop.redact), (2_500, Some(60), Some(Kinds::NONE)));
        assert_eq!((shop.others, shop.properties.len()), (Others::Remove, 2));
    }

    #[test]
    fn a_policy_with_an_error_is_none_at_all_and_each_error_has_its_place() {
        let (policy, found) = read(
            r#"{"alow":[],
                "allow":[],
                "deny":["a*b",""],
                "bots":"dorp",
                "per_minute":0,
                "redact":["emial"],
                "url_params":{"keep":["q"],"remove":["x"]},
                "types":[{"on":"a","sample":1.5},
                         {"on":"a","properties":{"p":{"type":"string","required":1,"x":1}}},
                         {"sample":0.12345},
                         7]}"#,
        );
        assert_eq!(policy, None);
        let mut places: Vec<(&str, &str, usize)> =
            found.iter().map(|found| (found.code, &*found.path, found.line)).collect();
        places.sort_by_key(|(_, _, line)| *line);
        let expected = [
            ("unknown_field", "/alow", 1),
            ("bad_field", "/allow", 2),
            ("bad_field", "/deny", 3),
            ("bad_pattern", "/deny", 3),
            ("bad_field", "/bots", 4),
            ("bad_field", "/per_minute", 5),
            ("unknown_kind", "/redact", 6),
            ("bad_field", "/url_params/keep", 7),
            ("bad_field", "/types/0/sample", 8),
            ("bad_field", "/types/1/properties/p/type", 9),
            ("bad_field", "/types/1/properties/p/required", 9),
            ("unknown_field", "/types/1/properties/p/x", 9),
            ("duplicate_type", "/types/1", 9),
            ("missing_field", "/types/2/on", 10),
            ("rounded", "/types/2/sample", 10),
            ("not_an_object", "/types/3", 11),
        ];
        assert_eq!(places, expected);
        assert!(found.iter().any(|found| found.message.contains("did you mean email?")));
    }

    #[test]
    fn what_is_no_json_is_named_with_its_line() {
        for (text, code, line) in [("{\n\"allow\":\n}", "json_unexpected", 3), ("[]", "not_an_object", 1)] {
            let (policy, found) = read(text);
            assert_eq!((policy, found.len()), (None, 1), "{text}");
            assert_eq!((found[0].code, found[0].line), (code, line), "{text}");
        }
    }

    #[test]
    fn a_folder_has_one_filter_and_a_broken_one_keeps_nothing() {
        let file = |name: &str, text: &str| SourceFile { name: name.to_owned(), text: text.to_owned() };
        let alone = |text: &str| compile(&[file("a.json", text)]);
        fn codes(compiled: &Compiled) -> Vec<(&str, &str, usize)> {
            compiled.diagnostics.iter().map(|found| (found.code, &*found.path, found.line)).collect()
        }
        let policy = |compiled: &Compiled| Policy::decode(&compiled.bundle.policy).unwrap();
        let one = r#"{"filter":{"deny":["x"]}}"#;
        let other = r#"{"filter":{"deny":["y"]},"rules":[{"id":"r","slot":"s","actions":[]}]}"#;
        let both = compile(&[file("b.json", other), file("a.json", one)]);
        assert_eq!(codes(&both), [("duplicate_filter", "/filter", 1)]);
        assert_eq!(policy(&both).deny, [Box::from("x")]);
        assert_eq!(both.bundle.rules.len(), 1);
        let broken = alone(r#"{"filter":{"redact":["email"],"dney":["x"]}}"#);
        assert_eq!(codes(&broken), [("unknown_field", "/filter/dney", 1)]);
        assert_eq!(policy(&broken), Policy::keeping_nothing());
        assert_eq!(codes(&alone(r#"{"filter":7}"#)), [("not_an_object", "/filter", 1)]);
        assert!(alone("{}").bundle.policy.is_empty());
    }
}
