#!/usr/bin/env bash
# Installs Debian's Chromium for the test of the dashboard, and prints its path. Does
# nothing where there is one. Exit 3: it cannot be done on this machine.
set -euo pipefail
cannot() { echo "cannot install Chromium: $1" >&2; exit 3; }
path() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

if path; then exit 0; fi
command -v apt-get >/dev/null || cannot "there is no apt-get"
[ "$(id -u)" = 0 ] || cannot "apt-get install needs root"
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
{ apt-get update -qq; apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends chromium; } </dev/null >"$log" 2>&1 ||
  { tail -5 "$log" >&2; cannot "apt-get install chromium failed"; }
path
