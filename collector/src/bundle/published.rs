//! What is published at one moment: the bundle in effect, the one on trial, and what leads to them from those kept.

use super::trial::TrialRecord;
use crate::content::Document;
use crate::limits::MAX_DELTA_BUNDLE_BYTES;
use attune_core::bundle::author::delta;
use attune_core::bundle::{open_envelope, policy_of};
use attune_core::filter::Policy;
use attune_core::wire::LoggedCandidate;
use std::sync::{Arc, OnceLock};

/// A signed envelope, ready to be sent.
#[derive(Debug)]
pub struct Kept {
    /// Its revision.
    pub revision: u64,
    /// Its bytes.
    pub document: Document,
}

/// The bundle on trial.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Its envelope.
    pub kept: Arc<Kept>,
    /// For how many units, in hundredths of a percent.
    pub share: u32,
    /// Divides the units.
    pub seed: String,
}

/// A share as people write it.
pub fn percent(share: u32) -> f64 {
    f64::from(share) / 100.0
}

/// The policy of a bundle. One that cannot be read lets nothing through.
fn policy_in(kept: &Kept) -> Option<Policy> {
    let envelope = open_envelope(kept.document.bytes()).ok()?;
    let bytes = policy_of(envelope.body).ok().filter(|bytes| !bytes.is_empty())?;
    Some(Policy::decode(bytes).unwrap_or_else(|_| Policy::keeping_nothing()))
}

impl Trial {
    /// What is kept of it over a restart.
    pub fn record(&self) -> TrialRecord {
        TrialRecord { revision: self.kept.revision, share: self.share, seed: self.seed.clone() }
    }

    /// What the log says of it.
    pub fn logged(&self) -> LoggedCandidate {
        let bytes = self.kept.document.bytes()[..].into();
        let (revision, seed) = (self.kept.revision, self.seed.as_str().into());
        LoggedCandidate { revision, share: self.share, seed, bytes }
    }
}

/// The bundle in effect, the one on trial, and all that are kept.
#[derive(Debug)]
pub struct Published {
    current: Target,
    policy: Option<Policy>,
    trial: Option<(Trial, Target)>,
    kept: Vec<Arc<Kept>>,
}

/// An envelope that pages are to have.
#[derive(Debug)]
struct Target {
    kept: Arc<Kept>,
    /// Of each kept envelope of a lower revision, the newest first, what leads from it to this one, once it has been
    /// sought, where it is smaller than this one.
    deltas: Vec<(Arc<Kept>, OnceLock<Option<Document>>)>,
}

impl Published {
    /// A bundle in effect, one on trial, and all that are kept, the newest first.
    pub fn new(current: Arc<Kept>, trial: Option<Trial>, kept: Vec<Arc<Kept>>) -> Self {
        let on_trial = trial.map(|trial| (trial.clone(), Target::new(trial.kept, &kept)));
        let policy = policy_in(&current);
        Self { current: Target::new(current, &kept), policy, trial: on_trial, kept }
    }

    /// The filter policy in effect, where there is one.
    pub const fn policy(&self) -> Option<&Policy> {
        self.policy.as_ref()
    }

    /// The revision in effect.
    pub fn revision(&self) -> u64 {
        self.current.kept.revision
    }

    /// The envelope in effect.
    pub fn current(&self) -> &Document {
        &self.current.kept.document
    }

    /// The bundle on trial, if there is one.
    pub fn trial(&self) -> Option<&Trial> {
        self.trial.as_ref().map(|(trial, _)| trial)
    }

    /// Every envelope that is kept, the newest first.
    pub fn kept(&self) -> &[Arc<Kept>] {
        &self.kept
    }

    /// The envelope of a hash.
    pub fn by_hash(&self, hash: &[u8; 32]) -> Option<&Document> {
        self.kept.iter().map(|kept| &kept.document).find(|document| document.hash == *hash)
    }

    /// What leads from the envelope of a revision to the one in effect.
    pub fn delta_since(&self, revision: u64) -> Option<&Document> {
        self.current.delta(|kept| kept.revision == revision)
    }

    /// What leads from one envelope to another, which is in effect or on trial.
    pub fn delta_between(&self, from: &[u8; 32], to: &[u8; 32]) -> Option<&Document> {
        let target = self.targets().find(|target| target.kept.document.hash == *to)?;
        target.delta(|kept| kept.document.hash == *from)
    }

    /// Seeks the deltas from the envelopes that those in effect and on trial follow, which most pages have.
    pub fn seek_first(&self) {
        for target in self.targets() {
            let parent = open_envelope(target.kept.document.bytes()).ok().and_then(|it| it.header.parent);
            target.seek(|kept| Some(kept.document.hash) == parent);
        }
    }

    /// Seeks the next delta; false once all have been sought. Requests never seek.
    pub fn seek_next(&self) -> bool {
        self.targets().any(|target| target.seek(|_| true))
    }

    fn targets(&self) -> impl Iterator<Item = &Target> {
        std::iter::once(&self.current).chain(self.trial.as_ref().map(|(_, target)| target))
    }
}

impl Target {
    fn new(target: Arc<Kept>, kept: &[Arc<Kept>]) -> Self {
        let lower = kept.iter().filter(|kept| kept.revision < target.revision);
        Self { deltas: lower.map(|kept| (kept.clone(), OnceLock::new())).collect(), kept: target }
    }

    fn delta(&self, is_meant: impl Fn(&Kept) -> bool) -> Option<&Document> {
        self.deltas.iter().find(|(kept, _)| is_meant(kept))?.1.get()?.as_ref()
    }

    /// Seeks the next delta of those that are meant; false once they have been sought.
    fn seek(&self, is_meant: impl Fn(&Kept) -> bool) -> bool {
        let next = self.deltas.iter().find(|(kept, delta)| delta.get().is_none() && is_meant(kept));
        if let Some((kept, delta)) = next {
            delta.get_or_init(|| smaller_delta(&kept.document, &self.kept.document));
        }
        next.is_some()
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

    fn seek_all(published: &Published) -> usize {
        std::iter::from_fn(|| published.seek_next().then_some(())).count()
    }

    #[test]
    fn a_delta_is_there_once_it_is_sought_and_only_where_it_is_smaller() {
        let (first, second, third) = (kept(1, vec![9; 100]), kept(2, like(1)), kept(3, vec![7; 60]));
        let fourth = kept(4, like(2));
        let all = vec![fourth.clone(), third, second.clone(), first];
        let published = Published::new(fourth, None, all);
        assert!(published.delta_since(2).is_none());
        assert_eq!((seek_all(&published), seek_all(&published)), (3, 0));
        let found = published.delta_since(2).unwrap();
        assert!(found.bytes().len() < 100);
        let opened = open_delta(found.bytes()).unwrap();
        assert_eq!(opened.apply(second.document.bytes()).unwrap(), *published.current().bytes());
        let by_hash = published.delta_between(&second.document.hash, &published.current().hash);
        assert_eq!(by_hash.unwrap().hash, found.hash);
        for unknown in [1, 3, 4, 5] {
            assert!(published.delta_since(unknown).is_none(), "{unknown}");
        }
        assert!(published.by_hash(&second.document.hash).is_some() && published.by_hash(&[0; 32]).is_none());
    }

    #[test]
    fn a_trial_is_reached_from_the_one_in_effect_and_never_the_other_way() {
        let (current, on_trial) = (kept(4, like(2)), kept(5, like(3)));
        let trial = Trial { kept: on_trial.clone(), share: 1, seed: String::new() };
        let published = Published::new(current.clone(), Some(trial), vec![on_trial.clone(), current.clone()]);
        assert_eq!(seek_all(&published), 1);
        let (current, on_trial) = (current.document.hash, on_trial.document.hash);
        assert!(published.delta_between(&current, &on_trial).is_some());
        assert!(published.delta_between(&on_trial, &current).is_none() && published.delta_since(5).is_none());
    }

    #[test]
    fn a_bundle_beyond_the_bound_is_sent_whole() {
        let large = |last: u8| {
            let mut bytes = vec![0; MAX_DELTA_BUNDLE_BYTES];
            bytes.push(last);
            bytes
        };
        let published = Published::new(kept(2, large(2)), None, vec![kept(1, large(1))]);
        assert_eq!(seek_all(&published), 1);
        assert!(published.delta_since(1).is_none());
    }
}
