//! Models as trees of types: to their packed form and, for tools, back.

use super::{Counted, Input, Item, Library, Link, Missing, Model, Scorer, Split, Tree};
use crate::condition::{Code, Packer, decode_condition, encode_condition, encode_path};
use crate::hash::key_hash;
use crate::id::ModelId;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// The identity of a definition: the hash of its canonical form without id and name.
pub fn model_id(model: &Model) -> ModelId {
    let mut packer = Packer::canonical();
    encode_definition(model, &mut packer);
    ModelId(key_hash(&packer.finish()))
}

/// Appends a model's packed form, its id included, so that a page need not hash.
pub(super) fn encode_model(model: &Model, packer: &mut Packer) {
    packer.model(model.id);
    packer.text(&model.name);
    packer.sized(|packer| encode_definition(model, packer));
}

fn encode_definition(model: &Model, packer: &mut Packer) {
    packer.out.u8(match model.scorer {
        Scorer::Plan(_) => 0,
        Scorer::Linear(_) => 1,
        Scorer::Trees { library: Library::LightGbm, .. } => 2,
        Scorer::Trees { library: Library::XgBoost, .. } => 3,
    });
    packer.out.f64(match model.link {
        Link::Identity => 0.0,
        Link::Logistic { scale } => scale,
    });
    packer.out.f64(model.intercept);
    match &model.scorer {
        Scorer::Plan(items) => packer.list(items, encode_item),
        Scorer::Linear(terms) => packer.list(terms, |(input, coefficient), packer| {
            encode_input(input, packer);
            packer.out.f64(*coefficient);
        }),
        Scorer::Trees { library, inputs, trees } => {
            packer.list(inputs, encode_input);
            packer.list(trees, |tree, packer| packer.sized(|packer| encode_tree(tree, *library, packer)));
        }
    }
}

fn encode_input(input: &Input, packer: &mut Packer) {
    encode_path(&input.path, packer);
    packer.out.f64(input.missing.unwrap_or(f64::NAN));
    packer.list(&input.categories, |(text, number), packer| {
        packer.text(text);
        packer.out.f64(*number);
    });
}

fn encode_item(item: &Item, packer: &mut Packer) {
    encode_condition(&item.when, packer);
    packer.out.f64(item.points);
    packer.option(item.counted.as_ref(), |counted, packer| {
        packer.id(counted.signal);
        packer.text(&counted.key);
        packer.out.i64(counted.half_life_ms.unwrap_or(0));
    });
}

/// A tree in preorder: a split, the left tree with its length, the right tree. So whoever walks it only ever moves on.
fn encode_tree(tree: &Tree, library: Library, packer: &mut Packer) {
    let number = |number: f64, packer: &mut Packer| match library {
        Library::LightGbm => packer.out.f64(number),
        Library::XgBoost => packer.out.raw(&(number as f32).to_le_bytes()),
    };
    match tree {
        Tree::Leaf(value) => {
            packer.out.u8(0);
            number(*value, packer);
        }
        Tree::Split { input, test, missing, missing_left, left, right } => {
            let is_set = matches!(test, Split::Categories(_));
            packer.out.u8(1 | u8::from(*missing_left) << 1 | u8::from(is_set) << 2 | (*missing as u8) << 3);
            packer.out.len(*input);
            match test {
                Split::Threshold(threshold) => number(*threshold, packer),
                Split::Categories(set) => packer.out.bytes(set),
            }
            packer.sized(|packer| encode_tree(left, library, packer));
            encode_tree(right, library, packer);
        }
    }
}

/// Reads a definition that has been checked.
pub(super) fn decode_model(id: ModelId, name: &str, code: &mut Code<'_>) -> Model {
    let kind = code.byte();
    let scale = code.double();
    Model {
        id,
        name: Box::from(name),
        link: if scale == 0.0 { Link::Identity } else { Link::Logistic { scale } },
        intercept: code.double(),
        scorer: match kind {
            0 => Scorer::Plan(list(code, decode_item)),
            1 => Scorer::Linear(list(code, |code| (decode_input(code), code.double()))),
            _ => {
                let library = if kind == 2 { Library::LightGbm } else { Library::XgBoost };
                let inputs = list(code, decode_input);
                let trees = list(code, |code| decode_tree(&mut code.sized(), library));
                Scorer::Trees { library, inputs, trees }
            }
        },
    }
}

fn decode_input(code: &mut Code<'_>) -> Input {
    let path = code.path().to_path();
    let missing = code.double();
    let categories = list(code, |code| (Box::from(code.text()), code.double()));
    Input { path, missing: (!missing.is_nan()).then_some(missing), categories }
}

fn decode_item(code: &mut Code<'_>) -> Item {
    let (when, points) = (decode_condition(code), code.double());
    let counted = (code.byte() == 1).then(|| Counted {
        signal: code.id(),
        key: Box::from(code.text()),
        half_life_ms: Some(code.signed()).filter(|ms| *ms > 0),
    });
    Item { when, points, counted }
}

fn decode_tree(code: &mut Code<'_>, library: Library) -> Tree {
    let number = if library == Library::LightGbm { Code::double } else { Code::single };
    let tag = code.byte();
    if tag & 1 == 0 {
        return Tree::Leaf(number(code));
    }
    Tree::Split {
        input: code.number() as usize,
        test: match tag & 4 {
            0 => Split::Threshold(number(code)),
            _ => Split::Categories(Vec::from(code.bytes())),
        },
        missing: match tag >> 3 & 3 {
            0 => Missing::None,
            2 => Missing::Nan,
            _ => Missing::Zero,
        },
        missing_left: tag & 2 != 0,
        left: Box::new(decode_tree(&mut code.sized(), library)),
        right: Box::new(decode_tree(code, library)),
    }
}

fn list<T>(code: &mut Code<'_>, read: impl Fn(&mut Code<'_>) -> T) -> Vec<T> {
    (0..code.count()).map(|_| read(code)).collect()
}
