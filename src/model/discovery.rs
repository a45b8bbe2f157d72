//! Which ways of discovery does a scrape configuration list?
//!
//! Authority: VictoriaMetrics `lib/promscrape/discovery/{kubernetes,dns}`; CRDs of VMScrapeConfig and ScrapeConfig.
//! Departs from them: what manifests cannot answer, or answer only in part, is said to be unseen, with the field.
//! Knows: lists of discovery, in both spellings. Does not know: what they find.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{self as api, LabelSelectorRequirement};

use super::LabelSelector;
use super::field::{Field, Read};
use super::services::port_number;
use super::{Endpoint, Spelling, TargetSource};

/// What one entry of `kubernetesSDConfigs` asks the cluster for.
#[derive(Debug, Clone, PartialEq)]
pub struct KubernetesDiscovery {
    /// Objects of which kind become targets.
    pub role: KubernetesRole,
    /// `endpointslice`, not `endpoints`.
    pub by_slices: bool,
    /// In these namespaces; with `own_namespace` unset, none means all.
    pub namespaces: Vec<String>,
    /// In the scraper's own namespace too.
    pub own_namespace: bool,
    /// With these labels.
    pub selector: LabelSelector,
}

/// The roles of discovery whose objects are in manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KubernetesRole {
    /// `endpoints` and `endpointslice`: pods behind Services, every port of them.
    Endpoints,
    /// `service`: every port of a Service, by its name.
    Service,
    /// `pod`: every declared port.
    Pod,
}

/// Labels that controllers set on Endpoints and EndpointSlices, beside those of the Service.
const OF_CONTROLLERS: [&str; 4] = [
    "kubernetes.io/service-name",
    "service.kubernetes.io/headless",
    "endpoints.kubernetes.io/",
    "endpointslice.kubernetes.io/",
];

impl Endpoint {
    /// The addresses that it names.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().filter_map(|source| match source {
            TargetSource::Address(address) => Some(address.as_str()),
            TargetSource::Services
            | TargetSource::Pods
            | TargetSource::OwnPods { .. }
            | TargetSource::Nodes
            | TargetSource::Name(..)
            | TargetSource::Kubernetes(_)
            | TargetSource::Unseen(_) => None,
        })
    }
}

/// The sources of targets that the lists of a scrape configuration name.
pub(super) fn sources(field: &Field<'_>, spelling: Spelling) -> Read<Vec<TargetSource>> {
    let mut sources = Vec::new();
    for (key, list) in field.entries()?.unwrap_or_default() {
        let read: Option<ReadEntry> = match key {
            "staticConfigs" | "static_configs" => Some(fixed),
            "kubernetesSDConfigs" | "kubernetes_sd_configs" => Some(kubernetes),
            "dnsSDConfigs" | "dns_sd_configs" => Some(names),
            _ if key.ends_with("SDConfigs") || key.ends_with("_sd_configs") => None,
            _ => continue,
        };
        let entries = list.list()?;
        match read {
            Some(read) => {
                for (position, entry) in entries.iter().enumerate() {
                    sources.extend(read(entry, &format!("{key}[{position}]"), spelling)?);
                }
            }
            None if entries.is_empty() => {}
            None => sources.push(TargetSource::Unseen(key.to_owned())),
        }
    }
    Ok(sources)
}

/// Reads an entry of a list, given its name in words.
type ReadEntry = fn(&Field<'_>, &str, Spelling) -> Read<Vec<TargetSource>>;

fn unseen(name: &str, why: &str) -> TargetSource {
    TargetSource::Unseen(format!("{name}{why}"))
}

fn fixed(entry: &Field<'_>, name: &str, _: Spelling) -> Read<Vec<TargetSource>> {
    addresses(entry, "targets", name)
}

/// The addresses in a list, as written, unless the labels beside it decide instead of them.
pub(super) fn addresses(entry: &Field<'_>, list: &str, name: &str) -> Read<Vec<TargetSource>> {
    let labels = entry.key("labels")?;
    let labels = labels.entries()?.unwrap_or_default();
    if labels.iter().any(|(key, _)| is_decisive(key)) {
        return Ok(vec![unseen(
            name,
            ", whose labels set the address or the scheme",
        )]);
    }
    let list = entry.key(list)?;
    Ok(strings(&list)?
        .into_iter()
        .map(TargetSource::Address)
        .collect())
}

/// Whether a label decides what is asked, and how.
fn is_decisive(label: &str) -> bool {
    ["__address__", "__scheme__"].contains(&label)
}

fn strings(list: &Field<'_>) -> Read<Vec<String>> {
    list.list()?
        .iter()
        .map(|text| Ok(text.string()?.unwrap_or_default().to_owned()))
        .collect()
}

fn kubernetes(entry: &Field<'_>, name: &str, spelling: Spelling) -> Read<Vec<TargetSource>> {
    for (key, why) in [
        ("apiServer", ", which may ask another cluster"),
        ("kubeconfigFile", ", which may ask another cluster"),
    ] {
        let key = spelling.of(key);
        if entry.key(&key)?.text()?.is_some() {
            return Ok(vec![unseen(name, why)]);
        }
    }
    let field = entry.key("role")?;
    let written = field.text()?.unwrap_or_default().to_ascii_lowercase();
    let role = match written.as_str() {
        "endpoints" | "endpointslice" | "endpointslices" => KubernetesRole::Endpoints,
        "service" => KubernetesRole::Service,
        "pod" => KubernetesRole::Pod,
        "node" => return Ok(vec![TargetSource::Nodes]),
        "ingress" => return Ok(vec![unseen(name, ", which asks the hosts of Ingresses")]),
        _ => {
            return Err(field.problem(
                "unknown role; expected endpoints, endpointslice, service, pod, node or ingress",
            ));
        }
    };
    let selector = match selector(&entry.key("selectors")?, &written)? {
        Ok(selector) => selector,
        Err(why) => return Ok(vec![unseen(name, why)]),
    };
    let namespaces = entry.key("namespaces")?;
    let own_namespace = spelling.of("ownNamespace");
    let own_namespace = namespaces.key(&own_namespace)?.boolean()?;
    Ok(vec![TargetSource::Kubernetes(KubernetesDiscovery {
        role,
        by_slices: written.starts_with("endpointslice"),
        namespaces: strings(&namespaces.key("names")?)?,
        own_namespace,
        selector,
    })])
}

/// All selectors of the role in one, or why manifests do not show what they select.
fn selector(list: &Field<'_>, role: &str) -> Read<Result<LabelSelector, &'static str>> {
    let mut whole = api::LabelSelector::default();
    for entry in &list.list()? {
        let of_role = entry
            .key("role")?
            .text()?
            .unwrap_or_default()
            .to_ascii_lowercase();
        // It hides objects whose labels relabelling may ask for, and no targets.
        if of_role != role {
            return Ok(Err(", which selects objects of another role"));
        }
        if entry.key("field")?.text()?.is_some() {
            return Ok(Err(", which selects by fields"));
        }
        let label = entry.key("label")?;
        for part in parts(label.text()?.unwrap_or_default()) {
            let Some(requirement) = requirement(part) else {
                return Ok(Err(", whose label selector is not understood"));
            };
            if OF_CONTROLLERS
                .iter()
                .any(|key| requirement.key.starts_with(key))
            {
                return Ok(Err(", which selects by labels that controllers set"));
            }
            add(&mut whole, requirement);
        }
    }
    Ok(Ok(whole.into()))
}

/// The requirements of a selector in text, at the commas outside of parentheses.
fn parts(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    text.split(|c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
    .map(str::trim)
    .filter(|part| !part.is_empty())
    .collect()
}

/// One requirement as `kubectl -l` takes it; comparisons of numbers are not among those that we know.
fn requirement(text: &str) -> Option<LabelSelectorRequirement> {
    let made = |key: &str, operator: &str, values: Vec<&str>| {
        let key = key.trim();
        let is_key =
            !key.is_empty() && !key.contains(|c: char| c.is_whitespace() || "()<>!=,".contains(c));
        is_key.then(|| LabelSelectorRequirement {
            key: key.to_owned(),
            operator: operator.to_owned(),
            values: (!values.is_empty()).then(|| {
                values
                    .into_iter()
                    .map(|value| value.trim().to_owned())
                    .collect()
            }),
        })
    };
    if let Some(key) = text.strip_prefix('!') {
        return made(key, "DoesNotExist", Vec::new());
    }
    if let Some((before, values)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        let (key, operator) = before.trim_end().rsplit_once(char::is_whitespace)?;
        let operator = match operator {
            "in" => "In",
            "notin" => "NotIn",
            _ => return None,
        };
        return made(key, operator, values.split(',').collect());
    }
    if let Some((key, value)) = text.split_once("!=") {
        return made(key, "NotIn", vec![value]);
    }
    match text.split_once('=') {
        Some((key, value)) => made(key, "In", vec![value.strip_prefix('=').unwrap_or(value)]),
        None => made(text, "Exists", Vec::new()),
    }
}

/// Equality with one value goes to `matchLabels`, by which objects are looked up.
fn add(selector: &mut api::LabelSelector, requirement: LabelSelectorRequirement) {
    let labels = selector.match_labels.get_or_insert_default();
    match (requirement.operator.as_str(), requirement.values.as_deref()) {
        ("In", Some([value])) if !labels.contains_key(&requirement.key) => {
            labels.insert(requirement.key, value.clone());
        }
        _ => selector
            .match_expressions
            .get_or_insert_default()
            .push(requirement),
    }
}

fn names(entry: &Field<'_>, name: &str, _: Spelling) -> Read<Vec<TargetSource>> {
    let kind = entry.key("type")?;
    let kind = kind.text()?.unwrap_or("SRV");
    if !["A", "AAAA"]
        .iter()
        .any(|known| kind.eq_ignore_ascii_case(known))
    {
        return Ok(vec![unseen(
            name,
            &format!(", which asks for {kind} records"),
        )]);
    }
    let port = entry.key("port")?;
    let number = port
        .integer()?
        .and_then(|number| i32::try_from(number).ok());
    let Some(port) = number.and_then(port_number) else {
        return Err(port.expected("the port that all names are asked at, from 1 to 65535"));
    };
    Ok(strings(&entry.key("names")?)?
        .into_iter()
        .map(|name| TargetSource::Name(name, port))
        .collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::described;

    fn read(value: &Value, spelling: Spelling) -> Vec<String> {
        let read = sources(&Field::root(&value.into()), spelling);
        read.map_or_else(
            |problem| vec![format!("{}: {}", problem.at, problem.text)],
            |sources| sources.iter().map(told).collect(),
        )
    }

    fn told(source: &TargetSource) -> String {
        match source {
            TargetSource::Address(address) => address.clone(),
            TargetSource::Name(name, port) => format!("names {name} at {port}"),
            TargetSource::Nodes => "nodes".to_owned(),
            TargetSource::Kubernetes(found) => {
                let own = if found.own_namespace {
                    " and its own"
                } else {
                    ""
                };
                let names = found.namespaces.join(",");
                let selector = described(&found.selector);
                format!("{:?} in [{names}]{own} with [{selector}]", found.role)
            }
            TargetSource::Unseen(what) => format!("? {what}"),
            TargetSource::Services | TargetSource::Pods | TargetSource::OwnPods { .. } => {
                unreachable!("no list has them")
            }
        }
    }

    fn kubernetes_with(more: Value) -> Vec<String> {
        let mut entry = json!({"role": "pod"});
        entry
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        read(&json!({"kubernetesSDConfigs": [entry]}), Spelling::Camel)
    }

    #[test]
    fn roles_in_every_spelling() {
        for (role, expected) in [
            ("endpoints", "Endpoints in [] with []"),
            ("EndpointSlice", "Endpoints in [] with []"),
            ("Service", "Service in [] with []"),
            ("Pod", "Pod in [] with []"),
            ("node", "nodes"),
            (
                "Ingress",
                "? kubernetesSDConfigs[0], which asks the hosts of Ingresses",
            ),
        ] {
            assert_eq!(kubernetes_with(json!({"role": role})), [expected], "{role}");
        }
        for role in [json!(""), json!("pods"), json!(null)] {
            let problem = kubernetes_with(json!({"role": role}));
            assert!(
                problem[0].starts_with("/kubernetesSDConfigs/0/role: unknown role"),
                "{role}: {problem:?}"
            );
        }
    }

    #[test]
    fn namespaces_are_names_and_the_own_one_beside_them() {
        for (namespaces, expected) in [
            (json!({"names": ["a", "b"]}), "Pod in [a,b] with []"),
            (
                json!({"ownNamespace": true}),
                "Pod in [] and its own with []",
            ),
            (
                json!({"names": [], "ownNamespace": false}),
                "Pod in [] with []",
            ),
        ] {
            assert_eq!(
                kubernetes_with(json!({"namespaces": namespaces})),
                [expected]
            );
        }
    }

    /// As `kubectl -l` reads them.
    #[test]
    fn label_selectors_in_text() {
        for (label, expected) in [
            ("app=web", "app=web"),
            ("app == web , tier!=db", "app=web,tier notin (db)"),
            (
                "app in (web, cart),tier notin (db),!canary,team",
                "app in (web,cart),tier notin (db),!canary,team",
            ),
            ("app=web,app=cart", "app=web,app in (cart)"),
            ("example.com/app=", "example.com/app="),
            ("", ""),
        ] {
            let selectors = json!({"selectors": [{"role": "Pod", "label": label}]});
            assert_eq!(
                kubernetes_with(selectors),
                [format!("Pod in [] with [{expected}]")],
                "{label}"
            );
        }
    }

    #[test]
    fn what_selectors_ask_beyond_manifests_is_unseen() {
        for (selector, why) in [
            (
                json!({"role": "pod", "field": "spec.nodeName=a"}),
                "selects by fields",
            ),
            (
                json!({"role": "service", "label": "app=web"}),
                "objects of another role",
            ),
            (
                json!({"role": "pod", "label": "weight > 3"}),
                "is not understood",
            ),
            (
                json!({"role": "pod", "label": "app around (web)"}),
                "is not understood",
            ),
            (
                json!({"role": "pod", "label": "endpointslice.kubernetes.io/managed-by=x"}),
                "that controllers set",
            ),
        ] {
            let found = kubernetes_with(json!({"selectors": [selector]}));
            assert!(
                found[0].starts_with("? ") && found[0].ends_with(why),
                "{selector}: {found:?}"
            );
        }
        let found = kubernetes_with(json!({"apiServer": "https://other"}));
        assert!(found[0].ends_with("may ask another cluster"), "{found:?}");
    }

    #[test]
    fn names_have_addresses_only_at_a_port() {
        let with = |entry: Value| read(&json!({"dnsSDConfigs": [entry]}), Spelling::Camel);
        assert_eq!(
            with(json!({"names": ["a.b.svc", "c"], "type": "A", "port": 80})),
            ["names a.b.svc at 80", "names c at 80"]
        );
        for (kind, expected) in [
            (json!("SRV"), "SRV"),
            (json!("MX"), "MX"),
            (Value::Null, "SRV"),
        ] {
            let found = with(json!({"names": ["a.b.svc"], "type": kind, "port": 80}));
            assert_eq!(
                found,
                [format!(
                    "? dnsSDConfigs[0], which asks for {expected} records"
                )]
            );
        }
        for port in [Value::Null, json!(0), json!(65536)] {
            let found = with(json!({"names": ["a"], "type": "AAAA", "port": port}));
            assert!(
                found[0].starts_with("/dnsSDConfigs/0/port: expected the port"),
                "{found:?}"
            );
        }
    }

    #[test]
    fn addresses_are_as_written_unless_labels_decide() {
        let with = |entry: Value| read(&json!({"staticConfigs": [entry]}), Spelling::Camel);
        assert_eq!(
            with(json!({"targets": ["a:1", "b:2"], "labels": {"team": "x"}})),
            ["a:1", "b:2"]
        );
        assert_eq!(
            with(json!({"targets": ["a:1"], "labels": {"__scheme__": "https"}})).len(),
            1
        );
        assert!(
            with(json!({"targets": ["a:1"], "labels": {"__address__": "b:2"}}))[0]
                .starts_with("? staticConfigs[0]")
        );
    }

    #[test]
    fn jobs_have_the_same_lists_in_their_own_spelling() {
        let job = json!({"job_name": "x", "scheme": "http",
            "static_configs": [{"targets": ["a:1"]}],
            "kubernetes_sd_configs": [{"role": "pod", "namespaces": {"own_namespace": true}}, {"role": "pod", "api_server": "https://other"},
                {"role": "pod", "kubeconfig_file": "/etc/other"}],
            "dns_sd_configs": [{"names": ["b"], "type": "A", "port": 2}],
            "ec2_sd_configs": [{}], "consul_sd_configs": [], "gce_sd_configs": null});
        let mut found = read(&job, Spelling::Snake);
        found.sort();
        assert_eq!(
            found,
            [
                "? ec2_sd_configs",
                "? kubernetes_sd_configs[1], which may ask another cluster",
                "? kubernetes_sd_configs[2], which may ask another cluster",
                "Pod in [] and its own with []",
                "a:1",
                "names b at 2",
            ]
        );
    }
}
