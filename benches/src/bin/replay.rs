//! `replay eshop2008 <file.csv.gz> [--duplicates 0.05] [--shuffle] [--engine native|wasm]`: prints one JSON line.

use attune_benches::failure::Failure;
use attune_benches::replay::order::Disturbance;
use attune_benches::replay::visit::visits;
use attune_benches::replay::{eshop, report, wasm};
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "replay eshop2008 <file.csv.gz> [--duplicates 0.05] [--shuffle] [--engine native|wasm]";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Engine {
    Native,
    Wasm,
}

#[derive(Debug, PartialEq)]
struct Asked {
    file: PathBuf,
    disturbance: Disturbance,
    engine: Engine,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match parse(&arguments).and_then(|asked| run(&asked)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("replay: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(asked: &Asked) -> Result<(), Failure> {
    let visits = visits(&eshop::read(&asked.file)?);
    let replayed = match asked.engine {
        Engine::Native => report::native(visits, asked.disturbance)?,
        Engine::Wasm => wasm::replay(visits, asked.disturbance)?,
    };
    println!("{}", replayed.line);
    Ok(())
}

fn parse(arguments: &[String]) -> Result<Asked, Failure> {
    let mut names = Vec::new();
    let mut asked =
        Asked { file: PathBuf::new(), disturbance: Disturbance::default(), engine: Engine::Native };
    let mut rest = arguments.iter().map(String::as_str);
    while let Some(argument) = rest.next() {
        match argument {
            "--shuffle" => asked.disturbance.shuffle = true,
            "--duplicates" => {
                let text = rest.next().unwrap_or_default();
                let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
                asked.disturbance.duplicates = share.ok_or_else(|| {
                    Failure::new(format!("--duplicates: `{text}` is not a share between 0 and 1"))
                })?;
            }
            "--engine" => {
                asked.engine = match rest.next().unwrap_or_default() {
                    "native" => Engine::Native,
                    "wasm" => Engine::Wasm,
                    other => {
                        return Err(Failure::new(format!("--engine: `{other}` is neither native nor wasm")));
                    }
                };
            }
            flag if flag.starts_with('-') => {
                return Err(Failure::new(format!("unknown flag `{flag}`; usage: {USAGE}")));
            }
            name => names.push(name),
        }
    }
    match names.as_slice() {
        ["eshop2008", file] => {
            asked.file = PathBuf::from(file);
            Ok(asked)
        }
        [other, _] => Err(Failure::new(format!("there is no data set `{other}`; usage: {USAGE}"))),
        _ => Err(Failure::new(format!("usage: {USAGE}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Result<Asked, Failure> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn flags_stand_anywhere() {
        let asked = asked("eshop2008 --duplicates 0.05 a.csv.gz --shuffle --engine wasm").unwrap();
        let disturbance = Disturbance { duplicates: 0.05, shuffle: true };
        assert_eq!(asked, Asked { file: "a.csv.gz".into(), disturbance, engine: Engine::Wasm });
    }

    #[test]
    fn mistakes_are_named() {
        for line in [
            "",
            "eshop2008",
            "other a",
            "eshop2008 a --x",
            "eshop2008 a --duplicates 2",
            "eshop2008 a --engine js",
        ] {
            assert!(asked(line).is_err(), "{line}");
        }
    }
}
