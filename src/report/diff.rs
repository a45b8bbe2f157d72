//! What would change, as a diff?
//!
//! Authority: unified diff, as `kubectl diff` shows it.
//! Departs from it: what looks like a secret is masked on both sides.
//! Knows: two texts and the objects in them. Does not know: decisions.

use similar::TextDiff;

use super::secrets;
use crate::krm::Item;
use crate::yaml::ReadError;

/// A text with the objects of its package; those of other texts are passed over.
pub type Side<'a, 't> = (&'a str, &'a [Item<'t>]);

/// The unified diff of one source, the one at `position` of the package, with three lines of
/// context; empty where nothing changes.
///
/// # Errors
/// When an item is no YAML.
pub fn diff(
    name: &str,
    position: usize,
    before: Side<'_, '_>,
    after: Side<'_, '_>,
) -> Result<String, ReadError> {
    if before.0 == after.0 {
        return Ok(String::new());
    }
    let masked = |(text, items): Side<'_, '_>| {
        let own: Vec<_> = items
            .iter()
            .filter(|item| item.source == position)
            .collect();
        secrets::masked_items(text, &own)
    };
    let label = match name {
        "-" => "stdin",
        name => name.trim_start_matches('/'),
    };
    let (before, after) = (masked(before)?, masked(after)?);
    Ok(TextDiff::from_lines(&before, &after)
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{label}"), &format!("b/{label}"))
        .to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing is printed for a text that stays.
    #[test]
    fn no_difference_no_diff() {
        assert_eq!(
            diff("a.yaml", 0, ("a: 1\n", &[]), ("a: 1\n", &[])),
            Ok(String::new())
        );
    }

    /// The file is named without a slash in front, as `git apply` wants it.
    #[test]
    fn a_difference_is_shown_with_its_file() {
        insta::assert_snapshot!(diff("/x/a.yaml", 0, ("a: 1\n", &[]), ("a: 2\n", &[])).unwrap(), @r"
        --- a/x/a.yaml
        +++ b/x/a.yaml
        @@ -1 +1 @@
        -a: 1
        +a: 2
        ");
    }
}
