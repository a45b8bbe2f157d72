//! What does a VMAgent scrape, and what are its pods?
//!
//! Authority: CRD of VMAgent; VictoriaMetrics operator `api/operator/v1beta1/vmagent_types.go`, `factory/vmagent/vmagent.go`.
//! Departs from it: of the pods only what the operator documents is shown; one that is not understood selects nothing.
//! Knows: VMAgent. Does not know: which scrape objects there are.

use std::collections::BTreeMap;

use serde_json::Value;

use super::field::{Field, Problem, Read, noted};
use super::{
    Container, ContainerPort, Labels, Object, PodsKnown, ScrapeKind, Scraper, Selection, Workload,
    selectors, workloads,
};

/// Port of vmagent where `spec.port` is missing.
const DEFAULT_PORT: u16 = 8429;
const MAIN_CONTAINER: &str = "vmagent";

/// A scraper, and whether its pods are known well enough to be anybody's targets.
pub(super) fn vmagent(
    object: Object,
    root: &Field<'_>,
    problems: &mut Vec<Problem>,
) -> (Scraper, bool) {
    let spec = noted(root.key("spec"), problems);
    let settings = spec.and_then(|spec| {
        if spec.is_missing() {
            problems.push(spec.problem("has no spec; expected one with remoteWrite"));
            return None;
        }
        noted(settings(&spec, problems), problems)
    });
    let pods = spec.and_then(|spec| noted(pods(&object, &spec, problems), problems));
    let known = pods.is_some();
    let settings = settings.unwrap_or_default();
    let scraper = Scraper {
        pods: pods.unwrap_or_else(|| bare_pods(&object)),
        several_pods: settings.several_pods,
        selection: settings.selection,
        ignores_namespace_selectors: settings.ignores_namespace_selectors,
        denies_files: settings.denies_files,
        spec: spec
            .and_then(|spec| spec.written().cloned())
            .unwrap_or(Value::Null),
        object,
    };
    (scraper, known)
}

/// What the scraper does, all or nothing: half of it could be the wrong half.
#[derive(Default)]
struct Settings {
    several_pods: bool,
    selection: BTreeMap<ScrapeKind, Selection>,
    ignores_namespace_selectors: bool,
    denies_files: bool,
}

fn settings(spec: &Field<'_>, problems: &mut Vec<Problem>) -> Read<Settings> {
    let flag = |key: &str| spec.key(key)?.boolean();
    let count = |key: &str| -> Read<i64> { Ok(spec.key(key)?.integer()?.unwrap_or(1)) };
    let daemon_set = flag("daemonSetMode")?;
    let kinds: &[ScrapeKind] = match (flag("ingestOnlyMode")?, daemon_set) {
        (true, _) => &[],
        (false, true) => &[ScrapeKind::VMPodScrape],
        (false, false) => &[ScrapeKind::VMServiceScrape, ScrapeKind::VMPodScrape],
    };
    let access = spec.key("arbitraryFSAccessThroughSMs")?;
    Ok(Settings {
        several_pods: daemon_set || count("replicaCount")? > 1 || count("shardCount")? > 1,
        selection: kinds
            .iter()
            .map(|kind| Ok((*kind, selection(spec, *kind, problems)?)))
            .collect::<Read<_>>()?,
        ignores_namespace_selectors: flag("ignoreNamespaceSelectors")?,
        denies_files: access.key("deny")?.boolean()?,
    })
}

fn selection(spec: &Field<'_>, kind: ScrapeKind, problems: &mut Vec<Problem>) -> Read<Selection> {
    let (objects, namespaces) = match kind {
        ScrapeKind::VMServiceScrape => ("serviceScrapeSelector", "serviceScrapeNamespaceSelector"),
        ScrapeKind::VMPodScrape => ("podScrapeSelector", "podScrapeNamespaceSelector"),
    };
    Ok(Selection {
        objects: selectors::selector(&spec.key(objects)?, problems)?,
        namespaces: selectors::selector(&spec.key(namespaces)?, problems)?,
        all_by_default: spec.key("selectAllByDefault")?.boolean()?,
    })
}

fn pods(object: &Object, spec: &Field<'_>, problems: &mut Vec<Problem>) -> Read<Workload> {
    let metadata = spec.key("podMetadata")?;
    let mut labels = metadata.key("labels")?.labels()?;
    labels.extend(operator_labels(&object.name));
    let main = Container {
        name: MAIN_CONTAINER.to_owned(),
        image: noted(image(spec), problems).unwrap_or_default(),
        init: false,
        ports: noted(port(spec), problems)
            .map(|number| ContainerPort {
                name: Some("http".to_owned()),
                number,
            })
            .into_iter()
            .collect(),
    };
    Ok(Workload {
        labels,
        annotations: metadata.key("annotations")?.labels()?,
        service_account: match spec.key("serviceAccountName")?.text()? {
            Some(name) => name.to_owned(),
            None => operator_account(&object.name),
        },
        host_network: spec.key("hostNetwork")?.boolean()?,
        containers: merged(main, workloads::containers(spec, problems)),
        ..bare_pods(object)
    })
}

/// Pods of which nothing but the operator's own labels is known.
fn bare_pods(object: &Object) -> Workload {
    Workload {
        object: object.clone(),
        labels: operator_labels(&object.name),
        annotations: Labels::new(),
        service_account: operator_account(&object.name),
        host_network: false,
        containers: Vec::new(),
        known: PodsKnown::Operator,
    }
}

/// The labels that the operator selects its pods by; they win over those of `podMetadata`.
fn operator_labels(name: &str) -> Labels {
    [
        ("app.kubernetes.io/name", "vmagent"),
        ("app.kubernetes.io/instance", name),
        ("app.kubernetes.io/component", "monitoring"),
        ("managed-by", "vm-operator"),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect()
}

/// The account that the operator makes where `serviceAccountName` names none (`PrefixedName`).
fn operator_account(name: &str) -> String {
    format!("vmagent-{name}")
}

fn port(spec: &Field<'_>) -> Read<u16> {
    let field = spec.key("port")?;
    match field.text()? {
        None => Ok(DEFAULT_PORT),
        Some(number) => number
            .parse()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| field.problem("expected a string with a number from 1 to 65535")),
    }
}

fn image(spec: &Field<'_>) -> Read<String> {
    let image = spec.key("image")?;
    let repository = image.key("repository")?.text()?.unwrap_or_default();
    Ok(match image.key("tag")?.text()? {
        Some(tag) if !repository.is_empty() => format!("{repository}:{tag}"),
        _ => repository.to_owned(),
    })
}

/// `spec.containers` of the main container's name patches it (`MergePatchContainers`), the others are added.
fn merged(main: Container, written: Vec<Container>) -> Vec<Container> {
    let (patches, others): (Vec<_>, Vec<_>) = written
        .into_iter()
        .partition(|container| !container.init && container.name == MAIN_CONTAINER);
    let main = patches.into_iter().fold(main, |mut main, patch| {
        if !patch.image.is_empty() {
            main.image = patch.image;
        }
        main.ports.retain(|port| {
            patch
                .ports
                .iter()
                .all(|patched| patched.number != port.number)
        });
        main.ports.extend(patch.ports);
        main
    });
    std::iter::once(main).chain(others).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Config;
    use crate::model::{Inventory, read};

    fn inventory(spec: Value) -> Inventory {
        let object = json!({"apiVersion": "operator.victoriametrics.com/v1beta1", "kind": "VMAgent",
            "metadata": {"name": "demo", "namespace": "vm"}, "spec": spec});
        read([(0, &object)], &Config::default())
    }

    fn kinds(spec: Value) -> Vec<ScrapeKind> {
        inventory(spec).scrapers[0]
            .selection
            .keys()
            .copied()
            .collect()
    }

    /// spec 3.2.
    #[test]
    fn modes_select_kinds() {
        assert_eq!(
            kinds(json!({})),
            [ScrapeKind::VMServiceScrape, ScrapeKind::VMPodScrape]
        );
        assert_eq!(
            kinds(json!({"daemonSetMode": true})),
            [ScrapeKind::VMPodScrape]
        );
        assert_eq!(
            kinds(json!({"ingestOnlyMode": true, "daemonSetMode": true})),
            []
        );
    }

    #[test]
    fn several_pods() {
        for (spec, several) in [
            (json!({}), false),
            (json!({"replicaCount": 1, "shardCount": 0}), false),
            (json!({"replicaCount": 2}), true),
            (json!({"shardCount": 2}), true),
            (json!({"daemonSetMode": true}), true),
        ] {
            assert_eq!(
                inventory(spec.clone()).scrapers[0].several_pods,
                several,
                "{spec}"
            );
        }
    }

    #[test]
    fn without_spec_it_selects_nothing_and_is_unread() {
        let inventory = inventory(Value::Null);
        assert!(inventory.scrapers[0].selection.is_empty());
        assert_eq!(inventory.scrapers[0].spec, Value::Null);
        assert_eq!(inventory.unread[0].at.as_str(), "/spec");
        assert!(inventory.unread[0].problem.contains("has no spec"));
    }

    #[test]
    fn with_a_broken_selector_it_selects_nothing_and_is_unread() {
        let inventory = inventory(json!({"selectAllByDefault": true, "podScrapeSelector": []}));
        assert!(inventory.scrapers[0].selection.is_empty());
        assert_eq!(inventory.unread[0].at.as_str(), "/spec/podScrapeSelector");
        assert_eq!(
            inventory.workloads.len(),
            1,
            "its pods are known all the same"
        );
    }

    /// spec 4.1, pod labels set by the operator; 5.3, default ports.
    #[test]
    fn pods_as_the_operator_makes_them() {
        let inventory = inventory(json!({
            "podMetadata": {"labels": {"app.kubernetes.io/name": "mine", "team": "a"}, "annotations": {"a": "b"}},
            "containers": [{"name": "vmagent", "ports": [{"containerPort": 9000, "name": "extra"}]}, {"name": "helper"}]}));
        let pods = &inventory.workloads[0];
        assert_eq!(pods.labels["app.kubernetes.io/name"], "vmagent");
        assert_eq!(pods.labels["app.kubernetes.io/instance"], "demo");
        assert_eq!(pods.labels["team"], "a");
        assert_eq!(pods.annotations["a"], "b");
        assert_eq!(pods.known, PodsKnown::Operator);
        assert_eq!(pods.ports_named("http"), [8429]);
        assert_eq!(pods.ports_named("extra"), [9000]);
        assert_eq!(pods.containers.len(), 2);
    }

    #[test]
    fn port_and_image_as_written() {
        let inventory =
            inventory(json!({"port": "80", "image": {"repository": "vm/vmagent", "tag": "v1"}}));
        assert_eq!(inventory.workloads[0].ports_named("http"), [80]);
        assert_eq!(inventory.workloads[0].containers[0].image, "vm/vmagent:v1");
    }

    #[test]
    fn pods_with_unreadable_annotations_are_no_targets() {
        let inventory = inventory(json!({"podMetadata": {"annotations": {"a": true}}}));
        assert!(inventory.workloads.is_empty());
        assert_eq!(inventory.scrapers.len(), 1);
    }
}
