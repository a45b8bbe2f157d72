//! Is an object the same as another, word for word, in another place of the input?
//!
//! Authority: none; hooks of Helm and overlapping builds bring an object several times.
//! Departs from nothing.
//! Knows: objects. Does not know: what follows from it.

use super::{Object, Scrape, Scraper, Workload};

impl Object {
    /// Whether it is the other one, in another place.
    pub fn is_copy_of(&self, other: &Self) -> bool {
        let Self {
            kind,
            namespace,
            name,
            api_version,
            item: _,
            namespace_assumed,
            ignored,
            local,
            context,
            accepted,
        } = self;
        (name, namespace, kind, api_version)
            == (
                &other.name,
                &other.namespace,
                &other.kind,
                &other.api_version,
            )
            && (namespace_assumed, ignored, local, context)
                == (
                    &other.namespace_assumed,
                    &other.ignored,
                    &other.local,
                    &other.context,
                )
            && *accepted == other.accepted
    }
}

impl Workload {
    /// Whether it has the same pods as a copy of its object.
    pub fn is_copy_of(&self, other: &Self) -> bool {
        let Self {
            object,
            labels,
            annotations,
            service_account,
            host_network,
            containers,
            known,
            part,
        } = self;
        object.is_copy_of(&other.object)
            && (labels, annotations) == (&other.labels, &other.annotations)
            && *service_account == other.service_account
            && *containers == other.containers
            && (host_network, known, part) == (&other.host_network, &other.known, &other.part)
    }
}

impl Scraper {
    /// Whether a copy of its object makes the same scraper.
    pub fn is_copy_of(&self, other: &Self) -> bool {
        let Self {
            object,
            kind,
            pods,
            several_pods,
            is_on_each_node,
            selection,
            ignores_namespace_selectors,
            denies_files,
            spec,
        } = self;
        object.is_copy_of(&other.object)
            && pods.is_copy_of(&other.pods)
            && (kind, several_pods, is_on_each_node)
                == (&other.kind, &other.several_pods, &other.is_on_each_node)
            && (ignores_namespace_selectors, denies_files)
                == (&other.ignores_namespace_selectors, &other.denies_files)
            && *selection == other.selection
            && *spec == other.spec
    }
}

impl Scrape {
    /// Whether a copy of its object makes the same scrape object.
    pub fn is_copy_of(&self, other: &Self) -> bool {
        let Self {
            object,
            labels,
            kind,
            selector,
            namespaces,
            scrape_class,
            endpoints,
            is_self_scrape,
            ignores_prometheus,
            prober_relabelings,
        } = self;
        object.is_copy_of(&other.object)
            && (labels, kind, selector) == (&other.labels, &other.kind, &other.selector)
            && (namespaces, scrape_class) == (&other.namespaces, &other.scrape_class)
            && (is_self_scrape, ignores_prometheus)
                == (&other.is_self_scrape, &other.ignores_prometheus)
            && *endpoints == other.endpoints
            && *prober_relabelings == other.prober_relabelings
    }
}
