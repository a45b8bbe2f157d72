//! What lies around an application that a scrape does not ask for: settings, Secrets, accounts, scaling, definitions?

use std::fmt::Write as _;

use super::dice::Dice;
use super::list::Object;

/// `data` before `kind`, as the letters have it: what reads only the first lines of an item does not see its kind.
fn config_map(namespace: &str, name: String, data: &str) -> Object {
    let text = format!(
        "\
apiVersion: v1
data:
{data}kind: ConfigMap
metadata:
  annotations:
  name: {name}
  namespace: {namespace}
"
    );
    Object {
        group: "",
        version: "v1",
        kind: "ConfigMap",
        namespace: namespace.to_owned(),
        name,
        text,
    }
}

/// Settings in YAML, with lines that look like items of the list they are in.
pub(crate) fn settings(namespace: &str, app: &str, dice: &mut Dice) -> Object {
    let mut yaml = String::from(
        "  config.yaml: |\n    # Written by hand; not read by the cluster.\n    items:\n",
    );
    for _ in 0..dice.between(6, 30) {
        writeln!(
            yaml,
            "    - apiVersion: operator.victoriametrics.com/v1beta1
      kind: VMServiceScrape # {}
      metadata:
        name: {}
      spec:
        endpoints: [{{port: http, interval: {}s}}]
",
            dice.words(5),
            dice.words(1),
            dice.between(5, 90)
        )
        .expect("text takes text");
    }
    let yaml = yaml.trim_end();
    let data = format!(
        "{yaml}
  level: info
  motd: |-
    {}
    {}
  ratio: \"{}\"
  switch: \"on\"
",
        dice.words(9),
        dice.words(7),
        dice.below(100)
    );
    config_map(namespace, app.to_owned(), &data)
}

/// nginx, indented by tabs: kustomize prints it in one long line, other hosts as a block.
pub(crate) fn nginx(namespace: &str, app: &str, dice: &mut Dice) -> Object {
    let mut lines = vec!["worker_processes auto;".to_owned(), "http {".to_owned()];
    for _ in 0..dice.between(4, 24) {
        lines.extend([
            "\tserver {".to_owned(),
            format!("\t\tlisten\t{};", dice.between(8000, 9000)),
            format!(
                "\t\tserver_name {}.example.com; # {}",
                dice.words(1),
                dice.words(3)
            ),
            format!(
                "\t\tlocation /{} {{ proxy_pass http://{}:8080/; }}",
                dice.words(1),
                dice.words(1)
            ),
            "\t}".to_owned(),
        ]);
    }
    lines.push("}".to_owned());
    let data = match dice.below(3) {
        0 => format!("  nginx.conf: |\n    {}\n", lines.join("\n    ")),
        _ => format!(
            "  nginx.conf: \"{}\\n\"\n",
            lines.join("\\n").replace('\t', "\\t")
        ),
    };
    config_map(namespace, format!("{app}-nginx"), &data)
}

/// A dashboard, as Grafana keeps them.
pub(crate) fn dashboard(namespace: &str, app: &str, dice: &mut Dice) -> Object {
    let mut json = format!("  {app}.json: |\n    {{\n      \"panels\": [\n");
    let panels = dice.between(8, 50);
    for panel in 1..=panels {
        writeln!(
            json,
            "        {{
          \"datasource\": {{\"type\": \"prometheus\", \"uid\": \"${{datasource}}\"}},
          \"gridPos\": {{\"h\": 8, \"w\": 12, \"x\": {}, \"y\": {}}},
          \"id\": {panel},
          \"targets\": [
            {{\"expr\": \"sum(rate({}_total{{app=\\\"{app}\\\"}}[5m])) by (code)\", \"refId\": \"A\"}}
          ],
          \"title\": \"{}\",
          \"type\": \"timeseries\"
        }}{}",
            panel % 2 * 12,
            panel / 2 * 8,
            dice.words(2).replace(' ', "_"),
            dice.words(4),
            if panel == panels { "" } else { "," }
        )
        .expect("text takes text");
    }
    json.push_str("      ],\n      \"schemaVersion\": 39\n    }\n");
    config_map(namespace, format!("{app}-dashboard"), &json)
}

pub(crate) fn secret(namespace: &str, app: &str, dice: &mut Dice) -> Object {
    let mut data = String::new();
    for number in 0..dice.between(2, 8) {
        let length = dice.between(8, 180) * 4;
        writeln!(data, "  KEY_{number}: {}", dice.base64(length)).expect("text takes text");
    }
    Object {
        group: "",
        version: "v1",
        kind: "Secret",
        namespace: namespace.to_owned(),
        name: app.to_owned(),
        text: format!(
            "\
apiVersion: v1
data:
{data}kind: Secret
metadata:
  annotations:
  name: {app}
  namespace: {namespace}
type: Opaque
"
        ),
    }
}

pub(crate) fn account(namespace: &str, app: &str) -> Object {
    Object {
        group: "",
        version: "v1",
        kind: "ServiceAccount",
        namespace: namespace.to_owned(),
        name: app.to_owned(),
        text: format!(
            "\
apiVersion: v1
automountServiceAccountToken: false
kind: ServiceAccount
metadata:
  annotations:
  name: {app}
  namespace: {namespace}
"
        ),
    }
}

pub(crate) fn scaler(namespace: &str, app: &str, dice: &mut Dice) -> Object {
    Object {
        group: "autoscaling",
        version: "v2",
        kind: "HorizontalPodAutoscaler",
        namespace: namespace.to_owned(),
        name: app.to_owned(),
        text: format!(
            "\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  annotations:
  name: {app}
  namespace: {namespace}
spec:
  behavior:
    scaleDown:
      policies:
      - periodSeconds: 60
        type: Percent
        value: 10
      stabilizationWindowSeconds: 300
  maxReplicas: {}
  metrics:
  - resource:
      name: cpu
      target:
        averageUtilization: {}
        type: Utilization
    type: Resource
  minReplicas: 2
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {app}
",
            dice.between(3, 40),
            dice.between(40, 90)
        ),
    }
}

/// A definition of another operator's kind: deep, and as long as many applications.
pub(crate) fn definition(number: usize, dice: &mut Dice) -> Object {
    let mut schema = String::new();
    properties(&mut schema, 14, 3, dice);
    let name = format!("widgets{number}.example.com");
    let text = format!(
        "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  annotations:
    controller-gen.kubebuilder.io/version: v0.19.0
  name: {name}
spec:
  group: example.com
  names:
    kind: Widget{number}
    listKind: Widget{number}List
    plural: widgets{number}
    singular: widget{number}
  scope: Namespaced
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        properties:
          apiVersion:
            type: string
          kind:
            type: string
          spec:
            properties:
{schema}            type: object
        type: object
    served: true
    storage: true
    subresources:
      status: {{}}
"
    );
    Object {
        group: "apiextensions.k8s.io",
        version: "v1",
        kind: "CustomResourceDefinition",
        namespace: String::new(),
        name,
        text,
    }
}

fn properties(schema: &mut String, column: usize, deeper: usize, dice: &mut Dice) {
    let pad = " ".repeat(column);
    for number in 0..dice.between(4, 7) {
        let letter = char::from(b'a' + u8::try_from(number).unwrap_or_default());
        let (first, second) = (dice.words(12), dice.words(9));
        write!(
            schema,
            "{pad}{letter}{}:\n{pad}  description: |-\n{pad}    {first}\n{pad}    {second}.\n",
            dice.words(1)
        )
        .expect("text takes text");
        if deeper > 0 && dice.below(3) > 0 {
            writeln!(schema, "{pad}  properties:").expect("text takes text");
            properties(schema, column + 4, deeper - 1, dice);
            writeln!(schema, "{pad}  type: object").expect("text takes text");
        } else {
            let kind = dice.one_of(&["string", "integer", "boolean"]);
            writeln!(schema, "{pad}  type: {kind}").expect("text takes text");
        }
    }
}
