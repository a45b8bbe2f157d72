//! What becomes of a patch whose place is written elsewhere?
//!
//! Authority: YAML 1.2.2, 3.2.2.2 and 7.1; merge keys as kustomize and kubectl apply them.
//! Departs from it: nothing. A patch is made where the value is used, or refused in words; never at the anchor.
//! Knows: ways to share a value in a manifest. Does not know: how the editor works.

use istio_scrape::krm::Source;
use istio_scrape::{Flags, Format, explain, run};

const AROUND: &str = "\
apiVersion: v1
kind: Namespace
metadata:
  name: shop
  labels:
    istio-injection: enabled
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata:
  name: default
  namespace: istio-system
spec:
  mtls:
    mode: STRICT
---
apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: shop
  labels: &labels
    app: web
spec:
  selector: *labels
  ports:
  - name: http
    port: 8080
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  selector:
    matchLabels: &labels
      app: web
  template:
    metadata:
      labels: *labels
    spec:
      containers:
      - name: main
        image: web:1
        ports:
        - name: http
          containerPort: 8080
---
";

const SCRAPE: &str = "\
apiVersion: operator.victoriametrics.com/v1beta1
kind: VMServiceScrape
metadata:
  name: web
  namespace: shop
spec:
  selector:
    matchLabels:
      app: web
";

const AGENT: &str = "\
apiVersion: v1
kind: Namespace
metadata:
  name: monitoring
  labels:
    istio-injection: enabled
---
apiVersion: operator.victoriametrics.com/v1beta1
kind: VMAgent
metadata:
  name: main
  namespace: monitoring
spec:
  selectAllByDefault: true
  remoteWrite:
  - url: https://metrics.example.com/api/v1/write
  podMetadata:
    annotations:
      traffic.sidecar.istio.io/includeOutboundIPRanges: \"\"
";

const SHARED: &str = "shared by an anchor, alias or merge key; write the value out there by hand";

/// What goes out for an object with this at its end; `Err` with the messages of a run that refuses.
fn after(object: &str, end: &str) -> Result<String, String> {
    let text = format!("{AROUND}{object}{end}");
    let sources = [Source::named("input.yaml", text.as_str())];
    let outcome = run(&sources, &Flags::default()).expect("the input can be read");
    let Some(output) = outcome.text() else {
        assert_eq!(outcome.exit, 1);
        let told = explain(&sources, &Flags::default(), Format::Table, false);
        let told = told.expect("the input can be read").text;
        // What the run says is found in the explanation too, wherever its lines are broken.
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words(&told).contains(SHARED), "{told}");
        return Err(outcome.messages.join("\n"));
    };
    let patched = output.strip_prefix(AROUND).expect("stays as it is");
    Ok(patched
        .strip_prefix(object)
        .map(str::to_owned)
        .unwrap_or_else(|| patched.to_owned()))
}

/// The run fails, names the place of each patch, and nothing goes out.
fn refused(object: &str, end: &str, places: &[&str]) {
    let messages = after(object, end).expect_err("it is refused");
    for place in places {
        let said = messages
            .lines()
            .any(|line| line.contains(SHARED) && line.contains(place));
        assert!(said, "{place}\n{messages}");
    }
}

#[test]
fn an_endpoint_that_is_an_alias_or_has_an_anchor_is_refused() {
    refused(
        SCRAPE,
        "  endpoints:\n  - &web\n    port: http\n  - *web\n",
        &["/spec/endpoints/0/scheme", "/spec/endpoints/1/scheme"],
    );
}

#[test]
fn endpoints_that_carry_an_anchor_are_refused() {
    refused(
        SCRAPE,
        "  endpoints: &web\n  - port: http\n  again: *web\n",
        &["/spec/endpoints/0/scheme"],
    );
}

#[test]
fn a_merged_scheme_is_written_where_it_is_used() {
    let before = "  plain: &plain {scheme: http, path: /metrics}\n  endpoints:\n  - <<: *plain\n    port: http\n";
    let patch = "    scheme: https
    tlsConfig:
      caFile: /etc/istio-certs/root-cert.pem
      certFile: /etc/istio-certs/cert-chain.pem
      insecureSkipVerify: true
      keyFile: /etc/istio-certs/key.pem
";
    assert_eq!(after(SCRAPE, before), Ok(format!("{before}{patch}")));
}

#[test]
fn a_scheme_that_a_merge_key_below_it_hides_is_refused() {
    refused(
        SCRAPE,
        "  plain: &plain {scheme: http}\n  endpoints:\n  - scheme: http\n    port: http\n    <<: *plain\n",
        &["/spec/endpoints/0/scheme"],
    );
}

#[test]
fn an_alias_as_value_gives_way_to_the_value() {
    let before =
        "  plain: &plain http\n  endpoints:\n  - port: http\n    scheme: *plain # as all of them\n";
    let after = after(SCRAPE, before).expect("it is made");
    let replaced = before.replace("*plain #", "https #");
    assert!(after.starts_with(&replaced), "{after}");
}

#[test]
fn aliases_inside_of_a_string_are_as_aliases_around_it() {
    let jobs = "  inlineScrapeConfig: |
    - &web
      job_name: web
      static_configs:
      - targets: [web.shop.svc:8080]
    - <<: *web
      job_name: again
";
    refused(AGENT, jobs, &["/spec/inlineScrapeConfig"]);
}
