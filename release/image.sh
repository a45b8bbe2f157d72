#!/usr/bin/env bash
# Makes dist/istio-scrape-image.tar (oci-archive) from functions/istio-scrape-tls/Dockerfile with buildah: no daemon, no
# registry, nothing is pulled. Unpacks it to target/image/rootfs and target/image/config.json.
# The image is a function of the program, the Dockerfile and buildah: it has no time and no commit in it.
set -euo pipefail
cd "$(dirname "$0")/.."
umask 022
export LC_ALL=C
program=${1:?the static program}
build=${TARGET:-$PWD/target}
image=$build/image
name=$(sed -n 's/^image: //p' functions/istio-scrape-tls/metadata.yaml)

command -v buildah >/dev/null || { echo "image: there is no buildah (apt-get install buildah)" >&2; exit 1; }
own_buildah() { buildah --root "$image/store" --runroot "$image/run" --storage-driver vfs "$@"; }

# Who is not root owns what buildah stores only in a name space of buildah's.
discard() {
  if [ "$(id -u)" = 0 ]; then rm -rf "$@"; else buildah unshare rm -rf "$@"; fi
}

discard "$image"
mkdir -p dist "$image/layout" "$image/rootfs"
# What the stage `build` of the Dockerfile comes to. Given as a context of that name, it stands for the stage, whose own
# base is then not asked for.
install -D -m 0755 "$program" "$image/build/image/istio-scrape"
install -D -m 0644 functions/istio-scrape-tls/passwd "$image/build/image/etc/passwd"

own_buildah build --quiet --isolation chroot --pull-never --build-context "build=$image/build" --timestamp 0 \
  --identity-label=false --file functions/istio-scrape-tls/Dockerfile --tag "$name" "$image/build" > "$image/id"
own_buildah push --quiet "$name" "oci:$image/layout:$name"
discard "$image/store" "$image/run" "$image/id"

archive=dist/istio-scrape-image.tar
rm -f "$archive"
tar --create --file "$archive" --format=ustar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
    --mode=u=rwX,go=rX --directory "$image/layout" blobs index.json oci-layout
rm -rf "$image/layout" "$image/build"

# Unpacked from the archive itself, as whoever gets it would.
mkdir "$image/archive"
tar --extract --file "$archive" --directory "$image/archive"
blob() { # the only one that a description names under a media type
  local digest
  digest=$(grep -o "\"mediaType\":\"[^\"]*$2[^\"]*\",\"digest\":\"sha256:[0-9a-f]*\"" "$1" | grep -o '[0-9a-f]\{64\}')
  [ "$(wc -w <<< "$digest")" = 1 ] || { echo "image: $1 names not exactly one $2: $digest" >&2; exit 1; }
  echo "$image/archive/blobs/sha256/$digest"
}
manifest=$(blob "$image/archive/index.json" image.manifest)
config=$(blob "$manifest" image.config)
layer=$(blob "$manifest" image.layer)
cp "$config" "$image/config.json"
tar --list --verbose --numeric-owner --gzip --file "$layer" > "$image/files"
tar --extract --gzip --file "$layer" --directory "$image/rootfs"
rm -rf "$image/archive"
bash release/sums.sh
