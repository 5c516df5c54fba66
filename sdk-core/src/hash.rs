//! FNV-1a in the widths the core needs, with a finalizer where the low bits must be even.
//!
//! Source: Fowler, Noll, Vo, "FNV hash", parameters of RFC 9923.

/// FNV-1a with 128 bits, as its upper and lower half; used for derived identities.
///
/// By halves, since the prime is 2^88 + 0x13b: products of wide integers are calls in the page.
pub fn fnv1a_128(bytes: &[u8]) -> [u64; 2] {
    let (mut upper, mut lower) = (0x6c62_272e_07bb_0142_u64, 0x62b8_2175_6295_c58d_u64);
    for byte in bytes {
        lower ^= u64::from(*byte);
        let carry = (((lower & 0xffff_ffff) * 0x13b) >> 32) + (lower >> 32) * 0x13b;
        upper = upper.wrapping_mul(0x13b).wrapping_add(carry >> 32).wrapping_add(lower << 24);
        lower = lower.wrapping_mul(0x13b);
    }
    [upper, lower]
}

/// FNV-1a with 64 bits and the finalizer of MurmurHash3, so that neighbouring keys land far apart.
pub fn key_hash(bytes: &[u8]) -> u64 {
    let mut hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    #[test]
    fn matches_the_published_vectors() {
        assert_eq!(fnv1a_128(b""), [0x6c62_272e_07bb_0142, 0x62b8_2175_6295_c58d]);
        assert_eq!(fnv1a_128(b"a"), [0xd228_cb69_6f1a_8caf, 0x7891_2b70_4e4a_8964]);
    }

    proptest! {
        #[test]
        fn halves_are_those_of_the_wide_product(bytes: Vec<u8>) {
            let wide = bytes.iter().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, |hash, byte| {
                (hash ^ u128::from(*byte)).wrapping_mul((1 << 88) + 0x13b)
            });
            prop_assert_eq!(fnv1a_128(&bytes), [(wide >> 64) as u64, wide as u64]);
        }
    }
}
