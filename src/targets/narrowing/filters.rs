//! Which relabelling rules leave targets out, and by what?
//!
//! Authority: VictoriaMetrics `lib/promrelabel/{config,relabel}.go`: expressions are anchored, `.*` where none is written,
//! sources are joined by `;` unless `separator` says otherwise, a missing label is empty.
//! Departs from it: of expressions, plain text, alternatives of it, `.*` and `.+` are understood.
//! Knows: rules as values. Does not know: which labels a target has.

use std::borrow::Cow;

use serde_json::Value;

use super::rewritten::Rewritten;

/// A rule that leaves targets out.
#[derive(Debug)]
pub(super) struct Filter {
    /// Where it is.
    pub(super) place: String,
    /// `keep`: it leaves those that match; else the others.
    keeps: bool,
    sources: Vec<String>,
    separator: String,
    /// What the joined sources have to be, or why that is not followed.
    wanted: Result<Wanted, String>,
}

/// What the joined sources have to be.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Anything,
    Something,
    OneOf(Vec<String>),
}

/// The rules of these lists, in the order in which they run; in each list's place, `#` stands for the position.
pub(super) fn filters_of(lists: &[(String, &[Value])]) -> Vec<Filter> {
    let mut filters = Vec::new();
    let mut rewritten = Rewritten::default();
    for (list, rules) in lists {
        for (position, rule) in rules.iter().enumerate() {
            let action = text(rule, "action", "action").unwrap_or("replace");
            let place = || list.replace('#', &position.to_string());
            match action.to_ascii_lowercase().as_str() {
                action @ ("keep" | "drop") => {
                    filters.extend(filter(place(), action == "keep", rule, &rewritten));
                }
                "keepequal" | "dropequal" | "keep_if_equal" | "drop_if_equal"
                | "keep_if_contains" | "drop_if_contains" => {
                    let why = "it compares labels with each other".to_owned();
                    filters.push(not_followed(place(), why));
                }
                "keep_metrics" | "drop_metrics" => {
                    let why = "it looks at the name of a metric".to_owned();
                    filters.push(not_followed(place(), why));
                }
                action => rewritten.note(action, rule),
            }
        }
    }
    filters
}

fn not_followed(place: String, why: String) -> Filter {
    Filter {
        place,
        keeps: true,
        sources: Vec::new(),
        separator: String::new(),
        wanted: Err(why),
    }
}

/// A rule `keep` or `drop`; none where it tells pods of one workload apart, of which some are always left.
fn filter(place: String, keeps: bool, rule: &Value, rewritten: &Rewritten) -> Option<Filter> {
    let sources = sources(rule);
    if !sources.is_empty() && sources.iter().all(|label| is_state(label)) {
        return None;
    }
    let altered = sources.iter().find(|label| rewritten.includes(label));
    let wanted = if rule.get("if").is_some_and(|condition| !condition.is_null()) {
        Err("its condition (if) is not looked into".to_owned())
    } else if let Some(label) = altered {
        Err(format!("an earlier rule changes {label}"))
    } else {
        wanted(rule)
    };
    Some(Filter {
        place,
        keeps,
        sources,
        separator: rule
            .get("separator")
            .and_then(Value::as_str)
            .unwrap_or(";")
            .to_owned(),
        wanted,
    })
}

/// What a pod is while it runs: true of some pods of a workload at some time, and so of the workload.
fn is_state(label: &str) -> bool {
    matches!(
        label,
        "__meta_kubernetes_pod_phase"
            | "__meta_kubernetes_pod_ready"
            | "__meta_kubernetes_endpoint_ready"
    ) || label.starts_with("__meta_kubernetes_endpointslice_endpoint_conditions_")
}

fn wanted(rule: &Value) -> Result<Wanted, String> {
    let not_plain = |regex: &str| format!("its regular expression {regex:?} is no plain text");
    match rule.get("regex") {
        None | Some(Value::Null) => Ok(Wanted::Anything),
        Some(Value::String(regex)) => alternatives(regex).ok_or_else(|| not_plain(regex)),
        // Expressions in a list are alternatives.
        Some(Value::Array(list)) if !list.is_empty() => {
            let mut all = Vec::new();
            for one in list {
                match one.as_str().and_then(alternatives) {
                    Some(Wanted::OneOf(some)) => all.extend(some),
                    Some(Wanted::Anything | Wanted::Something) | None => {
                        return Err(not_plain(&one.to_string()));
                    }
                }
            }
            Ok(Wanted::OneOf(all))
        }
        Some(other) => Err(not_plain(&other.to_string())),
    }
}

/// The texts that an expression matches. An empty expression is no expression to the operators, and the empty text to vmagent.
fn alternatives(regex: &str) -> Option<Wanted> {
    let regex = without_group(without_anchors(regex));
    match regex {
        "" => None,
        ".*" | "(.*)" => Some(Wanted::Anything),
        ".+" | "(.+)" => Some(Wanted::Something),
        _ => {
            let texts = split(regex)?;
            Some(Wanted::OneOf(texts))
        }
    }
}

fn without_anchors(regex: &str) -> &str {
    let regex = regex.strip_prefix('^').unwrap_or(regex);
    match regex.strip_suffix('$') {
        Some(rest) if !rest.ends_with('\\') => rest,
        Some(_) | None => regex,
    }
}

/// Without a group around all of it.
fn without_group(regex: &str) -> &str {
    let inside = regex
        .strip_prefix("(?:")
        .or_else(|| regex.strip_prefix('('))
        .and_then(|rest| rest.strip_suffix(')'));
    match inside {
        Some(inside) if !inside.contains(['(', ')', '\\']) => without_anchors(inside),
        Some(_) | None => regex,
    }
}

/// The alternatives of an expression that has nothing else in it.
fn split(regex: &str) -> Option<Vec<String>> {
    let mut texts = vec![String::new()];
    let mut chars = regex.chars();
    while let Some(char) = chars.next() {
        let literal = match char {
            '|' => {
                texts.push(String::new());
                continue;
            }
            '\\' => chars.next().filter(|escaped| !escaped.is_alphanumeric())?,
            '.' | '+' | '*' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '^' | '$' => return None,
            plain => plain,
        };
        if let Some(last) = texts.last_mut() {
            last.push(literal);
        }
    }
    Some(texts)
}

/// A value that a target has to have to be left.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Need<'f> {
    /// Of this label.
    pub(super) label: &'f str,
    /// This one.
    pub(super) value: &'f str,
}

impl Filter {
    /// For labels that it looks at, the values of which a target that it leaves has one.
    pub(super) fn needs(&self) -> Vec<Vec<Need<'_>>> {
        let (true, Ok(Wanted::OneOf(texts))) = (self.keeps, &self.wanted) else {
            return Vec::new();
        };
        let parts: Vec<Vec<&str>> = match self.sources.len() {
            1 => texts.iter().map(|text| vec![text.as_str()]).collect(),
            _ if self.separator.is_empty() => return Vec::new(),
            _ => texts
                .iter()
                .map(|text| text.split(self.separator.as_str()).collect())
                .collect(),
        };
        // A value with a separator in it may stand for several parts.
        if parts.iter().any(|parts| parts.len() != self.sources.len()) {
            return Vec::new();
        }
        let labels = self.sources.iter().enumerate();
        labels
            .map(|(position, label)| {
                let values = parts.iter().map(|parts| parts[position]);
                values.map(|value| Need { label, value }).collect()
            })
            .collect()
    }

    /// Whether there are targets that it leaves out.
    pub(super) fn can_leave_out(&self) -> bool {
        match &self.wanted {
            Ok(Wanted::Anything) => !self.keeps,
            Ok(Wanted::Something | Wanted::OneOf(_)) => true,
            Err(_) => false,
        }
    }

    /// Whether these labels are all that it looks at.
    pub(super) fn looks_only_at(&self, labels: impl Fn(&str) -> bool) -> bool {
        self.wanted.is_err() || self.sources.iter().all(|label| labels(label))
    }

    /// Whether it leaves a target whose labels are so; a label without a value is not known.
    ///
    /// # Errors
    /// Why that is not known.
    pub(super) fn leaves<'v>(
        &self,
        value: impl Fn(&str) -> Option<Cow<'v, str>>,
    ) -> Result<bool, String> {
        let wanted = self.wanted.as_ref().map_err(Clone::clone)?;
        // Most rules look at one label, and every Service is asked for it.
        let (one, several): ([_; 1], Vec<_>);
        let values: &[Option<Cow<'_, str>>] = match self.sources.as_slice() {
            [label] => {
                one = [value(label)];
                &one
            }
            labels => {
                several = labels.iter().map(|label| value(label)).collect();
                &several
            }
        };
        let matches = self.matches(wanted, values).ok_or_else(|| {
            let unknown = self.sources.iter().zip(values);
            let mut unknown = unknown.filter(|(_, value)| value.is_none());
            let label = unknown.next().map_or("", |(label, _)| label.as_str());
            format!("{label} is not known of all of them")
        })?;
        Ok(matches == self.keeps)
    }

    fn matches(&self, wanted: &Wanted, values: &[Option<Cow<'_, str>>]) -> Option<bool> {
        let texts = match wanted {
            Wanted::Anything => return Some(true),
            // Between two sources stands the separator.
            Wanted::Something if values.len() > 1 && !self.separator.is_empty() => {
                return Some(true);
            }
            Wanted::Something => {
                let known = values.iter().flatten().any(|value| !value.is_empty());
                let all_known = values.iter().all(Option::is_some);
                return (known || all_known).then_some(known);
            }
            Wanted::OneOf(texts) => texts,
        };
        if let [Some(value)] = values {
            return Some(texts.iter().any(|text| text == value));
        }
        let joined: Option<Vec<&str>> = values.iter().map(|value| value.as_deref()).collect();
        match joined {
            Some(joined) => Some(texts.contains(&joined.join(&self.separator))),
            None => {
                let possible = texts.iter().any(|text| self.may_be(text, values));
                (!possible).then_some(false)
            }
        }
    }

    /// Whether the values that are known stand in their place in a text.
    fn may_be(&self, text: &str, values: &[Option<Cow<'_, str>>]) -> bool {
        if self.separator.is_empty() {
            return true;
        }
        let parts: Vec<&str> = text.split(self.separator.as_str()).collect();
        let in_place = |(part, value): (&&str, &Option<Cow<'_, str>>)| {
            value.as_ref().is_none_or(|value| value == part)
        };
        parts.len() != values.len() || parts.iter().zip(values).all(in_place)
    }

    /// That it left nothing.
    pub(super) fn in_words(&self) -> String {
        let place = &self.place;
        let texts = match &self.wanted {
            Ok(Wanted::OneOf(texts)) => texts.join(" or "),
            Ok(Wanted::Something) => "anything".to_owned(),
            Ok(Wanted::Anything) | Err(_) => {
                return format!("{place} leaves none of the targets in the input");
            }
        };
        let label = match self.sources.as_slice() {
            [label] => noun(label),
            labels => Cow::Owned(labels.join(", ")),
        };
        let whose = match label.starts_with("container") {
            true => "pod",
            false => "target",
        };
        match self.keeps {
            true => {
                format!("{place} keeps only {label} {texts}, which no {whose} in the input has")
            }
            false => format!("{place} drops {label} {texts}, which every {whose} in the input has"),
        }
    }
}

fn noun(label: &str) -> Cow<'_, str> {
    Cow::Borrowed(match label {
        "__meta_kubernetes_namespace" => "namespace",
        "__meta_kubernetes_service_name" => "Service",
        "__meta_kubernetes_pod_container_name" => "container",
        "__meta_kubernetes_pod_container_port_name"
        | "__meta_kubernetes_pod_container_port_number" => "container port",
        "__meta_kubernetes_endpoint_port_name"
        | "__meta_kubernetes_endpointslice_port_name"
        | "__meta_kubernetes_service_port_name"
        | "__meta_kubernetes_service_port_number" => "port",
        other => other,
    })
}

fn sources(rule: &Value) -> Vec<String> {
    let list = rule
        .get("sourceLabels")
        .or_else(|| rule.get("source_labels"));
    list.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// A text of a rule under either spelling; an empty one is none.
pub(super) fn text<'a>(rule: &'a Value, camel: &str, snake: &str) -> Option<&'a str> {
    let value = rule.get(camel).or_else(|| rule.get(snake))?;
    value.as_str().filter(|text| !text.is_empty())
}
