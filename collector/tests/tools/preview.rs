//! `attune preview`: what it refuses to make a link of.

use super::{Place, SHOP};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

const PAGE: [&str; 4] = ["preview", "https://shop.example/", "--key", "a.key"];
const EXPERIMENT: &str = r#"{"experiments":[{"id":"tone","variations":[{"key":"plain"},{"key":"warm"}]}],
    "rules":[{"id":"off","slot":"hero","whne":{},"actions":[]},
             {"id":"warm","slot":"note","when":{"experiments.tone":"warm"},"actions":[]}]}"#;

#[test]
fn what_is_not_published_makes_no_link_and_the_nearest_name_is_told() {
    let place = Place::new(&[("rules/a.json", SHOP), ("rules/b.json", EXPERIMENT)]);
    place.run(&["bundle", "keygen", "-o", "a.key"]);
    let compiled = place.run(&["bundle", "compile", "rules", "--keep-going", "-o", "rules.bundle"]);
    assert!(compiled.is_clean, "{}", compiled.err);
    let run = |more: &[&str]| place.run(&[&PAGE[..], more].concat());
    let bundle = ["--bundle", "rules.bundle"];
    let none = "rules.bundle has no such rule with a slot";
    for (words, expected) in [
        (["--rule", "kean"], format!("'kean': {none}; did you mean keen?")),
        (["--rule", "hero-2"], format!("'hero-2': {none}; it has keen, off, warm")),
        (["--rule", "third"], format!("'third': {none}; it has keen, off, warm")),
        (["--rule", "off"], "'off': it takes no part in rules.bundle: unknown_field:whne".to_owned()),
        (
            ["--variation", "tune=1"],
            "'tune': rules.bundle has no such experiment; did you mean tone?".to_owned(),
        ),
        (
            ["--variation", "tone=2"],
            "'tone=2': experiment tone has no such variation; its places are 0 to 1".to_owned(),
        ),
        (
            ["--variation", "tone=wram"],
            "'tone=wram': experiment tone has no such variation; did you mean warm?".to_owned(),
        ),
        (
            ["--variation", "tone=loud"],
            "'tone=loud': experiment tone has no such variation; it has plain, warm".to_owned(),
        ),
    ] {
        let run = run(&[&bundle[..], &words[..]].concat());
        assert!(!run.is_clean && run.out.is_empty(), "{words:?}: {}", run.out);
        assert_eq!(run.err, format!("attune: {}: {expected}\n", words[0]), "{words:?}");
    }
    let known = run(&[&bundle[..], &["--rule", "keen", "--variation", "tone=1"]].concat());
    assert!(
        known.is_clean && known.out.contains("?attune_preview=") && known.err.is_empty(),
        "{}",
        known.err
    );
    let said = |variation: &str| {
        let made = run(&[&bundle[..], &["--variation", variation]].concat());
        let token = made.out.split_once("attune_preview=").map_or("", |(_, token)| token);
        let said = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
        let said: Value = serde_json::from_slice(&said).unwrap();
        said["variations"].clone()
    };
    assert_eq!((said("tone=1"), said("tone=warm")), (json!({"tone": 1}), json!({"tone": 1})));
    let unknown = run(&["--variation", "tone=warm"]);
    assert!(
        !unknown.is_clean && unknown.err.contains("say by --bundle what is published"),
        "{}",
        unknown.err
    );
    let unchecked = run(&["--rule", "kean"]);
    assert!(
        unchecked.is_clean && unchecked.err.contains("not checked; say by --bundle"),
        "{}",
        unchecked.err
    );
    let nothing = run(&[]);
    assert!(nothing.is_clean && nothing.err.contains("the link forces nothing"), "{}", nothing.err);
    let neither = place.run(&["preview", "https://shop.example/", "--rule", "keen"]);
    assert!(
        !neither.is_clean && neither.err.contains("--key <FILE> or --data-dir <FOLDER>"),
        "{}",
        neither.err
    );
}

#[test]
fn a_data_folder_says_itself_what_is_published() {
    let place = Place::new(&[("rules/a.json", SHOP)]);
    place.run(&["bundle", "keygen", "-o", "a.key"]);
    place.write("data/secrets/bundle", &"x".repeat(32));
    let words = ["preview", "https://shop.example/", "--data-dir", "data", "--rule"];
    let run = |rule: &str| place.run(&[&words[..], &[rule]].concat());
    let none = run("keen");
    assert!(!none.is_clean && none.err.contains("this collector has published no rules"), "{}", none.err);
    let bundle = "data/bundle/current.bundle";
    std::fs::create_dir_all(place.path("data/bundle")).unwrap();
    assert!(place.run(&["bundle", "sign", "rules", "--key", "a.key", "-o", bundle]).is_clean);
    assert!(run("keen").is_clean);
    let near = run("keem");
    assert!(!near.is_clean && near.err.contains("did you mean keen?"), "{}", near.err);
}
