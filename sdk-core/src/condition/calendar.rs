//! Local time in conditions: `$tod`, `$dow` and the schedule of a rule.

use super::{Code, Document, Outlook, Packer, PathRef, Root, instant};
use crate::time::{Clocks, Span, Timestamp, Zone, ZoneTable};
use crate::value::ValueRef;

const HAS_ZONE: u8 = 1;
const HAS_START: u8 = 2;
const HAS_END: u8 = 4;
const IS_LOCAL: u8 = 8;

/// Holds during a span of local time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// When.
    pub span: Span,
    /// By whose clocks; absent for the visitor's.
    pub zone: Option<ZoneTable>,
}

/// The clocks of the visitor: those that the host keeps, or else those that the context says, see [`context_clocks`].
pub fn visitor_clocks(document: &dyn Document) -> Clocks {
    let by_context = || clocks_by(&|rest| document.value(PathRef { root: Root::Context, rest }));
    document.clocks().unwrap_or_else(by_context)
}

/// The clocks of the visitor that a context says: `time.utc_offset_minutes`, and until when it is that,
/// `time.changes_at`, and what it is then, `time.next_utc_offset_minutes`. What is missing counts as UTC.
pub fn context_clocks(context: ValueRef<'_>) -> Clocks {
    clocks_by(&|rest| context.at(rest).unwrap_or(ValueRef::Null))
}

/// The same, where the context says any.
pub fn told_clocks(context: ValueRef<'_>) -> Option<Clocks> {
    time_clocks(context.field("time")?)
}

/// The same of the `time` of a context.
pub fn time_clocks(time: ValueRef<'_>) -> Option<Clocks> {
    time.field("utc_offset_minutes")?.as_number()?;
    let read = |rest: &str| rest.strip_prefix("time.").and_then(|name| time.field(name));
    Some(clocks_by(&|rest| read(rest).unwrap_or(ValueRef::Null)))
}

fn clocks_by<'a>(read: &dyn Fn(&str) -> ValueRef<'a>) -> Clocks {
    let minutes = |rest| read(rest).as_number().unwrap_or_default() as i64;
    let changes_at = instant(read("time.changes_at"));
    let change = changes_at.map(|at| (at, minutes("time.next_utc_offset_minutes")));
    Clocks::new(minutes("time.utc_offset_minutes"), change)
}

/// Appends a span, behind its tag.
pub(super) fn encode_calendar(calendar: &Calendar, packer: &mut Packer) {
    let Calendar { span, zone } = calendar;
    let mut kind = 0;
    for (is_set, flag) in [
        (zone.is_some(), HAS_ZONE),
        (span.starts != Span::NO_START, HAS_START),
        (span.ends != Span::NO_END, HAS_END),
        (span.is_local, IS_LOCAL),
    ] {
        kind |= if is_set { flag } else { 0 };
    }
    packer.out.u8(kind);
    if let Some(table) = zone {
        packer.zone(table);
    }
    packer.out.u8(span.days);
    packer.out.u64(u64::from(span.from_minute));
    packer.out.u64(u64::from(span.minutes));
    for (at, flag) in [(span.starts, HAS_START), (span.ends, HAS_END)] {
        if kind & flag != 0 {
            packer.out.i64(at.0);
        }
    }
}

/// Reads a span that has been checked.
pub(super) fn decode_calendar(code: &mut Code<'_>) -> Calendar {
    let (span, zone) = read(code);
    Calendar { span, zone: zone.map(ZoneTable::new) }
}

/// Reads a span and asks whether it holds. Where there is nobody to ask, its zone is checked instead.
#[inline(never)]
pub(super) fn holds(
    code: &mut Code<'_>,
    document: Option<&dyn Document>,
    outlook: &mut Outlook,
) -> Option<bool> {
    let (span, table) = read(code);
    let Some(document) = document else {
        if !table.is_none_or(Zone::is_table) {
            code.fail();
        }
        return None;
    };
    let zone = table.map_or_else(|| visitor_clocks(document).zone(), Zone::of_table);
    let (holds, next) = span.at(zone, document.now());
    if let Some(at) = next {
        outlook.note_after(document.now(), at);
    }
    Some(holds)
}

fn read<'a>(code: &mut Code<'a>) -> (Span, Option<&'a [u8]>) {
    let kind = code.byte();
    let has = |flag: u8| kind & flag != 0;
    let zone = has(HAS_ZONE).then(|| code.zone());
    let span = Span {
        days: code.byte(),
        from_minute: code.number() as u16,
        minutes: code.number() as u16,
        starts: if has(HAS_START) { Timestamp(code.signed()) } else { Span::NO_START },
        ends: if has(HAS_END) { Timestamp(code.signed()) } else { Span::NO_END },
        is_local: has(IS_LOCAL),
    };
    if kind >= 2 * IS_LOCAL || !span.is_sound() {
        code.fail();
    }
    (span, zone)
}
