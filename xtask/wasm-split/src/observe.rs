//! Which functions a visit enters: each has a global of its own that it sets, and that is read at the end.

use crate::Error;
use crate::run::Running;
use crate::visit::Call;
use walrus::ir::{Const, GlobalSet, Instr, Value};
use walrus::{ConstExpr, FunctionId, Module, ValType};

/// Which of a module's own functions, in their order, have been entered.
#[derive(Clone, Debug)]
pub struct Entered(Vec<bool>);

impl Entered {
    /// Whether the function at a place has been entered.
    pub fn has(&self, place: usize) -> bool {
        self.0.get(place).copied().unwrap_or_default()
    }

    /// How many have.
    pub fn count(&self) -> usize {
        self.0.iter().filter(|has| **has).count()
    }

    /// How many there are.
    pub const fn all(&self) -> usize {
        self.0.len()
    }
}

/// Plays a visit and says which functions of the module it has entered.
///
/// # Errors
/// The bytes are no module, or a call of the visit fails.
pub fn observe(module: &[u8], visit: &[Call]) -> Result<Entered, Error> {
    let (bytes, count) = watched(module)?;
    let mut running = Running::whole(&bytes)?;
    for call in visit {
        running.call(call)?;
    }
    let entered = (0..count).map(|place| running.flag(&flag(place)));
    Ok(Entered(entered.collect::<Result<_, _>>()?))
}

fn flag(place: usize) -> String {
    format!("entered {place}")
}

fn watched(module: &[u8]) -> Result<(Vec<u8>, usize), Error> {
    let mut module = Module::from_buffer(module)?;
    let functions: Vec<FunctionId> = module.funcs.iter_local().map(|(id, _)| id).collect();
    for (place, id) in functions.iter().enumerate() {
        let global = module.globals.add_local(ValType::I32, true, false, ConstExpr::Value(Value::I32(0)));
        module.exports.add(&flag(place), global);
        let function = module.funcs.get_mut(*id).kind.unwrap_local_mut();
        let set = [Instr::from(Const { value: Value::I32(1) }), Instr::from(GlobalSet { global })];
        for (place, instr) in set.into_iter().enumerate() {
            function.builder_mut().func_body().instr_at(place, instr);
        }
    }
    Ok((module.emit_wasm(), functions.len()))
}
