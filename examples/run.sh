#!/usr/bin/env bash
# Runs every ```sh block of every README below this folder, in the folder of that README, with the program and kustomize
# on PATH. Blocks in another language (```console, ```text) are shown only.
set -euo pipefail
cd "$(dirname "$0")"
: "${ISTIO_SCRAPE:?the program, as built}"
not_run=${ISTIO_SCRAPE_NOT_RUN:-/dev/stderr}
programs=$(dirname "$ISTIO_SCRAPE")

blocks() { # README, number: the text of that sh block
  awk -v wanted="$2" '/^```sh$/ { n++; inside = 1; next } /^```$/ { inside = 0 } inside && n == wanted' "$1"
}

run() { # README, block number, text, PATH in front
  local log
  if log=$(cd "$(dirname "$1")" && PATH="$4:$PATH" bash -euo pipefail -c "$3" 2>&1); then
    echo "ok   $1, block $2"
  else
    printf 'FAIL %s, block %s\n%s\n--- printed\n%s\n' "$1" "$2" "$3" "$log"
    failed=1
  fi
}

failed=
for readme in */README.md; do
  number=1
  while text=$(blocks "$readme" "$number"); [ -n "$text" ]; do
    if [[ $text != *kustomize\ build* ]]; then
      run "$readme" "$number" "$text" "$programs"
    else
      found=
      for kustomize in "${TOOLS:-../.tools}"/kustomize-*/kustomize; do
        [ -x "$kustomize" ] || continue
        found=1
        run "$readme" "$number ($(basename "$(dirname "$kustomize")"))" "$text" "$programs:$(dirname "$kustomize")"
      done
      [ -n "$found" ] || echo "did not run: examples/$readme, block $number: no kustomize in .tools/ (make tools)" >> "$not_run"
    fi
    number=$((number + 1))
  done
done
[ -z "$failed" ]
