//! Trees from the JSON that LightGBM's `Booster.dump_model()` gives.
//!
//! What a split decides is in LightGBM's `include/LightGBM/tree.h` (`NumericalDecision`, `CategoricalDecision`).

use super::trees::{Fault, Imported, list_at, names_at, set_of, text_at, value_at};
use crate::limits::{MAX_TREE_DEPTH, MAX_TREES};
use crate::model::{Link, Missing, Split, Tree};
use crate::value::{Value, parse_number};
use alloc::boxed::Box;
use alloc::format;

/// Objectives whose raw score is the prediction.
const IDENTITY: [&str; 6] = ["regression", "regression_l1", "huber", "fair", "quantile", "mape"];

/// Reads a dump.
pub(super) fn read(dump: &Value) -> Result<Imported, Fault> {
    if value_at(dump, "/num_tree_per_iteration")?.as_number() != Some(1.0) {
        let message = "a model with several classes has several scores; only one score can be read";
        return Err(Fault::new("/num_tree_per_iteration", "unsupported_objective", message));
    }
    if dump.field("average_output") == Some(&Value::Bool(true)) {
        let message = "a forest whose trees are averaged (boosting=rf) is not evaluated";
        return Err(Fault::new("/average_output", "unsupported_model", message));
    }
    let link = link(text_at(dump, "/objective")?)?;
    let infos = list_at(dump, "/tree_info")?;
    if infos.len() > MAX_TREES {
        let message = format!("there are {} trees; the limit is {MAX_TREES}", infos.len());
        return Err(Fault::new("/tree_info", "too_many_trees", &message));
    }
    let each = infos.iter().enumerate().map(|(index, info)| {
        let at = format!("/tree_info/{index}/tree_structure");
        tree(info.field("tree_structure").unwrap_or(&Value::Null), &at, MAX_TREE_DEPTH)
    });
    let trees = each.collect::<Result<_, _>>()?;
    Ok(Imported { link, intercept: 0.0, features: names_at(dump, "/feature_names")?, trees })
}

fn link(objective: &str) -> Result<Link, Fault> {
    let mut words = objective.split(' ');
    let name = words.next().unwrap_or_default();
    let scale = words.find_map(|word| parse_number(word.strip_prefix("sigmoid:")?));
    match (name, scale) {
        ("binary", Some(scale)) if scale > 0.0 => Ok(Link::Logistic { scale }),
        ("cross_entropy", _) => Ok(Link::Logistic { scale: 1.0 }),
        // `regression sqrt` would be squared again.
        _ if IDENTITY.contains(&name) && !objective.contains("sqrt") => Ok(Link::Identity),
        _ => {
            let known = "binary, cross_entropy, regression, regression_l1, huber, fair, quantile and mape";
            let message = format!("objective {objective} is not evaluated; {known} are");
            Err(Fault::new("/objective", "unsupported_objective", &message))
        }
    }
}

fn tree(node: &Value, at: &str, depth: usize) -> Result<Tree, Fault> {
    let form = |expected: &str| Fault::form(at, expected);
    let number = |name: &str| node.field(name).and_then(Value::as_number);
    let depth = depth.checked_sub(1).ok_or_else(|| Fault::too_deep(at))?;
    if let Some(value) = number("leaf_value") {
        if node.field("leaf_coeff").is_some() {
            return Err(Fault::new(at, "unsupported_model", "leaves with linear models are not evaluated"));
        }
        return Ok(Tree::Leaf(value));
    }
    let input =
        number("split_feature").filter(|index| *index >= 0.0).ok_or_else(|| form("a leaf or a split"))?;
    let decision = node.field("decision_type").and_then(Value::as_str);
    let (test, missing, missing_left) = match (decision, node.field("threshold")) {
        (Some("<="), Some(Value::Number(threshold))) => {
            let missing = match node.field("missing_type").and_then(Value::as_str) {
                Some("None") => Missing::None,
                Some("Zero") => Missing::Zero,
                Some("NaN") => Missing::Nan,
                _ => return Err(form("missing_type None, Zero or NaN")),
            };
            let is_left = node.field("default_left") == Some(&Value::Bool(true));
            (Split::Threshold(*threshold), missing, is_left)
        }
        // A missing category is in no set, whatever the dump says of missing values.
        (Some("=="), Some(Value::String(numbers))) => {
            let set = set_of(numbers.split("||").map(|number| number.parse().ok()), at)?;
            (Split::Categories(set), Missing::Nan, false)
        }
        _ => return Err(form("decision_type <= with a number or == with numbers of categories")),
    };
    let below = |name: &str| {
        tree(node.field(name).unwrap_or(&Value::Null), &format!("{at}/{name}"), depth).map(Box::new)
    };
    let (left, right) = (below("left_child")?, below("right_child")?);
    Ok(Tree::Split { input: input as usize, test, missing, missing_left, left, right })
}
