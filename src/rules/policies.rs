//! Which policies, and which ports of policies, do nothing?
//!
//! Authority: `ComposePeerAuthentication`, istio/istio pilot/pkg/security/authn/policy_applier.go: ports are those of the pod; `LabelsInRevision`, pkg/config/model.go.
//! Departs from it: a container may listen on a port that it does not declare; one that nothing in the input names is taken as a mistake.
//! Knows: policies, the pods that they select, Services, judged endpoints. Does not know: text.

mod pods;

use std::collections::BTreeSet;

use jsonptr::PointerBuf;

use super::Rule;
use super::decision::Decision;
use super::endpoint::JudgedEndpoint;
use super::scraper::Patched;
use crate::model::{PeerAuthentication, Workload};
use crate::policy::{self, DataPlane};
use pods::Ports;

/// Ports of pilot-agent, Envoy and HBONE, which no container declares. Sidecars leave them alone unless pods list them
/// (istio/istio tools/istio-iptables/pkg/capture/run.go and the injection template).
const ISTIOS_OWN: [u16; 4] = [15008, 15020, 15021, 15090];

/// Findings about policies that the API server takes.
pub(super) fn decide_all(patched: &Patched<'_>, endpoints: &[JudgedEndpoint]) -> Vec<Decision> {
    let mut ports = Ports::of(patched, endpoints);
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
            None => unused_ports(&mut ports, policy),
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
    let obeyed_by = |(pods, _): (&Workload, bool)| policy::obeyed_instead(&mesh, policy, pods);
    let is_in_the_mesh = |(pods, _): &(&Workload, bool)| {
        policy::data_plane(&mesh, pods).fact.value != Some(DataPlane::None)
    };
    let selected = |namespace: &str| {
        let selected = policy::selected_in(&patched.inventory, namespace, &policy.selector);
        selected.into_iter().filter(is_in_the_mesh)
    };
    let obeyed = match is_mesh_wide {
        true => patched
            .inventory
            .namespaces_of_workloads()
            .flat_map(selected)
            .map(obeyed_by)
            .collect::<Option<BTreeSet<String>>>()?,
        false => selected(&policy.object.namespace)
            .map(obeyed_by)
            .collect::<Option<BTreeSet<String>>>()?,
    };
    (!obeyed.is_empty()).then_some(obeyed)
}

/// The ports of a policy that its pods do not have.
fn unused_ports<'p>(ports: &mut Ports<'p>, policy: &'p PeerAuthentication) -> Vec<Decision> {
    if policy.ports.is_empty() {
        return Vec::new();
    }
    let Some(pods) = ports.pods(policy) else {
        return Vec::new();
    };
    let mesh = ports.patched.mesh();
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
            if pods
                .workloads()
                .iter()
                .all(|pods| is_left_alone(pods, port))
            {
                findings.push(finding(port, istios_own(port)));
            }
        } else if !pods.are_reached_at(port) && !ports.are_scraped_at(&pods, port) {
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
