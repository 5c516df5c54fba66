//! The clock skew inside a batch's context.

use alloc::borrow::Cow;
use core::fmt;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The first `clock_skew_ms` of a context: the SDK writes its own before whatever a site has set.
pub(super) struct Skew(pub Option<i64>);

impl<'de> Deserialize<'de> for Skew {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct First;
        impl<'de> Visitor<'de> for First {
            type Value = Skew;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a context object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Skew, A::Error> {
                let mut found = None;
                while let Some(name) = fields.next_key::<Cow<'de, str>>()? {
                    if name == "clock_skew_ms" && found.is_none() {
                        found = Some(fields.next_value::<&RawValue>()?.get().parse().ok());
                    } else {
                        fields.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Skew(found.flatten()))
            }
        }
        deserializer.deserialize_map(First)
    }
}
