//! The tiles of all signals of one member, or of several merged.

use super::bucket::{Horizon, Keep, Span};
use super::fields::Fields;
use super::keys::key_text;
use super::sorted::SortedMap;
use super::{Bucket, EventDocument, Keys, ShortText, SignalRef, SignalTable, Tile, Window};
use crate::condition::{Outlook, evaluate};
use crate::id::SignalId;
use crate::limits::MAX_RETIRED_SIGNALS;
use crate::time::Timestamp;
use crate::value::ValueRef;
use alloc::vec::Vec;

/// Tiles by signal, bucket and key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tiles {
    pub(super) signals: SortedMap<SignalId, SignalTiles>,
}

/// The tiles of one signal.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalTiles {
    /// The signal's window, so that tiles of a signal no bundle names any more still expire.
    pub(super) window: Window,
    /// Since when events are counted.
    pub(super) since: Timestamp,
    pub(super) slices: SortedMap<Bucket, Slice>,
}

/// The tiles of one signal in one bucket.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Slice {
    pub span: Span,
    pub keys: Keys<Tile>,
}

/// One tile that an event has changed, as its new absolute value.
#[derive(Clone, Debug, PartialEq)]
pub struct TileChange {
    /// The signal.
    pub signal: SignalId,
    /// Its window.
    pub window: Window,
    /// The bucket.
    pub bucket: Bucket,
    /// Time of the event.
    pub at: Timestamp,
    /// The key; empty for signals without `by`.
    pub key: ShortText,
    /// The value; absent where the key fell to the bound and the bucket is truncated now.
    pub tile: Option<Tile>,
}

/// Room for the changes of most events; an allocator keeps blocks of this size at hand.
const USUAL_CHANGES: usize = 8;

impl Tiles {
    /// Counts an event into the tiles of every signal that looks at it. `time` is the latest event time of the member,
    /// this event included: what has expired by then is not taken in.
    pub fn apply(&mut self, table: &SignalTable, document: &EventDocument, time: Timestamp) {
        let mut fields = Fields::new(document, table.form());
        table.each_for_type(&document.event().event_type, &mut |place, signal| {
            self.count((place, signal), &mut fields, time, None);
        });
    }

    /// Does the same and names every tile it changes.
    pub fn apply_noting(
        &mut self,
        table: &SignalTable,
        document: &EventDocument,
        time: Timestamp,
    ) -> Vec<TileChange> {
        let mut changes = Vec::with_capacity(USUAL_CHANGES);
        let mut fields = Fields::new(document, table.form());
        table.each_for_type(&document.event().event_type, &mut |place, signal| {
            self.count((place, signal), &mut fields, time, Some(&mut changes));
        });
        changes
    }

    /// Puts a changed tile's absolute value in place.
    pub fn set(&mut self, table: &SignalTable, change: &TileChange) {
        let place = table.place_of(change.signal);
        let tiles = self.signal_near(place, change.signal, change.window);
        let slice = tiles.slice(change.bucket, change.at);
        match &change.tile {
            None => slice.keys.set_truncated(),
            Some(tile) => {
                slice.keys.join(&change.key, tile, Clone::clone_from);
            }
        }
    }

    /// Adds the tiles of other events, such as another member's.
    pub fn merge(&mut self, other: &Self) {
        for (id, theirs) in other.signals.iter() {
            let mine = self.signal(*id, theirs.window);
            mine.since = mine.since.max(theirs.since);
            for (bucket, slice) in theirs.slices.iter() {
                let into = mine.slice(*bucket, slice.span.first);
                into.span.merge(slice.span);
                into.keys.merge(&slice.keys, Tile::merge);
            }
        }
    }

    /// Drops what can no longer be read at `time`.
    pub fn expire(&mut self, time: Timestamp) {
        self.signals.retain(|_, tiles| {
            tiles.prune(Horizon::new(tiles.window, time));
            true
        });
    }

    /// Drops what can no longer be read at `time`, and of the signals that no bundle names any more, beyond their bound,
    /// those that are counted longest.
    pub fn prune(&mut self, table: &SignalTable, time: Timestamp) {
        self.expire(time);
        if self.signals.len() <= MAX_RETIRED_SIGNALS {
            return;
        }
        loop {
            let unknown = self.signals.iter().filter(|(id, _)| table.by_id(**id).is_none());
            let (mut count, mut oldest) = (0, None);
            for (id, tiles) in unknown {
                count += 1;
                if oldest.is_none_or(|known| (tiles.since, *id) < known) {
                    oldest = Some((tiles.since, *id));
                }
            }
            match oldest {
                Some((_, id)) if count > MAX_RETIRED_SIGNALS => self.signals.remove(&id),
                _ => return,
            };
        }
    }

    /// Whether no signal has tiles.
    pub fn is_empty(&self) -> bool {
        self.signals.is_empty()
    }

    /// The tiles of a signal, if it has any.
    pub fn get(&self, signal: SignalId) -> Option<&SignalTiles> {
        self.signals.get(&signal)
    }

    /// Whether keys of a signal have fallen to the bound in a bucket, so that what is missing there may have been.
    pub(crate) fn is_truncated(&self, signal: SignalId, bucket: Bucket) -> bool {
        let slice = self.get(signal).and_then(|tiles| tiles.slices.get(&bucket));
        slice.is_some_and(|slice| slice.keys.is_truncated())
    }

    fn count(
        &mut self,
        (place, signal): (usize, SignalRef<'_>),
        fields: &mut Fields<'_>,
        time: Timestamp,
        changes: Option<&mut Vec<TileChange>>,
    ) -> Option<()> {
        let document = fields.document();
        let event = document.event();
        if !signal.filter().is_none_or(|filter| evaluate(filter, document, &mut Outlook::default())) {
            return None;
        }
        let mut room = [0; 40];
        let key = match signal.by {
            Some(path) => key_text(fields.value(path), &mut room)?,
            None => "",
        };
        let at = event.timestamp;
        let of = signal.of.map_or(ValueRef::Null, |path| fields.value(path));
        let tile = Tile::of_event(signal.aggregate, event, of)?;
        let window = signal.window;
        let (bucket, horizon) = Bucket::of_event(window, event, time)?;
        let tiles = self.signal_near(place, signal.id, window);
        if horizon.keep(bucket, Span::of_event(bucket, at)) == Keep::Nothing {
            return None;
        }
        tiles.drop_oldest(horizon);
        let slice = tiles.slice(bucket, at);
        if horizon.keep(bucket, slice.span) != Keep::Whole {
            slice.keys = Keys::default();
            return None;
        }
        let kept = slice.keys.join(key, &tile, Tile::merge);
        if let Some(changes) = changes {
            let (signal, key, tile) = (signal.id, key.into(), kept.cloned());
            changes.push(TileChange { signal, window, bucket, at, key, tile });
        }
        Some(())
    }

    pub(super) fn signal(&mut self, id: SignalId, window: Window) -> &mut SignalTiles {
        self.signal_near(usize::MAX, id, window)
    }

    /// The tiles of a signal, given its place in the table: a member that has sent every kind of event has its tiles there.
    fn signal_near(&mut self, place: usize, id: SignalId, window: Window) -> &mut SignalTiles {
        let since = SignalTiles::ALWAYS;
        let make = || SignalTiles { window, since, slices: SortedMap::default() };
        self.signals.or_insert_near(place, id, make)
    }
}

impl SignalTiles {
    /// What [`since`](Self::since) is where every event of the member has been counted: one byte in the binary form.
    pub const ALWAYS: Timestamp = Timestamp(0);

    /// Since when events are counted: the publication of a signal that is newer than its member.
    pub const fn since(&self) -> Timestamp {
        self.since
    }

    /// All tiles taken together, whatever their bucket and key; nothing where there is none.
    pub fn total(&self) -> Option<Tile> {
        let mut tiles = self.slices.iter().flat_map(|(_, slice)| slice.keys.iter().map(|(_, tile)| tile));
        let first = tiles.next()?.clone();
        Some(tiles.fold(first, |mut total, tile| {
            total.merge(tile);
            total
        }))
    }

    fn slice(&mut self, bucket: Bucket, at: Timestamp) -> &mut Slice {
        let span = Span::of_event(bucket, at);
        let slice = self.slices.or_insert_with(bucket, || Slice { span, keys: Keys::default() });
        slice.span.merge(span);
        slice
    }

    #[inline(never)]
    fn prune(&mut self, horizon: Horizon) {
        self.slices.retain(|bucket, slice| match horizon.keep(*bucket, slice.span) {
            Keep::Whole => true,
            Keep::Name => {
                slice.keys = Keys::default();
                true
            }
            Keep::Nothing => false,
        });
    }

    /// Buckets of time leave at the front, so looking there is enough while events come in.
    fn drop_oldest(&mut self, horizon: Horizon) {
        let expired = |(bucket, slice): (&Bucket, &Slice)| horizon.keep(*bucket, slice.span) == Keep::Nothing;
        let in_time = matches!(self.window, Window::Sliding { .. } | Window::Calendar(_));
        if in_time && self.slices.iter().next().is_some_and(expired) {
            self.prune(horizon);
        }
    }
}
