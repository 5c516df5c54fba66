//! The walk through one decision tree, from its root to a leaf, by the arithmetic of the library that has trained it.

use crate::condition::Code;

/// Values up to this size are 0 to a split that takes 0 as missing: LightGBM's `kZeroThreshold`.
const ZERO: f64 = 1e-35_f32 as f64;

/// How a tree is walked.
#[derive(Clone, Copy)]
pub(super) struct Walk<'a> {
    /// The inputs, NaN where one is missing; singles as XGBoost's are.
    pub inputs: &'a [f64],
    /// Whether numbers are singles, compared as XGBoost does.
    pub is_single: bool,
    /// Whether every node is looked at, to check the code.
    pub is_check: bool,
}

impl Walk<'_> {
    /// The value of the leaf that the inputs lead to. A check reads the tree to its end instead, and makes the code
    /// unsound where it is none or is deeper than `depth`.
    ///
    /// A split is followed by its left tree with its length and then by its right tree, so every step moves on.
    pub fn leaf(self, code: &mut Code<'_>, mut depth: usize) -> f64 {
        loop {
            let tag = code.byte();
            if tag & 1 == 0 {
                return self.number(code);
            }
            let input = self.inputs.get(code.number() as usize);
            let (mut threshold, mut set): (f64, &[u8]) = (0.0, &[]);
            if tag & 4 == 0 {
                threshold = self.number(code);
            } else {
                set = code.bytes();
            }
            let mut left = code.sized();
            depth = depth.saturating_sub(1);
            let (Some(value), 1..) = (input, depth) else {
                code.fail();
                return 0.0;
            };
            if self.is_check {
                self.leaf(&mut left, depth);
                if !left.is_whole() {
                    code.fail();
                }
            } else if self.is_left(tag, *value, threshold, set) {
                *code = left;
            }
        }
    }

    fn is_left(self, tag: u8, mut value: f64, threshold: f64, set: &[u8]) -> bool {
        if value.is_nan() && tag & 16 == 0 {
            value = 0.0;
        }
        if value.is_nan() || (tag & 8 != 0 && value.abs() <= ZERO) {
            return tag & 2 != 0;
        }
        if tag & 4 != 0 {
            // Towards zero, as both libraries cut; what is below 0 is in no set.
            let number = value as usize;
            let byte = set.get(number / 8).copied().unwrap_or_default();
            return value > -1.0 && byte >> (number % 8) & 1 == 1;
        }
        if self.is_single { value < threshold } else { value <= threshold }
    }

    fn number(self, code: &mut Code<'_>) -> f64 {
        if self.is_single { code.single() } else { code.double() }
    }
}
