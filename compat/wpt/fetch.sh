#!/usr/bin/env bash
# Fetches the web-platform-tests that Node's source package carries: fetch.sh DIRECTORY.
# The tarball is pinned by sha256 and kept in a cache; only test/fixtures/wpt is
# unpacked. Exit 3: the mirror no longer serves it, so nothing was fetched.
set -euo pipefail
out=${1:?usage: fetch.sh DIRECTORY}
file='nodejs_22.22.2+dfsg+~cs22.19.15.orig.tar.xz'
sum=f1a6dfca7ffe7f9f42942274adf9f0a12733977a4744a53f41b20836907c449b
cache=${AGENTRT_BUILD_CACHE:-${TMPDIR:-/tmp}/agentrt-wpt}
command -v apt-get >/dev/null || { echo "fetching needs Debian's apt-get, which knows the mirror" >&2; exit 3; }
mkdir -p "$cache" "$out"
if ! echo "$sum  $cache/$file" | sha256sum -c --status - 2>/dev/null; then
  site=$(apt-get indextargets --format '$(SITE)' | sort -u | head -1)
  curl -fsSL -o "$cache/$file" "$site/pool/main/n/nodejs/$file" || { echo "not served any more: $file" >&2; exit 3; }
  echo "$sum  $cache/$file" | sha256sum -c --status - || { echo "checksum differs: $file" >&2; exit 1; }
fi
tar -xJf "$cache/$file" -C "$out" --strip-components=4 --wildcards '*/test/fixtures/wpt'
