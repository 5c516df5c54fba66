//! `attune simulate`: what draft rules would have changed for the visitors of a recorded log.

mod events;
mod marks;
mod progress;
mod report;
mod world;

use super::source::{Folder, read_bundle};
use super::{Outcome, print, print_json};
use crate::settings::{Format, SimulateArguments};
use attune_core::wire::{Record, SHOWN};
use events::Events;
use progress::Progress;
use report::{Replayed, Report};
use world::World;

/// Replays a log with the draft and with the rules in effect, and reports the differences.
pub fn run(arguments: &SimulateArguments) -> Result<Outcome, String> {
    let draft = Folder::read_sound(&arguments.rules)?.compiled.bundle;
    let in_effect = match &arguments.against {
        Some(path) => read_bundle(path)?,
        None => Events::open(&arguments.log)?.newest_bundle()?.ok_or_else(|| {
            format!("--against: {} names no bundle in effect, so one is needed", arguments.log.display())
        })?,
    };
    let (mut before, mut after) = (World::new(in_effect), World::new(draft));
    let mut events = Events::open(&arguments.log)?;
    let mut progress = Progress::new(arguments.progress, events.total_bytes());
    let mut replayed = Replayed::default();
    events.each(&mut |record, read_bytes| {
        progress.tell(read_bytes, replayed.events);
        replayed.take(record);
        // What was shown under the rules of then says nothing about the rules compared; each world shows its own.
        if matches!(record, Record::Event { event, .. } if *event.event_type == *SHOWN) {
            return Ok(());
        }
        let fired = (before.take(record)?, after.take(record)?);
        before.note_firings(&fired.0, &fired.1);
        after.note_firings(&fired.1, &fired.0);
        Ok(())
    })?;
    replayed.refused = events.refused().to_vec();
    let end = replayed.until;
    for profile in after.profiles() {
        let fired = (before.finish(&profile, end), after.finish(&profile, end));
        before.note_firings(&fired.0, &fired.1);
        after.note_firings(&fired.1, &fired.0);
    }
    progress.end(replayed.events);
    let report = Report::new(&before, &after, replayed);
    match arguments.format {
        Format::Text => print(&report.text())?,
        Format::Json => print_json(&report.json())?,
    }
    Ok(Outcome::Clean)
}
