//! What does a patched manifest look like?
//!
//! Authority: RFC 6902 for the meaning, the habits of people and of kustomize for the look.
//! Departs from it: nothing.
//! Knows: texts before and after a patch. Does not know: how the editor works.

use istio_scrape::yaml::{self, EditError, Rules};
use json_patch::Patch;

/// Applies a patch, given as JSON, to the first document of a text.
fn edit(before: &str, patch: &str) -> Result<String, EditError> {
    let patch: Patch = serde_json::from_str(patch).expect("the case has a patch");
    let documents = yaml::read(before).expect("the case is YAML");
    let document = &documents[0];
    let root = document.root.as_ref().expect("the case has content");
    let edits = yaml::edits(before, root, document.syntax, &patch.0)?;
    let after = yaml::splice(before, &edits);

    let mut expected = root.value(Rules::Kubectl).expect("the case has a value");
    json_patch::patch(&mut expected, &patch).expect("the value takes the patch");
    let again = yaml::read(&after).unwrap_or_else(|fault| panic!("{fault}\n{after}"));
    let read = again[0]
        .root
        .as_ref()
        .expect("still there")
        .value(Rules::Kubectl);
    assert_eq!(read, Ok(expected), "\n{after}");
    Ok(after)
}

/// One test per case: a sentence, the text before, the patch, the text after.
macro_rules! cases {
    ($($(#[doc = $sentence:literal])+ $name:ident: $before:literal, $patch:literal => $after:literal;)+) => {
        $($(#[doc = $sentence])+ #[test] fn $name() {
            let after = edit($before, $patch).expect("the patch can be carried out");
            assert!(after == $after, "wanted:\n{}\ngot:\n{after}\n{after:?}", $after);
        })+
    };
}

/// One test per refusal: a sentence, the text, the patch, the error.
macro_rules! refusals {
    ($($(#[doc = $sentence:literal])+ $name:ident: $before:literal, $patch:expr => $error:ident;)+) => {
        $($(#[doc = $sentence])+ #[test] fn $name() {
            let refusal = edit($before, $patch).expect_err("the patch is refused");
            assert!(matches!(refusal, EditError::$error { .. }), "{refusal:?}");
        })+
    };
}

// New keys and elements.
cases! {
    /// A new key stands below the last, in its column.
    new_key:
"spec:
  endpoints:
  - port: http
    path: /metrics
status: {}
", r#"[{"op": "add", "path": "/spec/endpoints/0/scheme", "value": "https"}]"# =>
"spec:
  endpoints:
  - port: http
    path: /metrics
    scheme: https
status: {}
";

    /// A new map is indented as the document indents.
    new_map_with_the_step_of_the_document:
"metadata:
    name: web
", r#"[{"op": "add", "path": "/metadata/labels", "value": {"app": "web", "on": "yes"}}]"# =>
"metadata:
    name: web
    labels:
        app: web
        \"on\": \"yes\"
";

    /// A new list is compact where no list shows another style.
    new_list_is_compact:
"spec:
  a: 1
", r#"[{"op": "add", "path": "/spec/volumes", "value": [{"name": "v", "emptyDir": {"medium": "Memory"}}]}]"# =>
"spec:
  a: 1
  volumes:
  - name: v
    emptyDir:
      medium: Memory
";

    /// A new list is indented where the nearest list is.
    new_list_is_wide_among_wide_ones:
"spec:
  ports:
    - 80
", r#"[{"op": "add", "path": "/spec/args", "value": ["--x"]}]"# =>
"spec:
  ports:
    - 80
  args:
    - --x
";

    /// An element goes behind the last, at the dash's column.
    new_element_compact:
"a:
- x: 1
  y: 2
b: 3
", r#"[{"op": "add", "path": "/a/-", "value": {"x": 3, "z": [4]}}]"# =>
"a:
- x: 1
  y: 2
- x: 3
  z:
  - 4
b: 3
";

    /// The index behind the last element appends, too.
    new_element_by_index:
"a:
    - x
", r#"[{"op": "add", "path": "/a/1", "value": "y z"}]"# =>
"a:
    - x
    - y z
";

    /// Several new keys and elements keep the order of the patch.
    several_new_ones:
"a:
  k: 1
l:
- 1
", r#"[{"op": "add", "path": "/a/b", "value": 2}, {"op": "add", "path": "/l/-", "value": 2},
      {"op": "add", "path": "/a/c", "value": 3}, {"op": "add", "path": "/l/2", "value": 3}]"# =>
"a:
  k: 1
  b: 2
  c: 3
l:
- 1
- 2
- 3
";

    /// New keys of the inner map come before new keys of the outer one.
    inner_before_outer:
"a:
  b:
    c: 1
", r#"[{"op": "add", "path": "/m", "value": 1}, {"op": "add", "path": "/a/m", "value": 2}, {"op": "add", "path": "/a/b/m", "value": 3}]"# =>
"a:
  b:
    c: 1
    m: 3
  m: 2
m: 1
";

    /// A comment in the column of the keys belongs to the map; one further left does not.
    before_less_indented_comments:
"metadata:
  name: t
  # a word about metadata
# a word about spec
spec: 1
", r#"[{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}]"# =>
"metadata:
  name: t
  # a word about metadata
  labels:
    a: b
# a word about spec
spec: 1
";

    /// Behind a block scalar, in front of the blank line that is not part of it.
    behind_a_block_scalar:
"a:
  text: |
    one

    two

b: 1
", r#"[{"op": "add", "path": "/a/m", "value": true}]"# =>
"a:
  text: |
    one

    two
  m: true

b: 1
";

    /// Blank lines at the end of a `|+` are its content.
    behind_a_kept_block_scalar:
"a:
  text: |+
    one

b: 1
", r#"[{"op": "add", "path": "/a/m", "value": 1}]"# =>
"a:
  text: |+
    one

  m: 1
b: 1
";

    /// The text had no final line break, and gets none.
    no_final_break:
"a:
  b: 1", r#"[{"op": "add", "path": "/a/c", "value": {"d": 2}}]"# =>
"a:
  b: 1
  c:
    d: 2";

    /// Windows line breaks are copied.
    windows_breaks:
"a:\r\n  b: 1\r\nc: 2\r\n", r#"[{"op": "add", "path": "/a/m", "value": ["x", "w"]}]"# =>
"a:\r\n  b: 1\r\n  m:\r\n  - x\r\n  - w\r\nc: 2\r\n";

    /// A carriage return alone ends a line too: the text of a block does not begin where lines seem to begin.
    lone_carriage_return_in_a_block:
"a:\n  b: >-\n\r    text\n", r#"[{"op": "replace", "path": "/a/b", "value": "\nother\n"}]"# =>
"a:\n  b: |2\n\n    other\n";

    /// A byte order mark takes no column.
    byte_order_mark:
"\u{feff}a: 1\n", r#"[{"op": "add", "path": "/b", "value": 2}]"# =>
"\u{feff}a: 1\nb: 2\n";

    /// Nor do two, as texts that were joined have them, nor one in front of a later document.
    byte_order_marks:
"\u{feff}\u{feff}- x\n", r#"[{"op": "add", "path": "/-", "value": "z"}]"# =>
"\u{feff}\u{feff}- x\n- z\n";

    /// In a stream the document ends at its marker.
    in_a_stream:
"---
a: 1
...
---
b: 2
", r#"[{"op": "add", "path": "/c", "value": 3}]"# =>
"---
a: 1
c: 3
...
---
b: 2
";

    /// Multi-byte keys and quoted keys are found, and count as characters.
    keys_of_all_kinds:
"- é: {}
  \"a/b\":
    'c d': 1
", r#"[{"op": "add", "path": "/0/a~1b/x", "value": 1}, {"op": "add", "path": "/0/é", "value": null}]"# =>
"- é: null
  \"a/b\":
    'c d': 1
    x: 1
";

    /// An element on the dash's line gets keys below it.
    item_on_the_dash_line:
"-   a: 1
- - x
", r#"[{"op": "add", "path": "/0/b", "value": 2}, {"op": "add", "path": "/1/-", "value": "w"}]"# =>
"-   a: 1
    b: 2
- - x
  - w
";

    /// `{}` below a key turns into a block, `[]` as well; comments stay.
    empty_brackets_open_up:
"annotations: {} # none yet
args: []
", r#"[{"op": "add", "path": "/annotations/a~1b", "value": "1"}, {"op": "add", "path": "/args/-", "value": "-v"}]"# =>
"annotations: # none yet
  a/b: \"1\"
args:
- -v
";
}

// Brackets and JSON.
cases! {
    /// Inside braces, in their style.
    flow_map:
"metadata: {name: t, labels: {a: b}} # c
", r#"[{"op": "add", "path": "/metadata/labels/c", "value": "x, y"}, {"op": "add", "path": "/metadata/m", "value": {"k": ["v"]}}]"# =>
"metadata: {name: t, labels: {a: b, c: \"x, y\"}, m: {k: [v]}} # c
";

    /// A flow list over several lines grows by a line.
    flow_list_over_lines:
"a: [
  x, # first
  y
]
", r#"[{"op": "add", "path": "/a/-", "value": "z"}]"# =>
"a: [
  x, # first
  y,
  z
]
";

    /// An empty pair of braces inside braces is filled in place.
    flow_empty:
"a: {b: {}, c: [ ]}
", r#"[{"op": "add", "path": "/a/b/k", "value": 1}, {"op": "add", "path": "/a/c/-", "value": 2}]"# =>
"a: {b: {k: 1}, c: [2]}
";

    /// Removing from braces takes one comma along.
    flow_remove:
"a: {b: 1, c: 2, d: 3}
e: [1, 2, 3]
f: [1]
", r#"[{"op": "remove", "path": "/a/b"}, {"op": "remove", "path": "/e/2"}, {"op": "remove", "path": "/e/1"}, {"op": "remove", "path": "/f/0"}]"# =>
"a: {c: 2, d: 3}
e: [1]
f: []
";

    /// What no blank is belongs to the neighbour: a line separator is a letter like any other.
    flow_remove_in_front_of_a_line_separator:
"a: {b: 1,\u{2028} c: 2}
", r#"[{"op": "remove", "path": "/a/b"}]"# =>
"a: {\u{2028} c: 2}
";

    /// A pair without braces gets them when it grows.
    flow_single_pair:
"a: [b: 1, c: 2]
", r#"[{"op": "add", "path": "/a/0/m", "value": 3}, {"op": "remove", "path": "/a/1/c"}]"# =>
"a: [{b: 1, m: 3}, {}]
";

    /// A key without a value gets one.
    flow_absent_value:
"a: {b, c: , d: ~}
", r#"[{"op": "replace", "path": "/a/b", "value": 1}, {"op": "replace", "path": "/a/c", "value": 2}]"# =>
"a: {b: 1, c: 2, d: ~}
";

    /// Quoted neighbours are followed.
    flow_quoted:
"a: {\"b\": \"c\"}
", r#"[{"op": "add", "path": "/a/d", "value": "e"}]"# =>
"a: {\"b\": \"c\", \"d\": \"e\"}
";

    /// Compact JSON stays compact.
    json_compact:
"{\"a\":{\"b\":1},\"c\":[]}", r#"[{"op": "add", "path": "/a/d", "value": {"e": ["f", null]}}, {"op": "add", "path": "/c/-", "value": "g\n"}]"# =>
"{\"a\":{\"b\":1,\"d\":{\"e\":[\"f\",null]}},\"c\":[\"g\\n\"]}";

    /// Pretty JSON stays pretty, an empty object opens up like its neighbours.
    json_pretty:
"{
  \"a\": {},
  \"b\": [
    1
  ]
}
", r#"[{"op": "add", "path": "/a/x", "value": "yes"}, {"op": "add", "path": "/b/-", "value": {"c": 2}}, {"op": "add", "path": "/d", "value": []}]"# =>
"{
  \"a\": {
    \"x\": \"yes\"
  },
  \"b\": [
    1,
    {
      \"c\": 2
    }
  ],
  \"d\": []
}
";

    /// Tabs as indentation are copied in JSON.
    json_with_tabs:
"{\n\t\"a\": {\n\t\t\"b\": 1\n\t}\n}\n", r#"[{"op": "add", "path": "/a/c", "value": {"d": 2}}]"# =>
"{\n\t\"a\": {\n\t\t\"b\": 1,\n\t\t\"c\": {\n\t\t\t\"d\": 2\n\t\t}\n\t}\n}\n";

    /// Removing from pretty JSON takes the line.
    json_remove:
"{
  \"a\": 1,
  \"b\": 2,
  \"c\": 3
}
", r#"[{"op": "remove", "path": "/a"}, {"op": "remove", "path": "/c"}]"# =>
"{
  \"b\": 2
}
";

    /// The only JSON spelling of an odd string is used.
    json_escapes:
"{\"a\": \"b\"}", r#"[{"op": "replace", "path": "/a", "value": "\u2028\u007f/😀\t'\""}]"# =>
"{\"a\": \"\\u2028\\u007f/😀\\t'\\\"\"}";
}

// Replaced values.
cases! {
    /// The comment behind a replaced scalar stays, and so do its quotes.
    replaced_scalars:
"a: http # why
b: 'http' # why
c: \"http\"
d: 1
", r#"[{"op": "replace", "path": "/a", "value": "https"}, {"op": "replace", "path": "/b", "value": "https"},
      {"op": "replace", "path": "/c", "value": "https"}, {"op": "replace", "path": "/d", "value": "1"}]"# =>
"a: https # why
b: 'https' # why
c: \"https\"
d: \"1\"
";

    /// Adding an existing key replaces its value.
    add_replaces:
"a: 1
b: 2
", r#"[{"op": "add", "path": "/a", "value": {"c": 3}}]"# =>
"a:
  c: 3
b: 2
";

    /// An absent value is written behind its colon or dash, in front of the comment.
    absent_values:
"a:
b:   # later
c:
-
- # later
", r#"[{"op": "replace", "path": "/a", "value": 1}, {"op": "replace", "path": "/b", "value": 2},
      {"op": "replace", "path": "/c/0", "value": 3}, {"op": "replace", "path": "/c/1", "value": {"d": 4, "e": 5}}]"# =>
"a: 1
b: 2   # later
c:
- 3
- d: 4 # later
  e: 5
";

    /// A value on the line below its key is replaced there.
    value_on_the_next_line:
"a:
  long # why
b: 1
", r#"[{"op": "replace", "path": "/a", "value": "short"}]"# =>
"a:
  short # why
b: 1
";

    /// Text of several lines stays a literal block, with its indentation and header comment.
    replaced_literal:
"config: | # keep
    a: 1
    b: 2
next: 1
", r#"[{"op": "replace", "path": "/config", "value": "a: 1\n\nc: 3\n"}]"# =>
"config: | # keep
    a: 1

    c: 3
next: 1
";

    /// The chomping follows the new text; folded becomes literal.
    replaced_folded:
"a: >-
  one
  two
b:
- |+
  x

- y
", r#"[{"op": "replace", "path": "/a", "value": "1\n2\n"}, {"op": "replace", "path": "/b/0", "value": "x\ny"}]"# =>
"a: |
  1
  2
b:
- |-
  x
  y
- y
";

    /// A literal block gives way to one line.
    literal_to_scalar:
"a: |- # keep
  x
  y
b: 1
", r#"[{"op": "replace", "path": "/a", "value": "z"}]"# =>
"a: z # keep
b: 1
";

    /// A scalar gives way to a block, its comment stays with the key.
    scalar_to_map:
"a: x # why
b: 1
", r#"[{"op": "replace", "path": "/a", "value": {"c": [1, 2]}}]"# =>
"a: # why
  c:
  - 1
  - 2
b: 1
";

    /// A block gives way to a scalar, to brackets, to another block.
    block_to_anything:
"a: # one
  x: 1
b:
  - x
  # two
c:
- x: 1
  y: 2
", r#"[{"op": "replace", "path": "/a", "value": 1}, {"op": "replace", "path": "/b", "value": []}, {"op": "replace", "path": "/c/0", "value": {"z": {"w": 3}}}]"# =>
"a: 1 # one
b: []
  # two
c:
- z:
    w: 3
";

    /// A tag goes with its value.
    tag_goes:
"a: !!int 5
b: !!map
  c: 1
", r#"[{"op": "replace", "path": "/a", "value": "x"}, {"op": "replace", "path": "/b", "value": ["y"]}]"# =>
"a: x
b:
- \"y\"
";

    /// Tabs may separate a value from its key.
    tab_behind_the_colon:
"a:\tx\t# why
b: 1
", r#"[{"op": "replace", "path": "/a", "value": "z"}]"# =>
"a:\tz\t# why
b: 1
";

    /// An alias may be replaced as a whole: its anchor does not change.
    alias_replaced:
"a: &x 1
b: *x
", r#"[{"op": "replace", "path": "/b", "value": 2}]"# =>
"a: &x 1
b: 2
";
}

// Anchors, aliases, merge keys and tags.
cases! {
    /// A merged key is written where it is to be another, behind the merge key: there it counts for every reader.
    merged_key_overridden:
"a: &x {k: 1, l: 2}
b:
  <<: *x # all of x
  m: 3
c: {<<: *x}
", r#"[{"op": "replace", "path": "/b/k", "value": "https"}, {"op": "add", "path": "/c/l", "value": 4}]"# =>
"a: &x {k: 1, l: 2}
b:
  <<: *x # all of x
  m: 3
  k: https
c: {<<: *x, l: 4}
";

    /// An own key below a merge key is replaced as any other.
    own_key_below_a_merge_key:
"a: &x {k: 1}
b:
- <<: *x
  k: 2
", r#"[{"op": "replace", "path": "/b/0/k", "value": 3}]"# =>
"a: &x {k: 1}
b:
- <<: *x
  k: 3
";

    /// An alias that is an element is replaced as a whole, and one appended to.
    aliases_in_a_list:
"a: &x {k: 1}
b:
- *x
- *x # two
", r#"[{"op": "replace", "path": "/b/1", "value": {"k": 2}}, {"op": "add", "path": "/b/-", "value": "*x"}]"# =>
"a: &x {k: 1}
b:
- *x
- k: 2 # two
- \"*x\"
";

    /// New keys stand beside anchors, aliases and tags that stay.
    beside_anchors_and_tags:
"a: &x !t 1
? b
: &y [*x]
c: !!str
&k d: *x
", r#"[{"op": "add", "path": "/e", "value": "!t"}, {"op": "replace", "path": "/c", "value": "&x"}]"# =>
"a: &x !t 1
? b
: &y [*x]
c: \"&x\"
&k d: *x
e: \"!t\"
";

    /// A tag goes, the anchor of the key below it stays.
    tag_above_an_anchored_key:
"a: !t
# why
&k b: 1
c: !!map
  &l d: 1
", r#"[{"op": "replace", "path": "/a", "value": 2}, {"op": "add", "path": "/c/e", "value": 3}]"# =>
"a: 2
# why
&k b: 1
c: !!map
  &l d: 1
  e: 3
";
}

// Neighbours of every style.
cases! {
    /// Behind scalars over several lines, plain and quoted, a key stands on a line of its own.
    behind_scalars_over_lines:
"a:
  b: one
    two
c:
  d: \"one

    two\" # why
e:
  f: 'x
    y'
", r#"[{"op": "add", "path": "/a/m", "value": 1}, {"op": "add", "path": "/c/m", "value": 2}, {"op": "replace", "path": "/e/f", "value": "z"}, {"op": "add", "path": "/e/m", "value": 3}]"# =>
"a:
  b: one
    two
  m: 1
c:
  d: \"one

    two\" # why
  m: 2
e:
  f: 'z'
  m: 3
";

    /// Keys of the form `? key` with and without a value.
    question_marks:
"? a
: b # why
? c
? |
  long
: - x
", r#"[{"op": "replace", "path": "/a", "value": "z"}, {"op": "replace", "path": "/c", "value": {"d": 1}}, {"op": "add", "path": "/long\n/-", "value": "y"}, {"op": "add", "path": "/e", "value": 1}]"# =>
"? a
: z # why
? c
:
  d: 1
? |
  long
: - x
  - \"y\"
e: 1
";

    /// A folded sibling, a literal with an indicator and a kept one are not touched.
    behind_blocks_of_all_kinds:
"a:
  b: >-
    x

    y
c:
  d: |2
      x
e:
- |+
  x

- >
  y

# about f
f: 1
", r#"[{"op": "add", "path": "/a/m", "value": 1}, {"op": "add", "path": "/c/m", "value": 2}, {"op": "add", "path": "/e/-", "value": "z"}]"# =>
"a:
  b: >-
    x

    y
  m: 1
c:
  d: |2
      x
  m: 2
e:
- |+
  x

- >
  y
- z

# about f
f: 1
";

    /// A value below a comment is replaced there, and the comment stays.
    below_a_comment:
"a: # why
  x # what
b:   # why
  'x'
-c:
d: # why
  !t x
", r#"[{"op": "replace", "path": "/a", "value": {"k": ["l"]}}, {"op": "replace", "path": "/b", "value": {"k": 1}}, {"op": "replace", "path": "/d", "value": "y z"}]"# =>
"a: # why
   # what
  k:
  - l
b:   # why
  k: 1
-c:
d: # why
  y z
";

    /// A list or map in an element that is written wide begins where the others do.
    wide_dashes:
"-   - x
-   a: 1
-
    b: 1
", r#"[{"op": "add", "path": "/0/-", "value": "z"}, {"op": "add", "path": "/1/c", "value": {"d": 1}}, {"op": "add", "path": "/2/c", "value": 2}]"# =>
"-   - x
    - z
-   a: 1
    c:
      d: 1
-
    b: 1
    c: 2
";

    /// Tabs stand in front of comments and on blank lines.
    tabs_in_front_of_comments:
"a:\t# one
  b: 1\t# two
\t# three
  c: 2\t
\t
d: 3
", r#"[{"op": "add", "path": "/a/m", "value": 4}, {"op": "replace", "path": "/a/b", "value": 5}]"# =>
"a:\t# one
  b: 5\t# two
\t# three
  c: 2\t
  m: 4
\t
d: 3
";

    /// Carriage returns alone are copied, and so is their absence at the end.
    lone_carriage_returns:
"a:\r  b: 1\rc: 2", r#"[{"op": "add", "path": "/a/m", "value": ["x"]}, {"op": "add", "path": "/d", "value": {"e": 3}}]"# =>
"a:\r  b: 1\r  m:\r  - x\rc: 2\rd:\r  e: 3";

    /// In a text that mixes breaks, new lines break as the one above them.
    mixed_breaks:
"a:\n  b: 1\r\nc:\r  d: 1\r", r#"[{"op": "add", "path": "/a/m", "value": 2}, {"op": "add", "path": "/c/m", "value": 3}]"# =>
"a:\n  b: 1\r\n  m: 2\r\nc:\r  d: 1\r  m: 3\r";

    /// Directives, a comment on the marker, and what follows the end of a document.
    directives_and_markers:
"%YAML 1.2
--- # one
a: {}
... # end
%YAML 1.2
---
b: 1
", r#"[{"op": "add", "path": "/a/c", "value": 1}, {"op": "add", "path": "/d", "value": 2}]"# =>
"%YAML 1.2
--- # one
a:
  c: 1
d: 2
... # end
%YAML 1.2
---
b: 1
";

    /// A map on the line of its marker stays there.
    on_the_line_of_the_marker:
"--- {a: {}, b: ~} # c
...
", r#"[{"op": "add", "path": "/a/c", "value": 1}, {"op": "replace", "path": "/b", "value": {"d": null}}]"# =>
"--- {a: {c: 1}, b: {d: null}} # c
...
";

    /// Each of the ways to write nothing gives way to a map: null is replaced, as RFC 6902 asks for.
    ways_to_write_nothing:
"a:
b: ~ # why
c: null
d: {} # why
e: !!null
f: { # why
  }
", r#"[{"op": "add", "path": "/a", "value": {"k": 1}}, {"op": "add", "path": "/b", "value": {"k": 1}}, {"op": "replace", "path": "/c", "value": ["x"]},
      {"op": "add", "path": "/d/k", "value": 1}, {"op": "add", "path": "/e", "value": {"k": 1}}, {"op": "add", "path": "/f/k", "value": 1}]"# =>
"a:
  k: 1
b: # why
  k: 1
c:
- x
d: # why
  k: 1
e:
  k: 1
f: {k: 1 # why
  }
";

    /// What says so already stays as it is written, whoever reads it.
    nothing_to_change:
"a: 'x'
b: 0x10 # sixteen
c: {k: [1, \"y\"]}
d: on
", r#"[{"op": "replace", "path": "/a", "value": "x"}, {"op": "add", "path": "/b", "value": 16}, {"op": "replace", "path": "/c", "value": {"k": [1, "y"]}}, {"op": "replace", "path": "/d", "value": true}]"# =>
"a: 'x'
b: 0x10 # sixteen
c: {k: [1, \"y\"]}
d: true
";

    /// A literal is not written above blanks and comments that it would take in.
    above_what_a_literal_would_take_in:
"a: x
    \t# deep
b: 1
c: x
   ", r#"[{"op": "replace", "path": "/a", "value": "y\nz"}, {"op": "replace", "path": "/c", "value": "y\nz"}]"# =>
"a: \"y\\nz\"
    \t# deep
b: 1
c: \"y\\nz\"
   ";

    /// Nor at the end of a text without a final break: goyaml would take the break away from it.
    no_literal_at_an_open_end:
"a: x
b: y", r#"[{"op": "replace", "path": "/b", "value": "y\nz\n"}, {"op": "add", "path": "/c", "value": ["z\n"]}, {"op": "replace", "path": "/a", "value": "y\nz\n"}]"# =>
"a: |
  y
  z
b: \"y\\nz\\n\"
c:
- \"z\\n\"";

    /// goyaml ends a plain scalar in brackets at a question mark.
    question_mark_in_brackets:
"a: [x]
b: x
", r#"[{"op": "add", "path": "/a/-", "value": "http://x/y?z"}, {"op": "replace", "path": "/b", "value": "http://x/y?z"}]"# =>
"a: [x, \"http://x/y?z\"]
b: http://x/y?z
";

    /// Brackets over lines keep their commas and comments when the last part gives way to others.
    last_part_in_brackets_gives_way:
"a: { # first
  k: x , # about k
  \"l\": \"s\" , # about l
}
b: [ # first
  x,
  # about y
  y
]
", r#"[{"op": "remove", "path": "/a/l"}, {"op": "add", "path": "/a/m", "value": 1}, {"op": "remove", "path": "/b/0"}]"# =>
"a: { # first
  k: x , # about k
  m: 1 , # about l
}
b: [ # first
  # about y
  y
]
";

    /// A pair without braces gets them on its own line.
    single_pair_over_lines:
"a: [
  p: 1, # why
  x
]
", r#"[{"op": "add", "path": "/a/0/q", "value": 2}]"# =>
"a: [
  {p: 1, q: 2}, # why
  x
]
";
}

// Removed keys and elements.
cases! {
    /// The comment on the line goes, the comments of the others stay.
    removed_key:
"a: 1 # a
# about b
b: # b
  x: 1
  # more about b
    # still more
# about c
c: 3
", r#"[{"op": "remove", "path": "/b"}]"# =>
"a: 1 # a
# about b
# about c
c: 3
";

    /// The first key of an element hands its place on the dash's line over.
    removed_first_key_on_a_dash:
"- a: 1 # gone
  # about b
  b: 2
- x: 1
  y: 2
", r#"[{"op": "remove", "path": "/0/a"}, {"op": "remove", "path": "/1/x"}]"# =>
"- # about b
  b: 2
- y: 2
";

    /// Elements go from the highest index down.
    removed_elements:
"a:
- x
- y: 1
  z: 2
- w
", r#"[{"op": "remove", "path": "/a/1"}, {"op": "remove", "path": "/a/0"}]"# =>
"a:
- w
";

    /// The last key leaves `{}`, the last element `[]`.
    last_ones_leave_brackets:
"a: # why
  b: 1 # gone
c:
- x
- - y
- z: 1
", r#"[{"op": "remove", "path": "/a/b"}, {"op": "remove", "path": "/c/2/z"}, {"op": "remove", "path": "/c/1/0"}, {"op": "remove", "path": "/c/0"}]"# =>
"a: {} # why
c:
- []
- {}
";

    /// A document may be emptied.
    emptied_document:
"# head
a: 1
b: 2
# tail
", r#"[{"op": "remove", "path": "/a"}, {"op": "remove", "path": "/b"}]"# =>
"# head
{}
# tail
";

    /// What is removed and what is added may meet.
    removed_and_added:
"a:
  b: 1
c:
- x
", r#"[{"op": "remove", "path": "/a/b"}, {"op": "add", "path": "/a/m", "value": 2}, {"op": "remove", "path": "/c/0"}, {"op": "add", "path": "/c/-", "value": 3}]"# =>
"a:
  m: 2
c:
- 3
";
}

// How strings are written.
cases! {
    /// What any YAML would read as something else is quoted.
    strings_that_need_quotes:
"a: 1
", r#"[{"op": "add", "path": "/b", "value": ["y", "No", "~", "", "0o17", "1_000", "12:30:45", "2001-12-14", ".inf", "=", "<<", "1e400", "- x", "a: b", "a #b", " x", "x:", "@x", "{{ .V }}", "\u0085", "*"]}]"# =>
"a: 1
b:
- \"y\"
- \"No\"
- \"~\"
- \"\"
- \"0o17\"
- \"1_000\"
- \"12:30:45\"
- \"2001-12-14\"
- \".inf\"
- \"=\"
- \"<<\"
- \"1e400\"
- \"- x\"
- \"a: b\"
- \"a #b\"
- \" x\"
- \"x:\"
- \"@x\"
- \"{{ .V }}\"
- \"\\u0085\"
- \"*\"
";

    /// What all read as a string is not.
    strings_that_need_none:
"a: 1
", r#"[{"op": "add", "path": "/b", "value": ["https", "/etc/istio-certs/key.pem", "http://x:80/y?a=b#c", "a b", "30s", "--flag=x", "it's", "é😀", "a,b"]}]"# =>
"a: 1
b:
- https
- /etc/istio-certs/key.pem
- http://x:80/y?a=b#c
- a b
- 30s
- --flag=x
- it's
- é😀
- a,b
";

    /// JSON in a string stands in single quotes, YAML in a literal block.
    annotations_of_istio:
"metadata:
  annotations:
    a: b
", r#"[{"op": "add", "path": "/metadata/annotations/sidecar.istio.io~1userVolumeMount", "value": "[{\"name\": \"istio-certs\", \"mountPath\": \"/etc/istio-certs\"}]"},
      {"op": "add", "path": "/metadata/annotations/proxy.istio.io~1config", "value": "proxyMetadata:\n  OUTPUT_CERTS: /etc/istio-certs\n"}]"# =>
"metadata:
  annotations:
    a: b
    sidecar.istio.io/userVolumeMount: '[{\"name\": \"istio-certs\", \"mountPath\": \"/etc/istio-certs\"}]'
    proxy.istio.io/config: |
      proxyMetadata:
        OUTPUT_CERTS: /etc/istio-certs
";

    /// Literal headers say what the text needs; what a literal cannot hold is quoted.
    literal_headers:
"a: 1
b: 2
", r#"[{"op": "add", "path": "/c", "value": {"strip": "x\ny", "keep": "x\n\n", "lead": "  x\ny\n", "tab": "\tx\ny\n", "cr": "x\r\ny\n", "blank": "x\n \ny\n"}}]"# =>
"a: 1
b: 2
c:
  strip: |-
    x
    y
  keep: |+
    x

  lead: |2
      x
    y
  tab: \"\\tx\\ny\\n\"
  cr: \"x\\r\\ny\\n\"
  blank: \"x\\n \\ny\\n\"
";

    /// A comment that a literal block would swallow keeps it from being one.
    comment_below_a_literal:
"a: x
    # deep
b: 1
", r#"[{"op": "replace", "path": "/a", "value": "y\nz\n"}]"# =>
"a: \"y\\nz\\n\"
    # deep
b: 1
";
}

refusals! {
    /// The parent must be there.
    missing_parent: "a: 1\n", r#"[{"op": "add", "path": "/b/c", "value": 1}]"# => Missing;
    /// Null is no map.
    null_parent: "a:\n", r#"[{"op": "add", "path": "/a/c", "value": 1}]"# => Missing;
    /// A key must be there to go.
    missing_key: "a: 1\n", r#"[{"op": "remove", "path": "/b"}]"# => Missing;
    /// A list has no element there.
    missing_index: "a: [1]\n", r#"[{"op": "add", "path": "/a/2", "value": 1}]"# => Missing;
    /// A new map is not filled by a second operation.
    into_a_new_map: "a: 1\n", r#"[{"op": "add", "path": "/b", "value": {}}, {"op": "add", "path": "/b/c", "value": 1}]"# => Dependent;
    /// A removed element moves those behind it.
    behind_a_removed_element: "a: [1, 2]\n", r#"[{"op": "remove", "path": "/a/0"}, {"op": "replace", "path": "/a/0", "value": 3}]"# => Dependent;
    /// An anchor is not edited through its alias.
    through_an_alias: "a: &x {k: 1}\nb: *x\n", r#"[{"op": "add", "path": "/b/m", "value": 1}]"# => Shared;
    /// Nor where it stands.
    inside_an_anchor: "a: &x {k: 1}\nb: *x\n", r#"[{"op": "replace", "path": "/a/k", "value": 2}]"# => Shared;
    /// An anchor does not go with what is around it.
    around_an_anchor: "a:\n  c: &x 1\nb: *x\n", r#"[{"op": "remove", "path": "/a"}]"# => Shared;
    /// An anchor is not edited through an element of a list either.
    through_an_alias_in_a_list: "a: &x {k: 1}\nb:\n- *x\n", r#"[{"op": "add", "path": "/b/0/m", "value": 1}]"# => Shared;
    /// Nor inside of a value that a merge key brings in.
    inside_a_merged_key: "a: &x {k: {l: 1}}\nb:\n  <<: *x\n", r#"[{"op": "replace", "path": "/b/k/l", "value": 2}]"# => Shared;
    /// A merged key does not go: it stands elsewhere.
    merged_key_goes: "a: &x {k: 1}\nb:\n  <<: *x\n  l: 2\n", r#"[{"op": "remove", "path": "/b/k"}]"# => Shared;
    /// What a merge key above brings in loses, what one below brings in wins at kubectl: nothing written here would count.
    above_a_merge_key: "a: &x {k: 1}\nb:\n  k: 2\n  <<: *x\n", r#"[{"op": "replace", "path": "/b/k", "value": 3}]"# => Shared;
    /// Nor anything inside of it.
    inside_above_a_merge_key: "a: &x {k: {}}\nb:\n  k: {l: 1}\n  <<: *x\n", r#"[{"op": "add", "path": "/b/k/m", "value": 3}]"# => Shared;
    /// The value of a merge key is another map's.
    merge_key_itself: "a: &x {k: 1}\nb:\n  <<: *x\n", r#"[{"op": "remove", "path": "/b/<<"}]"# => Shared;
    /// A map with an anchor may be meant elsewhere, where this node does not reach.
    anchored_parent: "a: &x\n  k: 1\n", r#"[{"op": "add", "path": "/a/l", "value": 1}]"# => Shared;
    /// kyaml cannot read so long a key.
    long_key_inside: "a: 1\n", &format!(r#"[{{"op": "replace", "path": "/a", "value": {{"{}": 1}}}}]"#, "k".repeat(1025)) => Unsupported;
    /// A key that hides a merged one does not go.
    hiding_key: "a: &x {k: 1}\nb:\n  <<: *x\n  k: 2\n", r#"[{"op": "remove", "path": "/b/k"}]"# => Shared;
    /// Readers disagree which of two counts.
    a_key_that_is_written_twice: "a: 1\na: 2\n", r#"[{"op": "add", "path": "/a", "value": 0}]"# => Repeated;
    /// Nothing is inserted in front of an element.
    in_front_of_an_element: "a: [1]\n", r#"[{"op": "add", "path": "/a/0", "value": 0}]"# => Unsupported;
    /// Only add, replace and remove are carried out.
    moving: "a: 1\n", r#"[{"op": "move", "from": "/a", "path": "/b"}]"# => Unsupported;
}
