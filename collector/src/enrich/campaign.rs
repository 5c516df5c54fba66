//! The campaign that has brought a visitor, by the names that pages have for it.

use crate::limits::MAX_CLICK_IDS;
use serde_json::Value;
use std::collections::BTreeMap;
use url::Url;

/// Parameters of campaigns (<https://support.google.com/analytics/answer/10917952>), and what a context calls them.
const PARAMETERS: [(&str, &str); 6] = [
    ("utm_source", "source"),
    ("utm_medium", "medium"),
    ("utm_campaign", "name"),
    ("utm_term", "term"),
    ("utm_content", "content"),
    ("utm_id", "id"),
];

/// Whether a parameter is the id of a click on an advertisement: `gclid`, `fbclid`, `msclkid`, `gbraid`, as pages judge.
fn is_click_id(name: &str) -> bool {
    let is_word = name.len() <= 20 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let before = ["clkid", "clid"].iter().find_map(|end| name.strip_suffix(end));
    is_word && (before.is_some_and(|before| !before.is_empty()) || matches!(name, "gbraid" | "wbraid"))
}

/// A campaign that is being read.
#[derive(Default)]
struct Reading {
    found: BTreeMap<String, String>,
    click_ids: usize,
}

impl Reading {
    /// Takes a field in; of ids of clicks the first few.
    fn put(&mut self, field: &str, value: String) {
        if is_click_id(field) && !self.found.contains_key(field) {
            if self.click_ids == MAX_CLICK_IDS {
                return;
            }
            self.click_ids += 1;
        }
        self.found.insert(field.to_owned(), value);
    }
}

/// What an address names; the last of several that are named alike, as pages have it.
pub fn of_address(url: &Url) -> BTreeMap<String, String> {
    let mut reading = Reading::default();
    for (parameter, value) in url.query_pairs().filter(|(_, value)| !value.is_empty()) {
        let known = PARAMETERS.iter().find(|(name, _)| *name == parameter).map(|(_, field)| *field);
        if let Some(field) = known.or_else(|| is_click_id(&parameter).then_some(&*parameter)) {
            reading.put(field, value.into_owned());
        }
    }
    reading.found
}

/// What a sender tells, as far as it is a text by one of those names.
pub fn told(object: &str) -> BTreeMap<String, String> {
    let told: BTreeMap<String, Value> = serde_json::from_str(object).unwrap_or_default();
    let is_known = |name: &str| PARAMETERS.iter().any(|(_, field)| *field == name) || is_click_id(name);
    let mut reading = Reading::default();
    for (name, value) in told.iter().filter(|(name, _)| is_known(name)) {
        if let Some(text) = value.as_str() {
            reading.put(name, text.to_owned());
        }
    }
    reading.found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_clicks_few_are_kept() {
        let names: Vec<String> = (0..50).map(|number| format!("x{number}clid")).collect();
        let query = names.iter().map(|name| format!("{name}=1")).collect::<Vec<_>>().join("&");
        let url = Url::parse(&format!("https://shop.example/?{query}&utm_source=news")).unwrap();
        assert_eq!(of_address(&url).len(), MAX_CLICK_IDS + 1);
        let object = names.iter().map(|name| format!("\"{name}\":\"1\"")).collect::<Vec<_>>().join(",");
        assert_eq!(told(&format!("{{{object},\"source\":\"news\"}}")).len(), MAX_CLICK_IDS + 1);
    }

    #[test]
    fn an_address_names_campaign_and_clicks_and_nothing_else() {
        let url = "https://shop.example/?utm_source=news&utm_campaign=spring+sale&utm_id=&gclid=1&msclkid=2&wbraid=3\
            &clid=4&email=a%40b.example&utm_source=letter&a_very_long_name_of_some_clid=5";
        let found = of_address(&Url::parse(url).unwrap());
        let found: Vec<_> = found.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(
            found,
            [
                ("gclid", "1"),
                ("msclkid", "2"),
                ("name", "spring sale"),
                ("source", "letter"),
                ("wbraid", "3")
            ]
        );
    }
}
