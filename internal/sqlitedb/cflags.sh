#!/usr/bin/env bash
# Prints CGO_CFLAGS for building with -tags cgo_sqlite: sqlite-vec includes sqlite3.h,
# which here is that of the SQLite in go-sqlite3, as no other is linked.
set -euo pipefail
cd "$(dirname "$0")"
module=$(go list -m -f '{{.Dir}}' github.com/mattn/go-sqlite3)
[ -n "$module" ] || { go mod download github.com/mattn/go-sqlite3; module=$(go list -m -f '{{.Dir}}' github.com/mattn/go-sqlite3); }
dir=${TMPDIR:-/tmp}/agentrt-sqlite3-header
mkdir -p "$dir"
printf '#include "%s/sqlite3-binding.h"\n' "$module" >"$dir/sqlite3.h"
echo "-O2 -I$dir"
