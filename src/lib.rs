//! Gives scrape endpoints under Istio STRICT mTLS the certificates they need, and only those.

pub mod config;
pub mod krm;
pub mod model;
pub mod policy;
pub mod targets;
pub mod yaml;

mod run;

pub use run::{Error, Flags, Format, Outcome, diff, explain, run};
