//! What does a function get to read that kustomize calls with many resources?
//!
//! The same seed and size give the same bytes. Names of namespaces whose endpoints need certificates begin with `strict`; that
//! is all that the peers have to know.

mod app;
mod around;
pub(crate) mod dice;
mod list;
mod mesh;

use std::io;

use app::App;
use dice::Dice;
use list::List;

/// With it the data is the same on every machine.
#[allow(dead_code, reason = "tests take others")]
pub(crate) const SEED: u64 = 50_000_000;

/// Of so many applications, one lies in a STRICT namespace: about fifty in 50 MB.
const ONE_STRICT_OF: usize = 40;
/// Applications in a namespace.
const IN_NAMESPACE: usize = 40;
/// Applications for each definition of a kind.
const FOR_A_DEFINITION: usize = 150;
/// Below, applications are as small as can be.
const SMALL: u64 = 40_000;

/// What is to be in the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// A cluster as kustomize has it: of the bytes a third is of kinds that we read.
    Cluster(Until),
    /// Only kinds that we read.
    ReadKinds(Until),
    /// So many scrape objects, over as many Services and workloads, all STRICT.
    Scrapes(usize, Spread),
    /// So many endpoints of one scrape object, over one Service and workload, all STRICT.
    Endpoints(usize),
}

/// How much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// So many bytes, and then up to the end of the application.
    Bytes(u64),
    /// Exactly so many items.
    Items(usize),
}

/// Where scrape objects lie, and where they look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spread {
    /// Beside what they scrape, in namespaces of 100.
    Namespaces,
    /// Beside what they scrape, all in one namespace.
    OneNamespace,
    /// In the namespace of the scraper, looking into all.
    AnyNamespace,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Written {
    pub(crate) bytes: u64,
    pub(crate) items: usize,
    /// Bytes of items whose kind we read.
    pub(crate) read: u64,
    /// Endpoints that need certificates: one of each scrape object, but of [`Content::Endpoints`]. The scraper needs them too,
    /// if there are any.
    pub(crate) strict_scrapes: usize,
}

/// Writes the data.
pub(crate) fn write(content: Content, seed: u64, out: impl io::Write) -> io::Result<Written> {
    let mut data = Data {
        list: List::begin(out)?,
        dice: Dice::of(seed),
        read: 0,
        strict_scrapes: 0,
        content,
    };
    data.object(&mesh::namespace("monitoring"))?;
    data.object(&mesh::agent("monitoring"))?;
    match content {
        Content::Cluster(until) => data.cluster(until, true)?,
        Content::ReadKinds(until) => data.cluster(until, false)?,
        Content::Scrapes(count, spread) => data.scrapes(count, spread)?,
        Content::Endpoints(count) => data.endpoints(count)?,
    }
    let (read, strict_scrapes) = (data.read, data.strict_scrapes);
    let (bytes, items) = data.list.end()?;
    Ok(Written {
        bytes,
        items,
        read,
        strict_scrapes,
    })
}

struct Data<W> {
    list: List<W>,
    dice: Dice,
    read: u64,
    strict_scrapes: usize,
    content: Content,
}

impl<W: io::Write> Data<W> {
    fn is_full(&self) -> bool {
        match self.content {
            Content::Cluster(Until::Items(items)) | Content::ReadKinds(Until::Items(items)) => {
                self.list.items >= items
            }
            Content::Cluster(Until::Bytes(_))
            | Content::ReadKinds(Until::Bytes(_))
            | Content::Scrapes(..)
            | Content::Endpoints(_) => false,
        }
    }

    /// Something of a kind that we do not read.
    fn other(&mut self, object: &list::Object) -> io::Result<()> {
        match self.is_full() {
            true => Ok(()),
            false => self.list.add(object),
        }
    }

    /// Something of a kind that we read.
    fn object(&mut self, object: &list::Object) -> io::Result<()> {
        if self.is_full() {
            return Ok(());
        }
        let before = self.list.bytes;
        self.list.add(object)?;
        self.read += self.list.bytes - before;
        let is_scrape = ["VMServiceScrape", "VMPodScrape", "ServiceMonitor"].contains(&object.kind);
        let is_strict = match self.content {
            Content::Scrapes(..) | Content::Endpoints(_) => true,
            Content::Cluster(_) | Content::ReadKinds(_) => object.namespace.starts_with("strict"),
        };
        self.strict_scrapes += usize::from(is_scrape && is_strict);
        Ok(())
    }

    fn cluster(&mut self, until: Until, with_others: bool) -> io::Result<()> {
        let small = matches!(until, Until::Bytes(bytes) if bytes < SMALL);
        if !small {
            self.object(&mesh::namespace("istio-system"))?;
            self.object(&mesh::policy("istio-system", "PERMISSIVE"))?;
        }
        for number in 0.. {
            let done = match until {
                Until::Bytes(bytes) => self.list.bytes >= bytes,
                Until::Items(_) => self.is_full(),
            };
            if done && number > 0 {
                break;
            }
            let strict = number % ONE_STRICT_OF == 0;
            let (kind, in_namespace) = match strict {
                true => ("strict", number / ONE_STRICT_OF),
                false => ("team", number),
            };
            let namespace = format!("{kind}-{}", in_namespace / IN_NAMESPACE);
            if in_namespace % IN_NAMESPACE == 0 || (number == 1 && !strict) {
                self.object(&mesh::namespace(&namespace))?;
                if strict {
                    self.object(&mesh::policy(&namespace, "STRICT"))?;
                }
            }
            let name = format!("{}-{number}", self.dice.words(1));
            self.app(
                App {
                    namespace,
                    name,
                    small,
                },
                with_others && !small,
            )?;
            if with_others && !small && number % FOR_A_DEFINITION == FOR_A_DEFINITION / 2 {
                let definition = around::definition(number, &mut self.dice);
                self.other(&definition)?;
            }
        }
        Ok(())
    }

    fn app(&mut self, app: App, with_others: bool) -> io::Result<()> {
        let workload = app.workload(&mut self.dice);
        self.object(&workload)?;
        self.object(&app.service())?;
        let kind = match app.small {
            true => "VMServiceScrape",
            false => self.dice.one_of(&[
                "VMServiceScrape",
                "VMServiceScrape",
                "VMPodScrape",
                "ServiceMonitor",
            ]),
        };
        let scrape = app.scrape(kind, None, &mut self.dice);
        self.object(&scrape)?;
        let (namespace, name) = (&app.namespace, &app.name);
        if !app.small && self.dice.below(10) == 0 {
            self.object(&mesh::policy_of_port(namespace, name))?;
        }
        if !with_others {
            return Ok(());
        }
        self.other(&around::account(namespace, name))?;
        let others = [
            around::settings(namespace, name, &mut self.dice),
            around::nginx(namespace, name, &mut self.dice),
            around::secret(namespace, name, &mut self.dice),
            around::scaler(namespace, name, &mut self.dice),
        ];
        for other in &others {
            self.other(other)?;
        }
        if self.dice.below(3) == 0 {
            let dashboard = around::dashboard(namespace, name, &mut self.dice);
            self.other(&dashboard)?;
        }
        Ok(())
    }

    fn scrapes(&mut self, count: usize, spread: Spread) -> io::Result<()> {
        const TOGETHER: usize = 100;
        self.object(&mesh::namespace("istio-system"))?;
        self.object(&mesh::policy("istio-system", "STRICT"))?;
        for number in 0..count {
            let (namespace, is_first) = match spread {
                Spread::OneNamespace => ("strict-0".to_owned(), number == 0),
                Spread::Namespaces | Spread::AnyNamespace => (
                    format!("strict-{}", number / TOGETHER),
                    number % TOGETHER == 0,
                ),
            };
            if is_first {
                self.object(&mesh::namespace(&namespace))?;
            }
            let app = App {
                namespace,
                name: format!("{}-{number}", self.dice.words(1)),
                small: true,
            };
            let workload = app.workload(&mut self.dice);
            self.object(&workload)?;
            self.object(&app.service())?;
            let lies_in = (spread == Spread::AnyNamespace).then_some("monitoring");
            let scrape = app.scrape("VMServiceScrape", lies_in, &mut self.dice);
            self.object(&scrape)?;
        }
        Ok(())
    }

    fn endpoints(&mut self, count: usize) -> io::Result<()> {
        const ONE: &str = "  - interval: 30s\n    path: /metrics\n    port: http\n";
        let app = App {
            namespace: "strict-0".to_owned(),
            name: self.dice.words(1),
            small: true,
        };
        self.object(&mesh::namespace("istio-system"))?;
        self.object(&mesh::policy("istio-system", "STRICT"))?;
        self.object(&mesh::namespace(&app.namespace))?;
        let workload = app.workload(&mut self.dice);
        self.object(&workload)?;
        self.object(&app.service())?;
        let mut scrape = app.scrape("VMServiceScrape", None, &mut self.dice);
        let each = (0..count).map(|number| ONE.replace("/metrics", &format!("/metrics/{number}")));
        scrape.text = scrape.text.replace(ONE, &each.collect::<String>());
        self.object(&scrape)?;
        self.strict_scrapes = count;
        Ok(())
    }
}
