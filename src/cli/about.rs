//! What does the program say of itself, whatever the input is?
//!
//! Authority: clap for completions and the man page; man-pages(7) for the order of sections; JSON Schema.
//! Departs from it: one page tells of all commands, since none of them needs one of its own.
//! Knows: commands and their help texts. Does not know: inputs, configuration, decisions.

use clap::{Arg, Command, CommandFactory, Subcommand, ValueEnum};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};
use istio_scrape::config::{self, RuleName};
use istio_scrape::rules::Rule;
use istio_scrape::{report, yaml};

use super::arguments::Arguments;

const NAME: &str = env!("CARGO_PKG_NAME");
const MANUAL: &str = concat!(
    env!("CARGO_PKG_REPOSITORY"),
    "/blob/main/functions/istio-scrape-tls/README.md"
);
/// What the program listens to beside its arguments.
const ENVIRONMENT: [(&str, &str); 4] = [
    (
        super::REPORT_VARIABLE,
        "Where the report goes, if --report says nothing.",
    ),
    (
        super::context::ROOT_VARIABLE,
        "The folder that files of the context must lie below; not set: the working directory.",
    ),
    ("NO_COLOR", "Not empty: no colour on a terminal."),
    (
        "TERM",
        "dumb: no colour, and no line about what is waited for.",
    ),
];

/// What the program can print about itself.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum About {
    /// Print a JSON Schema: of the configuration, or of what `explain -o json` prints
    Schema {
        /// What is described
        #[arg(value_enum, default_value_t = Described::Config)]
        of: Described,
    },
    /// Print completions for a shell
    Completion {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print the man page, in roff
    Man,
}

/// What there is a description of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Described {
    /// The configuration, kind ScrapeTLS
    Config,
    /// The report: `explain -o json`, `--report`
    Report,
    /// The function, as an object of kind KRMFunctionDefinition
    Definition,
    /// The configuration of the second function, kind MeshMetrics
    MeshMetrics,
    /// The second function, as an object of kind KRMFunctionDefinition
    MeshMetricsDefinition,
}

impl About {
    /// The text that was asked for.
    pub(super) fn text(self) -> String {
        match self {
            Self::Schema { of } => schema(of),
            Self::Completion { shell } => completion(shell),
            Self::Man => man(Arguments::command()),
        }
    }
}

fn schema(of: Described) -> String {
    let rules: Vec<RuleName> = Rule::ALL
        .iter()
        .map(|rule| RuleName {
            name: rule.name(),
            means: rule.meaning(),
            severity: rule.severity(),
        })
        .collect();
    match of {
        Described::Config => format!("{:#}\n", config::of_scrape_tls(&rules)),
        Described::Report => format!("{:#}\n", report::schema::schema()),
        Described::Definition => yaml::block(&config::definition(&rules)),
        Described::MeshMetrics => format!("{:#}\n", config::of_mesh_metrics()),
        Described::MeshMetricsDefinition => yaml::block(&config::definition_of_mesh_metrics()),
    }
}

fn completion(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), NAME, &mut script);
    let script = String::from_utf8_lossy(&script);
    // In a name with a hyphen the script for bash calls one thing by two names, and then completes nothing behind a
    // command (clap-rs/clap#6421).
    match NAME.split_once('-') {
        Some((one, other)) if shell == Shell::Bash => script.replace(
            &format!("{one}__subcmd__{other}"),
            &format!("{one}__{other}"),
        ),
        _ => script.into_owned(),
    }
}

/// The man page. Of clap's own the parts that are right for one page about several commands.
fn man(mut command: Command) -> String {
    command.build();
    let after = command.get_after_help().map(ToString::to_string);
    let commands: Vec<Command> = command
        .get_subcommands()
        .filter(|one| !one.is_hide_set())
        .cloned()
        .collect();
    let page = Man::new(command.clone());
    // Not clap's title: without a date, which a page that is the same for everybody cannot have, it puts the version there.
    let version = command.get_version().unwrap_or_default();
    let title = format!(".TH ISTIO\\-SCRAPE 1 \"\" \"{NAME} {version}\" \"User Commands\"\n");
    let mut text = title.into_bytes();
    let parts = [
        Man::render_name_section,
        Man::render_synopsis_section,
        Man::render_description_section,
        Man::render_options_section,
    ];
    for part in parts {
        // Nothing fails that is written into memory.
        let _ = part(&page, &mut text);
    }
    let mut rest = Roff::new();
    rest.control("SH", ["COMMANDS"]);
    for one in &commands {
        described(&mut rest, one);
    }
    for (heading, lines) in after.as_deref().into_iter().flat_map(sections) {
        rest.control("SH", [heading.to_uppercase().as_str()]);
        rest.control("nf", []);
        for line in lines {
            rest.text([roman(line)]);
        }
        rest.control("fi", []);
    }
    rest.control("SH", ["ENVIRONMENT"]);
    for (variable, what) in ENVIRONMENT {
        rest.control("TP", []);
        rest.text([bold(variable)]);
        rest.text([roman(what)]);
    }
    rest.control("SH", ["SEE ALSO"]);
    rest.text([roman("All settings and rules: "), italic(MANUAL)]);
    String::from_utf8_lossy(&text).into_owned() + &rest.to_roff()
}

/// A command with its arguments.
fn described(page: &mut Roff, command: &Command) {
    let positional: Vec<Inline> = command
        .get_positionals()
        .flat_map(|arg| [roman(" "), italic(arg.to_string())])
        .collect();
    page.control("TP", []);
    page.text(
        [bold(command.get_name())]
            .into_iter()
            .chain(positional)
            .collect::<Vec<_>>(),
    );
    let about = command.get_about().map(ToString::to_string);
    page.text([roman(about.unwrap_or_default() + ".")]);
    // Inputs are told of once, above.
    let own = |arg: &&Arg| {
        let told = ["help", "inputs"].contains(&arg.get_id().as_str());
        !arg.is_global_set() && !arg.is_hide_set() && !told
    };
    let arguments: Vec<&Arg> = command.get_arguments().filter(own).collect();
    if arguments.is_empty() {
        return;
    }
    page.control("RS", []);
    for arg in arguments {
        let short = arg.get_short().map(|short| format!("-{short}, "));
        page.control("TP", []);
        page.text([bold(format!("{}{arg}", short.unwrap_or_default()))]);
        page.text([roman(said(arg))]);
    }
    page.control("RE", []);
}

/// What an argument is for, what it may be, and what it is if nobody says.
fn said(arg: &Arg) -> String {
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let names: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| value.get_name().to_owned())
        .collect();
    let values = match names.is_empty() || !arg.get_action().takes_values() {
        true => String::new(),
        false => format!(": {}", names.join(", ")),
    };
    let defaults: Vec<_> = arg
        .get_default_values()
        .iter()
        .map(|one| one.to_string_lossy())
        .collect();
    let default = match defaults.is_empty() {
        true => String::new(),
        false => format!("; by default {}", defaults.join(", ")),
    };
    format!("{help}{values}{default}.")
}

/// The paragraphs of a text that begin with `Heading:`, each with its lines.
fn sections(text: &str) -> Vec<(&str, Vec<&str>)> {
    text.split("\n\n")
        .filter_map(|paragraph| {
            let (heading, rest) = paragraph.split_once(':')?;
            let lines = rest.lines().map(str::trim).filter(|line| !line.is_empty());
            Some((heading, lines.collect()))
        })
        .collect()
}
