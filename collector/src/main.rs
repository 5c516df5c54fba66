//! The `attune` binary.

use attune_collector::Server;
use attune_collector::author::{self, Outcome};
use attune_collector::bundle::import_growthbook;
use attune_collector::log::{dump, verify};
use attune_collector::settings::{
    Command, ImportCommand, LogCommand, LogFormat, ServeArguments, Settings, nearly_variables, parse,
};
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let done = match parse(std::env::args_os()) {
        Ok(Command::Serve(arguments)) => serve(*arguments).map(|()| Outcome::Clean),
        Ok(Command::Bundle(command)) => author::bundle(&command),
        Ok(Command::Preview(arguments)) => author::preview(&arguments),
        Ok(Command::Simulate(arguments)) => author::simulate(&arguments),
        Ok(Command::Log(LogCommand::Dump(arguments))) => dump(&arguments.data_dir).map(|()| Outcome::Clean),
        Ok(Command::Log(LogCommand::Verify(arguments))) => verify(&arguments.data_dir)
            .map(|is_intact| if is_intact { Outcome::Clean } else { Outcome::Found }),
        Ok(Command::Import(ImportCommand::Growthbook(arguments))) => {
            import_growthbook(&arguments.payload, &arguments.output).map(|()| Outcome::Clean)
        }
        Err(error) => Err(error.to_string()),
    };
    match done {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("attune: {message}");
            ExitCode::FAILURE
        }
    }
}

fn serve(arguments: ServeArguments) -> Result<(), String> {
    start_logging(&arguments)?;
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for (variable, meant) in nearly_variables(names) {
        tracing::warn!(variable, "no setting has this variable; did you mean {meant}?");
    }
    let settings = Settings::check(arguments).map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
        let mut hangup = signal(SignalKind::hangup()).map_err(|error| error.to_string())?;
        let server = Server::start(settings).await.map_err(|error| error.to_string())?;
        println!("ready http://{}/", server.address());
        // Whoever started us may wait for the line; where nobody reads it, nothing is lost.
        let _ = io::stdout().flush();
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hangup.recv() => server.reload(),
            }
        }
        server.shutdown().await;
        Ok(())
    })
}

fn start_logging(arguments: &ServeArguments) -> Result<(), String> {
    let filter =
        EnvFilter::try_new(&arguments.log).map_err(|error| format!("--log: '{}': {error}", arguments.log))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    match arguments.log_format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
    Ok(())
}
