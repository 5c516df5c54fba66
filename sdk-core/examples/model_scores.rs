//! Prints what the core gives for the fixtures of `tests/models`, each number exactly.

#[path = "../tests/model_fixtures/mod.rs"]
mod model_fixtures;

use model_fixtures::{FIXTURES, scores};

fn main() {
    let lines = FIXTURES.map(|fixture| {
        let numbers: Vec<String> = scores(&fixture).iter().map(|score| format!("{score:?}")).collect();
        format!("\"{}\":[{}]", fixture.name, numbers.join(","))
    });
    println!("{{{}}}", lines.join(",\n"));
}
