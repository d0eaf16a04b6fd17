//! The process: settings in, exit code out.

use std::process::ExitCode;

use clap::Parser as _;
use docket_api_server::{Settings, server};
use docket_platform::tenant::Tenant;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

/// Exit code of a configuration that cannot be used.
const BAD_CONFIGURATION: u8 = 2;
/// Exit code of everything else.
const FAILURE: u8 = 1;

fn main() -> ExitCode {
    // The server runs itself again for each file that it reads the text of.
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(docket_documents::SUBCOMMAND) {
        return docket_documents::extract_text(arguments);
    }
    // Nobody of the same user, the process that reads files least of all, looks into what has all passwords.
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        return end(FAILURE, &error.into());
    }
    let settings = Settings::parse();
    docket_platform::install_crypto();
    let tenant = match Tenant::load(&settings.config) {
        Ok(tenant) => tenant,
        Err(error) => return end(BAD_CONFIGURATION, &error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return end(FAILURE, &error.into()),
    };
    match runtime.block_on(server::run(settings, tenant)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => end(FAILURE, &error),
    }
}

fn end(code: u8, error: &anyhow::Error) -> ExitCode {
    let sentence = format!("docket-api-server: {error:#}");
    eprintln!("{}", docket_instrumentation::redact(&sentence));
    ExitCode::from(code)
}
