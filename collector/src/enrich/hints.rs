//! Client hints of browsers (<https://wicg.github.io/ua-client-hints/>), which count before their user agents: those are
//! frozen, and say too little on purpose.

use super::agent::Named;
use super::names_bot;
use super::text::cut;
use crate::limits::MAX_HINT_BYTES;

/// The headers as they came; each is absent where the browser does not send it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints<'a> {
    /// `Sec-CH-UA-Full-Version-List`, or else `Sec-CH-UA`.
    pub brands: Option<&'a str>,
    /// `Sec-CH-UA-Mobile`.
    pub mobile: Option<&'a str>,
    /// `Sec-CH-UA-Platform`.
    pub platform: Option<&'a str>,
    /// `Sec-CH-UA-Platform-Version`.
    pub platform_version: Option<&'a str>,
    /// `Sec-CH-UA-Model`.
    pub model: Option<&'a str>,
}

/// Brands by the names that user agents are read as.
const BROWSERS: [(&str, &str); 6] = [
    ("Google Chrome", "Chrome"),
    ("HeadlessChrome", "Chrome"),
    ("Microsoft Edge", "Edge"),
    ("YaBrowser", "Yandex"),
    ("Android WebView", "WebView"),
    ("Opera GX", "Opera"),
];

impl Hints<'_> {
    /// The browser: of its brands one that is its own, or else the engine's.
    pub fn browser(&self) -> Named {
        let Some(brands) = self.brands else { return Named::default() };
        let real = || brands_of(cut(brands, MAX_HINT_BYTES)).filter(|(brand, _)| !is_grease(brand));
        let own = real().find(|(brand, _)| *brand != "Chromium").or_else(|| real().next());
        own.map_or_else(Named::default, |(brand, version)| {
            let name = BROWSERS.iter().find(|(from, _)| *from == brand).map_or(brand, |(_, to)| *to);
            Named { name: Some(name.into()), version: version.map(Into::into) }
        })
    }

    /// The operating system.
    pub fn os(&self) -> Named {
        let name = self.platform.and_then(quoted).filter(|name| *name != "Unknown");
        Named {
            name: name.map(|name| if name == "Chromium OS" { "Chrome OS" } else { name }.into()),
            version: self.platform_version.and_then(quoted).map(Into::into),
        }
    }

    /// The kind of device: one that is not for the hand is a tablet where its system is Android.
    pub fn device(&self) -> Option<&'static str> {
        match (self.mobile.map(str::trim), self.platform.and_then(quoted)) {
            (Some("?1"), _) => Some("phone"),
            (Some("?0"), Some("Android")) => Some("tablet"),
            (Some("?0"), _) => Some("desktop"),
            _ => None,
        }
    }

    /// The device's name.
    pub fn model(&self) -> Option<&str> {
        self.model.and_then(quoted)
    }

    /// Whether one of the brands is a program's.
    pub fn is_bot(&self) -> bool {
        self.brands.is_some_and(|brands| names_bot(cut(brands, MAX_HINT_BYTES)))
    }
}

/// Browsers put a brand in that is none, spelled otherwise each time, so that nobody relies on the list.
fn is_grease(brand: &str) -> bool {
    let plain: String = brand.chars().filter(char::is_ascii_alphabetic).collect();
    plain.starts_with("Not") && plain.ends_with("Brand")
}

/// Brands with their versions: `"Chromium";v="126", "Not/A)Brand";v="8"` (RFC 9651, section 3.1).
fn brands_of(mut rest: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    std::iter::from_fn(move || {
        let (brand, after) = text_of(rest)?;
        let (own, next) = item_end(after);
        rest = next;
        let version = own.split_once("v=").and_then(|(_, value)| text_of(value));
        Some((brand, version.map(|(version, _)| version).filter(|version| !version.is_empty())))
    })
}

/// The first text in quotes, and what follows it; none that has an escape in it, which no name of ours has.
fn text_of(text: &str) -> Option<(&str, &str)> {
    text.split_once('"')?.1.split_once('"')
}

/// The parameters of an item, and what stands behind the comma after it.
fn item_end(text: &str) -> (&str, &str) {
    let mut is_inside = false;
    let end = text.find(|c| {
        is_inside ^= c == '"';
        c == ',' && !is_inside
    });
    end.map_or((text, ""), |end| {
        (text.get(..end).unwrap_or_default(), text.get(end + 1..).unwrap_or_default())
    })
}

/// A text that is in quotes and not empty.
fn quoted(text: &str) -> Option<&str> {
    let inner = cut(text, MAX_HINT_BYTES).trim().strip_prefix('"')?.strip_suffix('"')?;
    (!inner.is_empty() && !inner.contains(['"', '\\'])).then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn browser(brands: &str) -> (Option<String>, Option<String>) {
        let named = Hints { brands: Some(brands), ..Hints::default() }.browser();
        (named.name.map(Into::into), named.version.map(Into::into))
    }

    #[test]
    fn the_browser_is_the_brand_that_is_neither_made_up_nor_the_engine() {
        for (brands, name, version) in [
            (
                r#""Not/A)Brand";v="8", "Chromium";v="126", "Google Chrome";v="126""#,
                Some("Chrome"),
                Some("126"),
            ),
            (r#""Microsoft Edge";v="127.0.2", "Not;A=Brand";v="24""#, Some("Edge"), Some("127.0.2")),
            (r#""Chromium";v="126", "Not.A, Brand";v="99""#, Some("Chromium"), Some("126")),
            (r#""Brave""#, Some("Brave"), None),
            (r#""Not A(Brand";v="8""#, None, None),
            ("", None, None),
            (r#"";v="1"#, Some(";v="), None),
            ("no quotes; v=1", None, None),
        ] {
            assert_eq!(browser(brands), (name.map(Into::into), version.map(Into::into)), "{brands}");
        }
    }

    #[test]
    fn system_device_and_model_are_read_where_they_are_texts() {
        let hints = Hints {
            mobile: Some("?0"),
            platform: Some(r#""Android""#),
            platform_version: Some(r#""14.0.0""#),
            model: Some(r#""Pixel Tablet""#),
            ..Hints::default()
        };
        let os = hints.os();
        assert_eq!((os.name.as_deref(), os.version.as_deref()), (Some("Android"), Some("14.0.0")));
        assert_eq!((hints.device(), hints.model()), (Some("tablet"), Some("Pixel Tablet")));
        let odd = Hints { mobile: Some("yes"), platform: Some("Android"), model: Some(r#""""#), ..hints };
        assert_eq!((odd.os().name, odd.device(), odd.model()), (None, None, None));
        let desktop = Hints { platform: Some(r#""Windows""#), ..hints };
        assert_eq!(desktop.device(), Some("desktop"));
    }

    #[test]
    fn a_headless_browser_is_a_program() {
        let hints = Hints { brands: Some(r#""HeadlessChrome";v="126""#), ..Hints::default() };
        assert!(hints.is_bot());
    }
}
