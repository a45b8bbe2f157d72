//! The texts, by example.

use insta::assert_snapshot;
use serde_json::from_value;

use super::*;

fn patched(kind: &str, name: &str, value: &Value, operations: Value) -> Patched {
    let mut object = json!({
        "apiVersion": "operator.victoriametrics.com/v1beta1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "shop"},
    });
    object["spec"] = value.clone();
    Patched {
        id: Id {
            kind: kind.to_owned(),
            namespace: Some("shop".to_owned()),
            name: name.to_owned(),
            api_version: "operator.victoriametrics.com/v1beta1".to_owned(),
        },
        value: object,
        operations: from_value(operations).expect("operations"),
    }
}

fn scrape() -> Patched {
    patched(
        "VMPodScrape",
        "web",
        &json!({"podMetricsEndpoints": [{"port": "metrics"}]}),
        json!([{"op": "add", "path": "/spec/podMetricsEndpoints/0/scheme", "value": "https"}]),
    )
}

fn agent() -> Patched {
    patched(
        "VMAgent",
        "agent",
        &json!({"volumes": [{"name": "a"}], "scheme": "http"}),
        json!([
            {"op": "add", "path": "/spec/podMetadata", "value": {"annotations": {"a/b": "x: y\n"}}},
            {"op": "add", "path": "/spec/volumes/-", "value": {"name": "b"}},
            {"op": "remove", "path": "/spec/scheme"},
        ]),
    )
}

#[test]
fn a_component_in_full() {
    let component = render(&[scrape(), agent()], "mtls").expect("a Component");
    let text: String = component
        .files
        .iter()
        .map(|(name, text)| format!("=== {name}\n{text}"))
        .collect();
    assert_eq!((component.patches, component.objects), (3, 2));
    assert_snapshot!(text, @r#"
    === vmagent-shop-agent.json6902.yaml
    # Written by `istio-scrape patches`; do not edit. To write it again, in the folder above:
    #   kustomize build BASE | istio-scrape patches -o mtls
    - op: test
      path: /metadata/name
      value: agent
    - op: test
      path: /metadata/namespace
      value: shop
    - op: test
      path: /spec/scheme
      value: http
    - op: test
      path: /spec/podMetadata/annotations/a~1b
      value: null
    - op: test
      path: /spec/volumes
      value:
      - name: a
    - op: add
      path: /spec/volumes/-
      value:
        name: b
    === vmagent-shop-agent.merge.yaml
    # Written by `istio-scrape patches`; do not edit. To write it again, in the folder above:
    #   kustomize build BASE | istio-scrape patches -o mtls
    apiVersion: operator.victoriametrics.com/v1beta1
    kind: VMAgent
    metadata:
      name: agent
      namespace: shop
    spec:
      scheme: null
      podMetadata:
        annotations:
          a/b: |
            x: y
    === vmpodscrape-shop-web.json6902.yaml
    # Written by `istio-scrape patches`; do not edit. To write it again, in the folder above:
    #   kustomize build BASE | istio-scrape patches -o mtls
    - op: test
      path: /metadata/name
      value: web
    - op: test
      path: /metadata/namespace
      value: shop
    - op: test
      path: /spec/podMetricsEndpoints/0/port
      value: metrics
    - op: test
      path: /spec/podMetricsEndpoints/0/scheme
      value: null
    - op: add
      path: /spec/podMetricsEndpoints/0/scheme
      value: https
    === objects.yaml
    # Written by `istio-scrape patches`; do not edit. To write it again, in the folder above:
    #   kustomize build BASE | istio-scrape patches -o mtls
    #
    # Fails the build if one of these objects is missing: a patch with a target that is not there is passed over by
    # kustomize without a word. A map that is empty here is made where there is none, for the tests of what is in it.
    apiVersion: operator.victoriametrics.com/v1beta1
    kind: VMAgent
    metadata:
      name: agent
      namespace: shop
    spec:
      podMetadata:
        annotations: {}
    ---
    apiVersion: operator.victoriametrics.com/v1beta1
    kind: VMPodScrape
    metadata:
      name: web
      namespace: shop
    === kustomization.yaml
    # Written by `istio-scrape patches`; do not edit. To write it again, in the folder above:
    #   kustomize build BASE | istio-scrape patches -o mtls
    #
    # List this Component in the kustomization directly above the one that was built (BASE). Names and namespaces are those
    # of its build, after its own namePrefix and namespace:
    #
    #   resources:
    #   - ../BASE
    #   components:
    #   - ../mtls
    apiVersion: kustomize.config.k8s.io/v1alpha1
    kind: Component
    patches:
    - path: objects.yaml
    - path: vmagent-shop-agent.json6902.yaml
      target:
        group: operator\.victoriametrics\.com
        version: v1beta1
        kind: VMAgent
        name: agent
        namespace: shop
    - path: vmagent-shop-agent.merge.yaml
    - path: vmpodscrape-shop-web.json6902.yaml
      target:
        group: operator\.victoriametrics\.com
        version: v1beta1
        kind: VMPodScrape
        name: web
        namespace: shop
    "#);
}

#[test]
fn the_stream_has_the_same_as_json6902() {
    assert_snapshot!(stream(&[scrape(), agent()]).expect("a stream"), @r#"
    target:
      group: operator\.victoriametrics\.com
      version: v1beta1
      kind: VMAgent
      name: agent
      namespace: shop
    patch: |-
      - op: test
        path: /metadata/name
        value: agent
      - op: test
        path: /metadata/namespace
        value: shop
      - op: test
        path: /spec/podMetadata
        value: null
      - op: add
        path: /spec/podMetadata
        value:
          annotations:
            a/b: |
              x: y
      - op: test
        path: /spec/volumes
        value:
        - name: a
      - op: add
        path: /spec/volumes/-
        value:
          name: b
      - op: test
        path: /spec/scheme
        value: http
      - op: remove
        path: /spec/scheme
    ---
    target:
      group: operator\.victoriametrics\.com
      version: v1beta1
      kind: VMPodScrape
      name: web
      namespace: shop
    patch: |-
      - op: test
        path: /metadata/name
        value: web
      - op: test
        path: /metadata/namespace
        value: shop
      - op: test
        path: /spec/podMetricsEndpoints/0/port
        value: metrics
      - op: test
        path: /spec/podMetricsEndpoints/0/scheme
        value: null
      - op: add
        path: /spec/podMetricsEndpoints/0/scheme
        value: https
    "#);
}

#[test]
fn the_order_of_objects_is_of_no_account() {
    assert_eq!(
        render(&[scrape(), agent()], "mtls"),
        render(&[agent(), scrape()], "mtls")
    );
}

/// kustomize trims a patch that is written inside of a kustomization.
#[test]
fn a_text_of_lines_at_the_end_of_a_patch_in_the_stream_is_in_quotes() {
    let lines = patched(
        "VMAgent",
        "agent",
        &json!({}),
        json!([{"op": "add", "path": "/spec/inlineScrapeConfig", "value": "- a\n- b\n"}]),
    );
    let stream = stream(&[lines]).expect("a stream");
    assert!(
        stream.ends_with("    value: \"- a\\n- b\\n\"\n"),
        "{stream}"
    );
}

#[test]
fn a_folder_with_an_odd_name_cannot_get_out_of_the_comment() {
    let component = render(&[], "a\nkind: Own").expect("a Component");
    let (_, text) = &component.files[0];
    assert!(!text.contains("\nkind: Own"), "{text}");
}

#[test]
fn one_object_in_two_places_is_one_or_an_error() {
    assert_eq!(
        render(&[scrape(), scrape()], "mtls"),
        render(&[scrape()], "mtls")
    );
    let mut elsewhere = scrape();
    elsewhere.id.namespace = None;
    let mut default = agent();
    default.id = Id {
        namespace: Some("default".to_owned()),
        ..elsewhere.id.clone()
    };
    let refused = render(&[elsewhere, default], "mtls").expect_err("they are one to kustomize");
    assert_snapshot!(refused, @"VMPodScrape default/web is in the input twice, and what is to be done to the two differs: kustomize takes each object once; remove one of them");
}

#[test]
fn a_number_that_would_be_damaged_is_told() {
    let mut large = agent();
    large.value["spec"]["limit"] = json!(9_007_199_254_740_993_u64);
    let refused = render(&[large], "mtls").expect_err("it needs JSON6902");
    assert_snapshot!(refused, @"VMAgent shop/agent has the integer 9007199254740993 in /spec/limit: kustomize rewrites whole numbers beyond 9007199254740992 (2^53) in objects that get a JSON6902 patch, and this one needs one; put the number in quotes if the field takes text, or change it, or run istio-scrape as function or filter instead of `patches`");
}
