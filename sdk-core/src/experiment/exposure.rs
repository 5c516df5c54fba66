//! The identity of an exposure: one per unit, experiment, variation, bucket version and session, whoever reports it.

use crate::id::{SessionId, Uuid, derived_uuid, write_uuid};
use alloc::string::String;

/// A unit that has seen a variation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exposure<'a> {
    /// The value that was hashed.
    pub unit: &'a str,
    /// The experiment's id.
    pub experiment: &'a str,
    /// The variation's key.
    pub variation: &'a str,
    /// Bucket version of the experiment.
    pub bucket_version: u32,
    /// The session in which it was seen.
    pub session: Option<SessionId>,
}

/// The event id of an exposure, derived so that tabs, reloads, devices and servers that report the same one agree on
/// it, and a collector counts it once. Each part stands with its length before it, so that parts cannot run together.
#[inline(never)]
pub fn exposure_id(exposure: &Exposure<'_>) -> Uuid {
    let mut name = String::from("exposure");
    let mut part = |text: &str| {
        name.push(' ');
        push_decimal(&mut name, text.len() as u32);
        name.push(':');
        name.push_str(text);
    };
    part(exposure.unit);
    part(exposure.experiment);
    part(exposure.variation);
    name.push(' ');
    push_decimal(&mut name, exposure.bucket_version);
    name.push(' ');
    if let Some(session) = exposure.session {
        write_uuid(session.0, &mut name);
    }
    derived_uuid(&name)
}

fn push_decimal(out: &mut String, number: u32) {
    if number >= 10 {
        push_decimal(out, number / 10);
    }
    out.push(char::from(b'0' + (number % 10) as u8));
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    const SEEN: Exposure<'_> = Exposure {
        unit: "u1",
        experiment: "checkout",
        variation: "b",
        bucket_version: 0,
        session: Some(SessionId(Uuid::from_u128(7))),
    };

    #[test]
    fn every_part_makes_another_exposure() {
        let others = [
            Exposure { unit: "u2", ..SEEN },
            Exposure { experiment: "checkou", variation: "t b", ..SEEN },
            Exposure { variation: "c", ..SEEN },
            Exposure { bucket_version: 1, ..SEEN },
            Exposure { session: Some(SessionId(Uuid::from_u128(8))), ..SEEN },
            Exposure { session: None, ..SEEN },
        ];
        assert_eq!(exposure_id(&SEEN), exposure_id(&SEEN.clone()));
        for other in others {
            assert_ne!(exposure_id(&other), exposure_id(&SEEN), "{other:?}");
        }
    }

    #[test]
    fn the_id_does_not_change_between_versions() {
        assert_eq!(exposure_id(&SEEN).to_string(), "917b24a2-2920-8421-b4be-2432e5e3e198");
    }
}
