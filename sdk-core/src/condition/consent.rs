//! Purposes for which a visitor's data may be used, and which of them the visitor has agreed to.

/// What a rule is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// Fits the page to what the visitor sees right now; reads nothing that is kept about the visitor.
    Functional,
    /// Counts and compares.
    Analytics,
    /// Fits the page to who the visitor is and what the visitor has done.
    #[default]
    Personalization,
}

/// The purposes that are granted; all of them until a host says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consent(u8);

impl Purpose {
    /// Every purpose, at the number that stands for it.
    pub const ALL: [Self; 3] = [Self::Functional, Self::Analytics, Self::Personalization];

    /// The name that rules use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Functional => "functional",
            Self::Analytics => "analytics",
            Self::Personalization => "personalization",
        }
    }
}

impl Default for Consent {
    fn default() -> Self {
        Self(0b111)
    }
}

impl Consent {
    /// The purposes whose bits are set: 1 functional, 2 analytics, 4 personalization.
    pub const fn of_bits(bits: u8) -> Self {
        Self(bits & 0b111)
    }

    /// Exactly these purposes.
    pub fn of(granted: &[Purpose]) -> Self {
        Self(granted.iter().fold(0, |bits, purpose| bits | 1 << *purpose as u8))
    }

    /// Whether a purpose is granted.
    pub const fn grants(self, purpose: Purpose) -> bool {
        self.0 >> purpose as u8 & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_granted_until_a_host_says_otherwise() {
        let granted = |consent: Consent| Purpose::ALL.map(|purpose| consent.grants(purpose));
        assert_eq!(granted(Consent::default()), [true; 3]);
        assert_eq!(granted(Consent::of(&[])), [false; 3]);
        assert_eq!(granted(Consent::of(&[Purpose::Analytics])), [false, true, false]);
        assert_eq!(granted(Consent::of_bits(0b101)), [true, false, true]);
        assert_eq!(Consent::of_bits(0xff), Consent::default());
    }
}
