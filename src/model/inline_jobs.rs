//! Which jobs does a scraper have in its own `inlineScrapeConfig`?
//!
//! Authority: VictoriaMetrics operator `factory/vmscrapes/objects.go`: the list is appended to the generated jobs as it is.
//! Departs from it: a job that is not understood is left out and reported, the others are kept.
//! Knows: the text of `spec.inlineScrapeConfig`. Does not know: other scrape objects, what a job finds.

use jsonptr::{Pointer, PointerBuf};
use serde_json::Value;

use super::LabelSelector;
use super::field::{Field, Problem, noted};
use super::{
    DiscoveryRole, Endpoint, Endpoints, Labels, Namespaces, Scrape, ScrapeKind, Scraper, embedded,
    scrapes,
};
use crate::yaml::Json;

/// The string that holds the jobs.
const INLINE: &str = "/spec/inlineScrapeConfig";

/// Whether a place of a scraper is in its jobs: what is wrong there says nothing about what else it scrapes.
pub fn is_in_inline_jobs(at: &Pointer) -> bool {
    at.starts_with(Pointer::from_static(INLINE))
}

impl Scrape {
    /// Whether these are jobs of a scraper's own: only that scraper has them, and as they are, so neither scrape classes
    /// nor templates nor limits of file access come into it.
    pub fn is_of_scraper(&self) -> bool {
        self.kind.description().endpoints == Endpoints::Itself
    }
}

impl Endpoint {
    /// Where it is in the object, the place inside of a string too.
    pub fn place(&self) -> PointerBuf {
        match &self.within {
            None => self.at.clone(),
            Some(within) => whole(within, &self.at),
        }
    }
}

/// The jobs of a scraper as one scrape object that only this scraper selects; `None` where it has none, or scrapes nothing.
pub(super) fn of(scraper: &Scraper, problems: &mut Vec<Problem>) -> Option<Scrape> {
    let scrapes_nothing = scraper.selection.is_empty();
    if scrapes_nothing || scraper.kind.is_prometheus() {
        return None;
    }
    let within = Pointer::from_static(INLINE);
    let text = match scraper.spec.get("inlineScrapeConfig")? {
        Value::Null => return None,
        Value::String(text) => text,
        other => {
            problems.push(Problem {
                at: within.to_buf(),
                text: Field::root(&other.into()).expected("a string").text,
            });
            return None;
        }
    };
    let jobs = match embedded(text) {
        Ok(jobs) => jobs,
        Err(text) => {
            problems.push(Problem {
                at: within.to_buf(),
                text: format!("it cannot be read: {text}"),
            });
            return None;
        }
    };
    let mut inside = Vec::new();
    let jobs = Json::from(&jobs);
    let root = Field::root(&jobs);
    let description = ScrapeKind::InlineJob.description();
    let list = match jobs.is_null() {
        true => Vec::new(),
        false => noted(root.list(), &mut inside).unwrap_or_default(),
    };
    let mut endpoints: Vec<_> = list
        .iter()
        .filter_map(|job| {
            let endpoint = scrapes::endpoint(job, description, DiscoveryRole::Pods);
            noted(endpoint, &mut inside)
        })
        .collect();
    for endpoint in &mut endpoints {
        endpoint.within = Some(within.to_buf());
    }
    problems.extend(inside.into_iter().map(|problem| Problem {
        at: whole(within, &problem.at),
        text: problem.text,
    }));
    (!endpoints.is_empty()).then(|| Scrape {
        object: scraper.object.clone(),
        labels: Labels::new(),
        kind: ScrapeKind::InlineJob,
        selector: LabelSelector::default(),
        namespaces: Namespaces::Own,
        scrape_class: None,
        endpoints,
        is_self_scrape: false,
        ignores_prometheus: false,
        prober_relabelings: Vec::new(),
    })
}

/// A place inside a string, as users see it.
fn whole(within: &Pointer, at: &Pointer) -> PointerBuf {
    let mut whole = within.to_buf();
    whole.append(at);
    whole
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::config::Config;
    use crate::model::{Inventory, read};

    fn inventory(spec: Value) -> Inventory {
        let object = json!({"apiVersion": "operator.victoriametrics.com/v1beta1", "kind": "VMAgent",
            "metadata": {"name": "main", "namespace": "vm"}, "spec": spec});
        read([(0, &object)], &Config::default())
    }

    fn places(spec: Value) -> Vec<String> {
        let inventory = inventory(spec);
        let endpoints = inventory
            .scrapes
            .iter()
            .filter(|scrape| !scrape.is_self_scrape)
            .flat_map(|scrape| &scrape.endpoints);
        endpoints
            .map(|endpoint| endpoint.place().to_string())
            .collect()
    }

    #[test]
    fn each_job_is_an_endpoint_inside_of_the_string() {
        let spec = json!({"inlineScrapeConfig": "- job_name: a\n- job_name: b\n  scheme: HTTPS\n  metrics_path: /stats\n  tls_config: {ca_file: /ca}\n"});
        let inventory = inventory(spec);
        let jobs = inventory
            .scrapes
            .iter()
            .filter(|scrape| !scrape.is_self_scrape);
        let [scrape] = jobs.collect::<Vec<_>>()[..] else {
            panic!("one")
        };
        assert!(scrape.is_of_scraper());
        assert_eq!(scrape.object, inventory.scrapers[0].object);
        let job = &scrape.endpoints[1];
        assert_eq!(
            job.within.as_ref().unwrap().as_str(),
            "/spec/inlineScrapeConfig"
        );
        assert_eq!(job.at.as_str(), "/1");
        assert_eq!(job.scheme_at.as_str(), "/1/scheme");
        assert_eq!(job.place().as_str(), "/spec/inlineScrapeConfig/1");
        assert_eq!(job.scheme.as_deref(), Some("HTTPS"));
        assert_eq!(job.path.as_deref(), Some("/stats"));
        assert_eq!(job.tls.as_ref().unwrap()["ca_file"], "/ca");
    }

    #[test]
    fn who_scrapes_nothing_has_no_jobs() {
        let text = "- job_name: a\n";
        assert_eq!(places(json!({"inlineScrapeConfig": text})).len(), 1);
        assert_eq!(
            places(json!({"inlineScrapeConfig": text, "daemonSetMode": true})).len(),
            1
        );
        assert!(places(json!({"inlineScrapeConfig": text, "ingestOnlyMode": true})).is_empty());
        for empty in ["", "# none yet\n", "[]", "null"] {
            let inventory = inventory(json!({"inlineScrapeConfig": empty}));
            let mut jobs = inventory.scrapes.iter().filter(|s| !s.is_self_scrape);
            assert!(
                jobs.next().is_none() && inventory.unread.is_empty(),
                "{empty}"
            );
        }
    }

    #[test]
    fn what_is_no_string_is_named() {
        let inventory = inventory(json!({"inlineScrapeConfig": [{"job_name": "a"}]}));
        assert!(inventory.scrapes.is_empty());
        assert_eq!(inventory.unread[0].at.as_str(), "/spec/inlineScrapeConfig");
        assert_eq!(
            inventory.unread[0].problem,
            "expected a string, found a list"
        );
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place() {
        for (text, at, left) in [
            ("- a: \"", "/spec/inlineScrapeConfig", 0),
            ("a: b", "/spec/inlineScrapeConfig", 0),
            (
                "- scheme: 5\n- job_name: b",
                "/spec/inlineScrapeConfig/0/scheme",
                1,
            ),
            (
                "- kubernetes_sd_configs: [{role: pods}]",
                "/spec/inlineScrapeConfig/0/kubernetes_sd_configs/0/role",
                0,
            ),
            ("- 5\n", "/spec/inlineScrapeConfig/0", 0),
        ] {
            let spec = json!({"inlineScrapeConfig": text});
            let inventory = inventory(spec.clone());
            assert_eq!(inventory.unread.len(), 1, "{text}");
            assert_eq!(inventory.unread[0].at.as_str(), at, "{text}");
            assert_eq!(places(spec).len(), left, "{text}");
        }
    }
}
