//! The program: arguments, and how it ends.

use std::process::ExitCode;

use docket_cli::arguments::{Arguments, program_name};
use docket_cli::screen::Screen;

#[tokio::main]
async fn main() -> ExitCode {
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        eprintln!("docketctl: a TLS provider is already installed");
        return ExitCode::from(2);
    }
    let name = program_name(std::env::args_os().next());
    let arguments = match Arguments::read(name, std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    match docket_cli::run(arguments, &mut Screen::terminal()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{name}: {problem}");
            problem.exit.into()
        }
    }
}
