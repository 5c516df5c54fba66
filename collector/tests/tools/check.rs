//! `attune bundle check`.

use super::{Place, demo};
use serde_json::json;

#[test]
fn check_says_what_is_wrong_what_never_holds_and_what_it_costs() {
    let place = Place::new(&[(
        "rules/a.json",
        r#"{"signals":[{"name":"idle","on":"x","aggregate":"count","window":"1h"}],
 "rules":[
  {"id":"first","slot":"s","priority":2,"actions":[{"kind":"hide","target":"p"}]},
  {"id":"second","slot":"s","priority":1,"when":{"traits.a":{"$in":[]}},"actions":[{"kind":"hide","target":"p"}]}]}"#,
    )]);
    let checked = place.run(&["bundle", "check", "rules", "--format", "json"]);
    assert!(checked.is_clean, "warnings are no error");
    let report = checked.json();
    let found: Vec<(String, u64)> = report["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| (found["code"].as_str().unwrap().to_owned(), found["line"].as_u64().unwrap()))
        .collect();
    let expected = [("unused_signal", 1), ("rule_below_unconditional", 4), ("rule_never_holds", 4)];
    let mut found: Vec<(&str, u64)> = found.iter().map(|(code, line)| (&**code, *line)).collect();
    found.sort_by_key(|(code, line)| (*line, *code));
    assert_eq!(found, expected);
    assert_eq!((&report["cost"]["rules"], &report["cost"]["leaves"]), (&json!(2), &json!(1)));
    place.write(
        "rules/b.json",
        r#"{"rules":[{"id":"x","slot":"s","when":{"traits.a":{"$near":1}},"actions":[]}]}"#,
    );
    let broken = place.run(&["bundle", "check", "rules"]);
    assert!(!broken.is_clean);
    assert!(broken.out.contains("b.json:1: error[unknown_operator]"), "{}", broken.out);
    assert!(broken.out.contains("1 error, "), "{}", broken.out);
}

#[test]
fn the_demo_shop_is_clean_and_its_scripts_pass() {
    let place = Place::new(&[]);
    let checked = place.run(&["bundle", "check", &demo("rules"), "--format", "json"]);
    assert!(checked.is_clean);
    assert_eq!(checked.json()["diagnostics"], json!([]));
    let tested = place.run(&["bundle", "test", &demo("rules"), "--format", "json"]);
    assert!(tested.is_clean, "{}", tested.out);
    assert_eq!((&tested.json()["failed"], &tested.json()["passed"]), (&json!(0), &json!(3)));
}
