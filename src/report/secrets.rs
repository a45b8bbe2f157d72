//! What must nobody read in a log?
//!
//! Authority: our promise that values of Secrets, and of keys named like password, token, bearer or credentials, never appear.
//! Departs from nothing: a name that only sounds like a secret is masked too.
//! Knows: keys and values in YAML, JSON and text. Does not know: what a value is for.

use crate::krm::Item;
use crate::yaml::{Content, Edit, Node, splice};

const MASK: &str = "***";

/// Whether a key names something that nobody should read in a log.
pub fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["password", "token", "bearer", "credentials", "authkey"]
        .iter()
        .any(|word| key.contains(word))
}

/// A manifest with `***` in the place of its secrets.
pub fn masked_items(text: &str, items: &[&Item<'_>]) -> String {
    let mut edits = Vec::new();
    for item in items {
        let is_secret_object = item.kind == "Secret";
        for (key, value) in item.node.entries() {
            let in_data = is_secret_object && matches!(key.text(), Some("data" | "stringData"));
            collect(text, value, in_data || names_secret(key), &mut edits);
        }
    }
    edits.sort_by_key(|edit| edit.range.start);
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
                false => masked(written),
            };
            if shown != written {
                edits.push(Edit {
                    range: node.range.clone(),
                    text: shown,
                });
            }
        }
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

/// A text, which may hold YAML, JSON or URLs, with `***` in the place of what looks like a secret.
pub fn masked(text: &str) -> String {
    text.split_inclusive('\n').map(masked_line).collect()
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
        masked_items(text, &items)
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
