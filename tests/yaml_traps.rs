//! Does YAML that others damage come through a patch of its neighbour unharmed?
//!
//! Authority: `conformance/yaml-traps.json`; what hosts refuse is written there too.
//! Departs from it: nothing. What we refuse is listed below, with our words.
//! Knows: the data file, the three forms of input, one decision that leads to a patch. Does not know: YAML.

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use istio_scrape::krm::Source;
use istio_scrape::{Flags, run, yaml};
use serde_json::Value;

/// A workload with a sidecar, under STRICT, and the Service that is scraped.
const AROUND: [&str; 4] = [
    "apiVersion: v1
kind: Namespace
metadata:
  name: shop
  labels:
    istio-injection: enabled
",
    "apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata:
  name: default
  namespace: shop
spec:
  mtls:
    mode: STRICT
",
    "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: main
        image: web:1
        ports:
        - name: http
          containerPort: 8080
",
    "apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: shop
  labels:
    app: web
spec:
  selector:
    app: web
  ports:
  - name: http
    port: 8080
",
];

const SCRAPE: &str = "apiVersion: operator.victoriametrics.com/v1beta1
kind: VMServiceScrape
metadata:
  name: web
  namespace: shop
spec:
  selector:
    matchLabels:
      app: web
  endpoints:
";

/// What the endpoint gets, in the column of its keys.
const PATCH: [&str; 6] = [
    "scheme: https",
    "tlsConfig:",
    "  caFile: /etc/istio-certs/root-cert.pem",
    "  certFile: /etc/istio-certs/cert-chain.pem",
    "  insecureSkipVerify: true",
    "  keyFile: /etc/istio-certs/key.pem",
];

/// Where a trap stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Position {
    /// An object in front of the patched one.
    ItemBefore,
    /// An object behind it.
    ItemBehind,
    /// A field of the patched endpoint, in front of all others.
    FieldBefore,
    /// Its last field: what is added comes right behind the trap.
    FieldBehind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Stream,
    List,
    ResourceList,
}

type Places = Vec<(Position, Form)>;

const POSITIONS: [Position; 4] = [
    Position::ItemBefore,
    Position::ItemBehind,
    Position::FieldBefore,
    Position::FieldBehind,
];
const FORMS: [Form; 3] = [Form::Stream, Form::List, Form::ResourceList];

/// The lines of a text, all but the first moved to the right; blank ones too, where they are content it does not matter.
fn indented(text: &str, column: usize) -> String {
    let mut lines = text.split_inclusive('\n');
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |mut out, line| {
        if !line.trim_end_matches(['\n', '\r']).is_empty() {
            write!(out, "{:column$}", "").expect("a String grows");
        }
        out + line
    })
}

/// The documents of a trap; a text that is no YAML is one.
fn documents(trap: &str) -> Vec<String> {
    let Ok(documents) = yaml::parse(trap) else {
        return vec![trap.to_owned()];
    };
    let with_root = documents.iter().filter(|document| document.root.is_some());
    with_root
        .map(|document| {
            let text = trap[document.range.clone()].trim_start_matches('\u{feff}');
            text.trim_start_matches(' ').to_owned()
        })
        .collect()
}

fn ended(text: &str) -> String {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!("{text}{end}")
}

fn scrape(trap: &str, position: Position) -> String {
    let fields: String = documents(trap)
        .iter()
        .enumerate()
        .map(|(i, document)| {
            let text = indented(document, 6);
            ended(&format!("    trap{i}:\n      {text}"))
        })
        .collect();
    let port = "    port: http\n    path: /metrics\n";
    let endpoint = match position {
        Position::FieldBefore => fields + port,
        Position::FieldBehind => port.to_owned() + &fields,
        Position::ItemBefore | Position::ItemBehind => port.to_owned(),
    };
    format!("{SCRAPE}  - {}", &endpoint[4..])
}

fn input(trap: &str, position: Position, form: Form) -> String {
    let mut items: Vec<String> = AROUND.iter().map(|&item| item.to_owned()).collect();
    items.push(scrape(trap, position));
    let neighbours = match form {
        Form::Stream => vec![trap.to_owned()],
        Form::List | Form::ResourceList => documents(trap),
    };
    match position {
        Position::ItemBefore => {
            items.splice(0..0, neighbours);
        }
        Position::ItemBehind => items.extend(neighbours),
        Position::FieldBefore | Position::FieldBehind => {}
    }
    let api_version = match form {
        Form::Stream => {
            return items.iter().fold(String::new(), |stream, item| {
                let marker = match stream.is_empty() || item.starts_with("---") {
                    true => "",
                    false => "---\n",
                };
                format!("{stream}{marker}{}", ended(item))
            });
        }
        Form::List => "v1\nkind: List",
        Form::ResourceList => "config.kubernetes.io/v1\nkind: ResourceList",
    };
    let items: String = items
        .iter()
        .map(|item| ended(&format!("- {}", indented(item, 2))))
        .collect();
    format!("apiVersion: {api_version}\nitems:\n{items}")
}

/// The text without what the patch put in, once; `None` where that is not there.
fn without_patch(output: &str, form: Form) -> Option<String> {
    let column = if form == Form::Stream { 4 } else { 6 };
    ["\n", "\r\n"].iter().find_map(|end| {
        let lines = PATCH.map(|line| format!("{:column$}{line}{end}", ""));
        let patch = lines.concat();
        (output.matches(&patch).count() == 1).then(|| output.replacen(&patch, "", 1))
    })
}

/// The text without the results at its end.
fn without_results(output: &str, form: Form) -> &str {
    match form {
        Form::ResourceList => output
            .find("\nresults:")
            .map_or(output, |at| &output[..=at]),
        Form::Stream | Form::List => output,
    }
}

/// How a run ends, in a few words; panics on damage.
fn outcome(name: &str, text: &str, form: Form) -> Result<(), String> {
    let sources = [Source::named("input.yaml", text)];
    let story = |output: &str| {
        format!("{name}\n--- input\n{text}\n--- output\n{output}\n{text:?}\n{output:?}")
    };
    match run(&sources, &Flags::default()) {
        Err(error) => {
            let message = error.to_string();
            assert!(!message.contains("bug"), "{message}\n{}", story(""));
            assert!(message.starts_with("input.yaml"), "{message}");
            Err(message)
        }
        Ok(outcome) if outcome.exit == 0 => {
            let output = outcome.text().expect("a run that ends well has one");
            if without_results(&output, form) == text && !outcome.messages.is_empty() {
                return Err(format!("left as it is: {}", outcome.messages.join(" ")));
            }
            let same = without_patch(without_results(&output, form), form);
            assert_eq!(same.as_deref(), Some(text), "{}", story(&output));
            Ok(())
        }
        Ok(outcome) => {
            let message = outcome.messages.join(" ");
            assert!(!message.is_empty(), "{name}");
            if let Some(output) = &outcome.text() {
                assert_eq!(without_results(output, form), text, "{}", story(output));
            }
            Err(message)
        }
    }
}

#[test]
fn traps_come_through_beside_a_patch() {
    let Some(path) = support::data("conformance/yaml-traps.json", "traps beside a patch") else {
        return;
    };
    let text = std::fs::read_to_string(path).expect("the data is UTF-8");
    let traps: Value = serde_json::from_str(&text).expect("JSON");
    let traps = traps.as_array().expect("a list");
    let mut counts = String::new();
    let mut refused: BTreeMap<&str, BTreeMap<String, Places>> = BTreeMap::new();
    for position in POSITIONS {
        for form in FORMS {
            let mut passed = 0;
            for trap in traps {
                let name = trap["name"].as_str().expect("a name");
                let yaml = trap["yaml"].as_str().expect("a text");
                match outcome(name, &input(yaml, position, form), form) {
                    Ok(()) => passed += 1,
                    Err(message) => refused
                        .entry(name)
                        .or_default()
                        .entry(without_numbers(&message))
                        .or_default()
                        .push((position, form)),
                }
            }
            writeln!(counts, "{position:?} {form:?}: {passed} of {}", traps.len())
                .expect("a String grows");
        }
    }
    let mut told = String::new();
    for (name, messages) in refused {
        for (message, places) in messages {
            writeln!(told, "{name} {}\n    {message}", named(&places)).expect("a String grows");
        }
    }
    insta::assert_snapshot!(counts, @r#"
    ItemBefore Stream: 72 of 76
    ItemBefore List: 74 of 76
    ItemBefore ResourceList: 74 of 76
    ItemBehind Stream: 71 of 76
    ItemBehind List: 74 of 76
    ItemBehind ResourceList: 73 of 76
    FieldBefore Stream: 69 of 76
    FieldBefore List: 69 of 76
    FieldBefore ResourceList: 70 of 76
    FieldBehind Stream: 69 of 76
    FieldBehind List: 69 of 76
    FieldBehind ResourceList: 70 of 76
    "#);
    insta::assert_snapshot!(told, @r#"
    anchor-on-key FieldBefore, FieldBehind
        input.yaml:N (object N, named web): the key `key` at line N is written twice in `/spec/endpoints/N/trapN/spec`; remove one of the two
    err-seq-in-map ItemBehind ResourceList, FieldBefore, FieldBehind
        input.yaml: line N, column N: not valid YAML, while parsing a block mapping, did not find expected key; correct the text there
    float-special FieldBefore, FieldBehind
        left as it is: warning[not-understood]: `.inf` is a number that JSON lacks; put it in quotes if it is text   --> VMServiceScrape shop/web (input.yaml:N) istio-scrape: no changes, N warning
    item-head-comment ItemBefore Stream, ItemBehind Stream
        input.yaml holds a ResourceList, which must be the only document of the only input; run it alone, and give a configuration with --config
    keys-bool-words FieldBefore, FieldBehind
        input.yaml:N (object N, named web): the key `on` at line N is written twice in `/spec/endpoints/N/trapN/spec`; remove one of the two
    keys-duplicate FieldBefore, FieldBehind
        input.yaml:N (object N, named web): the key `a` at line N is written twice in `/spec/endpoints/N/trapN/spec`; remove one of the two
    keys-nonstring FieldBefore Stream, FieldBefore List, FieldBehind Stream, FieldBehind List
        left as it is: warning[not-understood]: a key is no text; put it in quotes   --> VMServiceScrape shop/web (input.yaml:N) istio-scrape: no changes, N warning
    resourcelist-json ItemBefore Stream, ItemBehind Stream
        input.yaml holds a ResourceList, which must be the only document of the only input; run it alone, and give a configuration with --config
    stream-directive-yaml ItemBehind Stream
        input.yaml: line N, column N: not valid YAML, missing explicit document end marker before directive; correct the text there
    stream-separator-content ItemBefore, ItemBehind
        input.yaml:N (object N) has no `kind`; add `apiVersion` and `kind`, or remove it from the input
    stream-tab-indent ItemBefore, ItemBehind, FieldBefore, FieldBehind
        input.yaml: line N, column N: not valid YAML, tabs disallowed within this context (block indentation); correct the text there
    "#);
}

/// Positions with all forms, or those that are not all.
fn named(places: &[(Position, Form)]) -> String {
    let of = |position: Position| places.iter().filter(move |(of, _)| *of == position);
    let positions = POSITIONS
        .into_iter()
        .filter(|position| of(*position).count() > 0);
    let named: Vec<String> = positions
        .map(|position| match of(position).count() {
            3 => format!("{position:?}"),
            _ => of(position)
                .map(|(position, form)| format!("{position:?} {form:?}"))
                .collect::<Vec<_>>()
                .join(", "),
        })
        .collect();
    named.join(", ")
}

/// A message without lines and columns, which differ from position to position.
fn without_numbers(message: &str) -> String {
    let number = regex::Regex::new("[0-9]+").expect("a pattern");
    number.replace_all(message, "N").into_owned()
}
