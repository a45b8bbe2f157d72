use super::*;
use crate::report::fixture::{endpoint, finding, refused, scraper};
use crate::rules::Rule;

/// What GitHub takes.
const COMMENT: usize = 65_536;

fn many(count: usize, rule: Rule) -> Vec<Located> {
    (0..count)
        .map(|n| endpoint(&format!("app-{n}"), rule, &["one"]))
        .collect()
}

/// Rows have as many cells as their header, whatever their texts say.
fn assert_tables_are_whole(text: &str) {
    let bars = |line: &str| line.replace(r"\|", "").matches('|').count();
    let mut header = None;
    for line in text.lines() {
        match (line.starts_with('|'), header) {
            (false, _) => header = None,
            (true, None) => header = Some(bars(line)),
            (true, Some(expected)) => assert_eq!(bars(line), expected, "{line}"),
        }
    }
}

#[test]
fn nothing_is_no_news() {
    insta::assert_snapshot!(render(&[]), @r#"
    ### istio-scrape: nothing to change

    No scrape endpoint in the input. No warnings, no errors.
    "#);
    insta::assert_snapshot!(render(&many(2, Rule::AlreadyRight)), @r#"
    ### istio-scrape: nothing to change

    2 endpoints: plain text (2). No warnings, no errors.

    <details>
    <summary>2 endpoints stay as they are</summary>

    | object | speaks | rule |
    |---|---|---|
    | VMServiceScrape `spec.endpoints[0]`<br>`shop/app-0`<br>`shop/app-1` | plain text | [already-right] |

    </details>

    [already-right]: https://github.com/istio-scrape/istio-scrape/blob/main/functions/istio-scrape-tls/README.md#already-right
    "#);
}

/// Changes first, then what needs a look, most severe first; what stays, and what is good to know, is folded.
#[test]
fn each_decision_is_told_once() {
    let decisions = [
        finding("lost", Rule::NoScraperSelectsThis),
        refused(endpoint("closed", Rule::TargetUnknown, &["main"])),
        endpoint("web", Rule::StrictNeedsTls, &["main"]),
        endpoint("cart", Rule::AlreadyRight, &["main"]),
        endpoint("jobs", Rule::AlreadyRight, &["main"]),
        finding("jobs", Rule::ModeAssumed),
        scraper("main"),
    ];
    insta::assert_snapshot!(render(&decisions), @r#"
    ### istio-scrape: 2 changes

    4 endpoints, after the change: mutual TLS (1), plain text (3). **1 warning, 1 error**.

    **Changes**

    | object | from → to | rule | why |
    |---|---|---|---|
    | VMServiceScrape `shop/web` `spec.endpoints[0]` | plain text → **mutual TLS** | [strict-needs-tls] | PeerAuthentication `shop/web`: STRICT |
    | VMAgent `shop/main` | gets **certificates** | [scraper-needs-certificates] | scraper-needs-certificates is why |

    **Worth a look**

    | severity | object | rule | what |
    |---|---|---|---|
    | error | VMServiceScrape `shop/closed` `spec.endpoints[0]` | [target-unknown] | target-unknown is why |
    | warning | VMServiceScrape `shop/lost` | [no-scraper-selects-this] | no-scraper-selects-this is why |

    **Who scrapes what, after the change** (thick: mutual TLS; dotted: not known; blue: changes; yellow: warnings)

    ```mermaid
    %%{init: {"flowchart": {"wrappingWidth": 600, "nodeSpacing": 24, "rankSpacing": 32}}}%%
    flowchart LR
      n0["VMServiceScrape<br/>shop/web<br/>endpoints#91;0#93;"]
      n1["Deployment<br/>shop/web<br/>port 8080"]
      n2["VMServiceScrape<br/>shop/closed<br/>endpoints#91;0#93;"]
      n3["Deployment<br/>shop/closed<br/>port 8080"]
      n4["not in the input"]
      n5["VMAgent<br/>shop/main"]
      n6["2 endpoints stay as they are"]
      n0 ==>|"STRICT"| n1
      n2 -->|"PERMISSIVE"| n3
      n2 -.->|"unknown"| n4
      n5 ==>|"mutual TLS"| n0
      n5 -->|"plain"| n2
      n5 --> n6
      classDef changed fill:#0969da,stroke:#54aeff,stroke-width:2px,color:#ffffff
      class n0,n5 changed
      classDef warned fill:#fff8c5,stroke:#bf8700,stroke-width:2px,color:#1f2328
      class n2 warned
      classDef folded fill:#6e7781,stroke:#8c959f,color:#ffffff
      class n6 folded
      classDef missing fill:#6e7781,stroke:#d0d7de,stroke-dasharray:5 4,color:#ffffff
      class n4 missing
    ```

    <details>
    <summary>2 endpoints stay as they are</summary>

    | object | speaks | rule |
    |---|---|---|
    | VMServiceScrape `spec.endpoints[0]`<br>`shop/cart`<br>`shop/jobs` | plain text | [already-right] |

    </details>

    <details>
    <summary>Good to know: 1 note</summary>

    | object | rule | what |
    |---|---|---|
    | VMServiceScrape `shop/jobs` | [mode-assumed] | mode-assumed is why |

    </details>

    [already-right]: https://github.com/istio-scrape/istio-scrape/blob/main/functions/istio-scrape-tls/README.md#already-right
    [mode-assumed]: https://github.com/istio-scrape/istio-scrape/blob/main/functions/istio-scrape-tls/README.md#mode-assumed
    [no-scraper-selects-this]: https://github.com/istio-scrape/istio-scrape/blob/main/functions/istio-scrape-tls/README.md#no-scraper-selects-this
    [scraper-needs-certificates]: https://github.com/istio-scrape/istio-scrape/blob/main/functions/istio-scrape-tls/README.md#scraper-needs-certificates
    [strict-needs-tls]: https://github.com/istio-scrape/istio-scrape/blob/main/functions/istio-scrape-tls/README.md#strict-needs-tls
    [target-unknown]: https://github.com/istio-scrape/istio-scrape/blob/main/functions/istio-scrape-tls/README.md#target-unknown
    "#);
}

/// 5 000 endpoints of which the same is to be said are a few rows.
/// What an endpoint speaks is no statement about what it should, where nobody knows that.
#[test]
fn the_sum_says_of_how_many_nothing_is_known() {
    let mut decisions = many(3, Rule::AlreadyRight);
    for located in &mut decisions[..2] {
        let transport = located.decision.transport.as_mut();
        transport.expect("it is an endpoint").wanted = Wanted::Unknown;
    }
    let text = render(&decisions);
    let sum = "\n3 endpoints: plain text (3); what 2 of them should speak is not known. ";
    assert!(text.contains(sum), "{text}");
}

#[test]
fn what_is_alike_is_one_row() {
    let text = render(
        &many(5_000, Rule::StrictNeedsTls)
            .into_iter()
            .map(|mut one| {
                one.decision.targets.clear();
                one
            })
            .collect::<Vec<_>>(),
    );
    assert!(text.contains("<br>and 4950 more |"), "{text}");
    assert!(
        text.contains("`istio-scrape explain` names them all"),
        "{text}"
    );
    assert!(text.len() < 6_000, "{}", text.len());
}

/// 5 000 endpoints of which each has its own reason do not have room: rows are left out whole, and counted.
#[test]
fn a_comment_is_never_longer_than_a_forge_takes() {
    let mut decisions = many(5_000, Rule::StrictNeedsTls);
    decisions.extend((0..5_000).map(|n| {
        let mut one = finding(&format!("odd-{n}"), Rule::NotUnderstood);
        one.decision.message = format!("{n} {}", "a reason ".repeat(60));
        one
    }));
    decisions.extend(many(3_000, Rule::AlreadyRight));
    let text = render(&decisions);
    assert!(
        text.chars().count() <= COMMENT && text.len() > COMMENT / 2,
        "{}",
        text.len()
    );
    assert_tables_are_whole(&text);
    for part in ["**Changes**", "**Worth a look**", "```mermaid", "<summary>"] {
        assert!(text.contains(part), "{part} is missing");
    }
    let rows = |of: &str| text.lines().filter(|line| line.contains(of)).count();
    for rule in ["| [strict-needs-tls] |", "| [not-understood] |"] {
        let left_out = format!("…and {} more.", 5_000 - rows(rule));
        assert!(
            rows(rule) > 20 && text.contains(&left_out),
            "{rule}: {left_out}"
        );
    }
    assert!(text.contains("3000 endpoints stay as they are"));
    assert_eq!(
        text.matches("<details>").count(),
        text.matches("</details>").count()
    );
}

/// One name alone may be longer than a comment.
#[test]
fn a_long_name_takes_no_more_room_than_others() {
    let name = "|\u{202e}`".repeat(50_000);
    let decisions: Vec<_> = (0..60)
        .map(|n| endpoint(&format!("{n}{name}"), Rule::StrictNeedsTls, &[&name]))
        .collect();
    let text = render(&decisions);
    assert!(text.chars().count() <= COMMENT, "{}", text.len());
    assert_tables_are_whole(&text);
    assert!(text.contains("…and ") || text.contains("more |"), "{text}");
}
