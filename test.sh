#!/usr/bin/env bash
# Everything that CI checks, stage by stage with times. Needs Go 1.26; installs
# nothing on the machine.
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
stage "format" formatted
stage "vet" go vet ./...
stage "staticcheck" go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
stage "test" go test -count=1 -timeout 15m ./...
stage "race" env CGO_ENABLED=1 go test -race -short -count=1 -timeout 15m ./quickjs/...
stage "cross build" crossbuild
stage "rebuild quickjs.wasm" rebuild
