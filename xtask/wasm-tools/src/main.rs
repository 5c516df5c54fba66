//! The runner that cargo calls for tests in a browser: `wasm-tools <file.wasm> …`.

use std::env;
use std::process::ExitCode;
use wasm_bindgen_cli::wasm_bindgen_test_runner;

fn main() -> ExitCode {
    env_logger::init();
    match wasm_bindgen_test_runner::run_cli_with_args(env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wasm-tools: {error:#}");
            ExitCode::FAILURE
        }
    }
}
