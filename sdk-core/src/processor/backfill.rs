//! Filling signals from a member's past records, which have been in effect already: tiles only, no lanes, no firings.

use super::Processor;
use crate::id::SignalId;
use crate::profile::{Change, MemberState, SignalTiles, absorb};
use crate::time::Timestamp;
use crate::wire::Record;
use alloc::vec::Vec;

/// A member's records in the order of the log, up to the last one that its state has absorbed.
#[derive(Clone, Copy, Debug)]
pub struct Past<I> {
    /// The records; those of other members are passed over.
    pub records: I,
    /// From which receipt on they are there; absent where they are all that the member ever had.
    pub since: Option<Timestamp>,
}

impl Processor {
    /// The signals that ask for the past and have been counted for this member only since they were published.
    pub fn backfills<'a>(&'a self, state: &'a MemberState) -> impl Iterator<Item = SignalId> + 'a {
        let late = |id: &SignalId| {
            let tiles = state.tiles().get(*id);
            tiles.is_some_and(|tiles| tiles.since() > SignalTiles::ALWAYS)
        };
        self.counted().iter().filter(|signal| signal.backfill).map(|signal| signal.id).filter(late)
    }

    /// Puts what has been counted of a member's past, by [absorbing](Processor::absorb) its records into a fresh state, in
    /// place of what its own state has of some signals, as [`Self::backfill`] does; `since` is that of [`Past`]. Signals
    /// of which the state has counted as much stay. Nothing where none is filled, or nothing is known of the member.
    pub fn fill(
        &self,
        state: &mut MemberState,
        signals: &[SignalId],
        counted: &MemberState,
        since: Option<Timestamp>,
    ) -> Option<Change> {
        let since = since.unwrap_or(SignalTiles::ALWAYS);
        let has_met = state.meet_again(&self.published)?;
        let is_late = |id: &&SignalId| state.tiles().get(**id).is_some_and(|tiles| tiles.since() > since);
        let late: Vec<SignalId> = signals.iter().filter(is_late).copied().collect();
        state.take_tiles(late.iter().filter_map(|id| self.counted().by_id(*id)), counted, since);
        (has_met || !late.is_empty()).then(|| state.whole_change())
    }

    /// Counts a member's past anew for some signals and puts that in place of what the state has of them; records that
    /// come later are absorbed as ever.
    ///
    /// Repeated records count once, as they did when they came, and a repeated backfill changes nothing but the version.
    /// The change goes to [`combine`](Processor::combine); it fires nothing by itself.
    pub fn backfill<'a>(
        &self,
        state: &mut MemberState,
        signals: &[SignalId],
        past: Past<impl IntoIterator<Item = &'a Record>>,
    ) -> Change {
        let mut counted = MemberState::new(state.member().clone());
        for record in past.records {
            absorb(&mut counted, record, self.counted());
        }
        let named = signals.iter().filter_map(|id| self.counted().by_id(*id));
        state.take_tiles(named, &counted, past.since.unwrap_or(SignalTiles::ALWAYS));
        state.whole_change()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{RECEIVED, cart, changed_shop, login, view};
    use super::*;
    use crate::bundle::Bundle;
    use crate::id::MemberId;
    use crate::processor::ProfileState;
    use crate::profile::fixture::{signal, table};
    use crate::profile::{Absorbed, Aggregate, Signal, Warming, Window};
    use alloc::boxed::Box;
    use alloc::vec;
    use proptest::prelude::*;

    const MINUTE_MS: i64 = 60_000;

    fn bundle(revision: u64, with_late: bool) -> Bundle {
        let mut signals = vec![signal("views", Aggregate::Count, Window::Session, Some("metadata.category"))];
        if with_late {
            for (at, aggregate) in Aggregate::ALL.into_iter().enumerate() {
                let window = Window::Sliding { window_ms: 600_000, bucket_ms: 20_000 };
                let window = [Window::Lifetime, Window::Session, window][at % 3];
                let late = signal(&alloc::format!("late{at}"), aggregate, window, None);
                signals.push(Signal { backfill: true, ..late });
            }
        }
        Bundle { revision, signals: table(signals), ..changed_shop(revision, Vec::clear) }
    }

    fn processor(bundles: &[(u64, bool, i64)]) -> Processor {
        let mut processor = Processor::new();
        for (revision, with_late, at) in bundles {
            processor.set_bundle(bundle(*revision, *with_late), Timestamp(*at));
        }
        processor
    }

    fn records(drawn: &[(u8, i64, u128)]) -> Vec<Record> {
        let record = |(seq, (kind, at, session)): (u64, &(u8, i64, u128))| {
            let event = match kind {
                0 => cart("a", seq, *at),
                1 => login("a", seq, *at, "ada"),
                _ => view("a", seq, *at, *session, "shoes"),
            };
            Record::Event { event, received_at: RECEIVED.plus(seq as i64), proven: true, facts: None }
        };
        (1..).zip(drawn).map(record).collect()
    }

    fn member() -> MemberState {
        MemberState::new(MemberId(Box::from("a")))
    }

    proptest! {
        #[test]
        fn a_backfilled_signal_is_as_if_it_had_been_there_all_along(
            drawn in proptest::collection::vec((0_u8..9, 0_i64..300, 0_u128..3), 1..40),
            published in any::<prop::sample::Index>(),
            twice in any::<prop::sample::Index>(),
        ) {
            let mut records = records(&drawn);
            let published = published.index(records.len());
            records.push(records[twice.index(records.len())].clone());
            let (one, both) = ((1, false, 0), (2, true, RECEIVED.0 + published as i64));
            let all_along = processor(&[(2, true, 0)]);
            let (early, late) = (processor(&[one]), processor(&[one, both]));
            let (mut expected, mut state) = (member(), member());
            for (at, record) in records.iter().enumerate() {
                all_along.absorb(&mut expected, record);
                if at < published { &early } else { &late }.absorb(&mut state, record);
            }
            let lanes = state.lanes().clone();
            let named: Vec<SignalId> = late.bundle().signals.iter().filter(|signal| signal.backfill).map(|signal| signal.id).collect();
            for _ in 0..2 {
                late.backfill(&mut state, &named, Past { records: &records, since: None });
            }
            prop_assert_eq!(late.backfills(&state).count(), 0);
            prop_assert_eq!(state.lanes(), &lanes);
            for signal in all_along.bundle().signals.iter() {
                let of = |state: &MemberState| {
                    let tiles = state.tiles().get(signal.id);
                    tiles.filter(|tiles| tiles.total().is_some()).cloned()
                };
                prop_assert_eq!(of(&state), of(&expected), "{}", signal.name());
            }
        }
    }

    #[test]
    fn a_signal_published_later_is_warming_until_it_is_backfilled() {
        let processor = processor(&[(1, false, 0), (2, true, RECEIVED.0 + 2)]);
        let records = records(&[(2, 0, 1), (2, 1, 1), (2, 2, 1), (2, 3, 1)]);
        let (mut state, mut profile) = (member(), ProfileState::default());
        let mut changes = Vec::new();
        for record in &records {
            let Absorbed::Change(change) = processor.absorb(&mut state, record) else { panic!("no change") };
            processor.combine(&mut profile, &change, None);
            changes.push(change);
        }
        let ever = processor.bundle().signals.by_name("late0").unwrap();
        let warming = |profile: &ProfileState| {
            let found =
                profile.warming(&processor.bundle().signals).into_iter().find(|(name, _)| *name == "late0");
            found.map(|(_, warming)| warming)
        };
        assert_eq!(warming(&profile), Some(Warming { since: RECEIVED.plus(2), until: None }));
        assert_eq!(processor.backfills(&state).count(), Aggregate::ALL.len());
        let change = processor.backfill(&mut state, &[ever.id], Past { records: &records, since: None });
        let outcome = processor.combine(&mut profile, &change, None);
        assert_eq!((outcome.firings.len(), outcome.changed, warming(&profile)), (0, true, None));
        let from = RECEIVED.plus(-MINUTE_MS);
        let past = Past { records: &records[1..], since: Some(from) };
        let change = processor.backfill(&mut state, &[ever.id], past);
        processor.combine(&mut profile, &change, None);
        assert_eq!(warming(&profile), Some(Warming { since: from, until: None }));
        // A member that comes later has been counted from its first event on.
        let mut newer = member();
        processor.absorb(&mut newer, &records[3]);
        assert_eq!(processor.backfills(&newer).count(), 0);
    }
}
