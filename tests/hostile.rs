//! Does an input that is made to hang, to exhaust or to crash the program end soon, and well?
//!
//! Every row is run here at a size that takes no time, in a thread with a small stack: what recurses as deep as the input
//! wants would end the process. `cargo test --release --test hostile -- --ignored --nocapture` runs them at the sizes that a
//! stranger would choose, at half and at a quarter of these, and prints the times: what grows faster than its input shows.

#![allow(unreachable_pub, missing_docs, dead_code)]

#[path = "support/program.rs"]
mod program;

use std::fmt::Write as _;
use std::fs::File;
use std::time::{Duration, Instant};

use istio_scrape::krm::Source;
use istio_scrape::{CheckFormat, Flags, Format, check, diff, explain, patch_stream, run};

/// As much as a thread of a test has; the program's own has four times that.
const STACK: usize = 2 << 20;

/// How long a row may take at its small size, in a debug build beside other tests.
const PATIENCE: Duration = Duration::from_secs(30);

/// One way to be hostile.
struct Hostile {
    name: &'static str,
    /// The size that a stranger would choose; a tenth to a fiftieth of it is run in every test.
    large: usize,
    small: usize,
    /// Of this size.
    text: fn(usize) -> String,
}

const fn of(name: &'static str, large: usize, text: fn(usize) -> String) -> Hostile {
    Hostile {
        name,
        large,
        small: large / 50,
        text,
    }
}

/// The same lines, numbered.
fn lines(n: usize, line: impl Fn(usize) -> String) -> String {
    (0..n).fold(String::new(), |mut text, i| {
        writeln!(text, "{}", line(i)).expect("a String grows");
        text
    })
}

fn documents(n: usize, document: impl Fn(usize) -> String) -> String {
    lines(n, |i| format!("{}\n---", document(i).trim_end()))
}

fn service(below_spec: &str) -> String {
    format!("apiVersion: v1\nkind: Service\nmetadata: {{name: web}}\nspec:\n{below_spec}")
}

fn config_map(value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web}}\ndata:\n  a: {value}\n")
}

/// A mesh under STRICT with one workload and its Service, and this behind it.
fn mesh(more: &str) -> String {
    format!(
        "apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {{name: default, namespace: istio-system}}
spec: {{mtls: {{mode: STRICT}}}}
---
apiVersion: v1
kind: Namespace
metadata: {{name: shop, labels: {{istio-injection: enabled}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: shop}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{{name: web, ports: [{{name: http, containerPort: 8080}}]}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: web, namespace: shop, labels: {{app: web}}}}
spec:
  selector: {{app: web}}
  ports: [{{name: http, port: 80, targetPort: http}}]
---
{more}"
    )
}

fn scrape(name: &str, endpoints: &str) -> String {
    format!(
        "apiVersion: operator.victoriametrics.com/v1beta1
kind: VMServiceScrape
metadata: {{name: {name}, namespace: shop}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  endpoints:
{endpoints}"
    )
}

const AGENT: &str = "apiVersion: operator.victoriametrics.com/v1beta1
kind: VMAgent
metadata: {name: agent, namespace: shop}
spec:
  selectAllByDefault: true
";

fn agent(more: &str) -> String {
    mesh(&format!(
        "{}---\n{AGENT}{more}",
        scrape("web", "  - port: http\n")
    ))
}

fn annotated(annotation: &str) -> String {
    agent(&format!("  podMetadata:\n    annotations:\n{annotation}"))
}

fn mesh_config(text: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: istio, namespace: istio-system}}\ndata:\n  mesh: |\n{}---\n{}",
        text.lines()
            .fold(String::new(), |all, line| all + "    " + line + "\n"),
        agent("")
    )
}

/// Anchors of anchors: the last stands for two to the power of `levels`.
fn laughs(levels: usize, first: &str, next: impl Fn(usize) -> String) -> String {
    (1..levels).fold(format!("  a0: &a0 {first}\n"), |all, i| {
        format!("{all}  a{i}: &a{i} {}\n", next(i - 1))
    })
}

const ROWS: &[Hostile] = &[
    of("a plain scalar", 1_000_000, |n| config_map(&"x".repeat(n))),
    of("a plain scalar in a Service", 1_000_000, |n| {
        service(&format!("  externalName: {}\n", "x".repeat(n)))
    }),
    of("a plain scalar of many lines", 100_000, |n| {
        service(&format!(
            "  externalName: x\n{}",
            lines(n, |_| "    word".to_owned())
        ))
    }),
    of("a quoted scalar of escapes", 300_000, |n| {
        service(&format!("  externalName: \"{}\"\n", "\\u0041".repeat(n)))
    }),
    of("a quoted scalar of many lines", 100_000, |n| {
        service(&format!(
            "  externalName: \"x\n{}    \"\n",
            lines(n, |_| "    word".to_owned())
        ))
    }),
    of("a quoted scalar of blank lines", 300_000, |n| {
        service(&format!("  externalName: \"x{}    \"\n", "\n".repeat(n)))
    }),
    of("blank lines in a block scalar", 300_000, |n| {
        service(&format!("  externalName: |\n    x\n{}", "\n".repeat(n)))
    }),
    of("blank lines kept in a block scalar", 300_000, |n| {
        service(&format!(
            "  externalName: |+\n    x\n{}",
            "      \n".repeat(n)
        ))
    }),
    of("lines of spaces in a block scalar", 300_000, |n| {
        service(&format!("  externalName: |\n    x\n{}", "  \n".repeat(n)))
    }),
    of("block scalars with blank lines behind", 30_000, |n| {
        service(&lines(n, |i| format!("  k{i}: |\n    x\n\n   \n")))
    }),
    of("folded block scalars", 30_000, |n| {
        service(&lines(n, |i| format!("  k{i}: >-\n    x\n    y\n")))
    }),
    of("a long key", 300_000, |n| {
        service(&format!("  {}: x\n", "k".repeat(n)))
    }),
    of("a long quoted key", 300_000, |n| {
        service(&format!("  \"{}\": x\n", "k".repeat(n)))
    }),
    of("a long complex key", 300_000, |n| {
        service(&format!("  ? {}\n  : x\n", "k".repeat(n)))
    }),
    of("flow on one line", 50_000, |n| {
        service(&format!("  ports: [{}]\n", "{port: 1}, ".repeat(n)))
    }),
    of("flow over lines", 50_000, |n| {
        service(&format!(
            "  ports: [\n{}  ]\n",
            lines(n, |_| "    {port: 1},".to_owned())
        ))
    }),
    of("Services as JSON on one line", 20_000, |n| {
        let one = r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"selector":{"a":"b"}}}"#;
        format!(
            r#"{{"apiVersion":"v1","kind":"List","items":[{}]}}"#,
            vec![one; n].join(",")
        )
    }),
    of("scrapes as JSON on one line", 3000, |n| {
        let one = r#"{"apiVersion":"operator.victoriametrics.com/v1beta1","kind":"VMServiceScrape","metadata":{"name":"a"},"spec":{"selector":{},"endpoints":[{"port":"a"}]}}"#;
        format!(
            r#"{{"apiVersion":"v1","kind":"List","items":[{}]}}"#,
            vec![one; n].join(",")
        )
    }),
    of("JSON without an end", 300_000, |n| {
        format!("{{\"a\": [{}", "1, ".repeat(n))
    }),
    of("JSON documents in a row", 50_000, |n| {
        "{\"kind\": \"A\"}\n".repeat(n)
    }),
    of("comments before", 200_000, |n| {
        lines(n, |_| "# c".to_owned()) + &service("  x: 1\n")
    }),
    of("comments inside", 200_000, |n| {
        service(&(lines(n, |_| "# c".to_owned()) + "  x: 1\n"))
    }),
    of("comments behind", 200_000, |n| {
        service(&("  x: 1\n".to_owned() + &lines(n, |_| "# c".to_owned())))
    }),
    of("comments above each document", 3000, |n| {
        documents(n, |_| {
            lines(30, |_| "# Source: a".to_owned()) + &service("  x: 1\n")
        })
    }),
    of("comments above a scrape that is patched", 100_000, |n| {
        mesh(&(lines(n, |_| "# c".to_owned()) + &scrape("web", "  - port: http\n")))
    }),
    of("empty documents", 100_000, |n| {
        documents(n, |_| String::new())
    }),
    of("documents of comments", 100_000, |n| {
        documents(n, |_| "# c".to_owned())
    }),
    of("small documents", 50_000, |n| {
        documents(n, |i| format!("kind: A\nmetadata: {{name: a{i}}}"))
    }),
    of("documents of null", 50_000, |n| {
        documents(n, |_| "~".to_owned())
    }),
    of("ends of documents", 100_000, |n| "...\n".repeat(n)),
    of("directives", 30_000, |n| {
        format!(
            "{}---\nkind: A\n",
            lines(n, |i| format!("%TAG !t{i}! tag:a,2000:"))
        )
    }),
    of("byte order marks", 50_000, |n| {
        format!("kind: A\n---\n{}", "\u{feff}".repeat(n))
    }),
    of("empty items", 100_000, |n| {
        format!("kind: List\nitems:\n{}", "-\n".repeat(n))
    }),
    of("items without kind", 50_000, |n| {
        format!("kind: List\nitems:\n{}", "- {}\n".repeat(n))
    }),
    of("small items", 50_000, |n| {
        format!("kind: List\nitems:\n{}", "- kind: A\n".repeat(n))
    }),
    of("Lists in a List", 30_000, |n| {
        format!(
            "kind: List\nitems:\n{}",
            "- kind: List\n  items:\n  - kind: A\n".repeat(n)
        )
    }),
    Hostile {
        name: "Lists in Lists, as deep as may be",
        large: 120,
        small: 120,
        text: |n| {
            let open: String = (0..n).fold(String::new(), |all, depth| {
                let by = "  ".repeat(depth);
                format!("{all}kind: List\n{by}items:\n{by}- ")
            });
            open + "kind: A\n"
        },
    },
    of("elements of a list", 300_000, |n| {
        service(&format!("  x:\n{}", "  - 1\n".repeat(n)))
    }),
    of("ports of a Service", 50_000, |n| {
        service(&format!(
            "  ports:\n{}",
            lines(n, |i| format!("  - port: {i}"))
        ))
    }),
    of("keys of a map", 100_000, |n| {
        service(&lines(n, |i| format!("  k{i}: 1")))
    }),
    of("labels", 50_000, |n| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels:\n{}",
            lines(n, |i| format!("    k{i}: a"))
        )
    }),
    of("top-level keys", 100_000, |n| {
        lines(n, |i| format!("k{i}: 1")) + "kind: A\n"
    }),
    of("numbers as keys", 50_000, |n| {
        service(&lines(n, |i| format!("  {i}: 1")))
    }),
    of("anchors", 60_000, |n| {
        service(&lines(n, |i| format!("  k{i}: &a{i} 1")))
    }),
    of("anchors of one name", 60_000, |n| {
        service(&lines(n, |i| format!("  k{i}: &a 1")))
    }),
    of("aliases", 60_000, |n| {
        service(&("  x: &a 1\n".to_owned() + &lines(n, |i| format!("  k{i}: *a"))))
    }),
    of("tags", 60_000, |n| {
        service(&lines(n, |i| format!("  k{i}: !t{i} 1")))
    }),
    of("merge keys", 3000, |n| {
        service(&format!(
            "  x: &a {{b: 1}}\n{}",
            lines(n, |i| format!("  k{i}: {{<<: *a}}"))
        ))
    }),
    of("merge keys of one map", 10_000, |n| {
        service(&format!(
            "  x: &a {{b: 1}}\n{}",
            lines(n, |_| "  <<: *a".to_owned())
        ))
    }),
    Hostile {
        name: "laughs in a value",
        large: 60,
        small: 60,
        text: |n| service(&laughs(n, "[x, x]", |i| format!("[*a{i}, *a{i}]"))),
    },
    Hostile {
        name: "laughs in merge keys",
        large: 60,
        small: 60,
        text: |n| service(&laughs(n, "{x: 1}", |i| format!("{{<<: [*a{i}, *a{i}]}}"))),
    },
    Hostile {
        name: "laughs in Lists",
        large: 60,
        small: 60,
        text: |n| {
            let lists = laughs(n, "{kind: List, items: [{kind: A}]}", |i| {
                format!("{{kind: List, items: [*a{i}, *a{i}]}}")
            });
            format!("kind: List\nx:\n{lists}items: [*a{}]\n", n - 1)
        },
    },
    of("laughs in each of many objects", 500, |n| {
        documents(n, |_| {
            service(&laughs(14, "[x, x]", |i| format!("[*a{i}, *a{i}]")))
        })
    }),
    of("aliases of one large item", 500, |n| {
        format!(
            "kind: List\nx: &a\n{}items:\n{}",
            service(&format!("  x:\n{}", "  - 1\n".repeat(1000)))
                .lines()
                .fold(String::new(), |all, line| all + "  " + line + "\n"),
            "- *a\n".repeat(n)
        )
    }),
    Hostile {
        name: "brackets",
        large: 200_000,
        small: 200_000,
        text: |n| service(&format!("  x: {}\n", "[".repeat(n))),
    },
    Hostile {
        name: "brackets within the limit",
        large: 250,
        small: 250,
        text: |n| service(&format!("  x: {}{}\n", "[".repeat(n), "]".repeat(n))),
    },
    Hostile {
        name: "maps within the limit",
        large: 250,
        small: 250,
        text: |n| {
            let maps: String = (0..n).fold(String::new(), |all, depth| {
                format!("{all}{:depth$}  a:\n", "")
            });
            service(&maps)
        },
    },
    of("dashes", 100_000, |n| {
        service(&format!("  x:\n  {}\n", "- ".repeat(n)))
    }),
    of("questions", 100_000, |n| {
        service(&format!("  x:\n  {}\n", "? ".repeat(n)))
    }),
    of("spaces", 1_000_000, |n| {
        service(&format!("  x:{}1\n", " ".repeat(n)))
    }),
    of("spaces behind", 3000, |n| {
        service(&lines(n, |i| format!("  k{i}: 1{}", " ".repeat(300))))
    }),
    of("tabs", 300_000, |n| {
        service(&format!("  x:{}1\n", "\t".repeat(n)))
    }),
    of("lone carriage returns", 100_000, |n| {
        "kind: A\ra: 1\r".to_owned() + &"\r".repeat(n)
    }),
    of("lines with carriage returns", 100_000, |n| {
        service(&lines(n, |i| format!("  k{i}: 1"))).replace('\n', "\r\n")
    }),
    of("a quote that nothing closes", 500_000, |n| {
        service(&format!("  x: \"{}\n", "a: \\\" ".repeat(n)))
    }),
    of("numbers of many digits", 300_000, |n| {
        service(&format!("  x: {}\n", "1".repeat(n)))
    }),
    of("an exponent", 300_000, |n| {
        service(&format!("  x: 1e{}\n", "1".repeat(n)))
    }),
    of("underscores in a number", 300_000, |n| {
        service(&format!("  x: 1{}\n", "_".repeat(n)))
    }),
    of("colons of a time", 100_000, |n| {
        service(&format!("  x: 1{}\n", ":00".repeat(n)))
    }),
    of("yes and no", 50_000, |n| {
        service(&lines(n, |i| format!("  k{i}: yes")))
    }),
    of("a name", 300_000, |n| {
        mesh(&scrape(&"n".repeat(n), "  - port: http\n"))
    }),
    of("endpoints that are patched", 2000, |n| {
        mesh(&scrape("web", &"  - port: http\n".repeat(n)))
    }),
    of("endpoints in flow style", 2000, |n| {
        mesh(&scrape(
            "web",
            &format!("    [{}]\n", "{port: http}, ".repeat(n)),
        ))
    }),
    of("endpoints that are right", 5000, |n| {
        mesh(&scrape("web", &"  - {port: http, scheme: https, tlsConfig: {caFile: /etc/istio-certs/root-cert.pem, certFile: /etc/istio-certs/cert-chain.pem, keyFile: /etc/istio-certs/key.pem, insecureSkipVerify: true}}\n".repeat(n)))
    }),
    of("scrapes that are patched", 2000, |n| {
        mesh(&documents(n, |i| {
            scrape(&format!("web{i}"), "  - port: http\n")
        }))
    }),
    of("scrapers", 500, |n| {
        mesh(&format!(
            "{}---\n{}",
            scrape("web", "  - port: http\n"),
            documents(n, |i| AGENT
                .replace("name: agent", &format!("name: agent{i}")))
        ))
    }),
    of("Services of one workload", 2000, |n| {
        mesh(&format!(
            "{}---\n{}",
            scrape("web", "  - port: http\n"),
            documents(n, |i| format!(
                "apiVersion: v1\nkind: Service\nmetadata: {{name: web{i}, namespace: shop, labels: {{app: web}}}}\nspec: {{selector: {{app: web}}, ports: [{{name: http, port: 80}}]}}"
            ))
        ))
    }),
    of("workloads of one Service", 2000, |n| {
        mesh(&format!(
            "{}---\n{}",
            scrape("web", "  - port: http\n"),
            documents(n, |i| format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: web{i}, namespace: shop, labels: {{app: web}}}}\nspec: {{containers: [{{name: a, ports: [{{name: http, containerPort: 8080}}]}}]}}"
            ))
        ))
    }),
    of("containers and ports", 20_000, |n| {
        mesh(&format!(
            "{}---\napiVersion: v1\nkind: Pod\nmetadata: {{name: w, namespace: shop, labels: {{app: web}}}}\nspec:\n  containers:\n{}",
            scrape("web", "  - port: http\n"),
            lines(n, |i| format!(
                "  - {{name: c{i}, ports: [{{name: http, containerPort: {}}}]}}",
                i % 60_000 + 1
            ))
        ))
    }),
    of("policies of a namespace", 2000, |n| {
        agent("")
            + "---\n"
            + &documents(n, |i| {
                format!(
                    "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {{name: p{i}, namespace: shop}}\nspec: {{selector: {{matchLabels: {{app: web}}}}, mtls: {{mode: {}}}}}",
                    if i % 2 == 0 { "STRICT" } else { "PERMISSIVE" }
                )
            })
    }),
    of("ports of a policy", 20_000, |n| {
        agent("")
            + "---\napiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: p, namespace: shop}\nspec:\n  selector: {matchLabels: {app: web}}\n  portLevelMtls:\n"
            + &lines(n, |i| format!("    {i}: {{mode: STRICT}}"))
    }),
    of("AuthorizationPolicies", 2000, |n| {
        agent("")
            + "---\n"
            + &documents(n, |i| {
                format!(
                    "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: p{i}, namespace: shop}}\nspec: {{rules: [{{from: [{{source: {{principals: [\"*/x{i}\"]}}}}]}}]}}"
                )
            })
    }),
    of("rules of an AuthorizationPolicy", 10_000, |n| {
        agent("")
            + "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p, namespace: shop}\nspec:\n  rules:\n"
            + &lines(n, |i| {
                format!(
                    "  - {{from: [{{source: {{principals: [\"*{i}*\"]}}}}], to: [{{operation: {{paths: [\"/a/*\"]}}}}]}}"
                )
            })
    }),
    of("a pattern of stars", 100_000, |n| {
        agent("")
            + &format!(
                "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: p, namespace: shop}}\nspec: {{rules: [{{to: [{{operation: {{paths: [\"{}\"]}}}}]}}]}}\n",
                "*a".repeat(n)
            )
    }),
    of("expressions of a selector", 20_000, |n| {
        mesh(&format!(
            "apiVersion: operator.victoriametrics.com/v1beta1\nkind: VMServiceScrape\nmetadata: {{name: web, namespace: shop}}\nspec:\n  endpoints: [{{port: http}}]\n  selector:\n    matchExpressions:\n{}",
            lines(n, |i| format!(
                "    - {{key: app, operator: NotIn, values: [a{i}]}}"
            ))
        ))
    }),
    of("values of an expression", 50_000, |n| {
        mesh(&format!(
            "apiVersion: operator.victoriametrics.com/v1beta1\nkind: VMServiceScrape\nmetadata: {{name: web, namespace: shop}}\nspec:\n  endpoints: [{{port: http}}]\n  selector: {{matchExpressions: [{{key: app, operator: In, values: [{}]}}]}}\n",
            lines(n, |i| format!("        a{i},"))
        ))
    }),
    of("relabelling rules", 10_000, |n| {
        mesh(&scrape(
            "web",
            &format!(
                "  - port: http\n    relabelConfigs:\n{}",
                lines(n, |i| format!(
                    "    - {{action: drop, sourceLabels: [__meta_kubernetes_pod_name], regex: a{i}}}"
                ))
            ),
        ))
    }),
    of("relabelling rules that rewrite", 10_000, |n| {
        mesh(&scrape(
            "web",
            &format!(
                "  - port: http\n    relabelConfigs:\n{}",
                lines(n, |i| format!(
                    "    - {{action: replace, targetLabel: a{i}, sourceLabels: [b{i}]}}\n    - {{action: keep, sourceLabels: [c{i}], regex: a}}"
                ))
            ),
        ))
    }),
    of("an expression of brackets", 300_000, |n| {
        mesh(&scrape(
            "web",
            &format!(
                "  - port: http\n    relabelConfigs:\n    - {{action: keep, sourceLabels: [__meta_kubernetes_pod_name], regex: \"{}{}\"}}\n",
                "(".repeat(n),
                ")".repeat(n)
            ),
        ))
    }),
    of("an expression of alternatives", 100_000, |n| {
        mesh(&scrape(
            "web",
            &format!(
                "  - port: http\n    relabelConfigs:\n    - {{action: keep, sourceLabels: [__meta_kubernetes_pod_name], regex: \"{}\"}}\n",
                "a|".repeat(n)
            ),
        ))
    }),
    of("rules on __address__", 5000, |n| {
        mesh(&scrape(
            "web",
            &format!(
                "  - port: http\n    relabelConfigs:\n{}",
                lines(n, |i| format!(
                    "    - {{action: replace, sourceLabels: [__address__], regex: \".*:{i}\", targetLabel: __scheme__, replacement: https}}"
                ))
            ),
        ))
    }),
    of("names of namespaces", 20_000, |n| {
        mesh(&format!(
            "apiVersion: operator.victoriametrics.com/v1beta1\nkind: VMServiceScrape\nmetadata: {{name: web, namespace: shop}}\nspec:\n  endpoints: [{{port: http}}]\n  selector: {{}}\n  namespaceSelector:\n    matchNames:\n{}",
            lines(n, |i| format!("    - n{i}"))
        ))
    }),
    of("ports that an annotation excludes", 60_000, |n| {
        mesh(&format!(
            "{}---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: w\n  namespace: shop\n  labels: {{app: web}}\n  annotations:\n    traffic.sidecar.istio.io/excludeInboundPorts: \"{}\"\nspec: {{containers: [{{name: c, ports: [{{name: http, containerPort: 8080}}]}}]}}\n",
            scrape("web", "  - port: http\n"),
            lines(n, |i| format!("{},", i % 65_000 + 1)).replace('\n', "")
        ))
    }),
    Hostile {
        name: "brackets in userVolumeMount",
        large: 100_000,
        small: 100_000,
        text: |n| {
            annotated(&format!(
                "      sidecar.istio.io/userVolumeMount: '{}'\n",
                "[".repeat(n)
            ))
        },
    },
    of("mounts in userVolumeMount", 5000, |n| {
        annotated(&format!(
            "      sidecar.istio.io/userVolumeMount: '[{}]'\n",
            vec![r#"{"name":"a","mountPath":"/a"}"#; n].join(",")
        ))
    }),
    Hostile {
        name: "brackets in a proxy config",
        large: 100_000,
        small: 100_000,
        text: |n| {
            annotated(&format!(
                "      proxy.istio.io/config: '{}'\n",
                "[".repeat(n)
            ))
        },
    },
    Hostile {
        name: "laughs in a proxy config",
        large: 60,
        small: 60,
        text: |n| {
            let text = laughs(n, "[x, x]", |i| format!("[*a{i}, *a{i}]"));
            let text = text.lines().fold(String::new(), |all, line| {
                all + "        " + line.trim_start() + "\n"
            });
            annotated(&format!("      proxy.istio.io/config: |\n{text}"))
        },
    },
    of("keys in a proxy config", 20_000, |n| {
        annotated(&format!(
            "      proxy.istio.io/config: |\n        proxyMetadata:\n{}",
            lines(n, |i| format!("          K{i}: \"1\""))
        ))
    }),
    Hostile {
        name: "brackets in a mesh config",
        large: 100_000,
        small: 100_000,
        text: |n| mesh_config(&"[".repeat(n)),
    },
    Hostile {
        name: "laughs in a mesh config",
        large: 60,
        small: 60,
        text: |n| {
            let text = laughs(n, "[x, x]", |i| format!("[*a{i}, *a{i}]"));
            mesh_config(
                &text
                    .lines()
                    .fold(String::new(), |all, line| all + line.trim_start() + "\n"),
            )
        },
    },
    of("keys in a mesh config", 20_000, |n| {
        mesh_config(&lines(n, |i| format!("k{i}: 1")))
    }),
    of("mesh configs", 300, |n| {
        documents(n, |i| {
            mesh_config("rootNamespace: a\n")
                .split("\n---")
                .next()
                .unwrap_or_default()
                .replace("name: istio,", &format!("name: istio-r{i},"))
        }) + &agent("")
    }),
    of("inline jobs", 1000, |n| {
        agent(&format!(
            "  inlineScrapeConfig: |\n{}",
            lines(n, |i| format!(
                "    - job_name: j{i}\n      kubernetes_sd_configs: [{{role: pod}}]\n      relabel_configs:\n      - {{action: keep, source_labels: [__meta_kubernetes_pod_label_app], regex: web}}"
            ))
        ))
    }),
    of("static targets", 10_000, |n| {
        mesh(&format!(
            "apiVersion: operator.victoriametrics.com/v1beta1\nkind: VMStaticScrape\nmetadata: {{name: s, namespace: shop}}\nspec:\n  targetEndpoints:\n  - targets:\n{}",
            lines(n, |i| format!("    - web{i}.shop.svc:80"))
        ))
    }),
    of("volumes of a scraper", 10_000, |n| {
        agent(&format!(
            "  volumes:\n{}",
            lines(n, |i| format!("  - {{name: v{i}, emptyDir: {{}}}}"))
        ))
    }),
    of("scrape classes", 3000, |n| {
        mesh(&format!(
            "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {{name: p, namespace: shop}}\nspec:\n  serviceMonitorSelector: {{}}\n  scrapeClasses:\n{}---\napiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {{name: s, namespace: shop}}\nspec:\n  scrapeClass: c1\n  selector: {{matchLabels: {{app: web}}}}\n  endpoints:\n  - port: http\n",
            lines(n, |i| format!("  - {{name: c{i}}}"))
        ))
    }),
    of("revisions of namespaces", 2000, |n| {
        agent("")
            + "---\n"
            + &documents(n, |i| {
                format!(
                    "apiVersion: v1\nkind: Namespace\nmetadata: {{name: n{i}, labels: {{istio.io/rev: r{i}}}}}"
                )
            })
    }),
    of("unknown fields of the configuration", 5000, |n| {
        "apiVersion: istio-scrape.dev/v1alpha1\nkind: ScrapeTLS\nmetadata: {name: a}\nspec:\n"
            .to_owned()
            + &lines(n, |i| format!("  k{i}: 1"))
            + "---\nkind: A\n"
    }),
    of("a long field of the configuration", 100_000, |n| {
        format!(
            "apiVersion: istio-scrape.dev/v1alpha1\nkind: ScrapeTLS\nmetadata: {{name: a}}\nspec:\n  ? {}\n  : 1\n---\nkind: A\n",
            "m".repeat(n)
        )
    }),
    of("namespaces of the configuration", 5000, |n| {
        "apiVersion: istio-scrape.dev/v1alpha1\nkind: ScrapeTLS\nmetadata: {name: a}\nspec:\n  injection:\n    namespaces:\n".to_owned() + &lines(n, |i| format!("      n{i}: sidecar")) + "---\n" + &agent("")
    }),
    of("objects of the context", 5000, |n| {
        "apiVersion: istio-scrape.dev/v1alpha1\nkind: ScrapeTLS\nmetadata: {name: a}\nspec:\n  context:\n    resources:\n".to_owned() + &lines(n, |i| format!("    - {{apiVersion: v1, kind: Service, metadata: {{name: s{i}, namespace: shop}}, spec: {{selector: {{a: b}}}}}}")) + "---\n" + &agent("")
    }),
    of("results of earlier functions", 5000, |n| {
        format!(
            "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\nresults:\n{}",
            lines(n, |i| format!("- {{message: m{i}}}"))
        )
    }),
    of("a ResourceList of small items", 20_000, |n| {
        format!(
            "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n{}",
            lines(n, |i| format!(
                "- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: a{i}\n    annotations:\n      config.kubernetes.io/origin: |\n        path: a.yaml"
            ))
        )
    }),
];

/// All ways to ask, with the sizes of their answers: what is built must be worth its size.
fn asked(text: &str, command: usize) -> usize {
    let sources = [Source::named("-", text)];
    let flags = Flags::default();
    let refused = |error: istio_scrape::Error| {
        let text = error.to_string();
        assert!(!text.contains("this is a bug"), "{text}");
        text.len()
    };
    match command {
        0 => run(&sources, &flags).map_or_else(refused, |outcome| {
            let output = outcome.text().map_or(0, |text| text.len());
            output + outcome.report.len() + outcome.messages.iter().map(String::len).sum::<usize>()
        }),
        1 => explain(&sources, &flags, Format::Table, false)
            .map_or_else(refused, |report| report.text.len()),
        2 => explain(&sources, &flags, Format::Markdown, false)
            .map_or_else(refused, |report| report.text.len()),
        3 => diff(&sources, &flags).map_or_else(refused, |report| report.text.len()),
        4 => check(&sources, &flags, None, CheckFormat::Sarif, false)
            .map_or_else(refused, |report| report.text.len()),
        _ => patch_stream(&sources, &flags).map_or_else(refused, |outcome| {
            outcome.text().map_or(0, |text| text.len())
        }),
    }
}

const COMMANDS: [&str; 6] = ["run", "explain", "markdown", "diff", "sarif", "patches"];

/// Time and size of the answer, in a thread with a small stack.
fn measured(text: &str, command: usize) -> (Duration, usize) {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let ended = thread.spawn_scoped(scope, || {
            let start = Instant::now();
            let size = asked(text, command);
            (start.elapsed(), size)
        });
        ended.expect("a thread starts").join().expect("no panic")
    })
}

/// Every row is run, and asked about in one other way.
#[test]
fn hostile_inputs_end_soon() {
    for (position, row) in ROWS.iter().enumerate() {
        for command in [0, position % (COMMANDS.len() - 1) + 1] {
            let (took, _) = measured(&(row.text)(row.small), command);
            let name = COMMANDS[command];
            assert!(took < PATIENCE, "{}: {name} took {took:?}", row.name);
        }
    }
}

/// The times that the rows take at a quarter, at half and at all of their large size, in all ways.
#[test]
#[ignore = "a table for people; it takes minutes: cargo test --release --test hostile -- --ignored --nocapture"]
fn times_of_hostile_inputs() {
    let only = std::env::var("ROW").unwrap_or_default();
    for row in ROWS.iter().filter(|row| row.name.contains(&only)) {
        for (command, name) in COMMANDS.iter().enumerate() {
            let mut told = String::new();
            for part in [4, 2, 1] {
                let n = match row.small == row.large {
                    true => row.large,
                    false => row.large / part,
                };
                let text = (row.text)(n);
                let (took, size) = measured(&text, command);
                let took = took.as_secs_f64() * 1000.0;
                write!(told, " | {:>8} B {took:>8.1} ms -> {size:>9} B", text.len())
                    .expect("a String grows");
            }
            println!("{:<42} {name:<8}{told}", row.name);
        }
    }
}

/// A file that is one byte longer than may be read is refused by its length: it has no bytes that could be.
#[test]
fn more_than_is_read_is_refused() {
    let folder = program::folder(&[("small.yaml", "kind: A\n")]);
    let file = File::create(folder.path().join("large.yaml")).expect("the folder is ours");
    file.set_len((1 << 30) + 1).expect("a file may have holes");
    for arguments in [
        &["."][..],
        &["large.yaml"],
        &["--config", "large.yaml", "small.yaml"],
        &["explain", "small.yaml", "large.yaml"],
        &["patches", "-o", "-", "large.yaml"],
    ] {
        let ended = program::run_in(folder.path(), arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended}");
        assert!(
            ended
                .stderr
                .contains("large.yaml: more than 1 GiB is not read; check"),
            "{ended}"
        );
    }
}

/// A pipe in the place of a kustomization would be waited for without end.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_waited_for() {
    let folder = program::folder(&[("a.yaml", "kind: A\n")]);
    let pipe = folder.path().join("kustomization.yaml");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo is POSIX");
    let ended = program::run_in(folder.path(), &["."]);
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (0, "kind: A\n"),
        "{ended}"
    );
}

/// Folders as deep as the system lets a path be.
#[cfg(unix)]
#[test]
fn deep_folders_are_walked() {
    let folder = program::folder(&[]);
    let deep = folder.path().join("d/".repeat(1900));
    std::fs::create_dir_all(&deep).expect("shorter than 4096 bytes");
    std::fs::write(deep.join("a.yaml"), "kind: A\n").expect("the folder is ours");
    let ended = program::run_in(folder.path(), &["."]);
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (0, "kind: A\n"),
        "{ended}"
    );
}
