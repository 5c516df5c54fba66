//! What is left out of functions that come in both files: what no visit reaches.

use crate::observe::points;
use std::collections::HashSet;
use walrus::LocalFunction;
use walrus::ir::{Instr, InstrSeqId, Unreachable};

/// What weighs less than this, in bytes or so, stays: to leave it would weigh as much.
const LEAST: usize = 6;

/// Where a function is to end early.
#[derive(Clone, Debug, Default)]
pub struct Cuts {
    at: Vec<(InstrSeqId, usize)>,
    /// What the function weighs, in bytes or so.
    pub whole: usize,
    /// What of it is left out.
    pub out: usize,
}

impl Cuts {
    /// Finds what of a function has not been reached.
    pub fn of(function: &LocalFunction, reached: &[bool]) -> Self {
        let all = points(function).into_iter().zip(reached);
        let cold = all.filter(|(_, is_reached)| !**is_reached).map(|(point, _)| point).collect();
        let entry = function.entry_block();
        let mut cuts = Self { whole: weight(function, entry, 0), ..Self::default() };
        cuts.find(function, entry, &cold);
        cuts
    }

    fn find(&mut self, function: &LocalFunction, sequence: InstrSeqId, cold: &HashSet<(InstrSeqId, usize)>) {
        for (place, (instr, _)) in function.block(sequence).instrs.iter().enumerate() {
            if cold.contains(&(sequence, place)) {
                let out = weight(function, sequence, place);
                if out >= LEAST {
                    self.at.push((sequence, place));
                    self.out += out;
                    return;
                }
            }
            inner(instr).into_iter().for_each(|sequence| self.find(function, sequence, cold));
        }
    }

    /// Leaves it out: to come there is a trap.
    pub fn make(&self, function: &mut LocalFunction) {
        for (sequence, place) in &self.at {
            let sequence = function.block_mut(*sequence);
            sequence.instrs.truncate(*place);
            sequence.instrs.push((Unreachable {}.into(), Default::default()));
        }
    }
}

/// What a sequence weighs from a place on.
fn weight(function: &LocalFunction, sequence: InstrSeqId, from: usize) -> usize {
    let instrs = function.block(sequence).instrs.iter().skip(from);
    instrs
        .map(|(instr, _)| {
            let inside = inner(instr).into_iter().map(|sequence| weight(function, sequence, 0));
            let own = match instr {
                // A call may lead into the rest.
                Instr::Call(_) | Instr::CallIndirect(_) => LEAST,
                Instr::Load(_) | Instr::Store(_) => 3,
                Instr::Drop(_) | Instr::Return(_) | Instr::Unreachable(_) | Instr::Select(_) => 1,
                Instr::Binop(_) | Instr::Unop(_) => 1,
                Instr::Block(_) | Instr::Loop(_) | Instr::IfElse(_) => 3,
                _ => 2,
            };
            own + inside.sum::<usize>()
        })
        .sum()
}

/// The sequences inside an instruction.
fn inner(instr: &Instr) -> Vec<InstrSeqId> {
    match instr {
        Instr::Block(block) => vec![block.seq],
        Instr::Loop(each) => vec![each.seq],
        Instr::IfElse(branch) => vec![branch.consequent, branch.alternative],
        _ => Vec::new(),
    }
}
