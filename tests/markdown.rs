//! `explain -o markdown`: what a reviewer reads, and what nobody can make it do. Whether a browser draws it is asked by
//! tests/browser.

#![allow(unreachable_pub, missing_docs)]

#[allow(dead_code, reason = "folders are for other tests")]
#[path = "support/program.rs"]
mod program;

use std::path::Path;

use insta::assert_snapshot;
use program::{Ended, program, run, run_in};
use serde_json::{Value, json};

/// The comment about an example, by its files.
fn of_example(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(name);
    printed(&run_in(&folder, &["explain", "-o", "markdown", "."]))
}

/// The comment about these objects.
fn of(objects: &[Value]) -> String {
    let texts: Vec<String> = objects.iter().map(Value::to_string).collect();
    printed(&run(&["explain", "-o", "markdown"], &texts.join("\n---\n")))
}

fn printed(ended: &Ended) -> String {
    assert_eq!(ended.code, 0, "{ended}");
    ended.stdout.clone()
}

#[test]
fn the_guide_as_a_comment() {
    assert_snapshot!(of_example("kustomize-exec"), @r#"
    ### istio-scrape: 2 changes

    2 endpoints, after the change: mutual TLS (1), plain text (1). No warnings, no errors.

    **Changes**

    | object | from → to | rule | why |
    |---|---|---|---|
    | VMServiceScrape `default/demo-app-service-scrape` `spec.endpoints[0]` in `demo-app.yaml:56` | plain text → **mutual TLS** | [strict-needs-tls] | PeerAuthentication `istio-system/default`: STRICT |
    | VMAgent `vm/demo` in `monitoring.yaml:15` | gets **certificates** | [scraper-needs-certificates] | endpoints that it selects use its sidecar's certificates: istio-proxy writes them, it reads them in `/etc/istio-certs` |

    **Who scrapes what, after the change** (thick: mutual TLS; dotted: not known; blue: changes; yellow: warnings)

    ```mermaid
    %%{init: {"flowchart": {"wrappingWidth": 600, "nodeSpacing": 24, "rankSpacing": 32}}}%%
    flowchart LR
      n0["VMServiceScrape<br/>default/demo-app-service-scrape<br/>endpoints#91;0#93;"]
      n1["Deployment<br/>default/demo-app<br/>port 8080"]
      n2["VMAgent<br/>vm/demo"]
      n3["1 endpoint stays as it is"]
      n0 ==>|"STRICT"| n1
      n2 ==>|"mutual TLS"| n0
      n2 --> n3
      classDef changed fill:#0969da,stroke:#54aeff,stroke-width:2px,color:#ffffff
      class n0,n2 changed
      classDef folded fill:#6e7781,stroke:#8c959f,color:#ffffff
      class n3 folded
    ```

    <details>
    <summary>1 endpoint stays as it is</summary>

    | object | speaks | rule |
    |---|---|---|
    | VMServiceScrape `default/demo-app-service-scrape` `spec.endpoints[1]` in `demo-app.yaml:58` | plain text | [already-right] |

    </details>

    [already-right]: https://github.com/istio-scrape/istio-scrape#rules
    [scraper-needs-certificates]: https://github.com/istio-scrape/istio-scrape#rules
    [strict-needs-tls]: https://github.com/istio-scrape/istio-scrape#rules
    "#);
}

#[test]
fn strict_monitoring_as_a_comment() {
    assert_snapshot!(of_example("strict"), @r#"
    ### istio-scrape: 6 changes

    5 endpoints, after the change: mutual TLS (4), mutual TLS or plain text by target (1). No warnings, no errors.

    **Changes**

    | object | from → to | rule | why |
    |---|---|---|---|
    | VMServiceScrape `default/demo-app-service-scrape` `spec.endpoints[0]` in `demo-app.yaml:49` | plain text → **mutual TLS** | [strict-needs-tls] | PeerAuthentication `istio-system/default`: STRICT |
    | VMSingle `vm/demo` `spec.serviceScrapeSpec.endpoints[0]` in `monitoring.yaml:1` | plain text → **mutual TLS** | [strict-needs-tls] | PeerAuthentication `istio-system/default`: STRICT |
    | VMAlert `vm/demo` `spec.serviceScrapeSpec.endpoints[0]` in `monitoring.yaml:11` | plain text → **mutual TLS** | [strict-needs-tls] | PeerAuthentication `istio-system/default`: STRICT |
    | VMAlertmanager `vm/demo` `spec.serviceScrapeSpec.endpoints[0]` in `monitoring.yaml:22` | plain text → **mutual TLS** | [strict-needs-tls] | PeerAuthentication `istio-system/default`: STRICT |
    | VMAgent `vm/demo` in `monitoring.yaml:36` | gets **certificates** | [scraper-needs-certificates] | endpoints that it selects use its sidecar's certificates: istio-proxy writes them, it reads them in `/etc/istio-certs` |
    | VMAgent `vm/demo` `spec.serviceScrapeSpec.endpoints[0]` in `monitoring.yaml:30` | plain text → **mutual TLS or plain text by target** | [mixed-targets] | a scraper finds its own pod, which gets only plain text from itself, among targets that accept only mutual TLS (PeerAuthentication `istio-system/default`: STRICT): https, with the certificates in `/etc/istio-certs`, and http for the pod whose address is in `POD_IP` |

    **Who scrapes what, after the change** (thick: mutual TLS; dotted: not known; blue: changes; yellow: warnings)

    ```mermaid
    %%{init: {"flowchart": {"wrappingWidth": 600, "nodeSpacing": 24, "rankSpacing": 32}}}%%
    flowchart LR
      n0["VMServiceScrape<br/>default/demo-app-service-scrape<br/>endpoints#91;0#93;"]
      n1["Deployment<br/>default/demo-app<br/>port 8080"]
      n2["VMSingle<br/>vm/demo<br/>serviceScrapeSpec#46;endpoints#91;0#93;"]
      n3["VMSingle<br/>vm/demo<br/>port 8428"]
      n4["VMAlert<br/>vm/demo<br/>serviceScrapeSpec#46;endpoints#91;0#93;"]
      n5["VMAlert<br/>vm/demo<br/>port 8080"]
      n6["VMAlertmanager<br/>vm/demo<br/>serviceScrapeSpec#46;endpoints#91;0#93;"]
      n7["VMAlertmanager<br/>vm/demo<br/>port 9093"]
      n8["VMAgent<br/>vm/demo<br/>serviceScrapeSpec#46;endpoints#91;0#93;"]
      n9["VMAgent<br/>vm/demo<br/>port 8429"]
      n10["VMAgent<br/>vm/demo"]
      n0 ==>|"STRICT"| n1
      n2 ==>|"STRICT"| n3
      n4 ==>|"STRICT"| n5
      n6 ==>|"STRICT"| n7
      n8 ==>|"STRICT, plain here<br/>STRICT"| n9
      n10 ==>|"mutual TLS"| n0
      n10 ==>|"mutual TLS"| n2
      n10 ==>|"mutual TLS"| n4
      n10 ==>|"mutual TLS"| n6
      n10 ==>|"by target"| n8
      classDef changed fill:#0969da,stroke:#54aeff,stroke-width:2px,color:#ffffff
      class n0,n2,n4,n6,n8,n10 changed
    ```

    [mixed-targets]: https://github.com/istio-scrape/istio-scrape#rules
    [scraper-needs-certificates]: https://github.com/istio-scrape/istio-scrape#rules
    [strict-needs-tls]: https://github.com/istio-scrape/istio-scrape#rules
    "#);
}

#[test]
fn an_input_without_endpoints_says_so() {
    let text =
        of(&[json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})]);
    assert_snapshot!(text, @r#"
    ### istio-scrape: nothing to change

    No scrape endpoint in the input. No warnings, no errors.
    "#);
}

#[test]
fn the_same_input_gives_the_same_comment() {
    assert_eq!(of_example("strict"), of_example("strict"));
}

/// A mesh that is STRICT, a VMAgent, an endpoint with its Service and Deployment; `name` is what they are called.
fn mesh(name: &str) -> Vec<Value> {
    let labelled = |of: &str| json!({"name": of, "labels": {"istio-injection": "enabled"}});
    vec![
        json!({"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
            "metadata": {"name": name, "namespace": "istio-system"}, "spec": {"mtls": {"mode": "STRICT"}}}),
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": labelled("shop")}),
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": labelled("vm")}),
        json!({"apiVersion": "operator.victoriametrics.com/v1beta1", "kind": "VMAgent",
            "metadata": {"name": name, "namespace": "vm"}, "spec": {"selectAllByDefault": true, "disableSelfServiceScrape": true}}),
        json!({"apiVersion": "operator.victoriametrics.com/v1beta1", "kind": "VMServiceScrape",
            "metadata": {"name": name, "namespace": "shop"},
            "spec": {"selector": {"matchLabels": {"app": "web"}}, "endpoints": [{"port": "http"}]}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "shop", "labels": {"app": "web"}},
            "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "shop"},
            "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "web", "ports": [{"containerPort": 8080}]}]}}}}),
    ]
}

/// What is left of a comment without code, links to rules and the tags of ours.
fn without_code(text: &str) -> String {
    let (before, rest) = text.split_once("```mermaid\n").unwrap_or((text, ""));
    let after = rest.split_once("```\n").map_or("", |(_, after)| after);
    let mut left: String = [before, after].concat().split('`').step_by(2).collect();
    for ours in [
        "<br>",
        "<details>",
        "</details>",
        "<summary>",
        "</summary>",
        "### ",
        "**",
    ] {
        left = left.replace(ours, "");
    }
    left.lines().filter(|line| !line.starts_with('[')).collect()
}

/// Whatever Markdown, HTML, Mermaid or a forge makes something of, in every place that has a name.
#[test]
fn names_do_nothing() {
    for name in [
        "\"]; click n0 \"javascript:alert(1)\"",
        "a|b",
        "a\\|b",
        "`",
        "``` x",
        "<img src=x>",
        "</details>",
        "<!--",
        "@team",
        "#12",
        "GH-12",
        "me@there.example",
        "https://evil.example",
        "www.evil.example",
        "end",
        "%%{init: {}}%%",
        "a\nb\r\n```\n\n# c",
        "$$x$$",
        ":tada:",
        "[a](b)",
        "**b** _i_ ~~s~~",
        "\u{202e}x",
        "&lt;",
        "1. x",
        "- x",
        "{{x}}",
        "\\n",
        "fa:fa-car",
        "^1",
        "~x",
        "!1",
    ] {
        let text = of(&mesh(name));
        assert!(
            text.starts_with("### istio-scrape: 2 changes\n"),
            "{name}: {text}"
        );
        let left = without_code(&text);
        let acts = |c: char| "@#<>$~*_&\\[{^!".contains(c);
        let found = left
            .replace("[strict-needs-tls]", "")
            .replace("[scraper-needs-certificates]", "");
        assert!(
            !found.contains(acts) && !found.contains("://") && !found.contains("www."),
            "{name}: {found}"
        );
        let picture = text.split("```").nth(1).expect("there is a picture");
        for line in picture.lines().skip(2) {
            let Some((_, label)) = line.split_once("[\"") else {
                continue;
            };
            let label = label.strip_suffix("\"]").expect("a label ends its line");
            let bare = label.replace("<br/>", "");
            let allowed = |c: char| c.is_alphanumeric() || " ,/-…#;".contains(c);
            assert!(bare.chars().all(allowed), "{name}: {label}");
            let codes = bare.split('#').skip(1);
            let is_code = |rest: &str| {
                rest.split_once(';')
                    .is_some_and(|(code, _)| code.bytes().all(|b| b.is_ascii_digit()))
            };
            assert!(
                codes.into_iter().all(is_code)
                    && bare.matches('#').count() == bare.matches(';').count(),
                "{name}: {label}"
            );
        }
    }
}

#[test]
fn secrets_are_not_told() {
    let mut objects = mesh("main");
    objects[3]["spec"]["remoteWrite"] = json!([{"url": "http://joe:hunter2@vm.example/write", "basicAuth": {"password": "hunter2"}}]);
    objects[3]["spec"]["podMetadata"] = json!({"annotations": {
        "proxy.istio.io/config": "proxyMetadata:\n  API_TOKEN: hunter2\n  broken: [",
        "sidecar.istio.io/userVolumeMount": "[{\"password\": \"hunter2\""}});
    objects[4]["spec"]["endpoints"][0]["basicAuth"] = json!({"password": "hunter2"});
    objects[4]["spec"]["endpoints"][0]["params"] = json!({"authKey": ["hunter2"]});
    objects.push(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "vm"}, "stringData": {"a": "hunter2"}}));
    objects.push(json!({"apiVersion": "operator.victoriametrics.com/v1beta1", "kind": "VMScrapeConfig", "metadata": {"name": "c", "namespace": "vm"},
        "spec": {"staticConfigs": [{"targets": ["joe:hunter2@partner.example:443", "partner.example:99999?token=hunter2"]}]}}));
    let text = of(&objects);
    assert!(text.contains("partner.example:443"), "{text}");
    assert!(
        text.contains("shop/main") && !text.contains("hunter2"),
        "{text}"
    );
}

/// Programs learn of each endpoint which scrapers select it.
#[test]
fn explain_as_json_names_the_scrapers_of_an_endpoint() {
    let texts: Vec<String> = mesh("main").iter().map(Value::to_string).collect();
    let ended = run(&["explain", "-o", "json"], &texts.join("\n---\n"));
    let report: Value = serde_json::from_str(&printed(&ended)).expect("JSON");
    let decisions = report["decisions"].as_array().expect("a list");
    let scrapers: Vec<&Value> = decisions
        .iter()
        .filter_map(|one| one.get("scrapers"))
        .collect();
    let agent = json!([{"apiVersion": "operator.victoriametrics.com/v1beta1", "kind": "VMAgent", "namespace": "vm", "name": "main"}]);
    assert_eq!(scrapers, [&agent]);
}

#[test]
fn help_names_the_formats() {
    let ended = program::ended(&mut program(&["explain", "--help"]), b"");
    for format in ["table", "json", "markdown"] {
        assert!(ended.stdout.contains(&format!("- {format}")), "{ended}");
    }
}
