//! What is measured, how often, and what is wanted of it?

use crate::measure::Way;
use crate::programs::Who;

/// One table.
#[derive(Debug)]
pub(crate) struct Case {
    /// As the command line names it.
    pub(crate) name: &'static str,
    /// As the page names it.
    pub(crate) title: &'static str,
    /// What `generate` takes: content and size, and the size in a quick run; empty: not in a quick run.
    pub(crate) content: &'static str,
    pub(crate) size: &'static str,
    pub(crate) quick_size: &'static str,
    pub(crate) way: Way,
    /// How many runs of each.
    pub(crate) runs: &'static [(Who, usize)],
    /// How many times faster than whom.
    pub(crate) wanted: &'static [(Who, f64)],
}

pub(crate) const CASES: [Case; 6] = [
    Case {
        name: "startup",
        title: "Start: a handful of resources",
        content: "cluster",
        size: "5kB",
        quick_size: "5kB",
        way: Way::File,
        runs: &[
            (Who::True, 300),
            (Who::Cat, 300),
            (Who::Ours, 300),
            (Who::Classic, 300),
            (Who::Go, 300),
        ],
        wanted: &[],
    },
    Case {
        name: "usual",
        title: "2 000 resources",
        content: "cluster",
        size: "2000",
        quick_size: "2000",
        way: Way::File,
        runs: &[
            (Who::Cat, 15),
            (Who::Ours, 15),
            (Who::Classic, 7),
            (Who::Go, 5),
        ],
        wanted: &[],
    },
    Case {
        name: "file",
        title: "50 MB from a file",
        content: "cluster",
        size: "50MB",
        quick_size: "10MB",
        way: Way::File,
        runs: &[
            (Who::Cat, 9),
            (Who::Ours, 9),
            (Who::OursByName, 9),
            (Who::Classic, 3),
            (Who::Go, 3),
        ],
        wanted: &[(Who::Go, 60.0), (Who::Classic, 18.0)],
    },
    Case {
        name: "pipes",
        title: "50 MB through pipes",
        content: "cluster",
        size: "50MB",
        quick_size: "10MB",
        way: Way::Pipes,
        runs: &[
            (Who::Cat, 9),
            (Who::Ours, 9),
            (Who::Classic, 3),
            (Who::Go, 3),
        ],
        wanted: &[(Who::Go, 40.0)],
    },
    Case {
        name: "read-kinds",
        title: "50 MB, all items of kinds that we read",
        content: "read-kinds",
        size: "50MB",
        quick_size: "10MB",
        way: Way::File,
        runs: &[
            (Who::Cat, 9),
            (Who::Ours, 9),
            (Who::Classic, 3),
            (Who::Go, 3),
        ],
        wanted: &[(Who::Go, 10.0)],
    },
    Case {
        name: "huge",
        title: "200 MB from a file",
        content: "cluster",
        size: "200MB",
        quick_size: "",
        way: Way::File,
        runs: &[(Who::Cat, 3), (Who::Ours, 3), (Who::Classic, 1)],
        wanted: &[],
    },
];

/// How cost grows: scrape objects over as many Services and workloads, all of them patched.
pub(crate) const GROWTH: &str = "growth";
pub(crate) const GROWING: [(&str, &str); 4] = [
    ("scrapes", "each beside its Service, 100 in a namespace"),
    ("scrapes-in-one-namespace", "all in one namespace"),
    (
        "scrapes-of-any-namespace",
        "in the scraper's namespace, looking into all others",
    ),
    ("scrape-endpoints", "as many endpoints in one of them"),
];
pub(crate) const FEW: (&str, usize) = ("1000", 9);
pub(crate) const MANY: (&str, usize) = ("10000", 3);
/// Ten times as many may take so many times as long.
pub(crate) const AT_MOST: f64 = 12.0;

/// Where the time goes.
pub(crate) const STAGES: &str = "stages";

/// Peak memory: so many times the input, and so many bytes more; of inputs from so many bytes up.
pub(crate) const MEMORY: (f64, f64, u64) = (1.2, 20e6, 4_000_000);
/// Start-up above `true`, in milliseconds.
pub(crate) const START: f64 = 1.5;
