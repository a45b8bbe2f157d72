//! What does a ProxyConfig object set for proxies?
//!
//! Authority: istio/api networking/v1beta1/proxy_config.proto and its CRD.
//! Departs from it: an object that the API server would refuse is left out and reported; `concurrency` and `image` are not read.
//! Knows: one object. Does not know: whom it selects, what else sets the same.

use super::ProxyConfig;
use crate::model::Object;
use crate::model::field::{Field, Read};

/// The settings of a ProxyConfig.
pub(in crate::model) fn proxy_config(object: Object, root: &Field<'_>) -> Read<ProxyConfig> {
    let spec = root.key("spec")?;
    let selector = spec.key("selector")?;
    Ok(ProxyConfig {
        object,
        selector: match selector.is_missing() {
            true => None,
            false => Some(selector.key("matchLabels")?.labels()?),
        },
        environment: spec.key("environmentVariables")?.labels()?,
    })
}

#[cfg(test)]
mod tests;
