//! What the page sends: one envelope and its events.

use super::Event;
use crate::id::{LaneId, MemberId, Uuid, write_uuid};
use crate::time::Timestamp;
use crate::value::write_string;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// A batch about to leave the page.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch<'a> {
    /// Wall clock at the moment of sending, uncorrected.
    pub sent_at: Timestamp,
    /// The member whose page sends; an adopted event names its own beside it.
    pub member: &'a MemberId,
    /// The lane of the sending page load; an adopted event names its own beside it.
    pub lane: LaneId,
    /// Difference to the collector's clock known at capture, if any.
    pub clock_skew_ms: Option<i64>,
    /// The page's context as JSON object text.
    pub context: Option<&'a str>,
    /// The events, oldest first, critical ones before all others.
    pub events: Vec<&'a Event>,
    /// Numbers given up.
    pub void: Vec<VoidRange>,
    /// Lanes that have ended.
    pub closed: Vec<Closed>,
    /// Totals of this lane's drops by reason since its start.
    pub dropped: Vec<(Box<str>, u64)>,
}

/// Numbers of a lane that will never come; both bounds are inclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoidRange {
    /// The lane's member; written beside the lane only where it is not the batch's.
    pub member: MemberId,
    /// The lane.
    pub lane: LaneId,
    /// First number.
    pub from: u64,
    /// Last number.
    pub to: u64,
}

/// A lane that has ended with the count of numbers it gave out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The lane's member; written beside the lane only where it is not the batch's.
    pub member: MemberId,
    /// The lane.
    pub lane: LaneId,
    /// How many numbers it gave out.
    pub count: u64,
}

/// Writes the batch in the JSON form of the wire protocol, version 1.
///
/// `metadata` and `context` are inserted as they are, so they must be JSON objects already.
pub fn write_batch(batch: &Batch<'_>) -> String {
    let mut out = String::with_capacity(512 + 384 * batch.events.len());
    out.push_str("{\"v\":1,\"sent_at\":\"");
    batch.sent_at.write(&mut out);
    out.push_str("\",\"anonymous_id\":");
    write_string(&batch.member.0, &mut out);
    write_id("lane", batch.lane.0, &mut out);
    if !batch.void.is_empty() {
        out.push_str(",\"void\":");
        write_list(&batch.void, &mut out, |range, out| {
            write_lane_head(batch.member, &range.member, range.lane, out);
            write_number("from", range.from, out);
            write_number("to", range.to, out);
        });
    }
    if !batch.closed.is_empty() {
        out.push_str(",\"closed\":");
        write_list(&batch.closed, &mut out, |closed, out| {
            write_lane_head(batch.member, &closed.member, closed.lane, out);
            write_number("count", closed.count, out);
        });
    }
    write_context(batch, &mut out);
    out.push_str(",\"events\":");
    write_list(&batch.events, &mut out, |event, out| {
        write_event(event, Some((batch.member, batch.lane)), out)
    });
    if !batch.dropped.is_empty() {
        out.push_str(",\"dropped\":{");
        for (index, (reason, total)) in batch.dropped.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            write_string(reason, &mut out);
            out.push(':');
            push_decimal(*total, &mut out);
        }
        out.push('}');
    }
    out.push('}');
    out
}

/// The bytes that an event takes in a batch at most, its comma included.
pub fn written_bytes(event: &Event) -> usize {
    let mut text = String::with_capacity(384);
    write_event(event, None, &mut text);
    text.len() + 3
}

/// The skew stands first in the context, so that nothing a site puts there can hide it.
fn write_context(batch: &Batch<'_>, out: &mut String) {
    out.push_str(",\"context\":{\"clock_skew_ms\":");
    match batch.clock_skew_ms {
        Some(skew_ms) => {
            if skew_ms < 0 {
                out.push('-');
            }
            push_decimal(skew_ms.unsigned_abs(), out);
        }
        None => out.push_str("null"),
    }
    let fields = batch.context.and_then(|text| text.trim().strip_prefix('{')).unwrap_or("}").trim_start();
    if !fields.starts_with('}') {
        out.push(',');
    }
    out.push_str(fields);
}

/// Writes one event as an object of the wire protocol, with everything that it says of itself.
pub fn write_whole_event(event: &Event) -> String {
    let mut out = String::from("{");
    write_event(event, None, &mut out);
    out.push('}');
    out
}

/// Writes an event's fields without braces; what the sender says for the whole batch is left out.
fn write_event(event: &Event, sender: Option<(&MemberId, LaneId)>, out: &mut String) {
    out.push_str("\"event_id\":\"");
    write_uuid(event.event_id.0, out);
    out.push_str("\",\"event_type\":");
    write_string(&event.event_type, out);
    out.push_str(",\"timestamp\":\"");
    event.timestamp.write(out);
    out.push('"');
    if sender.is_none_or(|(member, _)| *member != event.member) {
        write_text("anonymous_id", &event.member.0, out);
    }
    if let Some(number) = event.lane {
        if sender.is_none_or(|(_, lane)| lane != number.lane) {
            write_id("lane", number.lane.0, out);
        }
        write_number("seq", number.seq, out);
    }
    if let Some(user_id) = &event.user_id {
        write_text("user_id", user_id, out);
    }
    if let Some(session) = event.session {
        write_id("session_id", session.0, out);
    }
    if let Some(metadata) = &event.metadata {
        write_name("metadata", out);
        out.push_str(metadata);
    }
}

fn write_list<T>(items: &[T], out: &mut String, write_fields: impl Fn(&T, &mut String)) {
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        out.push_str(if index > 0 { ",{" } else { "{" });
        write_fields(item, out);
        out.push('}');
    }
    out.push(']');
}

fn write_lane_head(sender: &MemberId, member: &MemberId, lane: LaneId, out: &mut String) {
    out.push_str("\"lane\":\"");
    write_uuid(lane.0, out);
    out.push('"');
    if member != sender {
        write_text("anonymous_id", &member.0, out);
    }
}

fn write_name(name: &str, out: &mut String) {
    out.push_str(",\"");
    out.push_str(name);
    out.push_str("\":");
}

pub(super) fn write_text(name: &str, text: &str, out: &mut String) {
    write_name(name, out);
    write_string(text, out);
}

fn write_id(name: &str, id: Uuid, out: &mut String) {
    write_name(name, out);
    out.push('"');
    write_uuid(id, out);
    out.push('"');
}

fn write_number(name: &str, number: u64, out: &mut String) {
    write_name(name, out);
    push_decimal(number, out);
}

/// Appends a whole number; `core::fmt` would cost the page more than this.
pub(super) fn push_decimal(number: u64, out: &mut String) {
    if number >= 10 {
        push_decimal(number / 10, out);
    }
    out.push(char::from(b'0' + (number % 10) as u8));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{LaneSeq, sample};

    fn batch<'a>(member: &'a MemberId, events: Vec<&'a Event>) -> Batch<'a> {
        Batch {
            sent_at: Timestamp(1_763_632_802_120),
            member,
            lane: sample::lane(1),
            clock_skew_ms: None,
            context: None,
            events,
            void: Vec::new(),
            closed: Vec::new(),
            dropped: Vec::new(),
        }
    }

    #[test]
    fn writes_the_protocol_example() {
        let member = sample::member("m1");
        let mut event = sample::event(7);
        event.member = member.clone();
        event.lane = Some(LaneSeq { lane: sample::lane(1), seq: 41 });
        event.metadata = Some(r#"{"quantity":2}"#.into());
        let mut batch = batch(&member, alloc::vec![&event]);
        batch.clock_skew_ms = Some(-120);
        batch.context = Some(r#" {"locale":"de"} "#);
        batch.void.push(VoidRange { member: member.clone(), lane: sample::lane(1), from: 7, to: 9 });
        batch.closed.push(Closed { member: sample::member("m2"), lane: sample::lane(2), count: 31 });
        batch.dropped.push(("queue_full".into(), 3));
        assert_eq!(
            write_batch(&batch),
            concat!(
                r#"{"v":1,"sent_at":"2025-11-20T10:00:02.120Z","anonymous_id":"m1","#,
                r#""lane":"00000000-0000-0000-0000-000000000001","#,
                r#""void":[{"lane":"00000000-0000-0000-0000-000000000001","from":7,"to":9}],"#,
                r#""closed":[{"lane":"00000000-0000-0000-0000-000000000002","anonymous_id":"m2","count":31}],"#,
                r#""context":{"clock_skew_ms":-120,"locale":"de"},"#,
                r#""events":[{"event_id":"00000000-0000-0000-0000-000000000007","event_type":"page_view","#,
                r#""timestamp":"2025-11-20T10:00:01.003Z","seq":41,"metadata":{"quantity":2}}],"#,
                r#""dropped":{"queue_full":3}}"#
            )
        );
    }

    #[test]
    fn an_adopted_event_names_its_own_member_and_lane() {
        let member = sample::member("m1");
        let event = sample::event(7);
        let text = write_batch(&batch(&member, alloc::vec![&event]));
        let own = r#""anonymous_id":"someone","lane":"00000000-0000-0000-0000-000000000009","seq":7"#;
        assert!(text.contains(own), "{text}");
        assert!(text.contains(r#""context":{"clock_skew_ms":null},"#), "{text}");
    }

    #[test]
    fn an_event_never_takes_more_bytes_than_it_was_measured_with() {
        let member = sample::member("m1");
        let event = sample::event(7);
        let (empty, one) =
            (write_batch(&batch(&member, Vec::new())), write_batch(&batch(&member, alloc::vec![&event])));
        assert!(one.len() - empty.len() <= written_bytes(&event));
    }
}
