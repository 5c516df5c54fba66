//! What a user agent says: browser, system, kind of device, and whether it is a program.

use super::names_bot;
use woothee::parser::Parser;

/// What a user agent has been read as; what it does not say is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agent {
    /// The browser.
    pub browser: Named,
    /// The operating system.
    pub os: Named,
    /// `desktop`, `phone`, `tablet` or `console`.
    pub device: Option<&'static str>,
    /// Whether it names itself a program.
    pub is_bot: bool,
}

/// A name and a version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// What it is called.
    pub name: Option<Box<str>>,
    /// The version, numbers with dots.
    pub version: Option<Box<str>>,
}

/// Names that the parser has for what everybody calls otherwise, client hints among them.
const BROWSERS: [(&str, &str); 3] =
    [("SamsungBrowser", "Samsung Internet"), ("Yandex Browser", "Yandex"), ("webview", "WebView")];

impl Agent {
    /// Reads a user agent.
    pub fn read(text: &str) -> Self {
        let is_bot = names_bot(text);
        let Some(found) = Parser::new().parse(text) else { return Self { is_bot, ..Self::default() } };
        if found.category == "crawler" {
            return Self { is_bot: true, browser: named(found.name, found.version), ..Self::default() };
        }
        let name = BROWSERS.iter().find(|(from, _)| *from == found.name).map_or(found.name, |(_, to)| *to);
        let os = system(found.os, &found.os_version);
        let is_tablet = text.contains("iPad") || (found.os == "Android" && !text.contains("Mobile"));
        let device = match found.category {
            "pc" => Some("desktop"),
            "smartphone" if is_tablet => Some("tablet"),
            "smartphone" | "mobilephone" => Some("phone"),
            "appliance" => Some("console"),
            _ => None,
        };
        Self { browser: named(name, found.version), os, device, is_bot }
    }
}

fn named(name: &str, version: &str) -> Named {
    Named { name: known(name), version: known(version) }
}

fn known(text: &str) -> Option<Box<str>> {
    let is_known = !text.is_empty() && text != "UNKNOWN";
    is_known.then(|| text.into())
}

/// The system by the name that client hints have for it.
fn system(os: &str, version: &str) -> Named {
    let name = match os {
        _ if os.starts_with("Windows") => "Windows",
        "Mac OSX" => "macOS",
        "iPhone" | "iPad" | "iPod" | "iOS" => "iOS",
        "ChromeOS" => "Chrome OS",
        _ => os,
    };
    let version = version.strip_prefix("NT ").unwrap_or(version).replace('_', ".");
    named(name, &version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn browsers_are_told_apart_by_name_version_system_and_device() {
        for (text, browser, version, os, os_version, device) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
                "Chrome",
                "126.0.0.0",
                "Windows",
                "10.0",
                "desktop",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.2592.87",
                "Edge",
                "126.0.2592.87",
                "Windows",
                "10.0",
                "desktop",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
                "Safari",
                "17.5",
                "macOS",
                "10.15.7",
                "desktop",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
                "Firefox",
                "128.0",
                "Linux",
                "",
                "desktop",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
                "Safari",
                "17.5",
                "iOS",
                "17.5.1",
                "phone",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1",
                "Safari",
                "16.6",
                "iOS",
                "16.6",
                "tablet",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.6478.122 Mobile Safari/537.36",
                "Chrome",
                "126.0.6478.122",
                "Android",
                "14",
                "phone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 13; SM-X906C) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Safari/537.36",
                "Samsung Internet",
                "25.0",
                "Android",
                "13",
                "tablet",
            ),
        ] {
            let agent = Agent::read(text);
            let shown = |text: &Option<Box<str>>| text.as_deref().unwrap_or_default().to_owned();
            assert_eq!(
                (shown(&agent.browser.name), shown(&agent.browser.version)),
                (browser.into(), version.into()),
                "{text}"
            );
            assert_eq!(
                (shown(&agent.os.name), shown(&agent.os.version)),
                (os.into(), os_version.into()),
                "{text}"
            );
            assert_eq!((agent.device, agent.is_bot), (Some(device), false), "{text}");
        }
    }

    #[test]
    fn programs_are_known_by_what_they_call_themselves() {
        for text in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/126.0.0.0 Safari/537.36",
            "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
        ] {
            assert!(Agent::read(text).is_bot, "{text}");
        }
    }

    proptest! {
        /// The parser is somebody else's, and whoever sends chooses what it reads.
        #[test]
        fn no_text_is_too_odd_to_be_read(
            parts in proptest::collection::vec(prop_oneof![
                proptest::sample::select(PARTS.to_vec()).prop_map(str::to_owned),
                ".{0,8}",
            ], 0..12),
        ) {
            let text = parts.concat();
            prop_assert_eq!(Agent::read(&text), Agent::read(&text));
        }
    }

    /// What the parser looks for, whole and broken off.
    const PARTS: [&str; 40] = [
        "Mozilla/",
        "5.0 (",
        ")",
        "; ",
        "/",
        "Windows NT ",
        "Windows Phone OS ",
        "Win98",
        "Mac OS X ",
        "CPU iPhone OS ",
        "iPad; ",
        "Android ",
        "Android",
        "Linux",
        "CrOS ",
        "FreeBSD ",
        "BlackBerry",
        "Version/",
        "MSIE ",
        "Trident/7.0; rv:",
        "Edg/",
        "Chrome/",
        "Firefox/",
        "FxiOS/",
        "OPR/",
        "Opera",
        "Opera Mini/",
        "SamsungBrowser/",
        "Vivaldi/",
        "GSA/",
        "Safari/",
        "DoCoMo/2.0 ",
        "KDDI-",
        "UP.Browser/",
        "SoftBank/1.0/",
        "Vodafone/",
        "PSP (PlayStation Portable); ",
        "Nintendo 3DS",
        "Googlebot-Mobile",
        "UCBrowser/",
    ];

    #[test]
    fn what_nobody_knows_says_nothing() {
        for text in ["", "-", "x", "\u{fffd}\u{1f600}", "Mozilla/5.0 (", ")(/)(*&^%"] {
            let agent = Agent::read(text);
            assert_eq!((agent.browser.name, agent.device, agent.is_bot), (None, None, false), "{text}");
        }
    }
}
