//! What was judged before?
//!
//! Authority: none; this is what keeps the cost of a run in step with the number of endpoints that reach the same pods.
//! Departs from nothing: an answer depends on who asks, on the pods, the port, and the way there, and on nothing else.
//! Knows: answers. Does not know: how they are found.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ptr;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::demand::{self, Judged};
use super::originates::{self, OnTheWay};
use super::scraper::{Patched, ScraperState};
use crate::model::{Scrape, Scraper, Service, Workload};
use crate::targets::{Pods, Target};

/// Who asks which port of which pods, by which Service: by their places in memory, where the inventory keeps them; and
/// whether who asks meets its siblings there.
type Asked = (Option<usize>, usize, Option<u16>, Option<usize>, bool);

/// Answers about pods of one inventory. Whoever asks first among several threads, the answer is the same.
#[derive(Debug, Default)]
pub(super) struct Judgements {
    judged: RwLock<BTreeMap<Asked, ByWay>>,
    on_the_way: RwLock<BTreeMap<Asked, OnTheWay>>,
}

// Nothing is half written there when a thread ends in a panic, which is passed on in any case.
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

/// Answers by the way there, too, which is shown, in order: nearly always there is one.
type ByWay = Vec<(String, Vec<Judged>)>;

/// Where the answer for a way is, or belongs.
fn place_of(way: &str, answers: &ByWay) -> Result<usize, usize> {
    answers.binary_search_by(|(other, _)| other.as_str().cmp(way))
}

fn place<T>(of: &T) -> usize {
    ptr::from_ref(of).addr()
}

/// `None`: the pods are not of the inventory.
fn asked(
    scraper: Option<&Scraper>,
    pods: &Pods<'_>,
    port: Option<u16>,
    service: Option<&Service>,
    meets_siblings: bool,
) -> Option<Asked> {
    match pods {
        Pods::Of(Cow::Borrowed(pods)) => {
            let service = service.map(place);
            Some((
                scraper.map(place),
                place(*pods),
                port,
                service,
                meets_siblings,
            ))
        }
        Pods::Of(Cow::Owned(_)) | Pods::Elsewhere(_) => None,
    }
}

impl Patched<'_> {
    /// What a target demands of a scraper of this inventory, or of anybody: [`demand::judge`].
    pub(super) fn judge(
        &self,
        scraper: Option<(&Scraper, &ScraperState)>,
        scrape: &Scrape,
        target: &Target<'_>,
    ) -> Vec<Judged> {
        let judge = || demand::judge(&self.inventory, &self.mesh(), scraper, scrape, target);
        let who = scraper.map(|(who, _)| who);
        let siblings = who.is_some_and(|who| who.meets_siblings(scrape));
        let (port, service) = (target.port, target.addressed_by);
        let Some(asked) = asked(who, &target.pods, port, service, siblings) else {
            return judge();
        };
        let judged = &self.judgements.judged;
        if let Some(known) = read(judged).get(&asked)
            && let Ok(place) = place_of(&target.via, known)
        {
            return known[place].1.clone();
        }
        let found = judge();
        let answer = (target.via.clone(), found.clone());
        match write(judged).entry(asked) {
            Entry::Vacant(vacant) => {
                vacant.insert(vec![answer]);
            }
            Entry::Occupied(mut known) => {
                if let Err(place) = place_of(&target.via, known.get()) {
                    known.get_mut().insert(place, answer);
                }
            }
        }
        found
    }

    /// What the sidecar of a scraper of this inventory does with requests to a target: [`originates::on_the_way`].
    pub(super) fn on_the_way(
        &self,
        scraper: (&Scraper, &ScraperState),
        target: &Target<'_>,
        pods: &Workload,
    ) -> OnTheWay {
        let find = || originates::on_the_way(&self.mesh(), scraper, target, pods);
        let (who, _) = scraper;
        let (port, service) = (target.port, target.addressed_by);
        let Some(asked) = asked(Some(who), &target.pods, port, service, false) else {
            return find();
        };
        let known = &self.judgements.on_the_way;
        if let Some(known) = read(known).get(&asked) {
            return known.clone();
        }
        let found = find();
        write(known).insert(asked, found.clone());
        found
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::*;
    use crate::config::Config;
    use crate::policy::Settings;
    use crate::rules::scraper::as_patched;

    fn agent(name: &str) -> Value {
        json!({"apiVersion": "operator.victoriametrics.com/v1beta1", "kind": "VMAgent",
            "metadata": {"name": name, "namespace": "vm"}, "spec": {"selectAllByDefault": true, "replicaCount": 2}})
    }

    /// Who asks, which port and which way: each is answered as if nobody had asked before.
    #[test]
    fn what_was_asked_before_changes_no_answer() {
        let objects = [
            json!({"apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": "vm", "labels": {"istio-injection": "enabled"}}}),
            json!({"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
                "metadata": {"name": "default", "namespace": "vm"}, "spec": {"selector": {"matchLabels": {"app.kubernetes.io/name": "vmagent"}},
                    "mtls": {"mode": "STRICT"}, "portLevelMtls": {"8435": {"mode": "PERMISSIVE"}}}}),
            agent("one"),
            agent("other"),
        ];
        let config = Config::default();
        let inventory = crate::model::read(objects.iter().enumerate(), &config);
        let settings = Settings::of(&inventory, &config);
        let patched = as_patched(&inventory, &settings, &config, &BTreeSet::new());
        let scrapers = [None, Some(patched.scraper(0)), Some(patched.scraper(1))];
        let scrape = &patched.inventory.scrapes[0];
        let mut answers = BTreeSet::new();
        for _ in 0..2 {
            for scraper in scrapers {
                for pods in &patched.inventory.workloads {
                    for (port, via) in [(Some(8429), "a"), (Some(8435), "a"), (Some(8429), "b")] {
                        let target = Target {
                            pods: Pods::Of(Cow::Borrowed(pods)),
                            port,
                            via: via.to_owned(),
                            addressed_by: None,
                        };
                        let anew = demand::judge(
                            &patched.inventory,
                            &patched.mesh(),
                            scraper,
                            scrape,
                            &target,
                        );
                        let known = patched.judge(scraper, scrape, &target);
                        let shown = |judged: &[Judged]| format!("{judged:?}");
                        assert_eq!(shown(&known), shown(&anew));
                        answers.insert(shown(&known));
                    }
                }
            }
        }
        // Nobody and the other agent meet the same; an agent meets itself and its sibling.
        assert_eq!(answers.len(), 2 * 2 * 3);
    }
}
