//! The binary form of a policy, as bundles carry it.

use super::schema::{Presence, Property, PropertyType};
use super::{BotRule, Others, Policy, TypePolicy};
use crate::codec::{CodecError, Source, Writer};
use crate::filter::redact::Kinds;
use crate::filter::url::{UrlMode, UrlParams};
use crate::limits::{
    MAX_POLICY_BYTES, MAX_POLICY_NAMES, MAX_POLICY_PROPERTIES, MAX_POLICY_RATE, MAX_POLICY_TYPES,
    SAMPLE_STEPS,
};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Version of the form, its first byte.
const VERSION: u8 = 1;

impl Policy {
    /// Appends the binary form.
    pub fn encode(&self, out: &mut Writer) {
        out.u8(VERSION);
        put_names(&self.allow, out);
        put_names(&self.deny, out);
        out.bool(self.bots == BotRule::Drop);
        out.str(&self.seed);
        put_rate(self.per_minute, out);
        out.u8(self.redact.bits());
        out.u8(self.url_params.mode as u8);
        put_names(&self.url_params.names, out);
        out.len(self.types.len());
        for of_type in &self.types {
            out.str(&of_type.on);
            out.u64(of_type.share.into());
            put_rate(of_type.per_minute, out);
            out.option(of_type.redact, |out, kinds| out.u8(kinds.bits()));
            out.bool(of_type.others == Others::Remove);
            out.len(of_type.properties.len());
            for property in &of_type.properties {
                out.str(&property.name);
                out.u8(property.of as u8);
                out.bool(property.presence == Presence::Required);
                put_rate(property.max_bytes, out);
            }
        }
    }

    /// The binary form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::new();
        self.encode(&mut out);
        out.into_bytes()
    }

    /// Takes bytes in that are one policy.
    ///
    /// # Errors
    /// Another version, bytes that are no policy, and more than `limits` allow of anything.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut source = Source::new(bytes);
        if source.u8() != VERSION || bytes.len() > MAX_POLICY_BYTES {
            return Err(CodecError);
        }
        let policy = Self {
            allow: names(&mut source),
            deny: names(&mut source),
            bots: if source.bool() { BotRule::Drop } else { BotRule::Keep },
            seed: source.boxed_str(),
            per_minute: number(&mut source, MAX_POLICY_RATE),
            redact: kinds(&mut source),
            url_params: UrlParams { mode: mode(&mut source), names: names(&mut source) },
            types: bounded(&mut source, MAX_POLICY_TYPES, of_type),
        };
        source.finish().map(|()| policy)
    }
}

fn of_type(source: &mut Source<'_>) -> TypePolicy {
    TypePolicy {
        on: source.boxed_str(),
        share: within(source, SAMPLE_STEPS),
        per_minute: number(source, MAX_POLICY_RATE),
        redact: source.option(kinds),
        others: if source.bool() { Others::Remove } else { Others::Keep },
        properties: bounded(source, MAX_POLICY_PROPERTIES, property),
    }
}

fn property(source: &mut Source<'_>) -> Property {
    Property {
        name: source.boxed_str(),
        of: known(source, &PropertyType::ALL),
        presence: if source.bool() { Presence::Required } else { Presence::Optional },
        max_bytes: number(source, u32::MAX),
    }
}

fn put_names(names: &[Box<str>], out: &mut Writer) {
    out.len(names.len());
    names.iter().for_each(|name| out.str(name));
}

fn put_rate(rate: Option<u32>, out: &mut Writer) {
    out.option(rate, |out, rate| out.u64(rate.into()));
}

fn names(source: &mut Source<'_>) -> Vec<Box<str>> {
    bounded(source, MAX_POLICY_NAMES, Source::boxed_str)
}

fn bounded<'a, T>(source: &mut Source<'a>, most: usize, read: impl FnMut(&mut Source<'a>) -> T) -> Vec<T> {
    let list = source.list(read);
    if list.len() > most {
        source.fail();
    }
    list
}

fn number(source: &mut Source<'_>, most: u32) -> Option<u32> {
    source.option(|source| within(source, most))
}

fn within(source: &mut Source<'_>, most: u32) -> u32 {
    let value = source.u64();
    if value > u64::from(most) {
        source.fail();
    }
    value as u32
}

fn kinds(source: &mut Source<'_>) -> Kinds {
    Kinds::from_bits(source.u8()).unwrap_or_else(|| {
        source.fail();
        Kinds::NONE
    })
}

fn mode(source: &mut Source<'_>) -> UrlMode {
    known(source, &UrlMode::ALL)
}

fn known<T: Copy + Default>(source: &mut Source<'_>, all: &[T]) -> T {
    all.get(usize::from(source.u8())).copied().unwrap_or_else(|| {
        source.fail();
        T::default()
    })
}
