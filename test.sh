#!/usr/bin/env bash
# Everything that CI checks, stage by stage with times. Needs Go 1.26, and npm for
# the tests of npm packages; on Debian it also rebuilds quickjs.wasm and runs the
# web-platform-tests. Installs nothing on the machine.
set -euo pipefail
cd "$(dirname "$0")"
export GOTOOLCHAIN=local CGO_ENABLED=0
stage() {
  local name=$1 start=$SECONDS
  shift
  echo "== $name"
  "$@"
  echo "== $name: $((SECONDS - start)) s"
}
formatted() { local bad; bad=$(git ls-files '*.go' | xargs gofmt -l); [ -z "$bad" ] || { echo "gofmt would change: $bad"; return 1; }; }
tidy() { go mod tidy -diff && go mod verify; }
types() (
  cd internal/typecheck
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  npx tsc -p tsconfig.platform.json
  npx tsc -p tsconfig.user.json
)
crossbuild() {
  local target
  for target in linux/amd64 linux/arm64 darwin/arm64 windows/amd64; do
    GOOS=${target%/*} GOARCH=${target#*/} go build ./...
    GOOS=${target%/*} GOARCH=${target#*/} go vet ./...
  done
}
rebuild() {
  local out status=0
  out=$(mktemp)
  quickjs/build/build.sh "$out" || status=$?
  if [ "$status" = 3 ]; then echo "could not rebuild quickjs.wasm: a pinned package is no longer served"; return 0; fi
  [ "$status" = 0 ] || return "$status"
  cmp "$out" quickjs/quickjs.wasm && echo "quickjs.wasm rebuilt: identical"
}
# Streams and encoding by the web-platform-tests of Debian's nodejs source package.
conformance() {
  local status=0 dir=${AGENTRT_WPT:-${TMPDIR:-/tmp}/agentrt-wpt-files}
  compat/wpt/fetch.sh "$dir" || status=$?
  if [ "$status" = 3 ]; then echo "could not run the web-platform-tests: the pinned package is no longer served"; return 0; fi
  [ "$status" = 0 ] || return "$status"
  AGENTRT_WPT=$dir go test -count=1 -timeout 15m ./compat/wpt
}
race() {
  CGO_ENABLED=1 go test -race -short -count=1 -timeout 20m ./quickjs/... ./stream/... ./hostfn/... ./agentrt/... ./polyfill/... ./vector/vectorfield ./vector/fulltext
}
# The build with SQLite in C: the store and PocketBase itself on it.
nativesqlite() (
  export CGO_ENABLED=1 CGO_CFLAGS
  CGO_CFLAGS=$(internal/sqlitedb/cflags.sh)
  go build -tags "cgo_sqlite sqlite_fts5" -o /dev/null ./cmd/agentrt
  go test -tags "cgo_sqlite sqlite_fts5" -count=1 -timeout 15m ./internal/sqlitedb ./vector ./vector/sqlitevec
)
stage "format" formatted
stage "modules" tidy
stage "vet" go vet ./...
stage "staticcheck" go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
stage "types" types
stage "test" go test -count=1 -timeout 20m ./...
[ "${AGENTRT_POSTGRES_REQUIRED:-}" = 1 ] || echo "== PostgreSQL was not required: where it is missing, its tests were skipped (AGENTRT_POSTGRES_REQUIRED=1 makes them fail)"
stage "race" race
stage "native SQLite" nativesqlite
stage "conformance" conformance
stage "cross build" crossbuild
stage "rebuild quickjs.wasm" rebuild
