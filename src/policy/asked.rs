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
use crate::model::{
    InjectorWebhook, InjectorWebhooks, Inventory, Labels, REVISION, Workload, selects,
};

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

/// Who answers for pods.
enum Answering<'i> {
    /// These webhooks of the input select them.
    Webhooks(Vec<(&'i InjectorWebhooks, &'i InjectorWebhook)>),
    /// Labels name a revision or tag, and no webhook of the input selects them.
    Named(Revision),
    /// Neither Namespace nor pods say anything: as `enableNamespacesByDefault` says.
    Default,
    Nobody,
}

fn answering<'i>(
    mesh: &Mesh<'i>,
    pods: &Workload,
    namespace: &NamespaceLabels<'_>,
) -> Answering<'i> {
    let by_chart = webhook_selects(&namespace.labels, &pods.labels);
    let is_configured = matches!(namespace.source, Source::Configured(_));
    // Configuration says what silent pods get, whatever the webhooks make of labels that nobody sees.
    if !is_configured || by_chart.is_some() {
        let webhooks = selecting(mesh.inventory, pods, namespace);
        if !webhooks.is_empty() {
            return Answering::Webhooks(webhooks);
        }
    }
    match by_chart {
        Some(revision) => Answering::Named(revision),
        None if !is_configured && may_be_by_default(mesh, pods, namespace) => Answering::Default,
        None => Answering::Nobody,
    }
}

/// The webhooks of the input that select the pods.
fn selecting<'i>(
    inventory: &'i Inventory,
    pods: &Workload,
    namespace: &NamespaceLabels<'_>,
) -> Vec<(&'i InjectorWebhooks, &'i InjectorWebhook)> {
    let matching = inventory.injectors.iter().filter_map(|injector| {
        let webhook = injector.webhooks.iter().find(|webhook| {
            selects(&webhook.namespaces, &namespace.labels) && selects(&webhook.pods, &pods.labels)
        })?;
        Some((injector, webhook))
    });
    matching.collect()
}

/// Whether the default injector may be asked about pods of which nobody says anything.
fn may_be_by_default(mesh: &Mesh<'_>, pods: &Workload, namespace: &NamespaceLabels<'_>) -> bool {
    let labels = (&*namespace.labels, namespace.name);
    let mut injectors = mesh.inventory.injectors.iter();
    webhook_selects_by_default(labels, &pods.labels)
        // Its webhooks are there and none of them selects the pods.
        && !injectors.any(|injector| name_of(injector) == Revision::Default.name())
        && by_default_setting(mesh).value != Some(false)
}

fn by_default_setting<'m>(mesh: &Mesh<'m>) -> &'m Fact<bool> {
    let default = revision_behind(mesh.inventory, Revision::Default.name());
    &mesh.settings.of_revision(default).namespaces_by_default
}

/// The tag or revision that labels name.
fn name_of(injector: &InjectorWebhooks) -> &str {
    injector.tag.as_deref().unwrap_or(&injector.revision)
}

/// The revision of the injector that is asked about new pods of a workload, or would be; `None`: nothing says which.
pub(super) fn revision_asked(
    mesh: &Mesh<'_>,
    pods: &Workload,
    namespace: &NamespaceLabels<'_>,
) -> Option<String> {
    revision_of(mesh.inventory, &answering(mesh, pods, namespace))
}

fn revision_of(inventory: &Inventory, answering: &Answering<'_>) -> Option<String> {
    let behind = |name: &str| revision_behind(inventory, name).map(str::to_owned);
    match answering {
        Answering::Webhooks(webhooks) => {
            let mut revisions = webhooks.iter().map(|(injector, _)| &injector.revision);
            let first = revisions.next()?;
            revisions.all(|other| other == first).then(|| first.clone())
        }
        Answering::Named(revision) => behind(revision.name()),
        Answering::Default => behind(Revision::Default.name()),
        Answering::Nobody => None,
    }
}

/// Whether an injector is asked about new pods of a workload.
pub(super) fn asked(mesh: &Mesh<'_>, pods: &Workload, namespace: &NamespaceLabels<'_>) -> Asked {
    let answering = answering(mesh, pods, namespace);
    let revision = revision_of(mesh.inventory, &answering);
    let fact = match answering {
        Answering::Webhooks(webhooks) => by_webhooks(&webhooks, pods, namespace),
        Answering::Named(revision) => by_name(mesh.inventory, pods, namespace, &revision),
        Answering::Default => by_default(mesh, namespace),
        Answering::Nobody => return nobody(namespace),
    };
    Asked::new(fact, revision)
}

fn by_webhooks(
    webhooks: &[(&InjectorWebhooks, &InjectorWebhook)],
    pods: &Workload,
    namespace: &NamespaceLabels<'_>,
) -> Fact<bool> {
    let webhooks = webhooks.iter().map(|(injector, webhook)| {
        format!("{}: webhook {}", named(&injector.object), webhook.name)
    });
    let because = request(pods, namespace).into_iter().chain(webhooks);
    Fact {
        value: Some(true),
        proven: !namespace.is_missing(),
        because: because.collect(),
    }
}

fn by_name(
    inventory: &Inventory,
    pods: &Workload,
    namespace: &NamespaceLabels<'_>,
    revision: &Revision,
) -> Fact<bool> {
    let name = revision.name();
    let proven = !namespace.is_missing();
    let request: Vec<String> = request(pods, namespace).into_iter().collect();
    let injects_by_configuration = matches!(
        namespace.source,
        Source::Configured(NamespaceInjection::Sidecar)
    );
    if inventory.injectors.is_empty() || injects_by_configuration {
        return Fact {
            value: Some(true),
            proven,
            because: request,
        };
    }
    let mut injectors = inventory.injectors.iter();
    match injectors.find(|injector| name_of(injector) == name) {
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
    }
}

fn by_default(mesh: &Mesh<'_>, namespace: &NamespaceLabels<'_>) -> Fact<bool> {
    let setting = by_default_setting(mesh);
    let said = setting.because.iter().cloned();
    let because = said.chain([namespace.on_injection()]).collect();
    match setting.value {
        Some(_) if mesh.inventory.injectors.is_empty() => Fact {
            value: Some(true),
            proven: setting.proven && !namespace.is_missing(),
            because,
        },
        Some(_) => Fact {
            value: None,
            proven: false,
            because: chained(missing_injector(Revision::Default.name()), because),
        },
        None => Fact {
            value: None,
            proven: false,
            because,
        },
    }
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
