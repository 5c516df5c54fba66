//! What is written of it: one JSON object, as conditions read it below `context`.

use super::agent::{Agent, Named};
use super::geo::Place;
use super::hints::Hints;
use super::{campaign, referrer, text};
use crate::limits::{MAX_CONTEXT_TEXT_BYTES, MAX_TOLD_BYTES};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What the sender of a batch, or of one event, tells of page, campaign and wishes.
#[derive(Clone, Debug, Default)]
pub struct Told<'a> {
    page: Page<'a>,
    campaign: Option<&'a RawValue>,
    /// Whether the browser has asked not to sell or share what it sends.
    pub gpc: bool,
    /// The visitor's user agent, where a server says it.
    pub user_agent: Option<Cow<'a, str>>,
    /// The visitor's address, likewise.
    pub ip: Option<Cow<'a, str>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Page<'a> {
    #[serde(borrow)]
    url: Option<Cow<'a, str>>,
    #[serde(borrow)]
    referrer: Option<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Privacy {
    gpc: bool,
}

impl<'a> Told<'a> {
    /// What a context says, as pages and Segment's libraries write it. A field that is not as it should be says nothing, and
    /// what is no object says nothing at all: contexts have whatever senders put there.
    pub fn of_context(context: &'a str) -> Self {
        // The last of several fields of one name counts, as everywhere in JSON.
        let fields: BTreeMap<Cow<'a, str>, &'a RawValue> = serde_json::from_str(context).unwrap_or_default();
        let raw = |name: &str| fields.get(name).copied();
        let is_campaign = |raw: &&RawValue| raw.get().starts_with('{') && raw.get().len() <= MAX_TOLD_BYTES;
        Self {
            page: field(raw("page")).unwrap_or_default(),
            campaign: raw("campaign").filter(is_campaign),
            gpc: field::<Privacy>(raw("privacy")).is_some_and(|privacy| privacy.gpc),
            user_agent: field(raw("user_agent")).or_else(|| field(raw("userAgent"))),
            ip: field(raw("ip")),
        }
    }

    /// Campaign and referrer as one object, where there is either: what the sender says itself, or else what the addresses say.
    pub(super) fn page(&self) -> Option<String> {
        let is_short = |address: &&str| address.len() <= MAX_TOLD_BYTES;
        let url = self.page.url.as_deref().filter(is_short).and_then(|url| url::Url::parse(url).ok());
        let campaign = match self.campaign {
            Some(told) => campaign::told(told.get()),
            None => url.as_ref().map(campaign::of_address).unwrap_or_default(),
        };
        let referrer =
            self.page.referrer.as_deref().filter(is_short).and_then(|from| referrer::of(from, url.as_ref()));
        let mut page = Context::default();
        page.put_texts("campaign", campaign.iter().map(|(name, value)| (&**name, &**value)));
        if let Some(referrer) = &referrer {
            page.put_texts("referrer", referrer.fields());
        }
        page.finish()
    }
}

fn field<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}

/// An object that is being written.
#[derive(Debug, Default)]
pub(super) struct Context {
    text: String,
}

impl Context {
    /// Browser, system and device, each by the hints where they have it.
    pub fn put_agent(&mut self, agent: Option<&Agent>, hints: &Hints<'_>) {
        let unknown = Agent::default();
        let agent = agent.unwrap_or(&unknown);
        let browser = either(hints.browser(), &agent.browser);
        let major =
            browser.version.as_deref().and_then(|version| version.split('.').next()?.parse::<u32>().ok());
        let is_open = self.put_named("browser", &browser);
        if let Some(major) = major.filter(|_| is_open) {
            self.text.pop();
            self.text.push_str(&format!(",\"major\":{major}}}"));
        }
        self.put_named("os", &either(hints.os(), &agent.os));
        // Of a tablet whose browser asks for pages of desktops the hints say that it is one.
        let device = hints.device().or(agent.device);
        let kind = device.into_iter().map(|kind| ("type", kind));
        self.put_texts("device", kind.chain(hints.model().map(|model| ("model", model))));
    }

    /// The mark of a program.
    pub fn put_bot(&mut self) {
        self.put("bot", "true");
    }

    /// What a browser's privacy control says, where pages have it.
    pub fn put_gpc(&mut self) {
        self.put("privacy", r#"{"gpc":true}"#);
    }

    /// Where the visitor is.
    pub fn put_place(&mut self, place: &Place) {
        self.put_texts("geo", place.fields());
    }

    /// What is kept of the address.
    pub fn put_address(&mut self, shown: &str) {
        self.put("ip", &quoted(shown));
    }

    /// The fields of another object.
    pub fn put_all(&mut self, object: &str) {
        let fields = object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        if let Some(fields) = fields.filter(|fields| !fields.is_empty()) {
            self.begin();
            self.text.push_str(fields);
        }
    }

    /// The object; nothing where it is empty.
    pub fn finish(mut self) -> Option<String> {
        (!self.text.is_empty()).then(|| {
            self.text.push('}');
            self.text
        })
    }

    fn put_named(&mut self, name: &str, named: &Named) -> bool {
        let fields = [("name", &named.name), ("version", &named.version)];
        self.put_texts(name, fields.into_iter().filter_map(|(name, text)| Some((name, text.as_deref()?))))
    }

    /// An object of texts, where there are any.
    fn put_texts<'t>(&mut self, name: &str, texts: impl Iterator<Item = (&'t str, &'t str)>) -> bool {
        let fields: Vec<String> = texts
            .filter(|(_, text)| !text.is_empty())
            .map(|(name, text)| {
                format!("{}:{}", quoted(name), quoted(text::cut(text, MAX_CONTEXT_TEXT_BYTES)))
            })
            .collect();
        if fields.is_empty() {
            return false;
        }
        self.put(name, &format!("{{{}}}", fields.join(",")));
        true
    }

    fn put(&mut self, name: &str, json: &str) {
        self.begin();
        self.text.push_str(&quoted(name));
        self.text.push(':');
        self.text.push_str(json);
    }

    fn begin(&mut self) {
        self.text.push(if self.text.is_empty() { '{' } else { ',' });
    }
}

fn quoted(text: &str) -> String {
    // A text always has a JSON form.
    serde_json::to_string(text).unwrap_or_default()
}

/// The first, as far as it says anything; of another browser or system the second's version is none.
fn either(first: Named, second: &Named) -> Named {
    match &first.name {
        None => second.clone(),
        Some(name) => {
            let same = second.name.as_deref() == Some(&**name);
            let version = first.version.or_else(|| second.version.clone().filter(|_| same));
            Named { name: first.name, version }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(context: &str) -> Option<String> {
        Told::of_context(context).page()
    }

    #[test]
    fn what_the_page_says_of_its_campaign_counts_before_its_address() {
        let url = r#""page":{"url":"https://shop.example/?utm_source=a&gclid=g1","referrer":"https://www.google.com/"}"#;
        let referrer = r#""referrer":{"host":"www.google.com","medium":"search","source":"google"}"#;
        assert_eq!(
            page(&format!("{{{url}}}")).unwrap(),
            format!(r#"{{"campaign":{{"gclid":"g1","source":"a"}},{referrer}}}"#)
        );
        assert_eq!(
            page(&format!(r#"{{"campaign":{{"name":"spring"}},{url}}}"#)).unwrap(),
            format!(r#"{{"campaign":{{"name":"spring"}},{referrer}}}"#)
        );
    }

    #[test]
    fn what_is_not_as_it_should_be_says_nothing_and_its_neighbours_go_on() {
        for context in
            ["", "7", "[]", "{}", r#"{"page":7}"#, r#"{"page":{"url":"not one"}}"#, r#"{"campaign":"x"}"#]
        {
            assert_eq!(page(context), None, "{context}");
        }
        let odd = r#"{"page":{"url":7},"campaign":{"source":"a","medium":5,"else":"x"},"privacy":{"gpc":true},"ip":4}"#;
        assert_eq!(page(odd).unwrap(), r#"{"campaign":{"source":"a"}}"#);
        let told = Told::of_context(odd);
        assert!(told.gpc && told.ip.is_none());
        assert!(!Told::of_context(r#"{"privacy":{"gpc":"yes"}}"#).gpc);
    }

    #[test]
    fn texts_are_quoted_and_bounded() {
        let long = "x".repeat(MAX_CONTEXT_TEXT_BYTES + 1);
        let told = format!(r#"{{"campaign":{{"source":"\"\\\u0007","term":"{long}"}}}}"#);
        let written: serde_json::Value = serde_json::from_str(&page(&told).unwrap()).unwrap();
        assert_eq!(written["campaign"]["source"], "\"\\\u{7}");
        assert_eq!(written["campaign"]["term"].as_str().unwrap().len(), MAX_CONTEXT_TEXT_BYTES);
    }

    #[test]
    fn hints_count_before_the_user_agent() {
        let agent = Agent::read(
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
        );
        let hints = Hints {
            brands: Some(r#""Chromium";v="126", "Google Chrome";v="126.0.6478.1""#),
            platform: Some(r#""Android""#),
            platform_version: Some(r#""14.0.0""#),
            model: Some(r#""Pixel 8""#),
            ..Hints::default()
        };
        let mut context = Context::default();
        context.put_agent(Some(&agent), &hints);
        assert_eq!(
            context.finish().unwrap(),
            r#"{"browser":{"name":"Chrome","version":"126.0.6478.1","major":126},"os":{"name":"Android","version":"14.0.0"},"device":{"type":"phone","model":"Pixel 8"}}"#
        );
    }
}
