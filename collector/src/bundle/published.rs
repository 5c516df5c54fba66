//! What is published at one moment: the bundle in effect, those kept from before it, and what leads from them to it.

use crate::content::Document;
use crate::limits::MAX_DELTA_BUNDLE_BYTES;
use attune_core::bundle::author::delta;
use std::sync::{Arc, OnceLock};

/// A signed envelope, ready to be sent.
#[derive(Debug)]
pub struct Kept {
    /// Its revision.
    pub revision: u64,
    /// Its bytes.
    pub document: Document,
}

/// The bundle in effect and those before it.
#[derive(Debug)]
pub struct Published {
    current: Arc<Kept>,
    earlier: Vec<Earlier>,
}

#[derive(Debug)]
struct Earlier {
    kept: Arc<Kept>,
    /// What leads from it to the one in effect, once it has been sought, where it is smaller than that.
    delta: OnceLock<Option<Document>>,
}

impl Published {
    /// A bundle in effect with those before it, the newest first.
    pub fn new(current: Arc<Kept>, earlier: Vec<Arc<Kept>>) -> Self {
        let earlier = earlier.into_iter().map(|kept| Earlier { kept, delta: OnceLock::new() });
        Self { current, earlier: earlier.collect() }
    }

    /// The revision in effect.
    pub fn revision(&self) -> u64 {
        self.current.revision
    }

    /// The envelope in effect.
    pub fn current(&self) -> &Document {
        &self.current.document
    }

    /// Every envelope that is kept, the newest first.
    pub fn kept(&self) -> impl Iterator<Item = &Arc<Kept>> {
        std::iter::once(&self.current).chain(self.earlier.iter().map(|earlier| &earlier.kept))
    }

    /// The envelope of a hash.
    pub fn by_hash(&self, hash: &[u8; 32]) -> Option<&Document> {
        self.kept().map(|kept| &kept.document).find(|document| document.hash == *hash)
    }

    /// What leads from the envelope of a revision to the one in effect.
    pub fn delta_since(&self, revision: u64) -> Option<&Document> {
        self.delta_from(|kept| kept.revision == revision)
    }

    /// What leads from the envelope of a hash to the one in effect.
    pub fn delta_from_hash(&self, hash: &[u8; 32]) -> Option<&Document> {
        self.delta_from(|kept| kept.document.hash == *hash)
    }

    fn delta_from(&self, is_meant: impl Fn(&Kept) -> bool) -> Option<&Document> {
        self.earlier.iter().find(|earlier| is_meant(&earlier.kept))?.delta.get()?.as_ref()
    }

    /// Seeks the next delta, those from the newest first; false once all have been sought. Requests never seek.
    pub fn seek_delta(&self) -> bool {
        let Some(earlier) = self.earlier.iter().find(|earlier| earlier.delta.get().is_none()) else {
            return false;
        };
        earlier.delta.get_or_init(|| smaller_delta(&earlier.kept.document, &self.current.document));
        true
    }
}

fn smaller_delta(from: &Document, to: &Document) -> Option<Document> {
    if from.bytes().len().max(to.bytes().len()) > MAX_DELTA_BUNDLE_BYTES {
        return None;
    }
    let bytes = delta(from.bytes(), &from.hash, to.bytes());
    (bytes.len() < to.bytes().len()).then(|| Document::compressed(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_core::bundle::open_delta;

    fn kept(revision: u64, bytes: Vec<u8>) -> Arc<Kept> {
        Arc::new(Kept { revision, document: Document::of(bytes) })
    }

    fn like(last: u8) -> Vec<u8> {
        let mut bytes: Vec<u8> =
            (0..2_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        bytes.push(last);
        bytes
    }

    #[test]
    fn a_delta_is_there_once_it_is_sought_and_only_where_it_is_smaller() {
        let (first, second, third) = (kept(1, vec![9; 100]), kept(2, like(1)), kept(3, vec![7; 60]));
        let published = Published::new(kept(4, like(2)), vec![third, second.clone(), first]);
        assert!(published.delta_since(2).is_none());
        assert_eq!(
            (published.seek_delta(), published.seek_delta(), published.seek_delta()),
            (true, true, true)
        );
        assert!(!published.seek_delta());
        let found = published.delta_since(2).unwrap();
        assert!(found.bytes().len() < 100);
        let opened = open_delta(found.bytes()).unwrap();
        assert_eq!(opened.apply(second.document.bytes()).unwrap(), *published.current().bytes());
        let by_hash = published.delta_from_hash(&second.document.hash).unwrap();
        assert_eq!(by_hash.hash, found.hash);
        for unknown in [1, 3, 4, 5] {
            assert!(published.delta_since(unknown).is_none(), "{unknown}");
        }
        assert!(published.by_hash(&second.document.hash).is_some() && published.by_hash(&[0; 32]).is_none());
    }

    #[test]
    fn a_bundle_beyond_the_bound_is_sent_whole() {
        let large = |last: u8| {
            let mut bytes = vec![0; MAX_DELTA_BUNDLE_BYTES];
            bytes.push(last);
            bytes
        };
        let published = Published::new(kept(2, large(2)), vec![kept(1, large(1))]);
        assert!(published.seek_delta() && !published.seek_delta());
        assert!(published.delta_since(1).is_none());
    }
}
