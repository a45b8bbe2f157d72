//! Does a run end well, lose nothing, change nothing but what it says, and nothing twice?

use std::collections::BTreeSet;

use istio_scrape::apply::ApplyError;
use istio_scrape::config::is_scrape_tls;
use istio_scrape::krm::{self, Form, Item, Package, Source};
use istio_scrape::{Error, Flags, Outcome, model, run};
use serde_json::Value;

use super::given::Given;

/// Any bytes: what they stand for is run.
pub(crate) fn running(bytes: &[u8]) {
    let Some(given) = Given::of(bytes) else {
        return;
    };
    let Some(outcome) = ended(run(&given.sources, &given.flags), &given) else {
        return;
    };
    let package = krm::open(&given.sources, model::reads).expect("it ran");
    match (outcome.exit, &outcome.output) {
        (0, Some(output)) => {
            kept(&package, output, &outcome);
            second(&package, output, &given);
        }
        (1, None) => assert_ne!(package.form, Form::ResourceList, "{given:?}"),
        (1, Some(output)) => {
            assert_eq!(package.form, Form::ResourceList, "{given:?}");
            let after = Source::named("-", output.as_str());
            let after = std::slice::from_ref(&after);
            let after = krm::open(after, model::reads)
                .unwrap_or_else(|error| panic!("{error}: {output}\n{given:?}"));
            let texts = |package: &Package<'_>| -> Vec<String> {
                let text = |item: &Item<'_>| text_of(package, item).to_owned();
                package.items.iter().map(text).collect()
            };
            assert_eq!(texts(&after), texts(&package), "{output}");
        }
        other => panic!("{other:?}\n{given:?}"),
    }
}

/// The answer; `None` where the run cannot be made, for a reason that is none of our own making.
pub(super) fn ended<T>(answer: Result<T, Error>, given: &Given) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(error) => {
            assert!(
                !matches!(error, Error::Apply(ApplyError::Refuted(_))),
                "{error}\n{given:?}"
            );
            assert!(!error.to_string().is_empty());
            None
        }
    }
}

fn text_of<'t>(package: &Package<'t>, item: &Item<'_>) -> &'t str {
    &package.sources()[item.source].text[item.node.range.clone()]
}

/// Kinds and names of the objects that the report has patches for.
fn patched(outcome: &Outcome) -> BTreeSet<(String, String)> {
    let report: Value = serde_json::from_str(&outcome.report).expect("the report is JSON");
    let decisions = report["decisions"].as_array().expect("a list");
    let has_patch = |decision: &&Value| {
        let patch = decision["patch"].as_array();
        patch.is_some_and(|operations| !operations.is_empty())
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    decisions
        .iter()
        .filter(has_patch)
        .map(|decision| {
            let object = &decision["object"];
            (text(&object["kind"]), text(&object["name"]))
        })
        .collect()
}

/// Every object comes out again, in order. Where no patch is about it, it is the same text, and so is what follows up to the
/// next one.
fn kept(package: &Package<'_>, output: &str, outcome: &Outcome) {
    let is_configuration = |item: &Item<'_>| {
        package.form != Form::ResourceList && is_scrape_tls(&item.api_version, &item.kind)
    };
    let kept: Vec<&Item<'_>> = package
        .items
        .iter()
        .filter(|item| !is_configuration(item))
        .collect();
    let after = Source::named("-", output);
    let after = std::slice::from_ref(&after);
    let after = krm::open(after, model::reads)
        .unwrap_or_else(|error| panic!("the output: {error}\n{output}"));
    let what = |item: &Item<'_>| {
        (
            item.api_version.clone(),
            item.kind.clone(),
            item.name().to_owned(),
        )
    };
    assert_eq!(
        after.items.iter().map(what).collect::<Vec<_>>(),
        kept.iter().map(|item| what(item)).collect::<Vec<_>>(),
        "{output}"
    );
    let patched = patched(outcome);
    let is_patched =
        |item: &&Item<'_>| patched.contains(&(item.kind.clone(), item.name().to_owned()));
    for (before, after_item) in kept.iter().zip(&after.items) {
        if !is_patched(before) {
            assert_eq!(
                text_of(&after, after_item),
                text_of(package, before),
                "no patch is about this object\n{output}"
            );
        }
    }
    if package.sources().len() == 1 && kept.len() == package.items.len() {
        // What is added to an object may stand behind the comment that follows it.
        let up_to_the_next = |package: &Package<'_>| -> Vec<String> {
            let text = &package.sources()[0].text;
            let pairs = package
                .items
                .windows(2)
                .filter(|pair| !is_patched(&&pair[0]));
            // Items that an alias stands for are not in the order of the text.
            let stretch = |pair: &[Item<'_>]| {
                let stretch = text.get(pair[0].node.range.start..pair[1].node.range.start);
                stretch.unwrap_or_default().to_owned()
            };
            pairs.map(stretch).collect()
        };
        assert_eq!(up_to_the_next(&after), up_to_the_next(package), "{output}");
    }
}

/// A second run gives the same bytes. Where the configuration was among the objects it has to be handed in anew, which
/// is left to those inputs that hand it in at first.
fn second(package: &Package<'_>, output: &str, given: &Given) {
    let mut objects = package.items.iter().chain(&package.asides);
    let is_inside = objects.any(|item| is_scrape_tls(&item.api_version, &item.kind));
    if is_inside && given.flags.config.is_none() && package.form != Form::ResourceList {
        return;
    }
    let name = given.sources[0].name.clone();
    let again = Source::named(name, output);
    let flags = Flags {
        without_report: true,
        ..given.flags.clone()
    };
    match run(std::slice::from_ref(&again), &flags) {
        Ok(Outcome {
            output: Some(twice),
            exit: 0,
            ..
        }) => assert_eq!(twice, output, "of {given:?}"),
        other => panic!("the output does not run: {other:?}\n{output}\nof {given:?}"),
    }
}
