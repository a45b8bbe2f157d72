//! What do TLS settings look like that name Istio's certificates, and what is wrong with some?
//!
//! Authority: istio-proxy (`security/pkg/nodeagent/util` `OutputKeyCertToDir`) for the files; operators' `TLSConfig.Validate`.
//! Departs from nothing: one of the three files is enough to be Istio's, so that a wrong partner is repaired.
//! Knows: the value of a tlsConfig, of an endpoint or a scrape class. Does not know: endpoints, classes.

use jsonptr::Pointer;
use serde_json::{Map, Value, json};

use super::decision::Step;
use super::steps::{add, replace};
use crate::model::Spelling;

/// The files that istio-proxy writes (`security/pkg/nodeagent/util` `OutputKeyCertToDir`), by the
/// `tlsConfig` field that names each.
pub(super) const FILES: [(&str, &str); 3] = [
    ("caFile", "root-cert.pem"),
    ("certFile", "cert-chain.pem"),
    ("keyFile", "key.pem"),
];

/// Fields that the operator refuses beside the file of the same purpose; in vmagent's own spelling, fields that win over it.
pub(super) fn rivals(spelling: Spelling) -> [&'static str; 3] {
    match spelling {
        Spelling::Camel => ["ca", "cert", "keySecret"],
        Spelling::Snake => ["ca", "cert", "key"],
    }
}

/// The fields of `wanted` that are not so in `tls`.
pub(super) fn mistakes(tls: &Map<String, Value>, wanted: &Value) -> Vec<(String, Value)> {
    let wanted = wanted.as_object().into_iter().flatten();
    wanted
        .filter(|(field, value)| !tls.get(*field).is_some_and(|has| same(has, value)))
        .map(|(field, value)| (field.clone(), value.clone()))
        .collect()
}

/// Steps that put mistakes right in the TLS settings at `at`.
pub(super) fn repairs(
    at: &Pointer,
    written: &Map<String, Value>,
    mistakes: &[(String, Value)],
) -> Vec<Step> {
    let repairs = mistakes.iter().map(|(field, value)| {
        if written.contains_key(field) {
            replace(at, field, value.clone())
        } else {
            add(at, field, value.clone())
        }
    });
    repairs.collect()
}

/// Whether one of the three files is one of Istio's, in any directory.
pub(super) fn is_istios(tls: &Map<String, Value>, spelling: Spelling) -> bool {
    FILES.iter().any(|(field, _)| {
        let file = tls.get(&spelling.of(field)).and_then(Value::as_str);
        file.is_some_and(is_istios_file)
    })
}

/// The last part of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether istio-proxy writes a file of this name.
pub(super) fn is_istios_file(path: &str) -> bool {
    let name = file_name(path);
    FILES.iter().any(|(_, file)| name == *file)
}

/// The directory that the certificates of TLS settings are in, if all three files agree on one.
pub(super) fn directory_of(tls: &Map<String, Value>, spelling: Spelling) -> Option<&str> {
    let mut directories = FILES.iter().map(|(field, name)| {
        tls.get(&spelling.of(field))?
            .as_str()?
            .strip_suffix(name)?
            .strip_suffix('/')
    });
    let first = directories.next()??;
    directories
        .all(|other| other == Some(first))
        .then_some(first)
}

/// The tlsConfig that makes a scraper present the certificates of its sidecar.
///
/// Istio's certificates carry a SPIFFE URI and no IP, so the name cannot be verified: hence
/// `insecureSkipVerify` (istio.io, "Prometheus" integration page).
pub(super) fn tls_config(directory: &str, spelling: Spelling) -> Value {
    json!({
        spelling.of("caFile"): format!("{directory}/root-cert.pem"),
        spelling.of("certFile"): format!("{directory}/cert-chain.pem"),
        spelling.of("insecureSkipVerify"): true,
        spelling.of("keyFile"): format!("{directory}/key.pem"),
    })
}

/// Whether the operator takes the value for unset.
pub(super) fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Object(map) => map.values().all(is_zero),
        Value::Bool(true) | Value::Number(_) | Value::Array(_) => false,
    }
}

/// Equal, paths without regard to doubled slashes.
fn same(present: &Value, wanted: &Value) -> bool {
    match (present.as_str(), wanted.as_str()) {
        (Some(present), Some(wanted)) => present.replace("//", "/") == wanted,
        _ => present == wanted,
    }
}
