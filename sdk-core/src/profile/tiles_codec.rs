//! The binary form of tiles.

use super::bucket::{Keep, Span};
use super::sorted::SortedMap;
use super::tiles::{SignalTiles, Slice};
use super::{Bucket, Keys, Tile, TileChange, Tiles, Window};
use crate::codec::{CodecError, Reader, Writer};
use crate::id::SignalId;
use crate::time::Timestamp;

impl Tiles {
    /// Appends the binary form of what still counts at `time`, so that equal events give equal bytes in whatever order
    /// they came and whenever they were pruned.
    pub fn encode(&self, time: Timestamp, out: &mut Writer) {
        out.len(self.signals.len());
        for (id, tiles) in self.signals.iter() {
            out.raw(&id.0.to_le_bytes());
            tiles.window.encode(out);
            out.i64(tiles.since.0);
            let keep = |(bucket, slice): &(&Bucket, &Slice)| bucket.keep(tiles.window, slice.span, time);
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

    /// Reads the binary form.
    ///
    /// # Errors
    /// Fails on bytes that end early, unknown kinds, and signals, buckets or keys out of order.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut signals = SortedMap::default();
        for _ in 0..reader.len()? {
            let id = decode_signal_id(reader)?;
            let window = Window::decode(reader)?;
            let since = Timestamp(reader.i64()?);
            let mut slices = SortedMap::default();
            for _ in 0..reader.len()? {
                let bucket = Bucket::decode(reader)?;
                let slice = if reader.bool()? {
                    Slice::decode(bucket, reader)?
                } else {
                    let span = Span { first: Timestamp(i64::MIN), last: Timestamp(reader.i64()?) };
                    Slice { span, keys: Keys::default() }
                };
                if !slices.push(bucket, slice) {
                    return Err(CodecError);
                }
            }
            if !signals.push(id, SignalTiles { window, since, slices }) {
                return Err(CodecError);
            }
        }
        Ok(Self { signals })
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
        out.option(self.tile, |out, tile| tile.encode(out));
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// Fails on bytes that end early and on unknown kinds.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            signal: decode_signal_id(reader)?,
            window: Window::decode(reader)?,
            bucket: Bucket::decode(reader)?,
            at: Timestamp(reader.i64()?),
            key: reader.boxed_str()?,
            tile: reader.option(Tile::decode)?,
        })
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

    fn decode(bucket: Bucket, reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let span = match bucket {
            Bucket::Session(_) => Span { first: Timestamp(reader.i64()?), last: Timestamp(reader.i64()?) },
            Bucket::Lifetime | Bucket::Time(_) => Span::of_event(bucket, Timestamp(0)),
        };
        Ok(Self { span, keys: Keys::decode(reader, Tile::decode)? })
    }
}

fn decode_signal_id(reader: &mut Reader<'_>) -> Result<SignalId, CodecError> {
    let bytes: [u8; 8] = reader.raw(8)?.try_into().map_err(|_| CodecError)?;
    Ok(SignalId(u64::from_le_bytes(bytes)))
}
