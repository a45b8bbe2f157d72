//! Who waits at a terminal is told for what; nobody else sees anything of it.

#![allow(unreachable_pub, missing_docs, dead_code)]

mod support;

#[path = "support/program.rs"]
mod program;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use program::{ended, folder};
use support::did_not_run;

const INPUT: &str = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n";
const ERASE: &str = "\r\u{1b}[K";
/// Longer than anybody waits without being told.
const SLOWLY: &str = "(sleep 1.5; cat input.yaml) |";

/// What a terminal shows of a line in a shell, in which `$ISC` is the program; `None` without a terminal to try it on.
fn on_terminal(folder: &Path, term: &str, line: &str) -> Option<String> {
    if Command::new("script").arg("--version").output().is_err() {
        did_not_run(
            "lines on a terminal",
            "script (Debian package bsdutils) is not installed",
        );
        return None;
    }
    let mut command = Command::new("script");
    command
        .args(["--quiet", "--return", "--command", line, "/dev/null"])
        .current_dir(folder)
        .env("ISC", env!("CARGO_BIN_EXE_istio-scrape"))
        .env("TERM", term)
        .env_remove("NO_COLOR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let ended = ended(&mut command, b"");
    assert_eq!(ended.code, 0, "{ended}");
    // How much is seen of a step of milliseconds is chance.
    Some(
        ended
            .stdout
            .replace(&format!("{ERASE}istio-scrape: deciding …"), ""),
    )
}

fn with_input() -> tempfile::TempDir {
    folder(&[("input.yaml", INPUT)])
}

/// The output is whole, and the terminal has nothing left of the line.
#[test]
fn who_waits_for_stdin_is_told_so() {
    let folder = with_input();
    let line = format!("{SLOWLY} $ISC > output.yaml");
    let Some(shown) = on_terminal(folder.path(), "xterm", &line) else {
        return;
    };
    assert_eq!(
        shown,
        format!("{ERASE}istio-scrape: waiting for stdin …{ERASE}")
    );
    let output =
        std::fs::read_to_string(folder.path().join("output.yaml")).expect("it was written");
    assert_eq!(output, INPUT);
}

/// Where both go to the terminal, the line is gone before the result begins.
#[test]
fn the_line_is_gone_before_the_result() {
    let folder = with_input();
    let Some(shown) = on_terminal(folder.path(), "xterm", &format!("{SLOWLY} $ISC")) else {
        return;
    };
    let result = INPUT.replace('\n', "\r\n");
    assert_eq!(
        shown,
        format!("{ERASE}istio-scrape: waiting for stdin …{ERASE}{result}")
    );
}

#[test]
fn a_file_that_takes_its_time_is_told_of() {
    let folder = with_input();
    let line = "mkfifo slow.yaml; (sleep 1.5; cat input.yaml > slow.yaml) & $ISC slow.yaml input.yaml > output.yaml";
    let Some(shown) = on_terminal(folder.path(), "xterm", line) else {
        return;
    };
    assert_eq!(
        shown,
        format!("{ERASE}istio-scrape: reading 2 files …{ERASE}")
    );
}

#[test]
fn nobody_is_told_who_does_not_wait_or_cannot_take_a_line_back() {
    let folder = with_input();
    for (term, line) in [
        ("xterm", "$ISC input.yaml > output.yaml".to_owned()),
        ("dumb", format!("{SLOWLY} $ISC > output.yaml")),
        ("", format!("{SLOWLY} $ISC > output.yaml")),
        (
            "xterm",
            format!("{SLOWLY} $ISC 2> log > output.yaml; cat log"),
        ),
    ] {
        let Some(shown) = on_terminal(folder.path(), term, &line) else {
            return;
        };
        assert_eq!(shown, "", "TERM={term}: {line}");
    }
}

/// Of several tries one is not held up by whatever else the machine does.
#[test]
fn the_end_of_a_run_waits_for_nobody() {
    let folder = with_input();
    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        if on_terminal(folder.path(), "xterm", "$ISC input.yaml > output.yaml").is_none() {
            return;
        }
        fastest = fastest.min(start.elapsed());
    }
    assert!(fastest < Duration::from_millis(900), "{fastest:?}");
}
