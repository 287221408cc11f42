#!/bin/sh
# Builds the operators KEDA and Kueue, a Temporal server and Helm for the tests in tests/admission, each inside its own
# Go module (cluster/modules.txt), and unpacks the charts that modules carry; does nothing when it was done before.
# What the module proxy refuses is left out, with the reason in a file beside the others: its tests are skipped then.
# usage: tests/toolchain/build_operators.sh [GROUP...]; the last line on stdout is the folder of the cache.
# The first build takes about 18 CPU minutes and 3 GB under Go's caches; with these warm, a minute.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${SKERRY_TOOLCHAIN:-${XDG_CACHE_HOME:-$HOME/.cache}/skerry/toolchain}
if command -v sha256sum >/dev/null; then sum="sha256sum"; else sum="shasum -a 256"; fi
say() { printf 'operators: %s\n' "$*" >&2; }
fail() { say "$*"; exit 3; }
row() { sed -n "s/^$1 //p" "$here/cluster/modules.txt"; }
# The key is of the group's row alone: another operator's new version rebuilds nothing here.
key() { printf '%s %s\n' "$1" "$(row "$1")" | $sum | cut -c1-16; }

work=""
build=""
finish() {
  [ -z "$build" ] || kill "$build" 2>/dev/null || true
  [ -z "$work" ] || { chmod -R u+w "$work" 2>/dev/null || true; rm -rf "$work"; }
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

build_group() {
  group=$1
  # shellcheck disable=SC2046  # the row is words
  set -- $(row "$group")
  [ $# -ge 4 ] || fail "no group '$group' in tests/toolchain/cluster/modules.txt"
  module=$1 version=$2 hash=$3
  shift 3
  out=$cache/$group-$(key "$group")
  missing=""
  for pair in "$@"; do
    [ -x "$out/${pair%%=*}" ] || missing="$missing $pair"
  done
  [ -n "$missing" ] || return 0
  command -v go >/dev/null || fail "Go is not on the PATH: install Go 1.26 or later (https://go.dev/dl)"
  mkdir -p "$out" || fail "cannot write to $cache: set SKERRY_TOOLCHAIN to a folder that can be written"
  work=$(mktemp -d "$out/build.XXXXXX")
  if ! GOFLAGS='' GOWORK=off go mod download -json "$module@$version" >"$work/download.json" 2>"$work/download.log"; then
    { sed -n 's/.*"Error": "\(.*\)".*/\1/p' "$work/download.json"; cat "$work/download.log"; } | head -n 3 > "$out/refused"
    say "$group is left out: $(head -n 1 "$out/refused")"
    rm -rf "$work"; work=""
    return 0
  fi
  field() { sed -n "s/^[[:space:]]*\"$1\": \"\(.*\)\",*\$/\1/p" "$work/download.json"; }
  [ "$(field Sum)" = "$hash" ] || fail "$module@$version has the hash $(field Sum), and $hash is pinned"
  cp -R "$(field Dir)" "$work/source"
  chmod -R u+w "$work/source"
  began=$(date +%s)
  for pair in $missing; do
    name=${pair%%=*}
    say "building $name into $out"
    (cd "$work/source" && exec env CGO_ENABLED=0 GOWORK=off GOFLAGS='' nice -n 3 go build -mod=readonly -p 2 -trimpath \
      -ldflags '-s -w' -o "$work/$name" "${pair#*=}") >"$work/build.log" 2>&1 &
    build=$!
    if ! wait "$build"; then
      build=""
      tail -n 5 "$work/build.log" > "$out/refused"
      say "$group is left out, its build failed: $(tail -n 1 "$out/refused")"
      rm -rf "$work"; work=""
      return 0
    fi
    build=""
    # A rename is whole or not there, also when two builds run at once.
    mv "$work/$name" "$out/$name"
  done
  rm -f "$out/refused"
  chmod -R u+w "$work"
  rm -rf "$work"
  work=""
  say "built $group in $(($(date +%s) - began)) s"
}

for group in ${*:-$(sed -n 's/^\([a-z][a-z-]*\) .*/\1/p' "$here/cluster/modules.txt")}; do build_group "$group"; done
"${PYTHON:-$root/.venv/bin/python}" "$here/fetch_charts.py" "$cache"
printf '%s\n' "$cache"
