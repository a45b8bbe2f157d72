//! Does a base with the Component that `patches` writes come out as function mode makes it, and does what no longer
//! fits fail?
//!
//! The real kustomize, in two versions, builds without any flag. Builds are compared as values.

#![allow(unreachable_pub, missing_docs)]

#[path = "support/program.rs"]
#[allow(dead_code, reason = "this file uses a part")]
mod program;
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use istio_scrape::krm::Source;
use istio_scrape::yaml::{self, Rules};
use istio_scrape::{Flags, Patches, patch_stream, patches, run};
use program::{Ended, ended, folder, program};
use serde_json::{Value, json};
use support::directories;
use support::inputs::{Written, at_once};
use support::kustomize::{Kustomize, Objects, add, changed, copy, objects, package, said};
use tempfile::TempDir;

/// The kustomizes of this machine.
fn kustomizes() -> Vec<Kustomize> {
    support::kustomize::kustomizes(file!())
}

const BASE: &str = "resources: [input.yaml]\n";
const OVERLAY: &str = "resources: [../base]\ncomponents: [../mtls]\n";

/// A base of this input, and an overlay with the Component that is to be written.
fn with_overlay(input: &str) -> TempDir {
    package(&[
        ("base/kustomization.yaml", BASE),
        ("base/input.yaml", input),
        ("overlay/kustomization.yaml", OVERLAY),
    ])
}

fn flags(config: Option<&str>) -> Flags {
    Flags {
        config: config.map(|text| Source::named("config.yaml", text)),
        ..Flags::default()
    }
}

/// The values of a stream, as kustomize reads them.
fn values(text: &str) -> Vec<Value> {
    let documents = yaml::read(text).expect("a build is YAML");
    let roots = documents
        .iter()
        .filter_map(|document| document.root.as_ref());
    roots
        .map(|root| root.value(Rules::Kustomize).expect("values"))
        .collect()
}

fn printed(values: &[Value]) -> String {
    let documents: Vec<String> = values.iter().map(yaml::block).collect();
    documents.join("---\n")
}

/// What function mode makes of a build, which a host hands over as a ResourceList; `None` for findings at `failOn`.
fn by_function(build: &str, config: Option<&str>) -> Option<Objects> {
    let list = json!({
        "apiVersion": "config.kubernetes.io/v1",
        "kind": "ResourceList",
        "items": values(build),
    });
    let outcome = run(&[Source::named("-", list.to_string())], &flags(config))
        .expect("a run")
        .into_owned();
    if outcome.exit != 0 {
        return None;
    }
    let output = outcome.text().expect("a ResourceList comes back");
    let list: Value = serde_json::from_str(&output).expect("JSON stays JSON");
    Some(objects(&printed(list["items"].as_array().expect("items"))))
}

fn put(folder: &Path, component: &istio_scrape::report::component::Component) {
    for (name, text) in &component.files {
        add(folder, &[(&format!("mtls/{name}"), text)]);
    }
}

/// What kustomize builds without flags, or says.
fn built(kustomize: &Kustomize, folder: &Path) -> Result<Objects, String> {
    let output = kustomize.run(folder, &[]);
    match output.status.success() {
        true => Ok(objects(
            &String::from_utf8(output.stdout).expect("a build is text"),
        )),
        false => Err(said(&output)),
    }
}

/// The text of a build that has to succeed.
fn build_of(kustomize: &Kustomize, folder: &Path) -> String {
    let output = kustomize.run(folder, &[]);
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).expect("a build is text")
}

// --- the same as function mode

/// How a base came out.
#[derive(Debug)]
enum Came {
    /// Findings at `failOn`: neither way writes anything.
    Refused,
    /// Both ways give the same; so many objects are patched.
    Same(usize),
    #[allow(dead_code, reason = "shown by Debug")]
    Different(String),
}

/// The base, which kustomize hands to us as `build`, with its Component (`overlay`), or with the stream in the place of
/// it (`stream`).
fn came(
    kustomize: &Kustomize,
    root: &Path,
    build: &str,
    config: Option<&str>,
    ways: &[&str],
) -> Came {
    let sources = [Source::named("-", build)];
    let Patches { component, .. } = match patches(&sources, &flags(config), "mtls") {
        Ok(written) => written,
        Err(error) => return Came::Different(error.to_string()),
    };
    let (expected, component) = match (by_function(build, config), component) {
        (Some(expected), Some(component)) => (expected, component),
        (None, None) => return Came::Refused,
        (function, _) => {
            return Came::Different(format!("by function: {}", function.is_some()));
        }
    };
    put(root, &component);
    let stream = patch_stream(&sources, &flags(config)).expect("as the Component");
    let entries = json!({"resources": ["../base"], "patches": values(&stream.text().expect("as the Component"))});
    add(
        root,
        &[("stream/kustomization.yaml", &yaml::block(&entries))],
    );
    for way in ways {
        let found = match built(kustomize, &root.join(way)) {
            Ok(found) => found,
            Err(said) => return Came::Different(format!("{way}: {said}")),
        };
        if let Some(one) = changed(&expected, &found).first() {
            let shown =
                |objects: &Objects| format!("{:#}", objects.get(one).unwrap_or(&Value::Null));
            let (expected, found) = (shown(&expected), shown(&found));
            return Came::Different(format!("{way}: {one}\n{expected}\n{found}"));
        }
    }
    Came::Same(component.objects)
}

/// `mode: check` fails a function, and is of no account for `patches`.
fn without_check_mode(input: &Written) -> Written {
    let patch = |text: &str| text.replace("mode: check", "mode: patch");
    Written {
        name: input.name.clone(),
        text: patch(&input.text),
        config: input.config.as_deref().map(patch),
    }
}

/// Cases in which something is patched, as kustomize builds them: without objects that are local configuration, and
/// printed from their values, since kustomize refuses keys that are numbers, as `portLevelMtls` has them in many cases.
/// ResourceLists are left out: they are what a host makes of a base.
fn cases() -> Vec<Written> {
    let is_resource = |value: &Value| {
        let local = &value["metadata"]["annotations"]["config.kubernetes.io/local-config"];
        !value.is_null() && (local.is_null() || local == "false")
    };
    let cases: Vec<Written> = directories("testdata")
        .iter()
        .filter_map(|directory| Written::read(directory))
        .map(|case| without_check_mode(&case))
        .filter(|case| {
            !values(&case.text)
                .iter()
                .any(|value| value["kind"] == "ResourceList")
        })
        .map(|case| {
            let values = values(&case.text);
            let items = match values.as_slice() {
                [list] => list["items"].as_array().unwrap_or(&values),
                _ => &values,
            };
            let resources: Vec<Value> = items
                .iter()
                .filter(|value| is_resource(value))
                .cloned()
                .collect();
            Written {
                text: printed(&resources),
                ..case
            }
        })
        .collect();
    let is_patched = at_once(&cases, |case| {
        let sources = [Source::named("-", case.text.as_str())];
        let written = patches(&sources, &flags(case.config.as_deref()), "mtls");
        written.is_ok_and(|written| {
            written
                .component
                .is_some_and(|component| component.objects > 0)
        })
    });
    let cases = cases.into_iter().zip(is_patched);
    cases
        .filter_map(|(case, is_patched)| is_patched.then_some(case))
        .collect()
}

/// kustomize has no place for the same object twice.
fn has_one_twice(build: &str) -> bool {
    let mut seen = BTreeSet::new();
    let id = |value: &Value| {
        let metadata = &value["metadata"];
        [
            &value["apiVersion"],
            &value["kind"],
            &metadata["namespace"],
            &metadata["name"],
        ]
        .map(Value::to_string)
    };
    !values(build).iter().all(|value| seen.insert(id(value)))
}

/// All cases under the newest kustomize, every tenth under the oldest. The stream too, for every fourth of them.
#[test]
fn cases_come_out_as_by_function() {
    let (twice, cases): (Vec<Written>, Vec<Written>) = cases()
        .into_iter()
        .partition(|case| has_one_twice(&case.text));
    assert!(twice.len() < 5, "{} cases are left out", twice.len());
    for (kustomize, step) in kustomizes().into_iter().zip([1, 10]) {
        let chosen: Vec<(usize, &Written)> = cases.iter().step_by(step).enumerate().collect();
        let all = at_once(&chosen, |(position, case)| {
            let root = with_overlay(&case.text);
            let ways: &[&str] = match position % 4 {
                0 => &["overlay", "stream"],
                _ => &["overlay"],
            };
            came(
                &kustomize,
                root.path(),
                &case.text,
                case.config.as_deref(),
                ways,
            )
        });
        let mut wrong = String::new();
        for ((_, case), came) in chosen.iter().zip(all) {
            match came {
                Came::Same(objects) if objects > 0 => {}
                other => wrong.push_str(&format!("{}: {other:?}\n", case.name)),
            }
        }
        assert!(wrong.is_empty(), "{wrong}");
        eprintln!("{} cases: the same", chosen.len());
        assert!(chosen.len() * step >= 600, "{} cases", chosen.len());
    }
}

// --- a small base

const MESH: &str = "\
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
";

/// A Namespace of the mesh.
fn namespace(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {{istio-injection: enabled}}}}\n"
    )
}

/// An app that is scraped; `scrape` goes into the `spec` of its VMPodScrape.
fn app(namespace: &str, name: &str, scrape: &str) -> String {
    let metadata = match namespace {
        "" => format!("{{name: {name}}}"),
        namespace => format!("{{name: {name}, namespace: {namespace}}}"),
    };
    format!(
        "\
apiVersion: apps/v1
kind: Deployment
metadata: {metadata}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
      - name: app
        image: app:1
        ports:
        - {{name: metrics, containerPort: 8080}}
        - {{name: admin, containerPort: 8081}}
---
apiVersion: operator.victoriametrics.com/v1beta1
kind: VMPodScrape
metadata: {metadata}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
{scrape}"
    )
}

const ENDPOINT: &str = "  podMetricsEndpoints:\n  - port: metrics\n";

/// A scraper; `spec` is more of its `spec`.
fn agent(spec: &str) -> String {
    format!(
        "\
apiVersion: operator.victoriametrics.com/v1beta1
kind: VMAgent
metadata: {{name: agent, namespace: monitoring}}
spec:
  selectAllByDefault: true
  remoteWrite: [{{url: 'https://metrics.example.com/api/v1/write'}}]
{spec}"
    )
}

fn stream(documents: &[&str]) -> String {
    documents.join("---\n")
}

/// An app in `shop`, and a scraper.
fn shop() -> String {
    shop_with(ENDPOINT, "")
}

fn shop_with(scrape: &str, agent_spec: &str) -> String {
    stream(&[
        MESH,
        &namespace("shop"),
        &namespace("monitoring"),
        &app("shop", "web", scrape),
        &agent(agent_spec),
    ])
}

/// Pipes a build of `base` into `patches`.
fn written_over(kustomize: &Kustomize, root: &Path, arguments: &[&str]) -> Ended {
    let build = build_of(kustomize, &root.join("base"));
    let mut all = vec!["patches", "-o", "mtls"];
    all.extend(arguments);
    ended(program(&all).current_dir(root), build.as_bytes())
}

/// The same, which has to succeed; the objects that function mode makes of the base.
fn with_component(kustomize: &Kustomize, root: &Path) -> Objects {
    let ended = written_over(kustomize, root, &[]);
    assert_eq!(ended.code, 0, "{ended}");
    by_function(&build_of(kustomize, &root.join("base")), None).expect("no findings at failOn")
}

fn same(expected: &Objects, found: Result<Objects, String>) {
    let found = found.unwrap_or_else(|said| panic!("{said}"));
    assert_eq!(changed(expected, &found), [""; 0]);
}

/// Changes a text in a file; it has to be there.
fn replace(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).expect("the file is ours");
    assert!(text.contains(from), "{} has no {from}", file.display());
    fs::write(file, text.replacen(from, to, 1)).expect("the file is ours");
}

/// Names and texts of the files of a folder.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be listed").path())
        .map(|path| {
            let name = path
                .file_name()
                .expect("a file")
                .to_string_lossy()
                .into_owned();
            (name, fs::read_to_string(&path).expect("text"))
        })
        .collect();
    files.sort();
    files
}

fn names(folder: &Path) -> Vec<String> {
    files(folder).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn the_corpus_comes_out_as_by_function() {
    let Some(corpus) = support::data("corpus", "the corpus under a Component") else {
        return;
    };
    // The directory that Kyma's engineers chose for their scraper.
    let kyma = "apiVersion: istio-scrape.dev/v1alpha1\nkind: ScrapeTLS\n\
        spec: {certificates: {directory: /etc/prometheus/secrets/istio.default}}\n";
    for (case, config, patched) in [
        ("istio-sample-podmonitor", None, 0),
        ("kube-prometheus-stack-strict", None, 3),
        ("kyma-2021-09-after-11994-as-vm", None, 12),
        ("kyma-2021-09-after-11994-as-vm", Some(kyma), 12),
        ("openshift-excluded-inbound-ports", None, 0),
        ("vm-doc", None, 2),
        ("vm-doc-permissive", None, 0),
        ("vm-operator-example-lint", None, 1),
    ] {
        let input = fs::read_to_string(corpus.join(case).join("input.yaml")).expect("an input");
        for kustomize in kustomizes() {
            let root = with_overlay(&input);
            let build = build_of(&kustomize, &root.path().join("base"));
            let ways = ["overlay", "stream"];
            match came(&kustomize, root.path(), &build, config, &ways) {
                Came::Same(objects) => assert_eq!(objects, patched, "{case}"),
                other => panic!("{case}: {other:?}"),
            }
            // Once more over what has the patches already: as it is, or an error, but nothing twice.
            let once = built(&kustomize, &root.path().join("overlay")).expect("it was built");
            add(
                root.path(),
                &[(
                    "twice/kustomization.yaml",
                    "resources: [../overlay]\ncomponents: [../mtls]\n",
                )],
            );
            match built(&kustomize, &root.path().join("twice")) {
                Ok(twice) => assert_eq!(changed(&once, &twice), [""; 0], "{case}"),
                Err(said) => assert!(said.contains("test failed"), "{case}: {said}"),
            }
        }
    }
}

/// The examples as the program itself writes them, against the function inside of the build.
#[test]
fn the_examples_come_out_as_by_function() {
    for (example, config) in [
        (
            "kustomize-exec",
            &["--config", "base/fn/scrape-tls.yaml"][..],
        ),
        ("strict", &["--config", "base/fn/scrape-tls.yaml"]),
        ("context/shop", &["--config", "base/fn/scrape-tls.yaml"]),
        ("plain-cli", &[]),
    ] {
        for kustomize in kustomizes() {
            let root = package(&[("overlay/kustomization.yaml", OVERLAY)]);
            let root = root.path();
            let with_function = root.join("with-function");
            copy(
                &support::in_repository(&format!("examples/{example}")),
                &root.join("base"),
            );
            copy(&root.join("base"), &with_function);
            let mesh = support::in_repository("examples/context/mesh");
            copy(&mesh, &root.join("mesh"));
            copy(&mesh, &with_function.join("mesh"));
            let expected = match config {
                [] => by_function(&build_of(&kustomize, &root.join("base")), None)
                    .expect("no findings"),
                _ => {
                    let file = root.join("base/kustomization.yaml");
                    replace(&file, "transformers:\n- fn/scrape-tls.yaml\n", "");
                    kustomize.build(&with_function)
                }
            };
            let ended = written_over(&kustomize, root, config);
            assert_eq!(ended.code, 0, "{example}: {ended}");
            same(&expected, built(&kustomize, &root.join("overlay")));
        }
    }
}

/// The README of the example writes it in place, and would hide that it is out of date.
#[test]
fn the_component_of_the_example_is_up_to_date() {
    let example = support::in_repository("examples/flux");
    for kustomize in kustomizes() {
        let root = package(&[]);
        copy(&example.join("base"), &root.path().join("base"));
        with_component(&kustomize, root.path());
        assert_eq!(
            files(&root.path().join("mtls")),
            files(&example.join("mtls"))
        );
    }
}

/// Texts that kustomize or kubectl would take for something else without quotes, in patches as well as in tests.
#[test]
fn texts_stay_texts() {
    let odd = [
        "on",
        "y",
        "NO",
        "~",
        "null",
        "8080",
        "0777",
        "0o17",
        "1e3",
        "0x1F",
        "1_000",
        "12e4567",
        ".inf",
        "=",
        "<<",
        "2001-12-14",
        "190:20:30",
        "a: b",
        "a #b",
        "- a",
        "@a",
        "%a",
        "\"a\"",
        "it's",
        "äb",
        "<&>",
        "a\tb",
        "{a}",
        "[a]",
        "*a",
        "!a",
        "|",
        "\\\\d",
        " a ",
    ];
    let mut input = shop();
    for (index, text) in odd.iter().enumerate() {
        let metadata = json!({"name": format!("app-{index}"), "namespace": "shop"});
        let labels = json!({"app": format!("app-{index}")});
        let container =
            json!({"name": "a", "image": "a:1", "ports": [{"name": text, "containerPort": 80}]});
        let pod = json!({"metadata": {"labels": labels}, "spec": {"containers": [container]}});
        let selector = json!({"matchLabels": labels});
        let deployment = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
            "spec": {"selector": selector, "template": pod},
        });
        let endpoint = json!({"port": text, "relabelConfigs": [{"regex": text, "replacement": text, "targetLabel": "x"}]});
        let scrape = json!({
            "apiVersion": "operator.victoriametrics.com/v1beta1", "kind": "VMPodScrape", "metadata": metadata,
            "spec": {"selector": selector, "podMetricsEndpoints": [endpoint]},
        });
        input = stream(&[&input, &yaml::block(&deployment), &yaml::block(&scrape)]);
    }
    // Where nobody says whether pods have a sidecar, a rule is added behind those that are there.
    let unknown = input.replace(&namespace("shop"), "");
    for kustomize in kustomizes() {
        for input in [&input, &unknown] {
            let root = with_overlay(input);
            let build = build_of(&kustomize, &root.path().join("base"));
            match came(
                &kustomize,
                root.path(),
                &build,
                None,
                &["overlay", "stream"],
            ) {
                Came::Same(objects) => assert_eq!(objects, odd.len() + 2),
                other => panic!("{other:?}"),
            }
        }
    }
}

// --- names

#[test]
fn names_are_those_of_the_build_below() {
    for kustomize in kustomizes() {
        let root = package(&[
            ("bare/kustomization.yaml", BASE),
            ("bare/input.yaml", &shop()),
            (
                "base/kustomization.yaml",
                "namePrefix: blue-\nresources: [../bare]\n",
            ),
            // The overlay above may rename everything again.
            (
                "overlay/kustomization.yaml",
                &format!("namePrefix: top-\n{OVERLAY}"),
            ),
            (
                "on-top/kustomization.yaml",
                "namePrefix: top-\nresources: [../base]\n",
            ),
        ]);
        let ended = written_over(&kustomize, root.path(), &[]);
        assert_eq!(ended.code, 0, "{ended}");
        let top = build_of(&kustomize, &root.path().join("on-top"));
        let expected = by_function(&top, None).expect("no findings");
        let scrape = &expected["VMPodScrape shop/top-blue-web"];
        assert_eq!(scrape["spec"]["podMetricsEndpoints"][0]["scheme"], "https");
        same(&expected, built(&kustomize, &root.path().join("overlay")));
    }
}

#[test]
fn a_patch_hits_its_object_and_no_other() {
    // `open` is plain everywhere; `web.v2` would be an expression for `webxv2`, too.
    let open = |namespace: &str, name: &str| {
        format!(
            "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {{name: {name}, namespace: '{namespace}'}}\n\
             spec: {{selector: {{matchLabels: {{app: {name}}}}}, mtls: {{mode: PERMISSIVE}}}}\n"
        )
    };
    let input = stream(&[
        MESH,
        &namespace("shop"),
        &namespace("depot"),
        &namespace("default"),
        &namespace("monitoring"),
        &app("shop", "web.v2", ENDPOINT),
        &app("shop", "webxv2", ENDPOINT),
        &open("shop", "webxv2"),
        &app("depot", "web.v2", ENDPOINT),
        &open("depot", "web.v2"),
        &app("", "web.v2", ENDPOINT),
        &app("", "alone", ENDPOINT),
        &open("default", "alone"),
        &app("shop", "alone", ENDPOINT),
        &agent(""),
    ]);
    for kustomize in kustomizes() {
        let root = with_overlay(&input);
        let expected = with_component(&kustomize, root.path());
        same(&expected, built(&kustomize, &root.path().join("overlay")));
        let is_https =
            |name: &str| expected[name]["spec"]["podMetricsEndpoints"][0]["scheme"] == "https";
        for (name, https) in [
            ("VMPodScrape shop/web.v2", true),
            ("VMPodScrape shop/webxv2", false),
            ("VMPodScrape depot/web.v2", false),
            ("VMPodScrape /web.v2", true),
            ("VMPodScrape /alone", false),
            ("VMPodScrape shop/alone", true),
        ] {
            assert_eq!(is_https(name), https, "{name}");
        }
        assert_eq!(
            names(&root.path().join("mtls")),
            [
                "kustomization.yaml",
                "objects.yaml",
                "vmagent-monitoring-agent.json6902.yaml",
                "vmagent-monitoring-agent.merge.yaml",
                "vmpodscrape-shop-alone.json6902.yaml",
                "vmpodscrape-shop-web.v2.json6902.yaml",
                "vmpodscrape-web.v2.json6902.yaml",
            ]
        );
    }
}

/// A group of its own, the same kind and the same name.
#[test]
fn a_namesake_in_another_group_is_left_alone() {
    let ours = app("shop", "web", ENDPOINT);
    let (_, scrape) = ours.split_once("---\n").expect("two documents");
    let namesake = scrape.replace(
        "operator.victoriametrics.com",
        "operator-victoriametrics.com",
    );
    let input = stream(&[&shop(), &namesake]);
    let of_group = |build: &str, group: &str| {
        let values = values(build);
        let found = values.iter().find(|value| {
            value["kind"] == "VMPodScrape" && value["apiVersion"] == format!("{group}/v1beta1")
        });
        found.expect("both are there").clone()
    };
    for kustomize in kustomizes() {
        let root = with_overlay(&input);
        let ended = written_over(&kustomize, root.path(), &[]);
        assert_eq!(ended.code, 0, "{ended}");
        let base = build_of(&kustomize, &root.path().join("base"));
        let overlay = build_of(&kustomize, &root.path().join("overlay"));
        let namesake = "operator-victoriametrics.com";
        assert_eq!(of_group(&overlay, namesake), of_group(&base, namesake));
        let patched = of_group(&overlay, "operator.victoriametrics.com");
        assert_eq!(patched["spec"]["podMetricsEndpoints"][0]["scheme"], "https");
    }
}

/// A patch that would hit two objects: kustomize selects by names of before, too.
#[test]
fn a_base_that_is_used_twice_needs_a_component_each() {
    for kustomize in kustomizes() {
        let root = package(&[
            ("bare/kustomization.yaml", BASE),
            ("bare/input.yaml", &app("shop", "web", ENDPOINT)),
            ("mesh/kustomization.yaml", BASE),
            (
                "mesh/input.yaml",
                &stream(&[MESH, &namespace("shop"), &namespace("depot")]),
            ),
            (
                "depot/kustomization.yaml",
                "namespace: depot\nresources: [../bare]\n",
            ),
            (
                "base/kustomization.yaml",
                "resources: [../bare, ../depot, ../mesh]\n",
            ),
            ("overlay/kustomization.yaml", OVERLAY),
        ]);
        let root = root.path();
        assert_eq!(written_over(&kustomize, root, &[]).code, 0);
        let said = built(&kustomize, &root.join("overlay")).expect_err("two objects");
        assert!(said.contains("multiple matches for Id"), "{said}");
    }
}

/// `blue-web` was `web` once, which is enough for a target: what is patched must not be both.
#[test]
fn a_namesake_of_before_is_left_alone_or_fails_the_build() {
    let open = "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: blue}\n\
        spec: {selector: {matchLabels: {app: blue}}, mtls: {mode: PERMISSIVE}}\n";
    // Nothing but a merge, as the number demands.
    let large =
        agent("  extraArgs: {a: 9007199254740993}\n").replace(", namespace: monitoring", "");
    let with = |here: &str, mesh: &[&str]| {
        package(&[
            ("bare/kustomization.yaml", BASE),
            ("bare/input.yaml", here),
            (
                "blue/kustomization.yaml",
                "namePrefix: blue-\nresources: [../bare]\npatches:\n\
                 - target: {kind: VMAgent}\n  patch: |\n    - {op: replace, path: /spec/selectAllByDefault, value: false}\n\
                 - target: {kind: VMPodScrape}\n  patch: |\n    - {op: replace, path: /spec/selector/matchLabels/app, value: blue}\n",
            ),
            ("mesh/kustomization.yaml", BASE),
            ("mesh/input.yaml", &stream(mesh)),
            (
                "base/kustomization.yaml",
                "namespace: shop\nresources: [../bare, ../blue, ../mesh]\n",
            ),
            ("overlay/kustomization.yaml", OVERLAY),
        ])
    };
    let scrape = app("", "web", ENDPOINT);
    for kustomize in kustomizes() {
        let strict = MESH.replace("istio-system", "shop");
        let shop = namespace("shop");
        let mesh = [strict.as_str(), shop.as_str()];
        let both = with(&scrape, &[&mesh[..], &[open, &agent("")]].concat());
        assert_eq!(written_over(&kustomize, both.path(), &[]).code, 0);
        let said = built(&kustomize, &both.path().join("overlay")).expect_err("two objects");
        assert!(
            said.contains("testing value /metadata/name failed"),
            "{said}"
        );

        let merged = with(&large, &[&mesh[..], &[&scrape]].concat());
        let expected = with_component(&kustomize, merged.path());
        assert_eq!(
            expected["VMAgent shop/blue-agent"]["spec"].get("volumes"),
            None
        );
        same(&expected, built(&kustomize, &merged.path().join("overlay")));
    }
}

// --- what no longer fits

/// Changes the base after the Component was written, and what kustomize says of that.
fn after(kustomize: &Kustomize, input: &str, from: &str, to: &str) -> Result<Objects, String> {
    let root = with_overlay(input);
    with_component(kustomize, root.path());
    replace(&root.path().join("base/input.yaml"), from, to);
    built(kustomize, &root.path().join("overlay"))
}

#[test]
fn a_patched_object_that_is_gone_fails_the_build() {
    let shop = shop();
    for kustomize in kustomizes() {
        for (from, to) in [
            (
                "kind: VMAgent\nmetadata: {name: agent,",
                "kind: VMAgent\nmetadata: {name: other,",
            ),
            (
                "kind: VMPodScrape\nmetadata: {name: web, namespace: shop}",
                "kind: VMPodScrape\nmetadata: {name: web, namespace: depot}",
            ),
            ("kind: VMPodScrape\n", "kind: VMStaticScrape\n"),
        ] {
            let said = after(&kustomize, &shop, from, to).expect_err("it is gone");
            assert!(
                said.contains("no resource matches strategic merge patch"),
                "{said}"
            );
        }
        // Without the file for that, kustomize says nothing: what it is for.
        let root = with_overlay(&shop);
        with_component(&kustomize, root.path());
        replace(
            &root.path().join("mtls/objects.yaml"),
            "---\napiVersion: operator.victoriametrics.com/v1beta1\nkind: VMPodScrape\n\
             metadata:\n  name: web\n  namespace: shop\n",
            "",
        );
        replace(
            &root.path().join("base/input.yaml"),
            "kind: VMPodScrape\nmetadata: {name: web,",
            "kind: VMPodScrape\nmetadata: {name: other,",
        );
        let silent = built(&kustomize, &root.path().join("overlay")).expect("silence");
        let endpoint = &silent["VMPodScrape shop/other"]["spec"]["podMetricsEndpoints"][0];
        assert_eq!(endpoint, &json!({"port": "metrics"}));
    }
}

#[test]
fn an_endpoint_in_front_fails_the_build() {
    let (shop, both) = (
        shop(),
        "  podMetricsEndpoints:\n  - port: admin\n  - port: metrics\n",
    );
    // Behind it nothing moves.
    let behind = "  podMetricsEndpoints:\n  - port: metrics\n  - port: admin\n";
    for kustomize in kustomizes() {
        let said = after(&kustomize, &shop, ENDPOINT, both).expect_err("another endpoint");
        assert!(
            said.contains("testing value /spec/podMetricsEndpoints/0/port failed"),
            "{said}"
        );
        let built = after(&kustomize, &shop, ENDPOINT, behind).expect("the same endpoint");
        let endpoints = &built["VMPodScrape shop/web"]["spec"]["podMetricsEndpoints"];
        assert_eq!(endpoints[0]["scheme"], "https");
        assert_eq!(endpoints[1], json!({"port": "admin"}));
    }
}

/// Two endpoints of one port are told apart by their paths.
#[test]
fn endpoints_of_one_port_that_change_places_fail_the_build() {
    let endpoints = |first: &str, second: &str| {
        format!(
            "  podMetricsEndpoints:\n  - {{port: metrics, path: /{first}}}\n  - {{port: metrics, path: /{second}}}\n"
        )
    };
    let (before, swapped) = (endpoints("a", "b"), endpoints("b", "a"));
    for kustomize in kustomizes() {
        let input = shop_with(&before, "");
        let said = after(&kustomize, &input, &before, &swapped).expect_err("they are swapped");
        assert!(said.contains("/path failed"), "{said}");
    }
}

/// A list that came later would be lost: a merge replaces it, and so does `add`.
#[test]
fn lists_and_settings_that_came_later_fail_the_build() {
    for kustomize in kustomizes() {
        let later = [
            // Nothing was there.
            (
                shop(),
                "  selectAllByDefault: true\n",
                "  selectAllByDefault: true\n  volumes: [{name: a, emptyDir: {}}]\n",
            ),
            (
                shop(),
                "  - port: metrics\n",
                "  - port: metrics\n    tlsConfig: {caFile: /own/ca.pem}\n",
            ),
            (
                shop(),
                "  - port: metrics\n",
                "  - port: metrics\n    scheme: https\n",
            ),
            // Something is added to what was there.
            (
                shop_with(ENDPOINT, "  volumes: [{name: a, emptyDir: {}}]\n"),
                "volumes: [",
                "volumes: [{name: b, emptyDir: {}}, ",
            ),
            (
                shop(),
                "  selectAllByDefault: true\n",
                "  selectAllByDefault: true\n  podMetadata: {annotations: {proxy.istio.io/config: 'concurrency: 2'}}\n",
            ),
            (
                shop_with(ENDPOINT, "  podMetadata: {labels: {team: a}}\n"),
                "podMetadata: {labels:",
                "podMetadata: {annotations: {sidecar.istio.io/userVolumeMount: '{}'}, labels:",
            ),
            // A text is edited inside.
            (
                shop_with(
                    ENDPOINT,
                    "  podMetadata: {annotations: {proxy.istio.io/config: 'concurrency: 2'}}\n",
                ),
                "concurrency: 2",
                "concurrency: 4",
            ),
        ];
        for (input, from, to) in later {
            let said = after(&kustomize, &input, from, to).expect_err("it came later");
            assert!(said.contains("test failed"), "{said}");
        }
        // Maps are merged: nothing is lost.
        let label = "  selectAllByDefault: true\n  podMetadata: {labels: {team: a}}\n";
        let built =
            after(&kustomize, &shop(), "  selectAllByDefault: true\n", label).expect("merged");
        let metadata = &built["VMAgent monitoring/agent"]["spec"]["podMetadata"];
        assert_eq!(metadata["labels"]["team"], "a");
        assert_eq!(
            metadata["annotations"]
                .as_object()
                .map(serde_json::Map::len),
            Some(2)
        );
    }
}

/// Over a build that has it already: as it is, or an error, but nothing is there twice.
#[test]
fn a_component_that_is_applied_twice_adds_nothing_twice() {
    let volumes = "  volumes: [{name: a, emptyDir: {}}]\n";
    let rules = "  podMetricsEndpoints:\n  - port: metrics\n    relabelConfigs: [{targetLabel: a, replacement: b}]\n";
    let unknown = shop_with(rules, "").replace(&namespace("shop"), "");
    for kustomize in kustomizes() {
        for input in [shop(), shop_with(ENDPOINT, volumes), unknown.clone()] {
            let root = with_overlay(&input);
            with_component(&kustomize, root.path());
            let twice = "resources: [../overlay]\ncomponents: [../mtls]\n";
            add(root.path(), &[("twice/kustomization.yaml", twice)]);
            let said = built(&kustomize, &root.path().join("twice")).expect_err("a test fails");
            assert!(said.contains("test failed"), "{said}");
        }
    }
}

// --- numbers that JSON6902 damages

#[test]
fn large_integers_are_kept_by_merges_and_refused_elsewhere() {
    let large =
        "  extraArgs: {a: 9007199254740993, b: 18446744073709551615, c: -9223372036854775808}\n";
    for kustomize in kustomizes() {
        // Only merged.
        let root = with_overlay(&shop_with(ENDPOINT, large));
        let expected = with_component(&kustomize, root.path());
        assert!(
            !root
                .path()
                .join("mtls/vmagent-monitoring-agent.json6902.yaml")
                .exists()
        );
        let found = built(&kustomize, &root.path().join("overlay"));
        same(&expected, found.clone());
        let arguments =
            &found.expect("it is the same")["VMAgent monitoring/agent"]["spec"]["extraArgs"];
        assert_eq!(
            arguments,
            &json!({"a": 9_007_199_254_740_993_u64, "b": u64::MAX, "c": i64::MIN})
        );

        // A list that is there already needs JSON6902, which would do this: it is why there is an error.
        let volumes = format!("{large}  volumes: [{{name: a, emptyDir: {{}}}}]\n");
        let root = with_overlay(&shop_with(ENDPOINT, &volumes));
        for output in ["mtls", "-"] {
            let build = build_of(&kustomize, &root.path().join("base"));
            let ended = ended(
                program(&["patches", "-o", output]).current_dir(&root),
                build.as_bytes(),
            );
            assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended}");
            for word in [
                "VMAgent monitoring/agent",
                "9007199254740993",
                "/spec/extraArgs/a",
                "quotes",
            ] {
                assert!(ended.stderr.contains(word), "{word}: {ended}");
            }
            assert!(!root.path().join("mtls").exists());
        }
        let operation = "- {op: add, path: /spec/volumes/-, value: {name: b}}\n";
        let kustomization = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n\
            patches: [{path: p.yaml, target: {kind: VMAgent}}]\n";
        add(
            root.path(),
            &[
                ("mtls/p.yaml", operation),
                ("mtls/kustomization.yaml", kustomization),
            ],
        );
        let damaged = built(&kustomize, &root.path().join("overlay")).expect("it builds");
        let arguments = &damaged["VMAgent monitoring/agent"]["spec"]["extraArgs"];
        assert_ne!(arguments["a"], json!(9_007_199_254_740_993_u64));
    }
}

// --- the folder

#[test]
fn nothing_to_patch_is_a_component_all_the_same() {
    let open = shop().replace("STRICT", "PERMISSIVE");
    for kustomize in kustomizes() {
        let root = with_overlay(&open);
        let ended = written_over(&kustomize, root.path(), &[]);
        let summary =
            "istio-scrape: wrote a Component without patches (nothing is to be patched) to mtls/\n";
        assert_eq!((ended.code, ended.stderr.as_str()), (0, summary), "{ended}");
        assert_eq!(names(&root.path().join("mtls")), ["kustomization.yaml"]);
        let base = built(&kustomize, &root.path().join("base")).expect("a build");
        same(&base, built(&kustomize, &root.path().join("overlay")));
    }
    let ended = program::run(&["patches", "-o", "-"], &open);
    insta::assert_snapshot!(ended, @"
    exit code 0
    stdout:
    # istio-scrape patches: nothing is to be patched

    stderr:
    ");
}

#[test]
fn a_second_run_brings_the_folder_up_to_date() {
    let kustomizes = kustomizes();
    let Some(kustomize) = kustomizes.first() else {
        return;
    };
    let two = stream(&[&shop(), &app("shop", "cart", ENDPOINT)]);
    let root = with_overlay(&two);
    let mtls = root.path().join("mtls");
    let summary = |ended: &Ended| ended.stderr.lines().last().unwrap_or_default().to_owned();
    let first = written_over(kustomize, root.path(), &[]);
    insta::assert_snapshot!(summary(&first), @"istio-scrape: wrote 4 patches for 3 objects to mtls/");
    add(
        root.path(),
        &[
            ("mtls/README.md", "ours\n"),
            ("mtls/own.yaml", "kind: Own\n"),
        ],
    );
    let before = files(&mtls);
    let times = |mtls: &Path| -> Vec<_> {
        let entries = fs::read_dir(mtls).expect("it is there");
        let mut times: Vec<_> = entries
            .map(|entry| entry.expect("it can be listed"))
            .map(|entry| {
                (
                    entry.file_name(),
                    entry
                        .metadata()
                        .and_then(|data| data.modified())
                        .expect("a time"),
                )
            })
            .collect();
        times.sort();
        times
    };
    let written = times(&mtls);
    let again = written_over(kustomize, root.path(), &[]);
    insta::assert_snapshot!(summary(&again), @"istio-scrape: mtls/ is up to date: 4 patches for 3 objects");
    assert_eq!(files(&mtls), before);
    assert_eq!(times(&mtls), written, "nothing was written");

    // One object less: its file goes, the others' stay.
    add(root.path(), &[("base/input.yaml", &shop())]);
    let less = written_over(kustomize, root.path(), &[]);
    insta::assert_snapshot!(summary(&less), @"istio-scrape: wrote 3 patches for 2 objects to mtls/; removed 1 file");
    assert!(!mtls.join("vmpodscrape-shop-cart.json6902.yaml").exists());
    assert_eq!(
        fs::read_to_string(mtls.join("README.md")).expect("it stays"),
        "ours\n"
    );
    assert_eq!(
        fs::read_to_string(mtls.join("own.yaml")).expect("it stays"),
        "kind: Own\n"
    );
    built(kustomize, &root.path().join("overlay")).expect("it builds");

    // Nothing to patch any more, or the build of the overlay itself.
    let build = build_of(kustomize, &root.path().join("overlay"));
    let own = ended(
        program(&["patches", "-o", "mtls"]).current_dir(&root),
        build.as_bytes(),
    );
    assert_eq!(own.code, 0, "{own}");
    insta::assert_snapshot!(own.stderr, @"
    istio-scrape: wrote a Component without patches (nothing is to be patched) to mtls/; removed 4 files
    istio-scrape: mtls/ had patches until now: if the input was built with this Component in it, restore them, and pipe in the build of what lies below the Component
    ");
    assert_eq!(
        names(&mtls),
        ["README.md", "kustomization.yaml", "own.yaml"]
    );
}

#[test]
fn what_others_wrote_is_left_as_it_is() {
    for (name, text) in [
        ("kustomization.yaml", "resources: []\n"),
        ("kustomization.yml", "resources: []\n"),
        ("Kustomization", "resources: []\n"),
        ("objects.yaml", ""),
        ("vmagent-monitoring-agent.merge.yaml", "kind: Own\n"),
    ] {
        let folder = folder(&[
            (&format!("mtls/{name}"), text),
            ("mtls/other.yaml", "kind: Own\n"),
        ]);
        let before = files(&folder.path().join("mtls"));
        let ended = ended(
            program(&["patches", "-o", "mtls"]).current_dir(&folder),
            shop().as_bytes(),
        );
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (2, ""),
            "{name}: {ended}"
        );
        assert!(ended.stderr.contains(&format!("mtls/{name}: ")), "{ended}");
        assert_eq!(files(&folder.path().join("mtls")), before);
    }
    let folder = folder(&[("mtls", "a file\n")]);
    let ended = ended(
        program(&["patches", "-o", "mtls"]).current_dir(&folder),
        shop().as_bytes(),
    );
    insta::assert_snapshot!(ended, @"
    exit code 2
    stdout:

    stderr:
    istio-scrape: mtls: this is no folder; name one for the Component
    ");
}

/// As it is when a run is killed after the first of its files.
#[test]
fn an_interrupted_run_leaves_a_folder_that_kustomize_refuses() {
    for kustomize in kustomizes() {
        let root = with_overlay(&shop());
        let expected = with_component(&kustomize, root.path());
        let mtls = root.path().join("mtls");
        let whole = files(&mtls);
        fs::remove_file(mtls.join("kustomization.yaml")).expect("the file is ours");
        let unfinished = ".kustomization.yaml.istio-scrape-unfinished";
        add(
            &mtls,
            &[
                (unfinished, "# Writ"),
                (".gone.yaml.istio-scrape-unfinished", ""),
            ],
        );
        assert!(built(&kustomize, &root.path().join("overlay")).is_err());
        with_component(&kustomize, root.path());
        assert_eq!(files(&mtls), whole);
        same(&expected, built(&kustomize, &root.path().join("overlay")));
    }
}

/// What is in the folder in the end is what one of them wrote, whole.
#[cfg(unix)]
#[test]
fn two_runs_at_once_do_not_mix_their_files() {
    let config = "apiVersion: istio-scrape.dev/v1alpha1\nkind: ScrapeTLS\n\
        spec: {certificates: {directory: /etc/other}}\n";
    let folder = folder(&[("config.yaml", config), ("shop.yaml", &shop())]);
    let (here, two) = (folder.path(), ["--config", "config.yaml"]);
    let run = |output: &str, more: &[&str]| {
        let arguments = [&["patches", "shop.yaml", "-o", output], more].concat();
        let ended = program::run_in(here, &arguments);
        assert_eq!(ended.code, 0, "{ended}");
    };
    run("a/mtls", &[]);
    run("b/mtls", &two);
    let alone = ["a/mtls", "b/mtls"].map(|output| files(&here.join(output)));
    for _ in 0..20 {
        std::thread::scope(|scope| {
            scope.spawn(|| run("mtls", &[]));
            scope.spawn(|| run("mtls", &two));
        });
        let found = files(&here.join("mtls"));
        assert!(alone.contains(&found), "{found:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_stays_as_it_is() {
    // Whoever runs this may write anywhere; a folder in the way of a file stops everybody.
    let folder = folder(&[("mtls/.objects.yaml.istio-scrape-unfinished/a", "")]);
    let ended = ended(
        program(&["patches", "-o", "mtls"]).current_dir(&folder),
        shop().as_bytes(),
    );
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended}");
    assert!(ended.stderr.contains("nothing was changed"), "{ended}");
    let entries: Vec<_> = fs::read_dir(folder.path().join("mtls"))
        .expect("it is there")
        .collect();
    assert_eq!(entries.len(), 1, "{entries:?}");
}

// --- inputs

#[test]
fn a_component_below_the_input_is_no_input() {
    let folder = folder(&[("shop.yaml", &shop())]);
    let folder = folder.path();
    let patches = |_: &str| program::run_in(folder, &["patches", ".", "-o", "mtls"]);
    let first = patches("first");
    assert_eq!(first.code, 0, "{first}");
    let before = files(&folder.join("mtls"));
    let second = patches("second");
    insta::assert_snapshot!(second, @"
    exit code 0
    stdout:

    stderr:
    info[strict-needs-tls]: only mutual TLS gets through (PeerAuthentication istio-system/default: STRICT): https, with the certificates in /etc/istio-certs
      --> VMPodScrape shop/web /spec/podMetricsEndpoints/0 (shop.yaml:35)
    info[scraper-needs-certificates]: endpoints that it selects use its sidecar's certificates: istio-proxy writes them, it reads them in /etc/istio-certs
      --> VMAgent monitoring/agent /spec (shop.yaml:41)
    istio-scrape: 2 changes
    istio-scrape: mtls/ is up to date: 3 patches for 2 objects
    ");
    assert_eq!(files(&folder.join("mtls")), before);
    // Neither is what an interrupted run left, for any command.
    fs::remove_file(folder.join("mtls/kustomization.yaml")).expect("the file is ours");
    let diff = program::run_in(folder, &["diff", "."]);
    assert!(
        !diff.stdout.contains("mtls") && diff.stderr.is_empty(),
        "{diff}"
    );
    let only = program::run_in(folder, &["patches", "mtls", "-o", "mtls"]);
    insta::assert_snapshot!(only, @"
    exit code 2
    stdout:

    stderr:
    istio-scrape: no *.yaml, *.yml or *.json to read in mtls; name files, or pipe objects in
    ");
}

#[test]
fn a_folder_with_a_kustomization_is_refused() {
    let folder = folder(&[
        ("app/base/kustomization.yaml", BASE),
        ("app/base/input.yaml", &shop()),
    ]);
    for output in ["mtls", "-"] {
        let ended = program::run_in(folder.path(), &["patches", "app", "-o", output]);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended}");
        let instead = format!("`kustomize build app/base | istio-scrape patches -o {output}`");
        assert!(ended.stderr.contains(&instead), "{ended}");
    }
    assert!(!folder.path().join("mtls").exists());
}

#[test]
fn every_form_of_input_gives_the_same_files() {
    let items = values(&shop());
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
    let resources =
        json!({"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": items});
    let written = |input: &str| {
        let folder = folder(&[]);
        let ended = ended(
            program(&["patches", "-o", "mtls"]).current_dir(&folder),
            input.as_bytes(),
        );
        assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "{ended}");
        files(&folder.path().join("mtls"))
    };
    let of_stream = written(&shop());
    assert_eq!(written(&list), of_stream);
    assert_eq!(written(&resources.to_string()), of_stream);
    // Objects in another order too.
    let reversed: Vec<Value> = items.into_iter().rev().collect();
    assert_eq!(written(&printed(&reversed)), of_stream);
}

#[test]
fn findings_at_fail_on_write_nothing() {
    let config = "apiVersion: istio-scrape.dev/v1alpha1\nkind: ScrapeTLS\nspec: {severity: {strict-needs-tls: error}}\n";
    let folder = folder(&[("config.yaml", config), ("shop.yaml", &shop())]);
    for output in ["mtls", "-"] {
        let arguments = [
            "patches",
            "--config",
            "config.yaml",
            "shop.yaml",
            "-o",
            output,
        ];
        let ended = program::run_in(folder.path(), &arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended}");
        assert!(ended.stderr.contains("error[strict-needs-tls]"), "{ended}");
        assert!(
            ended
                .stderr
                .contains("nothing was changed; 1 finding reaches failOn error"),
            "{ended}"
        );
        assert!(!folder.path().join("mtls").exists());
    }
}

/// `mode: check` is for functions and `check`; whoever asks for patches gets them.
#[test]
fn check_mode_is_of_no_account() {
    let config = "apiVersion: istio-scrape.dev/v1alpha1\nkind: ScrapeTLS\nspec: {mode: check}\n";
    let ended = program::run(&["patches", "-o", "-"], &stream(&[&shop(), config]));
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(values(&ended.stdout).len(), 2, "{ended}");
}

#[test]
fn objects_that_kustomize_cannot_name_are_told() {
    let nameless = shop().replace(
        "kind: VMAgent\nmetadata: {name: agent,",
        "kind: VMAgent\nmetadata: {generateName: agent,",
    );
    let ended = program::run(&["patches", "-o", "-"], &nameless);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended}");
    assert!(ended.stderr.contains("VMAgent without a name"), "{ended}");

    let twice = stream(&[&shop(), &agent("  volumes: [{name: a, emptyDir: {}}]\n")]);
    let ended = program::run(&["patches", "-o", "-"], &twice);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended}");
    assert!(
        ended
            .stderr
            .contains("VMAgent monitoring/agent is in the input twice"),
        "{ended}"
    );
    // Equal ones are one, as kustomize has it.
    let equal = program::run(&["patches", "-o", "-"], &stream(&[&shop(), &agent("")]));
    assert_eq!(values(&equal.stdout).len(), 2, "{equal}");
}

/// Half a stream is no report to be cut short.
#[cfg(target_os = "linux")]
#[test]
fn a_stream_that_cannot_be_written_is_an_error() {
    let full = fs::File::options().write(true).open("/dev/full");
    let mut command = program(&["patches", "-o", "-"]);
    command.stdout(full.expect("Linux has it"));
    assert_eq!(ended(&mut command, shop().as_bytes()).code, 2);
}

#[test]
fn an_output_has_to_be_named() {
    for arguments in [&["patches"][..], &["patches", "-o", ""]] {
        let ended = program::run(arguments, &shop());
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended}");
    }
}
