#!/usr/bin/env bash
# Installs what the tests on PostgreSQL need: Debian's PostgreSQL 15, and pgvector 0.8.0
# built from Debian's source tarball, which is pinned by sha256. Does nothing where both
# are there. Exit 3: it cannot be done on this machine, and nothing was installed.
set -euo pipefail
file=pgvector_0.8.0.orig.tar.gz
sum=867a2c328d4928a5a9d6f052cd3bc78c7d60228a9b914ad32aa3db88e9de27b0
bin=/usr/lib/postgresql/15/bin
control=/usr/share/postgresql/15/extension/vector.control
cache=${AGENTRT_BUILD_CACHE:-${TMPDIR:-/tmp}/agentrt-pgvector}
installed() { [ -x "$bin/postgres" ] && [ -f "$control" ]; }
cannot() { echo "cannot install PostgreSQL and pgvector: $1" >&2; exit 3; }

if installed; then echo "PostgreSQL 15 and pgvector are there"; exit 0; fi
command -v apt-get >/dev/null || cannot "there is no apt-get"
[ "$(id -u)" = 0 ] || cannot "apt-get install needs root"
mkdir -p "$cache"
if ! echo "$sum  $cache/$file" | sha256sum -c --status - 2>/dev/null; then
  site=$(apt-get indextargets --format '$(SITE)' | sort -u | head -1)
  curl -fsSL -o "$cache/$file" "$site/pool/main/p/pgvector/$file" || cannot "no longer served: $file"
  echo "$sum  $cache/$file" | sha256sum -c --status - || { echo "checksum differs: $file" >&2; exit 1; }
fi
packages=(postgresql-15 postgresql-server-dev-15 build-essential)
export DEBIAN_FRONTEND=noninteractive
{ apt-get update -qq; apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${packages[@]}"; } </dev/null >"$cache/apt.log" 2>&1 ||
  { tail -5 "$cache/apt.log" >&2; cannot "apt-get install ${packages[*]} failed"; }
source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT
tar -xzf "$cache/$file" -C "$source" --strip-components=1
make -s -C "$source" PG_CONFIG="$bin/pg_config" with_llvm=no OPTFLAGS="" -j"$(nproc)" >/dev/null
make -s -C "$source" PG_CONFIG="$bin/pg_config" with_llvm=no OPTFLAGS="" install >/dev/null
installed
echo "PostgreSQL 15 and pgvector 0.8.0 installed"
