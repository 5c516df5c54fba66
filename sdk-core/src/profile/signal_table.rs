//! The signals of a bundle behind one index.

use super::Signal;
use crate::id::SignalId;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// What `on` says for every event type.
const ANY_TYPE: &str = "*";

/// The signals of a bundle, found by id, by name and by the event type they look at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SignalTable {
    /// In order of id.
    signals: Vec<Signal>,
    /// Places in `signals`, in order of name.
    by_name: Vec<u32>,
    /// Event types in order, each with the places of the signals that look at it, those for `*` included.
    by_type: Vec<(Box<str>, Vec<u32>)>,
    /// Places of the signals that look at every type.
    for_all: Vec<u32>,
}

impl SignalTable {
    /// Builds the index. Several names may share one definition; its tiles are kept once.
    pub fn new(mut signals: Vec<Signal>) -> Self {
        signals.sort_by(|a, b| (a.id, &a.name).cmp(&(b.id, &b.name)));
        let mut types: Vec<Box<str>> = signals.iter().map(|signal| signal.on.clone()).collect();
        types.sort();
        types.dedup();
        let places = |wanted: &str| {
            let of_type = |(_, signal): &(u32, &Signal)| &*signal.on == wanted || &*signal.on == ANY_TYPE;
            let mut places: Vec<(u32, &Signal)> = (0..).zip(&signals).filter(of_type).collect();
            places.dedup_by_key(|(_, signal)| signal.id);
            places.into_iter().map(|(place, _)| place).collect::<Vec<u32>>()
        };
        let by_type =
            types.into_iter().map(|name| (places(&name), name)).map(|(places, name)| (name, places));
        let (by_type, for_all) = (by_type.collect(), places(ANY_TYPE));
        let mut by_name: Vec<u32> = (0..).zip(&signals).map(|(place, _)| place).collect();
        by_name.sort_by_key(|place| signals.get(*place as usize).map(|signal| &signal.name));
        Self { signals, by_name, by_type, for_all }
    }

    /// All signals, in order of id.
    pub fn signals(&self) -> &[Signal] {
        &self.signals
    }

    /// The signal of an id.
    pub fn by_id(&self, id: SignalId) -> Option<&Signal> {
        let at = self.signals.binary_search_by_key(&id, |signal| signal.id).ok()?;
        self.signals.get(at)
    }

    /// The signal of a name.
    pub fn by_name(&self, name: &str) -> Option<&Signal> {
        let place = |place: &u32| self.signals.get(*place as usize);
        let order = |at: &u32| place(at).map_or("", |signal| &*signal.name).cmp(name);
        let at = self.by_name.binary_search_by(order).ok()?;
        self.by_name.get(at).and_then(place)
    }

    /// The signals that look at an event type, each definition once.
    pub fn for_type(&self, event_type: &str) -> impl Iterator<Item = &Signal> {
        let found = self.by_type.binary_search_by(|(name, _)| (**name).cmp(event_type)).ok();
        let places = found.and_then(|at| self.by_type.get(at)).map_or(&self.for_all, |(_, places)| places);
        places.iter().filter_map(|place| self.signals.get(*place as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Aggregate, Window, signal_id};

    fn signal(name: &str, on: &str) -> Signal {
        let mut signal = Signal {
            id: SignalId(0),
            name: Box::from(name),
            on: Box::from(on),
            filter: None,
            by: None,
            of: None,
            aggregate: Aggregate::Count,
            window: Window::Lifetime,
        };
        signal.id = signal_id(&signal);
        signal
    }

    #[test]
    fn signals_are_found_by_id_name_and_type() {
        let signals = [("z", "click"), ("a", "*"), ("m", "page_view"), ("alias of z", "click")];
        let table = SignalTable::new(signals.map(|(name, on)| signal(name, on)).into());
        assert_eq!(table.by_name("m").unwrap().on.as_ref(), "page_view");
        assert_eq!(table.by_name("none"), None);
        assert_eq!(table.by_name("z").unwrap().id, table.by_name("alias of z").unwrap().id);
        assert_eq!(table.by_id(signal("z", "click").id).unwrap().on.as_ref(), "click");
        let mut types: Vec<&str> = table.for_type("click").map(|signal| &*signal.on).collect();
        types.sort_unstable();
        assert_eq!(types, ["*", "click"]);
        assert_eq!(table.for_type("unheard").count(), 1);
    }
}
