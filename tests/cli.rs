//! The command: arguments, files, streams and exit codes.

#![allow(unreachable_pub, missing_docs)]

#[path = "support/program.rs"]
mod program;

use std::fs::File;
use std::process::Stdio;

use insta::assert_snapshot;
use program::{Ended, ended, folder, program, run, run_in};

const CONFIG: &str =
    "apiVersion: istio-scrape.dev/v1alpha1\nkind: ScrapeTLS\nmetadata: {name: config}\n";

fn succeeded(ended: &Ended, stdout: &str) {
    assert_eq!((ended.code, ended.stdout.as_str()), (0, stdout), "{ended}");
}

#[test]
fn every_form_comes_back_as_it_came() {
    for text in [
        "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- kind: A # a\n- \n- {kind: B}\n",
        "apiVersion: v1\nkind: List\nitems:\n  - kind: A\n",
        "kind: A\n---\nkind: B\n...\n",
        "{\"kind\":\"A\"}",
        "\u{feff}kind: A\r\n---\r\nkind: B",
    ] {
        for arguments in [&[][..], &["-"]] {
            let ended = run(arguments, text);
            succeeded(&ended, text);
            assert_eq!(ended.stderr, "");
        }
    }
}

#[test]
fn help_and_version_win_over_stdin() {
    for arguments in [["--help"], ["--version"], ["-h"], ["-V"]] {
        let ended = run(
            &arguments,
            "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n",
        );
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
        assert!(!ended.stdout.contains("ResourceList\n"), "{ended}");
    }
    assert_snapshot!(run(&["--help"], "").stdout, @"
    Gives scrape endpoints under Istio STRICT mTLS the certificates they need, and only those.

    Reads a ResourceList (kustomize, kpt), a List or a stream of YAML or JSON documents, and writes the
    same bytes with the patches in them.

    Usage: istio-scrape [--config <FILE>] [--report <FILE>] [INPUT]...
           istio-scrape [--config <FILE>] <COMMAND> [INPUT]...

    Commands:
      explain       Say of every endpoint and scraper what is decided, why, and which object decided it
      check         Say what is not in place; exit code 1 if a change is pending or a finding reaches
                    --fail-on
      diff          Show what would change, as a unified diff; exit code 1 if anything would
      patches       Write what would change as a Kustomize Component, for hosts that run no functions
      mesh-metrics  Print objects that scrape Istio itself, and alerts
      schema        Print a JSON Schema: of the configuration, or of what `explain -o json` prints
      completion    Print completions for a shell
      man           Print the man page, in roff

    Arguments:
      [INPUT]...
              Files, directories (every *.yaml, *.yml, *.json below) or `-` for stdin; without any,
              stdin

    Options:
          --config <FILE>
              Configuration: one object of kind ScrapeTLS or ConfigMap, for mesh-metrics MeshMetrics

          --report <FILE>
              Write what was decided and why to FILE, as `explain -o json` does [env:
              ISTIO_SCRAPE_REPORT]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Examples:
      kustomize build . | istio-scrape | kubectl apply -f -
      istio-scrape explain manifests/
      istio-scrape diff --config config.yaml manifests/
      kustomize build . | istio-scrape check

    Exit codes: 0 done; 1 findings, a pending change (check), a difference (diff); 2 could not run.
    ");
}

#[test]
fn wrong_arguments_are_refused() {
    assert_snapshot!(run(&["--nope"], "kind: A\n"), @"
    exit code 2
    stdout:

    stderr:
    error: unexpected argument '--nope' found

      tip: to pass '--nope' as a value, use '-- --nope'

    Usage: istio-scrape [--config <FILE>] [--report <FILE>] [INPUT]...
           istio-scrape [--config <FILE>] <COMMAND> [INPUT]...

    For more information, try '--help'.
    ");
    assert_snapshot!(run(&["--report", "r.json", "explain"], "kind: A\n"), @"
    exit code 2
    stdout:

    stderr:
    error: --report belongs to the plain run; for a report on stdout use `explain -o json`

    Usage: istio-scrape [--config <FILE>] [--report <FILE>] [INPUT]...
           istio-scrape [--config <FILE>] <COMMAND> [INPUT]...

    For more information, try '--help'.
    ");
    assert_snapshot!(run(&["explain", "-o", "xml"], "kind: A\n"), @"
    exit code 2
    stdout:

    stderr:
    error: invalid value 'xml' for '--output <OUTPUT>'
      [possible values: table, json, markdown]

    For more information, try '--help'.
    ");
    assert_snapshot!(run(&["-", "-"], "kind: A\n"), @"
    exit code 2
    stdout:

    stderr:
    istio-scrape: stdin is to be read twice, but can be read only once; name a file in place of one `-`
    ");
    assert_snapshot!(run(&["explian", "a.yaml"], "").stderr, @"
    error: there is no file explian; did you mean the command explain?

    Usage: istio-scrape [--config <FILE>] [--report <FILE>] [INPUT]...
           istio-scrape [--config <FILE>] <COMMAND> [INPUT]...

    For more information, try '--help'.
    ");
    assert_snapshot!(run(&["help"], "").stderr, @"
    error: there is no file help; did you mean --help?

    Usage: istio-scrape [--config <FILE>] [--report <FILE>] [INPUT]...
           istio-scrape [--config <FILE>] <COMMAND> [INPUT]...

    For more information, try '--help'.
    ");
    assert_snapshot!(run(&["--config", "-"], CONFIG).stderr, @"istio-scrape: stdin is to be read twice, but can be read only once; name a file in place of one `-`");
    assert_snapshot!(run(&["no-such.yaml"], ""), @"
    exit code 2
    stdout:

    stderr:
    istio-scrape: no-such.yaml: No such file or directory (os error 2); check the path and its permissions
    ");
}

#[test]
fn a_file_may_be_called_nearly_like_a_command() {
    let files = folder(&[("explian", "kind: A\n"), ("a.yaml", "kind: B\n")]);
    succeeded(&run_in(files.path(), &["explian"]), "kind: A\n");
    for other in ["x.explain", "./explian2", "manifests"] {
        let ended = run_in(files.path(), &[other]);
        assert!(
            ended.code == 2 && ended.stderr.contains("No such file"),
            "{ended}"
        );
    }
}

/// Every problem has the line of the file in which somebody can mend it; where only a host knows the file, none.
#[test]
fn what_is_wrong_with_a_configuration_is_said_with_its_line() {
    let spec = "spec:\n  failon: never\n  mesh:\n    excludeInboundPorts:\n    - 80\n    - http\n";
    let ours = "apiVersion: istio-scrape.dev/v1alpha1\nkind: ScrapeTLS\nmetadata:\n  name: a\n";
    let severity = "spec:\n  severity:\n    # known\n    stale-tls: off\n    stale-tsl: off\n";
    let map = "apiVersion: v1\nkind: ConfigMap\ndata:\n  mode: patch\n  severity.stale-tsl: off\n";
    let files = folder(&[
        ("fn/a.yaml", &format!("{ours}{spec}")),
        ("severity.yaml", &format!("{ours}{severity}")),
        ("map.yaml", map),
        ("input.yaml", "kind: A\n"),
    ]);
    for (arguments, said) in [
        (
            &["--config", "fn/a.yaml", "input.yaml"][..],
            "fn/a.yaml:6: spec.failon is no field (did you mean failOn?)",
        ),
        (
            &["--config", "fn/a.yaml", "input.yaml"],
            "fn/a.yaml:10: spec.mesh.excludeInboundPorts[1] is",
        ),
        (
            &["input.yaml", "fn/a.yaml"],
            "fn/a.yaml:6: spec.failon is no field",
        ),
        (
            &["--config", "severity.yaml", "input.yaml"],
            "severity.yaml:9: severity.stale-tsl names no rule (did you mean stale-tls?)",
        ),
        (
            &["--config", "map.yaml", "input.yaml"],
            "map.yaml:5: severity.stale-tsl names no rule",
        ),
    ] {
        let ended = run_in(files.path(), arguments);
        let has_line = ended
            .stderr
            .lines()
            .any(|line| line.trim_start().starts_with(said));
        assert!(ended.code == 2 && has_line, "{said}: {ended}");
    }
    let of_host = format!(
        "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\nfunctionConfig:\n  {}\n",
        format!("{ours}{spec}").trim_end().replace('\n', "\n  ")
    );
    let ended = run(&[], &of_host);
    let has_none = ended
        .stderr
        .lines()
        .any(|line| line.starts_with("  spec.failon is no field"));
    assert!(ended.code == 2 && has_none, "{ended}");
}

/// Who forgets `-` behind the configuration has nothing checked: that must not look like a check that passes.
#[test]
fn nothing_but_configuration_is_refused_by_every_command() {
    let files = folder(&[("c.yaml", CONFIG)]);
    let commands: [&[&str]; 6] = [
        &["c.yaml"],
        &["check", "c.yaml"],
        &["check", "-o", "sarif", "c.yaml"],
        &["diff", "c.yaml"],
        &["explain", "c.yaml"],
        &["patches", "-o", "-", "c.yaml"],
    ];
    for command in commands {
        let ended = run_in(files.path(), command);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{command:?}");
        assert_eq!(
            ended.stderr.trim_end(),
            "istio-scrape: the input is nothing but configuration; name the objects too (`-` for stdin), or use --config",
            "{command:?}"
        );
    }
}

/// A configuration that is none is said to be none, and not run without.
#[test]
fn what_is_no_configuration_is_refused() {
    let files = folder(&[
        ("kustomization.yaml", "resources: []\n"),
        (
            "deployment.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n",
        ),
        (
            "capitals.yaml",
            "apiVersion: istio-scrape.dev/v1alpha1\nkind: ScrapeTls\nmetadata: {name: a}\n",
        ),
        ("input.yaml", "kind: A\n"),
    ]);
    for (arguments, said) in [
        (
            &["--config", "kustomization.yaml", "input.yaml"][..],
            "kustomization.yaml is no configuration of this function: it is an object without kind; give kind ScrapeTLS",
        ),
        (
            &["--config", "deployment.yaml", "input.yaml"],
            "it is kind Deployment (apiVersion apps/v1); give kind ScrapeTLS",
        ),
        (
            &["--config", "capitals.yaml", "input.yaml"],
            "it is kind ScrapeTls (apiVersion istio-scrape.dev/v1alpha1); give kind ScrapeTLS",
        ),
        (
            &["capitals.yaml", "input.yaml"],
            "it is kind ScrapeTls (apiVersion istio-scrape.dev/v1alpha1); give kind ScrapeTLS",
        ),
        (
            &["--config", "no-such.yaml", "input.yaml"],
            "no-such.yaml: No such file",
        ),
    ] {
        let ended = run_in(files.path(), arguments);
        assert!(
            ended.code == 2 && ended.stdout.is_empty() && ended.stderr.contains(said),
            "{said}: {ended}"
        );
    }
}

#[test]
fn files_are_one_stream() {
    let files = folder(&[("a.yaml", "kind: A"), ("b.yaml", "kind: B\n")]);
    succeeded(
        &run_in(files.path(), &["b.yaml", "a.yaml"]),
        "kind: B\n---\nkind: A",
    );
}

#[test]
fn a_configuration_among_the_inputs_is_left_out() {
    let files = folder(&[("config.yaml", CONFIG), ("input.yaml", "kind: A\n")]);
    let standalone = ended(
        program(&["config.yaml", "input.yaml", "-"]).current_dir(&files),
        b"kind: B\n",
    );
    assert_snapshot!(standalone, @"
    exit code 0
    stdout:
    kind: A
    ---
    kind: B

    stderr:
    config.yaml:1 (object 1, named config): ScrapeTLS is configuration and left out of the output
    ");
    let unused = run_in(
        files.path(),
        &["--config", "config.yaml", "config.yaml", "input.yaml"],
    );
    assert_snapshot!(unused, @"
    exit code 0
    stdout:
    kind: A

    stderr:
    config.yaml:1 (object 1, named config): ScrapeTLS is configuration and left out of the output; config.yaml is the configuration
    ");
    let stream = run(&[], &format!("kind: A\n---\n{CONFIG}---\nkind: B\n"));
    assert_snapshot!(stream, @"
    exit code 0
    stdout:
    kind: A
    ---
    kind: B

    stderr:
    stdin:3 (object 2, named config): ScrapeTLS is configuration and left out of the output
    ");
}

#[test]
fn a_configuration_in_a_resource_list_is_passed_on() {
    let list = "\
apiVersion: config.kubernetes.io/v1
kind: ResourceList
items:
- apiVersion: istio-scrape.dev/v1alpha1
  kind: ScrapeTLS
  metadata: {name: fn, annotations: {config.kubernetes.io/local-config: 'true'}}
functionConfig:
  apiVersion: istio-scrape.dev/v1alpha1
  kind: ScrapeTLS
  metadata: {name: fn}
";
    let ended = run(&[], list);
    succeeded(&ended, list);
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_config_map_counts_only_where_it_is_given_as_configuration() {
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {mode: wrong}\n";
    succeeded(&run(&[], map), map);
    let files = folder(&[
        ("config.yaml", map),
        ("two.yaml", "kind: A\n---\nkind: B\n"),
        ("a.yaml", "kind: A\n"),
    ]);
    assert_snapshot!(run_in(files.path(), &["--config", "config.yaml", "a.yaml"]), @r#"
    exit code 2
    stdout:

    stderr:
    istio-scrape: the configuration in config.yaml is refused:
      config.yaml:4: data.mode is "wrong"; allowed: patch, check
    "#);
    assert_snapshot!(ended(program(&["--config", "-", "config.yaml", "a.yaml"]).current_dir(&files), CONFIG.as_bytes()), @"
    exit code 0
    stdout:
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: a}
    data: {mode: wrong}
    ---
    kind: A

    stderr:
    ");
    assert_snapshot!(run_in(files.path(), &["--config", "two.yaml", "a.yaml"]), @"
    exit code 2
    stdout:

    stderr:
    istio-scrape: --config two.yaml holds 2 objects; it must hold one: the configuration
    ");
    assert_snapshot!(run_in(files.path(), &["--config", "none.yaml", "a.yaml"]), @"
    exit code 2
    stdout:

    stderr:
    istio-scrape: none.yaml: No such file or directory (os error 2); check the path and its permissions
    ");
}

#[test]
fn a_file_beside_a_function_config_is_refused() {
    let files = folder(&[("config.yaml", CONFIG)]);
    let list = |data: &str| {
        format!(
            "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\nfunctionConfig: {{apiVersion: v1, kind: ConfigMap, data: {data}}}\n"
        )
    };
    let with_file = |text: &str| {
        ended(
            program(&["--config", "config.yaml"]).current_dir(&files),
            text.as_bytes(),
        )
    };
    assert_snapshot!(with_file(&list("{mode: patch}")), @"
    exit code 2
    stdout:
    apiVersion: config.kubernetes.io/v1
    kind: ResourceList
    items: []
    functionConfig: {apiVersion: v1, kind: ConfigMap, data: {mode: patch}}
    results:
    - message: the configuration is given twice, in functionConfig and with --config config.yaml; remove one of them
      severity: error

    stderr:
    istio-scrape: the configuration is given twice, in functionConfig and with --config config.yaml; remove one of them
    ");
    succeeded(&with_file(&list("{}")), &list("{}"));
    assert_snapshot!(run(&[], &list("{severity.a: off, namespace: 007, mode: off}")).stderr, @r#"
    istio-scrape: the configuration in functionConfig is refused:
      data.mode is "off"; allowed: patch, check
    "#);
}

#[test]
fn a_folder_is_read_to_the_bottom_in_the_order_of_names() {
    let files = folder(&[
        ("b/z.yml", "kind: B\n"),
        ("a.yaml", "kind: A\n"),
        ("c.json", "{\"kind\": \"C\"}\n"),
        ("values.yaml", "image: x\n"),
        ("README.md", "not: yaml: at all\n"),
        ("empty.yaml", ""),
        (".git/config.yaml", "kind: Hidden\n"),
        ("chart/Chart.yaml", "name: chart\n"),
        ("chart/templates/a.yaml", "kind: {{ .Kind }}\n"),
    ]);
    assert_snapshot!(run_in(files.path(), &["."]), @r#"
    exit code 0
    stdout:
    kind: A
    ---
    kind: B
    ---
    {"kind": "C"}

    stderr:
    ./.git: hidden, skipped
    ./chart: Helm chart, skipped; for its objects run `helm template ./chart | istio-scrape`
    values.yaml:1 (object 1): skipped, it is no object with `kind`
    "#);
}

#[test]
fn what_a_kustomization_uses_is_no_resource() {
    let files = folder(&[
        ("base/kustomization.yaml", "resources: [a.yaml]\n"),
        ("base/a.yaml", "kind: A\n"),
        (
            "prod/kustomization.yaml",
            "resources: [../base]\npatches: [{path: patch.yaml}]\ntransformers: [tls.yaml]\ncomponents: [../extra/]\n",
        ),
        ("prod/patch.yaml", "kind: A\nmetadata: {name: a}\n"),
        (
            "prod/tls.yaml",
            "apiVersion: istio-scrape.dev/v1alpha1\nkind: ScrapeTLS\nmetadata: {name: fn}\nspec: {mode: wrong}\n",
        ),
        (
            "extra/kustomization.yaml",
            "kind: Component\nresources: [b.yaml]\n",
        ),
        ("extra/b.yaml", "kind: B\n"),
    ]);
    assert_snapshot!(run_in(files.path(), &["."]), @r#"
    exit code 2
    stdout:

    stderr:
    ./base and 2 other folders: kustomization, read but not built; for what it builds run `kustomize build ./base | istio-scrape`
    istio-scrape: the configuration in prod/tls.yaml:1 (object 1, named fn) is refused:
      prod/tls.yaml:4: spec.mode is "wrong"; allowed: patch, check
    "#);
    std::fs::write(files.path().join("prod/tls.yaml"), CONFIG).unwrap();
    assert_snapshot!(run_in(files.path(), &["."]), @"
    exit code 0
    stdout:
    kind: A

    stderr:
    ./base and 2 other folders: kustomization, read but not built; for what it builds run `kustomize build ./base | istio-scrape`
    ");
}

#[test]
fn a_folder_without_files_is_refused() {
    let files = folder(&[("chart/Chart.yaml", "name: chart\n"), ("README.md", "")]);
    assert_snapshot!(run_in(files.path(), &["."]), @"
    exit code 2
    stdout:

    stderr:
    istio-scrape: no *.yaml, *.yml or *.json to read in .; name files, or pipe objects in
      ./chart: Helm chart, skipped; for its objects run `helm template ./chart | istio-scrape`
    ");
}

#[test]
fn the_report_says_what_stderr_says() {
    let files = folder(&[]);
    let read = |name: &str| std::fs::read_to_string(files.path().join(name)).unwrap();
    let guide = std::fs::read("testdata/strict-needs-tls--guide/input.yaml").unwrap();
    let good = ended(
        program(&["--report", "good.json"]).current_dir(&files),
        &guide,
    );
    let report: serde_json::Value = serde_json::from_str(&read("good.json")).unwrap();
    assert_eq!(report["summary"]["changes"], 2);
    for decision in report["decisions"].as_array().unwrap() {
        let rule = decision["rule"].as_str().unwrap();
        assert!(good.stderr.contains(rule), "{rule} is not on stderr");
    }
    let failed = ended(
        program(&[])
            .current_dir(&files)
            .env("ISTIO_SCRAPE_REPORT", "bad.json"),
        b"",
    );
    assert_eq!(failed.code, 2);
    assert_snapshot!(read("bad.json"), @r#"
    {
      "version": 1,
      "error": "stdin is empty; check the command or file that it comes from (an empty `items: []` is allowed)"
    }
    "#);
    let files_and_input = folder(&[("a.yaml", "kind: A\n")]);
    let overwriting = run_in(files_and_input.path(), &["--report", "a.yaml", "a.yaml"]);
    assert_eq!(overwriting.code, 2);
    let kept = std::fs::read_to_string(files_and_input.path().join("a.yaml")).unwrap();
    assert_eq!(kept, "kind: A\n", "the input is not overwritten");
    let configured = folder(&[("a.yaml", "kind: A\n"), ("c.yaml", CONFIG)]);
    let overwriting = ["--config", "c.yaml", "--report", "./c.yaml", "a.yaml"];
    assert_snapshot!(run_in(configured.path(), &overwriting).stderr, @"istio-scrape: ./c.yaml: the report would overwrite what is read; name another file");
    let kept = std::fs::read_to_string(configured.path().join("c.yaml")).unwrap();
    assert_eq!(kept, CONFIG, "the configuration is not overwritten");
    let to_stdout = run_in(configured.path(), &["--report", "-", "a.yaml"]);
    assert_snapshot!(to_stdout, @"
    exit code 2
    stdout:

    stderr:
    istio-scrape: stdout is for the objects, so the report needs a file; for a report on stdout use `explain -o json`
    ");
    assert!(!configured.path().join("-").exists());
    let unwritable = ended(
        program(&["--report", "no/such.json"]).current_dir(&files),
        b"kind: A\n",
    );
    assert_snapshot!(unwritable, @"
    exit code 2
    stdout:

    stderr:
    istio-scrape: no/such.json: the report cannot be written: No such file or directory (os error 2); check the path and its permissions
    ");
}

#[test]
fn a_reader_may_leave_a_report_but_not_the_objects() {
    let input = "kind: A\n---\n".repeat(100_000);
    let hung_up = |arguments: &[&str], input: &str| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        ended(program(arguments).stdout(writer), input.as_bytes())
    };
    assert_snapshot!(hung_up(&[], &input), @"
    exit code 2
    stdout:

    stderr:
    istio-scrape: stdout cannot be written: Broken pipe (os error 32); the output is incomplete, do not use it
    ");
    assert_snapshot!(hung_up(&["explain"], &input), @"
    exit code 0
    stdout:

    stderr:
    ");
    assert_snapshot!(hung_up(&["explain"], "text\n"), @"
    exit code 2
    stdout:

    stderr:
    istio-scrape: stdin:1 (object 1) is a single value; every document and item must be an object with `apiVersion` and `kind`
    ");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_noticed() {
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    assert_snapshot!(ended(program(&[]).stdout(full()), b"kind: A\n"), @"
    exit code 2
    stdout:

    stderr:
    istio-scrape: stdout cannot be written: No space left on device (os error 28); the output is incomplete, do not use it
    ");
    assert_snapshot!(ended(program(&["explain"]).stdout(full()), b"kind: A\n"), @"
    exit code 2
    stdout:

    stderr:
    istio-scrape: stdout cannot be written: No space left on device (os error 28); the output is incomplete, do not use it
    ");
}

#[test]
fn questions_take_the_same_inputs() {
    let files = folder(&[("config.yaml", CONFIG), ("a.yaml", "kind: A\n")]);
    for arguments in [
        &["explain", "a.yaml", "--config", "config.yaml"][..],
        &["--config", "config.yaml", "explain", "a.yaml", "-o", "json"],
        &["explain", "--output", "table", "."],
        &["diff", "a.yaml"],
    ] {
        let ended = run_in(files.path(), arguments);
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            (0, ""),
            "{arguments:?}"
        );
    }
}
