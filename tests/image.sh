#!/usr/bin/env bash
# Runs the entry point of the image as kustomize and kpt have Docker run it: as nobody, in its own root, without a
# network, without arguments, with an empty environment and with nowhere to write to. `make image` has unpacked it.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$(readlink -f "${ISTIO_SCRAPE:?the program as built, to compare with}")
image=$(readlink -f "${IMAGE:?the folder with rootfs/ and config.json}")
not_run=${ISTIO_SCRAPE_NOT_RUN:-/dev/stderr}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() { echo "FAIL image: $*" >&2; exit 1; }
ok() { echo "ok   image: $*"; }

# --- what is in it

# Docker looks up `--user nobody` in /etc/passwd; else the program would be alone.
cat > "$scratch/wanted" <<'FILES'
drwxr-xr-x 0/0 etc/
-rw-r--r-- 0/0 etc/passwd
-rwxr-xr-x 0/0 istio-scrape
FILES
nothing_else() {
  [ "$(cd "$image/rootfs" && find . -mindepth 1 | sort | xargs)" = "./etc ./etc/passwd ./istio-scrape" ] || fail "other files: $(find "$image/rootfs")"
  cmp "$image/rootfs/istio-scrape" "${STATIC:?the static program}" || fail "it is another program than the one that was built"
}
awk '{ print $1, $2, $NF }' "$image/files" | diff "$scratch/wanted" - >&2 || fail "other files, owners or modes"
nothing_else
[ "$(cut -d: -f1,3,4 "$image/rootfs/etc/passwd")" = nobody:65534:65534 ] || fail "its passwd: $(cat "$image/rootfs/etc/passwd")"
ok "the program and the name of nobody; all of it root's, which nobody can write"

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
for part in '"User":"65534:65534"' '"Entrypoint":["/istio-scrape"]' '"org.opencontainers.image.version":"'"$version"'"' \
  '"org.opencontainers.image.licenses":"Apache-2.0"' '"org.opencontainers.image.source":"https://'; do
  grep --quiet --fixed-strings -e "$part" "$image/config.json" || fail "config.json has no $part: $(cat "$image/config.json")"
done
for part in '"Cmd"' '"Volumes"' '"ExposedPorts"' '"WorkingDir"'; do
  ! grep --quiet --fixed-strings -e "$part" "$image/config.json" || fail "config.json has $part"
done
ok "user, entry point and labels; no Cmd, no volume, no port"

# --- how it runs

sudo=
if [ "$(id -u)" != 0 ]; then
  if sudo -n true 2>/dev/null; then sudo=sudo; else
    echo "did not run: the image: changing root needs root, or sudo without a password" >> "$not_run"
    exit 0
  fi
fi
entry=$(grep -o '"Entrypoint":\["[^"]*"\]' "$image/config.json" | cut -d'"' -f4)
user=$(grep -o '"User":"[^"]*"' "$image/config.json" | cut -d'"' -f4)

# A container, made by hand: root, network, processes and mounts of its own; all of it read-only, and no file, wherever it
# is, can have even one byte written to it. So what it prints goes through pipes.
cat > "$scratch/contain" <<'CONTAIN'
set -euo pipefail
root=$1 user=$2
shift 2
[ "$(wc -l < /proc/net/dev)" = 3 ] || { echo "there is a network besides loopback" >&2; exit 99; }
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
ulimit -f 0
environment=()
while [ "$1" != -- ]; do environment+=("$1"); shift; done
shift
exec env -i "${environment[@]}" "$(command -v setpriv)" --no-new-privs \
  "$(command -v chroot)" --userspec="$user" --groups= "$root" "$@"
CONTAIN
contained() { # variables of the environment, --, arguments
  local environment=()
  while [ "$1" != -- ]; do environment+=("$1"); shift; done
  shift
  $sudo unshare --net --ipc --uts --pid --fork --mount -- \
    bash "$scratch/contain" "$image/rootfs" "$user" "${environment[@]}" -- "$entry" "$@"
}

# The same input for both: the same bytes on stdout and stderr, and the same exit code.
same() { # input, expected exit code
  local code code_of_plain=0
  echo 0 > "$scratch/code"
  {
    { contained -- < "$1" || echo $? > "$scratch/code"; } 2>&1 >&3 | cat > "$scratch/stderr"
  } 3>&1 | cat > "$scratch/stdout"
  code=$(cat "$scratch/code")
  "$program" < "$1" > "$scratch/stdout.plain" 2> "$scratch/stderr.plain" || code_of_plain=$?
  [ "$code" = "$2" ] && [ "$code_of_plain" = "$2" ] \
    || fail "$1: exit code $code, of the plain program $code_of_plain, expected $2: $(cat "$scratch/stderr")"
  cmp "$scratch/stdout" "$scratch/stdout.plain" || fail "$1: another answer than that of the plain program"
  cmp "$scratch/stderr" "$scratch/stderr.plain" || fail "$1: other messages than those of the plain program"
}

same testdata/strict-needs-tls--resource-list/input.yaml 0
[ "$(grep -c 'caFile: /etc/istio-certs/root-cert.pem' "$scratch/stdout")" -gt 0 ] || fail "nothing was patched"
same testdata/strict-needs-tls--text-resource-list-fails/input.yaml 1
same /dev/null 2
"$program" --report "$scratch/report" < testdata/strict-needs-tls--resource-list/input.yaml > /dev/null 2>&1 && [ -s "$scratch/report" ] \
  || fail "the plain program writes no report"
code=0
contained -- --report /report < testdata/strict-needs-tls--resource-list/input.yaml 2>&1 | cat > "$scratch/stdout" || code=$?
[ "$code" = 2 ] && grep --quiet /report "$scratch/stdout" || fail "exit code $code where no report can be written: $(cat "$scratch/stdout")"
ok "a ResourceList is patched as by the plain program; environment empty, no network, nothing to write to"

for variable in LOG_TO_STDERR=true ISTIO_SCRAPE_REPORT=; do
  contained "$variable" -- --version < /dev/null | cat > "$scratch/stdout" || fail "--version with $variable"
  [ "$(cat "$scratch/stdout")" = "istio-scrape $version" ] || fail "--version says $(cat "$scratch/stdout")"
done
contained -- --help < testdata/strict-needs-tls--resource-list/input.yaml | cat > "$scratch/stdout" || fail "--help"
grep --quiet '^Usage:' "$scratch/stdout" || fail "--help says $(cat "$scratch/stdout")"
ok "--version and --help (which wins over an input, as kpt fn doc wants it)"

# --- under kustomize, with a stand-in for Docker that takes its arguments

name=$(sed -n 's/^image: //p' functions/istio-scrape-tls/metadata.yaml)
mkdir "$scratch/bin"
{ declare -p sudo image user entry scratch name; declare -f contained; cat <<'DOCKER'
set -euo pipefail
arguments="$*"
environment=()
while [ $# -gt 1 ]; do
  case $1 in
    -e) environment+=("$2"); shift ;;
    --network) [ "$2" = none ] && network=none; shift ;;
    --user) user=$(awk -F: -v name="$2" '$1 == name { print $3 ":" $4 }' "$image/rootfs/etc/passwd"); shift ;;
    -a) shift ;;
    run | --rm | -i | --security-opt=no-new-privileges) ;;
    *) echo "docker is not stood in for with $1" >&2; exit 125 ;;
  esac
  shift
done
[ "$1" = "$name" ] && [ "${network-}" = none ] && [ "$user" = 65534:65534 ] || { echo "docker $arguments?" >&2; exit 125; }
tee "$scratch/sent" | contained "${environment[@]}" --
DOCKER
} > "$scratch/docker"
{ echo '#!/usr/bin/env bash'; cat "$scratch/docker"; } > "$scratch/bin/docker"
chmod +x "$scratch/bin/docker"
ln -s "$program" "$scratch/bin/istio-scrape"

cp -r examples/kustomize-exec "$scratch/exec"
cp -r examples/kustomize-exec "$scratch/container"
sed -i -e 's|exec:|container:|' -e "s|path: istio-scrape|image: $name|" "$scratch/container/fn/scrape-tls.yaml"
found=
for kustomize in "${TOOLS:-.tools}"/kustomize-*/kustomize; do
  [ -x "$kustomize" ] || continue
  found=1
  PATH="$scratch/bin:$PATH" "$kustomize" build --enable-alpha-plugins --enable-exec "$scratch/exec" > "$scratch/built.exec" 2> "$scratch/log" \
    || fail "$kustomize, function on PATH: $(cat "$scratch/log")"
  PATH="$scratch/bin:$PATH" "$kustomize" build --enable-alpha-plugins "$scratch/container" > "$scratch/built.container" 2> "$scratch/log" \
    || fail "$kustomize, container: $(cat "$scratch/log")"
  grep --quiet 'caFile: /etc/istio-certs/root-cert.pem' "$scratch/built.container" || fail "$kustomize: nothing was patched"
  cmp "$scratch/built.exec" "$scratch/built.container" || fail "$kustomize: the container builds something else"
  same "$scratch/sent" 0
  ok "under $(basename "$(dirname "$kustomize")") it builds what the function on PATH builds"
done
[ -n "$found" ] || echo "did not run: the image under kustomize: no kustomize in .tools/ (make tools)" >> "$not_run"

nothing_else
