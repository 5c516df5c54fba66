//! Any bytes as a body that follows another: opened by what differs as it is alone; and a decider that goes over to what
//! it says, and back, decides as one that is made for that.
//!
//! The first byte names a sound body, of which the others are edits: two for a place, one for what stands there. One
//! that names none has a body behind it.
#![no_main]

use attune_core::bundle::{Bundle, settle_body};
use attune_core::condition::Outlook;
use attune_core::id::{EventId, Uuid};
use attune_core::profile::Latch;
use attune_core::rules::{Decider, Decision, Succession, Touched};
use attune_core::time::Timestamp;
use attune_fuzz::following::bodies;
use attune_fuzz::{Anything, sealed};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static BODIES: Bodies = Bodies::new();
}

/// A body and those that follow it.
struct Bodies {
    base: Vec<u8>,
    next: Vec<Vec<u8>>,
    /// The base, opened, and a decider that has decided over it.
    before: Bundle,
    decider: Decider,
}

impl Bodies {
    fn new() -> Self {
        let (base, next) = bodies();
        let before = Bundle::open(&sealed(&base)).expect("what is compiled opens");
        let mut decider = Decider::new(&before.rules, &before.signals, &[]);
        assert!(!decide(&mut decider, &before, &Anything::default()).0.is_empty());
        for body in &next {
            let (after, succession) =
                Bundle::open_after(&sealed(body), &before).expect("what is settled opens");
            // Otherwise everything would be built anew, and nothing tried.
            let mut index = decider.index().clone();
            assert!(index.follow(&before.rules, &after.rules, &after.signals, &succession));
        }
        Self { base, next, before, decider }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((number, rest)) = data.split_first() else { return };
    BODIES.with(|Bodies { base, next, before, decider }| {
        let body = next.get(usize::from(*number)).map_or_else(|| rest.to_vec(), |body| edited(body, rest));
        // A damaged leaf may name something else than it reads, and slots may share a name; what the rules are then is
        // for nobody to say, so that it is only gone over to.
        if !there_and_back(&body, base, before, decider.clone(), &mut go_over) {
            return;
        }
        let settled = settle_body(&body, base).expect("what opens is settled");
        assert!(there_and_back(&settled, base, before, decider.clone(), &mut compare));
    });
});

fn edited(body: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    for [high, low, byte] in edits.as_chunks().0 {
        let at = usize::from(u16::from_be_bytes([*high, *low])) % body.len();
        body[at] = *byte;
    }
    body
}

/// One bundle that follows another.
struct Step<'a> {
    before: &'a Bundle,
    after: &'a Bundle,
    /// The same, opened as it is alone.
    alone: &'a Bundle,
    succession: &'a Succession,
}

/// Has a decider go over to a body and back to the base; whether the body is one.
fn there_and_back(
    body: &[u8],
    base: &[u8],
    before: &Bundle,
    mut decider: Decider,
    step: &mut dyn FnMut(&mut Decider, Step<'_>),
) -> bool {
    let Some((after, alone, succession)) = opened(body, before) else { return false };
    step(&mut decider, Step { before, after: &after, alone: &alone, succession: &succession });
    let (again, alone, succession) = opened(base, &after).expect("what opens alone opens behind another");
    step(&mut decider, Step { before: &after, after: &again, alone: &alone, succession: &succession });
    true
}

/// Opens a body that follows a bundle, where it is sound: behind that, and alone.
fn opened(body: &[u8], before: &Bundle) -> Option<(Bundle, Bundle, Succession)> {
    let envelope = sealed(body);
    match (Bundle::open_after(&envelope, before), Bundle::open(&envelope)) {
        (Ok((after, succession)), Ok(alone)) => Some((after, alone, succession)),
        (after, alone) => {
            assert_eq!(after.err(), alone.err());
            None
        }
    }
}

fn go_over(decider: &mut Decider, Step { before, after, alone, succession }: Step<'_>) {
    // A leaf that has gone counts as what it was where a rule that stays names it still, which no compiler writes; both
    // say the same.
    assert!(after == alone || said(after) == said(alone));
    decider.renew(&before.rules, &after.rules, &after.signals, succession);
    decide(decider, after, &Anything::default());
}

fn compare(decider: &mut Decider, Step { before, after, alone, succession }: Step<'_>) {
    assert_eq!(after, alone);
    let document = Anything::default();
    let current = in_effect(decider, before, &document);
    decider.renew(&before.rules, &after.rules, &after.signals, succession);
    let mut anew = Decider::new(&after.rules, &after.signals, &current);
    let (told, wake_at) = decide(decider, after, &document);
    let (taken_over, wake_at_anew) = decide(&mut anew, after, &document);
    assert_eq!(wake_at, wake_at_anew);
    for slot in 0..after.rules.slot_count() {
        assert_eq!(decider.pick(slot), anew.pick(slot));
    }
    assert!(told.iter().all(|slot| taken_over.contains(slot)), "{told:?} of {taken_over:?}");
    // What is not told of is in effect as it was.
    let now = in_effect(decider, after, &document);
    for (slot, _) in taken_over.iter().filter(|slot| !told.contains(slot)) {
        let (name, _) = after.rules.slot(*slot).expect("what is told of is there");
        let of_slot = |decisions: &[Decision]| decisions.iter().find(|held| *held.slot == *name).cloned();
        assert_eq!(of_slot(&now), of_slot(&current), "{name}");
    }
}

/// All that can be asked of a bundle.
fn said(bundle: &Bundle) -> String {
    let Bundle { revision, expires, signals, models, experiments, policy, rules } = bundle;
    let definitions: Vec<_> = rules.iter().map(|rule| rule.to_rule()).collect();
    let slots: Vec<_> = (0..rules.slot_count())
        .map(|slot| {
            rules.slot(slot).map(|(name, ranking)| (name, ranking.map(|rule| rule.index).collect::<Vec<_>>()))
        })
        .collect();
    format!(
        "{revision} {expires:?} {signals:?} {models:?} {experiments:?} {policy:?} {definitions:?} {slots:?}"
    )
}

/// Decides all slots; what is shown, and when time alone can change it.
fn decide(
    decider: &mut Decider,
    bundle: &Bundle,
    document: &Anything,
) -> (Vec<(usize, Option<usize>)>, Option<Timestamp>) {
    let latches = [Latch {
        rule: "c01".into(),
        key: Some("shoes".into()),
        at: Timestamp(1_794_999_900_000),
        event_id: EventId(Uuid::from_u128(1)),
        session: None,
        until: Some(Timestamp(1_795_000_500_000)),
    }];
    let mut shown = Vec::new();
    decider.touch(Touched::All, &bundle.rules);
    decider.touch_latches(&bundle.rules, &latches);
    decider.decide(&bundle.rules, document, &latches, &mut |slot, rule| shown.push((slot, rule)));
    (shown, decider.wake_at())
}

fn in_effect(decider: &Decider, bundle: &Bundle, document: &Anything) -> Vec<Decision> {
    let decision = |slot| {
        let (name, _) = bundle.rules.slot(slot)?;
        decider.pick(slot)?.decision(name, &bundle.rules, document, &mut Outlook::default())
    };
    (0..bundle.rules.slot_count()).filter_map(decision).collect()
}
