//! Where does the time of a run go?
//!
//! Each stage by itself, over the library's own functions, in one process. What a later stage needs of an earlier one is not part
//! of its time.

use std::error::Error;
use std::fs;
use std::io::{Seek as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use istio_scrape::config::Config;
use istio_scrape::krm::{self, Source};
use istio_scrape::{Flags, model, rules, yaml};

const RUNS: usize = 5;

/// Prints a table for a file.
pub(crate) fn run(file: &Path) -> Result<(), Box<dyn Error>> {
    let (reading, text) = timed(|| Ok(fs::read_to_string(file)?))?;
    let size = text.len();
    let beside = file.with_extension("output");
    let sources = [Source::named("-", text)];
    let config = Config::default();
    let flags = Flags {
        without_report: true,
        ..Flags::default()
    };

    let (outlining, _) =
        timed(|| Ok(yaml::outline(&sources[0].text, "items").map_or(0, |o| o.len())))?;
    let (opening, package) = timed(|| {
        krm::outlined(&sources, model::reads).ok_or_else(|| "the text has no outline".into())
    })?;
    let readings = package.form.rules();
    let (values, objects) = timed(|| {
        let items = package.items.iter().enumerate();
        let read =
            items.filter(|(_, item)| model::reads(&item.api_version, &item.kind, &item.name));
        let values = read.map(|(position, item)| {
            let passed_over = model::passed_over(&item.api_version, &item.kind);
            let quick = item.value.lines();
            let quick = quick.and_then(|lines| lines.value(readings, passed_over));
            let read = quick.ok_or_else(|| format!("{} is not read line by line", item.name))?;
            Ok((position, read.value))
        });
        values.collect::<Result<Vec<_>, Box<dyn Error>>>()
    })?;
    let (modelling, inventory) = timed(|| {
        let mut found = model::Found::default();
        for (position, value) in &objects {
            found.take(*position, value, usize::MAX, &config);
        }
        Ok(found.inventory())
    })?;
    let (deciding, decisions) = timed(|| Ok(rules::decide(&inventory, &config)))?;
    let (closing, output) = timed(|| Ok(krm::close(&package, &[], &[], &[])?))?;
    // Not made anew for each run: some file systems wait for the disk when a file is emptied.
    let mut written = fs::File::create(&beside)?;
    let (writing, ()) = timed(|| {
        written.rewind()?;
        for piece in output.pieces() {
            written.write_all(piece.as_bytes())?;
        }
        Ok(())
    })?;
    fs::remove_file(&beside)?;
    let (whole, _) = timed(|| Ok(istio_scrape::run(&sources, &flags)?))?;

    let named = [opening, values, modelling, deciding, closing];
    let rest = whole.saturating_sub(named.iter().sum());
    println!("| stage | ms | MB/s |\n|---|---|---|");
    for (stage, time) in [
        ("the file into memory, checked for UTF-8", reading),
        ("`yaml::outline`: text to maps, part of the next", outlining),
        ("`krm::outlined`: text to items", opening),
        (
            "values of the items of kinds that we read, by one thread",
            values,
        ),
        (
            "`model::read`: values to the inventory, by one thread",
            modelling,
        ),
        ("`rules::decide`: the inventory to decisions", deciding),
        ("`krm::close`: the output, without edits", closing),
        ("writing it into a file", writing),
        ("all else of `run`: edits and their check, findings", rest),
        ("`run` as a whole", whole),
    ] {
        let seconds = time.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "it is rounded to MB")]
        let rate = size as f64 / 1e6 / seconds.max(1e-9);
        println!("| {stage} | {:.2} | {rate:.0} |", seconds * 1000.0);
    }
    println!(
        "\n{} items, {} of kinds that we read, {} decisions; median of {RUNS}.",
        package.items.len(),
        objects.len(),
        decisions.len()
    );
    Ok(())
}

/// The median time, and the last result.
fn timed<T>(
    mut stage: impl FnMut() -> Result<T, Box<dyn Error>>,
) -> Result<(Duration, T), Box<dyn Error>> {
    let mut times = Vec::new();
    let mut last = None;
    for _ in 0..RUNS {
        // Its memory is given back outside of the time of the next.
        drop(last.take());
        let start = Instant::now();
        last = Some(stage()?);
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok((times[RUNS / 2], last.ok_or("no runs")?))
}
