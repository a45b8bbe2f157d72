//! What must nobody read in a log?
//!
//! Authority: our promise that values of Secrets, and of keys named like password, token, bearer or credentials, never appear.
//! Departs from nothing: a name that only sounds like a secret is masked too.
//! Knows: keys and values in YAML, JSON and text. Does not know: what a value is for.

use serde_json::json;

use crate::krm::Item;
use crate::yaml::{self, Content, Edit, Node, ReadError, Style, splice};

const MASK: &str = "***";

/// Whether a key names something that nobody should read in a log.
pub fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["password", "token", "bearer", "credentials", "authkey"]
        .iter()
        .any(|word| key.contains(word))
}

/// A manifest with `***` in the place of its secrets.
///
/// # Errors
/// When an item is no YAML.
pub fn masked_items(text: &str, items: &[&Item<'_>]) -> Result<String, ReadError> {
    let mut edits = Vec::new();
    for item in items {
        let is_secret_object = item.kind == "Secret";
        for (key, value) in item.node()?.entries() {
            let in_data = is_secret_object && matches!(key.text(), Some("data" | "stringData"));
            collect(text, value, in_data || names_secret(key), &mut edits);
        }
    }
    Ok(apply(text, edits))
}

/// The text with each edit once: what several aliases stand for is found by each of them.
fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| (edit.range.start, edit.text.len()));
    edits.dedup_by_key(|edit| edit.range.start);
    splice(text, &edits)
}

fn names_secret(key: &Node<'_>) -> bool {
    key.text().is_some_and(is_secret)
}

fn collect(text: &str, node: &Node<'_>, secret: bool, edits: &mut Vec<Edit>) {
    match &node.content {
        Content::Scalar(..) if node.range.is_empty() => {}
        Content::Scalar(..) => {
            let written = &text[node.range.clone()];
            let shown = match secret {
                // A block scalar keeps its line break, so that the lines after it stay in step.
                true if written.ends_with('\n') => format!("{MASK}\n"),
                true => MASK.to_owned(),
                // YAML, JSON or a URL within a string.
                false => match node.text().and_then(masked_inside) {
                    Some(inside) => masked(&spelled(node, written, &inside)),
                    None => masked(written),
                },
            };
            if shown != written {
                edits.push(Edit {
                    range: node.range.clone(),
                    text: shown,
                });
            }
        }
        // What it stands for is masked where it is written, and that may be under another name.
        Content::Alias(target) if secret => collect(text, target, true, edits),
        Content::Alias(_) => {}
        Content::Sequence { items, .. } => {
            for item in items.iter() {
                collect(text, item, secret, edits);
            }
        }
        Content::Mapping { entries, .. } => {
            // `name: API_TOKEN` beside `value: …`, as in the environment of a container.
            let named = node.get("name").is_some_and(names_secret);
            for (key, value) in entries.iter() {
                let is_its_value = named && key.text() == Some("value");
                collect(
                    text,
                    value,
                    secret || is_its_value || names_secret(key),
                    edits,
                );
            }
        }
    }
}

/// A value, which may hold YAML, JSON or URLs, with `***` in the place of what looks like a secret.
pub fn masked_value(value: &str) -> String {
    masked(masked_inside(value).as_deref().unwrap_or(value))
}

/// YAML or JSON with `***` in the place of its secrets; `None` where it is neither, or has none.
fn masked_inside(value: &str) -> Option<String> {
    let documents = yaml::read(value).ok()?;
    let mut edits = Vec::new();
    for root in documents
        .iter()
        .filter_map(|document| document.root.as_ref())
    {
        if !matches!(root.content, Content::Scalar(..)) {
            collect(value, root, false, &mut edits);
        }
    }
    (!edits.is_empty()).then(|| apply(value, edits))
}

/// A string in the place of another, spelled in the same style where that is for people.
fn spelled(node: &Node<'_>, written: &str, inside: &str) -> String {
    match node.content {
        Content::Scalar(_, Style::Plain) => inside.to_owned(),
        Content::Scalar(_, Style::SingleQuoted) => format!("'{}'", inside.replace('\'', "''")),
        Content::Scalar(_, Style::Literal) => {
            let mut lines = written.split_inclusive('\n');
            let header = lines.next().unwrap_or_default();
            let first = lines
                .find(|line| !line.trim().is_empty())
                .unwrap_or_default();
            let indentation = &first[..first.len() - first.trim_start_matches(' ').len()];
            let indented = inside
                .split_inclusive('\n')
                .map(|line| match line.trim().is_empty() {
                    true => line.to_owned(),
                    false => format!("{indentation}{line}"),
                });
            header.to_owned() + &indented.collect::<String>()
        }
        _ => json!(inside).to_string() + if written.ends_with('\n') { "\n" } else { "" },
    }
}

/// A text with `***` in the place of what looks like a secret, line by line.
fn masked(text: &str) -> String {
    text.split_inclusive('\n')
        .map(masked_line)
        .map(|line| without_parameters(&line))
        .collect()
}

/// A line with `***` in the place of the values in `name=value`, as in queries of URLs and in flags.
fn without_parameters(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(equals) = rest.find('=') {
        let (before, after) = rest.split_at(equals + 1);
        shown.push_str(before);
        let name = before[..equals]
            .rsplit(|c: char| !(c.is_alphanumeric() || "_.-".contains(c)))
            .next()
            .unwrap_or_default();
        let end = after.find(|c: char| c.is_whitespace() || "&\"'\\,;)]}".contains(c));
        rest = match is_secret(name) {
            true if end != Some(0) => {
                shown.push_str(MASK);
                &after[end.unwrap_or(after.len())..]
            }
            true | false => after,
        };
    }
    shown.push_str(rest);
    shown
}

fn masked_line(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(colon) = rest.find(':') {
        let (before, after) = rest.split_at(colon + 1);
        shown.push_str(before);
        let key = before[..colon]
            .trim_end_matches(['"', '\'', ' '])
            .rsplit(|c: char| !(c.is_alphanumeric() || "_.-".contains(c)))
            .next()
            .unwrap_or_default();
        let value = value_of(after, before.contains(['{', '[', ',']));
        rest = if is_secret(key) && !value.trim().is_empty() {
            let lead = after.len() - after.trim_start_matches(' ').len();
            shown.push_str(&after[..lead]);
            shown.push_str(MASK);
            &after[lead + value.len()..]
        } else if let Some(user) = user_of(after) {
            shown.push_str("//");
            shown.push_str(MASK);
            &after[2 + user.len()..]
        } else {
            after
        };
    }
    shown.push_str(rest);
    shown
}

/// The value behind a colon: up to its closing quote, to a comma or bracket in flow style, or to the end of the line.
fn value_of(after: &str, in_flow: bool) -> &str {
    let value = after.trim_start_matches(' ').trim_end_matches(['\n', '\r']);
    let end = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value[1..].find(quote).map(|at| at + 2),
        _ if in_flow => value.find([',', '}', ']']),
        _ => value.find(" #"),
    };
    &value[..end.unwrap_or(value.len())]
}

/// `user:password` of a URL, whose scheme and colon stand before.
fn user_of(after: &str) -> Option<&str> {
    let authority = after.strip_prefix("//")?;
    let end = authority.find(['/', ' ', '"', '\'', '\n', '?']);
    let authority = &authority[..end.unwrap_or(authority.len())];
    authority.rsplit_once('@').map(|(user, _)| user)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::krm::{self, Source};

    fn masked_text(text: &str) -> String {
        let sources = [Source::named("-", text)];
        let package = krm::open(&sources, |_, _, _| false).expect("objects");
        let items: Vec<_> = package.items.iter().collect();
        masked_items(text, &items).expect("YAML")
    }

    /// Secrets, and values of keys that sound like one, in every style.
    #[test]
    fn what_nobody_should_read_is_masked() {
        insta::assert_snapshot!(masked_text(
            "kind: Secret\napiVersion: v1\ndata: {a: c2VjcmV0}\nstringData:\n  b: |\n    two\n    lines\n  c: plain # kept\n---\nkind: VMAgent\napiVersion: v1\nspec:\n  basicAuth: {username: joe, password: hunter2}\n  bearerTokenFile: /run/token\n  other: shown\n"
        ), @r"
        kind: Secret
        apiVersion: v1
        data: {a: ***}
        stringData:
          b: ***
          c: *** # kept
        ---
        kind: VMAgent
        apiVersion: v1
        spec:
          basicAuth: {username: joe, password: ***}
          bearerTokenFile: ***
          other: shown
        ");
    }

    /// A value that begins below its key, or has quotes within quotes, is in no line by itself.
    #[test]
    fn what_no_line_shows_is_masked() {
        const HIDDEN: &str = "hunter2";
        for value in [
            "|\n  basic_auth:\n    password: |\n      hunter2\n",
            "|-\n  params:\n    authKey:\n    - hunter2",
            "|4\n      params: {authKey: [\n      hunter2, hunter2]}\n",
            "|\n  bearer_token: a\n    hunter2\n",
            ">\n  bearer_token:\n    hunter2\n",
            ">\n  {a: b,\n  bearer_token: hunter2}\n",
            "'{\"password\": \"a\\\"hunter2\"}'",
            "\"{\\\"a\\\": {\\\"password\\\": \\\"hunter2\\\"}}\"",
            "\"- a: b\\n- bearer_token:\\n    hunter2\"",
            "|\n  password: 'it''s hunter2'\n",
            "|\n  a: &a hunter2\n  b: {password: *a, token: *a}\n",
            "/metrics?a=b&authKey=hunter2&c=d",
            "-remoteWrite.bearerToken=hunter2",
        ] {
            let value = value.replace('\n', "\n  ");
            let text = format!("kind: VMAgent\napiVersion: v1\nspec:\n  a: {value}");
            assert!(text.contains(HIDDEN));
            let masked = masked_text(&text);
            assert!(!masked.contains(HIDDEN), "{masked}");
            assert!(masked.contains(MASK), "{masked}");
            let of_value = yaml::read(&text).expect("YAML");
            let root = of_value[0].root.as_ref().expect("a map");
            let value = root.get("spec").and_then(|spec| spec.get("a")?.text());
            let masked = masked_value(value.expect("a string"));
            assert!(
                !masked.contains(HIDDEN) && masked.contains(MASK),
                "{masked}"
            );
        }
    }

    #[test]
    fn what_an_alias_stands_for_is_masked() {
        let text = "kind: VMAgent\napiVersion: v1\nspec:\n  a: &a hunter2\n  b: &b [hunter2]\n  password: *a\n  token: *a\n  authKey: *b\n";
        assert!(!masked_text(text).contains("hunter2"));
    }

    /// YAML and JSON within strings, environment variables, users of URLs.
    #[test]
    fn what_hides_in_strings_is_masked() {
        insta::assert_snapshot!(masked_text(
            "kind: VMAgent\napiVersion: v1\nspec:\n  podMetadata:\n    annotations:\n      proxy.istio.io/config: |\n        proxyMetadata:\n          DB_PASSWORD: hunter2 # why\n          SHOWN: yes\n      other: '{\"token\": \"abc\", \"a\": 1}'\n  extraEnvs:\n  - name: API_TOKEN\n    value: abc\n  remoteWrite:\n  - url: https://joe:hunter2@example.com/write\n"
        ), @r#"
        kind: VMAgent
        apiVersion: v1
        spec:
          podMetadata:
            annotations:
              proxy.istio.io/config: |
                proxyMetadata:
                  DB_PASSWORD: *** # why
                  SHOWN: yes
              other: '{"token": ***, "a": 1}'
          extraEnvs:
          - name: API_TOKEN
            value: ***
          remoteWrite:
          - url: https://***@example.com/write
        "#);
    }
}
