//! Which relabelling rules does a scraper add to those of an endpoint, and which of its scrape classes applies?
//!
//! Authority: VictoriaMetrics operator `factory/vmscrapes` (`getScrapeClass`, templates per kind), `lib/promscrape/config.go`
//! (global rules come first); prometheus-operator `pkg/prometheus/promcfg.go` (rules of a class before those of the endpoint).
//! Departs from nothing.
//! Knows: `spec` of a scraper, the kind of a scrape object. Does not know: what a rule does.

use jsonptr::PointerBuf;
use serde_json::Value;

use super::super::{Scrape, ScrapeKind};
use super::Scraper;

/// A list of relabelling rules that targets go through besides those of their endpoint.
#[derive(Debug, Clone)]
pub struct AddedRules<'a> {
    /// The field of the scraper that holds them.
    pub at: PointerBuf,
    /// The rules, as written.
    pub rules: &'a [Value],
    /// They run after those of the endpoint, not before.
    pub run_after: bool,
}

impl Scraper {
    /// The scrape class of this name, with its position.
    pub fn class_named(&self, name: &str) -> Option<(usize, &Value)> {
        self.class(|class| class.get("name").and_then(Value::as_str) == Some(name))
    }

    /// The scrape class of objects that name none, with its position.
    pub fn default_class(&self) -> Option<(usize, &Value)> {
        self.class(|class| class.get("default") == Some(&Value::Bool(true)))
    }

    /// The scrape class that applies to an object: the one that it names, else the default one. The scraper's own jobs
    /// have none.
    pub fn class_of(&self, scrape: &Scrape) -> Option<(usize, &Value)> {
        match &scrape.scrape_class {
            _ if scrape.is_of_scraper() => None,
            Some(name) => self.class_named(name),
            None => self.default_class(),
        }
    }

    fn class(&self, is_it: impl Fn(&Value) -> bool) -> Option<(usize, &Value)> {
        let classes = self.spec.get("scrapeClasses")?.as_array()?;
        classes.iter().enumerate().find(|(_, class)| is_it(class))
    }

    /// The rules that it adds for every target of an object, in the order in which they run.
    pub fn added_rules(&self, scrape: &Scrape) -> Vec<AddedRules<'_>> {
        let row = self.kind.description();
        let mut added = Vec::new();
        added.extend(self.rules_for_all(row.global_relabelings, false));
        // The VictoriaMetrics operator leaves the class's out for kinds that have no rules themselves: probers.
        let takes_none =
            !self.kind.is_prometheus() && scrape.kind.description().relabelings.is_none();
        if let Some((position, class)) = self.class_of(scrape).filter(|_| !takes_none) {
            let position = position.to_string();
            let tokens = ["spec", "scrapeClasses", &position, row.class_relabelings];
            added.extend(list(class, row.class_relabelings).map(|rules| AddedRules {
                at: PointerBuf::from_tokens(tokens),
                rules,
                run_after: false,
            }));
        }
        let template = template(scrape.kind).filter(|_| row.has_templates);
        added.extend(self.rules_for_all(template, true));
        added
    }

    fn rules_for_all(
        &self,
        field: Option<&'static str>,
        run_after: bool,
    ) -> Option<AddedRules<'_>> {
        let field = field?;
        Some(AddedRules {
            at: PointerBuf::from_tokens(["spec", field]),
            rules: list(&self.spec, field)?,
            run_after,
        })
    }
}

/// The field with rules for every target of a kind: that of what the operator converts the kind into, if it does.
fn template(kind: ScrapeKind) -> Option<&'static str> {
    let description = kind.description();
    let converted = description.converted_into.map(ScrapeKind::description);
    converted.unwrap_or(description).template
}

fn list<'a>(map: &'a Value, key: &str) -> Option<&'a [Value]> {
    map.get(key).and_then(Value::as_array).map(Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Config;
    use crate::model::read;

    const VM: &str = "operator.victoriametrics.com/v1beta1";
    const PROMETHEUS: &str = "monitoring.coreos.com/v1";

    /// Where a scraper of a kind, with rules in every field that there is, has some for an object.
    fn fields(scraper: (&str, &str), scrape: (&str, &str), class: Option<&str>) -> Vec<String> {
        let rules = json!([{"action": "drop", "sourceLabels": ["a"]}]);
        let class_of = |name: &str, default: bool| json!({"name": name, "default": default, "relabelConfigs": rules, "relabelings": rules});
        let (of_scraper, of_scrape) = (scraper, scrape);
        let scraper = json!({"apiVersion": of_scraper.0, "kind": of_scraper.1, "metadata": {"name": "main"}, "spec": {
            "globalScrapeRelabelConfigs": rules, "serviceScrapeRelabelTemplate": rules, "podScrapeRelabelTemplate": rules,
            "probeScrapeRelabelTemplate": rules, "scrapeClasses": [class_of("a", true), class_of("b", false)],
            "inlineScrapeConfig": "- job_name: x\n"}});
        let scrape = json!({"apiVersion": of_scrape.0, "kind": of_scrape.1, "metadata": {"name": "demo"},
            "spec": {"scrapeClass": class, "selector": {}, "endpoints": [], "podMetricsEndpoints": [],
                "prober": {"url": "x"}, "vmProberSpec": {"url": "x"}}});
        let config = Config::default();
        let inventory = read([(0, &scraper), (1, &scrape)], &config);
        let object = |scrape: &&Scrape| match of_scrape.1 {
            "" => scrape.is_of_scraper(),
            kind => scrape.object.kind == kind && !scrape.is_self_scrape,
        };
        let scrape = inventory.scrapes.iter().find(object).expect("it is there");
        let added = inventory.scrapers[0].added_rules(scrape);
        let told = |one: &AddedRules<'_>| {
            let when = if one.run_after { " after" } else { "" };
            format!("{}{when}", one.at)
        };
        added.iter().map(told).collect()
    }

    #[test]
    fn rules_come_from_globals_then_the_class_then_the_template() {
        const GLOBAL: &str = "/spec/globalScrapeRelabelConfigs";
        let agent = (VM, "VMAgent");
        for (scraper, scrape, class, expected) in [
            (
                agent,
                (VM, "VMServiceScrape"),
                None,
                vec![
                    GLOBAL,
                    "/spec/scrapeClasses/0/relabelConfigs",
                    "/spec/serviceScrapeRelabelTemplate after",
                ],
            ),
            (
                agent,
                (PROMETHEUS, "PodMonitor"),
                Some("b"),
                vec![
                    GLOBAL,
                    "/spec/scrapeClasses/1/relabelConfigs",
                    "/spec/podScrapeRelabelTemplate after",
                ],
            ),
            (
                agent,
                (VM, "VMProbe"),
                None,
                vec![GLOBAL, "/spec/probeScrapeRelabelTemplate after"],
            ),
            (agent, (VM, ""), None, vec![GLOBAL]),
            (
                (PROMETHEUS, "Prometheus"),
                (PROMETHEUS, "Probe"),
                Some("b"),
                vec!["/spec/scrapeClasses/1/relabelings"],
            ),
            (
                (PROMETHEUS, "Prometheus"),
                (PROMETHEUS, "ServiceMonitor"),
                Some("c"),
                vec![],
            ),
        ] {
            assert_eq!(
                fields(scraper, scrape, class),
                expected,
                "{scraper:?} {scrape:?}"
            );
        }
    }
}
