//! Packed models beside a plain evaluator of their trees, and what hostile bytes come to.

use super::{Counted, Input, Item, Library, Link, Missing, Model, ModelTable, Scorer, Split, Tree, model_id};
use crate::condition::{Condition, Consent, Document, Literal, Outlook, Path, PathRef, Reading, Root, Test};
use crate::id::{ModelId, SessionId, SignalId};
use crate::limits::{MAX_MODEL_INPUTS, MAX_TREE_DEPTH};
use crate::profile::{SignalTable, Traits};
use crate::rules::VisitorDocument;
use crate::time::{Clocks, Timestamp};
use crate::value::{Value, ValueRef, parse};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

/// The fields `a` to `c` of the context; signals 0 and 1 as numbers, signal 2 truncated, all others missing.
#[derive(Debug)]
struct Given {
    fields: [Value; 3],
    signals: [f64; 2],
}

impl Given {
    fn signal_value(&self, signal: SignalId, half_life_ms: Option<i64>) -> Option<Option<f64>> {
        match signal.0 {
            2 => None,
            place => {
                Some(self.signals.get(place as usize).map(|n| n / (half_life_ms.unwrap_or(0) + 1) as f64))
            }
        }
    }

    fn reading(&self, signal: SignalId, half_life_ms: Option<i64>) -> Reading<'_> {
        match self.signal_value(signal, half_life_ms) {
            Some(Some(number)) => Reading::Value(ValueRef::Number(number), Some(Timestamp(9))),
            Some(None) => Reading::Missing,
            None => Reading::Truncated,
        }
    }

    fn field(&self, path: PathRef<'_>) -> &Value {
        let place = ["a", "b", "c"].iter().position(|name| *name == path.rest);
        place.and_then(|place| self.fields.get(place)).unwrap_or(&Value::Null)
    }
}

impl Document for Given {
    fn value(&self, path: PathRef<'_>) -> ValueRef<'_> {
        match self.field(path) {
            Value::Number(number) => ValueRef::Number(*number),
            Value::Bool(truth) => ValueRef::Bool(*truth),
            Value::String(text) => ValueRef::Text(text),
            _ => ValueRef::Null,
        }
    }

    fn signal(&self, signal: SignalId, _key: &str) -> Reading<'_> {
        self.reading(signal, None)
    }

    fn signal_decayed(&self, signal: SignalId, _key: &str, half_life_ms: i64) -> Reading<'_> {
        self.reading(signal, Some(half_life_ms).filter(|ms| *ms > 0))
    }

    fn signal_named(&self, name: &str, _key: &str) -> Reading<'_> {
        self.reading(SignalId(name.len() as u64), None)
    }

    fn now(&self) -> Timestamp {
        Timestamp(1)
    }

    fn session(&self) -> Option<SessionId> {
        None
    }
}

/// A score as trees of types mean it: nothing where it cannot be known, `Some(None)` where there is none.
fn plain_score(model: &Model, given: &Given) -> Option<Option<f64>> {
    let mut sum = model.intercept;
    match &model.scorer {
        Scorer::Plan(items) => {
            for item in items {
                sum += match &item.counted {
                    _ if !plain_holds(&item.when, given) => 0.0,
                    None => item.points,
                    Some(counted) => {
                        let value = given.signal_value(counted.signal, counted.half_life_ms)?;
                        // Nothing counts as zero, whose sign is that of the points.
                        item.points * value.unwrap_or(0.0)
                    }
                };
            }
        }
        Scorer::Linear(terms) => {
            for (input, coefficient) in terms {
                sum += coefficient * plain_input(input, given)?;
            }
        }
        Scorer::Trees { library: Library::LightGbm, inputs, trees } => {
            let inputs = plain_inputs(inputs, given)?;
            trees.iter().for_each(|tree| sum += plain_leaf(tree, &inputs, &|value, bound| value <= bound));
        }
        Scorer::Trees { library: Library::XgBoost, inputs, trees } => {
            let inputs = plain_inputs(inputs, given)?;
            let singles: Vec<f64> = inputs.iter().map(|input| f64::from(*input as f32)).collect();
            let leaf = |tree| plain_leaf(tree, &singles, &|value, bound| value < bound) as f32;
            sum = f64::from(trees.iter().fold(sum as f32, |sum, tree| sum + leaf(tree)));
        }
    }
    if let Link::Logistic { scale } = model.link {
        sum = 1.0 / (1.0 + libm::exp(-scale * sum));
    }
    Some(sum.is_finite().then_some(sum))
}

fn plain_holds(condition: &Condition, given: &Given) -> bool {
    match condition {
        Condition::Path { path, test: Test::Exists(expected) } => {
            (*given.field(path.lent()) != Value::Null) == *expected
        }
        _ => false,
    }
}

fn plain_inputs(inputs: &[Input], given: &Given) -> Option<Vec<f64>> {
    inputs.iter().map(|input| plain_input(input, given)).collect()
}

fn plain_input(input: &Input, given: &Given) -> Option<f64> {
    let found = match input.path.root {
        Root::Signals => Value::Number(
            given.signal_value(SignalId(input.path.rest.len() as u64), None)?.unwrap_or(f64::NAN),
        ),
        _ => given.field(input.path.lent()).clone(),
    };
    let number = match &found {
        Value::Number(number) => *number,
        Value::Bool(truth) => f64::from(u8::from(*truth)),
        Value::String(text) => {
            let named = input.categories.iter().rev().find(|(name, _)| name == text);
            named.map_or(f64::NAN, |(_, number)| *number)
        }
        _ => f64::NAN,
    };
    Some(if number.is_nan() { input.missing.unwrap_or(f64::NAN) } else { number })
}

fn plain_leaf(tree: &Tree, inputs: &[f64], passes: &dyn Fn(f64, f64) -> bool) -> f64 {
    match tree {
        Tree::Leaf(value) => *value,
        Tree::Split { input, test, missing, missing_left, left, right } => {
            let value = inputs[*input];
            let value = if value.is_nan() && *missing != Missing::Nan { 0.0 } else { value };
            let is_missing = value.is_nan() || (*missing == Missing::Zero && value.abs() < 1.1e-35);
            let is_left = match test {
                _ if is_missing => *missing_left,
                Split::Threshold(bound) => passes(value, *bound),
                Split::Categories(set) => {
                    let numbers = (0..set.len() * 8).filter(|n| set[n / 8] & (1 << (n % 8)) != 0);
                    value > -1.0
                        && numbers.map(|number| number as f64).any(|number| number == libm::trunc(value))
                }
            };
            plain_leaf(if is_left { left } else { right }, inputs, passes)
        }
    }
}

fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(-0.0),
        Just(1e-36),
        Just(0.5),
        Just(1.0),
        Just(2.5),
        Just(-3.0),
        Just(9.0),
        -9.0..9.0
    ]
}

/// A number that is a single, as XGBoost's are.
fn single() -> impl Strategy<Value = f64> {
    number().prop_map(|number| f64::from(number as f32))
}

fn given() -> impl Strategy<Value = Given> {
    let field = prop_oneof![
        2 => number().prop_map(Value::Number),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => "[xyz]".prop_map(|text| Value::string(&text)),
        1 => Just(Value::Null),
    ];
    let fields = [field.clone(), field.clone(), field];
    (fields, [number(), number()]).prop_map(|(fields, signals)| Given { fields, signals })
}

fn input() -> impl Strategy<Value = Input> {
    let places = ["context.a", "context.b", "context.c", "signals.x", "signals.xx", "signals.xxxx"];
    let categories = prop_oneof![
        Just(Vec::new()),
        proptest::collection::vec(("[xy]".prop_map(String::into_boxed_str), number()), 1..4)
    ];
    (0..places.len(), proptest::option::of(number()), categories).prop_map(
        move |(place, missing, categories)| Input { path: path(places[place]), missing, categories },
    )
}

fn tree() -> impl Strategy<Value = Tree> {
    let test = prop_oneof![
        single().prop_map(Split::Threshold),
        proptest::collection::vec(any::<u8>(), 0..3).prop_map(Split::Categories)
    ];
    let missing = prop_oneof![Just(Missing::None), Just(Missing::Zero), Just(Missing::Nan)];
    single().prop_map(Tree::Leaf).prop_recursive(4, 24, 2, move |inner| {
        (0_usize..3, test.clone(), missing.clone(), any::<bool>(), inner.clone(), inner).prop_map(
            |(input, test, missing, missing_left, left, right)| {
                let (left, right) = (Box::new(left), Box::new(right));
                Tree::Split { input, test, missing, missing_left, left, right }
            },
        )
    })
}

fn item() -> impl Strategy<Value = Item> {
    let when = (prop_oneof![Just("context.a"), Just("context.b")], any::<bool>())
        .prop_map(|(place, expected)| Condition::Path { path: path(place), test: Test::Exists(expected) });
    let counted = (0_u64..4, proptest::option::of(1_i64..9)).prop_map(|(signal, half_life_ms)| Counted {
        signal: SignalId(signal),
        key: Box::from("k"),
        half_life_ms,
    });
    (when, number(), proptest::option::of(counted)).prop_map(|(when, points, counted)| Item {
        when,
        points,
        counted,
    })
}

fn model() -> impl Strategy<Value = Model> {
    let library = prop_oneof![Just(Library::LightGbm), Just(Library::XgBoost)];
    let scorer = prop_oneof![
        proptest::collection::vec(item(), 0..4).prop_map(Scorer::Plan),
        proptest::collection::vec((input(), number()), 0..4).prop_map(Scorer::Linear),
        (library, [input(), input(), input()], proptest::collection::vec(tree(), 0..4))
            .prop_map(|(library, inputs, trees)| Scorer::Trees { library, inputs: Vec::from(inputs), trees }),
    ];
    let link = prop_oneof![Just(Link::Identity), (0.5..2.0).prop_map(|scale| Link::Logistic { scale })];
    (link, single(), scorer).prop_map(|(link, intercept, scorer)| {
        let mut model = Model { id: ModelId(0), name: Box::from("m"), link, intercept, scorer };
        model.id = model_id(&model);
        model
    })
}

fn score(table: &ModelTable, document: &dyn Document) -> Reading<'static> {
    table.iter().next().map_or(Reading::Missing, |model| model.score(document, &mut Outlook::default()))
}

fn bits(reading: Reading<'_>) -> Option<Option<u64>> {
    match reading {
        Reading::Value(value, _) => Some(value.as_number().map(f64::to_bits)),
        Reading::Missing => Some(None),
        Reading::Truncated => None,
    }
}

const SAMPLE: [Value; 3] = [Value::Number(1.0), Value::Bool(true), Value::Null];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn packed_models_give_what_their_trees_mean(model in model(), given in given()) {
        let table = ModelTable::open(&ModelTable::pack(core::slice::from_ref(&model))).unwrap();
        let expected = plain_score(&model, &given).map(|score| score.map(f64::to_bits));
        prop_assert_eq!(bits(score(&table, &given)), expected);
        prop_assert_eq!(table.by_id(model.id).unwrap().to_model(), model);
    }

    #[test]
    fn random_and_damaged_tables_are_refused_or_give_what_they_mean(
        random: Vec<u8>, model in model(), at: prop::sample::Index, byte: u8, cut: prop::sample::Index,
    ) {
        let sound = ModelTable::pack(core::slice::from_ref(&model));
        let mut damaged = sound.clone();
        let at = at.index(damaged.len());
        damaged[at] = byte;
        let given = Given { fields: SAMPLE, signals: [2.0, 3.0] };
        for bytes in [random, damaged, Vec::from(&sound[..cut.index(sound.len())])] {
            let Ok(table) = ModelTable::open(&bytes) else { continue };
            let models: Vec<Model> = table.iter().map(|model| model.to_model()).collect();
            let again = ModelTable::open(&ModelTable::pack(&models)).unwrap();
            prop_assert_eq!(again.len(), table.len());
            for model in table.iter() {
                let score = |table: &ModelTable| {
                    let found = table.by_id(model.id).map(|model| model.score(&given, &mut Outlook::default()));
                    found.map(bits)
                };
                prop_assert_eq!(score(&again), score(&table));
            }
        }
    }
}

fn plan(items: Vec<Item>) -> Model {
    Model {
        id: ModelId(7),
        name: Box::from("m"),
        link: Link::Identity,
        intercept: 0.0,
        scorer: Scorer::Plan(items),
    }
}

fn trees(inputs: usize, trees: Vec<Tree>) -> Model {
    let input = Input { path: path("context.a"), missing: None, categories: Vec::new() };
    let scorer = Scorer::Trees { library: Library::LightGbm, inputs: vec![input; inputs], trees };
    Model { scorer, ..plan(Vec::new()) }
}

/// A tree with this many splits between its root and its deepest leaf.
fn deep(splits: usize, is_left: bool) -> Tree {
    (0..splits).fold(Tree::Leaf(1.0), |inner, _| {
        let (left, right) = if is_left { (inner, Tree::Leaf(2.0)) } else { (Tree::Leaf(2.0), inner) };
        Tree::Split {
            input: 0,
            test: Split::Threshold(0.0),
            missing: Missing::Nan,
            missing_left: is_left,
            left: Box::new(left),
            right: Box::new(right),
        }
    })
}

fn is_sound(model: &Model) -> bool {
    ModelTable::open(&ModelTable::pack(core::slice::from_ref(model))).is_ok()
}

#[test]
fn what_is_beyond_its_bound_is_unsound() {
    for is_left in [true, false] {
        assert!(is_sound(&trees(1, vec![deep(MAX_TREE_DEPTH - 1, is_left)])));
        assert!(!is_sound(&trees(1, vec![deep(MAX_TREE_DEPTH, is_left)])));
    }
    assert!(is_sound(&trees(MAX_MODEL_INPUTS, vec![])) && !is_sound(&trees(MAX_MODEL_INPUTS + 1, vec![])));
    assert!(!is_sound(&trees(0, vec![deep(1, true)])), "there is no input 0");
    let counting = |half_life_ms: i64| {
        let counted = Counted { signal: SignalId(1), key: Box::from("k"), half_life_ms: Some(half_life_ms) };
        plan(vec![Item { when: Condition::All(Vec::new()), points: 1.0, counted: Some(counted) }])
    };
    assert!(is_sound(&counting(9)) && !is_sound(&counting(-25)), "a half-life below 0");
    let leaves = vec![Tree::Leaf(0.0); crate::limits::MAX_MODEL_BYTES / 9];
    assert!(!is_sound(&trees(1, leaves)), "too many bytes");
}

#[test]
fn scores_that_ask_for_each_other_come_to_an_end() {
    let test = Test::Gte(Literal::Value(Value::Number(0.0)));
    let condition = Condition::Score { model: ModelId(7), test };
    let item = |when: Condition| Item { when, points: 5.0, counted: None };
    let exists = Condition::Score { model: ModelId(7), test: Test::Exists(true) };
    let models = [plan(vec![item(condition), item(exists)])];
    let table = ModelTable::open(&ModelTable::pack(&models)).unwrap();
    let (traits, signals, context) = (Traits::default(), SignalTable::default(), parse("{}").unwrap());
    let experiments = crate::experiment::TrialTable::default();
    let (assigned, member) =
        (crate::experiment::Assigned::new(&experiments), crate::id::MemberId(Box::default()));
    let document = VisitorDocument {
        experiments: &assigned,
        unit: (&member, None),
        traits: &traits,
        signals: &signals,
        models: Some(&table),
        parts: &[],
        context: context.get(),
        event: None,
        now: Timestamp(0),
        consent: Consent::default(),
        zone: &Clocks::UTC,
        matcher: None,
        reads: None,
        session: None,
    };
    let found = document.score(ModelId(7), &mut Outlook::default());
    assert_eq!(
        found,
        Reading::Value(ValueRef::Number(5.0), None),
        "inside there is no score: 0 to $gte, missing to $exists"
    );
    assert_eq!(document.score(ModelId(8), &mut Outlook::default()), Reading::Missing);
}
