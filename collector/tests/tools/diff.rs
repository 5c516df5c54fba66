//! `attune bundle diff`.

use super::{Place, SHOP};
use serde_json::json;

#[test]
fn diff_names_what_differs_between_folders_and_bundles() {
    let place = Place::new(&[("rules/shop.json", SHOP)]);
    place.write(
        "draft/shop.json",
        &SHOP.replace("\"priority\": 5", "\"priority\": 6").replace("third", "fourth"),
    );
    assert!(place.run(&["bundle", "compile", "rules", "-o", "now.bundle"]).is_clean);
    let same = place.run(&["bundle", "diff", "rules", "now.bundle"]);
    assert_eq!((same.is_clean, &*same.out), (true, "no differences\n"));
    let differs = place.run(&["bundle", "diff", "now.bundle", "draft"]);
    assert!(!differs.is_clean);
    assert_eq!(
        differs.out,
        "rule keen changed: priority from 5 to 6\ntrigger fourth added\ntrigger third removed\n"
    );
    let json = place.run(&["bundle", "diff", "now.bundle", "draft", "--format", "json"]).json();
    assert_eq!(json["differences"][0]["parts"], json!([{"part": "priority", "before": "5", "after": "6"}]));
}
