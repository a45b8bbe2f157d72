#!/usr/bin/env bash
# Takes what `make dist` made into other folders, as its users do: sums, archive, completions, the plugin under Helm 4.
set -euo pipefail
cd "$(dirname "$0")/.."
not_run=${ISTIO_SCRAPE_NOT_RUN:-/dev/stderr}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
here=$(rustc -vV | sed -n 's/^host: //p')
name=istio-scrape-$version-$here
dist=$PWD/dist
input=$PWD/testdata/strict-needs-tls--resource-list/input.yaml
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() { echo "FAIL dist: $*" >&2; exit 1; }
ok() { echo "ok   dist: $*"; }

(cd dist && sha256sum --check --quiet --strict SHA256SUMS) || fail "SHA256SUMS"
[ "$(find dist -type f ! -name SHA256SUMS | wc -l)" = "$(wc -l < dist/SHA256SUMS)" ] || fail "SHA256SUMS leaves files out: $(ls dist)"
ok "SHA256SUMS names every file, and is right"

for archive in dist/*.tar.gz dist/*.tgz; do
  [ -e "$archive" ] || continue
  odd=$(tar --list --verbose --numeric-owner --gzip --file "$archive" | grep -v -E '^(drwxr-xr-x|-rwxr-xr-x|-rw-r--r--) 0/0 ' || true)
  [ -z "$odd" ] || fail "$archive: $odd"
  [ "$(tar --list --gzip --file "$archive" | cut -d/ -f1 | sort -u | wc -l)" = 1 ] || fail "$archive has more than one folder at its top"
done

tar --extract --gzip --file "dist/$name.tar.gz" --directory "$scratch"
for file in LICENSE README.md CHANGELOG.md functions/istio-scrape-tls/README.md; do
  cmp "$file" "$scratch/$name/$file" || fail "$name.tar.gz: $file"
done
for crate in serde_json granit-parser clap_builder linux-raw-sys; do
  grep --quiet "^=== $crate [0-9.]* (" "$scratch/$name/LICENSES-OF-OTHERS" || fail "LICENSES-OF-OTHERS does not name $crate"
done
program=$scratch/$name/istio-scrape
[ "$(env -i "$program" --version)" = "istio-scrape $version" ] || fail "--version: $("$program" --version)"
env -i "$program" < "$input" > "$scratch/patched" 2> "$scratch/log" || fail "$(cat "$scratch/log")"
grep --quiet 'caFile: /etc/istio-certs/root-cert.pem' "$scratch/patched" || fail "nothing was patched"
ok "$name.tar.gz: the program runs and patches, with an empty environment"

if [ -d "$scratch/$name/completions" ]; then
  bash -n "$scratch/$name/completions/istio-scrape.bash" || fail "completions for bash are no bash"
  grep --quiet '^#compdef istio-scrape' "$scratch/$name/completions/_istio-scrape" || fail "completions for zsh"
  grep --quiet '^complete -c istio-scrape' "$scratch/$name/completions/istio-scrape.fish" || fail "completions for fish"
  ok "completions for three shells"
fi
if [ -d "$scratch/$name/man" ]; then
  grep --quiet --ignore-case '^\.TH istio\\-scrape 1' "$scratch/$name/man/istio-scrape.1" || fail "the man page has no title"
  ok "a man page"
fi
grep --quiet '"bomFormat": "CycloneDX"' "dist/$name.cdx.json" || fail "dist/$name.cdx.json is no CycloneDX"

plugin=dist/istio-scrape-helm-plugin-$version-$here.tgz
if [ -f "$plugin" ]; then
  helm=$(find "${TOOLS:-.tools}" -path '*/helm-v4*/helm' 2>/dev/null | sort | tail -1 || true)
  if [ -z "$helm" ]; then
    echo "did not run: the plugin for Helm 4: no Helm 4 in .tools/" >> "$not_run"
  else
    # A chart whose templates are an example. No istio-scrape on PATH: the plugin brings its own.
    mkdir -p "$scratch/chart/templates"
    printf 'apiVersion: v2\nname: demo\nversion: 1.0.0\n' > "$scratch/chart/Chart.yaml"
    cp examples/kustomize-exec/{namespaces,policies,demo-app,monitoring}.yaml "$scratch/chart/templates"
    in_helm() { env -i HOME="$scratch/home" PATH=/usr/bin:/bin "$helm" "$@"; }
    in_helm plugin install --verify=false "$dist/${plugin#dist/}" > "$scratch/log" 2>&1 || fail "$helm plugin install: $(cat "$scratch/log")"
    installed=$(sed -n 's/^name: //p' functions/istio-scrape-tls/plugin.yaml)
    in_helm template demo "$scratch/chart" --post-renderer "$installed" > "$scratch/rendered" || fail "$helm template"
    grep --quiet 'caFile: /etc/istio-certs/root-cert.pem' "$scratch/rendered" || fail "$helm: nothing was patched"
    ok "the plugin, installed from its archive, patches under $(basename "$(dirname "$helm")")"
  fi
fi
