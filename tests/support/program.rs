//! The built program, run as a user runs it.

use std::fmt;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// How a run ended. As text: exit code, stdout and stderr, for snapshots.
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "exit code {}", self.code)?;
        writeln!(f, "stdout:\n{}", self.stdout)?;
        write!(f, "stderr:\n{}", self.stderr)
    }
}

/// The program, with nothing of the surroundings that it listens to.
pub fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_istio-scrape"));
    command
        .args(arguments)
        .env_remove("ISTIO_SCRAPE_REPORT")
        .env_remove("ISTIO_SCRAPE_CONTEXT_ROOT")
        .env_remove("CLICOLOR_FORCE")
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs a command with this on stdin.
pub fn ended(command: &mut Command, stdin: &[u8]) -> Ended {
    let mut child = command
        .spawn()
        .expect("the program was built for this test");
    let mut pipe = child.stdin.take().expect("stdin is piped");
    let output = std::thread::scope(|scope| {
        // The program may end without reading everything.
        scope.spawn(move || pipe.write_all(stdin).ok());
        child
            .wait_with_output()
            .expect("the child is ours to wait for")
    });
    Ended {
        code: output.status.code().expect("the program ends by itself"),
        stdout: String::from_utf8(output.stdout).expect("stdout is text"),
        stderr: String::from_utf8(output.stderr).expect("stderr is text"),
    }
}

/// Runs the program with this on stdin.
pub fn run(arguments: &[&str], stdin: &str) -> Ended {
    ended(&mut program(arguments), stdin.as_bytes())
}

/// Runs the program in a folder, with nothing on stdin.
pub fn run_in(folder: &Path, arguments: &[&str]) -> Ended {
    ended(program(arguments).current_dir(folder), b"")
}

/// A folder with these files.
pub fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for (name, text) in files {
        let path = folder.path().join(name);
        let parent = path.parent().expect("a file is in a folder");
        std::fs::create_dir_all(parent).expect("the folder is ours");
        std::fs::write(path, text).expect("the folder is ours");
    }
    folder
}
