//! Does the API server ask an injector about the pods, and which revision's?
//!
//! Authority: istio/istio manifests/charts/istio-control/istio-discovery/templates/mutatingwebhook.yaml, revision-tags-mwc.yaml; istioctl/pkg/checkinject `analyzeRunningWebhooks`.
//! Departs from it: webhooks that are not in the input are taken to be as the charts render them if the input shows none at all, and as unknown if it shows others.
//! Knows: webhooks of the input, labels of Namespaces and pods. Does not know: what the injector answers.

use super::namespaces::{NamespaceLabels, Source};
use super::settings::revision_behind;
use super::webhook::{INJECT, webhook_selects, webhook_selects_by_default};
use super::{Fact, Mesh, Revision, named};
use crate::config::NamespaceInjection;
use crate::model::{Inventory, Labels, REVISION, Workload, selects};

/// Gate 1, as far as the input shows it.
pub(super) struct Asked {
    /// Whether an injector is asked.
    pub(super) fact: Fact<bool>,
    /// The revision of the injector that is asked, or would be; `None`: nothing says which.
    pub(super) revision: Option<String>,
    /// Nobody is asked, only because nobody says anything.
    pub(super) unlabelled: bool,
    /// The Namespace forbids it, and no label of a pod changes that.
    pub(super) whatever_pods_say: bool,
}

impl Asked {
    fn new(fact: Fact<bool>, revision: Option<String>) -> Self {
        Self {
            fact,
            revision,
            unlabelled: false,
            whatever_pods_say: false,
        }
    }
}

/// Whether an injector is asked about new pods of a workload.
pub(super) fn asked(mesh: &Mesh<'_>, pods: &Workload, namespace: &NamespaceLabels<'_>) -> Asked {
    let by_chart = webhook_selects(&namespace.labels, &pods.labels);
    let is_configured = matches!(namespace.source, Source::Configured(_));
    // Configuration says what silent pods get, whatever the webhooks make of labels that nobody sees.
    let shown = match is_configured && by_chart.is_none() {
        true => None,
        false => by_shown_webhooks(mesh.inventory, pods, namespace),
    };
    match (shown, by_chart) {
        (Some(asked), _) => asked,
        (None, Some(revision)) => by_name(mesh.inventory, pods, namespace, &revision),
        (None, None) if !is_configured => by_default(mesh, pods, namespace),
        (None, None) => nobody(namespace),
    }
}

/// The answer of webhooks in the input that select the pods; `None`: none of them does.
fn by_shown_webhooks(
    inventory: &Inventory,
    pods: &Workload,
    namespace: &NamespaceLabels<'_>,
) -> Option<Asked> {
    let matching = inventory.injectors.iter().filter_map(|injector| {
        let webhook = injector.webhooks.iter().find(|webhook| {
            selects(&webhook.namespaces, &namespace.labels) && selects(&webhook.pods, &pods.labels)
        })?;
        Some((injector, webhook))
    });
    let matching: Vec<_> = matching.collect();
    let (first, _) = matching.first()?;
    let one_revision = matching
        .iter()
        .all(|(injector, _)| injector.revision == first.revision);
    let webhooks = matching.iter().map(|(injector, webhook)| {
        format!("{}: webhook {}", named(&injector.object), webhook.name)
    });
    let because = request(pods, namespace).into_iter().chain(webhooks);
    Some(Asked::new(
        Fact {
            value: Some(true),
            proven: !namespace.is_missing(),
            because: because.collect(),
        },
        one_revision.then(|| first.revision.clone()),
    ))
}

/// The answer where labels name a revision or tag, and no webhook of the input selects the pods.
fn by_name(
    inventory: &Inventory,
    pods: &Workload,
    namespace: &NamespaceLabels<'_>,
    revision: &Revision,
) -> Asked {
    let name = revision.name();
    let proven = !namespace.is_missing();
    let request: Vec<String> = request(pods, namespace).into_iter().collect();
    let governing = revision_behind(inventory, name).map(str::to_owned);
    let injects_by_configuration = matches!(
        namespace.source,
        Source::Configured(NamespaceInjection::Sidecar)
    );
    if inventory.injectors.is_empty() || injects_by_configuration {
        let fact = Fact {
            value: Some(true),
            proven,
            because: request,
        };
        return Asked::new(fact, governing);
    }
    let of_that_name = inventory
        .injectors
        .iter()
        .find(|injector| injector.tag.as_deref().unwrap_or(&injector.revision) == name);
    let fact = match of_that_name {
        Some(injector) => Fact {
            value: Some(false),
            proven,
            because: chained(
                format!("{}: no webhook selects these pods", named(&injector.object)),
                request,
            ),
        },
        None => Fact {
            value: None,
            proven: false,
            because: chained(missing_injector(name), request),
        },
    };
    Asked::new(fact, governing)
}

/// The answer where neither Namespace nor pods say anything: as `enableNamespacesByDefault` says.
fn by_default(mesh: &Mesh<'_>, pods: &Workload, namespace: &NamespaceLabels<'_>) -> Asked {
    let labels = (&*namespace.labels, namespace.name);
    if !webhook_selects_by_default(labels, &pods.labels) {
        return nobody(namespace);
    }
    let injectors = &mesh.inventory.injectors;
    let default = revision_behind(mesh.inventory, Revision::Default.name());
    let setting = &mesh.settings.of_revision(default).namespaces_by_default;
    let default_is_shown = injectors.iter().any(|injector| {
        injector.tag.as_deref().unwrap_or(&injector.revision) == Revision::Default.name()
    });
    // Most pods are nobody's concern, for whom this would be spelled out in vain.
    let because = || -> Vec<String> {
        let said = setting.because.iter().cloned();
        said.chain([namespace.on_injection()]).collect()
    };
    let fact = match setting.value {
        // Its webhooks are there and none of them selects the pods.
        _ if default_is_shown => return nobody(namespace),
        Some(false) => return nobody(namespace),
        Some(true) if injectors.is_empty() => Fact {
            value: Some(true),
            proven: setting.proven && !namespace.is_missing(),
            because: because(),
        },
        Some(true) => Fact {
            value: None,
            proven: false,
            because: chained(missing_injector(Revision::Default.name()), because()),
        },
        None => Fact {
            value: None,
            proven: false,
            because: because(),
        },
    };
    Asked::new(fact, default.map(str::to_owned))
}

fn nobody(namespace: &NamespaceLabels<'_>) -> Asked {
    let says_so =
        namespace.speaks_of_injection() || matches!(namespace.source, Source::Configured(_));
    let fact = Fact {
        value: Some(false),
        proven: says_so,
        because: vec![namespace.on_injection()],
    };
    Asked {
        unlabelled: !says_so,
        whatever_pods_say: namespace.speaks_of_injection(),
        ..Asked::new(fact, None)
    }
}

/// Evidence: which label asks the injector of the chart.
fn request(pods: &Workload, namespace: &NamespaceLabels<'_>) -> Option<String> {
    webhook_selects(&namespace.labels, &pods.labels)?;
    if namespace.speaks_of_injection() {
        return Some(namespace.on_injection());
    }
    // The webhook of a pod's revision matches whatever the other label says, unless that is "false".
    let label = |key: &str, labels: &Labels| Some(format!("label {key}={}", labels.get(key)?));
    let own = label(REVISION, &pods.labels).or_else(|| label(INJECT, &pods.labels))?;
    Some(format!("{}: {own}", named(&pods.object)))
}

fn missing_injector(name: &str) -> String {
    format!("no injector of revision {name} is in the input")
}

fn chained(first: String, others: Vec<String>) -> Vec<String> {
    [first].into_iter().chain(others).collect()
}
