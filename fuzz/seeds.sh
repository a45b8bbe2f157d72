#!/usr/bin/env bash
# Fills corpus/<target>/ with what lies in the repository and in the test data: cases, examples, real manifests, the YAML
# test suite. Nothing of it is committed; what a fuzzer found stays beside it.
set -euo pipefail
cd "$(dirname "$0")"
data=${ISTIO_SCRAPE_DATA:-../../shared}

mkdir -p corpus/reading corpus/run corpus/commands
count=0

# A text to read, and its documents as the items of a list.
text() { # name, file
  cp "$2" "corpus/reading/seed-$1"
  { printf 'kind: List\nitems:\n'
    awk '/^---/ { begun = 0; next } /^[^# ]/ && !begun { begun = 1; print "- " $0; next } { print "  " $0 }' "$2"
  } > "corpus/reading/seed-$1-as-list"
}

# Objects to run on: the form, the configuration, NUL, the input.
objects() { # name, file, configuration or nothing
  local forms=slrwjfkc name
  # One form each, in turn: all of them would be eight times as many.
  local form=${forms:count++%${#forms}:1}
  for target in run commands; do
    name=corpus/$target/seed-$1
    { printf %s "$form"; if [ -f "$3" ]; then cat "$3"; fi; printf '\0'; cat "$2"; } > "$name"
  done
}

for input in ../testdata/*/input.yaml "$data"/corpus/*/input.yaml; do
  [ -f "$input" ] || continue
  name=$(basename "$(dirname "$input")")
  text "$name" "$input"
  objects "$name" "$input" "$(dirname "$input")/config.yaml"
done
while IFS= read -r file; do
  name=$(tr / - <<< "${file#../}")
  text "$name" "$file"
  objects "$name" "$file" none
done < <(find ../examples -name '*.yaml' -size -32k)

# The function that makes objects: asked by a host, and its configuration where it has nothing to say.
for form in r s l f; do
  for target in run commands; do
    { printf %s "$form"; cat ../examples/mesh-metrics/fn/mesh-metrics.yaml; printf '\0'; cat ../examples/mesh-metrics/fn/mesh-metrics.yaml
      printf -- '---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n'
    } > "corpus/$target/seed-mesh-metrics-$form"
  done
done

if [ -d "$data/conformance" ]; then
  # One file for each document; python3 only cuts them out.
  for suite in yaml-test-suite yaml-traps; do
    python3 - "$data/conformance/$suite.json" "corpus/reading/seed-$suite" <<'PY'
import json, sys
for number, row in enumerate(json.load(open(sys.argv[1], encoding="utf-8"))):
    open(f"{sys.argv[2]}-{number}", "w", encoding="utf-8", newline="").write(row["yaml"])
PY
  done
else
  echo "seeds.sh: no YAML test suite at $data/conformance (ISTIO_SCRAPE_DATA); the fuzzer begins without it"
fi
for target in corpus/*/; do
  echo "$target: $(find "$target" -type f | wc -l) files"
done
