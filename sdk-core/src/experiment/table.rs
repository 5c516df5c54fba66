//! The experiments of a bundle, each behind those it reads.

use super::TrialRef;
use super::trial::{Trial, encode_trial};
use crate::codec::CodecError;
use crate::condition::{Form, Packer, pack_like};
use alloc::vec::Vec;

/// The experiments of a bundle. One that reads another stands behind it; what it reads of those behind it is missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrialTable {
    form: Form,
    /// Where each experiment stands.
    trials: Vec<u32>,
}

impl TrialTable {
    /// Writes the packed form; each experiment stands behind those it reads.
    pub fn pack(trials: &[Trial]) -> Vec<u8> {
        Self::pack_in(Packer::new(), trials)
    }

    /// Writes the packed form with the numbers that an earlier one has.
    pub fn pack_like(before: &Self, trials: &[Trial]) -> Vec<u8> {
        pack_like(&before.form, &|packer| Self::pack_in(packer, trials))
    }

    fn pack_in(mut packer: Packer, trials: &[Trial]) -> Vec<u8> {
        packer.list(trials, encode_trial);
        packer.finish()
    }

    /// Takes a packed form in, once it is checked to its end.
    ///
    /// # Errors
    /// Fails on bytes that are none.
    pub fn open(bytes: &[u8]) -> Result<Self, CodecError> {
        Self::read(Form::open(bytes)?)
    }

    /// Takes a packed form in that follows the one before; where it is the same, nothing is checked again.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub fn open_after(bytes: &[u8], before: &Self) -> Result<Self, CodecError> {
        let form = Form::open(bytes)?;
        if form == before.form { Ok(before.clone()) } else { Self::read(form) }
    }

    /// Whether the packed forms are the same.
    pub fn is_like(&self, other: &Self) -> bool {
        self.form == other.form
    }

    fn read(form: Form) -> Result<Self, CodecError> {
        let mut table = Self { form, trials: Vec::new() };
        let mut code = table.form.at(0);
        for _ in 0..code.count() {
            table.trials.push(code.place());
            TrialRef::pass(&mut code);
        }
        if code.is_whole() { Ok(table) } else { Err(CodecError) }
    }

    /// How many experiments there are.
    pub fn len(&self) -> usize {
        self.trials.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.trials.is_empty()
    }

    /// The experiment of an index.
    pub fn get(&self, index: usize) -> Option<TrialRef<'_>> {
        self.trials.get(index).map(|place| TrialRef::read(&mut self.form.at(*place)))
    }

    /// All experiments in their order.
    pub fn iter(&self) -> impl Iterator<Item = TrialRef<'_>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Filter, HashVersion, Hashing, Span, Sticky};
    use super::*;
    use crate::condition::{Condition, Literal, Path, Root, Test};
    use crate::id::SignalId;
    use crate::limits::{MAX_NAMED_BYTES, MAX_VARIATIONS};
    use crate::value::Value;
    use alloc::boxed::Box;
    use alloc::vec;
    use proptest::prelude::*;

    fn hash(seed: &str, version: HashVersion) -> Hashing {
        Hashing { seed: seed.into(), version }
    }

    fn trials() -> Vec<Trial> {
        let span = |from, until| Span { from, until };
        let path = |text: &str| Path::parse(text).unwrap();
        let first = Trial {
            id: "first".into(),
            hash: hash("first", HashVersion::Two),
            unit: Path { root: Root::Bare, rest: "anonymous_id".into() },
            variations: vec![("a".into(), span(0, 2_500)), ("b".into(), span(5_000, 7_500))],
            filters: Vec::new(),
            when: Condition::All(Vec::new()),
            force: None,
            bucket_version: 0,
            exposed: SignalId(1),
            sticky: None,
        };
        let test = Test::Is(Literal::Value(Value::string("b")));
        let sticky = Sticky {
            assigned: SignalId(3),
            min_bucket_version: 4,
            fallback: Some(path("traits.device")),
            page: Condition::Path { path: path("context.page.path"), test: test.clone() },
        };
        let filter = Filter {
            unit: Some(path("traits.company")),
            hash: hash("__n", HashVersion::One),
            spans: vec![span(0, 100), span(300, 1_000)],
        };
        let second = Trial {
            id: "second".into(),
            unit: path("traits.company"),
            filters: vec![filter.clone(), Filter { unit: None, spans: Vec::new(), ..filter }],
            when: Condition::Path { path: path("experiments.first"), test },
            force: Some(1),
            bucket_version: 7,
            exposed: SignalId(2),
            sticky: Some(sticky),
            ..first.clone()
        };
        vec![first, second]
    }

    #[test]
    fn an_experiment_survives_its_packed_form() {
        let trials = trials();
        let table = TrialTable::open(&TrialTable::pack(&trials)).unwrap();
        assert_eq!(table.iter().map(TrialRef::to_trial).collect::<Vec<_>>(), trials);
        let first = table.get(0).unwrap();
        assert_eq!(
            (first.variation(0), first.variation(1), first.variation(2)),
            (Some("a"), Some("b"), None)
        );
        assert!(TrialTable::open(&TrialTable::pack(&[])).unwrap().is_empty() && table.get(2).is_none());
    }

    #[test]
    fn more_variations_than_their_bound_and_seeds_named_too_often_are_refused() {
        let (first, span) = (trials().remove(0), Span { from: 0, until: 1 });
        let is_taken = |trial: Trial| TrialTable::open(&TrialTable::pack(&[trial])).is_ok();
        let varied = |count: usize| Trial { variations: vec![("a".into(), span); count], ..first.clone() };
        assert!(is_taken(varied(MAX_VARIATIONS)) && !is_taken(varied(MAX_VARIATIONS + 1)));
        let seed = "s".repeat(1 << 20);
        let filter =
            Filter { unit: Some(first.unit.clone()), hash: hash(&seed, HashVersion::One), spans: vec![span] };
        let filtered = |count: usize| Trial { filters: vec![filter.clone(); count], ..first.clone() };
        let most = MAX_NAMED_BYTES as usize / seed.len();
        assert!(is_taken(filtered(most - 1)) && !is_taken(filtered(most)));
    }

    proptest! {
        #[test]
        fn random_and_damaged_tables_are_refused_or_read(random: Vec<u8>, at: prop::sample::Index, byte: u8) {
            let mut bytes = TrialTable::pack(&trials());
            let at = at.index(bytes.len());
            bytes[at] = byte;
            for bytes in [random, bytes] {
                let Ok(table) = TrialTable::open(&bytes) else { continue };
                let trials: Vec<Trial> = table.iter().map(TrialRef::to_trial).collect();
                let again = TrialTable::open(&TrialTable::pack(&trials)).unwrap();
                let other: Vec<Trial> = again.iter().map(TrialRef::to_trial).collect();
                prop_assert_eq!(trials, other);
                let _: Vec<Option<Box<str>>> = table.iter().map(|trial| trial.variation(1).map(Box::from)).collect();
            }
        }
    }
}
