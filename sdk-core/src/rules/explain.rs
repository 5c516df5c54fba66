//! Why each rule holds or not, from types: for a developer panel, never on the way of an event.

use super::decide::holds;
use super::{Reason, RuleRef, RuleTable, cap_allows};
use crate::condition::{
    Bucket, Code, Condition, Document, Literal, Outlook, Path, decode_condition, evaluate, pass_condition,
    resolve,
};
use crate::id::SignalId;
use crate::profile::{Latch, key_text};
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
    /// It waits for an event that matches.
    NotLatched,
    /// It has been shown as often as its cap allows.
    CapReached,
    /// It would hold, but this rule holds the slot.
    LostToHigherPriority(Box<str>),
}

impl Refusal {
    /// Stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Inactive(_) => "inactive",
            Self::NotMatched(_) => "not_matched",
            Self::NotLatched => "not_latched",
            Self::CapReached => "cap_reached",
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
    let standing =
        |rule: RuleRef<'_>| Standing { rule: rule.index, verdict: verdict(&rule, document, latches, holder) };
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
        Condition::All(_) | Condition::Any(_) | Condition::Not(_) => Unmet::Group,
        Condition::Bucket(Bucket { by, .. }) => Unmet::Path { found: found(&by), path: by },
        Condition::Path { path, .. } => Unmet::Path { found: found(&path), path },
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
    });
}

#[cfg(all(test, feature = "author"))]
mod tests {
    use super::*;
    use crate::bundle::author::{SourceFile, compile};
    use crate::profile::{Tiles, Traits};
    use crate::rules::VisitorDocument;
    use crate::time::Timestamp;
    use crate::value::parse;
    use alloc::string::ToString;

    #[test]
    fn every_rule_says_why_it_holds_or_which_no_it_is() {
        let text = r#"{"rules":[
            {"id":"a","slot":"s","when":{"traits.plan":"pro","context.path":"/"},"actions":[]},
            {"id":"b","slot":"s","on":"click","actions":[]},
            {"id":"c","slot":"s","schedule":{},"actions":[]},
            {"id":"d","slot":"s","actions":[],"priority":2},
            {"id":"e","slot":"s","actions":[]}]}"#;
        let bundle = compile(&[SourceFile { name: "a".to_string(), text: text.to_string() }]).bundle;
        let (traits, tiles, context) =
            (Traits::default(), Tiles::default(), parse(r#"{"path":"/"}"#).unwrap());
        let document = VisitorDocument {
            traits: &traits,
            signals: &bundle.signals,
            parts: &[&tiles],
            context: context.get(),
            event: None,
            now: Timestamp(0),
            session: None,
        };
        let standings = explain(&bundle.rules, &document, &[], &|_| Some(Box::from("d")));
        let codes: Vec<&str> = standings
            .iter()
            .map(|standing| match &standing.verdict {
                Verdict::Holds(reason) => reason.code(),
                Verdict::Refused(refusal) => refusal.code(),
            })
            .collect();
        assert_eq!(codes, ["not_matched", "not_latched", "inactive", "level", "lost_to_higher_priority"]);
        let plan = Unmet::Path { path: Path::parse("traits.plan").unwrap(), found: None };
        let Verdict::Refused(Refusal::NotMatched(unmet)) = &standings[0].verdict else {
            panic!("a is not met")
        };
        assert_eq!(unmet, &[plan], "the part that holds is not listed");
    }
}
