//! The kinds of personal data, and how many of each have been found.

use alloc::string::String;

/// One kind of personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An e-mail address.
    Email,
    /// A payment card number.
    Card,
    /// An international bank account number.
    Iban,
    /// A phone number.
    Phone,
    /// An IPv4 or IPv6 address.
    Ip,
}

impl Kind {
    /// All of them, in order of their bits.
    pub const ALL: [Self; 5] = [Self::Email, Self::Card, Self::Iban, Self::Phone, Self::Ip];

    /// The name that a policy uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Card => "card",
            Self::Iban => "iban",
            Self::Phone => "phone",
            Self::Ip => "ip",
        }
    }

    /// Counts a hit and appends what stands in its place.
    pub(super) fn mark(self, counts: &mut Counts, out: &mut String) {
        if let Some(count) = counts.0.get_mut(self as usize) {
            *count += 1;
        }
        out.push('[');
        out.push_str(self.name());
        out.push(']');
    }
}

/// Which kinds are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    /// All of them.
    pub const ALL: Self = Self(31);
    /// None of them.
    pub const NONE: Self = Self(0);

    /// Kinds by their bits, the first of [`Kind::ALL`] being 1; nothing where a bit has no kind.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits > Self::ALL.0 { None } else { Some(Self(bits)) }
    }

    /// The bits.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The same and one more.
    #[must_use]
    pub const fn with(self, kind: Kind) -> Self {
        Self(self.0 | 1 << kind as u8)
    }

    /// Whether a kind is among them.
    pub const fn has(self, kind: Kind) -> bool {
        self.0 >> kind as u8 & 1 == 1
    }
}

/// How many of each kind have been taken out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u32; Kind::ALL.len()]);

impl Counts {
    /// How many of one kind.
    pub fn of(&self, kind: Kind) -> u32 {
        self.0.get(kind as usize).copied().unwrap_or_default()
    }

    /// How many of all kinds.
    pub fn total(&self) -> u32 {
        self.0.iter().sum()
    }
}
