//! What the compiler says of models that are not sound, by code and place.

use crate::bundle::author::{Compiled, SourceFile, compile};
use crate::limits::{MAX_MODEL_INPUTS, MAX_MODELS, MAX_TREES};
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use proptest::prelude::*;

const SIGNALS: &str = r#"[{"name":"views","on":"x","aggregate":"count","window":"1h"},
    {"name":"by","on":"x","by":"metadata.a","aggregate":"count","window":"1h"},
    {"name":"at","on":"x","aggregate":"last_at","window":"1h"},
    {"name":"fine","on":"x","aggregate":"count","window":"1h","bucket":"20s"},
    {"name":"ever","on":"x","aggregate":"count","window":"lifetime"}]"#;

fn compiled(models: &str, rules: &str) -> Compiled {
    let text = format!(r#"{{"signals":{SIGNALS},"models":[{models}],"rules":[{rules}]}}"#);
    compile(&[SourceFile { name: "a.json".to_owned(), text }])
}

fn found(model: &str) -> Vec<String> {
    let compiled = compiled(&format!(r#"{{"name":"m",{model}}}"#), "");
    let shown = compiled.diagnostics.iter().map(|found| format!("{} {}", found.code, found.path));
    let shown: Vec<String> = shown.collect();
    assert_eq!(shown.is_empty(), compiled.bundle.models.len() == 1, "{model}");
    shown
}

/// A model of LightGBM with these fields of its dump and this tree.
fn lightgbm(fields: &str, tree: &str) -> String {
    let head = r#""kind":"lightgbm","inputs":{"a":"traits.a"}"#;
    format!(
        r#"{head},"dump":{{{fields},"feature_names":["a","b"],"tree_info":[{{"tree_structure":{tree}}}]}}"#
    )
}

const SOUND: &str = r#""num_tree_per_iteration":1,"objective":"binary sigmoid:1""#;

fn split(fields: &str) -> String {
    format!(r#"{{{fields},"left_child":{{"leaf_value":1}},"right_child":{{"leaf_value":2}}}}"#)
}

/// A model of XGBoost with these values at the places that differ.
fn xgboost(objective: &str, base: &str, booster: &str, classes: u8, tree: &str) -> String {
    format!(
        r#""kind":"xgboost","inputs":{{"a":"traits.a"}},"dump":{{"learner":{{"feature_names":["a","b"],
        "learner_model_param":{{"base_score":"{base}","num_class":"{classes}","num_target":"1","num_feature":"2"}},
        "objective":{{"name":"{objective}"}},
        "gradient_booster":{{"name":"{booster}","model":{{"trees":[{tree}]}}}}}}}}"#
    )
}

fn nodes(left: &str, right: &str, inputs: &str) -> String {
    format!(
        r#"{{"left_children":[{left}],"right_children":[{right}],"split_indices":[{inputs}],
        "split_conditions":[1,2,3],"default_left":[0,0,0]}}"#
    )
}

#[test]
fn plans_and_linear_models_say_what_is_wrong_with_them() {
    let plan = |item: &str| format!(r#""kind":"plan","items":[{item}]"#);
    for (model, expected) in [
        (plan(r#"{"points":1}"#), ""),
        (r#""kind":"forest""#.to_owned(), "bad_field /models/0/kind"),
        (r#""kind":"plan","items":{}"#.to_owned(), "bad_field /models/0/items"),
        (plan("5"), "not_an_object /models/0/items/0"),
        (plan("{}"), "missing_field /models/0/items/0/points"),
        (plan(r#"{"points":"1"}"#), "bad_field /models/0/items/0/points"),
        (plan(r#"{"points":1,"point":2}"#), "unknown_field /models/0/items/0/point"),
        (plan(r#"{"points":1,"half_life":"1d"}"#), "misplaced_field /models/0/items/0/half_life"),
        (plan(r#"{"points":1,"key":"x"}"#), "misplaced_field /models/0/items/0/key"),
        (plan(r#"{"points":1,"signal":"none"}"#), "unknown_signal /models/0/items/0/signal"),
        (plan(r#"{"points":1,"signal":"at"}"#), "bad_field /models/0/items/0/signal"),
        (plan(r#"{"points":1,"signal":"by"}"#), "signal_key_missing /models/0/items/0/key"),
        (plan(r#"{"points":1,"signal":"views","key":"x"}"#), "signal_key_unexpected /models/0/items/0/key"),
        (plan(r#"{"points":1,"signal":"ever","half_life":"1d"}"#), "bad_field /models/0/items/0/half_life"),
        (plan(r#"{"points":1,"signal":"fine","half_life":"1d"}"#), "bad_field /models/0/items/0/half_life"),
        (plan(r#"{"points":1,"signal":"fine"}"#), ""),
        (plan(r#"{"points":1,"signal":"views","half_life":"0s"}"#), "bad_field /models/0/items/0/half_life"),
        (plan(r#"{"points":1,"when":{"event.event_type":"x"}}"#), "bad_field /models/0/items/0/when"),
        (
            plan(r#"{"points":1,"when":{"$score":{"name":"m","is":1}}}"#),
            "score_misplaced /models/0/items/0/when/$score/name",
        ),
        (plan(r#"{"points":1,"when":{"traits.a":{"$x":1}}}"#), "unknown_operator /models/0/items/0/when/traits.a/$x"),
        (r#""kind":"linear","coefficients":{}"#.to_owned(), "bad_field /models/0/inputs"),
        (r#""kind":"linear","inputs":{}"#.to_owned(), "bad_field /models/0/coefficients"),
        (r#""kind":"linear","inputs":{},"coefficients":{},"items":[]"#.to_owned(), "misplaced_field /models/0/items"),
        (
            r#""kind":"linear","inputs":{"a/b":"traits.a"},"coefficients":{"a/b":"1"}"#.to_owned(),
            "bad_field /models/0/coefficients/a~1b",
        ),
        (
            r#""kind":"linear","inputs":{"a":"traits.a"},"coefficients":{}"#.to_owned(),
            "missing_coefficient /models/0/coefficients",
        ),
        (
            r#""kind":"logistic","inputs":{},"coefficients":{"a":1}"#.to_owned(),
            "unknown_input /models/0/coefficients",
        ),
        (
            r#""kind":"linear","inputs":{"a":"event.metadata.a"},"coefficients":{"a":1}"#.to_owned(),
            "bad_field /models/0/inputs/a/path",
        ),
        (
            r#""kind":"linear","inputs":{"a":"signals.none"},"coefficients":{"a":1}"#.to_owned(),
            "unknown_signal /models/0/inputs/a/path",
        ),
        (
            r#""kind":"linear","inputs":{"a":{"path":"traits.a","categories":{"x":"1"}}},"coefficients":{"a":1}"#.to_owned(),
            "bad_field /models/0/inputs/a/categories",
        ),
    ] {
        let first = found(&model).into_iter().next().unwrap_or_default();
        assert_eq!(first, expected, "{model}");
    }
}

#[test]
fn dumps_say_what_cannot_be_evaluated() {
    let bounded = split(r#""split_feature":0,"threshold":1,"decision_type":"<=","missing_type":"NaN""#);
    let many = format!(
        r#""kind":"lightgbm","inputs":{{}},"dump":{{{SOUND},"feature_names":[],"tree_info":[{}0]}}"#,
        "0,".repeat(MAX_TREES)
    );
    let logistic = |base: &str| xgboost("binary:logistic", base, "gbtree", 0, "");
    let tree = |tree: &str| xgboost("reg:squarederror", "0", "gbtree", 0, tree);
    for (model, expected) in [
        (lightgbm(SOUND, &bounded), ""),
        (
            lightgbm(r#""num_tree_per_iteration":3,"objective":"multiclass num_class:3""#, &bounded),
            "unsupported_objective /num_tree_per_iteration",
        ),
        (
            lightgbm(r#""num_tree_per_iteration":1,"objective":"poisson""#, &bounded),
            "unsupported_objective /objective",
        ),
        (
            lightgbm(r#""num_tree_per_iteration":1,"objective":"regression sqrt""#, &bounded),
            "unsupported_objective /objective",
        ),
        (
            lightgbm(&format!(r#"{SOUND},"average_output":true"#), &bounded),
            "unsupported_model /average_output",
        ),
        (lightgbm(r#""num_tree_per_iteration":1"#, &bounded), "bad_dump /objective"),
        (
            lightgbm(SOUND, r#"{"leaf_value":1,"leaf_coeff":[1]}"#),
            "unsupported_model /tree_info/0/tree_structure",
        ),
        (lightgbm(SOUND, "{}"), "bad_dump /tree_info/0/tree_structure"),
        (
            lightgbm(SOUND, &split(r#""split_feature":0,"threshold":1,"decision_type":"<""#)),
            "bad_dump /tree_info/0/tree_structure",
        ),
        (
            lightgbm(SOUND, &split(r#""split_feature":0,"threshold":"1||5000","decision_type":"==""#)),
            "bad_dump /tree_info/0/tree_structure",
        ),
        (
            lightgbm(
                SOUND,
                r#"{"split_feature":0,"threshold":1,"decision_type":"<=","missing_type":"NaN","left_child":{"leaf_value":1}}"#,
            ),
            "bad_dump /tree_info/0/tree_structure/right_child",
        ),
        (
            lightgbm(
                SOUND,
                &split(r#""split_feature":1,"threshold":1,"decision_type":"<=","missing_type":"NaN""#),
            ),
            "missing_input /models/0/inputs",
        ),
        (
            lightgbm(SOUND, &bounded).replace(r#"{"a":"#, r#"{"c":"traits.c","a":"#),
            "unknown_input /models/0/inputs/c",
        ),
        (many, "too_many_trees /tree_info"),
        (r#""kind":"xgboost","inputs":{}"#.to_owned(), "missing_field "),
        (
            r#""kind":"xgboost","inputs":{},"dump":[{"nodeid":0,"leaf":1}]"#.to_owned(),
            "bad_dump /learner/gradient_booster/name",
        ),
        (tree(&nodes("1,-1,-1", "2,-1,-1", "0,0,0")), ""),
        (xgboost("reg:squarederror", "0", "dart", 0, ""), "unsupported_model /learner/gradient_booster/name"),
        (
            xgboost("multi:softprob", "0", "gbtree", 3, ""),
            "unsupported_objective /learner/learner_model_param/num_class",
        ),
        (xgboost("count:poisson", "0", "gbtree", 0, ""), "unsupported_objective /learner/objective/name"),
        (logistic("[1E0]"), "bad_dump /learner/learner_model_param/base_score"),
        (logistic("[1E-1,2E-1]"), "bad_dump /learner/learner_model_param/base_score"),
        (tree(&nodes("1,0,-1", "2,0,-1", "0,0,0")), "bad_dump /learner/gradient_booster/model/trees/0"),
        (tree(&nodes("9,-1,-1", "2,-1,-1", "0,0,0")), "bad_dump /learner/gradient_booster/model/trees/0"),
        (tree(&nodes("1,-1,-1", "2,-1,-1", "7,0,0")), "missing_input /models/0/inputs"),
        (tree("{}"), "bad_dump /learner/gradient_booster/model/trees/0"),
    ] {
        let first = found(&model).into_iter().next().unwrap_or_default();
        assert_eq!(first.replace("/models/0/dump", ""), expected, "{model}");
    }
}

#[test]
fn what_is_beyond_its_bound_is_named() {
    let inputs: Vec<String> = (0..=MAX_MODEL_INPUTS).map(|n| format!(r#""i{n}":"traits.a""#)).collect();
    let model = format!(r#""kind":"linear","inputs":{{{}}},"coefficients":{{}}"#, inputs.join(","));
    assert_eq!(found(&model), ["too_many_inputs /models/0/inputs"]);
    let name = |n: usize| format!(r#"{{"name":"m{n}","kind":"plan","items":[]}}"#);
    let models: Vec<String> = (0..=MAX_MODELS).map(name).collect();
    let compiled = compiled(&models.join(","), "");
    let codes: Vec<&str> = compiled.diagnostics.iter().map(|found| found.code).collect();
    assert_eq!((codes, compiled.bundle.models.len()), (alloc::vec!["too_many_models"], MAX_MODELS));
}

#[test]
fn a_rule_over_a_broken_model_is_inactive_and_its_neighbours_go_on() {
    let compiled = compiled(
        r#"{"name":"broken","kind":"plan"},{"name":"sound","kind":"plan","items":[]},{"name":"sound","kind":"plan","items":[]}"#,
        r#"{"id":"a","slot":"s","when":{"$score":{"name":"broken","is":{"$gte":1}}},"actions":[]},
           {"id":"b","slot":"s","when":{"$score":{"name":"sound","is":{"$gte":1}}},"actions":[]},
           {"id":"c","slot":"s","when":{"$score":{"name":"sound","key":"x"}},"actions":[]}"#,
    );
    let inactive = |id: &str| compiled.bundle.rule(id).and_then(|rule| rule.head().inactive);
    assert_eq!((inactive("a"), inactive("b")), (Some("unknown_model:broken"), None));
    assert_eq!(inactive("c"), Some("unknown_field:key"));
    let codes: Vec<&str> = compiled.diagnostics.iter().map(|found| found.code).collect();
    assert_eq!(codes, ["bad_field", "duplicate_model", "unknown_model", "unknown_field", "bad_literal"]);
}

proptest! {
    #[test]
    fn damaged_models_never_panic(at: prop::sample::Index, byte in 32_u8..127, kind in 0_usize..2) {
        let text = [
            include_str!("../../../../../tests/models/lightgbm-binary.json"),
            include_str!("../../../../../tests/models/xgboost-binary.json"),
        ][kind];
        // Early bytes say what a model is; most of the others are numbers of trees.
        let mut bytes = text.get(..6_000).unwrap_or(text).as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.extend_from_slice(&text.as_bytes()[6_000..]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        compile(&[SourceFile { name: "a.json".to_owned(), text }]);
    }
}
