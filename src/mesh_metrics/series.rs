//! Which metrics of Istio are worth keeping, and where does Istio define them?
//!
//! Authority: the source beside each name; paths are those of Istio's repositories unless another is named.
//! Departs from nothing.
//! Knows: names of metrics. Does not know: rules that keep them.

use crate::config::Component;

/// Metrics that are kept unless everything is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Series {
    /// The name; of a histogram without `_bucket`, `_sum`, `_count`.
    pub name: &'static str,
    /// What comes out of it.
    pub shape: Shape,
    /// Which part of Istio exports it.
    pub of: Component,
    /// From which level on it is kept.
    pub level: Level,
    /// The file that defines it.
    pub source: &'static str,
}

/// What a metric comes out as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One name, for a counter or gauge.
    Plain,
    /// `_bucket`, `_sum`, `_count`.
    Histogram,
}

/// How much is kept where a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// With `minimal` and `standard`; of a histogram, `minimal` keeps the buckets.
    Minimal,
    /// With `standard`.
    Standard,
}

const XDS: &str = "istio/istio pkg/xds/monitoring.go";
const PILOT: &str = "istio/istio pilot/pkg/xds/monitoring.go";
const PUSH: &str = "istio/istio pilot/pkg/model/push_context.go";
/// What older versions have there too.
const PUSH_FORMERLY: &str = "istio/istio pilot/pkg/model/push_status.go";
const CA: &str = "istio/istio security/pkg/server/ca/monitoring.go";
const VALIDATION: &str = "istio/istio pkg/webhooks/validation/server/monitoring.go";
const VALIDATION_SETUP: &str = "istio/istio pkg/webhooks/validation/controller/monitoring.go";
const BUILD: &str = "istio/istio pkg/version/stats.go";
const GO: &str = "prometheus/client_golang prometheus/go_collector.go";
const PROCESS: &str = "prometheus/client_golang prometheus/process_collector.go";
const STATS: &str = "istio/proxy source/extensions/filters/http/istio_stats/istio_stats.cc";
const AGENT: &str = "istio/istio security/pkg/nodeagent/cache/monitoring.go";
const CLUSTERS: &str =
    "envoyproxy/envoy docs/root/configuration/upstream/cluster_manager/cluster_stats.rst";

const fn istiod(name: &'static str, level: Level, source: &'static str) -> Series {
    Series {
        name,
        shape: Shape::Plain,
        of: Component::Istiod,
        level,
        source,
    }
}

const fn proxy(name: &'static str, level: Level, source: &'static str) -> Series {
    Series {
        of: Component::Proxies,
        ..istiod(name, level, source)
    }
}

const fn histogram(series: Series) -> Series {
    Series {
        shape: Shape::Histogram,
        ..series
    }
}

use Level::{Minimal, Standard};

/// Every metric that is kept. Of ztunnel and istio-cni everything is, which is little.
pub const SERIES: &[Series] = &[
    istiod("istio_build", Minimal, BUILD),
    istiod("pilot_services", Standard, PILOT),
    istiod("pilot_virt_services", Standard, PUSH),
    istiod("pilot_xds", Minimal, PILOT),
    istiod("pilot_xds_pushes", Minimal, PILOT),
    istiod("pilot_total_xds_rejects", Minimal, XDS),
    istiod("pilot_total_xds_internal_errors", Minimal, XDS),
    // One series for each proxy that rejects something; `pilot_total_xds_rejects` is theirs in one.
    istiod("pilot_xds_cds_reject", Standard, XDS),
    istiod("pilot_xds_eds_reject", Standard, XDS),
    istiod("pilot_xds_lds_reject", Standard, XDS),
    istiod("pilot_xds_rds_reject", Standard, XDS),
    istiod("pilot_xds_write_timeout", Minimal, XDS),
    // Of older versions; the newest file that was looked at has it no more.
    istiod("pilot_xds_push_context_errors", Standard, PILOT),
    istiod("pilot_conflict_inbound_listener", Standard, PUSH),
    istiod(
        "pilot_conflict_outbound_listener_tcp_over_current_tcp",
        Standard,
        PUSH,
    ),
    istiod(
        "pilot_conflict_outbound_listener_http_over_current_tcp",
        Standard,
        PUSH_FORMERLY,
    ),
    istiod(
        "pilot_conflict_outbound_listener_tcp_over_current_http",
        Standard,
        PUSH_FORMERLY,
    ),
    istiod(
        // Of older versions, in the same file.
        "pilot_conflict_outbound_listener_http_over_https",
        Standard,
        PUSH,
    ),
    histogram(istiod("pilot_proxy_convergence_time", Minimal, PILOT)),
    histogram(istiod("pilot_proxy_queue_time", Standard, PILOT)),
    istiod("citadel_server_csr_count", Standard, CA),
    istiod("citadel_server_success_cert_issuance_count", Standard, CA),
    istiod("citadel_server_csr_sign_err_count", Minimal, CA),
    // As dashboards and guides of others spell it; no version of Istio was found that does.
    istiod("citadel_server_csr_sign_error_count", Standard, CA),
    istiod("citadel_server_root_cert_expiry_timestamp", Minimal, CA),
    istiod("citadel_server_cert_chain_expiry_timestamp", Minimal, CA),
    istiod("galley_validation_passed", Standard, VALIDATION),
    istiod("galley_validation_failed", Standard, VALIDATION),
    istiod("galley_validation_http_error", Standard, VALIDATION),
    istiod(
        "galley_validation_config_updates",
        Standard,
        VALIDATION_SETUP,
    ),
    istiod(
        "galley_validation_config_update_error",
        Standard,
        VALIDATION_SETUP,
    ),
    istiod(
        "galley_validation_config_load_error",
        Standard,
        VALIDATION_SETUP,
    ),
    istiod("go_goroutines", Standard, GO),
    istiod("go_memstats_alloc_bytes", Standard, GO),
    istiod("go_memstats_heap_alloc_bytes", Standard, GO),
    istiod("go_memstats_heap_inuse_bytes", Standard, GO),
    istiod("go_memstats_heap_sys_bytes", Standard, GO),
    istiod("go_memstats_stack_inuse_bytes", Standard, GO),
    istiod("process_cpu_seconds_total", Minimal, PROCESS),
    istiod("process_resident_memory_bytes", Minimal, PROCESS),
    istiod("process_virtual_memory_bytes", Standard, PROCESS),
    proxy("istio_requests_total", Minimal, STATS),
    histogram(proxy("istio_request_duration_milliseconds", Minimal, STATS)),
    histogram(proxy("istio_request_bytes", Standard, STATS)),
    histogram(proxy("istio_response_bytes", Standard, STATS)),
    proxy("istio_tcp_sent_bytes_total", Minimal, STATS),
    proxy("istio_tcp_received_bytes_total", Minimal, STATS),
    proxy("istio_tcp_connections_opened_total", Minimal, STATS),
    proxy("istio_tcp_connections_closed_total", Minimal, STATS),
    proxy("istio_build", Standard, STATS),
    // In merged metrics only: the agent's, not Envoy's.
    proxy("istio_agent_cert_expiry_seconds", Minimal, AGENT),
    // Envoy exports it where `proxyStatsMatcher` says so (istio/istio pkg/bootstrap/config.go).
    proxy("envoy_cluster_upstream_cx_overflow", Minimal, CLUSTERS),
];
