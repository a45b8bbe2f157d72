//! Which programs are compared?

use std::env;
use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// Does nothing: what starting a process costs.
    True,
    /// Copies: what reading and writing costs.
    Cat,
    /// This program, reading stdin.
    Ours,
    /// This program, told the name of the file.
    OursByName,
    /// Everything read by a serde YAML crate, patched by json-patch, printed again.
    Classic,
    /// A function in Go with kyaml.
    Go,
}

impl Who {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Who::True => "`true`",
            Who::Cat => "`cat`",
            Who::Ours => "**istio-scrape**",
            Who::OursByName => "istio-scrape FILE",
            Who::Classic => "yaml_serde + json-patch",
            Who::Go => "Go, kyaml",
        }
    }

    /// Whether it patches what is to be patched.
    pub(crate) fn patches(self) -> bool {
        !matches!(self, Who::True | Who::Cat)
    }
}

pub(crate) struct Programs {
    itself: PathBuf,
    ours: PathBuf,
    go: Option<PathBuf>,
    /// What is left out, and why.
    pub(crate) left_out: Vec<String>,
}

impl Programs {
    /// Builds the peer in Go, where Go is at hand, and installs all of them in a folder.
    pub(crate) fn built(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let peer = folder.join("peer-kyaml-built");
        let build = Command::new("go")
            .args(["build", "-trimpath", "-o"])
            .args([&peer, Path::new(".")])
            .env("GOTOOLCHAIN", "auto")
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peer-kyaml"))
            .output();
        let why = match build {
            Ok(output) if output.status.success() => None,
            Ok(output) => {
                let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
                Some(stderr.lines().last().unwrap_or_default().to_owned())
            }
            Err(error) => Some(format!("go: {error}")),
        };
        let go = why
            .is_none()
            .then(|| installed(&peer, folder, "peer-kyaml"));
        Ok(Self {
            itself: installed(&env::current_exe()?, folder, "compare")?,
            ours: installed(&benched(), folder, "istio-scrape")?,
            go: go.transpose()?,
            left_out: why
                .map(|why| {
                    format!(
                        "left out: {}, which cannot be built here: {why}",
                        Who::Go.name()
                    )
                })
                .into_iter()
                .collect(),
        })
    }

    pub(crate) fn itself(&self) -> Command {
        Command::new(&self.itself)
    }

    /// `None`: it is not here.
    pub(crate) fn command(&self, who: Who, input: &Path) -> Option<Command> {
        Some(match who {
            Who::True => Command::new("true"),
            Who::Cat => Command::new("cat"),
            Who::Ours => self.ours(),
            Who::OursByName => {
                let mut command = self.ours();
                command.arg(input);
                command
            }
            Who::Classic => {
                let mut command = self.itself();
                command.arg("classic");
                command
            }
            Who::Go => Command::new(self.go.as_ref()?),
        })
    }

    /// Without what it listens to.
    fn ours(&self) -> Command {
        let mut command = Command::new(&self.ours);
        command
            .env_remove("ISTIO_SCRAPE_REPORT")
            .env_remove("ISTIO_SCRAPE_CONTEXT_ROOT");
        command
    }
}

/// A copy of a program, such as its users have. Linkers write a program in many pieces, and in as many the kernel keeps it,
/// which makes each start take longer than that of the same bytes unpacked from an archive.
fn installed(program: &Path, folder: &Path, name: &str) -> io::Result<PathBuf> {
    let installed = folder.join(format!("{name}{}", env::consts::EXE_SUFFIX));
    fs::copy(program, &installed)?;
    Ok(installed)
}

/// The program that is measured: the one that `make bench` builds as releases are, or else the one that cargo has built.
fn benched() -> PathBuf {
    let cargos = || env!("CARGO_BIN_EXE_istio-scrape").into();
    env::var_os("ISTIO_SCRAPE_BENCHED").map_or_else(cargos, PathBuf::from)
}
