//! The browser shell of Attune: exports, the driver loop, one web API per file.
