//! Where do probes keep what other scrape objects have in their endpoints?
//!
//! Authority: CRDs of VMProbe and Probe: `targets.*.relabelingConfigs`.
//! Departs from nothing.
//! Knows: scrape objects that ask a prober. Does not know: what becomes of them.

use jsonptr::PointerBuf;
use serde_json::Value;

use super::super::field::{Field, Read};
use super::super::{Finds, ScrapeDescription};
use crate::yaml::Json;

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
    if !matches!(way.written(), Some(Json::Map(_))) {
        return Ok(None);
    }
    let rules = way.key("relabelingConfigs")?;
    rules.list()?;
    let list = rules.written().and_then(Json::as_list);
    Ok(list.map(|list| (rules.at(), list.iter().map(Json::to_value).collect())))
}
