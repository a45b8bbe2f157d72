//! Does a run end well, lose nothing, change nothing but what it says, and nothing twice?

use std::collections::BTreeSet;

use istio_scrape::apply::ApplyError;
use istio_scrape::config::{is_mesh_metrics, is_scrape_tls};
use istio_scrape::krm::{self, Form, Origin, Package, Source};
use istio_scrape::yaml::Node;
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
    // Where nobody has to read what is wrong in a text, it is passed on with its faults, and there is nothing to compare.
    let Ok(before) = krm::open(&given.sources, model::reads) else {
        return;
    };
    match (outcome.exit, outcome.text()) {
        (0, Some(output)) => {
            let after = [Source::named("-", output)];
            match asks_for_objects(&before) {
                true => added_to(&before, &opened(&after, &given), &given),
                false => kept(&before, &opened(&after, &given), &outcome, &given),
            }
            second(&before, &after[0].text, &given);
        }
        (1, None) => assert_ne!(before.form, Form::ResourceList, "{given:?}"),
        (1, Some(output)) => {
            assert_eq!(before.form, Form::ResourceList, "{given:?}");
            let after = [Source::named("-", output)];
            assert_eq!(
                objects(&opened(&after, &given)),
                objects(&before),
                "{after:?}\n{given:?}"
            );
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

fn opened<'t>(output: &'t [Source], given: &Given) -> Package<'t> {
    krm::open(output, model::reads)
        .unwrap_or_else(|error| panic!("the output: {error}\n{output:?}\n{given:?}"))
}

#[derive(Debug, PartialEq, Eq)]
struct Object<'t> {
    api_version: String,
    kind: String,
    name: String,
    text: &'t str,
    /// With what follows up to the next object of the same text.
    stretch: Option<&'t str>,
}

fn objects<'t>(package: &Package<'t>) -> Vec<Object<'t>> {
    let items = &package.items;
    items
        .iter()
        .enumerate()
        .map(|(position, item)| {
            let text = package.sources()[item.source].text.as_str();
            let range = item.node().map(|node| node.range.clone());
            let next = items
                .get(position + 1)
                .filter(|next| next.source == item.source);
            // Items that an alias stands for are not in the order of the text.
            let stretch = next.and_then(|next| text.get(item.value.start()..next.value.start()));
            Object {
                api_version: item.api_version.to_string(),
                kind: item.kind.to_string(),
                name: item.name.to_string(),
                // What cannot be read is compared by its stretch alone.
                text: range.map_or("", |range| &text[range]),
                stretch,
            }
        })
        .collect()
}

/// Kinds and names of the objects that the report has patches for.
fn patched(outcome: &Outcome<'_>) -> BTreeSet<(String, String)> {
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

/// Whether a host asks the function that makes objects, and not the one that decides on endpoints.
pub(super) fn asks_for_objects(package: &Package<'_>) -> bool {
    package.function_config.as_ref().is_some_and(|found| {
        let text = |key| found.node.get(key).and_then(Node::text);
        let [api_version, kind] = ["apiVersion", "kind"].map(|key| text(key).unwrap_or_default());
        is_mesh_metrics(api_version, kind)
    })
}

/// Every object comes out again, in order and as it was, but for configuration, which may be left out, and for what was made
/// before.
fn added_to(before: &Package<'_>, after: &Package<'_>, given: &Given) {
    let is_made = given
        .sources
        .iter()
        .any(|source| source.text.contains("made-by"));
    let mut after = objects(after).into_iter();
    for before in objects(before) {
        let is_it = |after: &Object<'_>| {
            let names = |object: &Object<'_>| {
                [&object.api_version, &object.kind, &object.name].map(String::clone)
            };
            let is_same = after.text.trim_end() == before.text.trim_end();
            names(after) == names(&before) && (is_same || is_made)
        };
        let is_configuration = is_mesh_metrics(&before.api_version, &before.kind);
        assert!(
            is_configuration || after.any(|after| is_it(&after)),
            "{before:?} is gone\n{given:?}"
        );
    }
}

/// Every object comes out again, in order. Where no patch is about it, it is the same text, and so is what follows up to the
/// next one.
fn kept(before: &Package<'_>, after: &Package<'_>, outcome: &Outcome<'_>, given: &Given) {
    let (all, after) = (objects(before), objects(after));
    let is_configuration = |object: &Object<'_>| {
        is_scrape_tls(&object.api_version, &object.kind)
            || is_mesh_metrics(&object.api_version, &object.kind)
    };
    let is_resource =
        |object: &&Object<'_>| before.form == Form::ResourceList || !is_configuration(object);
    let kept: Vec<&Object<'_>> = all.iter().filter(is_resource).collect();
    assert_eq!(after.len(), kept.len(), "{after:?}\n{given:?}");
    let patched = patched(outcome);
    // Of what is found in folders, documents that are no objects do not go out.
    let is_alone = matches!(before.sources(), [source] if source.origin == Origin::Named)
        && kept.len() == all.len();
    for (before, after) in kept.into_iter().zip(&after) {
        let name = |object: &Object<'_>| {
            (
                object.api_version.clone(),
                object.kind.clone(),
                object.name.clone(),
            )
        };
        assert_eq!(name(after), name(before), "{given:?}");
        if !patched.contains(&(before.kind.clone(), before.name.clone())) {
            // The last line of a file gets an end where another file follows.
            let (after_text, before_text) = match is_alone {
                true => (after.text, before.text),
                false => (after.text.trim_end(), before.text.trim_end()),
            };
            assert_eq!(after_text, before_text, "no patch is about this\n{given:?}");
            if is_alone {
                assert_eq!(after.stretch, before.stretch, "{given:?}");
            }
        }
    }
}

/// A second run gives the same bytes, of a ResourceList those of the objects. Where the configuration was among the objects it has to be handed in anew, which
/// is left to those inputs that hand it in at first.
fn second(before: &Package<'_>, output: &str, given: &Given) {
    let mut inside = before.items.iter().chain(&before.asides);
    let is_inside = inside.any(|item| is_scrape_tls(&item.api_version, &item.kind));
    if is_inside && given.flags.config.is_none() && before.form != Form::ResourceList {
        return;
    }
    let again = [Source::named(given.sources[0].name.clone(), output)];
    let flags = Flags {
        without_report: true,
        ..given.flags.clone()
    };
    match run(&again, &flags).map(|outcome| (outcome.exit, outcome.text())) {
        // Of what is written there by now another finding may be the thing to say, which is no change of an object.
        Ok((0, Some(twice))) if before.form == Form::ResourceList => {
            let twice = [Source::named("-", twice)];
            let (once, twice) = (opened(&again, given), opened(&twice, given));
            assert_eq!(objects(&twice), objects(&once), "of {given:?}");
        }
        Ok((0, Some(twice))) => assert_eq!(twice, output, "of {given:?}"),
        other => panic!("the output does not run: {other:?}\n{output}\nof {given:?}"),
    }
}
