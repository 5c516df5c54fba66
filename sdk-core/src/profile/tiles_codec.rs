//! The binary form of tiles.

use super::bucket::{Horizon, Keep, Span};
use super::sorted::SortedMap;
use super::tiles::{SignalTiles, Slice};
use super::{Bucket, Keys, Tile, TileChange, Tiles, Window};
use crate::codec::{Source, Writer};
use crate::id::SignalId;
use crate::time::Timestamp;

impl Tiles {
    /// Appends the binary form of what still counts at `time`, so that equal events give equal bytes in whatever order
    /// they came and whenever they were pruned.
    pub fn encode(&self, time: Timestamp, out: &mut Writer) {
        self.encode_kept(out, |window, bucket, span| Horizon::new(window, time).keep(bucket, span));
    }

    /// Appends the binary form of everything, for whoever has pruned already or reads it at once.
    pub(super) fn encode_all(&self, out: &mut Writer) {
        self.encode_kept(out, |_, _, _| Keep::Whole);
    }

    fn encode_kept(&self, out: &mut Writer, keep: impl Fn(Window, Bucket, Span) -> Keep) {
        out.len(self.signals.len());
        for (id, tiles) in self.signals.iter() {
            out.raw(&id.0.to_le_bytes());
            tiles.window.encode(out);
            out.i64(tiles.since.0);
            let keep = |(bucket, slice): &(&Bucket, &Slice)| keep(tiles.window, **bucket, slice.span);
            let slices = tiles.slices.iter().filter(|pair| keep(pair) != Keep::Nothing);
            out.len(slices.clone().count());
            for (bucket, slice) in slices {
                bucket.encode(out);
                let whole = keep(&(bucket, slice)) == Keep::Whole;
                out.bool(whole);
                if whole {
                    slice.encode(*bucket, out);
                } else {
                    out.i64(slice.span.last.0);
                }
            }
        }
    }

    /// Reads the binary form; unknown kinds, and signals, buckets or keys out of order fail the source.
    pub fn decode(source: &mut Source<'_>) -> Self {
        let signals = SortedMap::decode(source, |source| {
            let id = SignalId(u64::from_le_bytes(source.array()));
            let window = Window::decode(source);
            let since = Timestamp(source.i64());
            let slices = SortedMap::decode(source, |source| {
                let bucket = Bucket::decode(source);
                let slice = if source.bool() {
                    Slice::decode(bucket, source)
                } else {
                    let span = Span { first: Timestamp(i64::MIN), last: Timestamp(source.i64()) };
                    Slice { span, keys: Keys::default() }
                };
                (bucket, slice)
            });
            (id, SignalTiles { window, since, slices })
        });
        Self { signals }
    }
}

impl TileChange {
    /// Appends the binary form.
    pub fn encode(&self, out: &mut Writer) {
        out.raw(&self.signal.0.to_le_bytes());
        self.window.encode(out);
        self.bucket.encode(out);
        out.i64(self.at.0);
        out.str(&self.key);
        out.option(self.tile.as_ref(), |out, tile| tile.encode(out));
    }

    /// Reads the binary form; unknown kinds fail the source.
    pub fn decode(source: &mut Source<'_>) -> Self {
        Self {
            signal: SignalId(u64::from_le_bytes(source.array())),
            window: Window::decode(source),
            bucket: Bucket::decode(source),
            at: Timestamp(source.i64()),
            key: source.str().into(),
            tile: source.option(Tile::decode),
        }
    }
}

impl Slice {
    fn encode(&self, bucket: Bucket, out: &mut Writer) {
        if matches!(bucket, Bucket::Session(_)) {
            out.i64(self.span.first.0);
            out.i64(self.span.last.0);
        }
        self.keys.encode(out, |tile, out| tile.encode(out));
    }

    fn decode(bucket: Bucket, source: &mut Source<'_>) -> Self {
        let span = match bucket {
            Bucket::Session(_) => Span { first: Timestamp(source.i64()), last: Timestamp(source.i64()) },
            Bucket::Lifetime | Bucket::Time(_) => Span::of_event(bucket, Timestamp(0)),
        };
        Self { span, keys: Keys::decode(source, Tile::decode) }
    }
}
