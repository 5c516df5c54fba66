//! Two files of one module: what has been entered, and the rest, which takes its places in the table of the first.

use crate::Error;
use crate::observe::Entered;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use walrus::ir::{
    Call, Instr, InstrLocId, InstrSeq, Value, Visitor, VisitorMut, dfs_in_order, dfs_pre_order_mut,
};
use walrus::{
    ConstExpr, ElementId, ElementItems, ElementKind, FunctionId, FunctionKind, GlobalId, GlobalKind,
    ImportedFunction, MemoryId, Module, TableId, TypeId, passes,
};

/// The module from which the rest imports what the first file exports.
pub const FIRST: &str = "f";
/// The export that holds the top of the stack, which the host puts back when it takes a call back.
pub const STACK: &str = "stack";
const MEMORY: &str = "memory";
const TABLE: &str = "table";

/// A divided module.
#[derive(Clone, Debug)]
pub struct Parts {
    /// What runs first, and alone where nothing else is asked of it.
    pub first: Vec<u8>,
    /// Everything else.
    pub rest: Vec<u8>,
}

/// Divides a module.
///
/// # Errors
/// The bytes are no module, or one of another form than Rust gives.
pub fn divide(module: &[u8], entered: &Entered) -> Result<Parts, Error> {
    let mut first = Whole::open(module, entered)?;
    let mut rest = Whole::open(module, entered)?;
    let places = first.give_away()?;
    first.offer(&rest.wanted());
    rest.follow(&places);
    Ok(Parts { first: first.emit(), rest: rest.emit() })
}

/// The module, read anew for each file. Functions go by their number in it.
struct Whole<'a> {
    module: Module,
    entered: &'a Entered,
    functions: Vec<FunctionId>,
    numbers: HashMap<FunctionId, usize>,
    memory: MemoryId,
    table: TableId,
    stack: GlobalId,
}

impl<'a> Whole<'a> {
    fn open(bytes: &[u8], entered: &'a Entered) -> Result<Self, Error> {
        let module = Module::from_buffer(bytes)?;
        if module.imports.iter().next().is_some() {
            return Err("the module has imports".into());
        }
        let functions: Vec<FunctionId> = module.funcs.iter_local().map(|(id, _)| id).collect();
        if functions.len() != entered.all() {
            return Err("another module has been observed".into());
        }
        let mutable = module.globals.iter().filter(|global| global.mutable);
        let [stack] = *mutable.map(|global| global.id()).collect::<Vec<_>>() else {
            return Err("the top of the stack must be the only global that changes".into());
        };
        Ok(Self {
            memory: module.get_memory_id()?,
            table: module.tables.main_function_table()?.ok_or("the module has no table")?,
            stack,
            numbers: functions.iter().enumerate().map(|(number, id)| (*id, number)).collect(),
            functions,
            module,
            entered,
        })
    }

    /// The functions of the first file that the rest calls.
    fn wanted(&self) -> BTreeSet<usize> {
        self.calls_across(false)
    }

    /// The functions of the other file that those of one file call by name.
    fn calls_across(&self, from_first: bool) -> BTreeSet<usize> {
        let mut callees = Callees(Vec::new());
        for id in self.side(from_first) {
            let function = self.module.funcs.get(id).kind.unwrap_local();
            dfs_in_order(&mut callees, function, function.entry_block());
        }
        let numbers = callees.0.iter().filter_map(|id| self.numbers.get(id).copied());
        numbers.filter(|number| self.entered.has(*number) != from_first).collect()
    }

    /// The functions of one file.
    fn side(&self, is_first: bool) -> Vec<FunctionId> {
        let all = self.functions.iter().enumerate();
        all.filter(|(number, _)| self.entered.has(*number) == is_first).map(|(_, id)| *id).collect()
    }

    /// Leaves the rest out: calls of it go through the table. Returns its places there.
    fn give_away(&mut self) -> Result<BTreeMap<u64, usize>, Error> {
        let mut all = BTreeMap::new();
        for id in self.elements() {
            let (from, items) = self.segment(id)?;
            all.extend((from..).zip(items));
            self.module.elements.delete(id);
        }
        self.module.tables.get_mut(self.table).elem_segments.clear();
        let (kept, mut places): (BTreeMap<_, _>, BTreeMap<_, _>) =
            all.into_iter().partition(|(_, number)| self.entered.has(*number));
        self.fill(&kept);
        let known: BTreeSet<usize> = places.values().copied().collect();
        let called = self.calls_across(true);
        let table = self.module.tables.get_mut(self.table);
        for number in called.difference(&known) {
            places.insert(table.initial, *number);
            table.initial += 1;
        }
        table.maximum = Some(table.initial);
        let through = places.iter().filter_map(|(place, number)| {
            let id = *self.functions.get(*number)?;
            Some((id, (*place as i32, self.module.funcs.get(id).ty())))
        });
        let mut detour = Detour { table: self.table, through: through.collect() };
        for id in self.side(true) {
            let function = self.module.funcs.get_mut(id).kind.unwrap_local_mut();
            let entry = function.entry_block();
            dfs_pre_order_mut(&mut detour, function, entry);
        }
        Ok(places)
    }

    /// Exports what the rest needs.
    fn offer(&mut self, wanted: &BTreeSet<usize>) {
        for (name, id) in self.named(wanted) {
            self.module.exports.add(&name, id);
        }
        self.module.exports.add(TABLE, self.table);
        self.module.exports.add(STACK, self.stack);
    }

    /// Becomes the rest: everything else is imported, and its functions take their places in the table.
    fn follow(&mut self, places: &BTreeMap<u64, usize>) {
        let module = &mut self.module;
        let exports: Vec<_> = module.exports.iter().map(|export| export.id()).collect();
        exports.into_iter().for_each(|id| module.exports.delete(id));
        let data: Vec<_> = module.data.iter().map(|data| data.id()).collect();
        data.into_iter().for_each(|id| module.data.delete(id));
        for (name, id) in self.named(&self.wanted()) {
            let ty = self.module.funcs.get(id).ty();
            let import = self.module.imports.add(FIRST, &name, id);
            self.module.funcs.get_mut(id).kind = FunctionKind::Import(ImportedFunction { import, ty });
        }
        self.elements().into_iter().for_each(|id| self.module.elements.delete(id));
        let module = &mut self.module;
        let memory = module.memories.get_mut(self.memory);
        memory.import = Some(module.imports.add(FIRST, MEMORY, self.memory));
        memory.data_segments.clear();
        let table = module.tables.get_mut(self.table);
        table.import = Some(module.imports.add(FIRST, TABLE, self.table));
        table.elem_segments.clear();
        let length = places.last_key_value().map_or(0, |(last, _)| last + 1);
        (table.initial, table.maximum) = (table.initial.max(length), None);
        module.globals.get_mut(self.stack).kind =
            GlobalKind::Import(module.imports.add(FIRST, STACK, self.stack));
        self.fill(places);
    }

    /// Names for functions, in their order and as short as can be.
    fn named(&self, numbers: &BTreeSet<usize>) -> Vec<(String, FunctionId)> {
        let ids = numbers.iter().filter_map(|number| self.functions.get(*number).copied());
        ids.enumerate().map(|(place, id)| (short_name(place), id)).collect()
    }

    fn elements(&self) -> Vec<ElementId> {
        self.module.elements.iter().map(|element| element.id()).collect()
    }

    /// Where a segment of the table begins, and its functions.
    fn segment(&self, id: ElementId) -> Result<(u64, Vec<usize>), Error> {
        let element = self.module.elements.get(id);
        let (
            ElementKind::Active { offset: ConstExpr::Value(Value::I32(at)), .. },
            ElementItems::Functions(items),
        ) = (&element.kind, &element.items)
        else {
            return Err("the table is filled otherwise than with functions at fixed places".into());
        };
        let numbers = items.iter().filter_map(|id| self.numbers.get(id).copied()).collect();
        Ok((*at as u64, numbers))
    }

    /// Fills places of the table, in as few segments as they allow.
    fn fill(&mut self, places: &BTreeMap<u64, usize>) {
        let mut runs: Vec<(u64, Vec<FunctionId>)> = Vec::new();
        for (place, number) in places {
            let Some(id) = self.functions.get(*number).copied() else { continue };
            match runs.last_mut() {
                Some((from, items)) if *from + items.len() as u64 == *place => items.push(id),
                _ => runs.push((*place, vec![id])),
            }
        }
        for (from, items) in runs {
            let offset = ConstExpr::Value(Value::I32(from as i32));
            let kind = ElementKind::Active { table: self.table, offset };
            let id = self.module.elements.add(kind, ElementItems::Functions(items));
            self.module.tables.get_mut(self.table).elem_segments.insert(id);
        }
    }

    fn emit(mut self) -> Vec<u8> {
        passes::gc::run(&mut self.module);
        self.module.emit_wasm()
    }
}

/// `a`, `b` … `z`, `aa` …
fn short_name(place: usize) -> String {
    let last = char::from(b'a' + (place % 26) as u8);
    let before = if place < 26 { String::new() } else { short_name(place / 26 - 1) };
    format!("{before}{last}")
}

/// Finds what functions call by name.
struct Callees(Vec<FunctionId>);

impl<'a> Visitor<'a> for Callees {
    fn visit_call(&mut self, call: &Call) {
        self.0.push(call.func);
    }
}

/// Leads calls of some functions through the table.
struct Detour {
    table: TableId,
    /// The place and the type of each.
    through: HashMap<FunctionId, (i32, TypeId)>,
}

impl VisitorMut for Detour {
    fn start_instr_seq_mut(&mut self, sequence: &mut InstrSeq) {
        let led = |(instr, at): (Instr, InstrLocId)| match &instr {
            Instr::Call(Call { func }) => match self.through.get(func) {
                Some((place, ty)) => {
                    let place = walrus::ir::Const { value: Value::I32(*place) };
                    let call = walrus::ir::CallIndirect { ty: *ty, table: self.table };
                    vec![(place.into(), at), (call.into(), at)]
                }
                None => vec![(instr, at)],
            },
            _ => vec![(instr, at)],
        };
        sequence.instrs = std::mem::take(&mut sequence.instrs).into_iter().flat_map(led).collect();
    }
}
