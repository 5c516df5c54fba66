//! The signals that a rule reads and that have not counted all of their window yet: for whoever explains the rule.

use super::{RuleRef, VisitorDocument};
use crate::condition::{Condition, Reads, Root, each_leaf, reads_of};
use crate::id::{ModelId, SignalId};
use crate::model::{Input, Model, Scorer};
use crate::profile::{SignalTable, Warming};
use crate::value::cut;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// The signals that a rule reads, itself or through a model, whose windows reach back to before their events were
/// counted for this visitor: a rule may stand as it does for no other reason.
pub fn warming(rule: &RuleRef<'_>, visitor: &VisitorDocument<'_>) -> Vec<(SignalId, Warming)> {
    let rule = rule.to_rule();
    let mut read = BTreeSet::new();
    signals_read(&rule.when, visitor, &mut read);
    if let Some(key) = &rule.key
        && key.root == Root::Signals
    {
        read.extend(signal_at(&key.rest, visitor.signals));
    }
    read.into_iter().filter_map(|id| Some((id, visitor.warming(id)?))).collect()
}

fn signals_read(condition: &Condition, visitor: &VisitorDocument<'_>, read: &mut BTreeSet<SignalId>) {
    each_leaf(condition, &mut |leaf| {
        if let Condition::Score { model, .. } = leaf {
            model_reads(*model, visitor, read);
        }
        for reads in reads_of(leaf) {
            match reads {
                Reads::Signal(id, _) | Reads::Keys(id) => {
                    read.insert(id);
                }
                Reads::Path(root, rest) if root == Root::Signals as u8 => {
                    read.extend(signal_at(&rest, visitor.signals));
                }
                Reads::Path(..) | Reads::Anything => {}
            }
        }
    });
}

fn model_reads(id: ModelId, visitor: &VisitorDocument<'_>, read: &mut BTreeSet<SignalId>) {
    let model = visitor.models.and_then(|models| models.by_id(id)).map(|model| model.to_model());
    let Some(Model { scorer, .. }) = model else { return };
    match scorer {
        Scorer::Plan(items) => {
            for item in items {
                signals_read(&item.when, visitor, read);
                read.extend(item.counted.map(|counted| counted.signal));
            }
        }
        Scorer::Linear(inputs) => {
            inputs.iter().for_each(|(input, _)| input_reads(input, visitor, read));
        }
        Scorer::Trees { inputs, .. } => inputs.iter().for_each(|input| input_reads(input, visitor, read)),
    }
}

fn input_reads(input: &Input, visitor: &VisitorDocument<'_>, read: &mut BTreeSet<SignalId>) {
    if input.path.root == Root::Signals {
        read.extend(signal_at(&input.path.rest, visitor.signals));
    }
}

fn signal_at(rest: &str, signals: &SignalTable) -> Option<SignalId> {
    signals.by_name(cut(rest, b'.').0).map(|signal| signal.id)
}

#[cfg(all(test, feature = "author"))]
mod tests {
    use super::*;
    use crate::bundle::Bundle;
    use crate::bundle::author::{SourceFile, compile};
    use crate::id::MemberId;
    use crate::processor::{Processor, ProfileState};
    use crate::profile::fixture::event;
    use crate::profile::{Absorbed, MemberState};
    use crate::time::Timestamp;
    use crate::wire::Record;
    use alloc::boxed::Box;
    use alloc::string::ToString;

    const SIGNALS: &str = r#"{"name":"old","on":"*","aggregate":"count","window":"lifetime"}"#;

    fn bundle(revision: u64, more: &str) -> Bundle {
        let text = alloc::format!(r#"{{"signals":[{SIGNALS}{more}}}"#);
        let compiled = compile(&[SourceFile { name: "a".to_string(), text }]);
        assert_eq!(compiled.diagnostics, []);
        Bundle { revision, ..compiled.bundle }
    }

    #[test]
    fn a_rule_names_the_warming_signals_it_reads_itself_by_a_path_and_through_a_model() {
        let more = r#",{"name":"late","on":"*","aggregate":"count","window":"1h"},
            {"name":"other","on":"*","aggregate":"last_at","window":"lifetime"}],
            "models":[{"name":"m","kind":"plan","items":[{"when":{"signals.old":{"$gte":1}},"signal":"late","points":1}]},
                      {"name":"l","kind":"linear","inputs":{"x":"signals.other"},"coefficients":{"x":1}}],
            "triggers":[{"id":"none","on":"*","when":{"signals.old":{"$gte":1},"traits.a":1}},
                {"id":"own","on":"*","when":{"$not":{"signals.late":{"$gte":1}}}},
                {"id":"path","on":"*","when":{"traits.at":{"$gt":{"$path":"signals.other"}}}},
                {"id":"plan","on":"*","when":{"$score":{"name":"m","is":{"$gte":1}}}},
                {"id":"linear","on":"*","when":{"$score":{"name":"l","is":{"$gte":1}},"signals.late":{"$gte":1}}}]"#;
        let (mut processor, member) = (Processor::new(), MemberId(Box::from("m")));
        let (mut state, mut profile) = (MemberState::new(member), ProfileState::default());
        processor.set_bundle(bundle(1, "]"), Timestamp(0));
        let mut take = |processor: &Processor, at: i64| {
            let mut event = event(at, "page_view", "{}").into_event();
            event.member = state.member().clone();
            event.event_id = crate::id::EventId(crate::id::Uuid::from_u128(at as u128));
            let record = Record::Event { event, received_at: Timestamp(at), proven: false, facts: None };
            let Absorbed::Change(change) = processor.absorb(&mut state, &record) else { panic!("no change") };
            processor.combine(&mut profile, &change, None);
        };
        take(&processor, 1_000);
        processor.set_bundle(bundle(2, more), Timestamp(5_000));
        take(&processor, 9_000);
        let table = &processor.bundle().signals;
        let of = |id: &str| {
            processor.look(&profile, |visitor| {
                let found = warming(&processor.bundle().rule(id).unwrap(), visitor).into_iter();
                let mut named: Vec<_> = found
                    .map(|(id, warming)| (table.by_id(id).unwrap().name().to_string(), warming))
                    .collect();
                named.sort_by(|a, b| a.0.cmp(&b.0));
                named
            })
        };
        let late =
            ("late".to_string(), Warming { since: Timestamp(5_000), until: Some(Timestamp(3_600_000)) });
        let other = ("other".to_string(), Warming { since: Timestamp(5_000), until: None });
        assert_eq!(of("none"), []);
        assert_eq!((of("own"), of("plan")), ([late.clone()].to_vec(), [late.clone()].to_vec()));
        assert_eq!((of("path"), of("linear")), ([other.clone()].to_vec(), [late, other].to_vec()));
    }
}
