//! `attune bundle keygen|sign|verify|keyset|current|delta|trust`.

use super::{Place, SHOP};
use serde_json::{Value, json};
use std::fs;

#[test]
fn a_signed_bundle_verifies_and_every_refusal_has_its_code() {
    let place = Place::new(&[("rules/shop.json", SHOP)]);
    let public = place.run(&["bundle", "keygen", "-o", "a.key"]).out.trim().to_owned();
    let other = place.run(&["bundle", "keygen", "-o", "b.key"]).out.trim().to_owned();
    assert!(public.starts_with("ed25519:") && public != other);
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(place.path("a.key")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let again = place.run(&["bundle", "keygen", "-o", "a.key"]);
    assert_eq!(again.err, "attune: a.key: this file exists, and keys are never overwritten\n");
    let sign = ["bundle", "sign", "rules", "--key", "a.key", "-o", "one.bundle", "--project", "shop"];
    let signed = place.run(&[&sign[..], &["--revision", "4", "--expires", "2030-01-01T00:00:00Z"]].concat());
    assert!(signed.is_clean, "{}", signed.err);
    let verify = |file: &str, more: &[&str]| {
        let at = ["--at", "2029-01-01T00:00:00Z", "--format", "json"];
        let run = place.run(&[&["bundle", "verify", file][..], more, &at[..]].concat());
        let report = run.json();
        assert_eq!(run.is_clean, report["verified"] == true);
        report["code"].as_str().map(str::to_owned)
    };
    let trust = ["--trust", &public];
    assert_eq!(verify("one.bundle", &[&trust[..], &["--project", "shop", "--above", "3"]].concat()), None);
    for (more, code) in [
        (&["--trust", &*other][..], "bundle_unknown_key"),
        (&["--trust", &*public, "--project", "news"][..], "bundle_wrong_project"),
        (&["--trust", &*public, "--environment", "production"][..], "bundle_wrong_environment"),
        (&["--trust", &*public, "--above", "4"][..], "bundle_lower_revision"),
    ] {
        assert_eq!(verify("one.bundle", more).as_deref(), Some(code));
    }
    let late = ["bundle", "verify", "one.bundle", "--trust", &public, "--at", "2030-01-01T00:00:01Z"];
    let late = place.run(&late);
    assert!(!late.is_clean && late.out.contains("(bundle_expired)"), "{}", late.out);
    let mut bytes = fs::read(place.path("one.bundle")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(place.path("bad.bundle"), bytes).unwrap();
    assert_eq!(verify("bad.bundle", &trust).as_deref(), Some("bundle_tampered"));
    place.write("text.bundle", "no bundle");
    assert_eq!(verify("text.bundle", &trust).as_deref(), Some("bundle_bad_magic"));
    let next = ["bundle", "sign", "rules", "--key", "a.key", "-o", "two.bundle", "--parent", "one.bundle"];
    let out = place.run(&next).out;
    assert!(
        out.contains("revision 5 for shop/development"),
        "one more than its parent, for the same project: {out}"
    );
    let lower = place.run(&[&next[..], &["--revision", "4"]].concat());
    assert!(lower.err.contains("4 is not above 4"), "{}", lower.err);
}

#[test]
fn a_key_set_lends_trust_to_its_keys_in_their_time() {
    let place = Place::new(&[("rules/shop.json", SHOP)]);
    let root = place.run(&["bundle", "keygen", "-o", "root.key"]).out.trim().to_owned();
    let public = place.run(&["bundle", "keygen", "-o", "a.key"]).out.trim().to_owned();
    let key = format!("{public}@2029-06-01T00:00:00Z");
    let set = place.run(&["bundle", "keyset", &key, "--key", "root.key", "-o", "keys", "--project", "shop"]);
    assert!(set.is_clean, "{}", set.err);
    let sign = ["bundle", "sign", "rules", "--key", "a.key", "-o", "one.bundle", "--project", "shop"];
    assert!(place.run(&sign).is_clean);
    let verify = |at: &str, more: &[&str]| {
        let words = ["bundle", "verify", "one.bundle", "--trust", &root, "--at", at, "--format", "json"];
        place.run(&[&words[..], more].concat()).json()["code"].as_str().map(str::to_owned)
    };
    let early = "2029-05-01T00:00:00Z";
    assert_eq!(verify(early, &["--keyset", "keys"]), None);
    assert_eq!(verify(early, &[]).as_deref(), Some("bundle_unknown_key"), "the set is what lends trust");
    assert_eq!(verify("2029-07-01T00:00:00Z", &["--keyset", "keys"]).as_deref(), Some("bundle_expired"));
    let project = ["--keyset", "keys", "--project", "news"];
    assert_eq!(verify(early, &project).as_deref(), Some("bundle_wrong_project"));
    let forged = ["bundle", "keyset", &public, "--key", "a.key", "-o", "keys", "--project", "shop"];
    assert!(place.run(&forged).is_clean);
    assert_eq!(verify(early, &["--keyset", "keys"]).as_deref(), Some("bundle_unknown_key"));
}

#[test]
fn a_statement_names_the_bundle_in_effect_and_one_on_trial() {
    let place = Place::new(&[("rules/shop.json", SHOP), ("draft/shop.json", &SHOP.replace("keen", "eager"))]);
    let public = place.run(&["bundle", "keygen", "-o", "a.key"]).out.trim().to_owned();
    let sign = |words: &[&str]| {
        let sign = ["bundle", "sign", "--key", "a.key", "-o"];
        let signed = place.run(&[&sign[..], words].concat());
        assert!(signed.is_clean, "{}", signed.err);
    };
    sign(&["one.bundle", "rules", "--project", "shop"]);
    sign(&["two.bundle", "draft", "--parent", "one.bundle", "--project", "shop"]);
    sign(&["same.bundle", "draft", "--project", "shop"]);
    sign(&["news.bundle", "draft", "--revision", "3", "--project", "news"]);
    let state = |words: &[&str]| {
        place.run(&[&["bundle", "current", "one.bundle", "--key", "a.key", "-o", "current"], words].concat())
    };
    let verify = |words: &[&str]| {
        let verify = ["bundle", "verify", "--trust", &public, "--format", "json"];
        place.run(&[&verify[..], words].concat()).json()
    };
    assert!(state(&["--candidate", "two.bundle", "--percent", "12.5", "--seed", "spring"]).is_clean);
    let found = verify(&["current", "--project", "shop"]);
    assert_eq!((&found["verified"], &found["revision"]), (&json!(true), &json!(1)), "{found}");
    let candidate = &found["candidate"];
    assert_eq!(
        (&candidate["revision"], &candidate["percent"], &candidate["seed"]),
        (&json!(2), &json!(12.5), &json!("spring"))
    );
    assert_eq!(verify(&["current", "--project", "news"])["code"], "bundle_wrong_project");
    assert_eq!(verify(&["current", "--above", "2"])["code"], "bundle_lower_revision");
    let text = place.run(&["bundle", "verify", "current", "--trust", &public]).out;
    assert!(
        text.contains("revision 1 is in effect for shop/development, revision 2 for 12.5 % of all units"),
        "{text}"
    );
    assert!(state(&["--valid", "2029-01-01T00:00:00Z"]).is_clean);
    assert_eq!(verify(&["current", "--at", "2028-12-31T00:00:00Z"])["candidate"], Value::Null);
    assert_eq!(verify(&["current", "--at", "2029-01-02T00:00:00Z"])["code"], "bundle_expired");
    for (words, expected) in [
        (&["--candidate", "same.bundle", "--percent", "1"][..], "its revision 1 is not above 1"),
        (&["--candidate", "news.bundle", "--percent", "1"], "is for news/development, not shop/development"),
        (&["--candidate", "two.bundle", "--percent", "100.5"], "a percentage from 0 to 100"),
        (&["--candidate", "two.bundle"], "--percent"),
        (&["--percent", "5"], "--candidate"),
        (&["--valid", "soon"], "--valid: 'soon'"),
    ] {
        let refused = state(words);
        assert!(!refused.is_clean && refused.err.contains(expected), "{words:?}: {}", refused.err);
        assert_eq!(refused.err.lines().count(), 1, "{}", refused.err);
    }
    assert!(place.run(&["bundle", "delta", "one.bundle", "two.bundle", "-o", "next.delta"]).is_clean);
    assert_eq!(verify(&["next.delta", "--from", "one.bundle", "--above", "1"])["revision"], 2);
    assert_eq!(verify(&["next.delta", "--from", "two.bundle"])["code"], "bundle_wrong_parent");
    assert!(
        place
            .run(&["bundle", "verify", "next.delta", "--trust", &public])
            .err
            .contains("--from: a delta needs")
    );
    let nowhere = place.run(&["bundle", "trust", "data"]);
    assert!(nowhere.err.contains("data/secrets/trust: there is no such file"), "{}", nowhere.err);
}
