//! When does an operator add a container or a port to a program's pods?
//!
//! Authority: VictoriaMetrics operator `factory/{vmagent,vmsingle,vmauth}`; Prometheus operator `CreateConfigReloader`, pkg/operator/config_reloader.go.
//! Departs from them: a list of remote writes with settings that are not understood counts as one without.
//! Knows: settings of a program. Does not know: which program has them.

use super::super::field::{Field, Read};

/// Whatever the settings say.
#[expect(
    clippy::unnecessary_wraps,
    reason = "a row of the table has it in the place of a condition that reads"
)]
pub(super) fn always(_: &Field<'_>) -> Read<bool> {
    Ok(true)
}

/// Under no settings.
#[expect(
    clippy::unnecessary_wraps,
    reason = "a row of the table has it in the place of a condition that reads"
)]
pub(super) fn never(_: &Field<'_>) -> Read<bool> {
    Ok(false)
}

/// A VMAgent has a reloader where it scrapes, rewrites or aggregates; it scrapes unless told otherwise.
pub(super) fn reloads(settings: &Field<'_>) -> Read<bool> {
    Ok(!settings.key("ingestOnlyMode")?.boolean()? || rewrites(settings)?)
}

/// The same for a VMSingle, which does not scrape unless told to.
pub(super) fn scrapes_or_rewrites(settings: &Field<'_>) -> Read<bool> {
    let mode = settings.key("ingestOnlyMode")?;
    Ok((mode.is_there() && !mode.boolean()?) || rewrites(settings)?)
}

/// `HasAnyRelabellingConfigs` and `HasAnyStreamAggrRule`.
fn rewrites(settings: &Field<'_>) -> Read<bool> {
    const GLOBAL: [&str; 3] = ["relabelConfig", "inlineRelabelConfig", "streamAggrConfig"];
    const OF_ONE: [&str; 3] = [
        "urlRelabelConfig",
        "inlineUrlRelabelConfig",
        "streamAggrConfig",
    ];
    if has_any(settings, &GLOBAL)? {
        return Ok(true);
    }
    let writes = settings.key("remoteWrite")?;
    for write in writes.list()? {
        if has_any(&write, &OF_ONE)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn has_any(field: &Field<'_>, keys: &[&str]) -> Read<bool> {
    for key in keys {
        if field.key(key)?.is_there() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A VMAuth reloads what the operator writes for it, not what it is given.
pub(super) fn has_own_config(settings: &Field<'_>) -> Read<bool> {
    Ok(!has_any(
        settings,
        &["configSecret", "secretRef", "localPath"],
    )?)
}

/// `statefulMode: true`
pub(super) fn is_stateful(settings: &Field<'_>) -> Read<bool> {
    settings.key("statefulMode")?.boolean()
}

/// There is a `vmBackup`.
pub(super) fn has_backup(settings: &Field<'_>) -> Read<bool> {
    Ok(settings.key("vmBackup")?.is_there())
}

/// Unless `listenLocal: true`, where nobody else reaches it.
pub(super) fn is_not_local(settings: &Field<'_>) -> Read<bool> {
    Ok(!settings.key("listenLocal")?.boolean()?)
}

/// The reloader of the Prometheus operator is as local as the program, unless it sends signals instead of requests.
pub(super) fn reloader_listens(settings: &Field<'_>) -> Read<bool> {
    Ok(is_not_local(settings)? || settings.key("reloadStrategy")?.text()? == Some("ProcessSignal"))
}

/// There is a `thanos`.
pub(super) fn has_thanos(settings: &Field<'_>) -> Read<bool> {
    Ok(settings.key("thanos")?.is_there())
}
