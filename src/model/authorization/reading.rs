//! Which AuthorizationPolicy is this, and would the API server take it?
//!
//! Authority: `ValidateAuthorizationPolicy`, istio/istio pkg/config/validation/validation.go; pkg/config/security/security.go; istio/api kubernetes/customresourcedefinitions.gen.yaml.
//! Departs from it: addresses, path templates and the targets of `targetRefs` are not checked; a refused object stays, with the reasons.
//! Knows: one object. Does not know: whom it selects, what it lets in.

use super::{Action, AuthorizationPolicy, AuthorizationRule, Condition, Operation, Source};
use crate::model::field::{Field, Problem, Read, noted};
use crate::model::metadata::{self, REVISION};
use crate::model::peer_authentication::selector;
use crate::model::{Labels, Object};
use crate::yaml::Json;

const DRY_RUN: &str = "istio.io/dry-run";

/// The attributes that `when` knows by their whole name.
const ATTRIBUTES: [&str; 11] = [
    "source.ip",
    "remote.ip",
    "source.namespace",
    "source.principal",
    "source.serviceAccount",
    "source.trustDomain",
    "request.auth.principal",
    "request.auth.audiences",
    "request.auth.presenter",
    "destination.ip",
    "connection.sni",
];
const PORT: &str = "destination.port";
/// Those that name something in brackets: `request.headers[x-token]`.
const BRACKETED: [&str; 3] = [
    "request.headers",
    "request.auth.claims",
    "experimental.envoy.filters.",
];

/// A policy; every problem is a reason why it is refused.
pub(in crate::model) fn policy(
    object: Object,
    root: &Field<'_>,
    mut problems: Vec<Problem>,
) -> AuthorizationPolicy {
    let labels = noted(metadata::labels(root), &mut problems).unwrap_or_default();
    let annotations = noted(metadata::annotations(root), &mut problems).unwrap_or_default();
    let mut policy = AuthorizationPolicy {
        object,
        revision: labels.get(REVISION).map(str::to_owned),
        dry_run: annotations.get(DRY_RUN).is_some_and(is_true),
        attached: false,
        selector: Labels::new(),
        action: Action::Allow,
        rules: Vec::new(),
        refused: Vec::new(),
    };
    if let Some(spec) = noted(root.key("spec"), &mut problems) {
        let read = read(&spec, &mut policy, &mut problems);
        noted(read, &mut problems);
    }
    policy.refused = problems
        .into_iter()
        .map(|problem| format!("{}: {}", problem.at, problem.text))
        .collect();
    policy
}

/// What Go's `strconv.ParseBool` takes for true.
fn is_true(text: &str) -> bool {
    ["1", "t", "T", "TRUE", "true", "True"].contains(&text)
}

fn read(
    spec: &Field<'_>,
    policy: &mut AuthorizationPolicy,
    problems: &mut Vec<Problem>,
) -> Read<()> {
    policy.selector = noted(selector(spec, problems), problems).unwrap_or_default();
    attachment(spec, policy, problems)?;
    let named = spec.key("action")?;
    policy.action = noted(action(&named), problems).unwrap_or(Action::Allow);
    let provider = spec.key("provider")?;
    let provider_name = provider.key("name")?.text()?;
    let rules = spec.key("rules")?;
    let written = rules.list()?;
    for rule in &written {
        if let Some(rule) = noted(rule_of(rule, problems), problems) {
            policy.rules.push(rule);
        }
    }
    match policy.action {
        Action::Deny | Action::Custom if written.is_empty() => {
            problems.push(rules.problem(
                "no rule, so it would match nothing; an empty rule, {}, matches everything",
            ));
        }
        Action::Custom if provider_name.is_none() => {
            problems.push(provider.problem("missing; CUSTOM needs the name of a provider"));
        }
        Action::Allow | Action::Deny | Action::Audit if !provider.is_missing() => {
            problems.push(provider.problem("only CUSTOM has a provider"));
        }
        Action::Allow | Action::Deny | Action::Audit => {}
        Action::Custom => custom(policy, &rules, problems),
    }
    Ok(())
}

/// By labels, by one reference or by a list of them, and only one of the three.
fn attachment(
    spec: &Field<'_>,
    policy: &mut AuthorizationPolicy,
    problems: &mut Vec<Problem>,
) -> Read<()> {
    let (one, many) = (spec.key("targetRef")?, spec.key("targetRefs")?);
    let has_many = !many.list()?.is_empty();
    policy.attached = !one.is_missing() || has_many;
    let ways = [
        !spec.key("selector")?.is_missing(),
        !one.is_missing(),
        has_many,
    ];
    if ways.iter().filter(|there| **there).count() > 1 {
        problems.push(spec.problem("only one of selector, targetRef and targetRefs can be set"));
    }
    Ok(())
}

fn action(named: &Field<'_>) -> Read<Action> {
    match named.string()? {
        None | Some("ALLOW") => Ok(Action::Allow),
        Some("DENY") => Ok(Action::Deny),
        Some("AUDIT") => Ok(Action::Audit),
        Some("CUSTOM") => Ok(Action::Custom),
        Some(other) => Err(named.problem(format!(
            "unknown action `{other}`; expected ALLOW, DENY, AUDIT or CUSTOM"
        ))),
    }
}

/// Whoever is asked instead is asked before anybody knows who the client is.
fn custom(policy: &AuthorizationPolicy, rules: &Field<'_>, problems: &mut Vec<Problem>) {
    let by_identity = |source: &Source| {
        source.tokens || source.not_tokens || has_identity(source) || has_accounts(source)
    };
    let condition = |condition: &Condition| {
        let key = condition.key.as_str();
        [
            "source.namespace",
            "source.serviceAccount",
            "source.principal",
        ]
        .contains(&key)
            || key.starts_with("request.auth.")
    };
    let unsupported = |rule: &AuthorizationRule| {
        rule.from.iter().any(by_identity) || rule.when.iter().any(condition)
    };
    if policy.rules.iter().any(unsupported) {
        problems.push(rules.problem("CUSTOM cannot ask for identities of the client"));
    }
}

fn rule_of(field: &Field<'_>, problems: &mut Vec<Problem>) -> Read<AuthorizationRule> {
    let (from, to, when) = (field.key("from")?, field.key("to")?, field.key("when")?);
    if field.is_missing() || field.written().is_some_and(Json::is_null) {
        return Err(field.problem("a rule must not be null; {} matches everything"));
    }
    let mut rule = AuthorizationRule::default();
    for part in filled(&from, problems)? {
        let source = part.key("source")?;
        rule.from
            .extend(noted(source_of(&source, problems), problems));
    }
    for part in filled(&to, problems)? {
        let operation = part.key("operation")?;
        rule.to.extend(noted(operation_of(&operation), problems));
    }
    for part in when.list()? {
        rule.when.extend(noted(condition_of(&part), problems));
    }
    Ok(rule)
}

/// The elements of a list that may be missing, but not be there and empty.
fn filled<'f>(list: &'f Field<'f>, problems: &mut Vec<Problem>) -> Read<Vec<Field<'f>>> {
    let elements = list.list()?;
    if elements.is_empty() && !list.is_missing() {
        problems.push(list.problem("must not be empty; leave it out to match everything"));
    }
    Ok(elements)
}

fn has_identity(source: &Source) -> bool {
    let lists = [
        &source.principals,
        &source.not_principals,
        &source.namespaces,
        &source.not_namespaces,
    ];
    lists.iter().any(|list| !list.is_empty())
}

fn has_accounts(source: &Source) -> bool {
    !source.service_accounts.is_empty() || !source.not_service_accounts.is_empty()
}

fn source_of(field: &Field<'_>, problems: &mut Vec<Problem>) -> Read<Source> {
    let source = Source {
        principals: texts(field, "principals")?,
        not_principals: texts(field, "notPrincipals")?,
        namespaces: texts(field, "namespaces")?,
        not_namespaces: texts(field, "notNamespaces")?,
        service_accounts: texts(field, "serviceAccounts")?,
        not_service_accounts: texts(field, "notServiceAccounts")?,
        addresses: any(field, &["ipBlocks", "notIpBlocks"])?,
        remote_addresses: any(field, &["remoteIpBlocks", "notRemoteIpBlocks"])?,
        trust_domains: any(field, &["trustDomains", "notTrustDomains"])?,
        tokens: any(field, &["requestPrincipals"])?,
        not_tokens: any(field, &["notRequestPrincipals"])?,
    };
    if has_identity(&source) && has_accounts(&source) {
        problems
            .push(field.problem("serviceAccounts cannot stand beside principals or namespaces"));
    }
    let accounts = source.service_accounts.iter();
    if accounts
        .chain(&source.not_service_accounts)
        .any(|account| account.matches('/').count() > 1)
    {
        problems.push(field.problem("serviceAccounts: expected <name> or <namespace>/<name>"));
    }
    if source == Source::default() {
        return Err(field.problem("empty; expected a source, or no `from` to match everybody"));
    }
    Ok(source)
}

fn operation_of(field: &Field<'_>) -> Read<Operation> {
    let operation = Operation {
        ports: ports(field, "ports")?,
        not_ports: ports(field, "notPorts")?,
        paths: texts(field, "paths")?,
        not_paths: texts(field, "notPaths")?,
        methods: texts(field, "methods")?,
        not_methods: texts(field, "notMethods")?,
        hosts: any(field, &["hosts", "notHosts"])?,
    };
    if operation == Operation::default() {
        return Err(field.problem("empty; expected an operation, or no `to` to match everything"));
    }
    Ok(operation)
}

fn condition_of(field: &Field<'_>) -> Read<Condition> {
    let at = field.key("key")?;
    let key = at.text()?.unwrap_or_default();
    let bracketed = BRACKETED.iter().any(|prefix| {
        key.strip_prefix(prefix)
            .and_then(|rest| rest.split_once('['))
            .is_some_and(|(_, name)| name.ends_with(']') && name.len() > 1)
    });
    if !bracketed && key != PORT && !ATTRIBUTES.contains(&key) {
        return Err(at.problem(format!("unknown attribute `{key}`")));
    }
    let read = if key == PORT { ports } else { texts };
    let condition = Condition {
        key: key.to_owned(),
        values: read(field, "values")?,
        not_values: read(field, "notValues")?,
    };
    if condition.values.is_empty() && condition.not_values.is_empty() {
        return Err(field.problem("expected values or notValues"));
    }
    Ok(condition)
}

fn texts(field: &Field<'_>, key: &str) -> Read<Vec<String>> {
    let list = field.key(key)?;
    let elements = list.list()?;
    let text = |element: &Field<'_>| -> Read<String> {
        let text = element.text()?;
        text.map(str::to_owned)
            .ok_or_else(|| element.problem("must not be empty"))
    };
    elements.iter().map(text).collect()
}

fn any(field: &Field<'_>, keys: &[&str]) -> Read<bool> {
    let mut there = false;
    for key in keys {
        there |= !texts(field, key)?.is_empty();
    }
    Ok(there)
}

/// Ports are text here (`"8080"`); the CRD refuses numbers.
fn ports(field: &Field<'_>, key: &str) -> Read<Vec<String>> {
    let list = field.key(key)?;
    let ports = texts(field, key)?;
    let is_port = |port: &String| !port.starts_with('+') && port.parse::<u16>().is_ok();
    match ports.iter().find(|port| !is_port(port)) {
        Some(port) => Err(list.problem(format!("`{port}` is no port number"))),
        None => Ok(ports),
    }
}

#[cfg(test)]
mod tests;
