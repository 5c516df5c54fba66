//! The statement of which bundle is in effect, signed anew for every bundle and well before its end.

use super::Signer;
use super::published::Published;
use crate::content::Document;
use attune_core::time::Timestamp;
use std::sync::Arc;
use tokio::sync::watch;

/// Signs statements and hands out the newest.
#[derive(Debug)]
pub struct Statements {
    valid_ms: i64,
    issued_at: Option<Timestamp>,
    sender: watch::Sender<Option<Arc<Document>>>,
}

impl Statements {
    /// Statements that are valid for a time.
    pub fn new(valid_ms: i64) -> Self {
        Self { valid_ms, issued_at: None, sender: watch::Sender::new(None) }
    }

    /// The newest, now and later.
    pub fn subscribe(&self) -> watch::Receiver<Option<Arc<Document>>> {
        self.sender.subscribe()
    }

    /// Whether half of the time of the newest is over.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.issued_at.is_some_and(|issued_at| now.0.saturating_sub(issued_at.0) >= self.valid_ms / 2)
    }

    /// Signs and hands out the next, never as issued before the last, whatever the clock does.
    pub fn issue(&mut self, signer: &Signer, published: &Published, now: Timestamp) {
        let issued_at = self.issued_at.map_or(now, |last| last.max(now));
        let expires = issued_at.plus(self.valid_ms);
        let bytes = signer.statement(published, issued_at, expires);
        self.issued_at = Some(issued_at);
        self.sender.send_replace(Some(Arc::new(Document::of(bytes))));
    }
}

#[cfg(test)]
mod tests {
    use super::super::SecretKey;
    use super::super::published::{Kept, Trial};
    use super::*;
    use crate::secret::Secret;
    use attune_core::bundle::open_current;

    #[test]
    fn a_statement_is_renewed_at_half_of_its_time_and_never_goes_back() {
        let key = SecretKey::of(&Secret::random().unwrap());
        let signer = Signer { key, project: "p".to_owned(), environment: "e".to_owned() };
        let kept = |revision: u64| Arc::new(Kept { revision, document: Document::of(revision.to_string()) });
        let trial = Trial { kept: kept(4), share: 1_000, seed: "s".to_owned() };
        let published = Published::new(kept(3), Some(trial), Vec::new());
        let mut statements = Statements::new(1_000);
        let receiver = statements.subscribe();
        assert!(!statements.is_due(Timestamp(0)), "nothing is published");
        let mut times = |now: i64| {
            statements.issue(&signer, &published, Timestamp(now));
            let document = receiver.borrow().clone().unwrap();
            let current = open_current(document.bytes()).unwrap().current;
            assert_eq!((current.revision, current.hash), (3, published.current().hash));
            let candidate = current.candidate.unwrap();
            assert_eq!((candidate.revision, candidate.share, candidate.seed), (4, 1_000, "s"));
            assert_eq!(candidate.hash, published.trial().unwrap().kept.document.hash);
            (current.issued_at.0, current.expires.0)
        };
        assert_eq!(times(10_000), (10_000, 11_000));
        assert_eq!(times(9_000), (10_000, 11_000));
        assert_eq!(
            (statements.is_due(Timestamp(10_499)), statements.is_due(Timestamp(10_500))),
            (false, true)
        );
    }
}
