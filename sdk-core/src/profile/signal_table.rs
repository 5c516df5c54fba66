//! The signals of a bundle behind one index.

use super::Signal;
use super::order::places_in_order;
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
    by_name: Vec<usize>,
    /// Event types in order, each with the places of the signals that look at it, those for `*` included.
    by_type: Vec<(Box<str>, Vec<usize>)>,
    /// Places of the signals that look at every type.
    for_all: Vec<usize>,
}

impl SignalTable {
    /// Builds the index. Several names may share one definition; its tiles are kept once.
    pub fn new(signals: Vec<Signal>) -> Self {
        let count = signals.len();
        let mut unordered: Vec<Option<Signal>> = signals.into_iter().map(Some).collect();
        let by_id = places_in_order(count, &|a, b| {
            let rank = |place: usize| unordered.get(place)?.as_ref().map(|signal| (signal.id, &signal.name));
            rank(a).cmp(&rank(b))
        });
        let signals: Vec<Signal> =
            by_id.iter().filter_map(|place| unordered.get_mut(*place)?.take()).collect();
        let name = |place: usize| signals.get(place).map(|signal| &signal.name);
        let by_name = places_in_order(count, &|a, b| name(a).cmp(&name(b)));
        let mut table = Self { by_name, by_type: Vec::new(), for_all: Vec::new(), signals };
        table.for_all = table.places_of(ANY_TYPE);
        for signal in &table.signals {
            if let Err(at) = table.type_at(&signal.on) {
                table.by_type.insert(at, (signal.on.clone(), table.places_of(&signal.on)));
            }
        }
        table
    }

    /// The places of the signals that look at a type, each definition once.
    fn places_of(&self, wanted: &str) -> Vec<usize> {
        let mut places: Vec<usize> = Vec::new();
        for (place, signal) in self.signals.iter().enumerate() {
            let last = places.last().and_then(|last| self.signals.get(*last));
            let repeated = last.is_some_and(|last| last.id == signal.id);
            if !repeated && (&*signal.on == wanted || &*signal.on == ANY_TYPE) {
                places.push(place);
            }
        }
        places
    }

    fn type_at(&self, event_type: &str) -> Result<usize, usize> {
        self.by_type.binary_search_by(|(name, _)| (**name).cmp(event_type))
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
        let place = |place: &usize| self.signals.get(*place);
        let order = |at: &usize| place(at).map_or("", |signal| &*signal.name).cmp(name);
        let at = self.by_name.binary_search_by(order).ok()?;
        self.by_name.get(at).and_then(place)
    }

    /// The signals that look at an event type, each definition once.
    pub fn for_type(&self, event_type: &str) -> impl Iterator<Item = &Signal> {
        let found = self.type_at(event_type).ok();
        let places = found.and_then(|at| self.by_type.get(at)).map_or(&self.for_all, |(_, places)| places);
        places.iter().filter_map(|place| self.signals.get(*place))
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
