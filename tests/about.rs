//! What the program prints about itself: completions in real shells, the man page in a real formatter.

#![allow(unreachable_pub, missing_docs, dead_code)]

mod support;

#[path = "support/program.rs"]
mod program;

use std::path::Path;
use std::process::Command;

use program::{Ended, ended, folder, run};
use support::did_not_run;

const SHELLS: [&str; 5] = ["bash", "elvish", "fish", "powershell", "zsh"];

/// A folder with the completions for a shell, `None` where there is no such shell.
fn completions(shell: &str) -> Option<tempfile::TempDir> {
    let there = Command::new(shell).arg("--version").output();
    if !there.is_ok_and(|output| output.status.success()) {
        did_not_run(
            &format!("completions in {shell}"),
            &format!("{shell} is not installed"),
        );
        return None;
    }
    let printed = run(&["completion", shell], "");
    assert_eq!(
        (printed.code, printed.stderr.as_str()),
        (0, ""),
        "{printed}"
    );
    Some(folder(&[
        ("completions", &printed.stdout),
        ("explained.yaml", ""),
    ]))
}

/// What a shell makes of a script, in the folder of the completions.
fn in_shell(shell: &str, folder: &Path, arguments: &[&str]) -> Vec<String> {
    let mut command = Command::new(shell);
    command
        .args(arguments)
        .current_dir(folder)
        .env("HOME", folder)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let Ended {
        code,
        stdout,
        stderr,
    } = ended(&mut command, b"");
    assert_eq!((code, stderr.as_str()), (0, ""), "{shell}: {stdout}");
    stdout.lines().map(str::to_owned).collect()
}

/// The words of a line, as bash hands them to whatever completes them.
fn in_bash(folder: &Path, words: &[&str]) -> Vec<String> {
    let script = r#"
        source ./completions
        how=$(complete -p istio-scrape); function=${how#* -F }; function=${function%% *}
        COMP_WORDS=(istio-scrape "$@"); COMP_CWORD=$#; COMP_LINE="istio-scrape $*"; COMP_POINT=${#COMP_LINE}
        "$function" istio-scrape "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let arguments = [&["--norc", "-c", script, "bash"], words].concat();
    in_shell("bash", folder, &arguments)
}

#[test]
fn bash_completes_commands_formats_and_files() {
    let Some(folder) = completions("bash") else {
        return;
    };
    let completed = |words: &[&str]| in_bash(folder.path(), words);
    assert_eq!(completed(&["ex"]), ["explain"]);
    let formats = completed(&["explain", "-o", ""]);
    assert!(
        formats.contains(&"table".to_owned()) && formats.contains(&"json".to_owned()),
        "{formats:?}"
    );
    assert_eq!(completed(&["explain", "--output", "js"]), ["json"]);
    assert_eq!(completed(&["--config", "explain"]), ["explained.yaml"]);
    let shells = completed(&["completion", ""]);
    assert!(
        SHELLS
            .iter()
            .all(|shell| shells.contains(&(*shell).to_owned())),
        "{shells:?}"
    );
}

#[test]
fn fish_completes_commands_and_formats() {
    let Some(folder) = completions("fish") else {
        return;
    };
    let completed = |line: &str| -> Vec<String> {
        let script = format!("source ./completions; complete -C '{line}'");
        in_shell("fish", folder.path(), &["--no-config", "-c", &script])
            .iter()
            .filter_map(|line| Some(line.split('\t').next()?.to_owned()))
            .collect()
    };
    assert_eq!(
        completed("istio-scrape expl"),
        ["explain", "explained.yaml"]
    );
    assert_eq!(completed("istio-scrape explain -o js"), ["json"]);
}

#[test]
fn zsh_takes_the_completions() {
    let Some(folder) = completions("zsh") else {
        return;
    };
    let script = "autoload -Uz compinit && compinit -u -D && source ./completions && print -r -- $_comps[istio-scrape] \
                  && print -r -- ${(M)${(f)\"$(_istio-scrape_commands() { functions -x2 _istio-scrape }; _istio-scrape_commands)\"}:#*explain*}";
    let printed = in_shell("zsh", folder.path(), &["-f", "-c", script]);
    assert_eq!(printed[0], "_istio-scrape");
    assert!(printed[1].contains("explain"), "{printed:?}");
}

#[test]
fn there_are_completions_for_every_shell() {
    for shell in SHELLS {
        let printed = run(&["completion", shell], "");
        assert!(
            printed.code == 0 && printed.stdout.contains("explain"),
            "{shell}: {printed}"
        );
    }
    assert_eq!(run(&["completion", "tcsh"], "").code, 2);
    assert_eq!(run(&["completion"], "").code, 2);
}

/// groff's `-ww` warns of all that it knows to warn of.
#[test]
fn the_man_page_is_printed_without_warnings() {
    let page = run(&["man"], "");
    assert_eq!((page.code, page.stderr.as_str()), (0, ""), "{page}");
    let mut groff = Command::new("groff");
    groff.args(["-man", "-ww", "-Tutf8", "-rLL=100n"]);
    groff
        .env("GROFF_NO_SGR", "1")
        .stdin(std::process::Stdio::piped());
    groff
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    if Command::new("groff").arg("--version").output().is_err() {
        did_not_run("the man page in groff", "groff is not installed");
        return;
    }
    let formatted = ended(&mut groff, page.stdout.as_bytes());
    assert_eq!(
        (formatted.code, formatted.stderr.as_str()),
        (0, ""),
        "{formatted}"
    );
    // Bold is a letter, backspace, the letter again.
    let characters: Vec<char> = formatted.stdout.chars().collect();
    let text: String = (0..characters.len())
        .filter(|&i| characters[i] != '\u{8}' && characters.get(i + 1) != Some(&'\u{8}'))
        .map(|i| characters[i])
        .collect();
    for said in [
        "NAME",
        "SYNOPSIS",
        "OPTIONS",
        "COMMANDS",
        "EXIT CODES",
        "ENVIRONMENT",
        "--config <FILE>",
        "explain [INPUT]...",
        "ISTIO_SCRAPE_CONTEXT_ROOT",
    ] {
        assert!(text.contains(said), "{said} is missing:\n{text}");
    }
}

/// They look at no input: a pipe that stays open is nothing to wait for, and settings are none of theirs.
#[test]
fn who_asks_about_the_program_is_not_asked_for_inputs() {
    for arguments in [&["schema"][..], &["man"], &["completion", "bash"]] {
        let mut command = program::program(arguments);
        let mut child = command.spawn().expect("the program starts");
        let open = child.stdin.take();
        let output = child.wait_with_output().expect("it ends");
        drop(open);
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{arguments:?}"
        );
        let with_config = [&["--config", "c.yaml"], arguments].concat();
        assert_eq!(run(&with_config, "").code, 2, "{arguments:?}");
    }
}
