//! Which policies, and which ports of policies, do nothing?
//!
//! Authority: `ComposePeerAuthentication`, istio/istio pilot/pkg/security/authn/policy_applier.go: ports are those of the pod; `LabelsInRevision`, pkg/config/model.go.
//! Departs from it: a container may listen on a port that it does not declare; one that nothing in the input names is taken as a mistake.
//! Knows: policies, the pods that they select, Services, judged endpoints. Does not know: text.

use std::collections::BTreeSet;

use jsonptr::PointerBuf;

use super::Rule;
use super::decision::Decision;
use super::endpoint::JudgedEndpoint;
use super::scraper::Patched;
use crate::model::{
    Object, PeerAuthentication, PodsKnown, PortRef, Service, ServicePort, Workload, contains,
    makes_pods,
};
use crate::policy::{self, DataPlane};

/// Ports of pilot-agent, Envoy and HBONE, which no container declares. Sidecars leave them alone unless pods list them
/// (istio/istio tools/istio-iptables/pkg/capture/run.go and the injection template).
const ISTIOS_OWN: [u16; 4] = [15008, 15020, 15021, 15090];

/// Where Prometheus is told to look, by a number that no container has to declare.
const PROMETHEUS_PORT: &str = "prometheus.io/port";

/// Findings about policies that the API server takes.
pub(super) fn decide_all(patched: &Patched<'_>, endpoints: &[JudgedEndpoint]) -> Vec<Decision> {
    let policies = patched.inventory.policies.iter();
    policies
        .filter(|policy| policy.refused.is_empty())
        .flat_map(|policy| match ignored(patched, policy) {
            Some(why) => vec![Decision::finding(
                &policy.object,
                PointerBuf::new(),
                Rule::PolicyIsIgnored,
                why,
            )],
            None => unused_ports(patched, policy, endpoints),
        })
        .collect()
}

/// Why no sidecar obeys a policy.
fn ignored(patched: &Patched<'_>, policy: &PeerAuthentication) -> Option<String> {
    let roots = root_namespaces(patched, policy);
    let root = &policy.object.namespace;
    if !policy.selector.is_empty() && roots.len() == 1 && roots.contains(root) {
        return Some(format!(
            "Istio ignores it, for pods of {root} too: in the root namespace only policies without a selector count, \
             and they hold for the whole mesh; move it to the namespace of the pods that it is meant for"
        ));
    }
    let label = policy.revision.as_deref()?;
    if label.is_empty() {
        return Some("Istio ignores it: its label istio.io/rev is empty, and no istiod has that revision; remove the label".to_owned());
    }
    if let Some(revision) = policy::meant_by_tag(&patched.inventory, policy) {
        return Some(format!(
            "Istio ignores it: its label istio.io/rev={label} names a tag, and an istiod reads only policies with its \
             own revision; write {revision}, or remove the label"
        ));
    }
    let obeyed = obeyed_instead(patched, policy)?;
    let obeyed: Vec<_> = obeyed.into_iter().collect();
    Some(format!(
        "Istio ignores it: it is labelled istio.io/rev={label}, and the pods that it is meant for obey the istiod of \
         revision {}; name that one, or remove the label",
        obeyed.join(" or ")
    ))
}

/// The namespaces where its istiod may look for policies of the whole mesh.
fn root_namespaces<'p>(
    patched: &'p Patched<'_>,
    policy: &PeerAuthentication,
) -> &'p BTreeSet<String> {
    match policy.revision.as_deref() {
        Some(revision) => &patched.settings.of_revision(Some(revision)).root_namespaces,
        None => patched.settings.root_namespaces(),
    }
}

/// The revisions that the pods of a policy obey, if none of them may obey its own.
fn obeyed_instead(patched: &Patched<'_>, policy: &PeerAuthentication) -> Option<BTreeSet<String>> {
    let mesh = patched.mesh();
    let is_mesh_wide = root_namespaces(patched, policy).contains(&policy.object.namespace);
    let obeyed = patched
        .inventory
        .workloads
        .iter()
        .filter(|pods| is_mesh_wide || pods.object.namespace == policy.object.namespace)
        .filter(|pods| policy::is_selected(&policy.selector, pods) != Some(false))
        .filter(|pods| policy::data_plane(&mesh, pods).fact.value != Some(DataPlane::None))
        .map(|pods| policy::obeyed_instead(&mesh, policy, pods))
        .collect::<Option<BTreeSet<String>>>()?;
    (!obeyed.is_empty()).then_some(obeyed)
}

/// The ports of a policy that its pods do not have.
fn unused_ports(
    patched: &Patched<'_>,
    policy: &PeerAuthentication,
    endpoints: &[JudgedEndpoint],
) -> Vec<Decision> {
    if policy.ports.is_empty() {
        return Vec::new();
    }
    let Some(pods) = Pods::of(patched, policy) else {
        return Vec::new();
    };
    let mesh = patched.mesh();
    let is_left_alone = |pods: &&Workload, port: u16| {
        policy::data_plane(&mesh, pods).fact.value == Some(DataPlane::Sidecar)
            && policy::captured(&mesh, pods, Some(port)).value == Some(false)
    };
    let finding = |port: u16, why: String| {
        let at = PointerBuf::from_tokens(["spec", "portLevelMtls", &port.to_string()]);
        Decision::finding(&policy.object, at, Rule::PolicyPortUnused, why)
    };
    let mut findings = Vec::new();
    for &port in policy.ports.keys() {
        if pods.declare(port) {
            continue;
        }
        if ISTIOS_OWN.contains(&port) {
            if pods.workloads.iter().all(|pods| is_left_alone(pods, port)) {
                findings.push(finding(port, istios_own(port)));
            }
        } else if !pods.are_reached_at(port) && !are_scraped_at(&pods, port, endpoints) {
            findings.push(finding(port, pods.do_not_have(port)));
        }
    }
    findings
}

fn istios_own(port: u16) -> String {
    format!(
        "it does nothing: {port} is a port of Istio's own, which the sidecar leaves alone whatever a policy says; \
         remove it"
    )
}

/// Whether an endpoint of the input reaches the port by its number.
fn are_scraped_at(pods: &Pods<'_>, port: u16, endpoints: &[JudgedEndpoint]) -> bool {
    let is_shown = |object: &Object, shown: &super::JudgedTarget| {
        (&object.kind, &object.namespace, &object.name)
            == (&shown.kind, &shown.namespace, &shown.name)
    };
    let mut targets = endpoints
        .iter()
        .flat_map(|endpoint| &endpoint.judged)
        .map(|judged| &judged.shown)
        .filter(|shown| shown.port == Some(port));
    targets.any(|shown| {
        pods.workloads
            .iter()
            .any(|pods| is_shown(&pods.object, shown))
    })
}

/// The pods that a policy selects, where the input shows all of them whole.
struct Pods<'a> {
    workloads: Vec<&'a Workload>,
    /// The Services that select any of them.
    services: Vec<&'a Service>,
}

impl<'a> Pods<'a> {
    /// `None`: there may be others, or nothing is known of their ports.
    fn of(patched: &'a Patched<'_>, policy: &PeerAuthentication) -> Option<Self> {
        let inventory = &patched.inventory;
        let namespace = &policy.object.namespace;
        let hidden = inventory.unread.iter().any(|unread| {
            let object = &unread.object;
            object.namespace == *namespace
                && (object.kind == "Service" || makes_pods(&object.api_version, &object.kind))
        });
        let all = inventory.workloads_in(namespace);
        let mut workloads = Vec::new();
        for pods in all {
            match policy::is_selected(&policy.selector, pods) {
                Some(true) if pods.known == PodsKnown::Template => workloads.push(pods),
                Some(true) | None => return None,
                Some(false) => {}
            }
        }
        let behind = |service: &&Service, pods: &[&Workload]| {
            !service.selector.is_empty()
                && pods
                    .iter()
                    .any(|pods| contains(&pods.labels, &service.selector))
        };
        let all: Vec<&Workload> = all.iter().collect();
        let services = inventory.services_in(namespace);
        let is_unseen = |service: &&Service| {
            let agrees = |(key, value): (&String, &String)| {
                service.selector.get(key).is_none_or(|other| other == value)
            };
            !service.selector.is_empty()
                && !behind(service, &all)
                && policy.selector.iter().all(agrees)
        };
        if hidden || services.iter().any(|service| is_unseen(&service)) {
            return None;
        }
        let services: Vec<&Service> = services
            .iter()
            .filter(|service| behind(service, &workloads))
            .collect();
        let declare_any = workloads
            .iter()
            .any(|pods| pods.declared_ports().next().is_some());
        let are_told = !services.is_empty() || declare_any;
        (!workloads.is_empty() && are_told).then_some(Self {
            workloads,
            services,
        })
    }

    fn declare(&self, port: u16) -> bool {
        let prometheus = |pods: &Workload| {
            let told = pods.annotations.get(PROMETHEUS_PORT);
            told.and_then(|told| told.parse().ok()) == Some(port)
        };
        self.workloads.iter().any(|pods| {
            prometheus(pods)
                || pods
                    .declared_ports()
                    .any(|declared| declared.number == port)
        })
    }

    /// Whether a Service leads to the port.
    fn are_reached_at(&self, port: u16) -> bool {
        self.service_ports()
            .any(|(_, service_port)| self.behind(service_port).contains(&port))
    }

    fn service_ports(&self) -> impl Iterator<Item = (&'a Service, &'a ServicePort)> {
        let services = self.services.iter().copied();
        services.flat_map(|service| service.ports.iter().map(move |port| (service, port)))
    }

    /// The pods' ports that a port of a Service leads to.
    fn behind(&self, port: &ServicePort) -> BTreeSet<u16> {
        match &port.target {
            PortRef::Number(number) => BTreeSet::from([*number]),
            PortRef::Name(name) => {
                let declared = self.workloads.iter().flat_map(|pods| pods.declared_ports());
                declared
                    .filter(|declared| declared.name.as_ref() == Some(name))
                    .map(|declared| declared.number)
                    .collect()
            }
        }
    }

    fn do_not_have(&self, port: u16) -> String {
        let mistaken = self
            .service_ports()
            .find(|(_, service_port)| service_port.number == port)
            .map(|(service, service_port)| (service, self.behind(service_port)));
        if let Some((service, behind)) = mistaken
            && !behind.is_empty()
        {
            return format!(
                "it does nothing: {port} is the port of {}, and a policy counts by the port of the pods: write {}",
                service.object,
                listed(behind)
            );
        }
        let names: Vec<_> = self
            .workloads
            .iter()
            .map(|pods| pods.object.to_string())
            .collect();
        let declared = self
            .workloads
            .iter()
            .flat_map(|pods| pods.declared_ports())
            .map(|declared| declared.number);
        let behind = self
            .service_ports()
            .flat_map(|(_, port)| self.behind(port))
            .collect::<BTreeSet<_>>();
        let known: BTreeSet<u16> = declared.chain(behind).collect();
        format!(
            "nothing in the input has this port: {} listens on {}, as far as containers and Services say; correct the \
             number, declare the port, or remove it",
            names.join(" and "),
            listed(known)
        )
    }
}

/// `8080 or 9090`, `no other` where there is none.
fn listed(ports: BTreeSet<u16>) -> String {
    let ports: Vec<_> = ports.iter().map(u16::to_string).collect();
    match ports.as_slice() {
        [] => "no port".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::decide;
    use super::*;
    use crate::config::Config;
    use crate::model::{ControlPlane, InjectorWebhooks, read};

    fn namespace(name: &str, revision: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": {"istio.io/rev": revision}}})
    }

    fn pod(namespace: &str, ports: &[u16]) -> Value {
        let ports: Vec<_> = ports
            .iter()
            .map(|port| json!({"containerPort": port}))
            .collect();
        json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "web", "namespace": namespace, "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "ports": ports}]}})
    }

    fn policy(namespace: &str, revision: Option<&str>, spec: Value) -> Value {
        let labels: Value = revision.map_or_else(|| json!({}), |r| json!({"istio.io/rev": r}));
        json!({"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
            "metadata": {"name": "policy", "namespace": namespace, "labels": labels}, "spec": spec})
    }

    /// What is said of the policies where control planes of these revisions are there, and this tag for `1-20`.
    fn told(objects: &[Value], planes: &[(&str, &str)], tag: Option<&str>) -> Vec<String> {
        let config = Config::default();
        let mut inventory = read(objects.iter().enumerate(), &config);
        let object = inventory.policies[0].object.clone();
        for (revision, root) in planes {
            let mut plane = ControlPlane::silent(object.clone(), *revision);
            plane.root_namespace = Some((*root).to_owned());
            inventory.control_planes.push(plane);
        }
        inventory.injectors = tag
            .map(|tag| InjectorWebhooks {
                object: object.clone(),
                revision: "1-20".to_owned(),
                tag: Some(tag.to_owned()),
                webhooks: Vec::new(),
            })
            .into_iter()
            .collect();
        decide(&inventory, &config)
            .into_iter()
            .filter(|decision| {
                [Rule::PolicyIsIgnored, Rule::PolicyPortUnused].contains(&decision.rule)
            })
            .map(|decision| format!("{} {}", decision.rule.name(), decision.message))
            .collect()
    }

    const BOTH: &[(&str, &str)] = &[("1-20", "istio-system"), ("1-21", "istio-system")];

    fn shop_obeys(revision: &str, label: &str) -> [Value; 3] {
        [
            namespace("shop", revision),
            pod("shop", &[8080]),
            policy("shop", Some(label), json!({"mtls": {"mode": "STRICT"}})),
        ]
    }

    #[test]
    fn a_policy_for_a_revision_that_its_pods_do_not_obey_is_ignored() {
        let told = told(&shop_obeys("1-20", "1-21"), BOTH, None);
        assert_eq!(
            told,
            [
                "policy-is-ignored Istio ignores it: it is labelled istio.io/rev=1-21, and the pods that it is meant for \
              obey the istiod of revision 1-20; name that one, or remove the label"
            ]
        );
    }

    #[test]
    fn a_policy_for_the_revision_of_its_pods_is_not_ignored() {
        assert!(told(&shop_obeys("1-20", "1-20"), BOTH, None).is_empty());
        // One of the two Namespaces obeys it.
        let of_mesh = policy("istio-system", Some("1-21"), json!({}));
        let objects = [
            namespace("shop", "1-20"),
            pod("shop", &[]),
            namespace("bank", "1-21"),
            pod("bank", &[]),
            of_mesh,
        ];
        assert!(told(&objects, BOTH, None).is_empty());
        assert_eq!(
            told(
                &objects[..2]
                    .iter()
                    .chain(&objects[4..])
                    .cloned()
                    .collect::<Vec<_>>(),
                BOTH,
                None
            )
            .len(),
            1
        );
    }

    #[test]
    fn whether_an_unshown_revision_is_a_tag_is_not_known() {
        assert!(told(&shop_obeys("1-20", "1-21"), &[], None).is_empty());
        let no_pods = [policy("shop", Some("1-21"), json!({}))];
        assert!(told(&no_pods, BOTH, None).is_empty());
    }

    #[test]
    fn a_tag_in_the_label_is_told_with_its_revision() {
        let told = told(&shop_obeys("stable", "stable"), &[], Some("stable"));
        assert_eq!(
            told,
            [
                "policy-is-ignored Istio ignores it: its label istio.io/rev=stable names a tag, and an istiod reads only \
              policies with its own revision; write 1-20, or remove the label"
            ]
        );
    }

    #[test]
    fn a_selector_counts_where_another_namespace_may_be_the_root() {
        let selecting = json!({"selector": {"matchLabels": {"app": "web"}}});
        let objects = [policy("istio-system", None, selecting)];
        assert_eq!(told(&objects, &[("1-20", "istio-system")], None).len(), 1);
        assert!(told(&objects, &[("1-20", "mesh")], None).is_empty());
        let two = [("1-20", "istio-system"), ("1-21", "mesh")];
        assert!(told(&objects, &two, None).is_empty());
    }

    #[test]
    fn a_port_of_istio_is_its_own_only_beside_a_sidecar() {
        let of_pod = |label: &str, ports: &[u16]| {
            let spec = json!({"selector": {"matchLabels": {"app": "web"}}, "portLevelMtls": {"15020": {}}});
            let namespace = json!({"apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": "shop", "labels": {"istio.io/dataplane-mode": label, "istio-injection": "enabled"}}});
            let mut pod = pod("shop", ports);
            if label == "ambient" {
                pod["metadata"]["labels"]["sidecar.istio.io/inject"] = json!("false");
            }
            told(&[namespace, pod, policy("shop", None, spec)], &[], None).len()
        };
        assert_eq!(of_pod("none", &[8080]), 1);
        assert_eq!(of_pod("none", &[8080, 15020]), 0, "an application's port");
        assert_eq!(of_pod("ambient", &[8080]), 0, "ztunnel takes it");
    }
}
