//! `wasm-order <file.wasm>`: orders its functions in place.

use std::fs;
use std::process::ExitCode;
use wasm_split::{Error, order};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wasm-order: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Error> {
    let file = std::env::args().nth(1).ok_or("usage: wasm-order <file.wasm>")?;
    let bytes = fs::read(&file).map_err(|error| format!("{file}: {error}"))?;
    Ok(fs::write(&file, order(&bytes)?).map_err(|error| format!("{file}: {error}"))?)
}
