//! The campaign that has brought a visitor, by the names that pages have for it.

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

/// What an address names; the last of several that are named alike, as pages have it.
pub fn of_address(url: &Url) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (parameter, value) in url.query_pairs().filter(|(_, value)| !value.is_empty()) {
        let known = PARAMETERS.iter().find(|(name, _)| *name == parameter).map(|(_, field)| *field);
        if let Some(field) = known.or_else(|| is_click_id(&parameter).then_some(&*parameter)) {
            found.insert(field.to_owned(), value.into_owned());
        }
    }
    found
}

/// What a sender tells, as far as it is a text by one of those names.
pub fn told(object: &str) -> BTreeMap<String, String> {
    let told: BTreeMap<String, Value> = serde_json::from_str(object).unwrap_or_default();
    let is_known = |name: &str| PARAMETERS.iter().any(|(_, field)| *field == name) || is_click_id(name);
    let texts = told.into_iter().filter(|(name, _)| is_known(name));
    texts.filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
