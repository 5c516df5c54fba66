//! What is found out about where the events of a batch come from: once for all of them, or for each origin where a request
//! carries events of several visitors.

use super::{Guard, Moment, Origin};
use crate::enrich::{Enricher, Found, Source, Told, address};
use std::borrow::Cow;

/// What finds it out, and what the request itself says.
#[derive(Clone, Copy, Debug)]
pub struct Enriching<'a> {
    /// Finds it out.
    pub enricher: &'a Enricher,
    /// What the request of a page says of its visitor; nothing where a server has sent it, which speaks for others.
    pub visitor: Option<Source<'a>>,
}

/// Asks for each event of a batch in turn.
pub struct Finding<'a> {
    moment: &'a Moment<'a>,
    /// What the batch says of its context.
    context: Option<&'a str>,
    /// What the origin that was asked of last tells, which is read once for all types.
    told: Option<(Option<&'a Origin<'a>>, Told<'a>)>,
    last: Option<Last<'a>>,
}

/// For what was asked last, and what it was.
struct Last<'a> {
    origin: Option<&'a Origin<'a>>,
    /// A filter policy may keep something of one type that it does not of another.
    event_type: Option<Box<str>>,
    found: Found,
}

impl<'a> Finding<'a> {
    /// Begins with a batch.
    pub fn new(moment: &'a Moment<'a>, context: Option<&'a str>) -> Self {
        Self { moment, context, told: None, last: None }
    }

    /// What is known of the event of an index and type.
    pub fn of(&mut self, index: usize, event_type: &str) -> Found {
        let Some(enriching) = &self.moment.enriching else { return Found::default() };
        let (origin, guard) = (self.moment.origins.get(index), self.moment.guard);
        let last = self.last.as_ref().filter(|last| {
            let same_type = last.event_type.as_deref().is_none_or(|known| known == event_type);
            same_type && last.origin == origin
        });
        if let Some(last) = last {
            return last.found.clone();
        }
        let (of, told) = self.told.get_or_insert_with(|| (origin, tell(origin, self.context)));
        if *of != origin {
            (*of, *told) = (origin, tell(origin, self.context));
        }
        let found = enriching.find(origin, told, event_type, guard);
        let event_type = guard.map(|_| event_type.into());
        self.last.insert(Last { origin, event_type, found }).found.clone()
    }
}

fn tell<'a>(origin: Option<&'a Origin<'a>>, context: Option<&'a str>) -> Told<'a> {
    origin.map_or(context, |origin| origin.context).map(Told::of_context).unwrap_or_default()
}

impl Enriching<'_> {
    fn find(
        &self,
        origin: Option<&Origin<'_>>,
        told: &Told<'_>,
        event_type: &str,
        guard: Option<Guard<'_>>,
    ) -> Found {
        let own = origin.and_then(|origin| origin.user_agent.as_deref());
        let source = match self.visitor {
            Some(visitor) => Source { user_agent: own.or(visitor.user_agent), ..visitor },
            None => Source {
                user_agent: own.or(told.user_agent.as_deref()),
                address: told.ip.as_deref().and_then(address),
                ..Source::default()
            },
        };
        self.enricher.look_up(&source, told, |page| match guard {
            Some(guard) => guard.strip(event_type, &page).map(Cow::into_owned),
            None => Some(page),
        })
    }
}
