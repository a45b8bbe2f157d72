//! How long does a whole run take, and how much memory, beside programs that parse and print everything?
//!
//! ```text
//! cargo bench --bench compare                                the table, about eight minutes
//! cargo bench --bench compare -- quick                       a smaller one, about one
//! cargo bench --bench compare -- startup pipes               only these cases
//! cargo bench --bench compare -- generate cluster 50MB FILE  the data
//! cargo bench --bench compare -- stages FILE                 where the time goes, in this process
//! ```
//!
//! Each run is a process of its own. This one stays small: of the memory that the kernel says a child has used at most, the part
//! before its `exec` is ours.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a table is what it is asked for"
)]

#[path = "../data/mod.rs"]
mod data;

mod cases;
mod classic;
mod machine;
mod measure;
mod programs;
mod stages;
mod table;

use std::env;
use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::process::ExitCode;

use data::{Content, SEED, Spread, Until, Written};

fn main() -> ExitCode {
    // `cargo bench` adds `--bench`.
    let arguments: Vec<String> = env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["generate", content, size, file] => generate(content, size, Path::new(file)),
        ["classic"] => classic::run(),
        ["stages", file] => stages::run(Path::new(file)),
        words => table::Choice::of(words).and_then(|choice| table::make(&choice)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes a file of data, and says what is in it.
fn generate(content: &str, size: &str, file: &Path) -> Result<(), Box<dyn Error>> {
    let content = content_of(content, size)?;
    let Written {
        bytes,
        items,
        read,
        strict_scrapes,
    } = data::write(content, SEED, BufWriter::new(File::create(file)?))?;
    println!("{bytes} {items} {read} {strict_scrapes}");
    Ok(())
}

fn content_of(content: &str, size: &str) -> Result<Content, Box<dyn Error>> {
    let until = || -> Result<Until, Box<dyn Error>> {
        for (unit, factor) in [("kB", 1_000), ("MB", 1_000_000)] {
            if let Some(number) = size.strip_suffix(unit) {
                return Ok(Until::Bytes(number.parse::<u64>()? * factor));
            }
        }
        Ok(Until::Items(size.parse()?))
    };
    let scrapes =
        |spread| -> Result<Content, Box<dyn Error>> { Ok(Content::Scrapes(size.parse()?, spread)) };
    match content {
        "cluster" => Ok(Content::Cluster(until()?)),
        "read-kinds" => Ok(Content::ReadKinds(until()?)),
        "scrapes" => scrapes(Spread::Namespaces),
        "scrapes-in-one-namespace" => scrapes(Spread::OneNamespace),
        "scrapes-of-any-namespace" => scrapes(Spread::AnyNamespace),
        "scrape-endpoints" => Ok(Content::Endpoints(size.parse()?)),
        _ => Err(format!(
            "there is no content {content}: cluster, read-kinds, scrapes, scrapes-in-one-namespace, scrapes-of-any-namespace, scrape-endpoints"
        )
        .into()),
    }
}
