#!/usr/bin/env bash
# Writes dist/SHA256SUMS, of everything else that is in dist/, and shows it.
set -euo pipefail
cd "$(dirname "$0")/../dist"
export LC_ALL=C
rm -f SHA256SUMS
sums=$(sha256sum -- *)
echo "$sums" | tee SHA256SUMS
