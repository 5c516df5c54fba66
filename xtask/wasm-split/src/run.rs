//! Runs a module as a page does, whole or in its two files.

use crate::divide::{FIRST, STACK, TABLE};
use crate::visit::Call;
use crate::{Error, Parts};
use std::collections::BTreeMap;
use wasmi::{Engine, Extern, Global, Instance, Linker, Memory, Module, Store, TypedFunc, Val};

/// A module that runs.
pub struct Running {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
    input: TypedFunc<i32, i32>,
    call: TypedFunc<(i32, i32), i32>,
    output: TypedFunc<(), i32>,
}

impl Running {
    /// The whole module, or the first file of one that is divided.
    ///
    /// # Errors
    /// The bytes are no such module.
    pub fn whole(bytes: &[u8]) -> Result<Self, Error> {
        Self::anew(&Module::new(&Engine::default(), bytes)?)
    }

    /// A new instance of a module that has been compiled.
    ///
    /// # Errors
    /// It is no such module.
    pub fn anew(module: &Module) -> Result<Self, Error> {
        let mut store = Store::new(module.engine(), ());
        let instance = Linker::new(module.engine()).instantiate_and_start(&mut store, module)?;
        Ok(Self {
            memory: instance.get_memory(&store, "memory").ok_or("there is no memory")?,
            input: instance.get_typed_func(&store, "input")?,
            call: instance.get_typed_func(&store, "call")?,
            output: instance.get_typed_func(&store, "output")?,
            instance,
            store,
        })
    }

    /// Makes a call; returns its output.
    ///
    /// # Errors
    /// The call traps.
    pub fn call(&mut self, call: &Call) -> Result<Vec<u8>, Error> {
        let length = call.input.len() as i32;
        let at = self.input.call(&mut self.store, length)?;
        self.memory.write(&mut self.store, at as usize, &call.input)?;
        let length = self.call.call(&mut self.store, (call.operation as i32, length))?;
        let at = self.output.call(&mut self.store, ())?;
        let mut output = vec![0; length as usize];
        self.memory.read(&self.store, at as usize, &mut output)?;
        Ok(output)
    }

    /// Makes a call of a first file: nothing has changed where it is in want of the rest.
    ///
    /// # Errors
    /// The instance lacks what a first file exports.
    pub fn try_call(&mut self, call: &Call) -> Result<Option<Vec<u8>>, Error> {
        let stack = self.stack()?;
        let (before, top) = (self.memory.data(&self.store).to_vec(), stack.get(&self.store));
        match self.call(call) {
            Ok(output) => Ok(Some(output)),
            Err(_) => {
                self.memory.write(&mut self.store, 0, &before)?;
                stack.set(&mut self.store, top)?;
                Ok(None)
            }
        }
    }

    /// Adds the rest to a first file.
    ///
    /// # Errors
    /// The bytes are not the rest of this first file.
    pub fn complete(&mut self, parts: &Parts) -> Result<(), Error> {
        let engine = self.store.engine().clone();
        let module = Module::new(&engine, &*parts.rest)?;
        let mut linker = Linker::new(&engine);
        let exports: Vec<(String, Extern)> = self
            .instance
            .exports(&self.store)
            .map(|export| (export.name().to_owned(), export.into_extern()))
            .collect();
        for (name, item) in exports {
            linker.define(FIRST, &name, item)?;
        }
        let table = self.instance.get_table(&self.store, TABLE).ok_or("the table is not exported")?;
        for import in module.imports() {
            let Ok(place) = import.name().parse::<u64>() else { continue };
            let Some(wasmi::Ref::Func(wasmi::Nullable::Val(function))) = table.get(&self.store, place) else {
                return Err(format!("place {place} of the table is empty").into());
            };
            linker.define(FIRST, import.name(), function)?;
        }
        linker.instantiate_and_start(&mut self.store, &module)?;
        Ok(())
    }

    /// The linear memory.
    pub fn memory(&self) -> &[u8] {
        self.memory.data(&self.store)
    }

    /// Which of the exported globals are set whose names begin in one way, in the order of their names.
    pub(crate) fn flags(&self, prefix: &str) -> Vec<bool> {
        let exports = self.instance.exports(&self.store);
        let named = exports.filter(|export| export.name().starts_with(prefix));
        let globals = named.filter_map(|export| Some((export.name(), export.into_global()?)));
        let set: BTreeMap<&str, bool> =
            globals.map(|(name, global)| (name, matches!(global.get(&self.store), Val::I32(1)))).collect();
        set.into_values().collect()
    }

    fn stack(&self) -> Result<Global, Error> {
        let global = self.instance.get_global(&self.store, STACK);
        Ok(global.ok_or("the top of the stack is not exported")?)
    }
}
