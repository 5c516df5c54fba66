//! The native shell of Attune: one binary, attune.
