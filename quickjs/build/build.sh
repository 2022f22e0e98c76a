#!/usr/bin/env bash
# Builds quickjs.wasm from pinned inputs: build.sh [OUTPUT]. Debian packages are
# downloaded, checked by sha256 and unpacked into a private folder; nothing is
# installed. Exit 3: an input is no longer served, so nothing was built.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../quickjs.wasm}
cache=${AGENTRT_BUILD_CACHE:-${TMPDIR:-/tmp}/agentrt-quickjs-build}
command -v apt-get >/dev/null && command -v dpkg >/dev/null || { echo "the build needs Debian's apt-get and dpkg" >&2; exit 3; }
mkdir -p "$cache"
cd "$cache"
site=$(apt-get indextargets --format '$(SITE)' | sort -u | head -1)
while read -r sum file; do
  if [ -f "$file" ] && echo "$sum  $file" | sha256sum -c --status -; then continue; fi
  case $file in
    qjs-src_*) curl -fsSL -o "$file" "$site/pool/main/q/quickjs-ng/$file" || { echo "not served any more: $file" >&2; exit 3; } ;;
    wasi-libc_*) curl -fsSL -o "$file" "$site/pool/main/w/wasi-libc/$file" || { echo "not served any more: $file" >&2; exit 3; } ;;
    *) version=${file#*_}; version=${version%_*}; version=${version//%3a/:}
       package=${file%%_*}=$version
       apt-get download "$package" >/dev/null 2>&1 || { apt-get update -qq >/dev/null 2>&1 || true; apt-get download "$package" >/dev/null 2>&1; } || { echo "not served any more: $file" >&2; exit 3; } ;;
  esac
  echo "$sum  $file" | sha256sum -c --status - || { echo "checksum differs: $file" >&2; exit 1; }
done < "$here/inputs.sha256"

rm -rf root src obj
mkdir -p root src obj
while read -r _ file; do dpkg -x "$file" root; done < "$here/inputs.sha256"
cp root/usr/src/quickjs-ng/* src/
(cd src && GIT_CEILING_DIRECTORIES="$cache" git apply --whitespace=nowarn "$here"/patches/*.patch)

llvm=$cache/root/usr/lib/llvm-19
export LD_LIBRARY_PATH=$cache/root/usr/lib/x86_64-linux-gnu:$llvm/lib
flags=(--target=wasm32-wasi --sysroot=root/usr -isystem root/usr/include/wasm32-wasi
  -resource-dir "$llvm/lib/clang/19" -ffile-prefix-map="$cache=." -ffile-prefix-map="$here=build"
  -O2 -mbulk-memory -mnontrapping-fptoint -msign-ext -funsigned-char -fwrapv -DNDEBUG -D_GNU_SOURCE
  -DSTACK_LIMIT=917504 -D_WASI_EMULATED_PROCESS_CLOCKS -D_WASI_EMULATED_SIGNAL -w)
"$llvm/bin/clang" "${flags[@]}" -Isrc -I"$here/bridge" -I"$here" -c "$here/bridge/bridge.c" -o obj/bridge.o
for unit in dtoa libregexp libunicode; do
  "$llvm/bin/clang" "${flags[@]}" -Isrc -c "src/$unit.c" -o "obj/$unit.o"
done
lib=root/usr/lib/wasm32-wasi
"$llvm/bin/wasm-ld" --stack-first -z stack-size=1048576 --export=__stack_pointer --export=_initialize \
  --no-entry --gc-sections --strip-debug "$lib/crt1-reactor.o" \
  obj/bridge.o obj/dtoa.o obj/libregexp.o obj/libunicode.o \
  -L"$lib" -lc -lm -lwasi-emulated-process-clocks -lwasi-emulated-signal \
  "$(find root -name libclang_rt.builtins-wasm32.a)" -o obj/linked.wasm
(cd "$here" && go run ./fuel -in "$cache/obj/linked.wasm" -out "$cache/obj/quickjs.wasm")
cp obj/quickjs.wasm "$out"
sha256sum < "$out" | cut -d' ' -f1
