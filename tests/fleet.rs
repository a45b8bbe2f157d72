//! examples/fleet: would a cluster take the Job, and do its parts fit together?

mod support;

use std::fs;

use istio_scrape::yaml::{self, Rules};
use k8s_openapi::api::batch::v1::Job;
use serde_json::{Value, json};

fn manifest() -> Value {
    let text = support::read("examples/fleet/job.yaml");
    let documents = yaml::read(&text).expect("the Job is YAML");
    let root = documents[0].root.as_ref().expect("it is an object");
    root.value(Rules::Kubectl).expect("it has a value")
}

/// What the Kubernetes API does not know of a Job, or knows as another type.
fn unknown(manifest: &Value) -> Vec<String> {
    match serde_json::from_value::<Job>(manifest.clone()) {
        Err(error) => vec![error.to_string()],
        Ok(job) => {
            let known = serde_json::to_value(job).expect("a Job is JSON");
            let mut lost = Vec::new();
            differences("", manifest, &known, &mut lost);
            lost
        }
    }
}

fn differences(at: &str, written: &Value, known: &Value, lost: &mut Vec<String>) {
    match (written, known) {
        (Value::Object(written), Value::Object(known)) => {
            for (key, value) in written {
                let at = format!("{at}/{key}");
                match known.get(key) {
                    Some(known) => differences(&at, value, known, lost),
                    // What is empty need not be said.
                    None if value.as_object().is_some_and(serde_json::Map::is_empty) => {}
                    None => lost.push(at),
                }
            }
        }
        (Value::Array(written), Value::Array(known)) if written.len() == known.len() => {
            for (index, (written, known)) in written.iter().zip(known).enumerate() {
                differences(&format!("{at}/{index}"), written, known, lost);
            }
        }
        (written, known) if written == known => {}
        _ => lost.push(at.to_owned()),
    }
}

#[test]
fn the_api_knows_every_field_of_the_job() {
    assert_eq!(unknown(&manifest()), [""; 0]);
    for (at, value) in [
        ("/spec/completionMod", json!("Indexed")),
        (
            "/spec/podFailurePolicy/rules/0/onExitCodes/value",
            json!([1]),
        ),
        (
            "/spec/template/spec/containers/0/securityContext/readonlyRootFilesystem",
            json!(true),
        ),
        ("/spec/backoffLimitPerIndex", json!("1")),
        (
            "/spec/podFailurePolicy/rules/1/onPodConditions/0/status",
            json!(true),
        ),
    ] {
        let mut wrong = manifest();
        let (parent, key) = at.rsplit_once('/').expect("a pointer");
        wrong.pointer_mut(parent).expect("it is there")[key] = value;
        assert!(!unknown(&wrong).is_empty(), "{at}");
    }
}

/// What the API server asks for beyond the types (batch/v1 validation), and what the script counts on.
#[test]
fn a_finding_is_an_answer_and_not_tried_again() {
    let job: Job = serde_json::from_value(manifest()).expect("a Job");
    let spec = job.spec.expect("a spec");
    assert_eq!(spec.completion_mode.as_deref(), Some("Indexed"));
    assert!(
        spec.backoff_limit_per_index.is_some(),
        "FailIndex asks for it"
    );
    let pod = spec.template.spec.expect("a pod");
    assert_eq!(pod.restart_policy.as_deref(), Some("Never"));
    let rules = spec.pod_failure_policy.expect("a policy").rules;
    let on_exit = rules.iter().find_map(|rule| {
        let codes = rule.on_exit_codes.as_ref()?;
        Some((rule.action.as_str(), codes))
    });
    let (action, codes) = on_exit.expect("a rule about exit codes");
    assert_eq!(
        (action, codes.operator.as_str(), &codes.values),
        ("FailIndex", "In", &vec![1])
    );
    let named = codes.container_name.as_deref().expect("whose exit code");
    let check = pod
        .containers
        .iter()
        .find(|container| container.name == named);
    let script = check
        .and_then(|check| check.command.as_ref())
        .expect("a script")
        .join("\n");
    assert!(
        script.contains("./check-one") && script.contains("JOB_COMPLETION_INDEX"),
        "{script}"
    );

    let names = support::read("examples/fleet/clusters.txt");
    let names: Vec<&str> = names.lines().collect();
    let completions = spec
        .completions
        .and_then(|count| usize::try_from(count).ok());
    assert_eq!(completions, Some(names.len()), "one index for each cluster");
    let mut folders: Vec<_> = fs::read_dir(support::in_repository("examples/fleet/clusters"))
        .expect("a folder can be listed")
        .map(|entry| entry.expect("a folder can be listed").file_name())
        .map(|name| name.into_string().expect("names are UTF-8"))
        .collect();
    folders.sort();
    assert_eq!(names, folders);
}
