//! Whole-system truth: property tests over client and processor together.
