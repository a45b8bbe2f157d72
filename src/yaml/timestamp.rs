//! Is a plain scalar a date, and how does kustomize print it?
//!
//! Authority: `parseTimestamp` in go.yaml.in/yaml/v3 and Go's `time.Parse`, `time.Time.MarshalJSON`.
//! Departs from them: nothing.
//! Knows: the four layouts of a date. Does not know: which reader asks.

/// The date in RFC 3339, if `text` has one of goyaml's layouts.
pub(super) fn rfc3339(text: &str) -> Option<String> {
    let mut rest = Rest(text);
    let year = rest.digits(4, 4)?;
    rest.one_of("-")?;
    let month = rest.digits(1, 2)?;
    rest.one_of("-")?;
    let day = rest.digits(1, 2)?;
    if !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) {
        return None;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    if rest.0.is_empty() {
        return Some(date + "T00:00:00Z");
    }
    let separator = rest.one_of("Tt ")?;
    let hour = rest.digits(1, 2)?;
    rest.one_of(":")?;
    let minute = rest.digits(1, 2)?;
    rest.one_of(":")?;
    let second = rest.digits(1, 2)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = rest.fraction();
    let zone = if separator == ' ' {
        "Z".to_owned()
    } else {
        rest.zone()?
    };
    rest.0
        .is_empty()
        .then(|| format!("{date}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}"))
}

struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn digits(&mut self, least: usize, most: usize) -> Option<u32> {
        let len = self
            .0
            .bytes()
            .take(most)
            .take_while(u8::is_ascii_digit)
            .count();
        let (digits, rest) = self.0.split_at(len);
        self.0 = rest;
        (len >= least).then(|| digits.parse().ok()).flatten()
    }

    fn one_of(&mut self, allowed: &str) -> Option<char> {
        let next = self.0.chars().next().filter(|c| allowed.contains(*c))?;
        self.0 = &self.0[next.len_utf8()..];
        Some(next)
    }

    fn fraction(&mut self) -> String {
        let Some(tail) = self.0.strip_prefix(['.', ',']) else {
            return String::new();
        };
        let len = tail.bytes().take_while(u8::is_ascii_digit).count();
        if len == 0 {
            return String::new();
        }
        self.0 = &tail[len..];
        let nanos = tail[..len.min(9)].trim_end_matches('0');
        if nanos.is_empty() {
            String::new()
        } else {
            format!(".{nanos}")
        }
    }

    fn zone(&mut self) -> Option<String> {
        let sign = self.one_of("Z+-")?;
        if sign == 'Z' {
            return Some("Z".to_owned());
        }
        let hour = self.digits(2, 2)?;
        self.one_of(":")?;
        let minute = self.digits(2, 2)?;
        if hour > 24 || minute > 59 {
            return None;
        }
        Some(if hour == 0 && minute == 0 {
            "Z".to_owned()
        } else {
            format!("{sign}{hour:02}:{minute:02}")
        })
    }
}

fn days_in(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
