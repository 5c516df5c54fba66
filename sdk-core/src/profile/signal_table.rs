//! The signals of a bundle, found in place by id, by name and by the event type they look at.

use super::signal::encode_signal;
use super::{Signal, SignalHead, SignalRef};
use crate::codec::CodecError;
use crate::condition::{ANY, Form, Packer, Postings, pack_like};
use crate::id::SignalId;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;

/// The signals of a bundle. Several names may share one definition; its tiles are kept once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SignalTable {
    form: Form,
    /// In order of id and then of name.
    signals: Vec<SignalHead>,
    by_name: Postings,
    /// For each event type the signals that look at it, those for every type included, each definition once.
    by_type: Postings,
}

impl SignalTable {
    /// Packs signals and takes them in.
    pub fn new(signals: &[Signal]) -> Self {
        Self::open(&Self::pack(signals)).unwrap_or_default()
    }

    /// Writes the packed form.
    pub fn pack(signals: &[Signal]) -> Vec<u8> {
        Self::pack_in(Packer::new(), signals)
    }

    /// Writes the packed form with the numbers that an earlier one has.
    pub fn pack_like(before: &Self, signals: &[Signal]) -> Vec<u8> {
        pack_like(&before.form, &|packer| Self::pack_in(packer, signals))
    }

    fn pack_in(mut packer: Packer, signals: &[Signal]) -> Vec<u8> {
        let mut signals: Vec<&Signal> = signals.iter().collect();
        signals.sort_by_key(|signal| (signal.id, &signal.name));
        packer.list(&signals, |signal, packer| encode_signal(signal, packer));
        let (mut names, mut types) = (BTreeMap::new(), BTreeSet::from([ANY]));
        for (index, signal) in signals.iter().enumerate() {
            // Nobody asks for hidden signals by name: no name that can be asked for has a dot.
            if !signal.name.contains('.') {
                names.insert(&*signal.name, vec![index]);
            }
            types.insert(&*signal.on);
        }
        let looking_at = |on: &str| {
            let mut looking = Vec::new();
            let mut last = None;
            for (index, signal) in signals.iter().enumerate() {
                if (&*signal.on == on || &*signal.on == ANY) && last != Some(signal.id) {
                    looking.push(index);
                    last = Some(signal.id);
                }
            }
            looking
        };
        let types: Vec<(&str, Vec<usize>)> = types.into_iter().map(|on| (on, looking_at(on))).collect();
        Postings::pack(&names.into_iter().collect::<Vec<_>>(), &mut packer);
        Postings::pack(&types, &mut packer);
        packer.finish()
    }

    /// Takes a packed form in, once it is checked to its end.
    ///
    /// # Errors
    /// Fails on bytes that are none, and on a signal that an event type names twice.
    #[inline(never)]
    pub fn open(bytes: &[u8]) -> Result<Self, CodecError> {
        Self::read(Form::open(bytes)?)
    }

    /// Takes a packed form in that follows the one before; where it is the same, nothing is checked again.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub fn open_after(bytes: &[u8], before: &Self) -> Result<Self, CodecError> {
        let form = Form::open(bytes)?;
        if form == before.form { Ok(before.clone()) } else { Self::read(form) }
    }

    fn read(form: Form) -> Result<Self, CodecError> {
        let mut table = Self { form, ..Self::default() };
        let mut code = table.form.at(0);
        for _ in 0..code.count() {
            table.signals.push(SignalHead::read(&mut code));
        }
        table.by_name = Postings::read(&mut code);
        table.by_type = Postings::read(&mut code);
        // A signal that a type names many times would be asked as often at each event.
        let is_sound = code.is_whole() && table.by_type.is_strict(table.signals.len());
        if is_sound { Ok(table) } else { Err(CodecError) }
    }

    /// Whether the packed forms are the same.
    pub fn is_like(&self, other: &Self) -> bool {
        self.form == other.form
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
        self.signals.get(index).map(|head| SignalRef::new(head, &self.form))
    }

    /// All signals, in order of id.
    pub fn iter(&self) -> impl Iterator<Item = SignalRef<'_>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// The signal of an id.
    pub fn by_id(&self, id: SignalId) -> Option<SignalRef<'_>> {
        self.get(self.place_of(id)).filter(|signal| signal.id == id)
    }

    /// The index of the first signal of an id, or of the one behind it.
    pub(super) fn place_of(&self, id: SignalId) -> usize {
        self.signals.partition_point(|head| head.id < id)
    }

    /// The signal of a name.
    pub fn by_name(&self, name: &str) -> Option<SignalRef<'_>> {
        self.get(*self.by_name.find(name, &self.form)?.first()? as usize)
    }

    /// Shows the signals that look at an event type, each definition once, with their indexes.
    pub fn each_for_type(&self, event_type: &str, see: &mut dyn FnMut(usize, SignalRef<'_>)) {
        self.by_type.each(event_type, &self.form, &mut |index| {
            if let Some(signal) = self.get(index) {
                see(index, signal);
            }
        });
    }

    /// The form its signals are in.
    pub(super) const fn form(&self) -> &Form {
        &self.form
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Aggregate, CalendarUnit, Window, signal_id};
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
            backfill: false,
        };
        signal.id = signal_id(&signal);
        signal
    }

    #[test]
    fn every_kind_of_signal_is_read_as_it_was_packed() {
        let units = [CalendarUnit::Day, CalendarUnit::Week, CalendarUnit::Month].map(Window::Calendar);
        let sliding = Window::Sliding { window_ms: 34_560_000_000, bucket_ms: 86_400_000 };
        let windows = [Window::Lifetime, Window::Session, sliding].into_iter().chain(units);
        for (place, window) in windows.enumerate() {
            for aggregate in Aggregate::ALL {
                let mut signal = Signal { aggregate, window, backfill: place % 2 == 0, ..signal("n", "x") };
                signal.id = signal_id(&signal);
                let table = SignalTable::new(core::slice::from_ref(&signal));
                assert_eq!(table.by_name("n").unwrap().to_signal(), signal);
            }
        }
    }

    #[test]
    fn signals_are_found_by_id_name_and_type() {
        let signals = [("z", "click"), ("a", "*"), ("m", "page_view"), ("alias of z", "click")];
        let table = SignalTable::new(&signals.map(|(name, on)| signal(name, on)));
        assert_eq!((table.len(), table.by_name("m").unwrap().on()), (4, "page_view"));
        assert!(table.by_name("none").is_none());
        assert_eq!(table.by_name("z").unwrap().id, table.by_name("alias of z").unwrap().id);
        assert_eq!(table.by_id(signal("z", "click").id).unwrap().on(), "click");
        let types = |event_type: &str| {
            let mut types = Vec::new();
            table.each_for_type(event_type, &mut |_, signal| types.push(signal.on().to_string()));
            types
        };
        let mut looking = types("click");
        looking.sort_unstable();
        assert_eq!(looking, ["*", "click"]);
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
                table.each_for_type("x", &mut |_, _| {});
            }
        }
    }
}
