//! How requests are looked at, as words.

use crate::enrich::{AddressMode, BotMode, GpcMode};

/// What becomes of events of programs.
///
/// # Errors
/// Says what there is.
pub fn bots(text: &str) -> Result<BotMode, String> {
    one_of(text, &[("mark", BotMode::Mark), ("log", BotMode::Log), ("drop", BotMode::Drop)])
}

/// What is done with Global Privacy Control.
///
/// # Errors
/// Says what there is.
pub fn gpc(text: &str) -> Result<GpcMode, String> {
    one_of(text, &[("honour", GpcMode::Honour), ("ignore", GpcMode::Ignore)])
}

/// What is kept of addresses.
///
/// # Errors
/// Says what there is.
pub fn address(text: &str) -> Result<AddressMode, String> {
    let modes =
        [("truncated", AddressMode::Truncated), ("none", AddressMode::None), ("whole", AddressMode::Whole)];
    one_of(text, &modes)
}

fn one_of<T: Copy>(text: &str, known: &[(&str, T)]) -> Result<T, String> {
    let found = known.iter().find(|(name, _)| *name == text).map(|(_, mode)| *mode);
    found.ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        format!("expected one of {}", names.join(", "))
    })
}
