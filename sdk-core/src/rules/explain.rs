//! Why each rule holds or not, from types: for a developer panel, never on the way of an event.

use super::decide::holds;
use super::{Reason, RuleRef, RuleTable, cap_allows};
use crate::condition::{
    Bucket, Code, Condition, Document, Literal, Outlook, Path, Purpose, Reading, decode_condition, evaluate,
    pass_condition, resolve,
};
use crate::id::{ModelId, SignalId};
use crate::profile::{Latch, key_text};
use crate::time::Timestamp;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// How one rule stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// The rule's index.
    pub rule: usize,
    /// Whether it holds its slot, and why or why not.
    pub verdict: Verdict,
}

/// Why or why not.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It holds its slot; a level trigger: its condition is true.
    Holds(Reason),
    /// It does not.
    Refused(Refusal),
}

/// Which "no".
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// The compiler found something it does not know.
    Inactive(Box<str>),
    /// Its condition is not true; these parts of it are not met.
    NotMatched(Vec<Unmet>),
    /// The visitor has not agreed to what it is for.
    ConsentMissing(Purpose),
    /// Its schedule is not on.
    NotScheduled {
        /// When it comes on, by time alone; absent where it is over.
        next: Option<Timestamp>,
    },
    /// It waits for an event that matches.
    NotLatched,
    /// It has been shown as often as its cap allows.
    CapReached,
    /// It would hold, but this rule of its group, which ranks above it, holds another slot.
    GroupExcluded(Box<str>),
    /// It would hold, but this rule holds the slot.
    LostToHigherPriority(Box<str>),
}

impl Refusal {
    /// Stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Inactive(_) => "inactive",
            Self::NotMatched(_) => "not_matched",
            Self::ConsentMissing(_) => "consent_missing",
            Self::NotScheduled { .. } => "not_scheduled",
            Self::NotLatched => "not_latched",
            Self::CapReached => "cap_reached",
            Self::GroupExcluded(_) => "group_excluded",
            Self::LostToHigherPriority(_) => "lost_to_higher_priority",
        }
    }
}

/// A part of a condition that is not met.
#[derive(Clone, Debug, PartialEq)]
pub enum Unmet {
    /// The value at a path.
    Path {
        /// Where.
        path: Path,
        /// What is there; absent where it is missing or unknown.
        found: Option<Value>,
    },
    /// The value of a signal.
    Signal {
        /// Which.
        signal: SignalId,
        /// Under which key.
        key: Option<Box<str>>,
    },
    /// A span of local time.
    Calendar {
        /// When it begins next, by time alone.
        next: Option<Timestamp>,
    },
    /// The score of a model.
    Score {
        /// Which.
        model: ModelId,
        /// What it gives; absent where there is none or it cannot be known.
        found: Option<Value>,
    },
    /// An alternative or a negation.
    Group,
}

/// How every rule stands. `holder` names the rule that holds a slot now.
pub fn explain(
    rules: &RuleTable,
    document: &dyn Document,
    latches: &[Latch],
    holder: &dyn Fn(&str) -> Option<Box<str>>,
) -> Vec<Standing> {
    let standing = |rule: RuleRef<'_>| {
        let mut verdict = verdict(&rule, document, latches, holder);
        if let Some(by) = excluding(rules, &rule, &verdict, holder) {
            verdict = Verdict::Refused(Refusal::GroupExcluded(by));
        }
        Standing { rule: rule.index, verdict }
    };
    rules.iter().map(standing).collect()
}

/// The parts of a rule's condition that are not met, whether it is a level or judged at the event of the document.
pub fn unmet(rule: &RuleRef<'_>, document: &dyn Document) -> Vec<Unmet> {
    let mut unmet = Vec::new();
    collect_unmet(&mut { rule.when }, document, &mut unmet);
    unmet
}

fn verdict(
    rule: &RuleRef<'_>,
    document: &dyn Document,
    latches: &[Latch],
    holder: &dyn Fn(&str) -> Option<Box<str>>,
) -> Verdict {
    let mut outlook = Outlook::default();
    let head = rule.head();
    if let Some(reason) = head.inactive {
        return Verdict::Refused(Refusal::Inactive(Box::from(reason)));
    }
    if !rule.is_granted(document) {
        return Verdict::Refused(Refusal::ConsentMissing(rule.terms().purpose()));
    }
    if !rule.is_on(document, &mut outlook) {
        return Verdict::Refused(Refusal::NotScheduled { next: outlook.next });
    }
    let Some((key, reason)) = holds(rule, document, latches, &mut outlook) else {
        return Verdict::Refused(if rule.is_level() {
            Refusal::NotMatched(unmet(rule, document))
        } else {
            Refusal::NotLatched
        });
    };
    let winner = head.slot.and_then(holder);
    let cap = head.cap.filter(|_| rule.is_level());
    match (winner, cap) {
        (Some(winner), _) if *winner == *rule.id => Verdict::Holds(reason),
        (_, Some(cap)) if !cap_allows(&cap, key.as_deref().unwrap_or_default(), document, &mut outlook) => {
            Verdict::Refused(Refusal::CapReached)
        }
        (Some(winner), _) => Verdict::Refused(Refusal::LostToHigherPriority(winner)),
        (None, _) => Verdict::Holds(reason),
    }
}

/// The rule of its group that keeps a rule out of its slot, where the rule has lost to nothing of a higher rank in the
/// slot itself.
fn excluding(
    rules: &RuleTable,
    rule: &RuleRef<'_>,
    verdict: &Verdict,
    holder: &dyn Fn(&str) -> Option<Box<str>>,
) -> Option<Box<str>> {
    let group = rule.terms().group?;
    match verdict {
        Verdict::Holds(_) if holder(rule.head().slot?).is_none() => {}
        Verdict::Refused(Refusal::LostToHigherPriority(winner))
            if rules.by_id(winner).is_some_and(|winner| winner.rank() < rule.rank()) => {}
        _ => return None,
    }
    let holds = |other: &RuleRef<'_>| {
        let holder = other.head().slot.and_then(holder);
        other.terms().group == Some(group) && holder.is_some_and(|holder| *holder == *other.id)
    };
    rules.iter().find(|other| other.rank() > rule.rank() && holds(other)).map(|other| Box::from(other.id))
}

/// Adds what is not met of the condition that the code begins with, and moves behind it.
fn collect_unmet(code: &mut Code<'_>, document: &dyn Document, unmet: &mut Vec<Unmet>) {
    let mut inside = *code;
    pass_condition(code);
    let mut outlook = Outlook::default();
    if evaluate(inside, document, &mut outlook) {
        return;
    }
    if { inside }.byte() == 0 {
        inside.byte();
        let mut parts = inside.sized();
        while !parts.is_empty() {
            collect_unmet(&mut parts, document, unmet);
        }
        return;
    }
    let mut found = |path: &Path| resolve(path.lent(), document, &mut outlook).map(|value| value.to_tree());
    unmet.push(match decode_condition(&mut inside) {
        Condition::Bucket(Bucket { by, .. }) => Unmet::Path { found: found(&by), path: by },
        Condition::Calendar(_) => Unmet::Calendar { next: outlook.next },
        Condition::Path { path, .. } => Unmet::Path { found: found(&path), path },
        Condition::Score { model, .. } => {
            let found = match document.score(model, &mut Outlook::default()) {
                Reading::Value(value, _) => Some(value.to_tree()),
                Reading::Missing | Reading::Truncated => None,
            };
            Unmet::Score { model, found }
        }
        Condition::Keys { signal, .. } => Unmet::Signal { signal, key: None },
        Condition::Signal { signal, key, .. } => {
            let value = match key {
                Some(Literal::Value(value)) => Some(value),
                Some(Literal::Path(path)) => found(&path),
                _ => None,
            };
            let value = value.map(|value| value.to_packed());
            let key = value.and_then(|value| key_text(value.get(), &mut [0; 40]).map(Box::from));
            Unmet::Signal { signal, key }
        }
        _ => Unmet::Group,
    });
}

#[cfg(all(test, feature = "author"))]
mod tests {
    use super::*;
    use crate::bundle::author::{SourceFile, compile};
    use crate::condition::Consent;
    use crate::experiment::Assigned;
    use crate::id::MemberId;
    use crate::profile::{Tiles, Traits};
    use crate::rules::VisitorDocument;
    use crate::time::Clocks;
    use crate::value::parse;
    use alloc::string::ToString;

    #[test]
    fn every_rule_says_why_it_holds_or_which_no_it_is() {
        let text = r#"{"rules":[
            {"id":"a","slot":"s","when":{"traits.plan":"pro","context.path":"/"},"actions":[]},
            {"id":"b","slot":"s","on":"click","actions":[]},
            {"id":"c","slot":"s","colour":"red","actions":[]},
            {"id":"d","slot":"s","actions":[],"priority":2},
            {"id":"e","slot":"s","actions":[]},
            {"id":"f","slot":"s","schedule":{"hours":"18:00-23:00","zone":"UTC"},"actions":[],"priority":9},
            {"id":"g","slot":"s","schedule":{"until":"1969-12-24T18:00","zone":"UTC"},"actions":[],"priority":9},
            {"id":"h","slot":"t","group":"x","actions":[],"priority":1},
            {"id":"i","slot":"s","group":"x","actions":[],"priority":9},
            {"id":"j","slot":"u","group":"x","actions":[]},
            {"id":"k","slot":"s","consent":"analytics","actions":[]}]}"#;
        let bundle = compile(&[SourceFile { name: "a".to_string(), text: text.to_string() }]).bundle;
        let (traits, tiles, context) =
            (Traits::default(), Tiles::default(), parse(r#"{"path":"/"}"#).unwrap());
        let (assigned, member) = (Assigned::new(&bundle.experiments), MemberId(Box::default()));
        let document = VisitorDocument {
            traits: &traits,
            experiments: &assigned,
            unit: (&member, None),
            signals: &bundle.signals,
            models: Some(&bundle.models),
            parts: &[&tiles],
            context: context.get(),
            event: None,
            now: Timestamp(0),
            session: None,
            consent: Consent::of(&[Purpose::Functional, Purpose::Personalization]),
            zone: &Clocks::UTC,
            matcher: None,
            reads: None,
        };
        let standings = explain(&bundle.rules, &document, &[], &|slot| match slot {
            "s" => Some(Box::from("d")),
            "t" => Some(Box::from("h")),
            _ => None,
        });
        let codes: Vec<&str> = standings
            .iter()
            .map(|standing| match &standing.verdict {
                Verdict::Holds(reason) => reason.code(),
                Verdict::Refused(refusal) => refusal.code(),
            })
            .collect();
        let first = ["not_matched", "not_latched", "inactive", "level", "lost_to_higher_priority"];
        let terms = ["not_scheduled", "not_scheduled", "level", "lost_to_higher_priority", "group_excluded"];
        assert_eq!(codes, [first.as_slice(), &terms, &["consent_missing"]].concat());
        let next = |rule: usize| match &standings[rule].verdict {
            Verdict::Refused(Refusal::NotScheduled { next }) => *next,
            other => panic!("{other:?}"),
        };
        assert_eq!((next(5), next(6)), (Some(Timestamp(18 * 3_600_000)), None));
        let by_h = Verdict::Refused(Refusal::GroupExcluded(Box::from("h")));
        let analytics = Verdict::Refused(Refusal::ConsentMissing(Purpose::Analytics));
        assert_eq!((&standings[9].verdict, &standings[10].verdict), (&by_h, &analytics));
        let plan = Unmet::Path { path: Path::parse("traits.plan").unwrap(), found: None };
        let Verdict::Refused(Refusal::NotMatched(unmet)) = &standings[0].verdict else {
            panic!("a is not met")
        };
        assert_eq!(unmet, &[plan], "the part that holds is not listed");
    }

    #[test]
    fn a_score_that_is_not_met_is_named_with_its_value() {
        let text = r#"{"models":[{"name":"m","kind":"plan","items":[{"points":2}]}],
            "rules":[{"id":"a","slot":"s","when":{"$score":{"name":"m","is":{"$gte":3}}},"actions":[]}]}"#;
        let bundle = compile(&[SourceFile { name: "a".to_string(), text: text.to_string() }]).bundle;
        let (traits, context) = (Traits::default(), parse("{}").unwrap());
        let experiments = crate::experiment::TrialTable::default();
        let (assigned, member) =
            (crate::experiment::Assigned::new(&experiments), crate::id::MemberId(Box::default()));
        let document = VisitorDocument {
            experiments: &assigned,
            unit: (&member, None),
            traits: &traits,
            signals: &bundle.signals,
            models: Some(&bundle.models),
            parts: &[],
            context: context.get(),
            event: None,
            now: Timestamp(0),
            session: None,
            consent: Consent::default(),
            zone: &Clocks::UTC,
            matcher: None,
            reads: None,
        };
        let standings = explain(&bundle.rules, &document, &[], &|_| None);
        let model = bundle.models.iter().next().unwrap().id;
        let unmet = alloc::vec![Unmet::Score { model, found: Some(Value::Number(2.0)) }];
        assert_eq!(standings[0].verdict, Verdict::Refused(Refusal::NotMatched(unmet)));
    }
}
