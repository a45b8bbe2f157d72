//! How does an operator scrape the programs that it runs itself?
//!
//! Authority: VictoriaMetrics operator `factory/build/vmscrape.go` (what is made, and what of `serviceScrapeSpec` it takes),
//! `factory/build/container.go` (the config-reloader's endpoint, appended after that), `factory/vmsingle`, `factory/vmalert`, ….
//! Departs from it: labels by `serviceSpec` are not read.
//! Knows: objects of the operator. Does not know: who scrapes them.
//!
//! ```text
//! VMAgent ─ made for it ─► VMServiceScrape ─ serviceScrapeSpec.endpoints, merged by port name ─ http unless written ─ 8435
//! ```

use std::collections::BTreeMap;

use jsonptr::PointerBuf;
use serde_json::{Map, Value, json};

use super::LabelSelector;
use super::field::{Field, Problem, Read, noted};
use super::operated::{self, Component, RELOADER_PORT};
use super::{
    DiscoveryRole, Endpoint, EndpointPort, Labels, Namespaces, Object, Origin, PortRef, Scrape,
    ScrapeKind, TargetSource, scrapes, selectors,
};

/// The name of the port that an operator scrapes, in the Services that it makes.
const HTTP: &str = "http";

/// The port of the Service that leads to the manager of backups, which an operator scrapes too where there is one.
const BACKUPS: &str = "vmbackupmanager";

/// What the operator's own scrape of a kind depends on, beside what the row of the program says.
struct Row {
    kind: &'static str,
    /// Whether pods are scraped without a Service.
    by_pods: ByPods,
    /// Where the prefix of its paths is written, below its settings.
    prefix: &'static [&'static str],
}

/// Whether an operator makes a VMPodScrape.
#[derive(Clone, Copy)]
enum ByPods {
    Never,
    Always,
    /// In `daemonSetMode`.
    InDaemonSetMode,
}

const fn row(kind: &'static str) -> Row {
    Row {
        kind,
        by_pods: ByPods::Never,
        prefix: &["extraArgs", "http.pathPrefix"],
    }
}

/// The kinds whose programs the VictoriaMetrics operator scrapes.
const ROWS: [Row; 11] = [
    Row {
        by_pods: ByPods::InDaemonSetMode,
        ..row("VMAgent")
    },
    row("VMSingle"),
    row("VMAlert"),
    Row {
        prefix: &["routePrefix"],
        ..row("VMAlertmanager")
    },
    row("VMAuth"),
    row("VMCluster"),
    row("VLSingle"),
    Row {
        by_pods: ByPods::Always,
        ..row("VLAgent")
    },
    row("VLCluster"),
    row("VTSingle"),
    row("VTCluster"),
];

/// The scrape objects that an operator makes for the programs of an object; none for objects of other kinds.
pub(super) fn of(object: &Object, root: &Field<'_>, problems: &mut Vec<Problem>) -> Vec<Scrape> {
    let Some(row) = ROWS.iter().find(|row| row.kind == object.kind) else {
        return Vec::new();
    };
    let mut made = Vec::new();
    for component in Component::of(&object.api_version, &object.kind) {
        let found = of_component(object, component, row, root);
        let (scrape, more) = noted(found, problems).unwrap_or_default();
        operated::note_all(more, problems);
        made.extend(scrape);
    }
    made
}

fn of_component(
    object: &Object,
    component: &Component,
    row: &Row,
    root: &Field<'_>,
) -> Read<(Option<Scrape>, Vec<Problem>)> {
    let spec = root.key("spec")?;
    if !component.runs(&spec)? {
        return Ok((None, Vec::new()));
    }
    operated::below(&spec, component.settings, &|part| {
        let mut problems = Vec::new();
        let made = of_program(object, (component, row), (&spec, part), &mut problems)?;
        Ok((made, problems))
    })
}

fn of_program(
    object: &Object,
    (component, row): (&Component, &Row),
    (spec, part): (&Field<'_>, &Field<'_>),
    problems: &mut Vec<Problem>,
) -> Read<Option<Scrape>> {
    if part.is_missing() || part.key("disableSelfServiceScrape")?.boolean()? {
        return Ok(None);
    }
    let by_pods = match row.by_pods {
        ByPods::Never => false,
        ByPods::Always => true,
        ByPods::InDaemonSetMode => part.key("daemonSetMode")?.boolean()?,
    };
    let kind = match by_pods {
        true => ScrapeKind::VMPodScrape,
        false => ScrapeKind::VMServiceScrape,
    };
    let labels = labels(object, component, spec, by_pods)?;
    let written = part.key("serviceScrapeSpec")?;
    let selector = match by_pods {
        true => None,
        false => selectors::selector(&written.key("selector")?, problems)?.filter(is_set),
    };
    let role = match by_pods {
        true => DiscoveryRole::Pods,
        false => scrapes::role(&written, kind.description())?,
    };
    let made = Made {
        kind,
        // A Service that the operator makes is looked for like any other where its name is what is asked.
        source: match (&selector, role) {
            (Some(_), _) | (None, DiscoveryRole::Service) => TargetSource::Services,
            (None, DiscoveryRole::Pods) => TargetSource::OwnPods {
                part: component.part,
                ports: ports(component, part)?,
            },
        },
        role,
        path: path(part, row)?,
        secure: is_secure(part, row)?,
        has_backups: ports(component, part)?.contains_key(BACKUPS),
        auth_key: part
            .key("extraArgs")?
            .key("metricsAuthKey")?
            .text()?
            .map(str::to_owned),
    };
    let mut endpoints = made.endpoints(&written, problems)?;
    if has_reloader(component, part)? {
        endpoints.push(made.reloader(&written));
    }
    Ok(Some(Scrape {
        object: object.clone(),
        kind,
        selector: selector.unwrap_or_else(|| LabelSelector {
            match_labels: Some(labels.clone()),
            match_expressions: None,
        }),
        labels,
        namespaces: match by_pods {
            true => Namespaces::Own,
            false => scrapes::namespaces(&written)?,
        },
        scrape_class: match by_pods {
            true => None,
            false => written.key("scrapeClass")?.text()?.map(str::to_owned),
        },
        endpoints,
        is_self_scrape: true,
        ignores_prometheus: false,
        prober_relabelings: Vec::new(),
    }))
}

/// Labels of what is made: of the Service, with those that `managedMetadata` adds, or of the pods.
fn labels(object: &Object, component: &Component, spec: &Field<'_>, by_pods: bool) -> Read<Labels> {
    let own = operated::bare_pods(object, component).labels;
    if by_pods {
        return Ok(own);
    }
    let mut labels = spec.key("managedMetadata")?.key("labels")?.labels()?;
    labels.extend(&own);
    labels.extend(component.service_labels.iter().copied());
    Ok(labels)
}

/// A selector without any requirement counts as none written.
fn is_set(selector: &LabelSelector) -> bool {
    selector.match_labels.is_some() || selector.match_expressions.is_some()
}

/// The ports of the Service that the operator makes, by name. VMAuth with a port of its own for metrics calls that `http`.
fn ports(component: &Component, part: &Field<'_>) -> Read<BTreeMap<String, u16>> {
    let number = match operated::port_number(&part.key("internalListenPort")?)? {
        Some(number) => number,
        None => operated::port(part, component)?,
    };
    let mut ports = BTreeMap::from([(HTTP.to_owned(), number)]);
    for further in component.further {
        if let (Some(name), Some(number)) = (further.in_service, further.number(part)?) {
            ports.insert(name.to_owned(), number);
        }
    }
    Ok(ports)
}

fn path(part: &Field<'_>, row: &Row) -> Read<String> {
    let prefix = match row.prefix {
        [group, flag] => part.key(group)?.key(flag)?.text()?.map(str::to_owned),
        [field] => part.key(field)?.text()?.map(str::to_owned),
        _ => None,
    };
    let prefix = prefix.unwrap_or_default();
    Ok(format!("{}/metrics", prefix.trim_end_matches('/')))
}

/// Whether the program itself speaks TLS at its port.
fn is_secure(part: &Field<'_>, row: &Row) -> Read<bool> {
    if row.kind == "VMAlertmanager" {
        let settings = part.key("webConfig")?;
        return Ok(settings.key("tls_server_config")?.is_there());
    }
    Ok(part.key("extraArgs")?.key("tls")?.text()? == Some("true"))
}

/// Whether the config-reloader runs beside the program.
fn has_reloader(component: &Component, part: &Field<'_>) -> Read<bool> {
    for further in component.further {
        if further.name == "reloader-http" {
            return (further.there)(part);
        }
    }
    Ok(false)
}

/// How the endpoints of one scrape object come about.
struct Made {
    kind: ScrapeKind,
    source: TargetSource,
    role: DiscoveryRole,
    path: String,
    secure: bool,
    auth_key: Option<String>,
    /// The Service has a port for the manager of backups.
    has_backups: bool,
}

impl Made {
    /// The endpoints as written, and the generated one unless one of its port is among them.
    fn endpoints(&self, written: &Field<'_>, problems: &mut Vec<Problem>) -> Read<Vec<Endpoint>> {
        let service_scrape = ScrapeKind::VMServiceScrape.description();
        let list = written.key("endpoints")?;
        let fields = list.list()?;
        let mut endpoints = Vec::new();
        for field in &fields {
            let endpoint = scrapes::endpoint(field, service_scrape, self.role);
            endpoints.extend(noted(endpoint, problems).map(|endpoint| self.as_taken(endpoint)));
        }
        let is_of = |field: &Field<'_>, port: &str| matches!(field.key("port").and_then(|port| Ok(port.text()?.map(str::to_owned))), Ok(Some(name)) if name == port);
        let mut position = fields.len();
        for port in [HTTP, BACKUPS] {
            let is_made = port == HTTP || self.has_backups;
            if is_made && !fields.iter().any(|field| is_of(field, port)) {
                endpoints.push(self.generated(port, written, &list, position));
                position += 1;
            }
        }
        Ok(endpoints)
    }

    /// What the operator takes over of an endpoint as written. A VMPodScrape gets scheme and relabelling of the one for
    /// `http`, and no `tlsConfig`.
    fn as_taken(&self, written: Endpoint) -> Endpoint {
        let is_of = |port: &str| written.port == EndpointPort::ServicePort(port.to_owned());
        let is_http = is_of(HTTP);
        let is_made = is_http || (self.has_backups && is_of(BACKUPS));
        let loses_tls = is_http && self.kind == ScrapeKind::VMPodScrape;
        let path = written
            .path
            .clone()
            .or_else(|| is_made.then(|| self.path.clone()));
        Endpoint {
            kind: self.kind,
            sources: vec![self.source.clone()],
            path,
            tls: written.tls.filter(|_| !loses_tls),
            origin: match loses_tls {
                true => Origin::Fixed,
                false => written.origin,
            },
            ..written
        }
    }

    fn generated(
        &self,
        port: &str,
        written: &Field<'_>,
        list: &Field<'_>,
        position: usize,
    ) -> Endpoint {
        let mut as_made = Map::new();
        as_made.insert("port".to_owned(), json!(port));
        as_made.insert("path".to_owned(), json!(self.path));
        // Two endpoints of one Service would be one job.
        let relabelings = (port != HTTP).then(|| {
            vec![json!({
                "sourceLabels": ["job"],
                "regex": "(.+)",
                "targetLabel": "job",
                "replacement": format!("${{1}}-{port}"),
            })]
        });
        if let Some(rules) = &relabelings {
            as_made.insert("relabelConfigs".to_owned(), json!(rules));
        }
        if let Some(key) = &self.auth_key {
            as_made.insert("params".to_owned(), json!({"authKey": [key]}));
        }
        let origin = match self.kind {
            ScrapeKind::VMPodScrape => Origin::Fixed,
            _ => Origin::Made {
                as_made: Box::new(Value::Object(as_made)),
                missing_from: if written.is_missing() {
                    written.at()
                } else if list.is_missing() {
                    list.at()
                } else {
                    list.at().with_trailing_token("-")
                },
            },
        };
        let tls = json!({"insecureSkipVerify": true});
        Endpoint {
            scheme: self.secure.then(|| "https".to_owned()),
            tls: tls
                .as_object()
                .filter(|_| self.secure)
                .map(|tls| Box::new(tls.clone())),
            path: Some(self.path.clone()),
            relabelings,
            ..self.bare(
                EndpointPort::ServicePort(port.to_owned()),
                origin,
                list.at().with_trailing_token(position),
            )
        }
    }

    /// Nothing that is written changes it: it is added after `serviceScrapeSpec` is merged.
    fn reloader(&self, written: &Field<'_>) -> Endpoint {
        let port = EndpointPort::ContainerPort(PortRef::Number(RELOADER_PORT));
        Endpoint {
            path: Some("/metrics".to_owned()),
            ..self.bare(port, Origin::Fixed, written.at())
        }
    }

    fn bare(&self, port: EndpointPort, origin: Origin, at: PointerBuf) -> Endpoint {
        Endpoint {
            kind: self.kind,
            within: None,
            origin,
            sources: vec![self.source.clone()],
            port,
            role: self.role,
            by_slices: None,
            scheme_at: at.with_trailing_token("scheme"),
            scheme: None,
            overruled_scheme: None,
            tls: None,
            path: None,
            relabelings: None,
            http2: None,
            proxy_url: None,
            at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, SelfScrape};
    use crate::model::read;

    fn scrapes(kind: &str, spec: &Value) -> Vec<Scrape> {
        let version = match kind.starts_with("VM") {
            true => "v1beta1",
            false => "v1",
        };
        let object = json!({"apiVersion": format!("operator.victoriametrics.com/{version}"), "kind": kind,
            "metadata": {"name": "main", "namespace": "vm"}, "spec": spec});
        read([(0, &object)], &Config::default()).scrapes
    }

    /// Who writes the endpoint of which port, in order.
    fn endpoints(scrape: &Scrape) -> Vec<String> {
        let who = |origin: &Origin| match origin {
            Origin::Written => "written",
            Origin::Made { .. } => "made",
            Origin::Fixed => "fixed",
        };
        let port = |port: &EndpointPort| match port {
            EndpointPort::Every => "every".to_owned(),
            EndpointPort::ServicePort(name) | EndpointPort::ContainerPort(PortRef::Name(name)) => {
                name.clone()
            }
            EndpointPort::ContainerPort(PortRef::Number(number)) => number.to_string(),
        };
        let list = scrape.endpoints.iter();
        list.map(|one| format!("{} {}", who(&one.origin), port(&one.port)))
            .collect()
    }

    /// factory/build/vmscrape.go: merged by port name; factory/build/container.go: the reloader's comes last.
    #[test]
    fn what_is_written_takes_the_place_of_what_is_made() {
        for (spec, expected) in [
            (json!({}), vec!["made http", "fixed 8435"]),
            (json!({"ingestOnlyMode": true}), vec!["made http"]),
            (
                json!({"serviceScrapeSpec": {"endpoints": [{"port": "http"}]}}),
                vec!["written http", "fixed 8435"],
            ),
            (
                json!({"serviceScrapeSpec": {"endpoints": [{"targetPort": 9000}]}}),
                vec!["written 9000", "made http", "fixed 8435"],
            ),
            (
                json!({"daemonSetMode": true, "serviceScrapeSpec": {"endpoints": [{"port": "http"}]}}),
                vec!["fixed http", "fixed 8435"],
            ),
        ] {
            assert_eq!(endpoints(&scrapes("VMAgent", &spec)[0]), expected, "{spec}");
        }
    }

    #[test]
    fn each_program_has_its_own_unless_it_is_switched_off() {
        for (kind, spec, expected) in [
            ("VMSingle", json!({}), 1),
            ("VMAlert", json!({"disableSelfServiceScrape": true}), 0),
            ("VMCluster", json!({"vmselect": {}, "vminsert": {}}), 2),
            (
                "VMCluster",
                json!({"vmselect": {"disableSelfServiceScrape": true}, "vmstorage": {}}),
                1,
            ),
            ("VLSingle", json!({}), 1),
        ] {
            assert_eq!(scrapes(kind, &spec).len(), expected, "{kind} {spec}");
        }
    }

    /// `GetMetricsPath`, `UseTLS`, and `metricsAuthKey` as a parameter.
    #[test]
    fn path_tls_and_key_are_as_the_operator_makes_them() {
        let spec = json!({"extraArgs": {"http.pathPrefix": "/a/", "tls": "true", "metricsAuthKey": "key"}});
        let made = &scrapes("VMSingle", &spec)[0].endpoints[0];
        assert_eq!(made.path.as_deref(), Some("/a/metrics"));
        assert_eq!(made.scheme.as_deref(), Some("https"));
        let Origin::Made {
            as_made,
            missing_from,
        } = &made.origin
        else {
            panic!("nobody wrote it");
        };
        assert_eq!(
            **as_made,
            json!({"port": "http", "path": "/a/metrics", "params": {"authKey": ["key"]}})
        );
        assert_eq!(missing_from.as_str(), "/spec/serviceScrapeSpec");
    }

    /// `FinalLabels`: those of the selector win over those of `managedMetadata`.
    #[test]
    fn scrapers_select_by_labels_of_the_service() {
        let spec = json!({"managedMetadata": {"labels": {"team": "a", "managed-by": "me"}}});
        let labels = &scrapes("VMSingle", &spec)[0].labels;
        assert_eq!(labels.get("team"), Some("a"));
        assert_eq!(labels.get("managed-by"), Some("vm-operator"));
    }

    #[test]
    fn the_configuration_leaves_them_out() {
        let object = json!({"apiVersion": "operator.victoriametrics.com/v1beta1", "kind": "VMSingle",
            "metadata": {"name": "main", "namespace": "vm"}, "spec": {}});
        let config = Config {
            self_scrape: SelfScrape::Ignore,
            ..Config::default()
        };
        assert!(read([(0, &object)], &config).scrapes.is_empty());
    }
}
