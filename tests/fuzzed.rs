//! Do the bodies of the fuzz targets hold for what a fuzzer starts from?
//!
//! The fuzzer itself runs for hours and elsewhere (`fuzz/README.md`). Here every body is compiled and sees the cases, the
//! examples, the corpus, the YAML test suite and some of their damages, in each form that an input can have.

mod support;

use std::panic::{self, AssertUnwindSafe};

use serde_json::Value;
use support::fuzzed::{asking::asking, reading::reading, running::running};
use support::inputs::{Written, at_once, written};

/// First bytes of what a run is given, as `given` reads them.
const FORMS: &[u8] = b"slrwjfkc";

/// Longer inputs are for those who wait: a debug build is slow.
const LONGEST: usize = 16 << 10;

/// Every how manieth input is asked about in all ways, which costs as much as ten runs. Not a multiple of the forms: each has
/// its share.
const ASKED: usize = 9;

/// What fuzzers have found, made small: each goes through every body.
const FOUND: &[(&str, &[u8])] = &[
    (
        "an absent value in front of a key that begins with a colon",
        b"? a\n:b: c\n",
    ),
    (
        "an absent value in front of the colon of the map around",
        b"? a\n: -\t? a\n: -\tbc\n",
    ),
    (
        "an absent value in front of a key that begins with a colon and a bracket",
        b"? ?\n:]a :\n",
    ),
    (
        "an absent element in front of a key that begins with a dash",
        b"?\t\r-\t\r-a::",
    ),
    (
        "a document that begins with what only YAML 1.1 takes for a line break",
        b"--- \xc2\x85\na\n",
    ),
    (
        "a byte order mark in front of a marker that is not the first line",
        b"# a\n\xef\xbb\xbf---\nb: 1\n",
    ),
    (
        "a byte order mark inside of a document, which is none where its part begins",
        b"a: 1\n---\n\xef\xbb\xbfb: 1\n",
    ),
    (
        "a character that no YAML holds in a comment above the first key",
        b"# \x7f\na: 1\n",
    ),
    (
        "a form feed behind a marker taken for blank",
        b"--- \x0c\na: 1\n",
    ),
    (
        "a form feed behind the header of a literal taken for blank",
        b"a: |\x0c\n  x\n",
    ),
    (
        "absent keys and values in a row, one of which was taken to end behind the next",
        b" ? ?  ? \r : : ? ?  ? ? : :::+",
    ),
    (
        "a list of maps under a key, none of which is the map under that key",
        b"kind: List\nitems:\n- metadata:\n  - name: a\n",
    ),
    (
        "a folder without an object gave an empty output and exit code 0",
        b"f\0image: registry.example/orders:2\n",
    ),
    (
        "a MeshMetrics among objects, which is left out of the output",
        b"fapiVersion: istio-scrape.dev/v1alpha1\nkind: MeshMetrics\n---\nkind: Pod\n",
    ),
    (
        "a MeshMetrics in a List, which is left out of the output",
        b"l\0kind: Pod\n---\napiVersion: istio-scrape.dev/v1alpha1\nkind: MeshMetrics\n",
    ),
    (
        "a host that asks for the objects of a MeshMetrics",
        b"rapiVersion: istio-scrape.dev/v1alpha1\nkind: MeshMetrics\nmetadata: {name: a}\n\0kind: Pod\n",
    ),
];

/// The bytes that a fuzzer would have to find for this input in this form.
fn bytes(form: u8, input: &Written) -> Vec<u8> {
    let config = input.config.as_deref().unwrap_or_default();
    let parts = [&[form][..], config.as_bytes(), b"\0", input.text.as_bytes()];
    parts.concat()
}

/// Fails with all that is wrong, and with the name of the input.
fn hold(inputs: &[(String, Vec<u8>)], body: fn(&[u8])) {
    let failed = at_once(inputs, |(name, bytes)| {
        let ended = panic::catch_unwind(AssertUnwindSafe(|| body(bytes)));
        ended.err().map(|_| name.clone())
    });
    let failed: Vec<String> = failed.into_iter().flatten().collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

/// All inputs, each in one form, so that every form has its share.
fn given() -> Vec<(String, Vec<u8>)> {
    let inputs = written("the bodies of the fuzz targets over the corpus");
    let forms = FORMS.iter().cycle();
    inputs
        .iter()
        .filter(|input| input.text.len() <= LONGEST)
        .zip(forms)
        .map(|(input, form)| (input.name.clone(), bytes(*form, input)))
        .collect()
}

#[test]
fn what_was_found_is_not_found_again() {
    let found: Vec<(String, Vec<u8>)> = FOUND
        .iter()
        .map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()))
        .collect();
    for body in [reading, running, asking] {
        hold(&found, body);
    }
}

#[test]
fn every_reading_of_the_seeds_is_the_parsers() {
    let mut texts: Vec<(String, Vec<u8>)> = written("readings of the corpus")
        .into_iter()
        .map(|input| (input.name, input.text.into_bytes()))
        .collect();
    for file in ["yaml-test-suite.json", "yaml-traps.json"] {
        let what = "the YAML test suite read in all ways";
        let Some(path) = support::data(&format!("conformance/{file}"), what) else {
            continue;
        };
        let text = std::fs::read_to_string(path).expect("the data is UTF-8");
        let rows: Vec<Value> = serde_json::from_str(&text).expect("a list");
        texts.extend(rows.iter().enumerate().map(|(number, row)| {
            let text = row["yaml"].as_str().expect("a text");
            (format!("{file} {number}"), text.as_bytes().to_vec())
        }));
    }
    hold(&texts, reading);
}

#[test]
fn runs_on_the_seeds_end_well_and_lose_nothing() {
    let given = given();
    assert!(given.len() > 1000, "only {} inputs", given.len());
    hold(&given, running);
}

#[test]
fn all_commands_agree_on_the_seeds() {
    let given: Vec<_> = given().into_iter().step_by(ASKED).collect();
    hold(&given, asking);
}
