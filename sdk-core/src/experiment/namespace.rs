//! Namespaces: the part of all units that an experiment is kept to.

use super::{HashVersion, Range, bucket};
use alloc::string::String;

/// Whether a unit lies in a part of a namespace. Namespaces hash with version 1 under their name behind two underscores.
pub fn in_namespace(unit: &str, name: &str, part: Range) -> bool {
    let mut seed = String::from("__");
    seed.push_str(name);
    part.contains(bucket(&seed, unit, HashVersion::One))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_namespace_share_no_unit_and_leave_none_out() {
        for unit in ["1", "2", "a", "ü", "日本", "😀"] {
            let lower = in_namespace(unit, "checkout", Range { from: 0.0, until: 0.5 });
            let upper = in_namespace(unit, "checkout", Range { from: 0.5, until: 1.0 });
            assert_ne!(lower, upper, "{unit}");
        }
    }
}
