//! The signals of a bundle, found in place by id, by name and by the event type they look at.

use super::order::places_in_order;
use super::signal::encode_signal;
use super::{Signal, SignalRef};
use crate::codec::CodecError;
use crate::condition::{Form, Packer};
use crate::id::SignalId;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// What `on` says for every event type.
const ANY_TYPE: &str = "*";

/// The signals of a bundle. Several names may share one definition; its tiles are kept once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SignalTable {
    form: Form,
    /// Where each signal stands, in order of id and then of name.
    signals: Vec<u32>,
    /// Indexes of signals in order of name.
    by_name: Vec<u32>,
    /// Indexes of signals in order of the event type, and then in their own.
    by_type: Vec<u32>,
}

impl SignalTable {
    /// Packs signals and takes them in.
    pub fn new(signals: &[Signal]) -> Self {
        Self::open(&Self::pack(signals)).unwrap_or_default()
    }

    /// Writes the packed form.
    pub fn pack(signals: &[Signal]) -> Vec<u8> {
        let in_order = |compare: &dyn Fn(&Signal, &Signal) -> Ordering, of: &[usize]| {
            let order = |a: usize, b: usize| compare(&signals[of[a]], &signals[of[b]]);
            places_in_order(of.len(), &order)
        };
        let given: Vec<usize> = (0..signals.len()).collect();
        let by_id = in_order(&|a, b| (a.id, &a.name).cmp(&(b.id, &b.name)), &given);
        let mut packer = Packer::new();
        packer.list(&by_id, |place, packer| encode_signal(&signals[*place], packer));
        for order in
            [in_order(&|a, b| a.name.cmp(&b.name), &by_id), in_order(&|a, b| a.on.cmp(&b.on), &by_id)]
        {
            order.iter().for_each(|index| packer.out.len(*index));
        }
        packer.finish()
    }

    /// Takes a packed form in, once it is checked to its end.
    ///
    /// # Errors
    /// Fails on bytes that are none.
    pub fn open(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut table = Self { form: Form::open(bytes)?, ..Self::default() };
        let mut code = table.form.at(0);
        for _ in 0..code.count() {
            table.signals.push(code.place());
            SignalRef::pass(&mut code);
        }
        for order in [&mut table.by_name, &mut table.by_type] {
            table.signals.iter().for_each(|_| order.push(code.number() as u32));
        }
        if code.is_whole() { Ok(table) } else { Err(CodecError) }
    }

    /// How many signals there are.
    pub fn len(&self) -> usize {
        self.signals.len()
    }

    /// Whether there is no signal.
    pub fn is_empty(&self) -> bool {
        self.signals.is_empty()
    }

    /// The signal of an index; they are in order of id.
    pub fn get(&self, index: usize) -> Option<SignalRef<'_>> {
        self.signals.get(index).map(|place| SignalRef::read(&mut self.form.at(*place)))
    }

    /// All signals, in order of id.
    pub fn iter(&self) -> impl Iterator<Item = SignalRef<'_>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// The signal of an id.
    pub fn by_id(&self, id: SignalId) -> Option<SignalRef<'_>> {
        let before = |place: &u32| self.form.at(*place).id() < id;
        self.get(self.signals.partition_point(before)).filter(|signal| signal.id == id)
    }

    /// The signal of a name.
    pub fn by_name(&self, name: &str) -> Option<SignalRef<'_>> {
        let before = |index: &u32| self.text(*index, 0) < name;
        let index = self.by_name.get(self.by_name.partition_point(before))?;
        self.get(*index as usize).filter(|signal| signal.name == name)
    }

    /// Shows the signals that look at an event type, each definition once.
    pub fn each_for_type(&self, event_type: &str, see: &mut dyn FnMut(SignalRef<'_>)) {
        self.each_on(event_type, see);
        if event_type != ANY_TYPE {
            self.each_on(ANY_TYPE, see);
        }
    }

    fn each_on(&self, on: &str, see: &mut dyn FnMut(SignalRef<'_>)) {
        let from = self.by_type.partition_point(|index| self.text(*index, 1) < on);
        let mut last = None;
        for index in self.by_type.get(from..).unwrap_or_default() {
            let Some(signal) = self.get(*index as usize).filter(|signal| signal.on == on) else { return };
            if last != Some(signal.id) {
                see(signal);
            }
            last = Some(signal.id);
        }
    }

    /// A text of a signal without the rest of it: 0 its name, 1 the type it looks at.
    fn text(&self, index: u32, number: usize) -> &str {
        let Some(place) = self.signals.get(index as usize) else { return "" };
        let mut code = self.form.at(*place);
        code.id();
        for _ in 0..number {
            code.text();
        }
        code.text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Aggregate, Window, signal_id};
    use alloc::boxed::Box;
    use alloc::string::ToString;
    use proptest::prelude::*;

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
        let table = SignalTable::new(&signals.map(|(name, on)| signal(name, on)));
        assert_eq!((table.len(), table.by_name("m").unwrap().on), (4, "page_view"));
        assert!(table.by_name("none").is_none());
        assert_eq!(table.by_name("z").unwrap().id, table.by_name("alias of z").unwrap().id);
        assert_eq!(table.by_id(signal("z", "click").id).unwrap().on, "click");
        let types = |event_type: &str| {
            let mut types = Vec::new();
            table.each_for_type(event_type, &mut |signal| types.push(signal.on.to_string()));
            types
        };
        assert_eq!(types("click"), ["click", "*"]);
        assert_eq!((types("unheard"), types("*")), (types("*"), alloc::vec!["*".to_string()]));
    }

    #[test]
    fn a_definition_survives_its_packed_form() {
        let sliding = Window::Sliding { window_ms: 300_000, bucket_ms: 10_000 };
        let mut definition =
            crate::profile::fixture::signal("s", Aggregate::Sum, sliding, Some("metadata.a"));
        let path = crate::condition::Path::parse("event.event_type").unwrap();
        let test = crate::condition::Test::Exists(true);
        definition.filter = Some(crate::condition::Condition::Path { path, test });
        let table = SignalTable::new(&[definition.clone()]);
        assert_eq!(table.get(0).map(SignalRef::to_signal), Some(definition));
    }

    proptest! {
        #[test]
        fn random_and_damaged_tables_are_refused_or_read(random: Vec<u8>, at: prop::sample::Index, byte: u8) {
            let mut bytes = SignalTable::pack(&[signal("a", "x"), signal("b", "*")]);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            for bytes in [random, bytes] {
                let Ok(table) = SignalTable::open(&bytes) else { continue };
                let _ = (table.by_name("a").is_some(), table.by_id(SignalId(1)).is_some(), table.iter().count());
                table.each_for_type("x", &mut |_| {});
            }
        }
    }
}
