//! How is what was measured told?

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cases::{AT_MOST, CASES, Case, FEW, GROWING, GROWTH, MANY, MEMORY, STAGES, START};
use crate::data::dice::Dice;
use crate::data::{SEED, Written};
use crate::machine;
use crate::measure::{self, Figures, Way};
use crate::programs::{Programs, Who};

/// Begins what is written anew on the page.
const LAST: &str = "## The last figures\n";

/// What was asked for.
pub(crate) struct Choice {
    pub(crate) quick: bool,
    /// Write the table into benches/README.md.
    pub(crate) page: bool,
    /// Names of cases; none: all.
    pub(crate) cases: Vec<String>,
}

impl Choice {
    pub(crate) fn of(words: &[&str]) -> Result<Self, Box<dyn Error>> {
        let has = |word: &str| words.contains(&word);
        let cases: Vec<String> = words
            .iter()
            .filter(|word| !["quick", "page"].contains(*word))
            .map(|word| (*word).to_owned())
            .collect();
        let known: Vec<&str> = CASES
            .iter()
            .map(|case| case.name)
            .chain([GROWTH, STAGES])
            .collect();
        match cases.iter().find(|case| !known.contains(&case.as_str())) {
            Some(unknown) => Err(format!(
                "there is no case {unknown}: {}, quick, page",
                known.join(", ")
            )
            .into()),
            None => Ok(Self {
                quick: has("quick"),
                page: has("page"),
                cases,
            }),
        }
    }

    fn has(&self, case: &str) -> bool {
        self.cases.is_empty() || self.cases.iter().any(|chosen| chosen == case)
    }
}

/// Measures, prints and keeps the table.
pub(crate) fn make(choice: &Choice) -> Result<(), Box<dyn Error>> {
    // Beside the program: in target/, whatever it is called here.
    let beside = Path::new(env!("CARGO_BIN_EXE_istio-scrape"))
        .ancestors()
        .nth(2);
    let folder = beside.ok_or("no folder for the data")?.join("bench-data");
    fs::create_dir_all(&folder)?;
    let before = machine::load();
    let mut bench = Bench {
        quick: choice.quick,
        programs: Programs::built(&folder)?,
        folder,
        dice: Dice::of(SEED),
        text: String::new(),
        targets: String::from("| target | wanted | measured | |\n|---|---|---|---|\n"),
    };
    for case in CASES.iter().filter(|case| choice.has(case.name)) {
        let size = match choice.quick {
            true => case.quick_size,
            false => case.size,
        };
        if !size.is_empty() {
            bench.case(case, size)?;
        }
    }
    if choice.has(GROWTH) {
        bench.growth()?;
    }
    if choice.has(STAGES) {
        bench.stages(match choice.quick {
            true => "10MB",
            false => "50MB",
        })?;
    }
    let text = format!(
        "{LAST}\n{}- load of the machine (1 minute): {before} before, {} after\n{}\n{}\n{}",
        machine::described(),
        machine::load(),
        (bench.programs.left_out.iter()).fold(String::new(), |all, one| all + "- " + one + "\n"),
        bench.targets,
        bench.text
    );
    println!("{text}");
    fs::write(bench.folder.join("results.md"), &text)?;
    if choice.page {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/README.md");
        let old = fs::read_to_string(&page)?;
        let kept = old
            .split_once(LAST)
            .ok_or(format!("{} lacks {LAST:?}", page.display()))?;
        fs::write(&page, format!("{}{}\n", kept.0, text.trim_end()))?;
    }
    Ok(())
}

struct Bench {
    quick: bool,
    folder: PathBuf,
    programs: Programs,
    dice: Dice,
    text: String,
    targets: String,
}

impl Bench {
    /// A file of data. Another process writes it: the memory of this one has to stay small.
    fn data(&self, content: &str, size: &str) -> Result<(PathBuf, Written), Box<dyn Error>> {
        let file = self.folder.join(format!("{content}-{size}.yaml"));
        let output = self
            .programs
            .itself()
            .args(["generate", content, size])
            .arg(&file)
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        let said = String::from_utf8(output.stdout)?;
        let numbers: Result<Vec<u64>, _> = said.split_whitespace().map(str::parse).collect();
        match numbers?.as_slice() {
            &[bytes, items, read, strict_scrapes] => Ok((
                file,
                Written {
                    bytes,
                    items: usize::try_from(items)?,
                    read,
                    strict_scrapes: usize::try_from(strict_scrapes)?,
                },
            )),
            _ => Err(said.into()),
        }
    }

    /// Runs a program once before it counts, and looks whether it did what it should.
    fn warm_up(
        &self,
        command: &mut Command,
        file: &Path,
        expected: Option<usize>,
    ) -> Result<(), Box<dyn Error>> {
        let output = self.folder.join("output.yaml");
        let status = command
            .stdin(fs::File::open(file)?)
            .stdout(fs::File::create(&output)?)
            .stderr(std::process::Stdio::null())
            .status()?;
        measure::succeeded(status, command)?;
        if let Some(expected) = expected {
            let found = lines_with(&output, "scheme: https")?;
            if found != expected {
                return Err(format!(
                    "{command:?}: {found} endpoints are https, {expected} should be"
                )
                .into());
            }
        }
        fs::remove_file(output)?;
        Ok(())
    }

    /// How often a program is run that is usually run so often.
    fn runs(&self, usual: usize) -> usize {
        match self.quick {
            true => usual.div_ceil(3),
            false => usual,
        }
    }

    fn case(&mut self, case: &Case, size: &str) -> Result<(), Box<dyn Error>> {
        eprintln!("{}: {size}", case.title);
        let (file, written) = self.data(case.content, size)?;
        let mut who = Vec::new();
        let mut programs = Vec::new();
        for (one, runs) in case.runs {
            let Some(mut command) = self.programs.command(*one, &file) else {
                continue;
            };
            let expected = one.patches().then_some(written.strict_scrapes);
            // The slow ones are looked at where that takes seconds.
            if *runs > 3 {
                self.warm_up(&mut command, &file, expected)?;
            }
            who.push(*one);
            programs.push((command, self.runs(*runs)));
        }
        let figures = measure::mixed(&mut programs, &file, case.way, &mut self.dice)?;
        let figures: Vec<(Who, Figures)> = who.into_iter().zip(figures).collect();
        self.tell(case, size, written, &figures)?;
        fs::remove_file(file)?;
        Ok(())
    }

    fn tell(
        &mut self,
        case: &Case,
        size: &str,
        written: Written,
        figures: &[(Who, Figures)],
    ) -> Result<(), Box<dyn Error>> {
        let of = |who: Who| {
            figures
                .iter()
                .find(|(one, _)| *one == who)
                .map(|(_, figures)| figures)
        };
        let ours = *of(Who::Ours).ok_or("every case has istio-scrape in it")?;
        let input = mega(written.bytes);
        let title = match size == case.size {
            true => case.title.to_owned(),
            false => format!("{}, but {size}", case.title),
        };
        writeln!(
            self.text,
            "### {title}\n\n{}, {input:.3} MB: {} items, {:.3} MB of kinds that we read, {} scrape objects to patch.\n",
            match case.way {
                Way::File => "`program < FILE > /dev/null`",
                Way::Pipes => "`cat FILE | program | cat > /dev/null`",
            },
            written.items,
            mega(written.read),
            written.strict_scrapes
        )?;
        self.text.push_str("| | ms, median [min..max] | as a ratio | peak MB | per input | runs |\n|---|---|---|---|---|---|\n");
        for (who, figures) in figures {
            writeln!(
                self.text,
                "| {} | {figures} | {:.3} | {:.1} | {} | {} |",
                who.name(),
                figures.millis() / ours.millis(),
                mega(figures.memory),
                match written.bytes >= MEMORY.2 {
                    true => format!("{:.2}", mega(figures.memory) / input),
                    false => "-".to_owned(),
                },
                figures.runs
            )?;
        }
        self.text.push('\n');

        for (who, wanted) in case.wanted {
            let (wanted_text, measured) = match of(*who) {
                Some(figures) => (
                    format!("≥ {wanted}×"),
                    Some(figures.millis() / ours.millis()),
                ),
                None => (format!("≥ {wanted}×"), None),
            };
            self.target(
                &format!("{title}: faster than {}", who.name()),
                &wanted_text,
                measured.map(|ratio| (format!("{ratio:.1}×"), ratio >= *wanted)),
            )?;
        }
        if let Some(nothing) = of(Who::True) {
            let above = ours.millis() - nothing.millis();
            let fastest = ours.fastest() - nothing.fastest();
            self.target(
                &format!("{title}: above `true`"),
                &format!("≤ {START} ms"),
                Some((
                    format!("{above:.2} ms; the fastest runs: {fastest:.2} ms"),
                    above <= START,
                )),
            )?;
        }
        let (factor, more, from) = MEMORY;
        if written.bytes >= from {
            let most = factor * input + more / 1e6;
            let used = mega(ours.memory);
            self.target(
                &format!("{title}: peak memory"),
                &format!("≤ {factor} × input + {:.0} MB = {most:.0} MB", more / 1e6),
                Some((format!("{used:.0} MB"), used <= most)),
            )?;
        }
        Ok(())
    }

    fn growth(&mut self) -> Result<(), Box<dyn Error>> {
        self.text.push_str("### How cost grows\n\nScrape objects over as many Services and workloads, all of them patched; ms, median [min..max].\n\n");
        writeln!(
            self.text,
            "| scrape objects | {} | {} | ratio |\n|---|---|---|---|",
            FEW.0, MANY.0
        )?;
        for (content, title) in GROWING {
            eprintln!("How cost grows: {title}");
            let mut both = Vec::new();
            for (size, runs) in [FEW, MANY] {
                let (file, written) = self.data(content, size)?;
                let mut command = self
                    .programs
                    .command(Who::Ours, &file)
                    .ok_or("it was built")?;
                self.warm_up(&mut command, &file, Some(written.strict_scrapes))?;
                both.extend(measure::mixed(
                    &mut [(command, self.runs(runs))],
                    &file,
                    Way::File,
                    &mut self.dice,
                )?);
                fs::remove_file(file)?;
            }
            let (few, many) = (both[0], both[1]);
            let ratio = many.millis() / few.millis();
            writeln!(self.text, "| {title} | {few} | {many} | {ratio:.1} |")?;
            self.target(
                &format!("ten times the scrape objects, {title}"),
                &format!("≤ {AT_MOST} × the time"),
                Some((format!("{ratio:.1} ×"), ratio <= AT_MOST)),
            )?;
        }
        self.text.push('\n');
        Ok(())
    }

    /// Of the same data as the cases above, in a process of its own.
    fn stages(&mut self, size: &str) -> Result<(), Box<dyn Error>> {
        for (content, title) in [
            ("cluster", "as from kustomize"),
            ("read-kinds", "all items of kinds that we read"),
        ] {
            eprintln!("Stages: {title}");
            let (file, _) = self.data(content, size)?;
            let output = self.programs.itself().arg("stages").arg(&file).output()?;
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).into());
            }
            let table = String::from_utf8(output.stdout)?;
            writeln!(self.text, "### Stages: {size}, {title}\n\n{table}")?;
            fs::remove_file(file)?;
        }
        Ok(())
    }

    /// `None`: there was nothing to compare with.
    fn target(
        &mut self,
        what: &str,
        wanted: &str,
        measured: Option<(String, bool)>,
    ) -> Result<(), Box<dyn Error>> {
        let (measured, met) = match measured {
            Some((measured, true)) => (measured, "met"),
            Some((measured, false)) => (measured, "**missed**"),
            None => ("-".to_owned(), "not measured"),
        };
        Ok(writeln!(
            self.targets,
            "| {what} | {wanted} | {measured} | {met} |"
        )?)
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is rounded")]
fn mega(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// How many lines have this in them. The file may be larger than what this process may take.
fn lines_with(file: &Path, needle: &str) -> Result<usize, Box<dyn Error>> {
    use std::io::BufRead as _;
    let mut reader = std::io::BufReader::new(fs::File::open(file)?);
    let (mut line, mut found) = (String::new(), 0);
    while reader.read_line(&mut line)? > 0 {
        found += usize::from(line.contains(needle));
        line.clear();
    }
    Ok(found)
}
