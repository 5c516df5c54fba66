//! Build, test, demo, tidy, size and bench.

fn main() {}
