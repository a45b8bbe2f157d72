//! What does the usual way cost: everything read into values, patched by json-patch, printed again?
//!
//! It makes the same endpoints https as istio-scrape does in the same data, and decides nothing: an endpoint is to be changed
//! where the name of its namespace begins with `strict`.

use std::error::Error;
use std::io::{Read as _, Write as _};

use serde_json::{Value, json};

/// The list of endpoints of each kind of scrape objects in the data.
const LISTS: [(&str, &str); 3] = [
    ("VMServiceScrape", "endpoints"),
    ("VMPodScrape", "podMetricsEndpoints"),
    ("ServiceMonitor", "endpoints"),
];

/// A function: stdin to stdout.
pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text)?;
    let mut list: Value = yaml_serde::from_str(&text)?;
    let items = list["items"].as_array_mut().ok_or("no items")?;
    for item in items {
        let patch = patch(item);
        json_patch::patch(item, &serde_json::from_value::<json_patch::Patch>(patch)?)?;
    }
    let printed = yaml_serde::to_string(&list)?;
    std::io::stdout().lock().write_all(printed.as_bytes())?;
    Ok(())
}

fn patch(item: &Value) -> Value {
    let list = LISTS
        .iter()
        .find(|(kind, _)| item["kind"].as_str() == Some(kind));
    let namespace = item["metadata"]["namespace"].as_str().unwrap_or_default();
    let Some((_, list)) = list.filter(|_| namespace.starts_with("strict")) else {
        return json!([]);
    };
    let endpoints = item["spec"][list].as_array().map_or(0, Vec::len);
    let operations = (0..endpoints).flat_map(|index| {
        let at = format!("/spec/{list}/{index}");
        let settings = json!({
            "caFile": "/etc/istio-certs/root-cert.pem",
            "certFile": "/etc/istio-certs/cert-chain.pem",
            "insecureSkipVerify": true,
            "keyFile": "/etc/istio-certs/key.pem",
        });
        [
            json!({"op": "add", "path": format!("{at}/scheme"), "value": "https"}),
            json!({"op": "add", "path": format!("{at}/tlsConfig"), "value": settings}),
        ]
    });
    Value::Array(operations.collect())
}
