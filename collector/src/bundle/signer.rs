//! Signing for one project and environment: envelopes, statements and the collector's own key set.

use super::key::SecretKey;
use super::published::Published;
use attune_core::bundle::{
    Candidate, Current, HASH_BYTES, Header, KeySet, KeySetEntry, seal_current, seal_envelope, seal_keyset,
};
use attune_core::time::Timestamp;

/// Signs bundles with one key, for one project and environment.
#[derive(Debug)]
pub struct Signer {
    /// The key.
    pub key: SecretKey,
    /// The project that its bundles are for.
    pub project: String,
    /// The environment that its bundles are for.
    pub environment: String,
}

impl Signer {
    /// Whether an envelope says of itself what this signer would say.
    pub fn is_of(&self, header: &Header<'_>) -> bool {
        (header.project, header.environment, header.key_id)
            == (&*self.project, &*self.environment, self.key.id())
    }

    /// The signed envelope of a body.
    pub fn envelope(
        &self,
        revision: u64,
        parent: Option<[u8; HASH_BYTES]>,
        expires: Option<Timestamp>,
        body: &[u8],
    ) -> Vec<u8> {
        let header = Header {
            project: &self.project,
            environment: &self.environment,
            revision,
            parent,
            not_before: None,
            expires,
            key_id: self.key.id(),
        };
        self.key.sign(seal_envelope(&header, body))
    }

    /// The signed statement of what is published.
    pub fn statement(&self, published: &Published, issued_at: Timestamp, expires: Timestamp) -> Vec<u8> {
        let candidate = published.trial().map(|trial| Candidate {
            revision: trial.kept.revision,
            hash: trial.kept.document.hash,
            share: trial.share,
            seed: &trial.seed,
        });
        let current = Current {
            project: &self.project,
            environment: &self.environment,
            revision: published.revision(),
            hash: published.current().hash,
            candidate,
            issued_at,
            expires,
            key_id: self.key.id(),
        };
        self.key.sign(seal_current(&current))
    }

    /// What a key set says of the key.
    pub fn entry(&self) -> KeySetEntry<'_> {
        KeySetEntry { key_id: self.key.id(), public_key: self.key.public(), not_before: None, expires: None }
    }

    /// The key set of this key alone, signed by a trusted one.
    pub fn keyset(&self, trust: &SecretKey, revision: u64) -> Vec<u8> {
        let set = KeySet {
            project: &self.project,
            revision,
            expires: None,
            key_id: trust.id(),
            keys: vec![self.entry()],
        };
        trust.sign(seal_keyset(&set))
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::{find_key, verify_signature};
    use super::super::published::Kept;
    use super::*;
    use crate::content::Document;
    use crate::secret::Secret;
    use attune_core::bundle::{Demands, verify_current, verify_envelope, verify_keyset};
    use std::sync::Arc;

    #[test]
    fn what_is_signed_is_taken_from_the_trusted_key_downwards() {
        let key = || SecretKey::for_development(&Secret::random().unwrap());
        let signer = Signer { key: key(), project: "shop".to_owned(), environment: "production".to_owned() };
        let trust = SecretKey::of(&Secret::random().unwrap());
        let demands = Demands {
            project: Some("shop"),
            environment: Some("production"),
            above: Some(6),
            now: Timestamp(5),
        };
        let bytes = signer.keyset(&trust, 1);
        let trusted = [trust.public()];
        let set = verify_keyset(&bytes, &demands, &|id| find_key(&trusted, id), &verify_signature).unwrap();
        let key_of = |id: &str| set.key(id, demands.now).ok();
        let envelope = signer.envelope(7, Some([3; HASH_BYTES]), Some(Timestamp(9)), b"body");
        let opened = verify_envelope(&envelope, &demands, &key_of, &verify_signature).unwrap();
        assert_eq!((opened.body, opened.header.parent), (&b"body"[..], Some([3; HASH_BYTES])));
        assert!(signer.is_of(&opened.header));
        let kept = Kept { revision: 7, document: Document::of(envelope.clone()) };
        let published = Published::new(Arc::new(kept), None, Vec::new());
        let statement = signer.statement(&published, Timestamp(1), Timestamp(9));
        let current = verify_current(&statement, &demands, None, &key_of, &verify_signature).unwrap();
        assert_eq!((current.revision, current.hash), (7, published.current().hash));
        let other = Signer { key: key(), ..signer };
        assert!(!other.is_of(&opened.header));
        let foreign = other.envelope(8, None, None, b"body");
        assert!(verify_envelope(&foreign, &demands, &key_of, &verify_signature).is_err());
    }
}
