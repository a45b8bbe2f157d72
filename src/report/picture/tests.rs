use super::*;
use crate::config::MtlsMode;
use crate::report::fixture::{endpoint, scraper, target};
use crate::report::mermaid::written;

const ALL: usize = 100;

/// The picture, one line for each arrow.
fn arrows(decisions: &[Located], most: usize) -> Vec<String> {
    let picture = draw(decisions, most);
    let name = |node: usize| {
        let node = &picture.nodes[node];
        format!("{:?} {}", node.look, node.lines.join(" "))
    };
    let arrow = |edge: &Edge| {
        format!(
            "{} -{:?} {}-> {}",
            name(edge.from),
            edge.flow,
            edge.lines.join(" / "),
            name(edge.to)
        )
    };
    picture.edges.iter().map(arrow).collect()
}

#[test]
fn what_changes_is_shown_and_what_stays_is_counted() {
    let decisions = [
        scraper("main"),
        endpoint("web", Rule::StrictNeedsTls, &["main", "other"]),
        endpoint("lost", Rule::TargetUnknown, &["main"]),
        endpoint("a", Rule::AlreadyRight, &["main"]),
        endpoint("b", Rule::AlreadyRight, &["main"]),
        endpoint("c", Rule::AlreadyRight, &["other"]),
        endpoint("nobodys", Rule::AlreadyRight, &[]),
    ];
    assert_eq!(
        arrows(&decisions, ALL),
        [
            "Changed VMServiceScrape shop/web endpoints[0] -MutualTls STRICT-> There Deployment shop/web port 8080",
            "Warned VMServiceScrape shop/lost endpoints[0] -Other PERMISSIVE-> There Deployment shop/lost port 8080",
            "Warned VMServiceScrape shop/lost endpoints[0] -Unknown unknown-> Missing not in the input",
            "Changed VMAgent shop/main -MutualTls mutual TLS-> Changed VMServiceScrape shop/web endpoints[0]",
            "Changed VMAgent shop/main -Other plain-> Warned VMServiceScrape shop/lost endpoints[0]",
            "Changed VMAgent shop/main -Other -> Folded 2 endpoints stay as they are",
            "There VMAgent shop/other -MutualTls mutual TLS-> Changed VMServiceScrape shop/web endpoints[0]",
            "There VMAgent shop/other -Other -> Folded 1 endpoint stays as it is",
            "Missing no scraper of the input selects these -Other -> Folded 1 endpoint stays as it is",
        ]
    );
}

#[test]
fn workloads_of_one_mode_beyond_a_few_are_one_box() {
    let mut one = endpoint("web", Rule::StrictNeedsTls, &["main"]);
    one.decision.targets = (0..20)
        .map(|n| target(&format!("w{n}"), MtlsMode::Strict, Demand::MutualTls))
        .chain([target("open", MtlsMode::Permissive, Demand::Plain)])
        .collect();
    let names: Vec<String> = (0..12).map(|n| format!("shop/w{n}:8080")).collect();
    assert_eq!(
        arrows(&[one], ALL)[..2],
        [
            format!(
                "Changed VMServiceScrape shop/web endpoints[0] -MutualTls STRICT-> There {} and 8 more",
                names.join(" ")
            ),
            "Changed VMServiceScrape shop/web endpoints[0] -Other PERMISSIVE-> There Deployment shop/open port 8080"
                .to_owned(),
        ]
    );
}

#[test]
fn endpoints_that_are_alike_share_a_box_where_there_are_many() {
    let decisions: Vec<_> = (0..9)
        .map(|n| endpoint(&format!("e{n}"), Rule::StrictNeedsTls, &["main"]))
        .collect();
    let names: Vec<String> = (0..9).map(|n| format!("shop/e{n}")).collect();
    let ports: Vec<String> = names.iter().map(|name| format!("{name}:8080")).collect();
    let scrape = format!("Changed VMServiceScrape endpoints[0] {}", names.join(" "));
    assert_eq!(
        arrows(&decisions, ALL),
        [
            format!("{scrape} -MutualTls STRICT-> There {}", ports.join(" ")),
            format!("There VMAgent shop/main -MutualTls mutual TLS-> {scrape}"),
        ]
    );
    // One of another scraper is not like them.
    let mut decisions = decisions;
    decisions[3] = endpoint("e3", Rule::StrictNeedsTls, &["other"]);
    assert_eq!(arrows(&decisions, ALL).len(), 4);
}

#[test]
fn scrapers_that_select_the_same_are_one_box() {
    let names: Vec<String> = (0..20).map(|n| format!("s{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let arrows = arrows(&[endpoint("web", Rule::StrictNeedsTls, &names)], ALL);
    assert_eq!(arrows.len(), 2);
    assert!(
        arrows[1].starts_with("There VMAgent shop/s0 VMAgent shop/s1 ")
            && arrows[1].contains(" and 8 more -"),
        "{}",
        arrows[1]
    );
}

#[test]
fn what_has_no_room_is_counted() {
    let decisions = [
        endpoint("a", Rule::StrictNeedsTls, &["main"]),
        endpoint("b", Rule::StrictNeedsTls, &["main"]),
        endpoint("c", Rule::StrictNeedsTls, &["main"]),
        endpoint("d", Rule::TargetUnknown, &["main"]),
    ];
    assert_eq!(
        arrows(&decisions, 1)[1..],
        [
            "There VMAgent shop/main -MutualTls mutual TLS-> Changed VMServiceScrape shop/a endpoints[0]",
            "There VMAgent shop/main -Other -> Changed 2 more endpoints change",
            "There VMAgent shop/main -Other -> Warned 1 more endpoint with a warning",
        ]
    );
}

/// Of scrapers that all select something else, too.
#[test]
fn a_picture_never_has_more_than_is_drawn() {
    let decisions: Vec<_> = (0..600)
        .map(|n| {
            let own = format!("scraper-{n}");
            let name = format!("{n}{}", "\"]".repeat(100));
            endpoint(&name, Rule::StrictNeedsTls, &[&own, "all"])
        })
        .collect();
    let text = crate::report::mermaid::flowchart(&decisions);
    assert!(text.chars().count() <= 20_000, "{}", text.len());
    assert!(text.lines().count() < 400, "{text}");
    assert!(text.contains("more endpoints change"), "{text}");
    assert!(written(&draw(&decisions, 600)).len() > text.len());
}
