#!/usr/bin/env bash
# Runs every ```sh block of every README below this folder, in the folder of that README, with the program on PATH and of
# other tools those that the block names. Blocks in another language (```console, ```yaml) are shown only.
#
#   in the block                    | run
#   kustomize, kpt                  | with each version that HOSTS lists
#   helm                            | the same; with `# Helm 3` as its first line only with a version 3
#   anything, beside a stand-in/    | with that folder in front, unless `docker info` of the stand-in says why it cannot
#   a ```text or ```diff behind it  | and nothing but blank lines between: that is what it has to print to stdout
#
# Usage: [README...], from the folder of this file; without any, all of them. What is missing is said and left out;
# with CI=true that fails the run.
set -euo pipefail
cd "$(dirname "$0")"
: "${ISTIO_SCRAPE:?the program, as built}"
tools=$(cd "${TOOLS:-../.tools}" 2>/dev/null && pwd) || tools=
# What has to be there, as `make` knows it; else whatever is.
hosts=${HOSTS:-$(cd "${tools:-/}" && ls -d kustomize-v* helm-v* kpt-v* 2>/dev/null || true)}
programs=$(dirname "$ISTIO_SCRAPE")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
not_run=${ISTIO_SCRAPE_NOT_RUN:-$scratch/not-run}

block() { # README, number: the text of that sh block
  awk -v wanted="$2" '/^```sh$/ { n++; inside = 1; next } /^```$/ { inside = 0 } inside && n == wanted' "$1"
}

shown() { # README, number: what stands right behind that block
  awk -v wanted="$2" '
    /^```sh$/                       { n++; state = "block"; next }
    /^```$/ && state == "block"     { state = "behind"; next }
    /^```$/                         { state = ""; next }
    n != wanted                     { next }
    state == "print"                { print; next }
    /^```(text|diff)$/ && state == "behind" { state = "print"; next }
    state == "behind" && !/^$/      { state = "" }
  ' "$1"
}

left_out() { # what, why
  echo "did not run: examples/$1: $2" >> "$not_run"
  echo "--   $1: did not run, $2"
}

named() { # text of a block: the tools that it calls
  local tool
  for tool in kustomize helm kpt; do
    if grep -Eq "(^|[ |('\"\`])$tool " <<< "$1"; then echo "$tool"; fi
  done
}

of_hosts() { # tool, text of the block: which of HOSTS it is for
  local wanted=v host
  if [[ $1 = helm && $2 =~ ^'# Helm '([0-9]+) ]]; then wanted=v${BASH_REMATCH[1]}.; fi
  for host in $hosts; do
    if [[ $host = "$1-$wanted"* ]]; then echo "$host"; fi
  done
}

run() { # README, block number, text, what it runs with, PATH in front
  local name="$1, block $2${4:+ ($4)}" home expected
  # A home for the blocks of one page under the same tools: what the first installs the second finds. Neither settings nor
  # plugins of the user count, and none are left behind.
  home="$scratch/$(dirname "$1")/${4//[^a-z0-9.-]/_}"
  mkdir -p "$home/tmp"
  if ! (cd "$(dirname "$1")" && PATH="$5:$PATH" HOME="$home" TMPDIR="$home/tmp" \
    env -u KUBECONFIG -u XDG_CONFIG_HOME -u XDG_DATA_HOME -u XDG_CACHE_HOME -u HELM_PLUGINS -u HELM_DATA_HOME \
    bash -euo pipefail -c "$3" > "$home/stdout" 2> "$home/stderr"); then
    printf 'FAIL %s\n%s\n--- printed\n' "$name" "$3"
    cat "$home/stdout" "$home/stderr"
    failed=1
    return
  fi
  expected=$(shown "$1" "$2")
  if [ -n "$expected" ] && ! diff -u --label "$1" --label "printed to stdout" <(echo "$expected") "$home/stdout"; then
    printf 'FAIL %s: it does not print what stands behind it\n' "$name"
    failed=1
    return
  fi
  echo "ok   $name"
  ran=$((ran + 1))
}

with_each() { # README, block number, text, what it runs with, PATH in front, tools that are still to be chosen...
  local readme=$1 number=$2 text=$3 with=$4 path=$5
  if [ $# -eq 5 ]; then run "$@"; return; fi
  local tool=$6 host found= directory
  shift 6
  for host in $(of_hosts "$tool" "$text"); do
    found=1
    if [ -x "$tools/$host/$tool" ]; then
      directory=$tools/$host
    elif [ "$tool" = kpt ] && command -v kpt > /dev/null; then
      # kpt is rarely to be had from the module proxy, and its own packages are as good.
      host="kpt $(kpt version), from PATH" directory=
    else
      left_out "$readme, block $number" "no $host in .tools/ (make tools)"
      continue
    fi
    with_each "$readme" "$number" "$text" "${with:+$with, }$host" "$path${directory:+:$directory}" "$@"
  done
  [ -n "$found" ] || left_out "$readme, block $number" "no version of $tool that it is for"
}

failed=
ran=0
[ $# -gt 0 ] || set -- */README.md
for readme in "$@"; do
  stand_in=$(dirname "$readme")/stand-in
  path=$programs
  if [ -d "$stand_in" ]; then
    stand_in=$(cd "$stand_in" && pwd)
    if ! reason=$("$stand_in/docker" info 2>&1); then
      left_out "$readme" "$reason"
      continue
    fi
    path=$stand_in:$path
  fi
  number=1
  while text=$(block "$readme" "$number"); [ -n "$text" ]; do
    # shellcheck disable=SC2046 # names without blanks
    with_each "$readme" "$number" "$text" "" "$path" $(named "$text")
    number=$((number + 1))
  done
done
echo "$ran runs of blocks in $# README files"
[ -z "$failed" ] && { [ "${CI:-}" != true ] || [ ! -s "$not_run" ]; }
