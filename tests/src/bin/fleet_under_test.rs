//! The program that the tests start as the processes of a fleet: every command of Longshore, and
//! `crash-at PHASE SERVERS PIPELINE SLOT`, a worker that is killed in a phase of a transaction.

use std::env;
use std::process::ExitCode;

use longshore_tests::{crash_at, handlers};

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    if let ["crash-at", phase, servers, pipeline, slot] = arguments[..] {
        crash_at(phase.parse()?, servers, pipeline, slot)?;
        return Ok(ExitCode::FAILURE);
    }
    Ok(handlers().main())
}
