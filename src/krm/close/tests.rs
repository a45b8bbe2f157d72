use insta::assert_snapshot;
use serde_json::json;

use super::*;
use crate::krm::open;

fn closed(sources: &[Source], results: &[Value], left_out: &[usize]) -> String {
    close(
        &open(sources, |_, _, _| false).unwrap(),
        &[],
        results,
        left_out,
    )
    .unwrap()
    .to_string()
}

fn one(text: &str) -> [Source; 1] {
    [Source::named("-", text)]
}

fn with_results(text: &str, results: &[Value]) -> String {
    closed(&one(text), results, &[])
}

fn result(message: &str) -> Value {
    json!({"message": message, "severity": "warning"})
}

#[test]
fn without_edits_every_byte_comes_back() {
    for text in [
        "kind: A",
        "kind: A\n",
        "\u{feff}kind: A\r\n---\r\n\r\nkind: B   # b\r\n...\r\n",
        "# only\n---\n# comments\n",
        "---\n",
        "{\"kind\": \"List\", \"items\": [ {\"kind\":\"A\"}]}",
        "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n",
        "%YAML 1.2\n---\nkind: A\n",
    ] {
        assert_eq!(closed(&one(text), &[], &[]), text);
    }
}

#[test]
fn several_texts_make_one_valid_stream() {
    for (texts, stream) in [
        (vec!["kind: A\n", "kind: B\n"], "kind: A\n---\nkind: B\n"),
        (vec!["kind: A", "kind: B"], "kind: A\n---\nkind: B"),
        (
            vec!["kind: A\n", "---\nkind: B\n"],
            "kind: A\n---\nkind: B\n",
        ),
        (
            vec!["kind: A\n", "# b\n---\nkind: B\n"],
            "kind: A\n---\n# b\n---\nkind: B\n",
        ),
        (
            vec!["kind: A\n", "\u{feff}kind: B\n"],
            "kind: A\n---\nkind: B\n",
        ),
        (
            vec!["kind: A\n", "# b\n%YAML 1.2\n---\nkind: B\n"],
            "kind: A\n...\n# b\n%YAML 1.2\n---\nkind: B\n",
        ),
        (
            vec!["kind: A\n---\n", "---\nkind: B\n"],
            "kind: A\n---\n---\nkind: B\n",
        ),
        (
            vec!["{\"kind\": \"A\"}", "{\"kind\": \"B\"}"],
            "{\"kind\": \"A\"}\n---\n{\"kind\": \"B\"}",
        ),
    ] {
        let sources: Vec<Source> = texts.iter().map(|text| Source::named("f", *text)).collect();
        let out = closed(&sources, &[], &[]);
        assert_eq!(out, stream);
        let reread = one(&out);
        assert_eq!(
            open(&reread, |_, _, _| false).unwrap().items.len(),
            2,
            "{stream}"
        );
    }
}

#[test]
fn items_may_be_left_out_of_a_stream() {
    let text = "# a\nkind: A\n---\nkind: B\n# b\n--- # c\nkind: C\n";
    assert_eq!(
        closed(&one(text), &[], &[0]),
        "---\nkind: B\n# b\n--- # c\nkind: C\n"
    );
    assert_eq!(
        closed(&one(text), &[], &[1]),
        "# a\nkind: A\n--- # c\nkind: C\n"
    );
    assert_eq!(
        closed(&one(text), &[], &[2]),
        "# a\nkind: A\n---\nkind: B\n# b\n"
    );
    assert_eq!(closed(&one(text), &[], &[0, 1, 2]), "");
}

#[test]
fn items_may_be_left_out_of_a_list() {
    let text = "kind: List\nitems:\n- kind: A\n- kind: B\n- kind: List\n  items:\n  - kind: C\n  - kind: D\n";
    assert_snapshot!(closed(&one(text), &[], &[0, 1, 2]), @"
    kind: List
    items:
    - kind: List
      items:
      - kind: D
    ");
    let json = r#"{"kind": "List", "items": [{"kind": "A"}, {"kind": "B"}]}"#;
    assert_snapshot!(closed(&one(json), &[], &[0]), @r#"{"kind": "List", "items": [{"kind": "B"}]}"#);
    assert_snapshot!(closed(&one(json), &[], &[0, 1]), @r#"{"kind": "List", "items": []}"#);
}

#[test]
fn what_is_no_resource_does_not_go_out() {
    let of = |origin, text: &str| Source {
        name: "f".to_owned(),
        text: text.to_owned(),
        origin,
    };
    let sources = [
        of(Origin::Kustomization, "resources: [a.yaml]\n"),
        of(Origin::Folder, "kind: A\n---\nimage: x\n---\nkind: B\n"),
        of(Origin::Folder, "image: x\n"),
        of(Origin::Folder, "kind: C\n"),
    ];
    assert_eq!(
        closed(&sources, &[], &[]),
        "kind: A\n---\nkind: B\n---\nkind: C\n"
    );
}

#[test]
fn results_go_into_a_resource_list() {
    let list = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- kind: A\n";
    let two = [result("a"), result("b"), result("a")];
    assert_snapshot!(with_results(list, &two), @"
    apiVersion: config.kubernetes.io/v1
    kind: ResourceList
    items:
    - kind: A
    results:
    - message: a
      severity: warning
    - message: b
      severity: warning
    ");
    assert_snapshot!(with_results(&format!("{list}results:\n- message: b\n  severity: warning\n- message: c # kept\n"), &two), @"
    apiVersion: config.kubernetes.io/v1
    kind: ResourceList
    items:
    - kind: A
    results:
    - message: b
      severity: warning
    - message: c # kept
    - message: a
      severity: warning
    ");
    assert_snapshot!(with_results(&format!("{list}results: []\n"), &two), @"
    apiVersion: config.kubernetes.io/v1
    kind: ResourceList
    items:
    - kind: A
    results:
    - message: a
      severity: warning
    - message: b
      severity: warning
    ");
    assert_snapshot!(with_results(&format!("{list}results:\nfunctionConfig: {{}}\n"), &two), @"
    apiVersion: config.kubernetes.io/v1
    kind: ResourceList
    items:
    - kind: A
    results:
    - message: a
      severity: warning
    - message: b
      severity: warning
    functionConfig: {}
    ");
    assert_snapshot!(with_results(r#"{"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": []}"#, &two), @r#"{"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": [], "results": [{"message": "a", "severity": "warning"}, {"message": "b", "severity": "warning"}]}"#);
}

#[test]
fn nothing_to_say_adds_nothing() {
    let list = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nresults:\n- {message: a, severity: warning}\n";
    assert_eq!(with_results(list, &[]), list);
    assert_eq!(with_results(list, &[result("a")]), list);
    assert_eq!(with_results("kind: A\n", &[result("a")]), "kind: A\n");
}

#[test]
fn an_edit_at_the_end_of_the_last_item_stays_in_it() {
    let text = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- kind: A";
    let sources = one(text);
    let package = open(&sources, |_, _, _| false).unwrap();
    let item = &package.items[0];
    let patch = [add(PointerBuf::from_tokens(["spec"]), json!({"a": "b"}))];
    let edits = yaml::edits(text, &item.node().unwrap(), item.syntax, &patch).unwrap();
    let out = close(&package, &[(0, edits)], &[result("a")], &[]).unwrap();
    assert_snapshot!(out, @"
    apiVersion: config.kubernetes.io/v1
    kind: ResourceList
    items:
    - kind: A
      spec:
        a: b
    results:
    - message: a
      severity: warning
    ");
}

#[test]
fn a_failed_run_returns_a_resource_list_and_nothing_else() {
    let list = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- no: kind\n";
    assert_snapshot!(returned(&one(list), &[result("a")]).unwrap(), @"
    apiVersion: config.kubernetes.io/v1
    kind: ResourceList
    items:
    - no: kind
    results:
    - message: a
      severity: warning
    ");
    for text in ["kind: A\n", "kind: List\nitems: []\n", "a: [", "", "text"] {
        assert_eq!(returned(&one(text), &[result("a")]), None, "{text}");
    }
}
