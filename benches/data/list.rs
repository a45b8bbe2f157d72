//! How does kustomize print the ResourceList that a function reads?
//!
//! Seen from kustomize 5.8.1: items at column 0, keys sorted, annotations of its own behind the object's, no comments, and
//! `functionConfig` behind the items.

use std::fmt::Write as _;
use std::io;

/// Where the annotations of an object go in its text.
pub(crate) const ANNOTATIONS: &str = "  annotations:\n";

/// An object before it is an item.
pub(crate) struct Object {
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    pub(crate) kind: &'static str,
    /// Empty for cluster-scoped kinds.
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// Its text from column 0, with [`ANNOTATIONS`] in `metadata`, below which its own may stand.
    pub(crate) text: String,
}

/// A list on its way out.
pub(crate) struct List<W> {
    out: W,
    pub(crate) bytes: u64,
    pub(crate) items: usize,
}

impl<W: io::Write> List<W> {
    pub(crate) fn begin(mut out: W) -> io::Result<Self> {
        let opening = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n";
        out.write_all(opening.as_bytes())?;
        Ok(Self {
            out,
            bytes: opening.len() as u64,
            items: 0,
        })
    }

    pub(crate) fn add(&mut self, object: &Object) -> io::Result<()> {
        let mut item = String::with_capacity(object.text.len() * 2);
        let (above, below) = object
            .text
            .split_once(ANNOTATIONS)
            .expect("every object has annotations");
        indent(&mut item, above);
        item.replace_range(..2, "- ");
        indent(&mut item, ANNOTATIONS);
        let own = below.lines().take_while(|line| line.starts_with("    "));
        let own: usize = own.map(|line| line.len() + 1).sum();
        // Sorted among the object's own, which all begin with a letter before k.
        indent(&mut item, &below[..own]);
        self.annotate(&mut item, object);
        indent(&mut item, &below[own..]);
        self.items += 1;
        self.bytes += item.len() as u64;
        self.out.write_all(item.as_bytes())
    }

    fn annotate(&self, item: &mut String, object: &Object) {
        let Object {
            group,
            version,
            kind,
            namespace,
            name,
            ..
        } = object;
        let index = self.items;
        let mut line = |text: std::fmt::Arguments<'_>| {
            writeln!(item, "      {text}").expect("text takes text");
        };
        if !namespace.is_empty() {
            line(format_args!(
                "internal.config.kubernetes.io/previousKinds: {kind}"
            ));
            line(format_args!(
                "internal.config.kubernetes.io/previousNames: {name}"
            ));
            line(format_args!(
                "internal.config.kubernetes.io/previousNamespaces: default"
            ));
        }
        line(format_args!("kustomize.config.k8s.io/id: |"));
        if !group.is_empty() {
            line(format_args!("  group: {group}"));
        }
        line(format_args!("  kind: {kind}"));
        line(format_args!("  name: {name}"));
        if !namespace.is_empty() {
            line(format_args!("  namespace: {namespace}"));
        }
        line(format_args!("  version: {version}"));
        line(format_args!("config.kubernetes.io/index: '{index}'"));
        line(format_args!(
            "internal.config.kubernetes.io/index: '{index}'"
        ));
        line(format_args!(
            "internal.config.kubernetes.io/annotations-migration-resource-id: '{index}'"
        ));
        line(format_args!(
            "internal.config.kubernetes.io/id: '{}'",
            index + 1
        ));
        line(format_args!("config.k8s.io/id: '{}'", index + 1));
    }

    /// Ends the list with the configuration of the function.
    pub(crate) fn end(mut self) -> io::Result<(u64, usize)> {
        self.out.write_all(FUNCTION_CONFIG.as_bytes())?;
        self.out.flush()?;
        Ok((self.bytes + FUNCTION_CONFIG.len() as u64, self.items))
    }
}

/// Two columns to the right, as below the `-` of an item; empty lines stay empty.
fn indent(item: &mut String, text: &str) {
    for line in text.split_inclusive('\n') {
        if line != "\n" {
            item.push_str("  ");
        }
        item.push_str(line);
    }
}

const FUNCTION_CONFIG: &str = "\
functionConfig:
  apiVersion: istio-scrape.dev/v1alpha1
  kind: ScrapeTLS
  metadata:
    annotations:
      config.kubernetes.io/function: |
        exec:
          path: istio-scrape
      config.kubernetes.io/local-config: 'true'
    name: istio-scrape
";
