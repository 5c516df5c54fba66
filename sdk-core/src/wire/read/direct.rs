//! An event as nearly all senders write it, in one pass: whatever is out of the ordinary is left to the reader that can say
//! what is wrong.

use super::defaults::EventDefaults;
use super::strict;
use crate::id::{EventId, LaneId, MemberId, SessionId, Uuid, uuid_from_text};
use crate::limits::{MAX_JSON_DEPTH, MAX_SEQ};
use crate::time::Timestamp;
use crate::wire::{Event, LaneSeq};
use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use core::fmt;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The fields of an event of which none is out of the ordinary.
#[derive(Default)]
pub(super) struct Fields<'a> {
    event_id: Option<Cow<'a, str>>,
    event_type: Option<Cow<'a, str>>,
    timestamp: Option<Cow<'a, str>>,
    anonymous_id: Option<Cow<'a, str>>,
    lane: Option<Cow<'a, str>>,
    seq: Option<u64>,
    session_id: Option<Cow<'a, str>>,
    user_id: Option<Cow<'a, str>>,
    metadata: Option<&'a str>,
}

/// Reads an event where nothing is wrong with it; nothing where something is or could be.
pub(super) fn read(raw: &str, defaults: EventDefaults<'_>) -> Option<Event> {
    serde_json::from_str::<Fields<'_>>(raw).ok()?.event(defaults)
}

impl Fields<'_> {
    /// The event, where nothing is wrong with what the fields say.
    pub fn event(self, defaults: EventDefaults<'_>) -> Option<Event> {
        let member = match (self.anonymous_id, defaults.member, &self.user_id) {
            (Some(own), _, _) => MemberId(own.into()),
            (None, Some(sender), _) => sender.clone(),
            (None, None, user) => MemberId(format!("user:{}", user.as_ref()?).into()),
        };
        let own = id(self.lane)?.map(LaneId);
        let lane = match self.seq {
            None => None,
            Some(seq) if (1..=MAX_SEQ).contains(&seq) => Some(LaneSeq { lane: own.or(defaults.lane)?, seq }),
            Some(_) => return None,
        };
        Some(Event {
            event_id: EventId(id(self.event_id)??),
            event_type: self.event_type?.into(),
            timestamp: Timestamp::parse(&self.timestamp?)?,
            member,
            lane,
            session: id(self.session_id)?.map(SessionId),
            user_id: self.user_id.map(Into::into),
            metadata: self.metadata.filter(|object| *object != "{}").map(Into::into),
        })
    }
}

/// An id that may be absent; nothing where it is none.
fn id(text: Option<Cow<'_, str>>) -> Option<Option<Uuid>> {
    match text {
        Some(text) => uuid_from_text(&text).map(Some),
        None => Some(None),
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Fields::default();
        while let Some(name) = map.next_key::<Name>()? {
            match name {
                Name::EventId => put(&mut fields.event_id, map.next_value::<Text<'de>>()?.0)?,
                Name::EventType => put(&mut fields.event_type, map.next_value::<Text<'de>>()?.0)?,
                Name::Timestamp => put(&mut fields.timestamp, map.next_value::<Text<'de>>()?.0)?,
                Name::AnonymousId => put(&mut fields.anonymous_id, map.next_value::<Text<'de>>()?.0)?,
                Name::Lane => put(&mut fields.lane, map.next_value::<Text<'de>>()?.0)?,
                Name::Seq => put(&mut fields.seq, map.next_value()?)?,
                Name::SessionId => put(&mut fields.session_id, map.next_value::<Text<'de>>()?.0)?,
                Name::UserId => put(&mut fields.user_id, map.next_value::<Text<'de>>()?.0)?,
                Name::Metadata => {
                    let metadata = checked(map.next_value()?)?;
                    if !metadata.starts_with('{') {
                        return Err(A::Error::custom("no object"));
                    }
                    put(&mut fields.metadata, metadata)?;
                }
                Name::Other => {
                    checked(map.next_value()?)?;
                }
            }
        }
        Ok(fields)
    }
}

/// Fills a place that is empty: a name that stands twice is an error.
fn put<T, E: Error>(place: &mut Option<T>, value: T) -> Result<(), E> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(E::custom("a field stands twice")),
    }
}

/// A value that every reader downstream can take; it is one level below the event.
fn checked<E: Error>(value: &RawValue) -> Result<&str, E> {
    let text = value.get();
    strict::check(text, MAX_JSON_DEPTH).map_err(|_| E::custom("no reader could take it"))?;
    Ok(text)
}

/// The name of a field.
enum Name {
    EventId,
    EventType,
    Timestamp,
    AnonymousId,
    Lane,
    Seq,
    SessionId,
    UserId,
    Metadata,
    Other,
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl Visitor<'_> for NameVisitor {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Name, E> {
                Ok(match name {
                    "event_id" => Name::EventId,
                    "event_type" => Name::EventType,
                    "timestamp" => Name::Timestamp,
                    "anonymous_id" => Name::AnonymousId,
                    "lane" => Name::Lane,
                    "seq" => Name::Seq,
                    "session_id" => Name::SessionId,
                    "user_id" => Name::UserId,
                    "metadata" => Name::Metadata,
                    _ => Name::Other,
                })
            }
        }
        deserializer.deserialize_identifier(NameVisitor)
    }
}

/// A string, as it stands in the text where nothing in it is escaped.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(String::from(text))))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}
