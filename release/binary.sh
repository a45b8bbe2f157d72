#!/usr/bin/env bash
# Builds the program for one target as one static file that says nothing of where it was built; prints its path.
# Its bytes depend on the sources, on rustc, and on the C library and startup files (crt1.o, libc.a) of the machine.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${1:?a target, such as x86_64-unknown-linux-gnu}
cargo=${CARGO:-cargo}
build=${TARGET:-$PWD/target}

# Paths get into the program through messages of panics. Cargo leaves these flags out of what it hashes into names.
flags="-C target-feature=+crt-static"
flags+=" --remap-path-prefix=$PWD=/istio-scrape"
flags+=" --remap-path-prefix=$build=/target"
flags+=" --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
# With the component rust-src, paths of the standard library would be those of this machine.
flags+=" --remap-path-prefix=$(rustc --print sysroot)/lib/rustlib/src/rust=/rustc/$(rustc -vV | sed -n 's/^commit-hash: //p')"

# RUSTFLAGS and not .cargo/config.toml: they overrule what the machine's configuration says. With --target they leave
# build scripts and macros alone, which cannot be static.
RUSTFLAGS=$flags CARGO_TARGET_DIR=$build "$cargo" build --release --locked --bin istio-scrape --target "$target" >&2

program=$build/$target/release/istio-scrape
if LC_ALL=C readelf --program-headers --dynamic --wide "$program" | grep -E 'INTERP|\(NEEDED\)' >&2; then
  echo "$program asks for a loader or a library: it is not static" >&2
  exit 1
fi
for path in "$PWD" "$build" "${CARGO_HOME:-$HOME/.cargo}"; do
  if LC_ALL=C grep --quiet --text --fixed-strings "$path/" "$program"; then
    echo "$program has the path $path in it: built elsewhere, it would be another file" >&2
    exit 1
  fi
done
echo "$program"
