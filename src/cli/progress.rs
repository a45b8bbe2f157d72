//! What is a person told who waits?
//!
//! Authority: the programs that people know (cargo, git): one line on stderr of a terminal, gone when there is something to see.
//! Departs from nothing: who waits for less than a second, and what is no terminal, is told nothing.
//! Knows: steps of a run, the clock. Does not know: results.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long nobody is told anything.
const PATIENCE: Duration = Duration::from_secs(1);
/// Back to the first column, and nothing behind it.
const ERASE: &str = "\r\x1b[K";

/// What takes its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Whoever writes the input has not finished.
    Stdin,
    /// So many files are read.
    Files(usize),
    /// The library works.
    Deciding,
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => write!(out, "waiting for stdin"),
            Self::Files(1) => write!(out, "reading 1 file"),
            Self::Files(number) => write!(out, "reading {number} files"),
            Self::Deciding => write!(out, "deciding"),
        }
    }
}

/// What is known of the run.
#[derive(Debug, Default)]
struct State {
    step: Option<Step>,
    over: bool,
}

/// Tells what is waited for, until it is dropped.
#[derive(Debug, Default)]
pub(super) struct Progress {
    shared: Option<Arc<(Mutex<State>, Condvar)>>,
    teller: Option<JoinHandle<()>>,
}

impl Progress {
    /// For a person at a terminal that can take a line back; for nobody else.
    pub(super) fn start() -> Self {
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        if is_dumb || !io::stderr().is_terminal() {
            return Self::default();
        }
        let shared = Arc::new((Mutex::default(), Condvar::new()));
        let told = Arc::clone(&shared);
        let teller = thread::Builder::new().spawn(move || tell(&told));
        // Without a thread nothing is told, and nothing else is missing.
        Self {
            shared: Some(shared),
            teller: teller.ok(),
        }
    }

    /// The run has come to a step.
    pub(super) fn step(&self, step: Step) {
        if let Some(shared) = &self.shared {
            locked(&shared.0).step = Some(step);
            shared.1.notify_one();
        }
    }
}

impl Drop for Progress {
    /// When this returns, the line is gone: what comes next may be the result.
    fn drop(&mut self) {
        if let Some(shared) = &self.shared {
            locked(&shared.0).over = true;
            shared.1.notify_one();
        }
        if let Some(teller) = self.teller.take() {
            // It has nothing to say of how it ended.
            let _ = teller.join();
        }
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits, and then shows each step until the next or the end.
fn tell((state, changed): &(Mutex<State>, Condvar)) {
    let waited = changed.wait_timeout_while(locked(state), PATIENCE, |state| !state.over);
    let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
    let mut shown = None;
    while !state.over {
        if state.step != shown {
            shown = state.step;
            let line = shown.map_or_else(String::new, |step| format!("istio-scrape: {step} …"));
            say(&format!("{ERASE}{line}"));
        }
        state = changed.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
    if shown.is_some() {
        say(ERASE);
    }
}

fn say(text: &str) {
    // Who does not see it loses nothing.
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes());
    let _ = stderr.flush();
}
