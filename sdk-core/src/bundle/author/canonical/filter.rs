//! The filter policy as rule files write it.

use super::{Object, name_of};
use crate::filter::{
    BotRule, Kind, Kinds, Others, Policy, Presence, Property, PropertyType, TypePolicy, UrlMode, UrlParams,
};
use crate::limits::SAMPLE_STEPS;
use crate::value::Value;
use alloc::boxed::Box;

/// A policy, without what holds where nothing is said.
pub(super) fn source(policy: &Policy) -> Value {
    let mut fields = Object::default();
    names(&mut fields, "allow", &policy.allow);
    names(&mut fields, "deny", &policy.deny);
    if policy.bots == BotRule::Drop {
        fields.text("bots", "drop");
    }
    if !policy.seed.is_empty() {
        fields.text("seed", &policy.seed);
    }
    fields.some("per_minute", policy.per_minute, |rate| Value::Number(rate.into()));
    fields.some("redact", Some(policy.redact).filter(|kinds| *kinds != Kinds::NONE), kinds);
    let UrlParams { mode, names: listed } = &policy.url_params;
    let mut params = Object::default();
    match mode {
        UrlMode::Keep => {}
        UrlMode::KeepListed => _ = params.add("keep", list(listed)),
        UrlMode::RemoveSensitive => _ = params.add("remove", list(listed)),
        UrlMode::RemoveListed => _ = params.add("remove", list(listed)).text("defaults", "keep"),
    }
    fields.some("url_params", Some(params).filter(|_| *mode != UrlMode::Keep), |mut params| params.finish());
    if !policy.types.is_empty() {
        fields.add("types", Value::Array(policy.types.iter().map(of_type).collect()));
    }
    fields.finish()
}

fn of_type(of_type: &TypePolicy) -> Value {
    let mut fields = Object::default();
    fields.text("on", &of_type.on);
    if of_type.share != SAMPLE_STEPS {
        fields.number("sample", f64::from(of_type.share) / f64::from(SAMPLE_STEPS));
    }
    fields.some("per_minute", of_type.per_minute, |rate| Value::Number(rate.into()));
    fields.some("redact", of_type.redact, kinds);
    if !of_type.properties.is_empty() {
        let mut listed = Object::default();
        for known in &of_type.properties {
            listed.add(&known.name, property(known));
        }
        fields.add("properties", listed.finish());
    }
    if of_type.others == Others::Remove {
        fields.text("others", "remove");
    }
    fields.finish()
}

fn property(property: &Property) -> Value {
    let mut fields = Object::default();
    if property.of != PropertyType::Any {
        fields.text("type", &name_of(&property.of));
    }
    if property.presence == Presence::Required {
        fields.add("required", Value::Bool(true));
    }
    fields.some("max_bytes", property.max_bytes, |bytes| Value::Number(bytes.into())).finish()
}

fn kinds(kinds: Kinds) -> Value {
    let listed = Kind::ALL.into_iter().filter(|kind| kinds.has(*kind));
    Value::Array(listed.map(|kind| Value::string(kind.name())).collect())
}

fn names(fields: &mut Object, name: &str, listed: &[Box<str>]) {
    if !listed.is_empty() {
        fields.add(name, list(listed));
    }
}

fn list(names: &[Box<str>]) -> Value {
    Value::Array(names.iter().map(|name| Value::string(name)).collect())
}
