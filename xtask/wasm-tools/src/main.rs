//! `wasm-tools bindgen …` is wasm-bindgen; `wasm-tools <file.wasm> …` is the test runner that cargo calls.

use std::env;
use std::ffi::OsString;

fn main() -> anyhow::Result<()> {
    env_logger::init();
    let mut arguments: Vec<OsString> = env::args_os().collect();
    if arguments.get(1).is_some_and(|first| first == "bindgen") {
        arguments.remove(1);
        return wasm_bindgen_cli::wasm_bindgen::run_cli_with_args(arguments);
    }
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(arguments)
}
