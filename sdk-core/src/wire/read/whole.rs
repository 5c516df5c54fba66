//! A batch as nearly all senders write it, in one pass over its envelope and all its events: whatever is out of the ordinary is
//! left to those who read one after the other.

use super::direct::Fields;
use crate::limits::MAX_BATCH_EVENTS;
use alloc::vec::Vec;
use serde::Deserialize;
use serde_json::Deserializer;
use serde_json::value::RawValue;

/// Bytes of an event of which few are shorter: as many events as are likely get room at once.
const SHORT_EVENT_BYTES: usize = 200;

/// The fields of a batch, each as it stands in the text.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RawEnvelope<'a> {
    #[serde(borrow)]
    pub v: Option<&'a RawValue>,
    #[serde(borrow)]
    pub sent_at: Option<&'a RawValue>,
    #[serde(borrow)]
    pub anonymous_id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub lane: Option<&'a RawValue>,
    #[serde(borrow)]
    pub context: Option<&'a RawValue>,
    #[serde(borrow)]
    pub events: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    pub void: Option<&'a RawValue>,
    #[serde(borrow)]
    pub closed: Option<&'a RawValue>,
    #[serde(borrow)]
    pub dropped: Option<&'a RawValue>,
}

impl<'a> RawEnvelope<'a> {
    /// Puts a field in its place, if it has one; nothing where that is taken, or where `null` says that there is none.
    pub fn put(&mut self, name: &str, value: &'a RawValue) -> Option<()> {
        let place = match name {
            "v" => &mut self.v,
            "sent_at" => &mut self.sent_at,
            "anonymous_id" => &mut self.anonymous_id,
            "lane" => &mut self.lane,
            "context" => &mut self.context,
            "void" => &mut self.void,
            "closed" => &mut self.closed,
            "dropped" => &mut self.dropped,
            _ => return Some(()),
        };
        (value.get() != "null" && place.replace(value).is_none()).then_some(())
    }
}

/// What a batch holds.
pub(super) struct Whole<'a> {
    /// Everything but its events.
    pub raw: RawEnvelope<'a>,
    /// Its events, each as it stands in the text and as it was read there.
    pub events: Vec<(&'a str, Fields<'a>)>,
}

/// Reads a batch where nothing is wrong with it or any event; nothing where something is or could be.
pub(super) fn read(text: &str) -> Option<Whole<'_>> {
    let mut rest = Rest(text);
    let (mut raw, mut events) = (RawEnvelope::default(), None);
    rest.take(b'{')?;
    loop {
        let (_, name) = rest.value::<&str>()?;
        rest.take(b':')?;
        if name == "events" {
            let is_second = events.replace(rest.events()?).is_some();
            if is_second {
                return None;
            }
        } else {
            let (_, value) = rest.value::<&RawValue>()?;
            raw.put(name, value)?;
        }
        match rest.next()? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    rest.0.bytes().all(is_space).then_some(Whole { raw, events: events? })
}

/// The text from where it has been read to.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// Passes over space, and over the byte behind it, which is returned; nothing where that is none of ASCII.
    fn next(&mut self) -> Option<u8> {
        let at = self.0.bytes().position(|byte| !is_space(byte))?;
        let byte = self.0.as_bytes().get(at).copied()?;
        self.0 = self.0.get(at + 1..)?;
        Some(byte)
    }

    fn take(&mut self, expected: u8) -> Option<()> {
        self.next().filter(|byte| *byte == expected).map(|_| ())
    }

    /// A value, with its text.
    fn value<T: Deserialize<'a>>(&mut self) -> Option<(&'a str, T)> {
        let mut values = Deserializer::from_str(self.0).into_iter::<T>();
        let value = values.next()?.ok()?;
        let (text, rest) = self.0.split_at_checked(values.byte_offset())?;
        self.0 = rest;
        Some((text, value))
    }

    /// As many events as a batch may have.
    fn events(&mut self) -> Option<Vec<(&'a str, Fields<'a>)>> {
        let room = (self.0.len() / SHORT_EVENT_BYTES + 1).min(MAX_BATCH_EVENTS);
        let mut events = Vec::with_capacity(room);
        self.take(b'[')?;
        while events.len() < MAX_BATCH_EVENTS {
            let (text, fields) = self.value::<Fields<'a>>()?;
            // As it stands alone, without the space before it.
            events.push((text.trim_ascii_start(), fields));
            match self.next()? {
                b',' => {}
                b']' => return Some(events),
                _ => return None,
            }
        }
        None
    }
}

/// Whether a byte is space to JSON (RFC 8259, section 2).
const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}
