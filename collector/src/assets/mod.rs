//! The files inside the binary: the built SDK and the demo shop.

use crate::content::{Content, Quality, sha256_etag};
use crate::limits::BEST_COMPRESSED_BYTES;
use hashbrown::HashMap;
use std::sync::Arc;

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// One file.
#[derive(Debug)]
pub struct Asset {
    /// Its bytes, with compressed forms once they are made.
    pub content: Content,
    /// Strong validator.
    pub etag: String,
    /// By its extension.
    pub content_type: &'static str,
    /// Whether its name carries a hash of its content, so that it may be kept for ever.
    pub immutable: bool,
}

/// The SDK and the demo, each by path.
#[derive(Debug)]
pub struct Assets {
    sdk: HashMap<&'static str, Asset>,
    demo: HashMap<&'static str, Asset>,
}

impl Assets {
    /// What this binary carries.
    pub fn embedded() -> Self {
        Self { sdk: index(SDK), demo: index(DEMO) }
    }

    /// Makes the compressed forms on a thread of its own; until then files are served as they are.
    pub fn compress_in_background(self: &Arc<Self>) {
        let assets = self.clone();
        let compress = move || {
            for asset in assets.sdk.values().chain(assets.demo.values()) {
                if asset.content_type != "image/png" && asset.content_type != "font/woff2" {
                    let is_large = asset.content.identity().len() > BEST_COMPRESSED_BYTES;
                    asset.content.compress(if is_large { Quality::Quick } else { Quality::Best });
                }
            }
        };
        if let Err(error) = std::thread::Builder::new().name("compress".into()).spawn(compress) {
            tracing::warn!(%error, "assets are served without compression");
        }
    }

    /// A file of the SDK.
    pub fn sdk(&self, path: &str) -> Option<&Asset> {
        self.sdk.get(path)
    }

    /// A file of the demo.
    pub fn demo(&self, path: &str) -> Option<&Asset> {
        self.demo.get(path)
    }

    /// Whether the SDK is inside.
    pub fn has_sdk(&self) -> bool {
        !self.sdk.is_empty()
    }

    /// Whether the demo is inside.
    pub fn has_demo(&self) -> bool {
        !self.demo.is_empty()
    }
}

fn index(files: &'static [(&'static str, &'static [u8])]) -> HashMap<&'static str, Asset> {
    let assets = files.iter().map(|(path, bytes)| {
        let asset = Asset {
            content: Content::of_static(bytes),
            etag: sha256_etag(bytes),
            content_type: content_type(path),
            immutable: carries_hash(path),
        };
        (*path, asset)
    });
    assets.collect()
}

/// Whether a name has a part of eight or more letters and digits, some of them digits, before its extension, set off
/// by `-` or `.`: the form in which the builds of SDK and demo name what never changes.
fn carries_hash(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some((stem, _)) = name.rsplit_once('.') else { return false };
    let Some((_, hash)) = stem.rsplit_once(['-', '.']) else { return false };
    hash.len() >= 8 && hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "webmanifest" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_are_immutable() {
        for (path, immutable) in [
            ("attune-3f9c2a71.wasm", true),
            ("assets/index-BX3k9_aQ.js", true),
            ("attune.js", false),
            ("attune.min.js", false),
            ("favicon.svg", false),
            ("readme", false),
        ] {
            assert_eq!(carries_hash(path), immutable, "{path}");
        }
    }
}
