//! The evaluation of a packed model in place; the same walk, without a document, checks it and passes over it.

use super::trees::Walk;
use crate::condition::{Code, Document, Outlook, Reading, evaluate, pass_condition, taken, value_at};
use crate::limits::{MAX_MODEL_INPUTS, MAX_TREE_DEPTH};
use crate::value::ValueRef;

/// The score of the model whose definition the code begins with, and moves behind it. Without a document the code is
/// only checked.
///
/// There is no score where an input is missing that has to be there, or where the sum is no finite number; it cannot be
/// known where a tile that it reads was truncated.
#[inline(never)]
pub(super) fn score(
    code: &mut Code<'_>,
    document: Option<&dyn Document>,
    outlook: &mut Outlook,
) -> Reading<'static> {
    let kind = code.byte();
    let scale = code.double();
    let mut sum = code.double();
    let mut scene = Scene { document, outlook, is_known: true };
    let mut inputs = [0.0; MAX_MODEL_INPUTS];
    let count = code.count();
    for place in 0..count {
        if kind == 0 {
            sum += scene.item(code);
            continue;
        }
        let input = scene.input(code);
        if kind == 1 {
            sum += input * code.double();
        } else if let Some(place) = inputs.get_mut(place) {
            *place = if kind == 3 { f64::from(input as f32) } else { input };
        } else {
            code.fail();
        }
    }
    if kind > 1 {
        let inputs = inputs.get(..count).unwrap_or_default();
        let walk = Walk { inputs, is_single: kind == 3, is_check: document.is_none() };
        for _ in 0..code.count() {
            let mut tree = code.sized();
            sum += walk.leaf(&mut tree, MAX_TREE_DEPTH);
            if walk.is_check && !tree.is_whole() {
                code.fail();
            }
            if walk.is_single {
                // A double holds the sum of two singles well enough to round as a sum of singles does.
                sum = f64::from(sum as f32);
            }
        }
    }
    if kind > 3 {
        code.fail();
    }
    if scale != 0.0 {
        sum = 1.0 / (1.0 + libm::exp(-scale * sum));
    }
    match scene.is_known {
        true if sum.is_finite() => Reading::Value(ValueRef::Number(sum), None),
        true => Reading::Missing,
        false => Reading::Truncated,
    }
}

struct Scene<'a, 'o> {
    document: Option<&'a dyn Document>,
    outlook: &'o mut Outlook,
    /// Whether nothing that was read fell to a bound.
    is_known: bool,
}

impl Scene<'_, '_> {
    /// The number of the input that the code begins with, NaN where it is missing.
    fn input(&mut self, code: &mut Code<'_>) -> f64 {
        let path = code.path();
        let missing = code.double();
        let found = self.document.map(|document| value_at(document, path, self.outlook));
        let found = self.known(found);
        let mut number = match found {
            ValueRef::Number(number) => number,
            ValueRef::Bool(truth) => f64::from(u8::from(truth)),
            ValueRef::Instant(at) => at.0 as f64,
            _ => f64::NAN,
        };
        for _ in 0..code.count() {
            let (name, category) = (code.text(), code.double());
            if found.as_str() == Some(name) {
                number = category;
            }
        }
        if number.is_nan() { missing } else { number }
    }

    /// The points of the item that the code begins with.
    fn item(&mut self, code: &mut Code<'_>) -> f64 {
        let document = self.document.filter(|document| evaluate(*code, *document, self.outlook));
        pass_condition(code);
        let mut points = code.double();
        match code.byte() {
            0 => {}
            1 => {
                let (signal, key, half_life_ms) = (code.id(), code.text(), code.signed());
                if half_life_ms < 0 {
                    code.fail();
                }
                let value = document.map(|document| {
                    taken(document.signal_decayed(signal, key, half_life_ms), document, self.outlook)
                });
                points *= self.known(value).as_number().unwrap_or(0.0);
            }
            _ => code.fail(),
        }
        if document.is_some() { points } else { 0.0 }
    }

    /// What was found, null where nobody was asked; notes when it cannot be known.
    fn known<'v>(&mut self, found: Option<Option<ValueRef<'v>>>) -> ValueRef<'v> {
        self.is_known &= found != Some(None);
        found.flatten().unwrap_or(ValueRef::Null)
    }
}
