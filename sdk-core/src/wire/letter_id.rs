//! Where a refused event stands in the log, which is what it is called by.

use core::fmt;

/// The place of a record in the log; in order of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LetterId {
    /// Log position of its frame.
    pub position: u64,
    /// Its place among the records of the frame, from 0.
    pub index: u32,
}

impl LetterId {
    /// Bytes that sort as ids do.
    pub fn to_key(self) -> [u8; 12] {
        let mut key = [0; 12];
        let (position, index) = key.split_at_mut(8);
        position.copy_from_slice(&self.position.to_be_bytes());
        index.copy_from_slice(&self.index.to_be_bytes());
        key
    }

    /// The id of such bytes; nothing where they are none.
    pub fn from_key(key: &[u8]) -> Option<Self> {
        let (position, index) = key.split_first_chunk()?;
        let (position, index) = (u64::from_be_bytes(*position), u32::from_be_bytes(index.try_into().ok()?));
        Some(Self { position, index })
    }

    /// Reads the form that is written: two numbers and a hyphen between them.
    pub fn parse(text: &str) -> Option<Self> {
        let (position, index) = text.split_once('-')?;
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_plain(position) || !is_plain(index) {
            return None;
        }
        Some(Self { position: position.parse().ok()?, index: index.parse().ok()? })
    }
}

impl fmt::Display for LetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.position, self.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_id_survives_both_of_its_forms_and_keeps_its_order(one: (u64, u32), other: (u64, u32)) {
            let [one, other] = [one, other].map(|(position, index)| LetterId { position, index });
            prop_assert_eq!(LetterId::from_key(&one.to_key()), Some(one));
            prop_assert_eq!(LetterId::parse(&one.to_string()), Some(one));
            prop_assert_eq!(one.to_key().cmp(&other.to_key()), one.cmp(&other));
        }
    }

    #[test]
    fn what_is_no_id_is_none() {
        for text in
            ["", "-", "1", "1-", "-1", "+1-2", "1-2-3", "1--2", "1-4294967296", "18446744073709551616-0"]
        {
            assert_eq!(LetterId::parse(text), None, "{text}");
        }
        assert_eq!(LetterId::from_key(&[0; 11]), None);
        assert_eq!(LetterId::from_key(&[0; 13]), None);
    }
}
