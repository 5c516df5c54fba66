//! What a simulation found: for each slot and trigger, what the draft would have changed, and for how many visitors.

use super::marks::Marks;
use super::world::World;
use crate::author::check::counted;
use attune_core::condition::{Root, visit_paths};
use attune_core::id::ProfileId;
use attune_core::time::Timestamp;
use attune_core::wire::Record;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What was replayed.
#[derive(Debug, Default)]
pub struct Replayed {
    /// Events.
    pub events: u64,
    /// Time of the first one.
    pub from: Option<Timestamp>,
    /// Time of the last one.
    pub until: Timestamp,
    /// Entries that could not be read, in words.
    pub refused: Vec<String>,
}

impl Replayed {
    /// Counts a record.
    pub fn take(&mut self, record: &Record) {
        if let Record::Event { event, received_at, .. } = record {
            let at = event.timestamp.min(*received_at);
            self.events += 1;
            self.from = Some(self.from.map_or(at, |from| from.min(at)));
            self.until = if self.events == 1 { at } else { self.until.max(at) };
        }
    }
}

/// What has changed for a slot rule or trigger.
#[derive(Debug, Default)]
struct Change {
    /// Slot rules: visitors for whom it held. Triggers: firings.
    before: u64,
    after: u64,
    /// The same, only in the draft.
    gained: u64,
    /// The same, only in effect.
    lost: u64,
    /// Visitors for whom something is gained or lost.
    visitors: u64,
}

/// The findings.
pub struct Report {
    replayed: Replayed,
    visitors: u64,
    differing: u64,
    slots: BTreeMap<Box<str>, u64>,
    rules: BTreeMap<Box<str>, Change>,
    triggers: BTreeMap<Box<str>, Change>,
    without_context: BTreeSet<Box<str>>,
}

impl Report {
    /// Compares two worlds that have taken in the same records.
    pub fn new(before: &World, after: &World, replayed: Replayed) -> Self {
        let mut report = Self {
            replayed,
            visitors: 0,
            differing: 0,
            slots: BTreeMap::new(),
            rules: BTreeMap::new(),
            triggers: BTreeMap::new(),
            without_context: BTreeSet::new(),
        };
        for world in [before, after] {
            report.name_rules(world);
        }
        let known: BTreeMap<&ProfileId, &Marks> = before.visitors().collect();
        let nobody = Marks::default();
        for (profile, marks) in after.visitors() {
            report.compare(known.get(profile).copied().unwrap_or(&nobody), marks);
        }
        report
    }

    /// Every rule has its row, also where nothing comes of it.
    fn name_rules(&mut self, world: &World) {
        for rule in world.bundle().rules.iter() {
            let rows = if rule.has_slot() { &mut self.rules } else { &mut self.triggers };
            rows.entry(Box::from(rule.id)).or_default();
            let mut reads_context = false;
            visit_paths(&rule.to_rule().when, &mut |path| reads_context |= path.root == Root::Context);
            if reads_context {
                self.without_context.insert(Box::from(rule.id));
            }
        }
    }

    fn compare(&mut self, before: &Marks, after: &Marks) {
        self.visitors += 1;
        let mut differs = false;
        let slots: BTreeSet<&Box<str>> = before.trails.keys().chain(after.trails.keys()).collect();
        for slot in slots {
            let is_different = before.trails.get(slot) != after.trails.get(slot);
            *self.slots.entry(slot.clone()).or_default() += u64::from(is_different);
            differs |= is_different;
        }
        for rule in before.held.union(&after.held) {
            let (held, holds) = (before.held.contains(rule), after.held.contains(rule));
            let row = self.rules.entry(rule.clone()).or_default();
            row.before += u64::from(held);
            row.after += u64::from(holds);
            row.gained += u64::from(holds && !held);
            row.lost += u64::from(held && !holds);
            row.visitors += u64::from(held != holds);
        }
        let triggers: BTreeSet<&Box<str>> = before.fired.keys().chain(after.fired.keys()).collect();
        for trigger in triggers {
            let count = |counts: &BTreeMap<Box<str>, u64>| counts.get(trigger).copied().unwrap_or(0);
            let row = self.triggers.entry(trigger.clone()).or_default();
            let (gained, lost) = (count(&after.fired_alone), count(&before.fired_alone));
            row.before += count(&before.fired);
            row.after += count(&after.fired);
            row.gained += gained;
            row.lost += lost;
            row.visitors += u64::from(gained + lost > 0);
            differs |= gained + lost > 0;
        }
        self.differing += u64::from(differs);
    }

    /// The findings for people.
    pub fn text(&self) -> String {
        let replayed = &self.replayed;
        let mut out = format!(
            "replayed {} of {}",
            counted(replayed.events as usize, "event"),
            counted(self.visitors as usize, "visitor"),
        );
        if let Some(from) = replayed.from {
            out.push_str(&format!(", {from} to {}", replayed.until));
        }
        out.push('\n');
        replayed.refused.iter().for_each(|refused| out.push_str(&format!("passed over: {refused}\n")));
        out.push_str(&format!(
            "{} would have been decided differently\n",
            counted(self.differing as usize, "visitor")
        ));
        for (slot, visitors) in &self.slots {
            out.push_str(&format!("slot {slot}: different for {}\n", counted(*visitors as usize, "visitor")));
        }
        for (rule, change) in &self.rules {
            out.push_str(&format!(
                "rule {rule}: held for {} in effect, {} in the draft; {} gained, {} lost\n",
                counted(change.before as usize, "visitor"),
                change.after,
                change.gained,
                change.lost,
            ));
        }
        for (trigger, change) in &self.triggers {
            out.push_str(&format!(
                "trigger {trigger}: {} in effect, {} in the draft; {} gained, {} lost, for {}\n",
                counted(change.before as usize, "firing"),
                change.after,
                change.gained,
                change.lost,
                counted(change.visitors as usize, "visitor"),
            ));
        }
        if !self.without_context.is_empty() {
            let rules: Vec<&str> = self.without_context.iter().map(|rule| &**rule).collect();
            out.push_str(&format!(
                "the log keeps no context, so these were judged without it: {}\n",
                rules.join(", ")
            ));
        }
        out
    }

    /// The findings as JSON.
    pub fn json(&self) -> Value {
        let replayed = &self.replayed;
        let rules: Vec<Value> = self
            .rules
            .iter()
            .map(|(id, change)| {
                json!({
                    "id": id,
                    "visitors_in_effect": change.before,
                    "visitors_in_draft": change.after,
                    "visitors_gained": change.gained,
                    "visitors_lost": change.lost,
                })
            })
            .collect();
        let triggers: Vec<Value> = self
            .triggers
            .iter()
            .map(|(id, change)| {
                json!({
                    "id": id,
                    "firings_in_effect": change.before,
                    "firings_in_draft": change.after,
                    "firings_gained": change.gained,
                    "firings_lost": change.lost,
                    "visitors": change.visitors,
                })
            })
            .collect();
        let slots: Vec<Value> =
            self.slots.iter().map(|(slot, visitors)| json!({"slot": slot, "visitors": visitors})).collect();
        json!({
            "events": replayed.events,
            "from": replayed.from.map(|at| at.to_string()),
            "until": replayed.from.map(|_| replayed.until.to_string()),
            "passed_over": replayed.refused,
            "visitors": self.visitors,
            "visitors_decided_differently": self.differing,
            "slots": slots,
            "rules": rules,
            "triggers": triggers,
            "judged_without_context": self.without_context,
        })
    }
}
