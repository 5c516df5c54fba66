//! Preview: a variation forced by the page's own address, `?<experiment>=<index>`.

/// The variation that an address forces for an experiment with `count` variations.
///
/// What counts is what stands between the first question mark and the next one, up to a `#`; of several values the
/// first. A value is read as JavaScript's `parseInt` does, so `1abc` is 1 and `0x1` is 1.
pub fn previewed(experiment: &str, address: &str, count: usize) -> Option<usize> {
    let query = address.split('?').nth(1)?;
    let query = query.split('#').next().unwrap_or_default();
    let mut values = query.split('&').filter_map(|pair| {
        let mut parts = pair.split('=');
        (parts.next() == Some(experiment)).then(|| parts.next().unwrap_or_default())
    });
    leading_integer(values.next()?).filter(|index| *index < count)
}

/// The integer at the front of a text; nothing where there is none or it is negative. One too large stays too large.
fn leading_integer(text: &str) -> Option<usize> {
    let text = text
        .trim_start_matches(|sign: char| (sign.is_whitespace() && sign != '\u{85}') || sign == '\u{feff}');
    let (is_negative, text) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (radix, text) = hexadecimal.map_or((10, text), |rest| (16, rest));
    let mut number = None;
    for sign in text.chars() {
        let Some(digit) = sign.to_digit(radix) else { break };
        let before: usize = number.unwrap_or_default();
        number = Some(before.saturating_mul(radix as usize).saturating_add(digit as usize));
    }
    number.filter(|number| !is_negative || *number == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_variation_by_its_index() {
        for (address, expected) in [
            ("https://x.example/?exp=1", Some(1)),
            ("https://x.example/?a=b&exp=0#exp=1", Some(0)),
            ("?exp=1&exp=0", Some(1)),
            ("?exp=x&exp=0", None),
            ("?exp=2", None),
            ("?exp=-1", None),
            ("?exp=-0", Some(0)),
            ("?exp= +1px", Some(1)),
            ("?exp=0x1", Some(1)),
            ("?exp=1=0", Some(1)),
            ("?exp", None),
            ("?exp=1?exp=0", Some(1)),
            ("?x?exp=1", None),
            ("#?exp=1", Some(1)),
            ("?exp=99999999999999999999999", None),
            ("https://x.example/exp=1", None),
            ("", None),
        ] {
            assert_eq!(previewed("exp", address, 2), expected, "{address}");
        }
    }
}
