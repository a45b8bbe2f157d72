//! How often a property is tried at random, and on which draws.
//!
//! A change is tested on the same draws as the one before it, so that what fails is what the change did.
//! `PROPTEST_CASES` and `PROPTEST_RNG_SEED` ask for more of them, and for others.

use proptest::test_runner::{Config, RngSeed};

/// `cases` tries, or as many as the environment asks for.
pub(crate) fn tries(cases: u32) -> Config {
    nth_part_of_tries(1, 0, cases)
}

/// A part of them, with draws of its own: parts run beside each other.
pub(crate) fn nth_part_of_tries(parts: u32, nth: u32, cases: u32) -> Config {
    let from_environment = Config::default();
    let is_asked_for = std::env::var_os("PROPTEST_CASES").is_some();
    let cases = match is_asked_for {
        true => from_environment.cases,
        false => cases,
    };
    Config {
        cases: cases.div_ceil(parts),
        failure_persistence: None,
        rng_seed: match from_environment.rng_seed {
            RngSeed::Fixed(seed) => RngSeed::Fixed(seed.wrapping_add(u64::from(nth))),
            RngSeed::Random => RngSeed::Fixed(u64::from(nth)),
        },
        ..from_environment
    }
}
