//! One shop session as a visit: a member with a session and a lane, and its clicks as events.

use super::clock::{SessionClock, id_bytes};
use super::eshop::Click;
use attune_core::id::{EventId, LaneId, MemberId, SessionId, uuid_v7};
use attune_core::wire::{Event, LaneSeq};
use std::collections::BTreeMap;

/// One visit.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The session's number in the recording.
    pub number: u32,
    /// Its member.
    pub member: MemberId,
    /// Its lane.
    pub lane: LaneId,
    /// Its clicks in the order they were made.
    pub events: Vec<Event>,
}

/// Groups clicks by session and gives them ids and instants.
pub fn visits(clicks: &[Click]) -> Vec<Visit> {
    let mut sessions: BTreeMap<u32, Vec<Click>> = BTreeMap::new();
    for click in clicks {
        sessions.entry(click.session).or_default().push(*click);
    }
    sessions.into_values().filter_map(visit).collect()
}

fn visit(mut clicks: Vec<Click>) -> Option<Visit> {
    clicks.sort_by_key(|click| click.order);
    let first = clicks.first()?;
    let number = first.session;
    let mut clock = SessionClock::new(number, first.day);
    let start = clock.at();
    let member = uuid_v7(start, &id_bytes("member", number, 0)).to_string();
    let member = MemberId(member.into_boxed_str());
    let lane = LaneId(uuid_v7(start, &id_bytes("lane", number, 0)));
    let session = SessionId(uuid_v7(start, &id_bytes("session", number, 0)));
    let event = |(index, click): (usize, &Click)| {
        let timestamp = clock.advance(click.order);
        Event {
            event_id: EventId(uuid_v7(timestamp, &id_bytes("event", number, click.order))),
            event_type: "click".into(),
            timestamp,
            member: member.clone(),
            lane: Some(LaneSeq { lane, seq: index as u64 + 1 }),
            session: Some(session),
            user_id: None,
            metadata: Some(metadata(click).into_boxed_str()),
        }
    };
    let events = clicks.iter().enumerate().map(event).collect();
    Some(Visit { number, member, lane, events })
}

fn metadata(click: &Click) -> String {
    let price_cents = u64::from(click.price_dollars) * 100;
    format!(
        "{{\"category\":\"{}\",\"product_id\":\"{}\",\"price_cents\":{price_cents}}}",
        click.category, click.model
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn click(session: u32, order: u32) -> Click {
        Click { day: (2008, 4, 1), order, session, category: 2, model: 5, price_dollars: 28 }
    }

    #[test]
    fn clicks_are_grouped_ordered_and_numbered_within_their_lane() {
        let visits = visits(&[click(2, 2), click(1, 1), click(2, 1)]);
        assert_eq!(visits.iter().map(|visit| visit.events.len()).collect::<Vec<_>>(), [1, 2]);
        let second = &visits[1];
        let numbers: Vec<u64> = second.events.iter().filter_map(|event| Some(event.lane?.seq)).collect();
        assert_eq!(numbers, [1, 2]);
        assert!(second.events[0].timestamp < second.events[1].timestamp);
        assert_ne!(visits[0].member, second.member);
        let expected = r#"{"category":"2","product_id":"5","price_cents":2800}"#;
        assert_eq!(second.events[0].metadata.as_deref(), Some(expected));
    }
}
