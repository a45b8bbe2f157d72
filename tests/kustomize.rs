//! Does `kustomize build` make of our answers what we mean?
//!
//! The real program under the real kustomize, in two versions. `make tools` installs them in `.tools/`; `KUSTOMIZE` names
//! another one. Builds are compared as values: kustomize sorts keys and prints YAML of its own.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use support::kustomize::{
    Kustomize, PROGRAM, WITH_FUNCTIONS, add, changed, copy, filter, objects, package, programs,
    said,
};
use tempfile::TempDir;

/// The kustomizes of this machine.
fn kustomizes() -> Vec<Kustomize> {
    support::kustomize::kustomizes(file!())
}

/// A copy of examples/kustomize-exec, with replacements in its files, each of which has to be found.
fn example(replacements: &[(&str, &str, &str)]) -> TempDir {
    let mut files = BTreeMap::new();
    let names = [
        "kustomization.yaml",
        "namespaces.yaml",
        "policies.yaml",
        "demo-app.yaml",
        "monitoring.yaml",
        "fn/scrape-tls.yaml",
    ];
    for name in names {
        files.insert(
            name,
            support::read(&format!("examples/kustomize-exec/{name}")),
        );
    }
    for (name, from, to) in replacements {
        let text = files.get_mut(name).expect("a file of the example");
        assert!(text.contains(from), "{name} does not contain {from}");
        *text = text.replacen(from, to, 1);
    }
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    package(&files)
}

const NO_FUNCTION: (&str, &str, &str) = (
    "kustomization.yaml",
    "transformers:\n- fn/scrape-tls.yaml\n",
    "",
);
const PERMISSIVE_MESH: (&str, &str, &str) = ("policies.yaml", "mode: STRICT", "mode: PERMISSIVE");
const NO_NAMESPACES: (&str, &str, &str) = ("kustomization.yaml", "- namespaces.yaml\n", "");

/// Settings at the end of the example's function.
fn with_settings(spec: &str) -> TempDir {
    let directory = example(&[]);
    let path = directory.path().join("fn/scrape-tls.yaml");
    let text = fs::read_to_string(&path).expect("the function is there");
    fs::write(&path, format!("{text}{spec}")).expect("a file can be written");
    directory
}

const AGENT: &str = "VMAgent vm/demo";
const SCRAPE: &str = "VMServiceScrape default/demo-app-service-scrape";

fn tls_config() -> Value {
    json!({
        "caFile": "/etc/istio-certs/root-cert.pem",
        "certFile": "/etc/istio-certs/cert-chain.pem",
        "insecureSkipVerify": true,
        "keyFile": "/etc/istio-certs/key.pem",
    })
}

// --- the guide

#[test]
fn the_guide_gives_the_agent_certificates_and_the_strict_endpoint_https() {
    for kustomize in kustomizes() {
        let before = kustomize.build(example(&[NO_FUNCTION]).path());
        let after = kustomize.build(example(&[]).path());
        assert_eq!(changed(&before, &after), [AGENT, SCRAPE]);

        let mut agent = before[AGENT].clone();
        agent["spec"]["podMetadata"] = json!({"annotations": {
            "proxy.istio.io/config": "proxyMetadata:\n  OUTPUT_CERTS: /etc/istio-certs\n",
            "sidecar.istio.io/userVolumeMount": "[{\"name\": \"istio-certs\", \"mountPath\": \"/etc/istio-certs\"}]",
        }});
        agent["spec"]["volumes"] =
            json!([{"emptyDir": {"medium": "Memory"}, "name": "istio-certs"}]);
        agent["spec"]["volumeMounts"] =
            json!([{"mountPath": "/etc/istio-certs/", "name": "istio-certs", "readOnly": true}]);
        assert_eq!(after[AGENT], agent);

        let mut scrape = before[SCRAPE].clone();
        scrape["spec"]["endpoints"][0]["scheme"] = json!("https");
        scrape["spec"]["endpoints"][0]["tlsConfig"] = tls_config();
        assert_eq!(after[SCRAPE], scrape);
    }
}

#[test]
fn under_a_permissive_mesh_the_function_might_as_well_not_be_there() {
    for kustomize in kustomizes() {
        let before = kustomize.run(
            example(&[PERMISSIVE_MESH, NO_FUNCTION]).path(),
            WITH_FUNCTIONS,
        );
        let after = kustomize.run(example(&[PERMISSIVE_MESH]).path(), WITH_FUNCTIONS);
        assert!(
            before.status.success() && after.status.success(),
            "{}",
            said(&after)
        );
        assert_eq!(
            String::from_utf8_lossy(&after.stdout),
            String::from_utf8_lossy(&before.stdout)
        );
    }
}

#[test]
fn without_namespaces_each_pod_decides_when_it_is_scraped() {
    for kustomize in kustomizes() {
        let before = kustomize.build(example(&[NO_NAMESPACES, NO_FUNCTION]).path());
        let after = kustomize.build(example(&[NO_NAMESPACES]).path());
        assert_eq!(changed(&before, &after), [AGENT, SCRAPE]);

        let endpoint = &after[SCRAPE]["spec"]["endpoints"][0];
        assert_eq!(endpoint["tlsConfig"], tls_config());
        assert_eq!(endpoint.get("scheme"), None, "{endpoint}");
        let rules = endpoint["relabelConfigs"]
            .as_array()
            .unwrap_or_else(|| panic!("no relabelling: {endpoint}"));
        assert_eq!(rules.len(), 1, "{endpoint}");
        assert_eq!(rules[0]["targetLabel"], "__scheme__");
        assert_eq!(rules[0]["replacement"], "https");
        assert_eq!(
            rules[0]["sourceLabels"][0],
            "__meta_kubernetes_pod_label_security_istio_io_tlsMode"
        );
        let permissive = &after[SCRAPE]["spec"]["endpoints"][1];
        assert_eq!(permissive, &before[SCRAPE]["spec"]["endpoints"][1]);
    }
}

#[test]
fn a_filter_behind_the_build_gives_what_the_function_gives() {
    for kustomize in kustomizes() {
        let inside = kustomize.build(example(&[]).path());
        let built = kustomize.run(example(&[NO_FUNCTION]).path(), &[]);
        let (status, stdout, stderr) = filter(&[], &built.stdout);
        assert_eq!(status, Some(0), "{stderr}");
        assert_eq!(changed(&inside, &objects(&stdout)), [""; 0]);
    }
}

#[test]
fn two_builds_give_the_same_bytes() {
    for kustomize in kustomizes() {
        let directory = example(&[]);
        let [one, two] = [0, 1].map(|_| kustomize.run(directory.path(), WITH_FUNCTIONS).stdout);
        assert_eq!(String::from_utf8_lossy(&one), String::from_utf8_lossy(&two));
    }
}

// --- failures: what the host shows, and what it must not swallow

#[test]
fn wrong_settings_fail_the_build_and_name_the_field() {
    for kustomize in kustomizes() {
        for (spec, says) in [
            ("spec:\n  faliOn: error\n", "faliOn"),
            ("spec:\n  mode: strict\n", "mode"),
            ("spec:\n  mesh: STRICT\n", "mesh"),
        ] {
            let said = kustomize.failure(with_settings(spec).path());
            assert!(said.contains(says), "{says}: {said}");
        }
    }
}

#[test]
fn an_unknown_kind_of_configuration_fails_the_build() {
    for kustomize in kustomizes() {
        let directory = example(&[("fn/scrape-tls.yaml", "kind: ScrapeTLS", "kind: ScrapeTls")]);
        let said = kustomize.failure(directory.path());
        assert!(said.contains("ScrapeTls"), "{said}");
    }
}

#[test]
fn a_finding_that_is_made_an_error_fails_the_build_and_is_shown() {
    for kustomize in kustomizes() {
        let said = kustomize
            .failure(with_settings("spec:\n  severity: {strict-needs-tls: error}\n").path());
        assert!(
            said.contains("strict-needs-tls") && said.contains("demo-app-service-scrape"),
            "{said}"
        );

        let directory = example(&[(
            "demo-app.yaml",
            "- port: exporter # its",
            "- port: nobody # its",
        )]);
        add(
            directory.path(),
            &[(
                "fn/scrape-tls.yaml",
                &function("exec:\n  path: istio-scrape", REFUSE_UNKNOWN),
            )],
        );
        let said = kustomize.failure(directory.path());
        assert!(said.contains("target-unknown"), "{said}");
    }
}

const REFUSE_UNKNOWN: &str = "spec: {targets: {unknown: refuse}}\n";

/// A function that is run so, with these settings.
fn function(run: &str, spec: &str) -> String {
    let run: String = run.lines().map(|line| format!("      {line}\n")).collect();
    format!(
        "apiVersion: istio-scrape.dev/v1alpha1\nkind: ScrapeTLS\nmetadata:\n  name: istio-scrape\n  annotations:\n    \
         config.kubernetes.io/function: |\n{run}{spec}"
    )
}

#[test]
fn a_deferred_failure_still_fails_the_build() {
    for kustomize in kustomizes() {
        let directory = example(&[]);
        let run = "deferFailure: true\nexec:\n  path: istio-scrape";
        add(
            directory.path(),
            &[(
                "fn/scrape-tls.yaml",
                &function(run, "spec: {failure: none}\n"),
            )],
        );
        let output = kustomize.run(directory.path(), WITH_FUNCTIONS);
        assert!(
            !output.status.success() && output.stdout.is_empty(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
}

#[test]
fn check_mode_fails_until_the_patches_are_there() {
    for kustomize in kustomizes() {
        let checking = with_settings("spec:\n  mode: check\n");
        let said = kustomize.failure(checking.path());
        assert!(
            said.contains("strict-needs-tls") && said.contains("scraper-needs-certificates"),
            "{said}"
        );

        let patched = kustomize.run(example(&[]).path(), WITH_FUNCTIONS).stdout;
        let kustomization = "resources: [all.yaml]\ntransformers: [fn/scrape-tls.yaml]\n";
        add(
            checking.path(),
            &[
                ("all.yaml", &String::from_utf8_lossy(&patched)),
                ("kustomization.yaml", kustomization),
            ],
        );
        let checked = kustomize.run(checking.path(), WITH_FUNCTIONS);
        assert!(checked.status.success(), "{}", self::said(&checked));
        assert_eq!(
            String::from_utf8_lossy(&checked.stdout),
            String::from_utf8_lossy(&patched)
        );
    }
}

/// The lines that name what is pending: where, and in which file.
fn places(text: &str) -> BTreeSet<&str> {
    let lines = text.lines();
    lines.filter(|line| line.starts_with("  --> ")).collect()
}

#[test]
fn check_behind_a_build_and_check_mode_within_say_the_same() {
    const FILES: (&str, &str, &str) = (
        "kustomization.yaml",
        "resources:",
        "buildMetadata: [originAnnotations]\nresources:",
    );
    for kustomize in kustomizes() {
        // Exit code 0, and nothing was done.
        let forgotten = kustomize.run(example(&[FILES]).path(), &["--enable-alpha-plugins"]);
        assert!(forgotten.status.success(), "{}", said(&forgotten));
        let (status, stdout, stderr) = filter(&["check"], &forgotten.stdout);
        assert_eq!(status, Some(1), "{stdout}{stderr}");
        assert_eq!(
            places(&stdout),
            BTreeSet::from([
                "  --> VMAgent vm/demo /spec (monitoring.yaml)",
                "  --> VMServiceScrape default/demo-app-service-scrape /spec/endpoints/0 (demo-app.yaml)",
            ])
        );

        let checking = example(&[FILES]);
        let function = function("exec:\n  path: istio-scrape", "spec: {mode: check}\n");
        add(checking.path(), &[("fn/scrape-tls.yaml", &function)]);
        let failed = kustomize.failure(checking.path());
        assert_eq!(places(&failed), places(&stdout), "{failed}");
        let verdict = stdout.lines().last().expect("a last line");
        assert!(failed.contains(verdict), "{failed}\n{stdout}");

        let patched = kustomize.run(example(&[FILES]).path(), WITH_FUNCTIONS);
        let (status, stdout, stderr) = filter(&["check"], &patched.stdout);
        assert_eq!((status, stderr.as_str()), (Some(0), ""), "{stdout}");
        assert_eq!(
            stdout,
            "everything is in place: 2 endpoints, no pending change\n"
        );
    }
}

/// `mode: check` behind the function that patches, in one list of transformers and in a kustomization of its own.
#[test]
fn a_second_function_proves_that_the_first_one_ran() {
    for kustomize in kustomizes() {
        let root = package(&[]);
        copy(example(&[]).path(), &root.path().join("deploy"));
        let check = function("exec:\n  path: istio-scrape", "spec: {mode: check}\n");
        let check = check.replacen("name: istio-scrape", "name: check", 1);
        let on_top = "resources: [../deploy]\ntransformers: [check.yaml]\n";
        add(
            root.path(),
            &[
                ("deploy/check.yaml", &check),
                ("ci/check.yaml", &check),
                ("ci/kustomization.yaml", on_top),
            ],
        );
        let ran = |folder: &str| {
            let output = kustomize.run(&root.path().join(folder), WITH_FUNCTIONS);
            assert!(output.status.success(), "{folder}: {}", said(&output));
            said(&output)
        };
        assert!(!ran("deploy").contains("everything is in place"));
        assert!(ran("ci").contains("everything is in place: 2 endpoints"));
        let file = root.path().join("deploy/kustomization.yaml");
        let text = fs::read_to_string(&file).expect("the copy is ours");
        let both = text.replace(
            "- fn/scrape-tls.yaml\n",
            "- fn/scrape-tls.yaml\n- check.yaml\n",
        );
        assert_ne!(text, both);
        fs::write(&file, &both).expect("the copy is ours");
        assert!(ran("deploy").contains("everything is in place"));
        // The check alone fails the build, also from above.
        let alone = both.replace("- fn/scrape-tls.yaml\n", "");
        fs::write(&file, alone).expect("the copy is ours");
        assert!(
            kustomize
                .failure(&root.path().join("ci"))
                .contains("2 changes are pending")
        );
    }
}

/// The first block of this language on a page.
fn shown(page: &str, language: &str) -> String {
    let text = support::read(page);
    let fence = format!("\n```{language}\n");
    let (_, rest) = text.split_once(&fence).expect("the page shows something");
    let (block, _) = rest.split_once("\n```").expect("a block ends");
    format!("{block}\n")
}

#[test]
fn the_example_of_check_shows_what_is_printed() {
    let deploy = support::in_repository("examples/check/deploy");
    for kustomize in kustomizes() {
        let forgotten = kustomize.run(&deploy, &["--enable-alpha-plugins"]);
        let (status, stdout, stderr) = filter(&["check"], &forgotten.stdout);
        assert_eq!(status, Some(1), "{stderr}");
        assert_eq!(stdout, shown("examples/check/README.md", "text"));
        // With a line nowhere, and a file everywhere: code scanning takes that.
        let (status, stdout, stderr) = filter(&["check", "-o", "sarif"], &forgotten.stdout);
        assert_eq!(status, Some(1), "{stdout}");
        assert!(!stderr.contains("name no file"), "{stderr}");
        let log: Value = serde_json::from_str(&stdout).expect("SARIF is JSON");
        for result in log["runs"][0]["results"].as_array().expect("results") {
            let place = &result["locations"][0]["physicalLocation"];
            let file = place["artifactLocation"]["uri"].as_str().expect("a file");
            assert!(deploy.join(file).is_file(), "{file}");
            assert_eq!(place.get("region"), None);
        }
    }
}

#[cfg(unix)]
#[test]
fn the_example_of_a_fleet_shows_what_is_printed() {
    let fleet = support::in_repository("examples/fleet");
    for kustomize in kustomizes() {
        let reports = package(&[]);
        let programs = [PROGRAM.as_ref(), kustomize.0.as_path()].map(|program: &Path| {
            program
                .parent()
                .expect("a program lies in a folder")
                .to_owned()
        });
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths(programs.into_iter().chain(env::split_paths(&path)))
            .expect("PATH can be joined again");
        let script = |name: &str, arguments: &[&OsStr]| {
            let output = Command::new(fleet.join(name))
                .args(arguments)
                .env("PATH", &path)
                .output()
                .expect("a script starts");
            let printed = String::from_utf8_lossy(&output.stdout).into_owned();
            (output.status.code(), printed)
        };
        let one = |name: &str| script("check-one", &[reports.path().as_ref(), name.as_ref()]).0;
        let summary = || {
            let names = fleet.join("clusters.txt");
            script("summary", &[names.as_ref(), reports.path().as_ref()])
        };
        assert_eq!(one("berlin"), Some(0));
        assert_eq!(one("lima"), Some(1));
        assert_eq!(one("oslo"), Some(0));
        assert_eq!(one("nowhere"), Some(2));
        assert!(!reports.path().join("nowhere.json").exists());
        // One is missing.
        let (status, printed) = summary();
        assert_eq!(status, Some(2), "{printed}");
        assert_eq!(one("perth"), Some(0));
        let (status, printed) = summary();
        assert_eq!(status, Some(1), "{printed}");
        assert_eq!(printed, shown("examples/fleet/README.md", "text"));
    }
}

#[test]
fn without_the_flags_the_function_does_not_run_and_diff_notices() {
    for kustomize in kustomizes() {
        let directory = example(&[]);
        for flags in [&[][..], &["--enable-exec"]] {
            let output = kustomize.run(directory.path(), flags);
            assert!(!output.status.success(), "{flags:?}");
            assert!(
                said(&output).contains("external plugins disabled"),
                "{}",
                said(&output)
            );
        }
        // Without --enable-exec kustomize says nothing: the build succeeds and is not patched.
        let silent = kustomize.run(directory.path(), &["--enable-alpha-plugins"]);
        assert!(silent.status.success(), "{}", said(&silent));
        let plain = kustomize.run(example(&[NO_FUNCTION]).path(), &[]);
        assert_eq!(
            String::from_utf8_lossy(&silent.stdout),
            String::from_utf8_lossy(&plain.stdout)
        );
        let (status, _, stderr) = filter(&["diff"], &silent.stdout);
        assert_eq!(status, Some(1), "{stderr}");
        let patched = kustomize.run(directory.path(), WITH_FUNCTIONS);
        let (status, stdout, stderr) = filter(&["diff"], &patched.stdout);
        assert_eq!(status, Some(0), "{stdout}{stderr}");
    }
}

// --- where the program is found

#[test]
fn a_program_that_is_not_there_fails_the_build() {
    for kustomize in kustomizes() {
        let directory = example(&[(
            "fn/scrape-tls.yaml",
            "path: istio-scrape",
            "path: istio-scrape-is-not-here",
        )]);
        let output = kustomize.run(directory.path(), WITH_FUNCTIONS);
        assert!(!output.status.success() && output.stdout.is_empty());
        assert!(
            said(&output).contains("executable file not found"),
            "{}",
            said(&output)
        );
    }
}

#[cfg(unix)]
#[test]
fn the_program_is_found_by_relative_and_by_absolute_path_and_through_links() {
    for kustomize in kustomizes() {
        let expected = kustomize.build(example(&[]).path());
        for path in ["./bin/istio-scrape", "../istio-scrape", PROGRAM] {
            let outer = package(&[]);
            let inner = outer.path().join("inner");
            let text = function(&format!("exec:\n  path: {path}"), "");
            copy(example(&[]).path(), &inner);
            add(&inner, &[("fn/scrape-tls.yaml", &text), ("bin/readme", "")]);
            // Links, not copies: a program that was written a moment ago may still be busy.
            for link in [
                inner.join("bin/istio-scrape"),
                outer.path().join("istio-scrape"),
            ] {
                std::os::unix::fs::symlink(PROGRAM, link).expect("a link can be made");
            }
            let nothing = package(&[]);
            let output = kustomize.run_with_path(&inner, WITH_FUNCTIONS, nothing.path());
            assert!(output.status.success(), "{path}: {}", said(&output));
            let found = objects(&String::from_utf8_lossy(&output.stdout));
            assert_eq!(changed(&expected, &found), [""; 0], "{path}");
        }
    }
}

// --- what kustomize does with names, layers and nothing at all

const GENERATED: &str = "\
namePrefix: p-
resources: [app.yaml]
configMapGenerator:
- name: settings
  namespace: default
  literals: [colour=green]
";
const APP: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, namespace: default}
spec:
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      containers:
      - name: app
        image: app:1
        envFrom:
        - configMapRef: {name: settings}
";

#[test]
fn references_to_generated_names_stay_right() {
    for kustomize in kustomizes() {
        let function = function("exec:\n  path: istio-scrape", "");
        let plain = package(&[("kustomization.yaml", GENERATED), ("app.yaml", APP)]);
        let before = kustomize.build(plain.path());
        let with = format!("{GENERATED}transformers: [fn.yaml]\n");
        let patched = package(&[
            ("kustomization.yaml", &with),
            ("app.yaml", APP),
            ("fn.yaml", &function),
        ]);
        let after = kustomize.build(patched.path());
        assert_eq!(changed(&before, &after), [""; 0]);

        let reference = &after["Deployment default/p-app"]["spec"]["template"]["spec"]["containers"]
            [0]["envFrom"][0];
        let name = reference["configMapRef"]["name"]
            .as_str()
            .expect("a reference has a name");
        assert!(
            name.starts_with("p-settings-"),
            "no prefix or no hash: {name}"
        );
        assert!(
            after.contains_key(&format!("ConfigMap default/{name}")),
            "{name}: {:?}",
            after.keys()
        );
    }
}

#[test]
fn an_overlay_over_a_base_gives_the_same_decisions_wherever_the_function_is() {
    for kustomize in kustomizes() {
        let root = package(&[]);
        copy(example(&[]).path(), &root.path().join("base"));
        copy(example(&[NO_FUNCTION]).path(), &root.path().join("bare"));
        let function = function("exec:\n  path: istio-scrape", "");
        let component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ntransformers: [fn.yaml]\n";
        add(
            root.path(),
            &[
                (
                    "in-base/kustomization.yaml",
                    "namePrefix: p-\nresources: [../base]\n",
                ),
                (
                    "on-top/kustomization.yaml",
                    "namePrefix: p-\nresources: [../bare]\ntransformers: [fn.yaml]\n",
                ),
                ("on-top/fn.yaml", &function),
                ("component/kustomization.yaml", component),
                ("component/fn.yaml", &function),
                (
                    "by-component/kustomization.yaml",
                    "namePrefix: p-\nresources: [../bare]\ncomponents: [../component]\n",
                ),
                (
                    "twice/kustomization.yaml",
                    "namePrefix: p-\nresources: [../base]\ntransformers: [fn.yaml]\n",
                ),
                ("twice/fn.yaml", &function),
            ],
        );
        let expected = kustomize.build(&root.path().join("on-top"));
        let scrape = &expected["VMServiceScrape default/p-demo-app-service-scrape"];
        assert_eq!(scrape["spec"]["endpoints"][0]["tlsConfig"], tls_config());
        assert!(
            expected["VMAgent vm/p-demo"]["spec"]
                .get("volumes")
                .is_some()
        );
        for other in ["in-base", "by-component", "twice"] {
            assert_eq!(
                changed(&expected, &kustomize.build(&root.path().join(other))),
                [""; 0],
                "{other}"
            );
        }
    }
}

#[test]
fn an_empty_kustomization_stays_empty() {
    for kustomize in kustomizes() {
        let function = function("exec:\n  path: istio-scrape", "");
        let directory = package(&[
            ("kustomization.yaml", "transformers: [fn.yaml]\n"),
            ("fn.yaml", &function),
        ]);
        assert!(kustomize.build(directory.path()).is_empty());
    }
}

// --- facts from outside the build

/// The example with its policies beside the build, in `policies` as seen from the kustomization.
fn with_context(policies: &str) -> TempDir {
    let directory = example(&[("kustomization.yaml", "- policies.yaml\n", "")]);
    let root = directory.path();
    let text = fs::read_to_string(root.join("policies.yaml")).expect("the example has policies");
    fs::remove_file(root.join("policies.yaml")).expect("the copy is ours");
    add(root, &[(policies, &text)]);
    let function = root.join("fn/scrape-tls.yaml");
    let settings = fs::read_to_string(&function).expect("the function is there");
    let settings = format!("{settings}spec: {{context: {{files: [{policies}]}}}}\n");
    fs::write(function, settings).expect("the copy is ours");
    directory
}

#[test]
fn context_files_are_found_from_the_folder_of_the_kustomization() {
    for kustomize in kustomizes() {
        let with = kustomize.build(example(&[]).path());
        let directory = with_context("mesh/policies.yaml");
        let after = kustomize.build(directory.path());
        assert_eq!(after[SCRAPE], with[SCRAPE]);
        assert_eq!(after[AGENT], with[AGENT]);
        assert!(
            !after
                .keys()
                .any(|name| name.starts_with("PeerAuthentication"))
        );
        // The same from within that folder.
        let output = Command::new(&kustomize.0)
            .args(["build", "."])
            .args(WITH_FUNCTIONS)
            .env("PATH", programs())
            .current_dir(directory.path())
            .output()
            .expect("kustomize starts");
        assert_eq!(
            objects(&String::from_utf8_lossy(&output.stdout)),
            after,
            "{}",
            said(&output)
        );
    }
}

#[test]
fn context_files_outside_the_folder_need_a_root() {
    let example = support::in_repository("examples/context");
    for kustomize in kustomizes() {
        let said = kustomize.failure(&example.join("shop"));
        assert!(said.contains("mesh: there is no such file"), "{said}");
        let build = |root: &Path| {
            Command::new(&kustomize.0)
                .arg("build")
                .args(WITH_FUNCTIONS)
                .arg(example.join("shop"))
                .env("PATH", programs())
                .env("ISTIO_SCRAPE_CONTEXT_ROOT", root)
                .output()
                .expect("kustomize starts")
        };
        let built = build(&example);
        let built = objects(&String::from_utf8_lossy(&built.stdout));
        let names: Vec<_> = built.keys().collect();
        assert_eq!(names, ["Deployment shop/orders", "VMPodScrape shop/orders"]);
        let endpoint = &built["VMPodScrape shop/orders"]["spec"]["podMetricsEndpoints"][0];
        assert_eq!(endpoint["scheme"], "https");
        assert!(!build(&example.join("mesh")).status.success());
    }
}

/// The comment that the page of the example shows is the one that its commands make.
#[test]
fn the_comment_on_the_page_is_what_is_printed() {
    let folder = support::in_repository("examples/pull-request");
    let page = support::read("examples/pull-request/README.md");
    let shown = page
        .split_once("<!-- printed -->\n")
        .and_then(|(_, rest)| rest.split_once("<!-- end -->"))
        .expect("the page shows a comment")
        .0;
    for kustomize in kustomizes() {
        let built = kustomize.run(&folder, &[]);
        assert!(built.status.success(), "{}", said(&built));
        let mut explain = Command::new(PROGRAM)
            .args(["explain", "-o", "markdown"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = explain.stdin.take().expect("stdin is piped");
        stdin
            .write_all(&built.stdout)
            .expect("the program reads it all");
        drop(stdin);
        let output = explain.wait_with_output().expect("the program ends");
        let printed = String::from_utf8_lossy(&output.stdout);
        assert_eq!(
            shown, printed,
            "\nexamples/pull-request/README.md shows\n{shown}\nbut this is printed\n{printed}"
        );
    }
}
