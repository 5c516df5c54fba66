//! In which order events leave, and which of them are sent twice.

use super::clock::draw;
use super::visit::Visit;
use attune_core::wire::Event;

/// How the recording is disturbed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Disturbance {
    /// Share of events sent again after they were acknowledged, 0 to 1.
    pub duplicates: f64,
    /// Whether events within a member, and the order of batches, are shuffled.
    pub shuffle: bool,
}

impl Disturbance {
    /// The visits and their events in the order to send; deterministic.
    pub fn arrange(&self, mut visits: Vec<Visit>) -> Vec<Visit> {
        if self.shuffle {
            for visit in &mut visits {
                let number = visit.number;
                visit.events.sort_by_key(|event| draw("order", number, sequence(event)));
            }
            visits.sort_by_key(|visit| draw("visit", visit.number, 0));
        }
        visits
    }

    /// The events of a visit that are sent a second time.
    pub fn repeated<'a>(&self, visit: &'a Visit) -> impl Iterator<Item = &'a Event> {
        let limit = (self.duplicates.clamp(0.0, 1.0) * 1e6) as u64;
        let number = visit.number;
        visit.events.iter().filter(move |event| draw("repeat", number, sequence(event)) % 1_000_000 < limit)
    }
}

fn sequence(event: &Event) -> u32 {
    event.lane.map_or(0, |lane| lane.seq as u32)
}

#[cfg(test)]
mod tests {
    use super::super::eshop::Click;
    use super::super::visit::visits;
    use super::*;

    fn sample() -> Vec<Visit> {
        let click = |session, order| Click {
            day: (2008, 4, 1),
            order,
            session,
            category: 1,
            model: 1,
            price_dollars: 1,
        };
        let clicks: Vec<Click> =
            (1..=50).flat_map(|session| (1..=40).map(move |order| click(session, order))).collect();
        visits(&clicks)
    }

    #[test]
    fn a_shuffle_keeps_every_event_and_changes_the_order() {
        let plain = Disturbance::default().arrange(sample());
        let shuffled = Disturbance { shuffle: true, duplicates: 0.0 }.arrange(sample());
        let ids = |visits: &[Visit]| -> Vec<_> {
            visits.iter().flat_map(|visit| visit.events.iter().map(|event| event.event_id)).collect()
        };
        let (mut before, mut after) = (ids(&plain), ids(&shuffled));
        assert_ne!(before, after);
        before.sort_unstable();
        after.sort_unstable();
        assert_eq!(before, after);
    }

    #[test]
    fn about_the_asked_share_is_repeated() {
        let disturbance = Disturbance { duplicates: 0.05, shuffle: false };
        let repeated: usize = sample().iter().map(|visit| disturbance.repeated(visit).count()).sum();
        assert!((60..140).contains(&repeated), "{repeated} of 2,000");
        assert_eq!(
            sample().iter().map(|visit| Disturbance::default().repeated(visit).count()).sum::<usize>(),
            0
        );
    }
}
