//! The process that reads one file: from its standard input, to its standard output.

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

use rlimit::Resource;

use super::confinement::Confinement;
use super::{CONFINEMENT, Format};
use crate::text::decode::{clean, prefix};

/// Bytes of text that are handed back.
pub(super) const MOST_TEXT: usize = 1024 * 1024;
/// Bytes of addresses beside its memory: the program itself, which it shares with the server.
const PROGRAM: u64 = 256 * 1024 * 1024;
/// Most likely of all to be ended when memory is short: the server goes on without it.
const OOM_SCORE: &str = "1000";
/// Seconds of a processor.
const SECONDS: u64 = 20;
/// The standard streams, and one to spare.
const FILES: u64 = 4;

/// Reads a file as `arguments` say: its format (or `confinement`, for the layers that hold), and the bytes of memory that it may cost. The exit code is 0
/// when its text was written, and 1 with a sentence on the standard error when it has none. The limits come
/// before the first byte is read.
#[must_use]
pub fn extract_text(mut arguments: impl Iterator<Item = String>) -> ExitCode {
    let name = arguments.next().unwrap_or_default();
    let memory = arguments.next().and_then(|bytes| bytes.parse().ok());
    let memory = memory.ok_or_else(|| "the memory for it is not known".to_owned());
    match memory
        .and_then(confine)
        .and_then(|confinement| run(&name, confinement))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("{sentence}");
            ExitCode::FAILURE
        }
    }
}

fn confine(memory: u64) -> Result<Confinement, String> {
    std::fs::write("/proc/self/oom_score_adj", OOM_SCORE)
        .map_err(|error| format!("it cannot go first when memory is short: {error}"))?;
    let limits = [
        (Resource::DATA, memory),
        (Resource::AS, memory.saturating_add(PROGRAM)),
        (Resource::CPU, SECONDS),
        (Resource::FSIZE, 0),
        (Resource::NOFILE, FILES),
        (Resource::NPROC, 0),
        (Resource::CORE, 0),
    ];
    for (resource, most) in limits {
        resource
            .set(most, most)
            .map_err(|error| format!("{resource:?} cannot be limited: {error}"))?;
    }
    // What a reader says when it panics would fill the log of the server.
    std::panic::set_hook(Box::new(|_| {}));
    Ok(Confinement::enter())
}

fn run(name: &str, confinement: Confinement) -> Result<(), String> {
    if name == CONFINEMENT {
        return answer(&confinement.to_string());
    }
    let format = Format::parse(name).ok_or_else(|| format!("{name:?} is no format"))?;
    let mut file = Vec::new();
    std::io::stdin()
        .lock()
        .take(super::LARGEST + 1)
        .read_to_end(&mut file)
        .map_err(|error| error.to_string())?;
    let text = clean(&format.read(&file)?);
    answer(prefix(&text, MOST_TEXT))
}

fn answer(text: &str) -> Result<(), String> {
    let written = std::io::stdout().lock().write_all(text.as_bytes());
    written.map_err(|error| error.to_string())
}
