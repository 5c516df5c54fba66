//! `attune preview`: a signed link that shows what rules would do, in one tab of whoever opens it.

use super::sign::instant;
use super::source::read_bundle;
use super::{Outcome, print};
use crate::bundle::{CURRENT_BUNDLE, SecretKey};
use crate::limits::{MAX_PREVIEW_LINK_BYTES, MAX_PREVIEW_MS};
use crate::secret::Secret;
use crate::settings::PreviewArguments;
use attune_core::bundle::author::nearest;
use attune_core::bundle::{Bundle, SIGNATURE_BYTES};
use attune_core::limits::MAX_VARIATIONS;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

/// What is signed begins with this, so that no other signature of the key can stand for one of a link.
const MAGIC: &[u8] = b"ATNP\x01";
/// Known names that a message lists where none is near.
const MAX_NAMES: usize = 8;

/// Prints the link.
pub fn run(arguments: &PreviewArguments) -> Result<Outcome, String> {
    let link = link(arguments, &key(arguments)?)?;
    let is_about_rules = !arguments.rule.is_empty() || !arguments.variation.is_empty();
    match published(arguments)? {
        Some((bundle, place)) => check(arguments, &bundle, &place)?,
        None if is_about_rules => {
            let names = "the names of rules and experiments are not checked";
            eprintln!("attune: {names}; say by --bundle what is published");
        }
        None => {}
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

/// Whether what the link names is published: a page could not show anything else.
fn check(arguments: &PreviewArguments, bundle: &Bundle, place: &str) -> Result<(), String> {
    let unknown = |option: &str, noun: &str, name: &str, known: &[&str]| {
        let near = nearest(name, known.iter().copied());
        let hint = match (near, known) {
            (Some(meant), _) => format!("; did you mean {meant}?"),
            (None, []) => "; it has none".to_owned(),
            (None, known) => {
                let named = known.get(..MAX_NAMES).unwrap_or(known).join(", ");
                format!("; it has {named}{}", if known.len() > MAX_NAMES { ", …" } else { "" })
            }
        };
        Err(format!("{option}: '{name}': {place} has no such {noun}{hint}"))
    };
    for name in &arguments.rule {
        let rule = bundle.rule(name).map(|rule| rule.head()).filter(|head| head.slot.is_some());
        let Some(head) = rule else {
            let rules = bundle.rules.iter().filter(|rule| rule.head().slot.is_some());
            return unknown(
                "--rule",
                "rule with a slot",
                name,
                &rules.map(|rule| rule.id).collect::<Vec<_>>(),
            );
        };
        if let Some(reason) = head.inactive {
            return Err(format!("--rule: '{name}': it takes no part in {place}: {reason}"));
        }
    }
    for text in &arguments.variation {
        let (name, place_of) = text.rsplit_once('=').unwrap_or((text, ""));
        let Some(trial) = bundle.experiments.iter().find(|trial| trial.id == name) else {
            let known: Vec<&str> = bundle.experiments.iter().map(|trial| trial.id).collect();
            return unknown("--variation", "experiment", name, &known);
        };
        let count = (0..MAX_VARIATIONS).take_while(|index| trial.variation(*index).is_some()).count();
        if !place_of.parse().is_ok_and(|index: usize| index < count) {
            let last = count.saturating_sub(1);
            return Err(format!("--variation: '{text}': the variations of {name} are 0 to {last}"));
        }
    }
    Ok(())
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
        (None, None) => Err("--key or --data-dir: one of them is needed".to_owned()),
    }
}

fn link(arguments: &PreviewArguments, key: &SecretKey) -> Result<String, String> {
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
        "variations": variations(&arguments.variation)?,
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

fn variations(texts: &[String]) -> Result<Map<String, Value>, String> {
    let variation = |text: &String| {
        let (experiment, index) = text.rsplit_once('=')?;
        Some((experiment.to_owned(), Value::from(index.parse::<u32>().ok()?)))
    };
    let told = |text: &String| {
        format!(
            "--variation: '{text}': expected an experiment and the place of its variation, from 0, such as checkout=1"
        )
    };
    texts.iter().map(|text| variation(text).ok_or_else(|| told(text))).collect()
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
        let link = link(&arguments("https://shop.example/?a=b#top"), &key).unwrap();
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
    fn what_makes_no_link_is_named() {
        let key = SecretKey::of(&Secret::random().unwrap());
        let refused = |change: &dyn Fn(&mut PreviewArguments)| {
            let mut arguments = arguments("https://shop.example/");
            change(&mut arguments);
            link(&arguments, &key).unwrap_err()
        };
        for (text, expected) in [
            (refused(&|it| it.url = "shop.example".to_owned()), "'shop.example': expected the http"),
            (refused(&|it| it.expires = "soon".to_owned()), "--expires: 'soon'"),
            (refused(&|it| it.expires = "31d".to_owned()), "--expires: '31d': a preview ends within 30 days"),
            (refused(&|it| it.context = Some("[]".to_owned())), "--context: '[]': expected a JSON object"),
            (refused(&|it| it.variation = vec!["checkout=b".to_owned()]), "--variation: 'checkout=b'"),
            (refused(&|it| it.rule = vec!["r".repeat(9_000)]), "the limit is 8192"),
        ] {
            assert!(text.contains(expected), "{text}");
        }
    }
}
