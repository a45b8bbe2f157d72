//! Do the commands that ask about an input agree with each other and with the run?

use istio_scrape::config::FailOn;
use istio_scrape::krm::{self, Origin};
use istio_scrape::{
    CheckFormat, Format, Outcome, Report, check, diff, explain, patch_stream, patches,
};
use istio_scrape::{run, yaml};
use serde_json::Value;

use super::given::Given;
use super::running::{asks_for_objects, ended};

/// Any bytes: what they stand for is asked about in every way.
pub(crate) fn asking(bytes: &[u8]) {
    let Some(given) = Given::of(bytes) else {
        return;
    };
    let (sources, flags) = (&given.sources, &given.flags);
    let Some(told) = ended(explain(sources, flags, Format::Json, false), &given) else {
        for refused in [
            check(sources, flags, None, CheckFormat::Json, false).is_err(),
            diff(sources, flags).is_err(),
            patch_stream(sources, flags).is_err(),
            // Who asks for objects gets them, and has nothing to be told about.
            run(sources, flags).is_err()
                || krm::open(sources, |_, _, _| false)
                    .is_ok_and(|package| asks_for_objects(&package)),
        ] {
            assert!(refused, "explain refuses what others take: {given:?}");
        }
        return;
    };
    let report = json(&told.text, &given);
    let changes = report["summary"]["changes"].as_u64().expect("a number") > 0;

    let outcome = ended(run(sources, flags), &given);
    if let Some(outcome) = &outcome {
        assert_eq!(outcome.report, told.text, "{given:?}");
        plain(&outcome.messages.join("\n"), &given);
    }
    // It reads all of every text, where others leave out what they do not need, and decides upon that.
    if let Some(difference) = ended(diff(sources, flags), &given) {
        assert_eq!(difference.exit == 1, changes, "{difference:?}\n{given:?}");
        // Of what is found in folders, documents that are no objects do not go out.
        if let (Some(outcome), [source]) = (&outcome, sources.as_slice())
            && source.origin == Origin::Named
        {
            longer_by(&difference.text, &source.text, outcome, &given);
        }
    }

    let checked = |format| {
        let checked = check(sources, flags, Some(FailOn::Never), format, false);
        let checked: Report = ended(checked, &given).expect("explain takes it");
        assert_eq!(checked.exit == 1, changes, "{checked:?}\n{given:?}");
        checked.text
    };
    assert_eq!(checked(CheckFormat::Json), told.text, "{given:?}");
    json(&checked(CheckFormat::Sarif), &given);
    plain(&checked(CheckFormat::Table), &given);
    for format in [Format::Table, Format::Markdown] {
        let told = ended(explain(sources, flags, format, false), &given);
        plain(&told.expect("explain takes it").text, &given);
    }

    if let Some(component) =
        ended(patches(sources, flags, "mtls"), &given).and_then(|patches| patches.component)
    {
        for (name, text) in &component.files {
            readable(name, text, &given);
        }
    }
    let stream = ended(patch_stream(sources, flags), &given);
    if let Some(text) = stream.and_then(|stream| stream.text()) {
        readable("the stream of patches", &text, &given);
    }
}

/// The output has as many lines more than the input as the difference says.
fn longer_by(difference: &str, before: &str, outcome: &Outcome<'_>, given: &Given) {
    let Some(after) = outcome.text().filter(|_| outcome.exit == 0) else {
        return;
    };
    let is_resource_list = |text: &str| text.contains("ResourceList");
    // In any capitals: it is left out all the same.
    let has_configuration = |text: &str| {
        let text = text.to_ascii_lowercase();
        ["scrapetls", "meshmetrics"]
            .iter()
            .any(|kind| text.contains(kind))
    };
    if is_resource_list(before) || has_configuration(before) {
        // Results are added, configuration is left out, and neither is a change of an object.
        return;
    }
    let lines = |text: &str| text.lines().count();
    let begin = |sign: char| {
        let body = difference.lines().skip(2);
        body.filter(|line| line.starts_with(sign)).count()
    };
    assert_eq!(
        lines(&after) + begin('-'),
        lines(before) + begin('+'),
        "{difference}\n{after}\n{given:?}"
    );
}

fn json(text: &str, given: &Given) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}\n{given:?}"))
}

fn readable(name: &str, text: &str, given: &Given) {
    if name.ends_with(".md") {
        return;
    }
    if let Err(error) = yaml::parse(text) {
        panic!("{name}: {error}\n{text}\n{given:?}");
    }
}

/// Nothing that a terminal would obey.
fn plain(text: &str, given: &Given) {
    let command = text.chars().find(|c| c.is_control() && *c != '\n');
    assert_eq!(command, None, "{text:?}\n{given:?}");
}
