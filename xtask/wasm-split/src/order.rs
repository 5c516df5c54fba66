//! The order of functions that compresses best: what is called often has a short number, and what is alike is close together.

use crate::Error;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use wasm_encoder::reencode::{Error as Reencoding, Reencode};
use wasm_encoder::{CodeSection, FunctionSection, Module};
use wasmparser::{
    CodeSectionReader, FunctionBody, FunctionSectionReader, Operator, Parser, Payload, TypeRef,
};

/// Functions with numbers below take one byte wherever they are named.
const SHORT: usize = 128;
/// How many bytes in a row two functions must share for that to count as alike.
const WINDOW: usize = 6;

/// Orders the functions of a module.
///
/// # Errors
/// The bytes are no module.
pub fn order(module: &[u8]) -> Result<Vec<u8>, Error> {
    let functions = Functions::of(module)?;
    let order = functions.ordered();
    let mut numbers: Vec<u32> = (0..functions.imported).collect();
    numbers.resize(numbers.len() + order.len(), 0);
    for (number, function) in (functions.imported..).zip(&order) {
        if let Some(place) = numbers.get_mut(functions.imported as usize + function) {
            *place = number;
        }
    }
    let mut ordered = Module::new();
    Ordering { order, numbers }
        .parse_core_module(&mut ordered, Parser::new(0), module)
        .map_err(|error| error.to_string())?;
    Ok(ordered.finish())
}

/// The functions of a module, as far as their order depends on it; by their place among those that are not imported.
#[derive(Default)]
struct Functions {
    imported: u32,
    types: Vec<u32>,
    /// Where each is named.
    calls: Vec<usize>,
    /// What stands in each, a few bytes at a time.
    windows: Vec<HashSet<[u8; WINDOW]>>,
}

impl Functions {
    fn of(module: &[u8]) -> Result<Self, Error> {
        let mut all = Self::default();
        let mut called: HashMap<u32, usize> = HashMap::new();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        all.imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::FunctionSection(section) => {
                    all.types = section.into_iter().collect::<Result<_, _>>()?;
                }
                Payload::CodeSectionEntry(body) => {
                    all.windows.push(windows_of(body.as_bytes()));
                    for operator in body.get_operators_reader()? {
                        if let Operator::Call { function_index } = operator? {
                            *called.entry(function_index).or_default() += 1;
                        }
                    }
                }
                _ => {}
            }
        }
        let numbers = (all.imported..).take(all.types.len());
        all.calls = numbers.map(|number| called.get(&number).copied().unwrap_or_default()).collect();
        Ok(all)
    }

    /// Those that are called most, then the others; in each, type by type, and in each type those side by side that are
    /// most alike.
    fn ordered(&self) -> Vec<usize> {
        let mut by_calls: Vec<usize> = (0..self.types.len()).collect();
        by_calls.sort_by_key(|function| Reverse(self.calls.get(*function)));
        let often = SHORT.saturating_sub(self.imported as usize).min(by_calls.len());
        let rare = by_calls.split_off(often);
        [by_calls, rare].into_iter().flat_map(|some| self.by_type(some)).collect()
    }

    fn by_type(&self, functions: Vec<usize>) -> Vec<usize> {
        let mut types: HashMap<u32, Vec<usize>> = HashMap::new();
        for function in functions {
            types.entry(self.types.get(function).copied().unwrap_or_default()).or_default().push(function);
        }
        let mut types: Vec<(u32, Vec<usize>)> = types.into_iter().collect();
        types.sort_by_key(|(ty, functions)| (Reverse(functions.len()), *ty));
        types.into_iter().flat_map(|(_, functions)| self.chained(functions)).collect()
    }

    /// From the largest on, each followed by the one that is most like it.
    fn chained(&self, mut left: Vec<usize>) -> Vec<usize> {
        left.sort_unstable();
        let mut chain: Vec<usize> = Vec::new();
        while !left.is_empty() {
            let likeness = |function: &usize| match chain.last() {
                Some(last) => self.likeness(*last, *function),
                None => self.windows(*function).len(),
            };
            let (mut at, mut most) = (0, 0);
            for (place, function) in left.iter().enumerate() {
                let likeness = likeness(function);
                if likeness > most {
                    (at, most) = (place, likeness);
                }
            }
            chain.push(left.remove(at));
        }
        chain
    }

    /// How much of the smaller of two functions the other has as well, in thousandths.
    fn likeness(&self, one: usize, other: usize) -> usize {
        let (one, other) = (self.windows(one), self.windows(other));
        one.intersection(other).count() * 1_000 / one.len().min(other.len()).max(1)
    }

    fn windows(&self, function: usize) -> &HashSet<[u8; WINDOW]> {
        static NONE: std::sync::LazyLock<HashSet<[u8; WINDOW]>> = std::sync::LazyLock::new(HashSet::new);
        self.windows.get(function).unwrap_or(&NONE)
    }
}

fn windows_of(bytes: &[u8]) -> HashSet<[u8; WINDOW]> {
    bytes.windows(WINDOW).filter_map(|window| window.try_into().ok()).collect()
}

/// Writes a module anew with its functions in another order.
struct Ordering {
    /// By place: which function stands there.
    order: Vec<usize>,
    /// By number, imported ones first: the number from now on.
    numbers: Vec<u32>,
}

impl Reencode for Ordering {
    type Error = String;

    fn function_index(&mut self, number: u32) -> Result<u32, Reencoding<String>> {
        let known = self.numbers.get(number as usize).copied();
        known.ok_or_else(|| Reencoding::UserError(format!("there is no function {number}")))
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Reencoding<String>> {
        let types: Vec<u32> = section.into_iter().collect::<Result<_, _>>()?;
        for ty in self.order.iter().filter_map(|function| types.get(*function)) {
            functions.function(*ty);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Reencoding<String>> {
        let bodies: Vec<FunctionBody<'_>> = section.into_iter().collect::<Result<_, _>>()?;
        for function in self.order.clone() {
            if let Some(body) = bodies.get(function) {
                self.parse_function_body(code, body.clone())?;
            }
        }
        Ok(())
    }
}
