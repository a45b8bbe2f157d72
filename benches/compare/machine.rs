//! On which machine, and from which sources, were the figures taken?

use std::fs;
use std::process::Command;

/// What a program prints first; empty if it cannot be asked.
pub(crate) fn says(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    let text = output
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    text.lines().next().unwrap_or_default().trim().to_owned()
}

fn value(file: &str, key: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(key));
    let value = line.and_then(|line| line.split_once(':'));
    value.map_or_else(String::new, |(_, value)| value.trim().to_owned())
}

/// The load of the last minute: what else the machine has to do.
pub(crate) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// A list of what may matter.
pub(crate) fn described() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let changed = match says(
        "git",
        &["status", "--porcelain", "--untracked-files=no", "src"],
    )
    .is_empty()
    {
        true => "",
        false => ", with changes in src/",
    };
    format!(
        "- machine: {}, {cores} cores, {} of memory, Linux {}\n- built with: {}, {}; istio-scrape {}\n- of: {}{changed}, {}\n",
        value("/proc/cpuinfo", "model name"),
        value("/proc/meminfo", "MemTotal"),
        says("uname", &["-r"]),
        says("rustc", &["--version"]),
        match says("go", &["version"]) {
            none if none.is_empty() => "no Go".to_owned(),
            version => version,
        },
        match std::env::var_os("ISTIO_SCRAPE_BENCHED") {
            Some(_) => "as for a release, one static file",
            None => "as cargo builds it here",
        },
        says("git", &["log", "-1", "--format=%h %s"]),
        says("date", &["-u", "+%F %H:%M UTC"]),
    )
}
