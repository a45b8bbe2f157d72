#!/usr/bin/env bash
# Fills dist/ with what a release consists of. The same commit, built with the same tools, gives the same bytes,
# wherever the checkout lies. TAG=v1.2.3: as for the release of that tag, which leaves nothing out.
set -euo pipefail
cd "$(dirname "$0")/.."
umask 022
export LC_ALL=C
: "${DIST_TARGETS:?the targets to build for}"
build=${TARGET:-$PWD/target}
staging=$build/dist
here=$(rustc -vV | sed -n 's/^host: //p')
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)

fail() { echo "dist: $*" >&2; exit 1; }

# What is missing on this machine, or in this version of the program, is said in one line.
left_out() { # what, why, needed for a release?
  [ -z "${TAG:-}" ] || [ -z "${3:-}" ] || fail "$TAG cannot be released without $1: $2"
  echo "dist: left out $1: $2"
}

if [ -n "${TAG:-}" ]; then
  [ "$TAG" = "v$version" ] || fail "the tag is $TAG, and Cargo.toml says version $version"
  grep --quiet "^## \[$version\] - 20[0-9][0-9]-[01][0-9]-[0-3][0-9]$" CHANGELOG.md \
    || fail "CHANGELOG.md has no heading '## [$version] - <date>'"
  [ -z "$(git status --porcelain)" ] || fail "files differ from the commit: git status"
fi
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct)}"
export SOURCE_DATE_EPOCH

rm -rf dist "$staging"
mkdir -p dist "$staging"

archive() { # folder below $staging, file
  tar --create --format=ustar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
      --directory "$staging" "$1" | gzip --no-name --best > "dist/$2"
}

can_build() { # target: says why not
  rustc --print target-libdir --target "$1" 2>/dev/null | xargs -r test -d \
    || { echo "its standard library is not installed (rustup target add $1)"; return 1; }
  [ "$1" = "$here" ] && return
  local compiler=${1%%-*}-linux-gnu-gcc
  command -v "$compiler" >/dev/null || { echo "there is no $compiler to link with (apt-get install gcc-${1%%-*}-linux-gnu)"; return 1; }
}

# Pages of the program: the same for every target, written by the one that runs here.
pages() { # program, folder
  local shell file name
  for shell in bash zsh fish; do
    case $shell in bash) name=istio-scrape.bash ;; zsh) name=_istio-scrape ;; fish) name=istio-scrape.fish ;; esac
    file=$2/completions/$name
    page "$file" "$1" completion "$shell" || left_out "completions for $shell" "istio-scrape completion $shell prints nothing" needed
  done
  page "$2/man/istio-scrape.1" "$1" man || left_out "the man page" "istio-scrape man prints nothing" needed
}

page() { # file, command
  mkdir -p "$(dirname "$1")"
  env -i "${@:2}" > "$1" 2>/dev/null </dev/null && [ -s "$1" ] && return
  rm "$1"
  rmdir --ignore-fail-on-non-empty "$(dirname "$1")"
  return 1
}

# The crates that are linked into the program, each of them; and a few more, because cargo tells the tool too little about
# optional dependencies. Development dependencies would add others by the features that they switch on, so they are taken
# out first; in a copy, because the tool writes beside Cargo.toml.
bill_of_materials() { # target, file
  local copy=$staging/sbom
  rm -rf "$copy"
  mkdir -p "$copy/src"
  awk '/^\[/ { left_out = /^\[dev-dependencies/ } !left_out' Cargo.toml > "$copy/Cargo.toml"
  cp Cargo.lock "$copy"
  touch "$copy/src/main.rs" "$copy/src/lib.rs"
  (cd "$copy" && cargo-cyclonedx cyclonedx --quiet --format json --spec-version 1.5 --describe binaries --target "$1")
  sed "s|path+file://$copy#|path+file:///istio-scrape#|" "$copy"/*.cdx.json > "$2"
  ! grep --quiet --fixed-strings "$PWD" "$2" || fail "$2 has the path of this checkout in it"
  local missing
  missing=$(comm -13 \
    <(sed -n 's|.*"purl": "pkg:cargo/\([^"@]*\)@\([^"?]*\).*|\1 v\2|p' "$2" | sort -u) \
    <(cargo tree --quiet --locked --target "$1" --edges normal,build --prefix none --no-dedupe | cut -d' ' -f1,2 | sort -u))
  [ -z "$missing" ] || fail "$2 does not list $missing"
}

# What the licences of others ask whoever passes the program on to pass on with it. Every crate has the texts beside its
# sources; that of the Apache License is in LICENSE already.
licences_of_others() { # target
  echo "istio-scrape is under the Apache License 2.0 (LICENSE). The program contains code of these crates, under their terms."
  case $1 in *-gnu) echo "It also contains parts of the GNU C Library, which is under the LGPL 2.1 or later; \`make dist\`
in the repository links the program again, with the library of the machine." ;; esac
  local crate expression sources file
  cargo tree --quiet --locked --target "$1" --edges normal --prefix none --no-dedupe --format '{p}|{l}' | sort -u > "$staging/crates"
  while IFS='|' read -r crate expression; do
    read -r crate version_of_crate _ <<< "$crate"
    [ "$crate" != istio-scrape ] || continue
    sources=$(echo "${CARGO_HOME:-$HOME/.cargo}/registry/src/"*"/$crate-${version_of_crate#v}")
    printf '\n\n=== %s %s (%s)\n' "$crate" "${version_of_crate#v}" "${expression# }"
    found=
    for file in "$sources"/{LICEN[CS]E*,COPYING*,COPYRIGHT*,NOTICE*,UNLICENSE*}; do
      [ -f "$file" ] || continue
      found=1
      case ${file##*/} in LICENSE-APACHE* | LICENSE-Apache*) continue ;; esac
      printf '\n--- %s\n\n' "${file##*/}"
      tr -d '\r' < "$file"
    done
    [ -n "$found" ] || fail "$crate has no text of its licence in $sources"
  done < "$staging/crates"
}

# Helm 4 looks for plugin.yaml in a folder that is called like the archive, up to its version.
helm_plugin() { # program, target
  local folder=istio-scrape-helm-plugin
  rm -rf "${staging:?}/$folder"
  install -D -m 0755 "$1" "$staging/$folder/istio-scrape"
  install -m 0644 LICENSE "$staging/istio-scrape-$version-$2/LICENSES-OF-OTHERS" "$staging/$folder"
  # In a checkout the program is found on PATH; here it is beside plugin.yaml.
  sed -e '/^#/d' -e 's|^\( *-\{0,1\} *command:\) istio-scrape$|\1 ${HELM_PLUGIN_DIR}/istio-scrape|' \
    functions/istio-scrape-tls/plugin.yaml > "$staging/$folder/plugin.yaml"
  grep --quiet --fixed-strings '${HELM_PLUGIN_DIR}/istio-scrape' "$staging/$folder/plugin.yaml" \
    || fail "functions/istio-scrape-tls/plugin.yaml has no line 'command: istio-scrape'"
  archive "$folder" "$folder-$version-$2.tgz"
}

built=
for target in $DIST_TARGETS; do
  if ! why=$(can_build "$target"); then
    left_out "$target" "$why"
    continue
  fi
  if [ "$target" != "$here" ]; then
    linker=CARGO_TARGET_$(echo "$target" | tr 'a-z-' 'A-Z_')_LINKER
    export "$linker=${!linker:-${target%%-*}-linux-gnu-gcc}"
  fi
  program=$(bash release/binary.sh "$target")
  name=istio-scrape-$version-$target
  install -D -m 0755 "$program" "$staging/$name/istio-scrape"
  for page in README.md CHANGELOG.md LICENSE functions/istio-scrape-tls/README.md; do
    install -D -m 0644 "$page" "$staging/$name/$page"
  done
  licences_of_others "$target" > "$staging/$name/LICENSES-OF-OTHERS"
  if [ "$target" = "$here" ]; then
    mkdir -p "$staging/pages"
    pages "$program" "$staging/pages"
  fi
  [ ! -d "$staging/pages" ] || cp -r "$staging/pages/." "$staging/$name"
  archive "$name" "$name.tar.gz"
  if [ -f functions/istio-scrape-tls/plugin.yaml ]; then
    helm_plugin "$program" "$target"
  else
    left_out "the plugin for Helm 4" "there is no functions/istio-scrape-tls/plugin.yaml" needed
  fi
  if command -v cargo-cyclonedx >/dev/null; then
    bill_of_materials "$target" "dist/$name.cdx.json"
  else
    left_out "the bill of materials for $target" "cargo-cyclonedx is not installed (make tools)" needed
  fi
  built+=" $target"
done
[ -n "$built" ] || fail "no target could be built"
rm -rf "$staging"
bash release/sums.sh
