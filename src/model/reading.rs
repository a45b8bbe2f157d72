//! Which objects are looked into, and what becomes of those that are not understood?
//!
//! Authority: groups, versions and kinds of the Kubernetes API, Istio and the VictoriaMetrics operator.
//! Departs from it: an object that the API server would refuse is left out of the inventory and reported as unread.
//! Knows: kinds, and who reads each. Does not know: their fields.

use jsonptr::PointerBuf;
use serde_json::Value;

use super::control_plane::{self, Language};
use super::field::{Field, Problem, noted};
use super::operated::{self, Component};
use super::{
    Inventory, Namespace, Object, ScrapeKind, ScraperKind, Unread, authorization, inline_jobs,
    metadata, peer_authentication, scrapers, scrapes, self_scrapes, services, sidecar, workloads,
};
use crate::config::{Config, SelfScrape};
use crate::yaml::Json;

/// Who reads an object.
enum Subject {
    Namespace,
    Service,
    Workload,
    PeerAuthentication,
    AuthorizationPolicy,
    Sidecar,
    PolicyOfOld,
    Scrape(ScrapeKind),
    Scraper(ScraperKind),
    Operated,
    ControlPlane(Language),
    InjectorWebhooks,
    ProxyConfig,
}

fn subject(api_version: &str, kind: &str, name: &str) -> Option<Subject> {
    match (api_version, kind) {
        ("v1", "Namespace") => Some(Subject::Namespace),
        ("v1", "Service") => Some(Subject::Service),
        ("v1", "Pod" | "ReplicationController")
        | ("apps/v1", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
        | ("batch/v1", "Job" | "CronJob")
        | ("argoproj.io/v1alpha1", "Rollout")
        | ("apps.kruise.io/v1alpha1", "CloneSet" | "StatefulSet" | "DaemonSet")
        | ("apps.kruise.io/v1beta1", "StatefulSet" | "DaemonSet")
        | ("serving.knative.dev/v1", "Service") => Some(Subject::Workload),
        ("security.istio.io/v1" | "security.istio.io/v1beta1", "AuthorizationPolicy") => {
            Some(Subject::AuthorizationPolicy)
        }
        (
            "networking.istio.io/v1"
            | "networking.istio.io/v1beta1"
            | "networking.istio.io/v1alpha3",
            "Sidecar",
        ) => Some(Subject::Sidecar),
        ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration") => {
            Some(Subject::InjectorWebhooks)
        }
        ("networking.istio.io/v1beta1", "ProxyConfig") => Some(Subject::ProxyConfig),
        _ if peer_authentication::is_policy(api_version, kind) => Some(Subject::PeerAuthentication),
        _ if peer_authentication::is_of_old(api_version, kind) => Some(Subject::PolicyOfOld),
        _ => ScrapeKind::of(api_version, kind)
            .map(Subject::Scrape)
            .or_else(|| ScraperKind::of(api_version, kind).map(Subject::Scraper))
            .or_else(|| {
                Component::of(api_version, kind)
                    .next()
                    .map(|_| Subject::Operated)
            })
            .or_else(|| Language::of(api_version, kind, name).map(Subject::ControlPlane)),
    }
}

/// Whether the model looks into objects of this kind and name. The group counts: a Service of `serving.knative.dev` is a workload.
/// The name counts for ConfigMaps, of which only Istio's are of interest.
pub fn reads(api_version: &str, kind: &str, name: &str) -> bool {
    subject(api_version, kind, name).is_some()
}

/// Keys under which no list or map of an object of this kind is looked at, wherever it stands.
pub fn passed_over(api_version: &str, kind: &str) -> &'static [&'static str] {
    match subject(api_version, kind, "") {
        Some(Subject::Workload) => workloads::PASSED_OVER,
        _ => &[],
    }
}

/// Whether an object is what its kind and name make it look like.
fn is_genuine(subject: &Subject, value: &Json<'_>) -> bool {
    match subject {
        Subject::ControlPlane(language) => language.is_spoken_by(value),
        Subject::InjectorWebhooks => control_plane::is_injectors(value),
        Subject::Namespace
        | Subject::Service
        | Subject::Workload
        | Subject::PeerAuthentication
        | Subject::AuthorizationPolicy
        | Subject::Sidecar
        | Subject::PolicyOfOld
        | Subject::Scrape(_)
        | Subject::Scraper(_)
        | Subject::Operated
        | Subject::ProxyConfig => true,
    }
}

/// Whether objects of this kind say what is to be scraped.
pub fn is_scrape(api_version: &str, kind: &str) -> bool {
    matches!(subject(api_version, kind, ""), Some(Subject::Scrape(_)))
}

/// Whether objects of this kind have pods.
pub fn makes_pods(api_version: &str, kind: &str) -> bool {
    matches!(
        subject(api_version, kind, ""),
        Some(Subject::Workload | Subject::Scraper(_) | Subject::Operated)
    )
}

/// The inventory of these objects, each with its position among the package's items, whatever their order.
pub fn read<'a>(
    objects: impl IntoIterator<Item = (usize, &'a Value)>,
    config: &Config,
) -> Inventory {
    let mut found = Found::default();
    for (item, value) in objects {
        found.take(item, &value.into(), usize::MAX, config);
    }
    found.inventory()
}

/// What the objects looked into so far say. Objects may be looked into in any order, and apart from each other.
#[derive(Debug, Default)]
pub struct Found {
    inventory: Inventory,
    namespaces: Vec<Namespace>,
}

impl Found {
    /// Looks into an object. Those from position `context` on are facts from outside the build.
    pub fn take(&mut self, item: usize, value: &Json<'_>, context: usize, config: &Config) {
        let text = |key: &str| value.get(key).and_then(Json::as_str).unwrap_or_default();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        let name = value
            .get_below(&["metadata", "name"])
            .and_then(Json::as_str);
        let Some(subject) = subject(api_version, kind, name.unwrap_or_default())
            .filter(|subject| is_genuine(subject, value))
        else {
            return;
        };
        let root = Field::root(value);
        let mut problems = Vec::new();
        let mut object = metadata::object(
            &root,
            (api_version, kind),
            item,
            &config.namespace,
            &mut problems,
        );
        object.context = item >= context;
        let found = (&mut self.inventory, &mut self.namespaces);
        add(found, subject, object.clone(), &root, &mut problems);
        if config.self_scrape == SelfScrape::Patch && problems.is_empty() {
            let made = self_scrapes::of(&object, &root, &mut problems);
            self.inventory.scrapes.extend(made);
        }
        let unread = problems.into_iter().map(|problem| Unread {
            object: object.clone(),
            at: problem.at,
            problem: problem.text,
        });
        self.inventory.unread.extend(unread);
    }

    /// Notes an object that could not be looked into.
    pub fn take_unread(&mut self, unread: Unread) {
        self.inventory.unread.push(unread);
    }

    /// Puts what was found in order, which is the less to be done in the end.
    pub fn sort(&mut self) {
        sort_all(&mut self.inventory);
    }

    /// What all of these objects say.
    pub fn joined(parts: Vec<Self>) -> Self {
        let mut all = Self::default();
        all.inventory.reserve(&parts);
        for part in parts {
            all.inventory.append(part.inventory);
            all.namespaces.extend(part.namespaces);
        }
        all
    }

    /// All that was found, in order.
    pub fn inventory(mut self) -> Inventory {
        add_namespaces(&mut self.inventory, self.namespaces);
        let mut inventory = self.inventory;
        sort_all(&mut inventory);
        operated::settle(&mut inventory.services);
        inventory.index_labels();
        inventory
    }
}

/// Adds one object, unless there are problems already: those of its metadata.
fn add(
    (inventory, namespaces): (&mut Inventory, &mut Vec<Namespace>),
    subject: Subject,
    object: Object,
    root: &Field<'_>,
    problems: &mut Vec<Problem>,
) {
    match subject {
        Subject::PeerAuthentication => {
            let reasons = std::mem::take(problems);
            let policy = peer_authentication::policy(object, root, reasons);
            inventory.policies.push(policy);
            problems.extend(peer_authentication::unknown_fields(root));
        }
        Subject::AuthorizationPolicy => {
            let reasons = std::mem::take(problems);
            let policy = authorization::policy(object, root, reasons);
            inventory.authorizations.push(policy);
        }
        Subject::PolicyOfOld => problems.push(root.problem(peer_authentication::OF_OLD)),
        _ if !problems.is_empty() => {}
        Subject::Namespace => {
            let name = object.name.clone();
            match noted(metadata::namespace_object(object, root), problems) {
                Some(namespace) => namespaces.push(namespace),
                None => {
                    let reason = "is in the input with labels that are not understood";
                    inventory.unclear_namespaces.insert(name, reason);
                }
            }
        }
        Subject::Service => {
            let service = services::service(object, root, problems);
            inventory.services.extend(noted(service, problems));
        }
        Subject::Workload => {
            let workload = workloads::workload(object, root, problems);
            inventory
                .workloads
                .extend(noted(workload, problems).flatten());
        }
        Subject::Sidecar => {
            let sidecar = sidecar::sidecar(object, root);
            inventory.sidecars.extend(noted(sidecar, problems));
        }
        Subject::Scrape(kind) => {
            let scrape = scrapes::scrape(object, kind, root, problems);
            inventory.scrapes.extend(noted(scrape, problems));
        }
        Subject::Scraper(kind) => {
            operated::add_services(inventory, &object, root, problems);
            let (scraper, pods) = scrapers::scraper(object, kind, root, problems);
            inventory.workloads.extend(pods);
            let jobs = scraper
                .as_ref()
                .and_then(|scraper| inline_jobs::of(scraper, problems));
            inventory.scrapes.extend(jobs);
            inventory.scrapers.extend(scraper);
        }
        Subject::Operated => operated::add(inventory, &object, root, problems),
        Subject::ControlPlane(language) => {
            let planes = language.read(object, root, problems);
            inventory.control_planes.extend(planes);
        }
        Subject::InjectorWebhooks => {
            let webhooks = control_plane::webhooks(object, root, problems);
            inventory.injectors.extend(webhooks);
        }
        Subject::ProxyConfig => {
            let config = control_plane::proxy_config(object, root);
            inventory.proxy_configs.extend(noted(config, problems));
        }
    }
}

/// A Namespace that is there twice, with different labels, is as unknown as one that is not there, for another reason.
fn add_namespaces(inventory: &mut Inventory, mut namespaces: Vec<Namespace>) {
    namespaces.sort_by(|a, b| order(&a.object).cmp(&order(&b.object)));
    for same_name in namespaces.chunk_by(|a, b| a.object.name == b.object.name) {
        let [first, others @ ..] = same_name else {
            continue;
        };
        let contradicting = others.iter().find(|other| other.labels != first.labels);
        match contradicting {
            None => {
                let name = first.object.name.clone();
                inventory.namespaces.insert(name, first.clone());
            }
            Some(other) => {
                let name = first.object.name.clone();
                let reason = "is in the input twice, with different labels";
                inventory.unclear_namespaces.insert(name, reason);
                inventory.unread.push(Unread {
                    object: other.object.clone(),
                    at: PointerBuf::from_tokens(["metadata", "labels"]),
                    problem: "the input has this Namespace twice; expected the same labels in both"
                        .to_owned(),
                });
            }
        }
    }
}

fn sort_all(inventory: &mut Inventory) {
    sort(&mut inventory.services, |service| &service.object);
    sort(&mut inventory.workloads, |workload| &workload.object);
    sort(&mut inventory.policies, |policy| &policy.object);
    sort(&mut inventory.authorizations, |policy| &policy.object);
    sort(&mut inventory.sidecars, |sidecar| &sidecar.object);
    sort(&mut inventory.control_planes, |plane| &plane.object);
    sort(&mut inventory.injectors, |webhooks| &webhooks.object);
    sort(&mut inventory.proxy_configs, |config| &config.object);
    sort(&mut inventory.scrapes, |scrape| &scrape.object);
    sort(&mut inventory.scrapers, |scraper| &scraper.object);
    sort(&mut inventory.unread, |unread| &unread.object);
}

fn sort<T>(list: &mut Vec<T>, object: impl Fn(&T) -> &Object) {
    list.sort_by(|a, b| order(object(a)).cmp(&order(object(b))));
    list.shrink_to_fit();
}

impl Inventory {
    /// Makes room in the lists that are long in large inputs for what these parts found, and for no more.
    fn reserve(&mut self, parts: &[Found]) {
        let length = |of: fn(&Self) -> usize| parts.iter().map(|part| of(&part.inventory)).sum();
        self.services
            .reserve_exact(length(|one| one.services.len()));
        self.workloads
            .reserve_exact(length(|one| one.workloads.len()));
        self.policies
            .reserve_exact(length(|one| one.policies.len()));
        self.scrapes.reserve_exact(length(|one| one.scrapes.len()));
    }

    fn append(&mut self, other: Self) {
        self.namespaces.extend(other.namespaces);
        self.unclear_namespaces.extend(other.unclear_namespaces);
        self.services.extend(other.services);
        self.workloads.extend(other.workloads);
        self.policies.extend(other.policies);
        self.authorizations.extend(other.authorizations);
        self.control_planes.extend(other.control_planes);
        self.injectors.extend(other.injectors);
        self.sidecars.extend(other.sidecars);
        self.proxy_configs.extend(other.proxy_configs);
        self.scrapes.extend(other.scrapes);
        self.scrapers.extend(other.scrapers);
        self.unread.extend(other.unread);
    }
}

pub(super) fn order(object: &Object) -> (&str, &str, &str, usize) {
    (&object.namespace, &object.name, &object.kind, object.item)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_all(objects: &[Value]) -> Inventory {
        read(objects.iter().enumerate(), &Config::default())
    }

    #[test]
    fn the_group_counts_not_only_the_kind() {
        for (api_version, kind, expected) in [
            ("v1", "Service", true),
            ("serving.knative.dev/v1", "Service", true),
            ("serving.knative.dev/v1", "Route", false),
            ("argoproj.io/v1alpha1", "Rollout", true),
            ("argoproj.io/v1alpha1", "Application", false),
            ("apps.kruise.io/v1alpha1", "CloneSet", true),
            ("apps.kruise.io/v1beta1", "StatefulSet", true),
            ("apps/v1", "CloneSet", false),
            ("operator.victoriametrics.com/v1beta1", "VMCluster", true),
            ("operator.victoriametrics.com/v1", "VLSingle", true),
            ("operator.victoriametrics.com/v1beta1", "VMRule", false),
            ("monitoring.coreos.com/v1", "ThanosRuler", true),
            ("apps/v1", "Deployment", true),
            ("v1", "Deployment", false),
            ("batch/v1", "CronJob", true),
            ("security.istio.io/v1beta1", "PeerAuthentication", true),
            ("security.istio.io/v1alpha1", "PeerAuthentication", true),
            ("security.istio.io/v1", "RequestAuthentication", false),
            ("authentication.istio.io/v1alpha1", "MeshPolicy", true),
            ("policy/v1", "Policy", false),
            ("operator.victoriametrics.com/v1beta1", "VMAgent", true),
            (
                "operator.victoriametrics.com/v1beta1",
                "VMStaticScrape",
                true,
            ),
            ("monitoring.coreos.com/v1", "ScrapeConfig", false),
        ] {
            let read = reads(api_version, kind, "demo");
            assert_eq!(read, expected, "{api_version} {kind}");
        }
        assert!(makes_pods("v1", "Pod") && !makes_pods("v1", "Service"));
        assert!(makes_pods("serving.knative.dev/v1", "Service"));
        assert!(makes_pods("monitoring.coreos.com/v1", "Alertmanager"));
    }

    #[test]
    fn the_order_of_items_does_not_matter() {
        let service = |name: &str| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "demo"}});
        let (a, b) = (service("a"), service("b"));
        let names = |objects: [(usize, &Value); 2]| -> Vec<String> {
            let inventory = read(objects, &Config::default());
            inventory
                .services
                .into_iter()
                .map(|s| s.object.name)
                .collect()
        };
        assert_eq!(names([(0, &a), (1, &b)]), ["a", "b"]);
        assert_eq!(names([(0, &b), (1, &a)]), ["a", "b"]);
    }

    #[test]
    fn a_namespace_has_its_name_as_a_label_and_no_namespace() {
        let inventory = read_all(&[json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": "demo", "labels": {"istio-injection": "enabled"}}})]);
        let namespace = &inventory.namespaces["demo"];
        assert_eq!(
            namespace.labels.get("kubernetes.io/metadata.name"),
            Some("demo")
        );
        assert_eq!(namespace.labels.get("istio-injection"), Some("enabled"));
        assert_eq!(
            (
                namespace.object.namespace.as_str(),
                namespace.object.namespace_assumed
            ),
            ("", false)
        );
    }

    #[test]
    fn a_namespace_that_cannot_be_read_is_unknown_not_unlabelled() {
        let namespace = |label: Value| {
            json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": "demo", "labels": {"istio-injection": label}}})
        };
        let unquoted = read_all(&[namespace(json!(true))]);
        assert!(unquoted.namespaces.is_empty());
        assert_eq!(
            unquoted.unread[0].at.as_str(),
            "/metadata/labels/istio-injection"
        );
        let twice = read_all(&[namespace(json!("enabled")), namespace(json!("disabled"))]);
        assert!(twice.namespaces.is_empty());
        assert_eq!(twice.unread.len(), 1);
        for (unclear, why) in [
            (
                &unquoted,
                "is in the input with labels that are not understood",
            ),
            (&twice, "is in the input twice, with different labels"),
            (&read_all(&[]), "is not in the input"),
        ] {
            assert_eq!(unclear.unknown_namespace("demo"), why);
            assert_eq!(unclear.unknown_namespace("other"), "is not in the input");
        }
        let same = read_all(&[namespace(json!("enabled")), namespace(json!("enabled"))]);
        assert_eq!((same.namespaces.len(), same.unread.len()), (1, 0));
    }

    #[test]
    fn one_unreadable_object_does_not_take_others_with_it() {
        let inventory = read_all(&[
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "broken", "labels": ["a"]}}),
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": 5}}),
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "demo"}}),
            json!({"apiVersion": "v1", "kind": "Service", "metadata": []}),
            json!("not an object"),
            json!(null),
        ]);
        assert_eq!(inventory.services.len(), 1);
        assert_eq!(inventory.unread.len(), 3);
    }
}
