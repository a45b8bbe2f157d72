//! What does the command do with its arguments, its files and its streams?
//!
//! Authority: clap for arguments; kubectl diff, kustomize and kpt for exit codes and streams.
//! Departs from them: nothing is written to stdout before everything is known.
//! Knows: the shell around the library. Does not know: what is decided about an object.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
