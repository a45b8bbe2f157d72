//! Which pods does the API server ask an injector about?
//!
//! Authority: istio/istio istioctl/pkg/checkinject/checkinject.go `isIstioWebhook`, `extractRevision`; istioctl/pkg/tag (label `app: sidecar-injector`, `istio.io/tag`).
//! Departs from it: an object that the API server would refuse is left out and reported.
//! Knows: MutatingWebhookConfiguration. Does not know: pods.

use super::{DEFAULT_REVISION, InjectorWebhook, InjectorWebhooks};
use crate::model::field::{Field, Problem, Read, noted};
use crate::model::metadata::{self, REVISION};
use crate::model::{Object, selectors};
use crate::yaml::Json;

const TAG: &str = "istio.io/tag";

/// Whether a MutatingWebhookConfiguration is an injector's: by a webhook's name, or by the label that `istioctl tag` lists by.
pub(in crate::model) fn is_injectors(value: &Json<'_>) -> bool {
    let webhooks = value.get("webhooks").and_then(Json::as_list);
    let by_name = webhooks.into_iter().flatten().any(|webhook| {
        let name = webhook.get("name").and_then(Json::as_str);
        name.is_some_and(|name| name.ends_with("istio.io"))
    });
    let app = value
        .get_below(&["metadata", "labels", "app"])
        .and_then(Json::as_str);
    by_name || app == Some("sidecar-injector")
}

/// The webhooks of an injector, if the API server would take them.
pub(in crate::model) fn webhooks(
    object: Object,
    root: &Field<'_>,
    problems: &mut Vec<Problem>,
) -> Option<InjectorWebhooks> {
    let labels = noted(metadata::labels(root), problems)?;
    let webhooks = noted(list(root, problems), problems)?;
    let label = |key: &str| {
        let value = labels.get(key).filter(|value| !value.is_empty());
        value.map(str::to_owned)
    };
    problems.is_empty().then(|| InjectorWebhooks {
        object,
        revision: label(REVISION).unwrap_or_else(|| DEFAULT_REVISION.to_owned()),
        tag: label(TAG),
        webhooks,
    })
}

fn list(root: &Field<'_>, problems: &mut Vec<Problem>) -> Read<Vec<InjectorWebhook>> {
    let field = root.key("webhooks")?;
    field
        .list()?
        .iter()
        .map(|webhook| {
            let namespaces = webhook.key("namespaceSelector")?;
            let pods = webhook.key("objectSelector")?;
            Ok(InjectorWebhook {
                name: webhook.key("name")?.text()?.unwrap_or_default().to_owned(),
                namespaces: selectors::selector(&namespaces, problems)?.unwrap_or_default(),
                pods: selectors::selector(&pods, problems)?.unwrap_or_default(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
