//! What does a scalar mean: a string, a number, a boolean or null?
//!
//! Authority: `resolve` in go.yaml.in/yaml/v3 (kustomize, kpt) and in sigs.k8s.io/yaml/goyaml.v2 (kubectl, API server).
//! Departs from them: `!!binary` keeps its base64 text.
//! Knows: text, tags and the two tables. Does not know: lists, maps, where the text stands.

use serde_json::{Number, Value};

use super::Rules;
use super::timestamp::rfc3339;

/// What a scalar reads as.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    /// A value that JSON has.
    Json(Value),
    /// `.inf`, `.nan`: a number that JSON lacks.
    NotFinite,
    /// The text cannot be read as what its tag says.
    Misfit,
}

impl Rules {
    /// A scalar without quotes and without a tag.
    pub(super) fn plain(self, text: &str) -> Scalar {
        self.resolve(text, None)
    }

    /// A scalar with a tag such as `!!int`; `quoted` includes block scalars.
    pub(super) fn tagged(self, text: &str, tag: &str, quoted: bool) -> Scalar {
        let string = || Scalar::Json(Value::String(text.to_owned()));
        let wanted = match core_tag(tag) {
            Tag::Unspecific if self == Rules::Kustomize && !quoted => return self.plain(text),
            Tag::Unspecific | Tag::Other => return string(),
            Tag::Core(wanted) => wanted,
        };
        match (wanted, self.resolve(text, Some(wanted))) {
            ("str" | "binary", _) => string(),
            ("timestamp", read) => match read {
                Scalar::Json(Value::String(_)) => read,
                _ => Scalar::Misfit,
            },
            ("null", read @ Scalar::Json(Value::Null))
            | ("bool", read @ Scalar::Json(Value::Bool(_)))
            | ("float", read @ (Scalar::NotFinite | Scalar::Json(Value::Number(_)))) => read,
            ("int", Scalar::Json(Value::Number(n))) if !n.is_f64() => {
                Scalar::Json(Value::Number(n))
            }
            ("null" | "bool" | "int" | "float", _) => Scalar::Misfit,
            _ => string(),
        }
    }

    fn resolve(self, text: &str, tag: Option<&str>) -> Scalar {
        let string = || Scalar::Json(Value::String(text.to_owned()));
        let number = match text.as_bytes().first() {
            None => return Scalar::Json(Value::Null),
            Some(b'~' | b'.' | b'+' | b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z') => {
                if let Some(word) = self.word(text) {
                    return word;
                }
                match text.as_bytes()[0] {
                    b'.' => go_float(text),
                    b'+' | b'-' | b'0'..=b'9' => {
                        if self == Rules::Kustomize
                            && matches!(tag, None | Some("timestamp"))
                            && let Some(time) = rfc3339(text)
                        {
                            return Scalar::Json(Value::String(time));
                        }
                        go_number(text)
                    }
                    _ => None,
                }
            }
            Some(_) => None,
        };
        number.map_or_else(string, |n| Scalar::Json(Value::Number(n)))
    }

    fn word(self, text: &str) -> Option<Scalar> {
        let json = match text {
            "~" | "null" | "Null" | "NULL" => Value::Null,
            "true" | "True" | "TRUE" => Value::Bool(true),
            "false" | "False" | "FALSE" => Value::Bool(false),
            ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF"
            | "-.inf" | "-.Inf" | "-.INF" => return Some(Scalar::NotFinite),
            "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" if self == Rules::Kubectl => {
                Value::Bool(true)
            }
            "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" if self == Rules::Kubectl => {
                Value::Bool(false)
            }
            _ => return None,
        };
        Some(Scalar::Json(json))
    }
}

/// Whether a scalar without quotes is the text that it looks like, whoever reads it. `false` does not say that it is not.
pub(super) fn is_surely_text(text: &str) -> bool {
    match text.as_bytes().first() {
        // The longest word that is no text is `false`, and kubectl has all the words that kustomize has.
        Some(b'a'..=b'z' | b'A'..=b'Z') => text.len() > 5 || Rules::Kubectl.word(text).is_none(),
        None | Some(b'~' | b'.' | b'+' | b'-' | b'0'..=b'9') => false,
        Some(_) => true,
    }
}

enum Tag<'a> {
    Unspecific,
    Core(&'a str),
    Other,
}

fn core_tag(tag: &str) -> Tag<'_> {
    let verbatim = tag
        .strip_prefix("!<tag:yaml.org,2002:")
        .and_then(|t| t.strip_suffix('>'));
    match (tag, tag.strip_prefix("!!").or(verbatim)) {
        ("!", _) | ("!<!>", _) => Tag::Unspecific,
        (_, Some(name)) => Tag::Core(name),
        _ => Tag::Other,
    }
}

/// Go's `strconv.ParseInt(text, 0, 64)`, `ParseUint`, then floats, then the prefixes of YAML 1.1.
fn go_number(text: &str) -> Option<Number> {
    let digits = text.replace('_', "");
    let (negative, unsigned) = match digits.as_bytes().first()? {
        b'-' => (true, &digits[1..]),
        b'+' => (false, &digits[1..]),
        _ => (false, &digits[..]),
    };
    let (radix, body) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &unsigned[2..]),
        [b'0', b'b' | b'B', ..] => (2, &unsigned[2..]),
        [b'0', b'o' | b'O', ..] => (8, &unsigned[2..]),
        [b'0', _, ..] => (8, &unsigned[1..]),
        _ => (10, unsigned),
    };
    let signed_twice = body.starts_with(['+', '-']);
    if !signed_twice && let Ok(magnitude) = u64::from_str_radix(body, radix) {
        match (negative, i64::try_from(magnitude)) {
            (false, _) if digits.starts_with('+') && i64::try_from(magnitude).is_err() => {}
            (false, _) => return Some(magnitude.into()),
            (true, Ok(value)) => return Some((-value).into()),
            (true, Err(_)) if magnitude == 1 << 63 => return Some(i64::MIN.into()),
            (true, Err(_)) => {}
        }
    }
    if is_yaml_float(unsigned) {
        finite(digits.parse().ok()?)
    } else {
        None
    }
}

/// `^(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`, goyaml's shape of a float.
fn is_yaml_float(text: &str) -> bool {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(e) => (&text[..e], Some(&text[e + 1..])),
        None => (text, None),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some((whole, part)) => {
            digits(whole) && digits(part) && !(whole.is_empty() && part.is_empty())
        }
        None => digits(mantissa) && !mantissa.is_empty(),
    };
    let exponent_fits = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['+', '-']).unwrap_or(e);
        !e.is_empty() && digits(e)
    });
    mantissa_fits && exponent_fits
}

/// Go's `strconv.ParseFloat` for a text that begins with a dot: `_` may stand between digits.
fn go_float(text: &str) -> Option<Number> {
    let bytes = text.as_bytes();
    let between_digits = |i: usize| {
        i > 0 && bytes[i - 1].is_ascii_digit() && bytes.get(i + 1).is_some_and(u8::is_ascii_digit)
    };
    let underscores_fit = (0..bytes.len()).all(|i| bytes[i] != b'_' || between_digits(i));
    let digits = text.replace('_', "");
    if underscores_fit && is_yaml_float(&digits) {
        finite(digits.parse().ok()?)
    } else {
        None
    }
}

/// As Go prints a float into JSON: whole numbers without a fraction. Too large ones stay text.
fn finite(value: f64) -> Option<Number> {
    if !value.is_finite() {
        return None;
    }
    let whole = value.trunc() == value;
    if whole && value.abs() < 9.0e18 {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "checked: whole and within i64"
        )]
        return Some((value as i64).into());
    }
    if whole && value > 0.0 && value < 1.8e19 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked: whole and within u64"
        )]
        return Some((value as u64).into());
    }
    Number::from_f64(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The rows of the table in which the two readers, or they and YAML 1.2, differ.
    #[test]
    fn plain_scalars_mean_what_the_hosts_say() {
        let rows = [
            ("yes", json!("yes"), json!(true)),
            ("n", json!("n"), json!(false)),
            ("0777", json!(511), json!(511)),
            ("0o777", json!(511), json!(511)),
            ("08", json!(8), json!(8)),
            ("0b11", json!(3), json!(3)),
            ("-0x1F", json!(-31), json!(-31)),
            ("1_000", json!(1000), json!(1000)),
            ("190:20:30", json!("190:20:30"), json!("190:20:30")),
            ("1e400", json!("1e400"), json!("1e400")),
            ("1e3", json!(1000), json!(1000)),
            (".5", json!(0.5), json!(0.5)),
            ("-", json!("-"), json!("-")),
            ("0x", json!("0x"), json!("0x")),
            ("18446744073709551615", json!(u64::MAX), json!(u64::MAX)),
            (
                "18446744073709551616",
                json!(18446744073709551616.0),
                json!(18446744073709551616.0),
            ),
            ("-9223372036854775808", json!(i64::MIN), json!(i64::MIN)),
            (
                "2001-12-14",
                json!("2001-12-14T00:00:00Z"),
                json!("2001-12-14"),
            ),
            ("2001-02-30", json!("2001-02-30"), json!("2001-02-30")),
            ("~", json!(null), json!(null)),
            ("nULL", json!("nULL"), json!("nULL")),
        ];
        for (text, kustomize, kubectl) in rows {
            assert_eq!(
                Rules::Kustomize.plain(text),
                Scalar::Json(kustomize),
                "{text}"
            );
            assert_eq!(Rules::Kubectl.plain(text), Scalar::Json(kubectl), "{text}");
        }
    }

    /// Tags decide over the shape of the text.
    #[test]
    fn tags_decide() {
        let read = |text, tag| Rules::Kustomize.tagged(text, tag, false);
        assert_eq!(read("5", "!!str"), Scalar::Json(json!("5")));
        assert_eq!(
            read("5", "!<tag:yaml.org,2002:str>"),
            Scalar::Json(json!("5"))
        );
        assert_eq!(read("5", "!Ref"), Scalar::Json(json!("5")));
        assert_eq!(read("5", "!!float"), Scalar::Json(json!(5)));
        assert_eq!(read("x", "!!int"), Scalar::Misfit);
        assert_eq!(read("5", "!"), Scalar::Json(json!(5)));
        assert_eq!(
            Rules::Kubectl.tagged("5", "!", false),
            Scalar::Json(json!("5"))
        );
    }
}
