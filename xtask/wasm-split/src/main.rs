//! `wasm-split <whole.wasm> <first.wasm> <rest.wasm>`

use std::fs;
use std::process::ExitCode;
use wasm_split::{Error, divide, observe, visit};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wasm-split: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [whole, first, rest] = arguments.as_slice() else {
        return Err("usage: wasm-split <whole.wasm> <first.wasm> <rest.wasm>".into());
    };
    let bytes = fs::read(whole).map_err(|error| format!("{whole}: {error}"))?;
    let reached = observe(&bytes, &visit::first_visits()?)?;
    let parts = divide(&bytes, &reached)?;
    eprintln!("wasm-split: {} of {} functions are entered by a first visit", reached.count(), reached.all());
    for (path, bytes) in [(first, parts.first), (rest, parts.rest)] {
        fs::write(path, bytes).map_err(|error| format!("{path}: {error}"))?;
    }
    Ok(())
}
