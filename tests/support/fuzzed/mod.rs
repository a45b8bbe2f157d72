//! What must hold of any bytes whatever: the bodies of the fuzz targets.
//!
//! `fuzz/fuzz_targets/` gives them the bytes that a fuzzer thinks up, `tests/fuzzed.rs` those of cases and examples. This
//! folder is compiled into both, so it names nothing but the library and `serde_json`.

#![allow(dead_code, reason = "each of those who include this uses a part")]

pub(crate) mod asking;
pub(crate) mod given;
pub(crate) mod reading;
pub(crate) mod running;
