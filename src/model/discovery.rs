//! Which ways of discovery does a scrape configuration list?
//!
//! Authority: VictoriaMetrics `lib/promscrape/discovery/{kubernetes,dns}`; CRDs of VMScrapeConfig and ScrapeConfig.
//! Departs from them: what manifests cannot answer, or answer only in part, is said to be unseen, with the field.
//! Knows: lists of discovery, in both spellings. Does not know: what they find.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use super::field::{Field, Read};
use super::services::port_number;
use super::{Spelling, TargetSource};

/// What one entry of `kubernetesSDConfigs` asks the cluster for.
#[derive(Debug, Clone, PartialEq)]
pub struct KubernetesDiscovery {
    /// Objects of which kind become targets.
    pub role: KubernetesRole,
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
    let labels = entry.key("labels")?;
    let decides = |key: &str| ["__address__", "__scheme__"].contains(&key);
    if labels
        .entries()?
        .is_some_and(|labels| labels.iter().any(|(key, _)| decides(key)))
    {
        return Ok(vec![unseen(
            name,
            ", whose labels set the address or the scheme",
        )]);
    }
    addresses(&entry.key("targets")?)
}

/// A list of addresses, as written.
pub(super) fn addresses(list: &Field<'_>) -> Read<Vec<TargetSource>> {
    Ok(strings(list)?
        .into_iter()
        .map(TargetSource::Address)
        .collect())
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
        namespaces: strings(&namespaces.key("names")?)?,
        own_namespace,
        selector,
    })])
}

/// All selectors of the role in one, or why manifests do not show what they select.
fn selector(list: &Field<'_>, role: &str) -> Read<Result<LabelSelector, &'static str>> {
    let mut whole = LabelSelector::default();
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
    Ok(Ok(whole))
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
fn add(selector: &mut LabelSelector, requirement: LabelSelectorRequirement) {
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
