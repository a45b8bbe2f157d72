//! All cases and the corpus, and how to look at many of them at once.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// As many as CI has cores.
const THREADS: usize = 4;

/// An input as it lies in its directory.
pub(crate) struct Written {
    /// The directory.
    pub(crate) name: String,
    /// `input.yaml`
    pub(crate) text: String,
    /// `config.yaml`
    pub(crate) config: Option<String>,
}

/// Cases and corpus; `what` is what does not run where the corpus is not there.
pub(crate) fn written(what: &str) -> Vec<Written> {
    let corpus = super::data("corpus", what);
    let mut directories = super::directories("testdata");
    for entry in corpus
        .iter()
        .flat_map(|corpus| corpus.read_dir().expect("a folder can be listed"))
    {
        directories.push(entry.expect("a folder can be listed").path());
    }
    directories.sort();
    let of = |directory: &std::path::PathBuf| Written::read(directory);
    directories.iter().filter_map(of).collect()
}

impl Written {
    /// What lies in a directory, if it has an input.
    pub(crate) fn read(directory: &Path) -> Option<Self> {
        let text = |name: &str| std::fs::read_to_string(directory.join(name)).ok();
        Some(Self {
            name: directory.display().to_string(),
            text: text("input.yaml")?,
            config: text("config.yaml"),
        })
    }
}

/// The answers for all items, in their order, worked out by several threads.
pub(crate) fn at_once<T: Sync, A: Send>(items: &[T], answer: impl Fn(&T) -> A + Sync) -> Vec<A> {
    let (next, answers) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let position = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(position) else {
                        break;
                    };
                    let found = answer(item);
                    let mut answers = answers.lock().expect("a map grows");
                    answers.insert(position, found);
                }
            });
        }
    });
    let answers = answers.into_inner().expect("all threads have ended");
    answers.into_values().collect()
}
