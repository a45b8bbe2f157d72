//! Which Service does an address name?
//!
//! Authority: Kubernetes DNS, docs/concepts/services-networking/dns-pod-service.md: `<service>.<namespace>.svc.<domain>`,
//! its search path, and `<pod>.<service>.<namespace>.svc` behind headless Services.
//! Departs from it: any domain counts as the cluster's after `.svc`; an IP address names nobody, also where it is a cluster IP.
//! Knows: Services. Does not know: who asks, or what for.

use crate::model::{Inventory, Service};

/// Whom an address names.
#[derive(Debug, Clone)]
pub enum Host<'a> {
    /// A Service of the input, with the port of it that is asked; `None`: no port is written.
    Service(&'a Service, Option<u16>),
    /// A Service that is not in the input.
    Missing {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The port of it that is asked; `None`: no port is written.
        port: Option<u16>,
    },
    /// Nobody that manifests show, and why.
    Unknown(String),
}

/// Whom `address` names, which is `host:port` or a URL; `from` is the namespace whose search path short names follow.
pub fn host<'a>(inventory: &'a Inventory, address: &str, from: Option<&str>) -> Host<'a> {
    let unknown = |why: &str| Host::Unknown(format!("{} {why}", without_secrets(address)));
    let (name, port) = match name_and_port(address) {
        (name, Ok(port)) => (name, port),
        (_, Err(NoPort)) => {
            return unknown("has a port that is no number from 1 to 65535");
        }
    };
    if is_ip(name) {
        return unknown("is an IP address: which pods answer there is not in the input");
    }
    let name = name.trim_end_matches('.');
    let labels: Vec<&str> = name.split('.').collect();
    let found = |namespace: &str, name: &str| {
        service(inventory, namespace, name).map(|service| Host::Service(service, port))
    };
    let missing = |namespace: &str, name: &str| Host::Missing {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        port,
    };
    match labels.as_slice() {
        [""] => unknown("names no host"),
        [name] => match from {
            None => {
                unknown("is a name within the scraper's namespace, and no scraper is in the input")
            }
            Some(namespace) => found(namespace, name).unwrap_or_else(|| missing(namespace, name)),
        },
        [name, namespace, "svc", ..] | [_, name, namespace, "svc", ..] => {
            found(namespace, name).unwrap_or_else(|| missing(namespace, name))
        }
        [name, namespace] => {
            found(namespace, name).unwrap_or_else(|| unknown("is no Service of the input"))
        }
        _ => unknown("is no name of a Service"),
    }
}

/// An address as messages name it: without a user and a password, and without a query, which may hold a token.
fn without_secrets(address: &str) -> String {
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), address),
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}{host}{path}")
}

/// Whether an address stays within the pod that asks.
pub(super) fn is_loopback(address: &str) -> bool {
    let (name, _) = name_and_port(address);
    let name = name.trim_end_matches('.');
    ["localhost", "::1"].contains(&name) || (is_ip(name) && name.starts_with("127."))
}

/// Whether this is an IP address; no name of a host has a colon, or digits alone.
fn is_ip(host: &str) -> bool {
    let of_digits = |c: char| c.is_ascii_digit() || c == '.';
    host.contains(':') || (!host.is_empty() && host.chars().all(of_digits))
}

fn service<'a>(inventory: &'a Inventory, namespace: &str, name: &str) -> Option<&'a Service> {
    let here = inventory.services_in(namespace);
    let first = here.partition_point(|service| service.object.name.as_str() < name);
    here.get(first)
        .filter(|service| service.object.name == name)
}

/// What stands in the place of a port is none.
struct NoPort;

/// The host of an address, and its port: as written, else that of the URL's scheme.
fn name_and_port(address: &str) -> (&str, Result<Option<u16>, NoPort>) {
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, address),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let by_scheme = match scheme {
        Some(scheme) if scheme.eq_ignore_ascii_case("https") => Some(443),
        Some(_) => Some(80),
        None => None,
    };
    if let Some(bracketed) = authority.strip_prefix('[') {
        let (ip, rest) = bracketed.split_once(']').unwrap_or((bracketed, ""));
        return (
            ip,
            rest.strip_prefix(':').map_or(Ok(by_scheme), port_number),
        );
    }
    match authority.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') => (name, port_number(port)),
        Some(_) | None => (authority, Ok(by_scheme)),
    }
}

fn port_number(text: &str) -> Result<Option<u16>, NoPort> {
    match text.parse() {
        Ok(0) | Err(_) => Err(NoPort),
        Ok(number) => Ok(Some(number)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Config;
    use crate::model::read;

    fn inventory() -> Inventory {
        let object = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}});
        read([(0, &object)], &Config::default())
    }

    #[test]
    fn secrets_of_an_address_are_not_told() {
        for (address, expected) in [
            ("partner.example:443", "partner.example:443"),
            ("joe:hunter2@partner.example:443", "partner.example:443"),
            ("https://joe:hunter2@a.b/c?token=x#d", "https://a.b/c"),
            ("https://a.b?token=a@b", "https://a.b"),
        ] {
            assert_eq!(without_secrets(address), expected);
        }
    }

    /// The address in words: `shop/web:80`, `? shop/other`, or `-`.
    fn told(address: &str, from: Option<&str>) -> String {
        match host(&inventory(), address, from) {
            Host::Service(service, port) => format!(
                "{}/{}:{}",
                service.object.namespace,
                service.object.name,
                port.map_or("?".to_owned(), |port| port.to_string())
            ),
            Host::Missing {
                namespace, name, ..
            } => format!("? {namespace}/{name}"),
            Host::Unknown(_) => "-".to_owned(),
        }
    }

    #[test]
    fn loopback_stays_within_the_pod() {
        for (address, expected) in [
            ("localhost:9090", true),
            ("http://localhost/metrics", true),
            ("127.0.0.1:80", true),
            ("127.9.9.9", true),
            ("[::1]:80", true),
            ("127.example.com:80", false),
            ("localhost.shop.svc:80", false),
            ("10.127.0.1:80", false),
        ] {
            assert_eq!(is_loopback(address), expected, "{address}");
        }
    }

    #[test]
    fn every_spelling_of_a_service() {
        for (address, from, expected) in [
            ("web:8080", Some("shop"), "shop/web:8080"),
            ("web:8080", Some("vm"), "? vm/web"),
            ("web:8080", None, "-"),
            ("web.shop:8080", Some("vm"), "shop/web:8080"),
            ("web.shop", None, "shop/web:?"),
            ("web.shop.svc:8080", None, "shop/web:8080"),
            ("web.shop.svc.cluster.local.:80", None, "shop/web:80"),
            ("web-0.web.shop.svc:80", None, "shop/web:80"),
            ("http://web.shop.svc:8080/api?x=y", None, "shop/web:8080"),
            ("https://user:word@web.shop.svc/api", None, "shop/web:443"),
            ("http://web.shop.svc/", None, "shop/web:80"),
            ("other.shop.svc:80", None, "? shop/other"),
            ("example.com:80", None, "-"),
            ("web.shop.svc:http", None, "-"),
            ("web.shop.svc:99999", None, "-"),
            ("http://web.shop.svc:0/", None, "-"),
            ("metrics.example.com:80", None, "-"),
            ("10.0.0.1:80", None, "-"),
            ("[fd00::1]:80", None, "-"),
            ("fd00::1", None, "-"),
            ("", None, "-"),
        ] {
            assert_eq!(told(address, from), expected, "{address} from {from:?}");
        }
    }
}
