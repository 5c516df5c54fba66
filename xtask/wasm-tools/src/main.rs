//! `wasm-tools bindgen …` is wasm-bindgen; `wasm-tools <file.wasm> …` is the test runner that cargo calls.

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;
use wasm_bindgen_cli::{wasm_bindgen, wasm_bindgen_test_runner};

fn main() -> ExitCode {
    env_logger::init();
    let mut arguments: Vec<OsString> = env::args_os().collect();
    let result = if arguments.get(1).is_some_and(|first| first == "bindgen") {
        arguments.remove(1);
        wasm_bindgen::run_cli_with_args(arguments)
    } else {
        wasm_bindgen_test_runner::run_cli_with_args(arguments)
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wasm-tools: {error:#}");
            ExitCode::FAILURE
        }
    }
}
