//! Does an edited text always mean what json-patch makes of its value?
//!
//! Authority: the `json-patch` crate, RFC 6902.
//! Departs from it: operations that the editor refuses are not compared.
//! Knows: how to write documents in many styles. Does not know: how the editor works.

mod support;

use istio_scrape::yaml::{self, Rules};
use proptest::prelude::*;
use serde_json::json;

use support::author::{Author, Written};
use support::edited;
use support::random::tries;

fn check(choices: Vec<u16>) -> Result<(), TestCaseError> {
    let mut author = Author::new(choices);
    let Written { text, position } = author.document();
    edited::check(&text, position, &mut author).map_err(TestCaseError::fail)?;
    Ok(())
}

const TRIES: u32 = 3000;

proptest! {
    #![proptest_config(tries(TRIES))]

    /// Edits mean what the patch means, and leave the other documents and items alone.
    #[test]
    fn edited_text_means_the_patched_value(choices in proptest::collection::vec(any::<u16>(), 0..160)) {
        check(choices)?;
    }

    /// Any text at all is read or refused, and walked, without a panic.
    #[test]
    fn reading_never_panics(text in "[-a:?|>&*!{}\\[\\]#,'\" \\n\\r\\té\u{feff}%.+0-9]{0,60}") {
        if let Ok(documents) = yaml::read(&text) {
            for root in documents.iter().filter_map(|document| document.root.as_ref()) {
                let _ = root.value(Rules::Kubectl);
                let _ = root.value(Rules::Kustomize);
                let _ = root.duplicate_key();
            }
        }
    }

    /// What `block` writes is read back, by both readers.
    #[test]
    fn blocks_are_read_back(choices in proptest::collection::vec(any::<u16>(), 0..40)) {
        let mut author = Author::new(choices);
        let value = json!({"k": author.new_value(), "l": [author.new_value(), author.new_value()], "yes": author.new_value()});
        let text = yaml::block(&value);
        let documents = yaml::read(&text).expect("readable");
        let root = documents[0].root.as_ref().expect("a map");
        for rules in [Rules::Kustomize, Rules::Kubectl] {
            prop_assert_eq!(root.value(rules), Ok(value.clone()), "{}", text);
        }
    }

    /// Any string that is written is read back as that string.
    #[test]
    fn strings_are_read_back(string in "\\PC{0,12}|[ -~\\n\\t]{0,12}|[0-9+.eExob_:T-]{1,8}|[yYnNoOfFtTrRuUeEsSlL~.]{1,5}") {
        let value = json!({"k": string, "l": [string], string.clone(): 1});
        let text = yaml::block(&value);
        let documents = yaml::read(&text).map_err(|fault| TestCaseError::fail(format!("{fault}\n{text}")))?;
        let root = documents[0].root.as_ref().expect("a map");
        for rules in [Rules::Kustomize, Rules::Kubectl] {
            prop_assert_eq!(root.value(rules), Ok(value.clone()), "{}", text);
        }
    }
}
