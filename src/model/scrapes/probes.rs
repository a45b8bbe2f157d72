//! Where do probes keep what other scrape objects have in their endpoints?
//!
//! Authority: CRDs of VMProbe and Probe: `targets.*.relabelingConfigs`, `prober.proxyUrl`.
//! Departs from nothing.
//! Knows: scrape objects that ask a prober. Does not know: what becomes of them.

use jsonptr::PointerBuf;
use serde_json::Value;

use super::super::field::{Field, Read};
use super::super::{Finds, ScrapeDescription};
use super::text_at;

/// `relabelingConfigs` of each way in which a probe finds what the prober is asked about.
pub(super) fn relabelings(
    spec: &Field<'_>,
    description: &ScrapeDescription,
) -> Read<Vec<(PointerBuf, Vec<Value>)>> {
    if !matches!(description.finds, Finds::Prober(_)) {
        return Ok(Vec::new());
    }
    let targets = spec.key("targets")?;
    let mut ways = Vec::new();
    for key in ["static", "staticConfig", "ingress"] {
        let way = targets.key(key)?;
        ways.push(rules_of(&way)?);
    }
    for way in targets.key("kubernetes")?.list()? {
        ways.push(rules_of(&way)?);
    }
    Ok(ways.into_iter().flatten().collect())
}

fn rules_of(way: &Field<'_>) -> Read<Option<(PointerBuf, Vec<Value>)>> {
    // Who gives an empty map in place of a list has no rules either.
    if !matches!(way.written(), Some(Value::Object(_))) {
        return Ok(None);
    }
    let rules = way.key("relabelingConfigs")?;
    rules.list()?;
    let list = rules.written().and_then(Value::as_array);
    Ok(list.map(|list| (rules.at(), list.clone())))
}

/// The proxy, which the Prometheus operator's probes have among the settings of their prober.
pub(super) fn proxy(field: &Field<'_>, description: &ScrapeDescription) -> Read<Option<String>> {
    let own = text_at(field, &[description.proxy])?;
    match description.finds {
        Finds::Prober([prober, ..]) if own.is_none() => {
            text_at(field, &[prober, description.proxy])
        }
        Finds::Prober(_) | Finds::Services | Finds::Pods | Finds::Nodes => Ok(own),
        Finds::Addresses(_) | Finds::Discovery => Ok(own),
    }
}
