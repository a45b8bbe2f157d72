use insta::assert_snapshot;

use super::*;

const SCRAPE: &str =
    "apiVersion: operator.victoriametrics.com/v1beta1\nkind: VMPodScrape\nmetadata: {name: demo}\n";

/// `kind name@index:line` of every item.
fn items(package: &Package<'_>) -> Vec<String> {
    package
        .items
        .iter()
        .map(|item| {
            let name = &item.name;
            format!(
                "{} {} {name}@{}:{}",
                item.api_version, item.kind, item.index, item.line
            )
        })
        .collect()
}

fn opened(text: &str) -> (Form, Vec<String>) {
    let sources = [Source::named("-", text)];
    let package = open(&sources, |_, kind, _| kind == "VMPodScrape").unwrap();
    (package.form, items(&package))
}

fn refused(text: &str) -> OpenError {
    refused_together(&[Source::named("-", text)])
}

fn refused_together(sources: &[Source]) -> OpenError {
    open(sources, |_, kind, _| kind == "VMPodScrape").unwrap_err()
}

#[test]
fn a_resource_list_has_items_function_config_and_results() {
    let text = "\
apiVersion: config.kubernetes.io/v1
kind: ResourceList
items:
- {apiVersion: v1, kind: Service, metadata: {name: a}}
-
- apiVersion: v1
  kind: List
  items: []
functionConfig: {kind: ConfigMap}
results:
- {message: said before, severity: info}
";
    let sources = [Source::named("-", text)];
    let package = open(&sources, |_, _, _| true).unwrap();
    assert_eq!(package.form, Form::ResourceList);
    assert_eq!(items(&package), ["v1 Service a@0:4", "v1 List @1:6"]);
    let function_config = package.function_config.unwrap().node;
    assert_eq!(yaml::line_of(text, function_config.range.start), 9);
    assert_eq!(package.results.len(), 1);
}

#[test]
fn a_resource_list_may_have_no_items() {
    for rest in ["", "items:\n", "items: null\n", "items: []\n"] {
        let text = format!("apiVersion: config.kubernetes.io/v1beta1\nkind: ResourceList\n{rest}");
        assert_eq!(opened(&text), (Form::ResourceList, vec![]), "{rest}");
    }
}

#[test]
fn a_resource_list_is_known_in_json_and_behind_comments() {
    let json = r#"{"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": []}"#;
    assert_eq!(opened(json).0, Form::ResourceList);
    let commented = format!("# a\n---\n# b\n---\n{json}\n---\n");
    assert_eq!(opened(&commented).0, Form::ResourceList);
}

#[test]
fn lists_are_opened_in_every_depth() {
    let list = "{kind: List, apiVersion: v1, items: [{kind: List, items: [{kind: A, metadata: {name: a}}, ~]}, {kind: B}]}\n";
    assert_eq!(
        opened(list),
        (
            Form::List,
            vec![" A a@0:1".to_owned(), " B @1:1".to_owned()]
        )
    );
    let stream = format!("{SCRAPE}---\n{list}---\n{list}");
    let (form, items) = opened(&stream);
    assert_eq!((form, items.len()), (Form::Stream, 5));
}

#[test]
fn items_of_a_typed_list_need_no_kind() {
    let list = "apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a}\n- {kind: Pod, apiVersion: v2}\n";
    assert_eq!(
        opened(list),
        (
            Form::List,
            vec!["v1 Pod a@0:4".to_owned(), "v2 Pod @1:5".to_owned()]
        )
    );
}

#[test]
fn an_object_may_be_named_like_a_list() {
    for object in [
        "{kind: AllowList}",
        "{kind: AllowList, items: {a: b}}",
        "{kind: AllowList, items: [1.2.3.4]}",
    ] {
        let (form, items) = opened(object);
        assert_eq!((form, items.len()), (Form::Stream, 1), "{object}");
    }
}

#[test]
fn documents_without_content_are_no_objects() {
    for text in [
        "# nothing\n",
        "---\n",
        "---\n---\n# x\n",
        "null\n",
        "\n",
        "\u{feff}---\n",
    ] {
        assert_eq!(opened(text), (Form::Stream, vec![]), "{text:?}");
    }
}

#[test]
fn lines_are_counted_over_documents_and_line_breaks() {
    let text = format!("\u{feff}# x\r\n---\r\n{0}---\n\n{0}", SCRAPE);
    let (_, items) = opened(&text);
    assert!(
        items[0].ends_with("@0:3") && items[1].ends_with("@1:8"),
        "{items:?}"
    );
}

#[test]
fn a_kind_may_be_merged_in() {
    let text = "base: &b {kind: A}\nkind: B\n---\nx: &b {kind: A, apiVersion: v1}\n<<: *b\n";
    assert_eq!(opened(text).1, [" B @0:1", " A @1:4"]);
}

#[test]
fn what_is_no_object_is_refused() {
    assert_snapshot!(refused(""), @"stdin is empty; check the command or file that it comes from (an empty `items: []` is allowed)");
    assert_snapshot!(refused("a: [\n"), @"stdin: line 1, column 4: not valid YAML, unclosed bracket '['; correct the text there");
    assert_snapshot!(refused("just text\n"), @"stdin:1 (object 1) is a single value; every document and item must be an object with `apiVersion` and `kind`");
    assert_snapshot!(refused(&format!("{SCRAPE}---\n- {{kind: A}}\n")), @"stdin:5 (object 2) is a list; every document and item must be an object with `apiVersion` and `kind`");
    assert_snapshot!(refused("metadata: {name: demo}\n"), @"stdin:1 (object 1, named demo) has no `kind`; add `apiVersion` and `kind`, or remove it from the input");
    assert_snapshot!(refused("kind: null\n---\nkind:\n"), @"stdin:1 (object 1) has no `kind`; add `apiVersion` and `kind`, or remove it from the input");
    assert_snapshot!(refused("{\"kind\": \"A\"}\n{\"kind\": \"B\"}\n"), @"stdin holds several JSON documents in a row; put a line `---` between them, or make them `items` of one `kind: List`");
}

#[test]
fn items_are_held_to_the_same() {
    let list = |items: &str| {
        refused(&format!(
            "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n{items}\n"
        ))
    };
    assert_snapshot!(list("items: {a: b}"), @"stdin: `items` of the ResourceList is a map; it must be a list");
    assert_snapshot!(list("results: none"), @"stdin: `results` of the ResourceList is a single value; it must be a list");
    assert_snapshot!(list("items:\n- text"), @"stdin (object 1) is a single value; every document and item must be an object with `apiVersion` and `kind`");
    assert_snapshot!(list("items:\n- metadata:\n    name: demo\n    annotations: {internal.config.kubernetes.io/path: web/a.yaml}"), @"stdin (object 1, named demo, of web/a.yaml) has no `kind`; add `apiVersion` and `kind`, or remove it from the input");
    assert_snapshot!(list("items: []\nitems: []"), @"stdin (object 1): the key `items` is written twice in `/`; remove one of the two");
    assert_snapshot!(refused("kind: List\nitems: 5\n"), @"stdin:2: `items` of the List is a single value; it must be a list");
}

#[test]
fn a_resource_list_is_alone_and_of_a_known_version() {
    let list = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n";
    assert_snapshot!(refused(&format!("{list}---\n{SCRAPE}")), @"stdin holds a ResourceList, which must be the only document of the only input; run it alone, and give a configuration with --config");
    let two = [Source::named("a.yaml", SCRAPE), Source::named("-", list)];
    assert_snapshot!(refused_together(&two), @"stdin holds a ResourceList, which must be the only document of the only input; run it alone, and give a configuration with --config");
    assert_snapshot!(refused("apiVersion: config.kubernetes.io/v1alpha1\nkind: ResourceList\n"), @"stdin is a ResourceList of apiVersion config.kubernetes.io/v1alpha1; supported are config.kubernetes.io/v1 and config.kubernetes.io/v1beta1");
}

#[test]
fn keys_written_twice_are_refused_where_they_matter() {
    assert_snapshot!(refused(&format!("{SCRAPE}spec:\n  selector: {{}}\n  selector: {{}}\n")), @"stdin:1 (object 1, named demo): the key `selector` at line 6 is written twice in `/spec`; remove one of the two");
    assert_snapshot!(refused("kind: A\nmetadata: {name: a}\nkind: B\n"), @"stdin:1 (object 1, named a): the key `kind` at line 3 is written twice in `/`; remove one of the two, or put `---` between two objects");
    assert_snapshot!(refused("kind: A\nmetadata:\n  labels: {a: b, a: c}\n"), @"stdin:1 (object 1): the key `a` at line 3 is written twice in `/metadata/labels`; remove one of the two");
    assert_eq!(opened("kind: A\nspec: {a: b, a: c}\n").1.len(), 1);
}

#[test]
fn folders_may_hold_what_is_no_object() {
    let folder = |text: &str, origin| Source {
        name: "values.yaml".to_owned(),
        text: text.to_owned(),
        origin,
    };
    let sources = [
        folder(
            &format!("image: x\n---\n{SCRAPE}---\n# end\n"),
            Origin::Folder,
        ),
        folder("", Origin::Folder),
        folder("- op: add\n---\nkind: Patch\n", Origin::Kustomization),
    ];
    let package = open(&sources, |_, _, _| false).unwrap();
    assert_eq!(package.items.len(), 1);
    assert_eq!(package.asides.len(), 1);
    assert_eq!(package.skipped.len(), 1);
    assert_snapshot!(package.skipped[0], @"values.yaml:1 (object 1)");
}

#[test]
fn the_host_may_say_where_an_item_is_from() {
    let text = "\
kind: A
metadata: {annotations: {config.kubernetes.io/path: old.yaml, internal.config.kubernetes.io/path: web/a.yaml, config.kubernetes.io/index: '2'}}
---
kind: B
";
    let sources = [Source::named("-", text)];
    let package = open(&sources, |_, _, _| false).unwrap();
    let [hosted, own] = package.items.as_slice() else {
        panic!("two items");
    };
    let location = package.location(hosted);
    assert_eq!(
        (location.file.as_str(), location.index, location.line),
        ("web/a.yaml", 2, None)
    );
    let location = package.location(own);
    assert_eq!(
        (location.file.as_str(), location.index, location.line),
        ("-", 1, Some(4))
    );
    assert_snapshot!(package.place(hosted), @"stdin:1 (object 1, of web/a.yaml)");
}

#[test]
fn objects_of_one_kind_are_told_apart_by_name() {
    let config_map = |name: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{a: 1, a: 2}}\n"
        )
    };
    let is_istio = |_: &str, _: &str, name: &str| name == "istio";
    for (name, is_read) in [("istio", true), ("\"istio\"", true), ("settings", false)] {
        let sources = [Source::named("-", config_map(name))];
        let refused = open(&sources, is_istio).is_err();
        assert_eq!(refused, is_read, "{name}: a key is there twice");
    }
    for without_name in [
        "metadata: {}",
        "metadata: {name: [istio]}",
        "metadata: [istio]",
    ] {
        let text =
            format!("apiVersion: v1\nkind: ConfigMap\n{without_name}\ndata: {{a: 1, a: 2}}\n");
        assert!(
            open(&[Source::named("-", text)], is_istio).is_ok(),
            "{without_name}"
        );
    }
}
