//! Would the API server take this object as it is, without dropping a key?
//!
//! Reads the CRDs of the test data and turns their schemas into JSON Schema that is as strict as `kubectl apply --validate=strict`:
//! keys that the schema does not know are refused, where Kubernetes would drop them silently.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;

use istio_scrape::yaml::{self, Rules};
use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

/// The CRDs of the test data, read when an object asks for them.
pub(crate) struct Crds {
    /// The file of each group and kind.
    files: BTreeMap<(String, String), PathBuf>,
    /// The schema of each served apiVersion and kind that was asked for.
    schemas: RefCell<BTreeMap<(String, String), Rc<Validator>>>,
    /// The same as the CRD has it, for those of which somebody asked for a field.
    raw: RefCell<BTreeMap<(String, String), Rc<Value>>>,
}

impl Crds {
    /// `None` without test data, after a line that says that `what` does not run.
    pub(crate) fn load(what: &str) -> Option<Self> {
        let root = super::data("crds", what)?;
        let mut files = BTreeMap::new();
        for directory in fs::read_dir(root).expect("crds can be listed") {
            let directory = directory.expect("crds can be listed").path();
            if !directory.is_dir() {
                continue;
            }
            for file in fs::read_dir(directory).expect("crds can be listed") {
                let path = file.expect("crds can be listed").path();
                let name = path
                    .file_name()
                    .expect("listed")
                    .to_string_lossy()
                    .into_owned();
                let Some((group, _)) = name.split_once('_').filter(|_| name.ends_with(".yaml"))
                else {
                    continue;
                };
                let text = fs::read_to_string(&path).expect("a CRD is UTF-8");
                // `spec.names.kind`; the file is parsed only if somebody asks for it.
                let kind = text
                    .lines()
                    .find_map(|line| line.strip_prefix("    kind: "))
                    .expect("a CRD names its kind");
                files.insert((group.to_owned(), kind.to_owned()), path);
            }
        }
        Some(Self {
            files,
            schemas: RefCell::default(),
            raw: RefCell::default(),
        })
    }

    /// The schema of what is at a place of an object, lists passed without a position; `None` where no object has such a place.
    pub(crate) fn field(&self, api_version: &str, kind: &str, place: &[&str]) -> Option<Value> {
        let (group, version) = api_version.split_once('/')?;
        let path = self.files.get(&(group.to_owned(), kind.to_owned()))?;
        let key = (api_version.to_owned(), kind.to_owned());
        let known = self.raw.borrow().get(&key).cloned();
        let schema = known.unwrap_or_else(|| {
            let text = fs::read_to_string(path).expect("a CRD is UTF-8");
            let schema = Rc::new(served(&parse(&text), version));
            self.raw.borrow_mut().insert(key, Rc::clone(&schema));
            schema
        });
        let mut at = schema.as_ref();
        for token in place {
            at = at
                .get("items")
                .unwrap_or(at)
                .get("properties")?
                .get(token)?;
        }
        Some(at.clone())
    }

    /// What the API server would refuse or drop; `None` for kinds without CRD here.
    pub(crate) fn complaints(&self, object: &Value) -> Option<Vec<String>> {
        let api_version = object["apiVersion"].as_str()?;
        let kind = object["kind"].as_str()?;
        let (group, version) = api_version.split_once('/')?;
        let path = self.files.get(&(group.to_owned(), kind.to_owned()))?;
        let key = (api_version.to_owned(), kind.to_owned());
        let known = self.schemas.borrow().get(&key).cloned();
        let validator = known.unwrap_or_else(|| {
            let text = fs::read_to_string(path).expect("a CRD is UTF-8");
            let validator = Rc::new(validator(&parse(&text), version));
            self.schemas.borrow_mut().insert(key, Rc::clone(&validator));
            validator
        });
        Some(
            validator
                .iter_errors(object)
                .map(|e| format!("{}: {e}", e.instance_path()))
                .collect(),
        )
    }
}

/// The first document of a text, as the API server reads it.
fn parse(text: &str) -> Value {
    let documents = yaml::read(text).expect("a CRD is YAML");
    let root = documents
        .iter()
        .find_map(|d| d.root.as_ref())
        .expect("a CRD has content");
    root.value(Rules::Kubectl).expect("a CRD is JSON in YAML")
}

/// The schema of a served version.
fn served(crd: &Value, version: &str) -> Value {
    let versions = crd["spec"]["versions"]
        .as_array()
        .expect("a CRD has versions");
    let served = versions
        .iter()
        .find(|v| v["name"] == version && v["served"] == true);
    served.unwrap_or_else(|| panic!("{version} is not served"))["schema"]["openAPIV3Schema"].clone()
}

/// The schema of a served version, closed.
fn validator(crd: &Value, version: &str) -> Validator {
    let mut schema = served(crd, version);
    close(&mut schema);
    // What every object has is no part of a CRD; the API server knows it.
    schema["properties"]["apiVersion"] = json!({"type": "string"});
    schema["properties"]["kind"] = json!({"type": "string"});
    schema["properties"]["metadata"] = json!({"type": "object", "required": ["name"]});
    // OpenAPI v3.0 took its schemas from draft 4 (`exclusiveMinimum: true`).
    jsonschema::options()
        .with_draft(Draft::Draft4)
        .build(&schema)
        .expect("a CRD's schema is a schema")
}

/// Turns a structural schema into JSON Schema that refuses what Kubernetes would drop.
///
/// What stands below `allOf`, `anyOf`, `oneOf` and `not` restricts values and defines no fields: it stays as it is.
pub(crate) fn close(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else {
        return;
    };
    if schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) {
        schema.remove("type");
        schema.insert("type".to_owned(), json!(["integer", "string"]));
    }
    if schema.get("nullable") == Some(&Value::Bool(true)) {
        let types = match schema.remove("type") {
            Some(Value::Array(types)) => types,
            Some(one) => vec![one],
            None => Vec::new(),
        };
        if !types.is_empty() {
            schema.insert(
                "type".to_owned(),
                types.into_iter().chain([json!("null")]).collect(),
            );
        }
    }
    let open = [
        "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-embedded-resource",
    ]
    .iter()
    .any(|key| schema.get(*key) == Some(&Value::Bool(true)));
    let object = schema.contains_key("properties") || schema.get("type") == Some(&json!("object"));
    if object && !open && !schema.contains_key("additionalProperties") {
        schema.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(close);
    }
    for key in ["items", "additionalProperties"] {
        if let Some(below) = schema.get_mut(key) {
            close(below);
        }
    }
}

/// An object from its parts.
pub(crate) fn object(api_version: &str, kind: &str, spec: Value) -> Value {
    let mut object = Map::new();
    object.insert("apiVersion".to_owned(), json!(api_version));
    object.insert("kind".to_owned(), json!(kind));
    object.insert(
        "metadata".to_owned(),
        json!({"name": "demo", "namespace": "default"}),
    );
    object.insert("spec".to_owned(), spec);
    Value::Object(object)
}
