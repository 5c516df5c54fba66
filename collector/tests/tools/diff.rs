//! `attune bundle diff`.

use super::{Place, SHOP};
use serde_json::{Value, json};

/// What diff says of two sources, whichever way they come.
fn said(before: &Value, after: &Value) -> String {
    let place = Place::new(&[("rules/a.json", &before.to_string()), ("draft/a.json", &after.to_string())]);
    for (folder, bundle) in [("rules", "rules.bundle"), ("draft", "draft.bundle")] {
        let made = place.run(&["bundle", "compile", folder, "-o", bundle]);
        assert!(made.is_clean, "{}", made.err);
    }
    let diff = |before: &str, after: &str| {
        let run = place.run(&["bundle", "diff", before, after]);
        assert_eq!(run.is_clean, run.out == "no differences\n", "{}", run.err);
        run.out
    };
    let of_bundles = diff("rules.bundle", "draft.bundle");
    assert_eq!(diff("rules", "draft.bundle"), of_bundles);
    assert_eq!(diff("rules.bundle", "draft"), of_bundles);
    of_bundles
}

/// A file with one definition of a list, with fields of another beside its own.
fn file(list: &str, definition: &Value, more: &Value) -> Value {
    let mut definition = definition.clone();
    definition.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"signals": [
        {"name": "views", "on": "page_view", "aggregate": "count", "window": "7d"},
        {"name": "clicks", "on": "click", "by": "metadata.area", "aggregate": "count", "window": "7d"},
    ], list: [definition]})
}

fn check(list: &str, definition: &Value, what: &str, cases: &[(Value, Value, &str)]) {
    for (before, after, expected) in cases {
        let found = said(&file(list, definition, before), &file(list, definition, after));
        let lines: String = expected.lines().map(|line| format!("  {line}\n")).collect();
        assert_eq!(found, format!("{what} changed\n{lines}"), "{before} {after}");
        let back = said(&file(list, definition, before), &file(list, definition, before));
        assert_eq!(back, "no differences\n", "{before}");
    }
}

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
        "rule keen changed\n  priority from 5 to 6\ntrigger fourth added\ntrigger third removed\n"
    );
    let json = place.run(&["bundle", "diff", "now.bundle", "draft", "--format", "json"]).json();
    assert_eq!(json["differences"][0]["parts"], json!([{"part": "priority", "before": 5, "after": 6}]));
    assert_eq!(
        json["differences"][1],
        json!({"kind": "trigger", "name": "fourth", "change": "added", "parts": []})
    );
    let gone = place.run(&["bundle", "diff", "rules", "gone.bundle"]);
    assert!(gone.err.contains("gone.bundle: ") && gone.err.lines().count() == 1, "{}", gone.err);
}

#[test]
fn diff_says_what_has_changed_in_a_rule() {
    let hide = json!([{"kind": "hide", "target": "#a"}]);
    let rule = json!({"id": "r", "slot": "hero", "actions": hide});
    let when = |when: Value| json!({"when": when});
    check(
        "rules",
        &rule,
        "rule r",
        &[
            (json!({}), json!({"slot": "offer"}), r#"slot from "hero" to "offer""#),
            (json!({}), json!({"priority": -3}), "priority from 0 to -3"),
            (json!({}), when(json!({"traits.plan": "pro"})), r#"when from none to {"traits.plan":"pro"}"#),
            (
                when(json!({"signals.views": {"$gte": 3}})),
                when(json!({"signals.views": {"$gte": 2}})),
                "when/signals.views/$gte from 3 to 2",
            ),
            (
                when(json!({"traits.plan": {"$in": ["free", "pro"]}})),
                when(json!({"traits.plan": {"$in": ["pro", "team", 7]}})),
                r#"when/traits.plan/$in loses "free" and gains "team", 7"#,
            ),
            (
                when(json!({"$or": [{"traits.a": 1}, {"traits.b": 1}]})),
                when(json!({"$or": [{"traits.a": 1}, {"traits.c": 1}, {"traits.b": 1}]})),
                r#"when/$or/1 from none to {"traits.c":1}"#,
            ),
            (
                when(json!({"$signal": {"name": "clicks", "key": {"any": true}, "is": {"$gt": 1}}})),
                when(json!({"$signal": {"name": "clicks", "key": "x", "is": {"$gt": 1}}})),
                r#"when/$signal/key from {"any":true} to "x""#,
            ),
            (
                when(json!({"traits.url": {"$startsWithi": "Http"}, "context.ip": {"$cidr": "10.0.0.0/8"}})),
                when(json!({"traits.url": {"$startsWithi": "ftp"}, "context.ip": {"$cidr": "10.0.0.0/9"}})),
                "when/context.ip/$cidr from \"10.0.0.0/8\" to \"10.0.0.0/9\"\nwhen/traits.url/$startsWithi from \"http\" to \"ftp\"",
            ),
            (
                when(json!({"$tod": {"between": ["18:00", "23:00"], "zone": "Europe/Rome"}})),
                when(json!({"$tod": {"between": ["18:00", "24:00"]}})),
                "when/$tod/between loses \"23:00\" and gains \"24:00\"\nwhen/$tod/zone from \"Europe/Rome\" to \"visitor\"",
            ),
            (
                when(json!({"$bucket": {"by": "traits.id", "seed": "s", "in": [[0, 0.5]]}})),
                when(json!({"$bucket": {"by": "traits.id", "seed": "s", "in": [[0, 0.25]]}})),
                "when/$bucket/in/0 loses 0.5 and gains 0.25",
            ),
            (
                json!({"on": "click"}),
                json!({"on": "page_view", "hold": "10m"}),
                "on from \"click\" to \"page_view\"\nhold from \"session\" to \"10m\"",
            ),
            (json!({}), json!({"cap": {"per": "day"}}), r#"cap from none to {"per":"day","count":1}"#),
            (
                json!({"cap": {"per": "day"}}),
                json!({"cap": {"per": "lifetime", "count": 3, "min_gap": "2h", "key": "traits.plan"}}),
                "cap/per from \"day\" to \"lifetime\"\ncap/count from 1 to 3\ncap/key from none to \"traits.plan\"\ncap/min_gap from none to \"2h\"",
            ),
            (
                json!({"schedule": {"from": "2026-12-01T00:00", "days": ["fri", "sat"], "hours": "22:00-02:00", "zone": "Europe/Rome"}}),
                json!({"schedule": {"from": "2026-12-02T00:00", "until": "2026-12-27T00:00", "days": ["fri"], "hours": "22:00-03:00", "zone": "Europe/Rome"}}),
                "schedule/from from \"2026-12-01T00:00\" to \"2026-12-02T00:00\"\nschedule/days loses \"sat\"\nschedule/hours from \"22:00-02:00\" to \"22:00-03:00\"\nschedule/until from none to \"2026-12-27T00:00\"",
            ),
            (
                json!({"schedule": {"days": ["mon"]}, "when": {"traits.a": 1}}),
                json!({"when": {"traits.a": 1}}),
                r#"schedule from {"days":["mon"],"zone":"visitor"} to none"#,
            ),
            (json!({}), json!({"group": "banners"}), r#"group from none to "banners""#),
            (json!({}), json!({"consent": "analytics"}), r#"consent from "personalization" to "analytics""#),
            (
                json!({}),
                json!({"actions": [{"kind": "text", "target": "#a", "value": "Hi"}]}),
                "actions/0/kind from \"hide\" to \"text\"\nactions/0/value from none to \"Hi\"",
            ),
            (
                json!({}),
                json!({"actions": [
                    {"kind": "variable", "name": "v", "value": {"a": [1]}},
                    {"kind": "hide", "target": "#a"},
                    {"kind": "class", "target": "#b", "add": ["c"]},
                ]}),
                "actions/0/kind from \"hide\" to \"variable\"\nactions/0/target from \"#a\" to none\nactions/0/name from none to \"v\"\nactions/0/value from none to {\"a\":[1]}\nactions/1 from none to {\"kind\":\"hide\",\"target\":\"#a\"}\nactions/2 from none to {\"kind\":\"class\",\"target\":\"#b\",\"add\":[\"c\"],\"remove\":[]}",
            ),
        ],
    );
}

#[test]
fn diff_says_what_has_changed_in_a_trigger_and_a_signal() {
    check(
        "triggers",
        &json!({"id": "t"}),
        "trigger t",
        &[
            (
                json!({"on": "click"}),
                json!({"on": "page_view", "cap": {"per": "session"}}),
                "on from \"click\" to \"page_view\"\ncap from none to {\"per\":\"session\",\"count\":1}",
            ),
            (
                json!({"when": {"signals.views": {"$gt": 1}}}),
                json!({"when": {"signals.views": {"$gt": 1}}, "on_publish": "fire"}),
                r#"on_publish from "arm" to "fire""#,
            ),
            (
                json!({"on": "click", "actions": [{"kind": "webhook", "url": "https://a.example"}]}),
                json!({"on": "click", "actions": [{"kind": "webhook", "url": "https://b.example"}]}),
                r#"actions/0/url from "https://a.example" to "https://b.example""#,
            ),
        ],
    );
    let signal = json!({"name": "s", "on": "buy", "aggregate": "count", "window": "1h"});
    let sum = json!({"aggregate": "sum", "of": "metadata.price"});
    check(
        "signals",
        &signal,
        "signal s",
        &[
            (json!({}), json!({"on": "sell"}), r#"on from "buy" to "sell""#),
            (json!({}), json!({"window": "2h"}), r#"window from "1h" to "2h""#),
            (json!({}), json!({"window": "this_week"}), r#"window from "1h" to "this_week""#),
            (json!({}), json!({"bucket": "30m"}), r#"bucket from none to "30m""#),
            (json!({}), json!({"by": "metadata.area"}), r#"by from none to "metadata.area""#),
            (json!({}), sum, "aggregate from \"count\" to \"sum\"\nof from none to \"metadata.price\""),
            (json!({}), json!({"on_publish": "backfill"}), r#"on_publish from "warm_up" to "backfill""#),
            (
                json!({"where": {"metadata.price": {"$gt": 5}}}),
                json!({"where": {"metadata.price": {"$gt": 6}}}),
                "where/metadata.price/$gt from 5 to 6",
            ),
        ],
    );
}

#[test]
fn diff_says_what_has_changed_in_an_experiment() {
    let shares =
        |a: f64, b: f64| json!({"variations": [{"key": "a", "weight": a}, {"key": "b", "weight": b}]});
    let experiment = json!({"id": "checkout", "variations": [{"key": "a"}, {"key": "b"}]});
    check(
        "experiments",
        &experiment,
        "experiment checkout",
        &[
            (
                json!({}),
                shares(0.3, 0.7),
                "variations/a/weight from 0.5 to 0.3\nvariations/b/weight from 0.5 to 0.7",
            ),
            (
                json!({}),
                json!({"variations": [{"key": "a", "weight": 0.5}, {"key": "c", "weight": 0.5}]}),
                "variations/b from {\"key\":\"b\",\"weight\":0.5} to none\nvariations/c from none to {\"key\":\"c\",\"weight\":0.5}",
            ),
            (json!({}), json!({"coverage": 0.8}), "coverage from 1 to 0.8"),
            (
                json!({}),
                json!({"ranges": [[0, 0.1], [0.9, 1]]}),
                "variations/a/weight from 0.5 to none\nvariations/b/weight from 0.5 to none\ncoverage from 1 to none\nranges from none to [[0,0.1],[0.9,1]]",
            ),
            (
                json!({}),
                json!({"hash_attribute": "user_id", "seed": "spring", "hash_version": 1}),
                "hash_attribute from \"anonymous_id\" to \"user_id\"\nhash_version from 2 to 1\nseed from \"checkout\" to \"spring\"",
            ),
            (
                json!({}),
                json!({"when": {"traits.country": "de"}}),
                r#"when from none to {"traits.country":"de"}"#,
            ),
            (json!({}), json!({"force": "b"}), r#"force from none to "b""#),
            (
                json!({"sticky": true}),
                json!({"sticky": true, "bucket_version": 2, "min_bucket_version": 1, "fallback_attribute": "traits.company"}),
                "bucket_version from 0 to 2\nmin_bucket_version from 0 to 1\nfallback_attribute from none to \"traits.company\"",
            ),
            (
                json!({}),
                json!({"sticky": true}),
                "sticky from false to true\nmin_bucket_version from none to 0",
            ),
            (
                json!({"exclusion": {"group": "area", "share": 0.5}, "holdout": {"id": "h", "share": 0.05}}),
                json!({"exclusion": {"group": "area", "share": 0.25}, "holdout": {"id": "h", "share": 0.1}}),
                "filters/holdout:h/ranges/0 loses 0.05 and gains 0.1\nfilters/__area/ranges/0 loses 0.5 and gains 0.25",
            ),
        ],
    );
}

#[test]
fn diff_says_what_has_changed_in_a_model() {
    let plan =
        json!({"name": "warmth", "kind": "plan", "items": [{"when": {"traits.plan": "pro"}, "points": 1}]});
    check(
        "models",
        &plan,
        "model warmth",
        &[
            (json!({}), json!({"intercept": 2}), "intercept from 0 to 2"),
            (
                json!({}),
                json!({"items": [{"when": {"traits.plan": "pro"}, "points": 3}, {"signal": "views", "points": 2, "half_life": "1d"}]}),
                "items/0/points from 1 to 3\nitems/1 from none to {\"signal\":\"views\",\"half_life\":\"1d\",\"points\":2}",
            ),
        ],
    );
    let linear =
        json!({"name": "m", "kind": "linear", "inputs": {"v": "signals.views"}, "coefficients": {"v": 0.5}});
    check(
        "models",
        &linear,
        "model m",
        &[
            (json!({}), json!({"coefficients": {"v": 0.25}}), "coefficients/signals.views from 0.5 to 0.25"),
            (json!({}), json!({"kind": "logistic"}), r#"kind from "linear" to "logistic""#),
            (
                json!({}),
                json!({"inputs": {"v": {"path": "signals.views", "missing": 1}}}),
                "inputs/signals.views/missing from none to 1",
            ),
        ],
    );
    let tree = |value: f64| {
        let leaves = json!([{"leaf_value": value}, {"leaf_value": 1.0}]);
        let root = json!({"split_feature": 0, "threshold": 2.0, "decision_type": "<=", "default_left": true,
            "missing_type": "None", "left_child": leaves[0], "right_child": leaves[1]});
        json!({"num_tree_per_iteration": 1, "objective": "regression", "feature_names": ["v"],
            "tree_info": [{"tree_structure": root}]})
    };
    let trees = json!({"name": "t", "kind": "lightgbm", "inputs": {"v": "signals.views"}, "dump": tree(0.5)});
    let retrained = json!({"dump": tree(0.25)});
    let found = said(&file("models", &trees, &json!({})), &file("models", &trees, &retrained));
    assert!(found.starts_with("model t changed\n  dump/hash from \""), "{found}");
    assert_eq!(found.lines().count(), 2, "as many trees and leaves as before: {found}");
}

#[test]
fn diff_names_segments_and_groups_between_folders_and_what_they_change_between_bundles() {
    let source = |plan: &str, more: &str| {
        json!({
            "groups": [{"id": "paid", "values": ["pro", more]}],
            "segments": [{"id": "vip", "when": {"traits.tier": plan}}],
            "rules": [
                {"id": "a", "slot": "s", "when": {"traits.plan": {"$inGroup": "paid"}}, "actions": []},
                {"id": "b", "slot": "s", "when": {"$segment": "vip"}, "actions": []},
                {"id": "c", "slot": "s", "when": {"segments.vip": false}, "actions": []},
            ],
        })
    };
    let (before, after) = (source("gold", "team"), source("silver", "duo"));
    let rules = "rule a changed
  when/traits.plan/$in loses \"team\" and gains \"duo\"
rule b changed
  when/traits.tier from \"gold\" to \"silver\"
rule c changed
  when/$segment/when/traits.tier from \"gold\" to \"silver\"
";
    assert_eq!(said(&before, &after), rules);
    let place = Place::new(&[("rules/a.json", &before.to_string()), ("draft/a.json", &after.to_string())]);
    assert_eq!(
        place.run(&["bundle", "diff", "rules", "draft"]).out,
        format!(
            "segment vip changed\n  when/traits.tier from \"gold\" to \"silver\"\ngroup paid changed\n  values loses \"team\" and gains \"duo\"\n{rules}"
        )
    );
}
