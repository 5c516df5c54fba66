//! Which signals bundles have brought after the first one, and when: kept by the host beside the bundle in effect.

use super::Processor;
use crate::codec::{CodecError, Source, Writer};
use crate::id::SignalId;
use crate::time::Timestamp;

/// First byte of the binary form.
const FORMAT: u8 = 1;

impl Processor {
    /// The binary form of when the signals that are counted were published, for [`Self::restore_published`].
    pub fn encode_published(&self) -> alloc::vec::Vec<u8> {
        let mut out = Writer::new();
        out.u8(FORMAT);
        out.len(self.published.len());
        for (at, SignalId(id), _) in &self.published {
            out.i64(at.0);
            out.raw(&id.to_le_bytes());
        }
        out.into_bytes()
    }

    /// Takes back when signals were published, once the bundles that were active are so again. Without this they count
    /// as there all along for every member that has not met them yet.
    ///
    /// # Errors
    /// Bytes that are no such form; nothing has changed then.
    pub fn restore_published(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        let mut source = Source::new(bytes);
        if source.u8() != FORMAT {
            source.fail();
        }
        let read = source.list(|source| {
            let at = Timestamp(source.i64());
            (at, SignalId(u64::from_le_bytes(source.array())))
        });
        source.finish()?;
        let known = |(at, id)| Some((at, id, self.counted().by_id(id)?.window));
        self.published = read.into_iter().filter_map(known).collect();
        self.published.sort_by_key(|(at, _, _)| *at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{RECEIVED, changed_shop, view};
    use super::*;
    use crate::bundle::Bundle;
    use crate::id::MemberId;
    use crate::profile::fixture::{signal, table};
    use crate::profile::{Aggregate, MemberState, Window};
    use crate::wire::Record;
    use alloc::boxed::Box;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    /// Bundles by revision: each has one signal more.
    fn bundle(revision: u64) -> Bundle {
        let named =
            |at: u64| signal(&alloc::format!("s{at}"), Aggregate::ALL[at as usize], Window::Lifetime, None);
        Bundle {
            revision,
            signals: table((0..revision).map(named).collect()),
            ..changed_shop(revision, Vec::clear)
        }
    }

    fn restored(processor: &Processor, revision: u64) -> Processor {
        let mut again = Processor::new();
        again.set_bundle(bundle(revision), RECEIVED);
        again.restore_published(&processor.encode_published()).unwrap();
        again
    }

    #[test]
    fn a_member_meets_after_a_restart_what_was_published_before_it() {
        let mut processor = Processor::new();
        let mut state = MemberState::new(MemberId(Box::from("a")));
        processor.set_bundle(bundle(1), Timestamp(0));
        processor.absorb(
            &mut state,
            &Record::Event {
                event: view("a", 1, 0, 1, "x"),
                received_at: Timestamp(5),
                proven: true,
                facts: None,
            },
        );
        processor.set_bundle(bundle(2), Timestamp(10));
        processor.set_bundle(bundle(3), Timestamp(20));
        let (mut forgetful, again) = (Processor::new(), restored(&processor, 3));
        forgetful.set_bundle(bundle(3), Timestamp(20));
        assert_eq!(again.encode_published(), processor.encode_published());
        let since = |processor: &Processor| {
            let mut state = state.clone();
            let event = view("a", 2, 1, 1, "x");
            processor.absorb(
                &mut state,
                &Record::Event { event, received_at: RECEIVED, proven: true, facts: None },
            );
            processor
                .bundle()
                .signals
                .iter()
                .map(|signal| state.tiles().get(signal.id).map_or(0, |tiles| tiles.since().0.max(0)))
                .collect::<Vec<_>>()
        };
        let mut expected = since(&processor);
        assert_eq!(since(&again), expected);
        expected.sort_unstable();
        assert_eq!((expected, since(&forgetful)), ([0, 10, 20].to_vec(), [0, 0, 0].to_vec()));
    }

    #[test]
    fn what_the_bundle_lacks_is_forgotten_and_cut_bytes_change_nothing() {
        let mut processor = Processor::new();
        [1, 2, 3]
            .into_iter()
            .for_each(|revision| processor.set_bundle(bundle(revision), Timestamp(revision as i64)));
        let bytes = processor.encode_published();
        for end in 0..bytes.len() {
            assert!(processor.restore_published(&bytes[..end]).is_err());
        }
        assert_eq!((processor.encode_published(), restored(&processor, 2).published.len()), (bytes, 1));
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes: Vec<u8>) {
            let _ = Processor::new().restore_published(&bytes);
        }
    }
}
