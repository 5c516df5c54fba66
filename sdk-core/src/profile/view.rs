//! What the collector pushes to an open page: the member's own part, the other members merged, traits, latches.

use super::{Lanes, Tiles, Traits};
use crate::codec::{CodecError, Source, Writer};
use crate::id::{EventId, SessionId, Uuid};
use crate::time::Timestamp;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// First byte of the binary form.
const FORMAT: u8 = 2;

/// A profile as one member's page sees it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProfileView {
    /// Grows with every change; an older view never replaces a newer one.
    pub version: u64,
    /// Numbers absorbed per lane of this member.
    pub lanes: Lanes,
    /// This member's tiles.
    pub own: Tiles,
    /// The merged tiles of the profile's other members.
    pub others: Tiles,
    /// Traits of the whole profile, the latest write of each name winning.
    pub traits: Traits,
    /// Event rules in effect.
    pub latches: Vec<Latch>,
    /// The proven user, if the member is linked.
    pub user_id: Option<Box<str>>,
}

/// An event rule that holds since an event matched.
#[derive(Clone, Debug, PartialEq)]
pub struct Latch {
    /// The rule.
    pub rule: Box<str>,
    /// The key it was judged under, if its cap or signal has one.
    pub key: Option<Box<str>>,
    /// Time of the event that set it.
    pub at: Timestamp,
    /// That event; with `at` it decides which of two latches of a rule is later.
    pub event_id: EventId,
    /// Session in which it holds, for `hold: session`.
    pub session: Option<SessionId>,
    /// Instant at which it ends, for `hold: <duration>`.
    pub until: Option<Timestamp>,
}

impl ProfileView {
    /// The binary form.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.u8(FORMAT);
        out.u64(self.version);
        self.lanes.encode(&mut out);
        self.own.encode_all(&mut out);
        self.others.encode_all(&mut out);
        self.traits.encode(&mut out);
        out.len(self.latches.len());
        self.latches.iter().for_each(|latch| latch.encode(&mut out));
        out.option(self.user_id.as_deref(), Writer::str);
        out.into_bytes()
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// Fails on bytes that are no view of this version.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut source = Source::new(bytes);
        if source.u8() != FORMAT {
            source.fail();
        }
        let view = Self {
            version: source.u64(),
            lanes: Lanes::decode(&mut source),
            own: Tiles::decode(&mut source),
            others: Tiles::decode(&mut source),
            traits: Traits::decode(&mut source),
            latches: source.list(Latch::decode),
            user_id: source.option(Source::boxed_str),
        };
        source.finish().map(|()| view)
    }
}

impl Latch {
    /// Puts a latch among others: of two of one rule and key the later stays.
    pub fn join(self, latches: &mut Vec<Self>) {
        let same = |other: &&mut Self| other.rule == self.rule && other.key == self.key;
        match latches.iter_mut().find(same) {
            None => latches.push(self),
            Some(other) if (other.at, other.event_id) < (self.at, self.event_id) => *other = self,
            Some(_) => {}
        }
    }

    /// Appends the binary form.
    pub fn encode(&self, out: &mut Writer) {
        out.str(&self.rule);
        out.option(self.key.as_deref(), Writer::str);
        out.i64(self.at.0);
        out.raw(self.event_id.0.as_bytes());
        out.option(self.session, |out, session| out.raw(session.0.as_bytes()));
        out.option(self.until, |out, until| out.i64(until.0));
    }

    /// Reads the binary form; bytes that end early fail the source.
    pub fn decode(source: &mut Source<'_>) -> Self {
        Self {
            rule: source.boxed_str(),
            key: source.option(Source::boxed_str),
            at: Timestamp(source.i64()),
            event_id: EventId(Uuid::from_bytes(source.array())),
            session: source.option(|source| SessionId(Uuid::from_bytes(source.array()))),
            until: source.option(|source| Timestamp(source.i64())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::fixture::{event, signal, table};
    use crate::profile::{Aggregate, Window};
    use crate::wire::IDENTIFY;

    fn latch(key: Option<&str>, at: i64, event: u128) -> Latch {
        Latch {
            rule: Box::from("rule"),
            key: key.map(Box::from),
            at: Timestamp(at),
            event_id: EventId(Uuid::from_u128(event)),
            session: Some(SessionId(Uuid::from_u128(1))),
            until: None,
        }
    }

    #[test]
    fn the_later_latch_of_a_rule_and_key_stays() {
        let mut latches = Vec::new();
        for latch in
            [latch(Some("a"), 5, 1), latch(Some("a"), 4, 9), latch(Some("b"), 1, 1), latch(Some("a"), 5, 2)]
        {
            latch.join(&mut latches);
        }
        assert_eq!(latches, [latch(Some("a"), 5, 2), latch(Some("b"), 1, 1)]);
    }

    #[test]
    fn binary_form_keeps_the_view_and_refuses_anything_else() {
        let table = table(alloc::vec![signal("views", Aggregate::Count, Window::Session, None)]);
        let mut view = ProfileView { version: 7, user_id: Some(Box::from("ada")), ..ProfileView::default() };
        view.own.apply(&table, &event(1, "page_view", "{}"), Timestamp(1));
        view.traits.apply(&event(2, IDENTIFY, r#"{"traits":{"plan":"pro"}}"#));
        view.latches.push(latch(None, 1, 1));
        let bytes = view.encode();
        assert_eq!(ProfileView::decode(&bytes), Ok(view));
        for end in 0..bytes.len() {
            assert_eq!(ProfileView::decode(bytes.get(..end).unwrap()), Err(CodecError));
        }
    }
}
