//! What one event says of where it comes from, where a request carries events of several visitors.

use super::clocks;
use attune_core::id::MemberId;
use attune_core::time::{Clocks, Timestamp};
use attune_core::wire::Event;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Where an event comes from, as its sender says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The user agent of the visitor, not of the library that sends.
    pub user_agent: Option<Cow<'a, str>>,
    /// The name of the visitor's time zone.
    pub time_zone: Option<Cow<'a, str>>,
    /// What it says of page, campaign, wishes and address: a JSON object as text.
    pub context: Option<&'a str>,
}

/// The clocks of every member of whom there are events, by the last of those that name a zone, from `now` on.
pub fn clocks_of_members<'a>(
    events: impl Iterator<Item = (usize, &'a Event)>,
    origins: &'a [Origin<'a>],
    now: Timestamp,
) -> BTreeMap<&'a MemberId, Clocks> {
    // Most name the same one, and each takes a look into the database.
    let mut zones: BTreeMap<&str, Option<Clocks>> = BTreeMap::new();
    let mut members = BTreeMap::new();
    for (index, event) in events {
        let Some(name) = origins.get(index).and_then(|origin| origin.time_zone.as_deref()) else { continue };
        if let Some(clocks) = zones.entry(name).or_insert_with(|| clocks::of_zone(name, now)) {
            members.insert(&event.member, *clocks);
        }
    }
    members
}
