//! The evaluation of a packed model in place; the same walk, without a document, checks it and passes over it.

use super::trees::Walk;
use crate::condition::{Code, Document, Outlook, Reading, evaluate, pass_condition, taken, value_at};
use crate::limits::{MAX_MODEL_BYTES, MAX_MODEL_INPUTS, MAX_TREE_DEPTH};
use crate::value::ValueRef;

/// The score of the model whose definition the code begins with, and moves behind it. Without a document the code is
/// only checked.
///
/// There is no score where an input is missing that has to be there, or where the sum is no finite number; it cannot be
/// known where a tile that it reads was truncated.
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
    let mut count = 0;
    let mut part = code.sized();
    let mut is_sound = kind < 4;
    while !part.is_empty() {
        if kind == 0 {
            sum += scene.item(&mut part);
            continue;
        }
        let input = scene.input(&mut part);
        if kind == 1 {
            sum += input * part.double();
        } else if let Some(place) = inputs.get_mut(count) {
            *place = input;
            count += 1;
        } else {
            part.fail();
        }
    }
    if kind > 1 {
        let inputs = inputs.get(..count).unwrap_or_default();
        let walk = Walk { inputs, is_single: kind == 3, is_check: document.is_none() };
        is_sound &= part.is_sound();
        part = code.sized();
        is_sound &= part.len() <= MAX_MODEL_BYTES;
        while !part.is_empty() {
            let mut tree = part.sized();
            sum += walk.leaf(&mut tree, MAX_TREE_DEPTH);
            is_sound &= tree.is_whole() || !walk.is_check;
            if walk.is_single {
                // A double holds the sum of two singles well enough to round as a sum of singles does.
                sum = f64::from(sum as f32);
            }
        }
    }
    if !is_sound || !part.is_sound() {
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
        let mut categories = code.sized();
        let found = self.document.map(|document| value_at(document, path, self.outlook));
        let found = self.known(found);
        let mut number = match found {
            ValueRef::Number(number) => number,
            ValueRef::Bool(truth) => f64::from(u8::from(truth)),
            ValueRef::Instant(at) => at.0 as f64,
            _ => f64::NAN,
        };
        while !categories.is_empty() {
            let (name, category) = (categories.text(), categories.double());
            if found.as_str() == Some(name) {
                number = category;
            }
        }
        if !categories.is_sound() {
            code.fail();
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
