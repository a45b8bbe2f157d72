use super::*;

#[test]
fn nothing_said_means_control_plane_and_proxies() {
    let objects = objects(&MeshMetrics::default());
    let kinds: Vec<_> = objects
        .iter()
        .map(|object| object["kind"].clone())
        .collect();
    assert_eq!(kinds, ["VMServiceScrape", "VMPodScrape"]);
}
