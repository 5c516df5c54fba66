//! Shares of all units, as they are written.

use attune_core::bundle::WHOLE_SHARE;

/// A percentage in the hundredths of a percent that statements count in.
pub fn share(text: &str) -> Result<u32, String> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let read = (is_number(whole) && is_number(decimals) && decimals.len() <= 2)
        .then(|| format!("{whole}{decimals:0<2}").parse().ok())
        .flatten();
    let told = || "expected a percentage from 0 to 100 with at most two decimals".to_owned();
    read.filter(|share| *share <= WHOLE_SHARE).ok_or_else(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_counts_hundredths_of_a_percent() {
        for (text, expected) in [("0", 0), ("10", 1_000), ("0.5", 50), ("33.33", 3_333), ("100.00", 10_000)] {
            assert_eq!(share(text), Ok(expected), "{text}");
        }
        for text in ["", ".5", "5.", "100.01", "-1", "+1", "1e1", "1.234", "99999999999"] {
            assert!(share(text).is_err(), "{text}");
        }
    }
}
