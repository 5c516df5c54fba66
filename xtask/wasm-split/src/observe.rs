//! Where visits come along: each point of a function that control can arrive at has a global of its own, which is set
//! there and read at the end.

use crate::Error;
use crate::run::Running;
use crate::visit::Call;
use walrus::ir::{Const, GlobalSet, Instr, InstrSeq, InstrSeqId, Value, Visitor, dfs_in_order};
use walrus::{ConstExpr, FunctionId, LocalFunction, Module, ValType};

/// Which points of a module's own functions have been reached, in the order of [`points`].
#[derive(Clone, Debug)]
pub struct Reached(Vec<Vec<bool>>);

impl Reached {
    /// Whether the function at a place has been entered.
    pub fn has(&self, place: usize) -> bool {
        self.points(place).first().copied().unwrap_or_default()
    }

    /// Which points of the function at a place have been reached.
    pub fn points(&self, place: usize) -> &[bool] {
        self.0.get(place).map_or(&[], Vec::as_slice)
    }

    /// How many functions have been entered.
    pub fn count(&self) -> usize {
        (0..self.all()).filter(|place| self.has(*place)).count()
    }

    /// How many there are.
    pub const fn all(&self) -> usize {
        self.0.len()
    }
}

/// Plays visits and says what of the module they have reached.
///
/// # Errors
/// The bytes are no module, or a call of a visit fails.
pub fn observe(module: &[u8], visits: &[Vec<Call>]) -> Result<Reached, Error> {
    let (bytes, counts) = watched(module)?;
    let mut reached = Reached(counts.iter().map(|count| vec![false; *count]).collect());
    let module = wasmi::Module::new(&wasmi::Engine::default(), &*bytes)?;
    for visit in visits {
        let mut running = Running::anew(&module)?;
        for call in visit {
            running.call(call)?;
        }
        for (flag, is_reached) in reached.0.iter_mut().flatten().zip(running.flags(PREFIX)) {
            *flag |= is_reached;
        }
    }
    Ok(reached)
}

/// Where control can arrive in a function: where a sequence begins, and behind what may leave it.
pub fn points(function: &LocalFunction) -> Vec<(InstrSeqId, usize)> {
    let mut points = Points(Vec::new());
    dfs_in_order(&mut points, function, function.entry_block());
    points.0
}

struct Points(Vec<(InstrSeqId, usize)>);

impl<'a> Visitor<'a> for Points {
    fn start_instr_seq(&mut self, sequence: &'a InstrSeq) {
        let id = sequence.id();
        self.0.push((id, 0));
        let leaves = |instr: &Instr| {
            matches!(instr, Instr::Block(_) | Instr::Loop(_) | Instr::IfElse(_) | Instr::BrIf(_))
        };
        let behind = sequence.instrs.iter().enumerate().filter(|(_, (instr, _))| leaves(instr));
        self.0.extend(behind.map(|(place, _)| (id, place + 1)));
    }
}

const PREFIX: &str = "reached ";

fn name(place: usize) -> String {
    format!("{PREFIX}{place:06}")
}

/// The module with a global for each point, and the number of points of each function.
fn watched(module: &[u8]) -> Result<(Vec<u8>, Vec<usize>), Error> {
    let mut module = Module::from_buffer(module)?;
    let functions: Vec<FunctionId> = module.funcs.iter_local().map(|(id, _)| id).collect();
    let (mut counts, mut all) = (Vec::new(), 0);
    for id in functions {
        let points = points(module.funcs.get(id).kind.unwrap_local());
        counts.push(points.len());
        let first = all;
        all += points.len();
        // From behind, so that what is put in moves no point that is still to come.
        for (place, (sequence, at)) in points.into_iter().enumerate().rev() {
            let zero = ConstExpr::Value(Value::I32(0));
            let global = module.globals.add_local(ValType::I32, true, false, zero);
            module.exports.add(&name(first + place), global);
            let function = module.funcs.get_mut(id).kind.unwrap_local_mut();
            let mut body = function.builder_mut().instr_seq(sequence);
            body.instr_at(at, GlobalSet { global });
            body.instr_at(at, Const { value: Value::I32(1) });
        }
    }
    Ok((module.emit_wasm(), counts))
}
