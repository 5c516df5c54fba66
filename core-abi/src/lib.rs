//! sdk-core as core.wasm for any host: a byte interface with zero imports.
