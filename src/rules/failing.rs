//! Which decisions fail a run?
//!
//! Authority: ourselves; exit codes are part of the interface.
//! Departs from nothing: the plain run in `mode: check` and the command `check` have one rule.
//! Knows: verdicts, severities, `mode` and `failOn`. Does not know: what a failed run prints.

use super::{Decision, Verdict};
use crate::config::{Config, FailOn, RunMode, Severity};

/// What fails a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failing {
    checks: bool,
    fail_on: FailOn,
    setting: &'static str,
}

impl Failing {
    /// Of a run with this configuration.
    pub fn of(config: &Config) -> Self {
        Self {
            checks: config.mode == RunMode::Check,
            fail_on: config.fail_on,
            setting: "failOn",
        }
    }

    /// Of a check, whatever `mode` is; `fail_on` stands for the configuration's `failOn`.
    pub fn of_check(config: &Config, fail_on: Option<FailOn>) -> Self {
        Self {
            checks: true,
            fail_on: fail_on.unwrap_or(config.fail_on),
            setting: fail_on.map_or("failOn", |_| "--fail-on"),
        }
    }

    /// Whether changes are only looked for, and not made.
    pub fn checks(&self) -> bool {
        self.checks
    }

    /// From where on findings fail the run, in words: `failOn error`.
    pub fn limit(&self) -> String {
        let level = match self.fail_on {
            FailOn::Warning => "warning",
            FailOn::Error => "error",
            FailOn::Never => "never",
        };
        format!("{} {level}", self.setting)
    }

    /// Whether the decision fails the run.
    pub fn fails(&self, decision: &Decision) -> bool {
        self.is_pending(decision) || self.reaches(decision)
    }

    /// Whether a change should have been made before, and was not. That fails a check whatever `failOn` says.
    pub fn is_pending(&self, decision: &Decision) -> bool {
        self.checks && decision.verdict == Verdict::Patch
    }

    /// Whether the decision is a finding that is severe enough. What is refused is, unless nothing is.
    pub fn reaches(&self, decision: &Decision) -> bool {
        match self.fail_on {
            FailOn::Warning => is_refused(decision) || decision.severity >= Severity::Warning,
            FailOn::Error => is_refused(decision) || decision.severity >= Severity::Error,
            FailOn::Never => false,
        }
    }
}

fn is_refused(decision: &Decision) -> bool {
    decision.verdict == Verdict::Refuse
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Object;
    use crate::rules::Rule;

    fn decision(verdict: Verdict, severity: Severity) -> Decision {
        let object = Object {
            api_version: "v1".to_owned(),
            kind: "Service".to_owned(),
            namespace: "shop".to_owned(),
            namespace_assumed: false,
            name: "web".to_owned(),
            item: 0,
            ignored: false,
            local: false,
            context: false,
            accepted: Vec::new(),
        };
        let at = jsonptr::PointerBuf::new();
        Decision {
            verdict,
            severity,
            ..Decision::finding(&object, at, Rule::StrictNeedsTls, String::new())
        }
    }

    /// Every verdict and severity, under every `failOn`, in a run that patches and in one that checks.
    #[test]
    fn what_fails() {
        use {FailOn as F, Severity as S, Verdict as V};
        // Which of (warning, error, never) fail a run that patches, and one that checks.
        let rows = [
            (
                V::Keep,
                S::Off,
                [false, false, false],
                [false, false, false],
            ),
            (
                V::Keep,
                S::Info,
                [false, false, false],
                [false, false, false],
            ),
            (
                V::Keep,
                S::Warning,
                [true, false, false],
                [true, false, false],
            ),
            (V::Keep, S::Error, [true, true, false], [true, true, false]),
            (V::Patch, S::Off, [false, false, false], [true, true, true]),
            (V::Patch, S::Info, [false, false, false], [true, true, true]),
            (
                V::Patch,
                S::Warning,
                [true, false, false],
                [true, true, true],
            ),
            (V::Patch, S::Error, [true, true, false], [true, true, true]),
            (V::Refuse, S::Off, [true, true, false], [true, true, false]),
            (
                V::Refuse,
                S::Error,
                [true, true, false],
                [true, true, false],
            ),
        ];
        for (verdict, severity, patching, checking) in rows {
            let decision = decision(verdict, severity);
            for (position, fail_on) in [F::Warning, F::Error, F::Never].into_iter().enumerate() {
                let config = |mode| Config {
                    mode,
                    fail_on,
                    ..Config::default()
                };
                let [patch, check] = [config(RunMode::Patch), config(RunMode::Check)];
                let row = format!("{verdict:?} {severity:?} {fail_on:?}");
                assert_eq!(
                    Failing::of(&patch).fails(&decision),
                    patching[position],
                    "{row}"
                );
                assert_eq!(
                    Failing::of(&check).fails(&decision),
                    checking[position],
                    "{row}"
                );
                // The command asks the same, whatever mode is set; the flag wins over the configuration.
                let command = Failing::of_check(&patch, None);
                assert_eq!(command, Failing::of(&check), "{row}");
                let flag = Failing::of_check(&Config::default(), Some(fail_on));
                assert_eq!(flag.fails(&decision), checking[position], "{row}");
            }
        }
    }
}
