//! Two files of one module: what has been reached, and the rest, which takes its places in the table of the first.

use crate::Error;
use crate::fate::Fate;
use crate::observe::Reached;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use walrus::ir::{
    Call, Instr, InstrLocId, InstrSeq, Value, Visitor, VisitorMut, dfs_in_order, dfs_pre_order_mut,
};
use walrus::{
    ConstExpr, ElementId, ElementItems, ElementKind, ExportId, ExportItem, FunctionBuilder, FunctionId,
    FunctionKind, GlobalId, GlobalKind, ImportedFunction, MemoryId, Module, TableId, TypeId, passes,
};

/// The module from which the rest imports: what the first file exports, by name, and functions of it by their place in
/// its table, which is shorter than to give each a name.
pub const FIRST: &str = "f";
/// The export that holds the top of the stack, which the host puts back when it takes a call back.
pub const STACK: &str = "stack";
/// The export that holds the table.
pub const TABLE: &str = "table";
const MEMORY: &str = "memory";
/// What the linker says of memory, which no host asks for.
const UNASKED: [&str; 2] = ["__data_end", "__heap_base"];

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
pub fn divide(module: &[u8], reached: &Reached) -> Result<Parts, Error> {
    let mut first = Whole::open(module, reached)?;
    let mut rest = Whole::open(module, reached)?;
    let places = first.give_away(&rest.wanted())?;
    first.offer();
    rest.follow(&places);
    Ok(Parts { first: first.emit(), rest: rest.emit() })
}

/// The module, read anew for each file. Functions go by their number in it.
struct Whole {
    module: Module,
    fates: Vec<Fate>,
    functions: Vec<FunctionId>,
    numbers: HashMap<FunctionId, usize>,
    memory: MemoryId,
    table: TableId,
    stack: GlobalId,
}

impl Whole {
    fn open(bytes: &[u8], reached: &Reached) -> Result<Self, Error> {
        let module = Module::from_buffer(bytes)?;
        if module.imports.iter().next().is_some() {
            return Err("the module has imports".into());
        }
        let functions: Vec<FunctionId> = module.funcs.iter_local().map(|(id, _)| id).collect();
        if functions.len() != reached.all() {
            return Err("another module has been observed".into());
        }
        let mutable = module.globals.iter().filter(|global| global.mutable);
        let [stack] = *mutable.map(|global| global.id()).collect::<Vec<_>>() else {
            return Err("the top of the stack must be the only global that changes".into());
        };
        let each = functions.iter().enumerate();
        let fate = |number, id| Fate::of(module.funcs.get(id).kind.unwrap_local(), reached.points(number));
        Ok(Self {
            memory: module.get_memory_id()?,
            table: module.tables.main_function_table()?.ok_or("the module has no table")?,
            stack,
            numbers: functions.iter().enumerate().map(|(number, id)| (*id, number)).collect(),
            fates: each.map(|(number, id)| fate(number, *id)).collect(),
            functions,
            module,
        })
    }

    /// The functions of the first file that the rest calls.
    fn wanted(&self) -> BTreeSet<usize> {
        let called = self.called(|fate| !fate.is_shared());
        called.into_iter().filter(|number| self.is(*number, Fate::is_shared)).collect()
    }

    /// The functions that some functions call by name.
    fn called(&self, callers: impl Fn(&Fate) -> bool) -> BTreeSet<usize> {
        let mut callees = Callees(Vec::new());
        for id in self.those(callers) {
            let function = self.module.funcs.get(id).kind.unwrap_local();
            dfs_in_order(&mut callees, function, function.entry_block());
        }
        callees.0.iter().filter_map(|id| self.numbers.get(id).copied()).collect()
    }

    fn those(&self, are: impl Fn(&Fate) -> bool) -> Vec<FunctionId> {
        let all = self.functions.iter().zip(&self.fates);
        all.filter(|(_, fate)| are(fate)).map(|(id, _)| *id).collect()
    }

    fn is(&self, number: usize, is: impl Fn(&Fate) -> bool) -> bool {
        self.fates.get(number).is_some_and(is)
    }

    /// Leaves the rest out, and what no visit reaches of functions that are in both files. What the rest will fill goes
    /// through the table, and what it wants to call has a place there too. Returns both by their places.
    fn give_away(&mut self, wanted: &BTreeSet<usize>) -> Result<BTreeMap<u64, usize>, Error> {
        for (id, fate) in self.functions.iter().zip(&self.fates) {
            if let Fate::Both(cuts) = fate {
                cuts.make(self.module.funcs.get_mut(*id).kind.unwrap_local_mut());
            }
        }
        let places = self.places(wanted)?;
        let kept = places.iter().filter(|(_, number)| !self.is(**number, Fate::is_rest));
        self.fill(&kept.map(|(place, number)| (*place, *number)).collect());
        // A function that is in both files is only entered while the rest is not there: it calls its like directly.
        let from_shared = self.detour(&places, |fate| !fate.is_shared());
        let from_both = self.detour(&places, Fate::is_rest);
        self.open_doors(&from_shared);
        self.lead(Fate::is_shared, from_shared);
        self.lead(Fate::is_both, from_both);
        Ok(places)
    }

    /// The functions in the table by place, with places for those that are called or exported and will change, and for those
    /// that the rest wants.
    fn places(&mut self, wanted: &BTreeSet<usize>) -> Result<BTreeMap<u64, usize>, Error> {
        let mut places = BTreeMap::new();
        for id in self.elements() {
            let (from, items) = self.segment(id)?;
            places.extend((from..).zip(items));
            self.module.elements.delete(id);
        }
        let known: BTreeSet<usize> = places.values().copied().collect();
        let mut called = self.called(Fate::is_shared);
        called.extend(self.exported().into_iter().map(|(_, number)| number));
        called.retain(|number| !self.is(*number, Fate::is_shared));
        let from_both = self.called(Fate::is_both);
        called.extend(from_both.into_iter().filter(|number| self.is(*number, Fate::is_rest)));
        let table = self.module.tables.get_mut(self.table);
        table.elem_segments.clear();
        // One behind the other, as each run of places that the first file fills takes a segment.
        for number in called.difference(&known).chain(wanted.difference(&known)) {
            places.insert(table.initial, *number);
            table.initial += 1;
        }
        table.maximum = Some(table.initial);
        Ok(places)
    }

    /// The way through the table to some of the functions that have places there.
    fn detour(&self, places: &BTreeMap<u64, usize>, to: impl Fn(&Fate) -> bool) -> Detour {
        let some = places.iter().filter(|(_, number)| self.is(**number, &to));
        let through = some.filter_map(|(place, number)| {
            let id = *self.functions.get(*number)?;
            Some((id, (*place as i32, self.module.funcs.get(id).ty())))
        });
        Detour { table: self.table, through: through.collect() }
    }

    /// Has some functions take a detour.
    fn lead(&mut self, callers: impl Fn(&Fate) -> bool, mut detour: Detour) {
        for id in self.those(callers) {
            let function = self.module.funcs.get_mut(id).kind.unwrap_local_mut();
            let entry = function.entry_block();
            dfs_pre_order_mut(&mut detour, function, entry);
        }
    }

    /// The exports that are functions.
    fn exported(&self) -> Vec<(ExportId, usize)> {
        let all = self.module.exports.iter().filter_map(|export| match export.item {
            ExportItem::Function(id) => Some((export.id(), *self.numbers.get(&id)?)),
            _ => None,
        });
        all.collect()
    }

    /// Exports that are to change with the rest lead through the table.
    fn open_doors(&mut self, detour: &Detour) {
        for (export, number) in self.exported() {
            let Some(id) = self.functions.get(number) else { continue };
            let Some((place, ty)) = detour.through.get(id) else { continue };
            let (parameters, results) = self.module.types.params_results(*ty);
            let (parameters, results) = (parameters.to_vec(), results.to_vec());
            let mut door = FunctionBuilder::new(&mut self.module.types, &parameters, &results);
            let arguments: Vec<_> = parameters.iter().map(|ty| self.module.locals.add(*ty)).collect();
            let mut body = door.func_body();
            for argument in &arguments {
                body.local_get(*argument);
            }
            body.i32_const(*place).call_indirect(*ty, detour.table);
            let door = door.finish(arguments, &mut self.module.funcs);
            self.module.exports.get_mut(export).item = ExportItem::Function(door);
        }
    }

    /// Exports what the rest needs, and no more.
    fn offer(&mut self) {
        for name in UNASKED {
            // A module of another linker may not have them.
            self.module.exports.remove(name).ok();
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
        let mut wanted = self.wanted();
        for (place, number) in places {
            // One that has several places is imported from the first.
            let Some(id) = self.functions.get(*number).filter(|_| wanted.remove(number)) else { continue };
            let ty = self.module.funcs.get(*id).ty();
            let import = self.module.imports.add(FIRST, &place.to_string(), *id);
            self.module.funcs.get_mut(*id).kind = FunctionKind::Import(ImportedFunction { import, ty });
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
        let changing = places.iter().filter(|(_, number)| !self.is(**number, Fate::is_shared));
        self.fill(&changing.map(|(place, number)| (*place, *number)).collect());
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
