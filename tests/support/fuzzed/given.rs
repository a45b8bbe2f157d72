//! Which input and configuration do some bytes stand for?
//!
//! The first byte is the form, up to a NUL follows the configuration, behind that the input; more inputs behind more
//! NULs. Without a NUL all is input. NUL is in no YAML, and a letter is easily changed by a fuzzer.

use istio_scrape::Flags;
use istio_scrape::krm::{Origin, Source};
use istio_scrape::yaml::{self, Rules};
use serde_json::{Value, json};

/// What a run is given.
#[derive(Debug)]
pub(crate) struct Given {
    /// The texts.
    pub(crate) sources: Vec<Source>,
    /// The configuration, and who reads the context: nobody.
    pub(crate) flags: Flags,
}

impl Given {
    /// `None` where bytes are no text.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let form = text.chars().next()?;
        let rest = &text[form.len_utf8()..];
        let mut parts = rest.split('\0');
        let first = parts.next().unwrap_or_default();
        let inputs: Vec<&str> = parts.collect();
        let (config, inputs) = match inputs.is_empty() {
            true => ("", vec![first]),
            false => (first, inputs),
        };
        let config = Some(config).filter(|config| !config.trim().is_empty());
        Some(Self::in_form(form, config, &inputs))
    }

    fn in_form(form: char, config: Option<&str>, inputs: &[&str]) -> Self {
        let flags = Flags {
            config: config.map(|text| Source::named("config.yaml", text)),
            ..Flags::default()
        };
        let whole = inputs.join("\n---\n");
        match form {
            'l' => Self::piped(flags, list("v1", "List", "", &whole)),
            'r' => {
                let head = config.map_or_else(String::new, |config| {
                    format!("functionConfig:\n{}", indented(config, "  "))
                });
                let text = list("config.kubernetes.io/v1", "ResourceList", &head, &whole);
                Self::piped(Flags::default(), text)
            }
            'w' => Self::piped(flags, whole.replace('\n', "\r\n")),
            'j' => match in_json(&whole) {
                Some(text) => Self::piped(flags, text),
                None => Self::piped(flags, whole),
            },
            'f' => Self::files(flags, Origin::Folder, inputs),
            'k' => Self::files(flags, Origin::Kustomization, inputs),
            'c' => {
                let mut given = Self::files(Flags::default(), Origin::Named, inputs);
                given.sources.extend(flags.config);
                given
            }
            _ => Self::files(flags, Origin::Named, inputs),
        }
    }

    fn piped(flags: Flags, text: String) -> Self {
        Self {
            sources: vec![Source::named("-", text)],
            flags,
        }
    }

    /// The first text is named by the user in any case: something is.
    fn files(flags: Flags, origin: Origin, texts: &[&str]) -> Self {
        let file = |(number, text): (usize, &&str)| Source {
            name: format!("input-{number}.yaml"),
            text: (*text).to_owned(),
            origin: match number {
                0 if origin == Origin::Kustomization => Origin::Named,
                _ => origin,
            },
        };
        Self {
            sources: texts.iter().enumerate().map(file).collect(),
            flags,
        }
    }
}

/// Documents as items, as far as indenting lines makes them so.
fn list(api_version: &str, kind: &str, head: &str, stream: &str) -> String {
    let documents = stream.split("\n---\n").filter(|document| {
        let mut lines = document.lines().map(str::trim_start);
        lines.any(|line| !line.is_empty() && !line.starts_with('#') && line != "---")
    });
    let items = documents.map(|document| {
        let document = document.trim_start_matches("---\n");
        let item = indented(document, "  ");
        format!("-\n{item}")
    });
    let items: String = items.collect();
    format!("apiVersion: {api_version}\nkind: {kind}\n{head}items:\n{items}")
}

fn indented(text: &str, by: &str) -> String {
    let line = |line: &str| match line.is_empty() {
        true => "\n".to_owned(),
        false => format!("{by}{line}\n"),
    };
    text.lines().map(line).collect()
}

/// The objects as a List of JSON.
fn in_json(stream: &str) -> Option<String> {
    let documents = yaml::parse(stream).ok()?;
    let roots = documents
        .iter()
        .filter_map(|document| document.root.as_ref());
    let items: Vec<Value> = roots
        .map(|root| root.value(Rules::Kubectl).ok())
        .collect::<Option<_>>()?;
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    Some(match stream.len() % 2 {
        0 => list.to_string(),
        _ => format!("{list:#}\n"),
    })
}
