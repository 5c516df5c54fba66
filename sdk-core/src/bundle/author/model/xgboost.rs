//! Trees from the JSON that XGBoost's `Booster.save_model("….json")` writes.
//!
//! The form is XGBoost's published schema of models; what a split decides is in its `include/xgboost/tree_model.h` and
//! `src/common/categorical.h`.

use super::trees::{Fault, Imported, list_at, names_at, set_of, text_at};
use crate::limits::{MAX_TREE_DEPTH, MAX_TREES};
use crate::model::{Link, Missing, Split, Tree};
use crate::value::{Value, parse_number};
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

const MODEL: &str = "/learner/gradient_booster/model";

/// Reads a saved model.
pub(super) fn read(dump: &Value) -> Result<Imported, Fault> {
    let booster = text_at(dump, "/learner/gradient_booster/name")?;
    if booster != "gbtree" {
        let message = format!("booster {booster} is not evaluated; gbtree is");
        return Err(Fault::new("/learner/gradient_booster/name", "unsupported_model", &message));
    }
    for count in ["num_class", "num_target"] {
        let at = format!("/learner/learner_model_param/{count}");
        if !matches!(text_at(dump, &at), Ok("0" | "1") | Err(_)) {
            let message = "a model with several outputs has several scores; only one score can be read";
            return Err(Fault::new(&at, "unsupported_objective", message));
        }
    }
    let (link, intercept) = link(dump)?;
    let given = list_at(dump, &format!("{MODEL}/trees"))?;
    if given.len() > MAX_TREES {
        let message = format!("there are {} trees; the limit is {MAX_TREES}", given.len());
        return Err(Fault::new(&format!("{MODEL}/trees"), "too_many_trees", &message));
    }
    let trees = given.iter().enumerate().map(|(index, tree)| {
        let mut walk = Walk { tree, at: format!("{MODEL}/trees/{index}"), left_over: 0 };
        walk.left_over = walk.list("left_children")?.len();
        walk.node(0, MAX_TREE_DEPTH)
    });
    let trees: Vec<Tree> = trees.collect::<Result<_, _>>()?;
    let mut features = names_at(dump, "/learner/feature_names")?;
    if features.is_empty() {
        // The names that XGBoost itself gives to features without one.
        let count = text_at(dump, "/learner/learner_model_param/num_feature")?.parse().unwrap_or(0_usize);
        features =
            (0..count.min(u16::MAX.into())).map(|index| format!("f{index}").into_boxed_str()).collect();
    }
    Ok(Imported { link, intercept, features, trees })
}

/// The link and the sum's beginning, which XGBoost keeps as a prediction.
fn link(dump: &Value) -> Result<(Link, f64), Fault> {
    let at = "/learner/learner_model_param/base_score";
    // Later versions write it as a list of one.
    let base = parse_number(text_at(dump, at)?.trim_matches(['[', ']']));
    let base = base.ok_or_else(|| Fault::form(at, "one number"))? as f32;
    match text_at(dump, "/learner/objective/name")? {
        "reg:squarederror" | "reg:absoluteerror" => Ok((Link::Identity, f64::from(base))),
        "binary:logistic" | "reg:logistic" => {
            if !(base > 0.0 && base < 1.0) {
                return Err(Fault::form(at, "a probability between 0 and 1"));
            }
            Ok((Link::Logistic { scale: 1.0 }, f64::from(-libm::logf(1.0 / base - 1.0))))
        }
        other => {
            let known = "reg:squarederror, reg:absoluteerror, binary:logistic and reg:logistic";
            let message = format!("objective {other} is not evaluated; {known} are");
            Err(Fault::new("/learner/objective/name", "unsupported_objective", &message))
        }
    }
}

/// One tree, which lists its nodes' fields.
struct Walk<'a> {
    tree: &'a Value,
    at: alloc::string::String,
    /// Nodes that have not been visited; more visits than nodes are a cycle.
    left_over: usize,
}

impl<'a> Walk<'a> {
    fn node(&mut self, node: usize, depth: usize) -> Result<Tree, Fault> {
        let depth = depth.checked_sub(1).ok_or_else(|| Fault::too_deep(&self.at))?;
        self.left_over = self.left_over.checked_sub(1).ok_or_else(|| self.form("each node once"))?;
        let value = f64::from(self.number("split_conditions", node)? as f32);
        let left = self.number("left_children", node)?;
        if left < 0.0 {
            return Ok(Tree::Leaf(value));
        }
        let right = self.number("right_children", node)?;
        let input = self.number("split_indices", node)? as usize;
        let missing_left = match self.list("default_left")?.get(node) {
            Some(Value::Number(flag)) => *flag != 0.0,
            Some(Value::Bool(flag)) => *flag,
            _ => return Err(self.form("default_left for each node")),
        };
        let left = Box::new(self.node(left as usize, depth)?);
        let right = Box::new(self.node(right as usize, depth)?);
        let missing = Missing::Nan;
        if self.tree.field("split_type").is_some() && self.number("split_type", node)? != 0.0 {
            // A category that is in the set goes right, so the sides change places.
            let test = Split::Categories(self.categories(node)?);
            return Ok(Tree::Split {
                input,
                test,
                missing,
                missing_left: !missing_left,
                left: right,
                right: left,
            });
        }
        Ok(Tree::Split { input, test: Split::Threshold(value), missing, missing_left, left, right })
    }

    fn categories(&self, node: usize) -> Result<Vec<u8>, Fault> {
        let nodes = self.list("categories_nodes")?;
        let place = nodes.iter().position(|known| known.as_number() == Some(node as f64));
        let place = place.ok_or_else(|| self.form("categories for each split by categories"))?;
        let start = self.number("categories_segments", place)? as usize;
        let size = self.number("categories_sizes", place)? as usize;
        let numbers = self.list("categories")?.iter().skip(start).take(size);
        let whole = |number: &f64| *number >= 0.0 && libm::trunc(*number) == *number;
        set_of(numbers.map(|number| number.as_number().filter(whole).map(|number| number as usize)), &self.at)
    }

    fn list(&self, name: &str) -> Result<&'a [Value], Fault> {
        match self.tree.field(name) {
            Some(Value::Array(items)) => Ok(items),
            _ => Err(self.form(&format!("an array named {name}"))),
        }
    }

    fn number(&self, name: &str, index: usize) -> Result<f64, Fault> {
        let found = self.list(name)?.get(index).and_then(Value::as_number);
        found.ok_or_else(|| self.form(&format!("a number in {name} for each node")))
    }

    fn form(&self, expected: &str) -> Fault {
        Fault::form(&self.at, expected)
    }
}
