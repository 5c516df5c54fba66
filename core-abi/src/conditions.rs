//! GrowthBook-shaped conditions asked in batches over plain objects of attributes.

use crate::cut::elements;
use attune_core::condition::{Engine, holds};
use attune_core::value::{Value, ValueRef, parse};

/// The answer to a case that does not hold.
const NO: u8 = 0;
/// The answer to a case that holds.
const YES: u8 = 1;
/// The answer to a case that cannot be read.
const UNREADABLE: u8 = 2;

/// One byte for each `[attributes, condition, groups]` of a JSON array, where `groups` may be left out: 0 the condition
/// does not hold, 1 it holds, 2 the case cannot be read. Nothing where the text is no array, or has
/// more than 250,000 elements.
///
/// Conditions are judged as GrowthBook's SDKs judge them; docs/growthbook-differences.md lists what differs.
pub fn conditions_hold(cases: &str) -> Option<Vec<u8>> {
    let engine = Engine::default();
    let cases = elements(cases)?;
    Some(cases.into_iter().map(|case| answer(case, &engine).unwrap_or(UNREADABLE)).collect())
}

fn answer(case: &str, engine: &Engine) -> Option<u8> {
    let parts = elements(case)?;
    let mut parts = parts.iter();
    let attributes = parse(parts.next()?).ok()?;
    let condition = Value::parse(parts.next()?).ok()?;
    let groups = match parts.next() {
        Some(text) => parse(text).ok()?,
        None => Value::Null.to_packed(),
    };
    if parts.next().is_some() || !matches!(attributes.get(), ValueRef::Object(_)) {
        return None;
    }
    Some(if holds(attributes.get(), &condition, groups.get(), engine) { YES } else { NO })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_has_its_answer() {
        let cases = r#"[[{"a":"x"},{"a":{"$regex":"^X"}}],[{"a":"x"},{"a":{"$regexi":"^X"}},{}],
            [{"id":"7"},{"id":{"$inGroup":"g"}},{"g":["7"]}],[{},{"a":{"$nope":1}}],[1,{}],[{}],{},[{},{},{},1]]"#;
        assert_eq!(
            conditions_hold(cases),
            Some(vec![NO, YES, YES, NO, UNREADABLE, UNREADABLE, UNREADABLE, UNREADABLE])
        );
        assert_eq!((conditions_hold("[]"), conditions_hold("{}")), (Some(vec![]), None));
    }
}
