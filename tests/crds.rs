//! Does the API server take what we write?

mod support;

use std::fs;
use std::process::Command;

use istio_scrape::krm::Source;
use istio_scrape::model::{
    Endpoints, Finds, PortFields, SCRAPE_KINDS, SCRAPER_KINDS, ScrapeDescription, ScrapeKind,
    ScraperDescription, Spelling,
};
use istio_scrape::yaml::{self, Rules};
use istio_scrape::{Flags, run};
use serde_json::{Value, json};
use support::crds::{Crds, close, object};

/// What is left out without test data.
const WHAT: &str = "validation against CRDs (tests/crds.rs)";
const VM: &str = "operator.victoriametrics.com/v1beta1";

fn service_scrape(endpoint: Value) -> Value {
    object(
        VM,
        "VMServiceScrape",
        json!({"selector": {"matchLabels": {"app": "demo"}}, "endpoints": [endpoint]}),
    )
}

/// The four keys of the guide, and `more`.
fn tls_config(more: &[(&str, &str)]) -> Value {
    let mut tls = json!({
        "caFile": "/etc/istio-certs/root-cert.pem",
        "certFile": "/etc/istio-certs/cert-chain.pem",
        "insecureSkipVerify": true,
        "keyFile": "/etc/istio-certs/key.pem",
    });
    for (key, value) in more {
        tls[*key] = json!(value);
    }
    tls
}

#[test]
fn what_the_guide_writes_is_taken() {
    let Some(crds) = Crds::load(WHAT) else {
        return;
    };
    let scrape = service_scrape(
        json!({"port": "http", "path": "/metrics", "scheme": "https", "tlsConfig": tls_config(&[])}),
    );
    assert_eq!(crds.complaints(&scrape), Some(vec![]));

    let agent = json!({
        "remoteWrite": [{"url": "http://vmsingle-demo.vm.svc:8429/api/v1/write"}],
        "selectAllByDefault": true,
        "podMetadata": {"annotations": {"proxy.istio.io/config": "proxyMetadata:\n  OUTPUT_CERTS: /etc/istio-certs\n"}},
        "volumes": [{"emptyDir": {"medium": "Memory"}, "name": "istio-certs"}],
        "volumeMounts": [{"mountPath": "/etc/istio-certs/", "name": "istio-certs", "readOnly": true}],
    });
    assert_eq!(crds.complaints(&object(VM, "VMAgent", agent)), Some(vec![]));

    let policy = json!({"selector": {"matchLabels": {"app": "demo"}}, "portLevelMtls": {"9113": {"mode": "PERMISSIVE"}}});
    assert_eq!(
        crds.complaints(&object(
            "security.istio.io/v1",
            "PeerAuthentication",
            policy
        )),
        Some(vec![])
    );
}

#[test]
fn what_would_be_refused_or_dropped_is_named() {
    let Some(crds) = Crds::load(WHAT) else {
        return;
    };
    for (says, endpoint) in [
        (
            "extra",
            json!({"port": "http", "tlsConfig": tls_config(&[("extra", "x")])}),
        ),
        ("relabelings", json!({"port": "http", "relabelings": []})),
        ("HTTPSS", json!({"port": "http", "scheme": "HTTPSS"})),
        (
            "insecureSkipVerify",
            json!({"port": "http", "tlsConfig": tls_config(&[("insecureSkipVerify", "yes")])}),
        ),
    ] {
        let complaints = crds
            .complaints(&service_scrape(endpoint))
            .expect("there is a CRD");
        assert!(!complaints.is_empty(), "{says} is taken");
        assert!(
            complaints.iter().any(|c| c.contains(says)),
            "{says}: {complaints:?}"
        );
    }
    let mount = json!({"remoteWrite": [{"url": "http://x"}], "volumeMounts": [{"path": "/etc/istio-certs", "name": "istio-certs"}]});
    let complaints = crds
        .complaints(&object(VM, "VMAgent", mount))
        .expect("there is a CRD");
    assert!(
        complaints
            .iter()
            .any(|c| c.contains("/spec/volumeMounts/0")),
        "{complaints:?}"
    );
}

#[test]
fn numbers_and_texts_are_both_ports() {
    let Some(crds) = Crds::load(WHAT) else {
        return;
    };
    for (target_port, taken) in [
        (json!("http"), true),
        (json!(8080), true),
        (json!(true), false),
    ] {
        let complaints = crds
            .complaints(&service_scrape(json!({"targetPort": target_port})))
            .expect("there is a CRD");
        assert_eq!(complaints.is_empty(), taken, "{complaints:?}");
    }
}

#[test]
fn kinds_without_crd_are_nobodys_business() {
    let Some(crds) = Crds::load(WHAT) else {
        return;
    };
    assert_eq!(
        crds.complaints(
            &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}})
        ),
        None
    );
    assert_eq!(
        crds.complaints(&object("apps/v1", "Deployment", json!({}))),
        None
    );
}

#[test]
fn closing_keeps_what_kubernetes_keeps() {
    let mut schema = json!({
        "type": "object",
        "properties": {
            "closed": {"type": "object", "properties": {"a": {"type": "string"}}},
            "kept": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"b": {"properties": {}}}},
            "map": {"type": "object", "additionalProperties": {"type": "object"}},
            "either": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]},
            "nothing": {"type": "string", "nullable": true},
            "list": {"type": "array", "items": {"type": "object", "oneOf": [{"properties": {"c": {}}}]}},
        }
    });
    close(&mut schema);
    let properties = &schema["properties"];
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(properties["closed"]["additionalProperties"], false);
    assert_eq!(properties["kept"].get("additionalProperties"), None);
    assert_eq!(
        properties["kept"]["properties"]["b"]["additionalProperties"],
        false
    );
    assert_eq!(
        properties["map"]["additionalProperties"],
        json!({"type": "object", "additionalProperties": false})
    );
    assert_eq!(properties["either"]["type"], json!(["integer", "string"]));
    assert_eq!(properties["nothing"]["type"], json!(["string", "null"]));
    assert_eq!(properties["list"]["items"]["additionalProperties"], false);
    assert_eq!(
        properties["list"]["items"]["oneOf"],
        json!([{"properties": {"c": {}}}])
    );
}

/// Every object of a stream.
fn objects(text: &str) -> Vec<Value> {
    let documents = yaml::read(text).expect("the stream is YAML");
    documents
        .iter()
        .filter_map(|d| d.root.as_ref())
        .map(|root| root.value(Rules::Kubectl).expect("values"))
        .collect()
}

/// What the API server says about the objects of a stream, and for how many it was asked.
fn complaints(crds: &Crds, name: &str, text: &str) -> (usize, Vec<String>) {
    let mut asked = 0;
    let mut found = Vec::new();
    for object in objects(text) {
        if let Some(complaints) = crds.complaints(&object) {
            asked += 1;
            let who = format!("{name}: {} {}", object["kind"], object["metadata"]["name"]);
            found.extend(complaints.into_iter().map(|c| format!("{who}: {c}")));
        }
    }
    (asked, found)
}

#[test]
fn real_manifests_are_taken_as_they_should_become() {
    let Some(crds) = Crds::load(WHAT) else {
        return;
    };
    let Some(corpus) = support::data("corpus", WHAT) else {
        return;
    };
    let mut asked = 0;
    let mut found = Vec::new();
    for case in fs::read_dir(corpus).expect("the corpus can be listed") {
        let path = case
            .expect("the corpus can be listed")
            .path()
            .join("expected.yaml");
        if let Ok(text) = fs::read_to_string(&path) {
            let (count, complaints) = complaints(&crds, &path.display().to_string(), &text);
            asked += count;
            found.extend(complaints);
        }
    }
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
    assert!(asked >= 20, "only {asked} objects have a CRD");
}

#[test]
fn the_example_is_taken_as_the_program_writes_it() {
    let Some(crds) = Crds::load(WHAT) else {
        return;
    };
    let run = Command::new(env!("CARGO_BIN_EXE_istio-scrape"))
        .arg(support::in_repository("examples/kustomize-exec"))
        .output()
        .expect("the program starts");
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let text = String::from_utf8(run.stdout).expect("output is UTF-8");
    let (asked, found) = complaints(&crds, "examples/kustomize-exec", &text);
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
    assert!(asked >= 6, "only {asked} objects have a CRD");
}

/// `spec` with every field that the row of a kind of scrapers names.
fn spec_of(row: &ScraperDescription) -> Value {
    let rules = json!([{"targetLabel": "team", "replacement": "shop"}]);
    let mut spec = json!({
        "paused": false,
        "arbitraryFSAccessThroughSMs": {"deny": false},
        "ignoreNamespaceSelectors": false,
        "hostNetwork": false,
        "serviceAccountName": "demo",
        "podMetadata": {"annotations": {"a": "b"}, "labels": {"sidecar.istio.io/inject": "true"}},
        "volumes": [{"emptyDir": {"medium": "Memory"}, "name": "istio-certs"}],
        "volumeMounts": [{"mountPath": "/etc/istio-certs/", "name": "istio-certs", "readOnly": true}],
        "containers": [{"name": row.container}],
        "scrapeClasses": [{"name": "demo", row.class_relabelings: rules}],
    });
    let of_nodes = row.daemon_set.iter().flat_map(|mode| mode.selects);
    for kind in row.selects.iter().chain(of_nodes) {
        let (objects, namespaces) = kind.description().selectors;
        spec[objects] = json!({});
        spec[namespaces] = json!({});
        let template = kind.description().template.filter(|_| row.has_templates);
        if let Some(template) = template {
            spec[template] = rules.clone();
        }
    }
    for field in row.counts {
        spec[*field] = json!(1);
    }
    for (field, _) in row.mounted {
        spec[*field] = json!(["demo"]);
    }
    if let Some(field) = row.global_relabelings {
        spec[field] = rules;
    }
    if row.ingest_only.is_some() {
        spec["ingestOnlyMode"] = json!(false);
    }
    if let Some(mode) = &row.daemon_set {
        spec[mode.field] = mode.value.map_or(json!(true), |value| json!(value));
    }
    if row.name == "VMAgent" {
        spec["remoteWrite"] = json!([{"url": "http://x"}]);
    }
    spec
}

/// The table of scrapers says what the CRDs say.
#[test]
fn scrapers_have_the_fields_that_their_rows_name() {
    let Some(crds) = Crds::load(WHAT) else {
        return;
    };
    for row in &SCRAPER_KINDS {
        for version in row.api_versions {
            let scraper = object(version, row.name, spec_of(row));
            let complaints = crds
                .complaints(&scraper)
                .unwrap_or_else(|| panic!("{}: no CRD", row.name));
            // Rules between fields (CEL) are not looked at: no object has all of these together.
            assert!(complaints.is_empty(), "{}: {complaints:#?}", row.name);
        }
        // What a row says is not there is not there.
        for (field, is_there, value) in [
            ("ingestOnlyMode", row.ingest_only.is_some(), json!(false)),
            (
                "globalScrapeRelabelConfigs",
                row.global_relabelings.is_some(),
                json!([]),
            ),
            ("serviceScrapeRelabelTemplate", row.has_templates, json!([])),
            (
                "serviceMonitorSelector",
                row.kind.is_prometheus(),
                json!({}),
            ),
            ("selectAllByDefault", !row.kind.is_prometheus(), json!(true)),
            ("shardCount", row.counts.contains(&"shardCount"), json!(1)),
            ("replicas", row.counts.contains(&"replicas"), json!(1)),
        ] {
            let mut spec = spec_of(row);
            spec[field] = value;
            let scraper = object(row.api_versions[0], row.name, spec);
            let complaints = crds
                .complaints(&scraper)
                .unwrap_or_else(|| panic!("{}: no CRD", row.name));
            assert_eq!(complaints.is_empty(), is_there, "{} {field}", row.name);
        }
    }
}

/// Every kind of scrapers, as patched: what is written into it is taken.
#[test]
fn patched_scrapers_are_taken() {
    let Some(crds) = Crds::load(WHAT) else {
        return;
    };
    let guide = support::read("testdata/strict-needs-tls--guide/input.yaml");
    let head = "  namespace: vm\nspec:\n";
    for row in &SCRAPER_KINDS {
        let (scrape, selectors) = match row.kind.is_prometheus() {
            true => (
                ScrapeKind::ServiceMonitor,
                "serviceMonitorSelector: {}\n  serviceMonitorNamespaceSelector: {}",
            ),
            false => (
                ScrapeKind::VMServiceScrape,
                "selectAllByDefault: true\n  ingestOnlyMode: false",
            ),
        };
        let needed = match row.name {
            "VMAgent" => "  remoteWrite:\n  - url: http://x\n",
            _ => "",
        };
        let scrape = scrape.description();
        let (api_version, kind) = (row.api_versions[0], row.name);
        let text = guide
            .split("---\n")
            .filter(|document| !document.contains("kind: VMAgent"))
            .collect::<Vec<_>>()
            .join("---\n")
            .replace(
                "apiVersion: operator.victoriametrics.com/v1beta1\nkind: VMServiceScrape\n",
                &format!(
                    "apiVersion: {}\nkind: {}\n",
                    scrape.api_versions[0], scrape.name
                ),
            );
        let text = format!(
            "{text}---\napiVersion: {api_version}\nkind: {kind}\nmetadata:\n  name: patched\n{head}  {selectors}\n{needed}"
        );
        let outcome = run(&[Source::named("-", text)], &Flags::default())
            .expect("it is read")
            .into_owned();
        let output = outcome.text().expect("there are no errors");
        let patched = objects(&output)
            .into_iter()
            .find(|object| object["metadata"]["name"] == "patched")
            .expect("it is there");
        let annotations = &patched["spec"]["podMetadata"]["annotations"];
        let config = annotations["proxy.istio.io/config"]
            .as_str()
            .unwrap_or_default();
        assert!(
            config.contains("OUTPUT_CERTS: /etc/istio-certs"),
            "{output}"
        );
        let waits = config.contains("holdApplicationUntilProxyStarts: true");
        assert_eq!(waits, row.kind.is_prometheus(), "{config}");
        assert_eq!(crds.complaints(&patched), Some(vec![]), "{kind}");
        let (_, found) = complaints(&crds, kind, &output);
        assert!(found.is_empty(), "\n{}\n", found.join("\n"));
    }
}

/// Scrape classes, who names them, and what stands beside them: every kind as the cases leave it.
#[test]
fn what_comes_by_scrape_classes_is_taken() {
    let Some(crds) = Crds::load(WHAT) else {
        return;
    };
    let mut with_class = 0;
    for directory in support::directories("testdata") {
        let case = directory.file_name().expect("a directory has a name");
        let case = case.to_string_lossy();
        if !["files-", "scrape-class", "http2"]
            .iter()
            .any(|part| case.contains(part))
        {
            continue;
        }
        let text = |file: &str| fs::read_to_string(directory.join(file));
        let flags = Flags {
            config: text("config.yaml")
                .ok()
                .map(|text| Source::named("config.yaml", text)),
            ..Flags::default()
        };
        let input = text("input.yaml").expect("a case has an input");
        // What a case leaves out for shortness is not what we write.
        let (_, before) = complaints(&crds, &case, &input);
        let outcome = run(&[Source::named("-", input)], &flags)
            .expect("it is read")
            .into_owned();
        let Some(output) = outcome.text() else {
            continue;
        };
        let written = |object: &Value| {
            let spec = &object["spec"];
            !spec["scrapeClass"].is_null() || !spec["scrapeClasses"].is_null()
        };
        with_class += objects(&output)
            .iter()
            .filter(|object| written(object))
            .count();
        let (_, mut found) = complaints(&crds, &case, &output);
        found.retain(|complaint| !before.contains(complaint));
        assert!(found.is_empty(), "\n{}\n", found.join("\n"));
    }
    assert!(
        with_class >= 40,
        "only {with_class} objects have to do with classes"
    );
}

/// Every place that a row of the table of kinds names, from the root of an object.
fn places(row: &ScrapeDescription) -> Vec<Vec<&str>> {
    let endpoint: Vec<&str> = match row.endpoints {
        Endpoints::List(list) => vec!["spec", list],
        Endpoints::Spec => vec!["spec"],
        Endpoints::Itself => Vec::new(),
    };
    let below = |place: &[&'static str]| [endpoint.as_slice(), place].concat();
    let mut places: Vec<Vec<&str>> = row.scheme.iter().map(|place| below(place)).collect();
    places.push(below(row.path));
    places.push(below(&[row.tls]));
    places.push(below(&[row.tls, "insecureSkipVerify"]));
    places.push(below(row.proxy));
    places.extend(row.relabelings.map(|key| below(&[key, "sourceLabels"])));
    places.extend(row.http2.map(|key| below(&[key])));
    match row.finds {
        Finds::Services | Finds::Pods => {
            places.push(vec!["spec", "selector", "matchLabels"]);
            places.push(vec!["spec", "namespaceSelector", "matchNames"]);
        }
        Finds::Nodes => places.push(vec!["spec", "selector", "matchLabels"]),
        Finds::Addresses(list) => places.push(below(&[list])),
        Finds::Prober(place) => places.push(below(place)),
        Finds::Discovery => {
            places.push(below(&["staticConfigs", "targets"]));
            places.push(below(&["dnsSDConfigs", "names"]));
            places.push(below(&[
                "kubernetesSDConfigs",
                "namespaces",
                "ownNamespace",
            ]));
            places.push(below(&["kubernetesSDConfigs", "selectors", "label"]));
            places.push(below(&["kubernetesSDConfigs", "apiServer"]));
        }
    }
    match row.ports {
        PortFields::OfService => places.extend([below(&["port"]), below(&["targetPort"])]),
        PortFields::OfPod => {
            places.extend([
                below(&["port"]),
                below(&["portNumber"]),
                below(&["targetPort"]),
            ]);
        }
        PortFields::None => {}
    }
    places
}

#[test]
fn every_place_of_the_table_of_kinds_is_in_the_crds() {
    let Some(crds) = Crds::load(WHAT) else {
        return;
    };
    let mut wrong = Vec::new();
    for row in SCRAPE_KINDS
        .iter()
        .filter(|row| row.spelling == Spelling::Camel)
    {
        for version in row.api_versions {
            let has = |place: &[&str]| crds.field(version, row.name, place).is_some();
            for place in places(row) {
                if !has(&place) {
                    wrong.push(format!("{}: no {}", row.name, place.join("/")));
                }
            }
            let tls = places(row)
                .into_iter()
                .find(|place| place.last() == Some(&row.tls))
                .expect("a row has a place for TLS settings");
            let takes_files = ["caFile", "certFile", "keyFile"]
                .iter()
                .all(|file| has(&[tls.as_slice(), &[file]].concat()));
            if takes_files != row.takes_files {
                wrong.push(format!(
                    "{}: takes_files is {takes_files} in the CRD",
                    row.name
                ));
            }
            if row.relabelings.is_none()
                && has(&[&tls[..tls.len() - 1], &["relabelConfigs"]].concat())
            {
                wrong.push(format!("{}: it has relabelling rules", row.name));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn scrapers_have_the_fields_that_the_table_of_kinds_names() {
    let Some(crds) = Crds::load(WHAT) else {
        return;
    };
    let mut wrong = Vec::new();
    for row in SCRAPE_KINDS.iter().filter(|row| !row.name.is_empty()) {
        let (scraper, version) = match row.converted_into {
            None => ("VMAgent", VM),
            Some(_) => ("Prometheus", "monitoring.coreos.com/v1"),
        };
        let (objects, namespaces) = row.selectors;
        let template = row.template.into_iter();
        for field in [objects, namespaces].into_iter().chain(template) {
            if crds.field(version, scraper, &["spec", field]).is_none() {
                wrong.push(format!("{}: {scraper} has no {field}", row.name));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// Cases are manifests of every kind, in every state, odd ones too: what a patch adds to them is taken.
#[test]
fn what_the_cases_become_is_taken_as_well_as_they_were() {
    let Some(crds) = Crds::load(WHAT) else {
        return;
    };
    let mut asked = 0;
    let mut wrong = Vec::new();
    for directory in support::directories("testdata") {
        let read = |file: &str| fs::read_to_string(directory.join(file)).ok();
        let Some(input) = read("input.yaml") else {
            continue;
        };
        let flags = Flags {
            config: read("config.yaml").map(|text| Source::named("config.yaml", text)),
            ..Flags::default()
        };
        let sources = [Source::named("input.yaml", input.clone())];
        let Ok(outcome) = run(&sources, &flags) else {
            continue;
        };
        let (before, after) = (
            objects(&input),
            objects(&outcome.text().unwrap_or_default()),
        );
        if before.len() != after.len() {
            continue;
        }
        let changed = before
            .iter()
            .zip(&after)
            .filter(|(before, after)| before != after);
        for (before, after) in changed {
            let Some(complaints) = crds.complaints(after) else {
                continue;
            };
            asked += 1;
            let were = crds.complaints(before).unwrap_or_default();
            let new = complaints
                .into_iter()
                .filter(|complaint| !were.contains(complaint));
            wrong.extend(new.map(|new| format!("{}: {new}", directory.display())));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    assert!(asked >= 200, "only {asked} changed objects have a CRD");
}
