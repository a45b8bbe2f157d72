//! How long does one run of a program take, from its start to its end, and how much memory does it use at most?

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4 as _;

use crate::data::dice::Dice;

/// One run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    time: Duration,
    /// Peak of resident memory in bytes.
    memory: u64,
}

/// How the input comes in and the output goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// `program < FILE > /dev/null`
    File,
    /// `cat FILE | program | cat > /dev/null`
    Pipes,
}

/// Runs a program once. What it says on stderr is thrown away.
pub(crate) fn run(program: &mut Command, input: &Path, way: Way) -> Result<Run, Box<dyn Error>> {
    program.stderr(Stdio::null());
    match way {
        Way::File => {
            program.stdin(File::open(input)?).stdout(Stdio::null());
            let start = Instant::now();
            let ended = program.spawn()?.wait4()?;
            let time = start.elapsed();
            succeeded(ended.status, program)?;
            Ok(Run {
                time,
                memory: ended.rusage.maxrss,
            })
        }
        Way::Pipes => {
            let start = Instant::now();
            let mut before = Command::new("cat")
                .arg(input)
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .spawn()?;
            let mut child = program
                .stdin(taken(&mut before)?)
                .stdout(Stdio::piped())
                .spawn()?;
            let mut after = Command::new("cat")
                .stdin(taken(&mut child)?)
                .stdout(Stdio::null())
                .spawn()?;
            // Or its end of the pipe would stay open here, and `cat` would wait for more.
            program.stdin(Stdio::null());
            let ended = child.wait4()?;
            after.wait()?;
            let time = start.elapsed();
            before.wait()?;
            succeeded(ended.status, program)?;
            Ok(Run {
                time,
                memory: ended.rusage.maxrss,
            })
        }
    }
}

fn taken(child: &mut Child) -> Result<Stdio, Box<dyn Error>> {
    Ok(child.stdout.take().ok_or("stdout is a pipe")?.into())
}

pub(crate) fn succeeded(status: ExitStatus, program: &Command) -> Result<(), Box<dyn Error>> {
    match status.success() {
        true => Ok(()),
        false => Err(format!("{program:?}: {status}").into()),
    }
}

/// Several runs of one program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) runs: usize,
    median: Duration,
    min: Duration,
    max: Duration,
    pub(crate) memory: u64,
}

impl Figures {
    /// Of at least one run.
    pub(crate) fn of(runs: &[Run]) -> Self {
        let mut times: Vec<Duration> = runs.iter().map(|run| run.time).collect();
        times.sort_unstable();
        let at = |index: usize| times.get(index).copied().unwrap_or_default();
        Self {
            runs: runs.len(),
            median: (at(times.len() / 2) + at((times.len().max(1) - 1) / 2)) / 2,
            min: at(0),
            max: at(times.len().max(1) - 1),
            memory: runs.iter().map(|run| run.memory).max().unwrap_or_default(),
        }
    }

    pub(crate) fn millis(&self) -> f64 {
        self.median.as_secs_f64() * 1000.0
    }

    pub(crate) fn fastest(&self) -> f64 {
        self.min.as_secs_f64() * 1000.0
    }
}

/// `128 [110..305]`, in milliseconds.
impl fmt::Display for Figures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = match self.millis() {
            few if few < 20.0 => 2,
            some if some < 200.0 => 1,
            _ => 0,
        };
        let [median, min, max] =
            [self.median, self.min, self.max].map(|time| time.as_secs_f64() * 1000.0);
        write!(out, "{median:.digits$} [{min:.digits$}..{max:.digits$}]")
    }
}

/// Runs each program as often as it says, all of them mixed: what else the machine does meanwhile befalls all alike.
pub(crate) fn mixed(
    programs: &mut [(Command, usize)],
    input: &Path,
    way: Way,
    dice: &mut Dice,
) -> Result<Vec<Figures>, Box<dyn Error>> {
    let mut order: Vec<usize> = (programs.iter().enumerate())
        .flat_map(|(index, (_, runs))| std::iter::repeat_n(index, *runs))
        .collect();
    for last in (1..order.len()).rev() {
        order.swap(last, dice.below(last + 1));
    }
    let mut runs = vec![Vec::new(); programs.len()];
    for index in order {
        runs[index].push(run(&mut programs[index].0, input, way)?);
    }
    Ok(runs.iter().map(|runs| Figures::of(runs)).collect())
}
