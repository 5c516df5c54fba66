//! Any bytes as packed models: scored, turned into definitions, packed and scored alike.
#![no_main]

use attune_core::condition::{Outlook, Reading};
use attune_core::model::ModelTable;
use attune_fuzz::Anything;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(table) = ModelTable::open(data) else { return };
    let mut models: Vec<_> = table.iter().collect();
    models.sort_by_key(|model| (model.id, model.name));
    let trees: Vec<_> = models.iter().map(|model| model.to_model()).collect();
    let again = ModelTable::open(&ModelTable::pack(&trees)).expect("what is packed opens");
    let document = Anything::default();
    for (one, other) in models.into_iter().zip(again.iter()) {
        let (mut first, mut second) = (Outlook::default(), Outlook::default());
        let scores = (one.score(&document, &mut first), other.score(&document, &mut second));
        assert_eq!((bits(&scores.0), first.next), (bits(&scores.1), second.next));
    }
});

/// A reading without the bits by which two that are no number differ.
fn bits(reading: &Reading<'_>) -> String {
    format!("{reading:?}")
}
