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
    ($($(#[doc = $sentence:literal])+ $name:ident: $before:literal, $patch:literal => $error:ident;)+) => {
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
    /// A merged key belongs to another map.
    merged_key: "a: &x {k: 1}\nb:\n  <<: *x\n  l: 2\n", r#"[{"op": "replace", "path": "/b/k", "value": 2}]"# => Shared;
    /// A key that hides a merged one does not go.
    hiding_key: "a: &x {k: 1}\nb:\n  <<: *x\n  k: 2\n", r#"[{"op": "remove", "path": "/b/k"}]"# => Shared;
    /// Readers disagree which of two counts.
    a_key_that_is_written_twice: "a: 1\na: 2\n", r#"[{"op": "add", "path": "/a", "value": 0}]"# => Repeated;
    /// Nothing is inserted in front of an element.
    in_front_of_an_element: "a: [1]\n", r#"[{"op": "add", "path": "/a/0", "value": 0}]"# => Unsupported;
    /// Only add, replace and remove are carried out.
    moving: "a: 1\n", r#"[{"op": "move", "from": "/a", "path": "/b"}]"# => Unsupported;
}
