//! `attune preview`: a signed link that shows what rules would do, in one tab of whoever opens it.

use super::sign::instant;
use super::source::read_bundle;
use super::{Outcome, print};
use crate::bundle::{CURRENT_BUNDLE, SecretKey};
use crate::limits::{MAX_PREVIEW_LINK_BYTES, MAX_PREVIEW_MS};
use crate::secret::Secret;
use crate::settings::PreviewArguments;
use attune_core::bundle::{Bundle, SIGNATURE_BYTES};
use attune_core::condition::{listed, suggestion};
use attune_core::limits::MAX_VARIATIONS;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

/// What is signed begins with this, so that no other signature of the key can stand for one of a link.
const MAGIC: &[u8] = b"ATNP\x01";

/// Prints the link.
pub fn run(arguments: &PreviewArguments) -> Result<Outcome, String> {
    let key = key(arguments)?;
    let published = published(arguments)?;
    if let Some((bundle, place)) = &published {
        check(arguments, bundle, place)?;
    }
    let variations = variations(&arguments.variation, published.as_ref())?;
    let link = link(arguments, variations, &key)?;
    if arguments.rule.is_empty() && arguments.variation.is_empty() {
        let shown =
            "the page shows what the rules in effect make of a new visitor, and the panel that says why";
        eprintln!("attune: without --rule or --variation the link forces nothing: {shown}");
    } else if published.is_none() {
        let names = "the names of rules and experiments are not checked";
        eprintln!("attune: {names}; say by --bundle what is published");
    }
    print(&format!("{link}\n"))?;
    Ok(Outcome::Clean)
}

/// What is published, as far as it is at hand, and where it was found.
fn published(arguments: &PreviewArguments) -> Result<Option<(Bundle, String)>, String> {
    let kept = arguments.data_dir.as_ref().map(|folder| folder.join("bundle").join(CURRENT_BUNDLE));
    let Some(path) = arguments.bundle.clone().or(kept) else { return Ok(None) };
    if arguments.bundle.is_none() && !path.exists() {
        return Err(format!(
            "{}: there is no such file; this collector has published no rules",
            path.display()
        ));
    }
    Ok(Some((read_bundle(&path)?, path.display().to_string())))
}

/// Whether the rules that the link names are published: a page could not show anything else.
fn check(arguments: &PreviewArguments, bundle: &Bundle, place: &str) -> Result<(), String> {
    for name in &arguments.rule {
        let rule = bundle.rule(name).map(|rule| rule.head()).filter(|head| head.slot.is_some());
        let Some(head) = rule else {
            let rules = bundle.rules.iter().filter(|rule| rule.head().slot.is_some());
            let known: Vec<&str> = rules.map(|rule| rule.id).collect();
            let hint = meant(name, &known);
            return Err(format!("--rule: '{name}': {place} has no such rule with a slot{hint}"));
        };
        if let Some(reason) = head.inactive {
            return Err(format!("--rule: '{name}': it takes no part in {place}: {reason}"));
        }
    }
    Ok(())
}

/// The end of a message about a name that there is not.
fn meant(name: &str, known: &[&str]) -> String {
    suggestion(name, known.iter().copied(), || match known {
        [] => "; it has none".to_owned(),
        known => format!("; it has {}", listed(known.iter().copied())),
    })
}

fn key(arguments: &PreviewArguments) -> Result<SecretKey, String> {
    match (&arguments.key, &arguments.data_dir) {
        (Some(path), _) => SecretKey::read(path),
        (None, Some(folder)) => {
            let path = folder.join("secrets/bundle");
            let secret = Secret::load(&path).map_err(|error| error.to_string())?.ok_or_else(|| {
                let why = "there is no such file; a collector makes it when it starts without --signing-key";
                format!("{}: {why}", path.display())
            })?;
            Ok(SecretKey::for_development(&secret))
        }
        (None, None) => {
            let ways = "a file of a key that signs bundles, or the data folder of a collector that signs with its own";
            Err(format!("--key <FILE> or --data-dir <FOLDER> is needed: {ways}"))
        }
    }
}

fn link(
    arguments: &PreviewArguments,
    variations: Map<String, Value>,
    key: &SecretKey,
) -> Result<String, String> {
    let PreviewArguments { url, .. } = arguments;
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return Err(format!("'{url}': expected the http or https address of a page"));
    }
    let expires = instant("--expires", &arguments.expires)?;
    if expires.0 > crate::clock::now().plus(MAX_PREVIEW_MS).0 {
        return Err(format!("--expires: '{}': a preview ends within 30 days", arguments.expires));
    }
    let context = match &arguments.context {
        None => Map::new(),
        Some(text) => match serde_json::from_str(text) {
            Ok(Value::Object(fields)) => fields,
            _ => return Err(format!("--context: '{text}': expected a JSON object")),
        },
    };
    let said = json!({
        "project": arguments.project,
        "expires": expires.0,
        "rules": arguments.rule,
        "variations": variations,
        "context": context,
    });
    let token = token(&said, key);
    let (page, fragment) = url.split_once('#').map_or((&**url, None), |(page, rest)| (page, Some(rest)));
    let joint = if page.contains('?') { '&' } else { '?' };
    let fragment = fragment.map_or_else(String::new, |fragment| format!("#{fragment}"));
    let link = format!("{page}{joint}attune_preview={token}{fragment}");
    if link.len() > MAX_PREVIEW_LINK_BYTES {
        return Err(format!("the link is {} bytes; the limit is {MAX_PREVIEW_LINK_BYTES}", link.len()));
    }
    Ok(link)
}

/// What the link says and the signature over it, each in base64 for addresses.
fn token(said: &Value, key: &SecretKey) -> String {
    let said = said.to_string();
    let signed = key.sign([MAGIC, said.as_bytes()].concat());
    let signature =
        signed.split_at_checked(signed.len().saturating_sub(SIGNATURE_BYTES)).unwrap_or_default().1;
    format!("{}.{}", URL_SAFE_NO_PAD.encode(said), URL_SAFE_NO_PAD.encode(signature))
}

/// The places of variations by experiment, of texts that say them by place or, where it is known what is published, by key.
fn variations(texts: &[String], published: Option<&(Bundle, String)>) -> Result<Map<String, Value>, String> {
    let place = |text: &String| -> Result<(String, Value), String> {
        let (experiment, variation) =
            text.split_once('=').filter(|(experiment, variation)| !experiment.is_empty() && !variation.is_empty()).ok_or_else(|| {
            let expected = "an experiment and its variation, by key or by place from 0, such as checkout=short or checkout=1";
            format!("--variation: '{text}': expected {expected}")
        })?;
        let index = match published {
            Some(published) => index_of(text, experiment, variation, published)?,
            None => variation.parse().map_err(|_| {
                let ways = "say by --bundle what is published, or give its place from 0";
                format!("--variation: '{text}': no place of {experiment} is known by the key {variation}; {ways}, such as {experiment}=1")
            })?,
        };
        Ok((experiment.to_owned(), Value::from(index)))
    };
    texts.iter().map(place).collect()
}

/// The place of a variation of an experiment that is published; a whole number is one itself.
fn index_of(
    text: &str,
    experiment: &str,
    variation: &str,
    (bundle, place): &(Bundle, String),
) -> Result<u32, String> {
    let told = |message: String| format!("--variation: {message}");
    let Some(trial) = bundle.experiments.iter().find(|trial| trial.id == experiment) else {
        let known: Vec<&str> = bundle.experiments.iter().map(|trial| trial.id).collect();
        let hint = meant(experiment, &known);
        return Err(told(format!("'{experiment}': {place} has no such experiment{hint}")));
    };
    let keys: Vec<&str> = (0..MAX_VARIATIONS).map_while(|index| trial.variation(index)).collect();
    let index = match variation.parse() {
        Ok(index) => Some(index).filter(|index| *index < keys.len()),
        Err(_) => keys.iter().position(|key| *key == variation),
    };
    let index = index.and_then(|index| u32::try_from(index).ok());
    index.ok_or_else(|| {
        let last = keys.len().saturating_sub(1);
        let hint = if variation.bytes().all(|sign| sign.is_ascii_digit()) {
            format!("; its places are 0 to {last}")
        } else {
            meant(variation, &keys)
        };
        told(format!("'{text}': experiment {experiment} has no such variation{hint}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::verify_signature;

    fn arguments(url: &str) -> PreviewArguments {
        PreviewArguments {
            url: url.to_owned(),
            key: Some("key".into()),
            data_dir: None,
            bundle: None,
            rule: vec!["hero".to_owned()],
            variation: vec!["checkout=1".to_owned()],
            context: Some(r#"{"who":"Ada"}"#.to_owned()),
            expires: "1h".to_owned(),
            project: "shop".to_owned(),
        }
    }

    #[test]
    fn a_link_says_what_it_is_for_and_its_signature_holds() {
        let key = SecretKey::of(&Secret::random().unwrap());
        let variations = json!({"checkout": 1}).as_object().cloned().unwrap();
        let link = link(&arguments("https://shop.example/?a=b#top"), variations, &key).unwrap();
        let token = link.strip_prefix("https://shop.example/?a=b&attune_preview=").unwrap();
        let (said, signature) = token.strip_suffix("#top").unwrap().split_once('.').unwrap();
        let said = URL_SAFE_NO_PAD.decode(said).unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap().try_into().unwrap();
        assert!(verify_signature(&key.public(), &[MAGIC, &said[..]].concat(), &signature));
        let said: Value = serde_json::from_slice(&said).unwrap();
        assert_eq!(said["rules"], json!(["hero"]));
        assert_eq!(said["variations"], json!({"checkout": 1}));
        assert_eq!((&said["context"]["who"], &said["project"]), (&json!("Ada"), &json!("shop")));
    }

    #[test]
    fn a_link_without_a_key_names_both_ways_to_give_one() {
        let said = key(&PreviewArguments { key: None, ..arguments("https://shop.example/") }).err().unwrap();
        assert!(said.starts_with("--key <FILE> or --data-dir <FOLDER> is needed: "), "{said}");
    }

    #[test]
    fn what_makes_no_link_is_named() {
        let key = SecretKey::of(&Secret::random().unwrap());
        let refused = |change: &dyn Fn(&mut PreviewArguments)| {
            let mut arguments = arguments("https://shop.example/");
            change(&mut arguments);
            let places = variations(&arguments.variation, None);
            places.and_then(|places| link(&arguments, places, &key)).unwrap_err()
        };
        for (text, expected) in [
            (refused(&|it| it.url = "shop.example".to_owned()), "'shop.example': expected the http"),
            (refused(&|it| it.expires = "soon".to_owned()), "--expires: 'soon'"),
            (refused(&|it| it.expires = "31d".to_owned()), "--expires: '31d': a preview ends within 30 days"),
            (refused(&|it| it.context = Some("[]".to_owned())), "--context: '[]': expected a JSON object"),
            (
                refused(&|it| it.variation = vec!["checkout=b".to_owned()]),
                "--variation: 'checkout=b': no place of checkout is known by the key b; say by --bundle",
            ),
            (
                refused(&|it| it.variation = vec!["checkout".to_owned()]),
                "--variation: 'checkout': expected an experiment and its variation",
            ),
            (
                refused(&|it| it.variation = vec!["checkout=".to_owned()]),
                "--variation: 'checkout=': expected",
            ),
            (refused(&|it| it.rule = vec!["r".repeat(9_000)]), "the limit is 8192"),
        ] {
            assert!(text.contains(expected), "{text}");
        }
    }
}
